# SPDX-License-Identifier: Apache-2.0
output "security_group_id" {
  description = "The security group."
  value       = aws_security_group.this.id
}
