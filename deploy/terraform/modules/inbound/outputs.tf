# SPDX-License-Identifier: Apache-2.0
output "security_group_id" {
  description = "Security group of the tasks."
  value       = module.service.security_group_id
}

output "service_name" {
  description = "Name of the service, for alarms."
  value       = module.service.service_name
}

output "balancer" {
  description = "The balancer, for DNS and alarms."
  value = {
    dns_name   = aws_lb.this.dns_name
    zone_id    = aws_lb.this.zone_id
    arn_suffix = aws_lb.this.arn_suffix
  }
}
