# SPDX-License-Identifier: Apache-2.0
# Mail that comes back: where the MX record of the return path leads.
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
  role         = "inbound"
  settings     = var.settings
  files        = { "relay.pem" = "relay-certificate", "relay.key" = "relay-key" }
  task_policy  = data.aws_iam_policy_document.work.json
  size         = var.size
  tasks        = var.tasks
  # By way of the listener: a service may stand behind a group of targets only when one uses it.
  targets                    = [{ arn = aws_lb_listener.inbound.default_action[0].target_group_arn, port = var.port }]
  balancer_security_group_id = aws_security_group.balancer.id
}
