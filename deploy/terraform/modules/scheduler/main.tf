# SPDX-License-Identifier: Apache-2.0
# Decides what goes when. Of several one leads, the others wait: the number has no use beyond two.
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
  role         = "scheduler"
  settings     = var.settings
  task_policy  = data.aws_iam_policy_document.work.json
  size         = var.size
  tasks        = var.tasks
}
