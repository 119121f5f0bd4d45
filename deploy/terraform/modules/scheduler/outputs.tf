# SPDX-License-Identifier: Apache-2.0
output "security_group_id" {
  description = "Security group of the tasks."
  value       = module.service.security_group_id
}

output "service_name" {
  description = "Name of the service, for alarms."
  value       = module.service.service_name
}
