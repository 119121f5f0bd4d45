# SPDX-License-Identifier: Apache-2.0
# Runs the imports, tells webhooks, removes what was deleted.
data "aws_iam_policy_document" "work" {
  statement {
    sid       = "RingForCouriers"
    actions   = ["sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:SendMessage"]
    resources = var.queue_arns
  }
}

module "service" {
  source       = "../service"
  installation = var.installation
  role         = "events"
  settings     = var.settings
  task_policy  = data.aws_iam_policy_document.work.json
  size         = var.size
  tasks        = var.tasks
  calls_out    = true
}
