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
  targets                    = [for tls, group in aws_lb_target_group.relay : { arn = group.arn, port = var.ports[tls] }]
  balancer_security_group_id = aws_security_group.balancer.id
  # A service may stand behind a group of targets only when a listener uses it.
  depends_on = [aws_lb_listener.relay]
}
