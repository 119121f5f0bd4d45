# SPDX-License-Identifier: Apache-2.0
# Takes requests, behind a balancer that ends TLS.
data "aws_iam_policy_document" "work" {
  statement {
    sid       = "RingForCouriers"
    actions   = ["sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:SendMessage"]
    resources = var.queue_arns
  }
}

# By way of the listener: a service may stand behind a group of targets only when a listener uses it.
locals {
  target_group_arn = aws_lb_listener.https.default_action[0].target_group_arn
}

module "service" {
  source                     = "../service"
  installation               = var.installation
  role                       = "api"
  settings                   = var.settings
  task_policy                = data.aws_iam_policy_document.work.json
  size                       = var.size
  tasks                      = var.tasks
  targets                    = [{ arn = local.target_group_arn, port = var.port }]
  balancer_security_group_id = aws_security_group.balancer.id
  stop_alarms                = [aws_cloudwatch_metric_alarm.server_errors.alarm_name]
  requests_target = {
    label = "${aws_lb.this.arn_suffix}/${aws_lb_target_group.api.arn_suffix}"
    value = var.requests_per_minute
  }
}

# What stops a roll-out: the API answers with 5xx.
resource "aws_cloudwatch_metric_alarm" "server_errors" {
  alarm_name          = "${var.installation.name}-api-server-errors"
  alarm_description   = "More than 10 requests a minute were answered with 5xx. docs/runbooks.md#engine-down"
  namespace           = var.installation.name
  metric_name         = "ServerErrors"
  dimensions          = { role = "api" }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = 10
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
}
