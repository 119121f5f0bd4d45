# SPDX-License-Identifier: Apache-2.0
output "host" {
  description = "Host name of the database."
  value       = aws_db_instance.this.address
}

output "identifier" {
  description = "Its identifier, for alarms."
  value       = aws_db_instance.this.identifier
}

output "security_group_id" {
  description = "Its security group."
  value       = aws_security_group.this.id
}

output "owner_secret_arn" {
  description = "Secret of the owner of the tables: `username` and `password`. For `todoku migrate` only."
  value       = one(aws_db_instance.this.master_user_secret[*].secret_arn)
}
