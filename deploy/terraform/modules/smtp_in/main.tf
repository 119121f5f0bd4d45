# SPDX-License-Identifier: Apache-2.0
# The SMTP relay, behind a balancer that passes connections on as they are and says by PROXY protocol 2 whose each is.
data "aws_iam_policy_document" "work" {
  statement {
    sid       = "RingForCouriers"
    actions   = ["sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:SendMessage"]
    resources = var.queue_arns
  }
}

locals {
  # What clients know: 587 and 2525 with STARTTLS, 465 with TLS from the first octet.
  ports = { 465 = "implicit", 587 = "starttls", 2525 = "starttls" }

  # By way of a listener: a service may stand behind a group of targets only when one uses it.
  targets = [
    for port, tls in { 465 = "implicit", 587 = "starttls" } :
    { arn = aws_lb_listener.relay[port].default_action[0].target_group_arn, port = var.ports[tls] }
  ]
}

module "service" {
  source                     = "../service"
  installation               = var.installation
  role                       = "smtp-in"
  settings                   = var.settings
  files                      = { "relay.pem" = "relay-certificate", "relay.key" = "relay-key" }
  task_policy                = data.aws_iam_policy_document.work.json
  size                       = var.size
  tasks                      = var.tasks
  targets                    = local.targets
  balancer_security_group_id = aws_security_group.balancer.id
}
