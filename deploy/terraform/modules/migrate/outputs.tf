# SPDX-License-Identifier: Apache-2.0
output "definition_arn" {
  description = "The task definition, with its revision."
  value       = module.task.definition_arn
}

output "security_group_id" {
  description = "Security group that the task is run with."
  value       = module.access.security_group_id
}
