# SPDX-License-Identifier: Apache-2.0
# Figures of the engine (src/ops/emf.cc): their only dimension is the role.
locals {
  engine = {
    transactional-waits = {
      metric = "OldestTransactional", role = "scheduler", statistic = "Maximum", over = 60, minutes = 3
      text   = "A transactional mail that is due has waited for more than a minute. docs/runbooks.md#queue-grows"
    }
    bulk-waits = {
      metric = "OldestBulk", role = "scheduler", statistic = "Maximum", over = 3600, minutes = 15
      text   = "Bulk mail that is due has waited for more than an hour. docs/runbooks.md#queue-grows"
    }
    set-aside = {
      metric = "SetAside", role = "scheduler", statistic = "Maximum", over = 0, minutes = 1
      text   = "Mails with which processes died wait for you. docs/runbooks.md#mail-set-aside"
    }
    imports-fail = {
      metric = "ImportFailures", role = "lambda", statistic = "Sum", over = 0, minutes = 5
      text   = "A list that was put into S3 was not imported: the log of the function says why. docs/operating.md"
    }
    dead-letters = {
      metric = "DeadLetters", role = "lambda", statistic = "Sum", over = 0, minutes = 5
      text   = "A hint was received twenty times and never deleted. Nothing is lost: the function's log has it. docs/operating.md"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "engine" {
  for_each            = local.engine
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = var.name
  metric_name         = each.value.metric
  dimensions          = { role = each.value.role }
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = each.value.minutes
  threshold           = each.value.over
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
}

# Missing figures are an alarm here: who tells them is the leading scheduler.
resource "aws_cloudwatch_metric_alarm" "couriers" {
  alarm_name          = "${var.name}-couriers"
  alarm_description   = "Too few couriers live, or no scheduler leads: mail is kept and not sent. docs/runbooks.md#no-scheduler-leads"
  namespace           = var.name
  metric_name         = "Couriers"
  dimensions          = { role = "scheduler" }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  threshold           = var.couriers_least
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
}

resource "aws_cloudwatch_metric_alarm" "database_disk" {
  alarm_name          = "${var.name}-database-disk"
  alarm_description   = "The database's disk is nearly full, and grows no more by itself. docs/runbooks.md#disk-full"
  namespace           = "AWS/RDS"
  metric_name         = "FreeStorageSpace"
  dimensions          = { DBInstanceIdentifier = var.database_identifier }
  statistic           = "Minimum"
  period              = 300
  evaluation_periods  = 2
  threshold           = var.database_free_gb * 1073741824
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
}

resource "aws_cloudwatch_metric_alarm" "database_processor" {
  alarm_name          = "${var.name}-database-processor"
  alarm_description   = "The database is at 80 % of its processors for a quarter of an hour. docs/runbooks.md#queue-grows"
  namespace           = "AWS/RDS"
  metric_name         = "CPUUtilization"
  dimensions          = { DBInstanceIdentifier = var.database_identifier }
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 3
  threshold           = 80
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.this.arn]
}

resource "aws_cloudwatch_metric_alarm" "api_targets" {
  alarm_name        = "${var.name}-api-ready"
  alarm_description = "No task of the API is ready: all requests are refused. docs/runbooks.md#engine-down"
  namespace         = "AWS/ApplicationELB"
  metric_name       = "HealthyHostCount"
  dimensions = {
    LoadBalancer = var.api_balancer.arn_suffix
    TargetGroup  = var.api_balancer.target_group_suffix
  }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 2
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
}

# Without Lambda nobody empties this queue, and its depth tells.
resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${var.name}-dead-letters-wait"
  alarm_description   = "Hints were received twenty times and never deleted; nothing is lost. docs/runbooks.md#sqs-unreachable"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = var.dead_letters_name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
}

resource "aws_cloudwatch_metric_alarm" "queue_age" {
  for_each            = toset(var.queue_names)
  alarm_name          = "${each.key}-age"
  alarm_description   = "Nobody takes the hints of this queue: its source may have no courier. docs/runbooks.md#queue-grows"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = each.key }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  threshold           = 300
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
}
