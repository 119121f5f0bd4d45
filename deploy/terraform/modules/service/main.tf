# SPDX-License-Identifier: Apache-2.0
locals {
  name = "${var.installation.name}-${var.role}"
}

module "task" {
  source       = "../task"
  installation = var.installation
  role         = var.role
  engine_role  = var.role
  settings     = var.settings
  files        = var.files
  task_policy  = var.task_policy
  size         = var.size
  launch_type  = "FARGATE"
  ports        = [for target in var.targets : target.port]
  open_files   = 65535
}

module "access" {
  source                      = "../access"
  name                        = local.name
  vpc_id                      = var.installation.vpc_id
  database_security_group_id  = var.installation.database_security_group_id
  endpoints_security_group_id = var.installation.endpoints_security_group_id
  s3_prefix_list_id           = var.installation.s3_prefix_list_id
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  for_each                     = { for target in var.targets : tostring(target.port) => target }
  security_group_id            = module.access.security_group_id
  description                  = "From the balancer"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = var.balancer_security_group_id
}

resource "aws_vpc_security_group_ingress_rule" "readiness" {
  count                        = length(var.targets) > 0 ? 1 : 0
  security_group_id            = module.access.security_group_id
  description                  = "The balancer asks whether the task is ready"
  ip_protocol                  = "tcp"
  from_port                    = var.installation.metrics_port
  to_port                      = var.installation.metrics_port
  referenced_security_group_id = var.balancer_security_group_id
}

resource "aws_vpc_security_group_egress_rule" "internet" {
  for_each          = toset(var.calls_out ? ["80", "443"] : [])
  security_group_id = module.access.security_group_id
  description       = "Webhooks"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_ecs_service" "this" {
  name                              = var.role
  cluster                           = var.installation.cluster_arn
  task_definition                   = module.task.definition_arn
  launch_type                       = "FARGATE"
  platform_version                  = "LATEST"
  desired_count                     = var.tasks.least
  health_check_grace_period_seconds = length(var.targets) > 0 ? 120 : null
  availability_zone_rebalancing     = "ENABLED"
  enable_execute_command            = false
  propagate_tags                    = "SERVICE"

  # The new tasks are there before old ones go: no call is refused, and a second scheduler waits to lead.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  dynamic "alarms" {
    for_each = length(var.stop_alarms) > 0 ? [var.stop_alarms] : []
    content {
      alarm_names = alarms.value
      enable      = true
      rollback    = true
    }
  }

  network_configuration {
    subnets          = var.installation.subnet_ids
    security_groups  = [module.access.security_group_id]
    assign_public_ip = false
  }
  dynamic "load_balancer" {
    for_each = var.targets
    content {
      target_group_arn = load_balancer.value.arn
      container_name   = "todoku"
      container_port   = load_balancer.value.port
    }
  }

  # The policies below say how many there are.
  lifecycle {
    ignore_changes = [desired_count]
  }
}
