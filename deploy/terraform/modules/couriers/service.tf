# SPDX-License-Identifier: Apache-2.0
# One courier on each instance, in the instance's own network, because it binds the addresses of its sources.
module "task" {
  source       = "../task"
  installation = var.installation
  role         = "courier"
  engine_role  = "courier"
  settings     = var.settings
  task_policy  = data.aws_iam_policy_document.work.json
  size         = var.size
  launch_type  = "EC2"
  open_files   = 1048576
}

# ECS drains an instance, up to the task's stopTimeout, before its group ends it.
resource "aws_ecs_capacity_provider" "this" {
  for_each = var.zones
  name     = "${var.installation.name}-courier-${each.key}"
  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.this[each.key].arn
    managed_draining               = "ENABLED"
    managed_termination_protection = "DISABLED"
    managed_scaling {
      status = "DISABLED"
    }
  }
}

resource "aws_ecs_service" "this" {
  name                   = "courier"
  cluster                = var.installation.cluster_arn
  task_definition        = module.task.definition_arn
  launch_type            = "EC2"
  scheduling_strategy    = "DAEMON"
  enable_execute_command = false
  propagate_tags         = "SERVICE"
  # Half of them at a time: an instance has room and addresses for one courier only.
  deployment_minimum_healthy_percent = 50
  deployment_maximum_percent         = 100
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
}
