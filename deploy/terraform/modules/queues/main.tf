# SPDX-License-Identifier: Apache-2.0
# One standard queue for each source and class, named as the engine asks for them (src/queue/sqs): hints of some
# 40 octets, which the store can give again at any time. So they are kept for an hour only.
locals {
  queues = merge([
    for source in var.sources : {
      for class in ["bulk", "transactional"] : "${source}-${class}" => "${var.prefix}-${source}-${class}"
    }
  ]...)
}

# What was received twenty times and never deleted, or cannot be read. Nothing is lost by it: it tells of a fault.
# A message's age counts from when it was first sent, so it stays longer here than where it comes from.
resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.prefix}-dead-letters"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "bells" {
  for_each                   = local.queues
  name                       = each.value
  message_retention_seconds  = 3600
  visibility_timeout_seconds = 30
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 20
  })
}

# Only TLS, and nobody of another account whatever its own policy says.
data "aws_caller_identity" "this" {}

data "aws_iam_policy_document" "bells" {
  for_each = aws_sqs_queue.bells
  statement {
    sid       = "NothingInClear"
    effect    = "Deny"
    actions   = ["sqs:SendMessage", "sqs:ReceiveMessage"]
    resources = [each.value.arn]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
  statement {
    sid       = "NobodyElse"
    effect    = "Deny"
    actions   = ["sqs:SendMessage", "sqs:ReceiveMessage"]
    resources = [each.value.arn]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "StringNotEquals"
      variable = "aws:PrincipalAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

resource "aws_sqs_queue_policy" "bells" {
  for_each  = aws_sqs_queue.bells
  queue_url = each.value.url
  policy    = data.aws_iam_policy_document.bells[each.key].json
}
