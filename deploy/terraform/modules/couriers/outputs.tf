# SPDX-License-Identifier: Apache-2.0
output "capacity_providers" {
  description = "Capacity providers of the groups, for the cluster."
  value       = [for provider in aws_ecs_capacity_provider.this : provider.name]
}

output "security_group_id" {
  description = "Security group of the couriers."
  value       = aws_security_group.this.id
}

output "service_name" {
  description = "Name of the service, for alarms."
  value       = aws_ecs_service.this.name
}

output "group_names" {
  description = "The groups of instances, for alarms."
  value       = [for group in aws_autoscaling_group.this : group.name]
}
