# SPDX-License-Identifier: Apache-2.0
output "arn" {
  description = "ARN of the cluster."
  value       = aws_ecs_cluster.this.arn
}

output "name" {
  description = "Its name."
  value       = aws_ecs_cluster.this.name
}
