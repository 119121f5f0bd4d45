# SPDX-License-Identifier: Apache-2.0
data "aws_caller_identity" "this" {}

data "aws_region" "here" {}

locals {
  arn = "arn:aws:ec2:${data.aws_region.here.region}:${data.aws_caller_identity.this.account_id}"
}

# What the engine calls.
data "aws_iam_policy_document" "work" {
  statement {
    sid = "ListenToTheScheduler"
    actions = [
      "sqs:GetQueueUrl",
      "sqs:GetQueueAttributes",
      "sqs:ReceiveMessage",
      "sqs:DeleteMessage",
      "sqs:ChangeMessageVisibility",
    ]
    resources = var.queue_arns
  }
}

# What the instance itself calls: the agent of ECS, and claim.sh.
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "instance" {
  # AWS grants this one for all clusters or none.
  statement {
    sid       = "FindTheClustersEndpoint"
    actions   = ["ecs:DiscoverPollEndpoint"]
    resources = ["*"]
  }
  statement {
    sid       = "JoinTheCluster"
    actions   = ["ecs:RegisterContainerInstance", "ecs:DeregisterContainerInstance"]
    resources = [var.installation.cluster_arn]
  }
  statement {
    sid = "BeTheClustersInstance"
    actions = [
      "ecs:Poll",
      "ecs:StartTelemetrySession",
      "ecs:SubmitContainerStateChange",
      "ecs:SubmitTaskStateChange",
      "ecs:UpdateContainerInstancesState",
    ]
    resources = ["*"]
    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [var.installation.cluster_arn]
    }
  }
  # AWS grants this one for all addresses or none.
  statement {
    sid       = "SeeTheSources"
    actions   = ["ec2:DescribeAddresses"]
    resources = ["*"]
  }
  statement {
    sid       = "TakeSources"
    actions   = ["ec2:AssociateAddress"]
    resources = ["${local.arn}:elastic-ip/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/todoku:installation"
      values   = [var.installation.name]
    }
  }
  statement {
    sid       = "OnItsInterface"
    actions   = ["ec2:AssociateAddress", "ec2:AssignPrivateIpAddresses"]
    resources = ["${local.arn}:network-interface/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/todoku:installation"
      values   = [var.installation.name]
    }
  }
}

resource "aws_iam_role" "instance" {
  name               = "${var.installation.name}-courier-instance"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "instance" {
  name   = "instance"
  role   = aws_iam_role.instance.id
  policy = data.aws_iam_policy_document.instance.json
}

resource "aws_iam_instance_profile" "instance" {
  name = aws_iam_role.instance.name
  role = aws_iam_role.instance.name
}
