# SPDX-License-Identifier: Apache-2.0
data "aws_region" "here" {}

locals {
  # What is drawn together: role, metrics, statistic.
  graphs = [
    { title = "Mails", role = "courier", metrics = ["Outcomes", "Delivered", "Bounced"], statistic = "Sum" },
    { title = "Oldest due (s)", role = "scheduler", metrics = ["OldestTransactional", "OldestBulk"], statistic = "Maximum" },
    { title = "Waiting", role = "scheduler", metrics = ["WaitingTransactional", "WaitingBulk"], statistic = "Average" },
    { title = "Load of couriers (%)", role = "scheduler", metrics = ["CourierLoad"], statistic = "Average" },
    { title = "Couriers", role = "scheduler", metrics = ["Couriers", "SetAside"], statistic = "Maximum" },
    { title = "Work", role = "scheduler", metrics = ["WorkSeconds", "BacklogPerCourier"], statistic = "Average" },
    { title = "Lanes", role = "courier", metrics = ["Connections", "MailsInHand", "LaneWaiting"], statistic = "Average" },
    { title = "API", role = "api", metrics = ["Requests", "ServerErrors"], statistic = "Sum" },
    { title = "Lists", role = "lambda", metrics = ["Imports", "ImportFailures", "DeadLetters"], statistic = "Sum" },
  ]

  engine_widgets = [
    for graph in local.graphs : {
      type = "metric", width = 8, height = 6
      properties = {
        title   = graph.title, region = data.aws_region.here.region, period = 60, stat = graph.statistic
        metrics = [for metric in graph.metrics : [var.name, metric, "role", graph.role]]
      }
    }
  ]

  service_widgets = [
    for metric in ["CPUUtilization", "MemoryUtilization"] : {
      type = "metric", width = 8, height = 6
      properties = {
        title   = "Tasks: ${metric} (%)", region = data.aws_region.here.region, period = 60, stat = "Average"
        metrics = [for service in var.service_names : ["AWS/ECS", metric, "ClusterName", var.cluster_name, "ServiceName", service]]
      }
    }
  ]

  database_widgets = [
    for metric in ["CPUUtilization", "FreeStorageSpace", "WriteIOPS", "DatabaseConnections"] : {
      type = "metric", width = 8, height = 6
      properties = {
        title   = "Database: ${metric}", region = data.aws_region.here.region, period = 60, stat = "Average"
        metrics = [["AWS/RDS", metric, "DBInstanceIdentifier", var.database_identifier]]
      }
    }
  ]

  alarm_arns = concat(
    [for alarm in aws_cloudwatch_metric_alarm.engine : alarm.arn],
    [
      aws_cloudwatch_metric_alarm.couriers.arn,
      aws_cloudwatch_metric_alarm.database_disk.arn,
      aws_cloudwatch_metric_alarm.database_processor.arn,
      aws_cloudwatch_metric_alarm.api_targets.arn,
      aws_cloudwatch_metric_alarm.dead_letters.arn,
      var.server_errors_alarm_arn,
    ],
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = concat(
      [{ type = "alarm", width = 24, height = 3, properties = { title = "Alarms", alarms = local.alarm_arns } }],
      local.engine_widgets,
      local.service_widgets,
      local.database_widgets,
    )
  })
}
