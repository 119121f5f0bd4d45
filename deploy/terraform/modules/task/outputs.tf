# SPDX-License-Identifier: Apache-2.0
output "definition_arn" {
  description = "The task definition, with its revision."
  value       = aws_ecs_task_definition.this.arn
}
