# SPDX-License-Identifier: Apache-2.0
# AWS's services inside the VPC: what the engine asks of them goes through no NAT gateway, which costs by the
# gigabyte, and stops when it does.
locals {
  policies = merge(
    { sqs = data.aws_iam_policy_document.sqs.json },
    { for service, document in data.aws_iam_policy_document.account : service => document.json },
  )
}

data "aws_caller_identity" "this" {}

data "aws_iam_policy_document" "sqs" {
  statement {
    sid = "OurQueuesOnly"
    actions = [
      "sqs:GetQueueUrl",
      "sqs:GetQueueAttributes",
      "sqs:SendMessage",
      "sqs:ReceiveMessage",
      "sqs:DeleteMessage",
      "sqs:ChangeMessageVisibility",
    ]
    resources = [var.queue_arn_pattern]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

# An endpoint grants nothing by itself: the roles do. It keeps credentials of other accounts from being used here.
locals {
  calls = {
    "ecr.api"      = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    "ecr.dkr"      = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    logs           = ["logs:CreateLogStream", "logs:PutLogEvents"]
    secretsmanager = ["secretsmanager:GetSecretValue"]
  }
}

data "aws_iam_policy_document" "account" {
  for_each = local.calls
  statement {
    sid       = "OurAccountOnly"
    actions   = each.value
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

# Layers of images, and the packages that couriers start from, are objects of S3 in AWS's own buckets.
data "aws_iam_policy_document" "s3" {
  statement {
    sid       = "LayersOfImages"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::prod-${data.aws_region.here.region}-starport-layer-bucket/*"]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
}

resource "aws_security_group" "endpoints" {
  name        = "${var.name}-endpoints"
  description = "Endpoints of AWS services"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-endpoints" }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  security_group_id = aws_security_group.endpoints.id
  description       = "TLS from this VPC"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = aws_vpc.this.cidr_block
}

resource "aws_vpc_endpoint" "interface" {
  for_each            = local.policies
  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${data.aws_region.here.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.endpoints.id]
  policy              = each.value
  tags                = { Name = "${var.name}-${each.key}" }
}

# Of Fargate's tasks only: couriers have packages to get that lie in other buckets.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${data.aws_region.here.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for table in aws_route_table.private : table.id]
  policy            = data.aws_iam_policy_document.s3.json
  tags              = { Name = "${var.name}-s3" }
}
