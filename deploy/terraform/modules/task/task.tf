# SPDX-License-Identifier: Apache-2.0
locals {
  name = "${var.installation.name}-${var.role}"

  # Where the password of the database is, for the engine's user unless it is told otherwise.
  password = coalesce(var.database_password, var.installation.secret_arns["database-password"])

  # The image has no shell, and certificates and keys are files: a container of its own writes the files and ends before
  # the engine starts. It is root, to give them to the engine's user, and gets nothing but these.
  write_files = join("\n", concat(
    ["set -eu", "umask 077"],
    ["printf '%s' \"$SETTINGS\" > /etc/todoku/todoku.toml"],
    ["printf '%s' \"$DATABASE_CA\" > /etc/todoku/database-ca.pem"],
    [for position, file in keys(var.files) : "printf '%s' \"$FILE_${position}\" > /etc/todoku/${file}"],
    ["chown -R 65532:65532 /etc/todoku /var/lib/todoku"],
  ))

  log = {
    logDriver = "awslogs"
    options = {
      awslogs-group         = aws_cloudwatch_log_group.this.name
      awslogs-region        = data.aws_region.here.region
      awslogs-stream-prefix = var.role
      mode                  = "non-blocking"
      max-buffer-size       = "4m"
    }
  }
}

data "aws_region" "here" {}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.installation.name}/${var.role}"
  retention_in_days = var.installation.log_retention_days
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.name
  requires_compatibilities = [var.launch_type]
  network_mode             = var.launch_type == "EC2" ? "host" : "awsvpc"
  cpu                      = var.size.cpu
  memory                   = var.size.memory
  execution_role_arn       = aws_iam_role.start.arn
  task_role_arn            = aws_iam_role.work.arn
  track_latest             = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }
  volume {
    name = "settings"
  }
  volume {
    name = "state"
  }

  container_definitions = jsonencode([
    {
      name                   = "settings"
      image                  = var.installation.settings_image
      essential              = false
      readonlyRootFilesystem = true
      user                   = "0:0"
      command                = ["sh", "-c", local.write_files]
      environment = [
        { name = "SETTINGS", value = var.settings },
        { name = "DATABASE_CA", value = var.installation.database_ca },
      ]
      secrets = [
        for position, secret in values(var.files) :
        { name = "FILE_${position}", valueFrom = var.installation.secret_arns[secret] }
      ]
      mountPoints = [
        { sourceVolume = "settings", containerPath = "/etc/todoku", readOnly = false },
        { sourceVolume = "state", containerPath = "/var/lib/todoku", readOnly = false },
      ]
      logConfiguration = local.log
    },
    {
      name                   = "todoku"
      image                  = var.installation.image
      essential              = true
      readonlyRootFilesystem = true
      user                   = "65532:65532"
      stopTimeout            = 120
      command                = var.command
      dependsOn              = [{ containerName = "settings", condition = "SUCCESS" }]
      environment = concat(
        [
          { name = "TODOKU_ENGINE__ROLES", value = var.engine_role },
          { name = "TODOKU_EGRESS", value = var.installation.egress },
        ],
        [for name, value in var.environment : { name = name, value = value }],
      )
      secrets = [
        { name = "TODOKU_MASTER_KEY", valueFrom = var.installation.secret_arns["master-key"] },
        { name = "TODOKU_STORE__POSTGRES__PASSWORD", valueFrom = local.password },
      ]
      mountPoints = [
        { sourceVolume = "settings", containerPath = "/etc/todoku", readOnly = true },
        { sourceVolume = "state", containerPath = "/var/lib/todoku", readOnly = false },
      ]
      portMappings = concat(
        [{ containerPort = var.installation.metrics_port, protocol = "tcp" }],
        [for port in var.ports : { containerPort = port, protocol = "tcp" }],
      )
      # Life, once it was ready: a version that never becomes so is rolled back, a task that its end mends is ended. One
      # that waits for the database is not, because what it knows of mails that it sent meanwhile would end with it.
      healthCheck = {
        command     = ["CMD", "/usr/bin/todoku", "healthcheck", "--live"]
        interval    = 30
        timeout     = 10
        retries     = 5
        startPeriod = 180
      }
      linuxParameters  = { initProcessEnabled = false, capabilities = { drop = ["ALL"] } }
      ulimits          = [{ name = "nofile", softLimit = var.open_files, hardLimit = var.open_files }]
      logConfiguration = local.log
    },
  ])

  # Or the first tasks would start without their rights.
  depends_on = [aws_iam_role_policy.start, aws_iam_role_policy.work]
}
