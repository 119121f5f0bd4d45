# SPDX-License-Identifier: Apache-2.0
variable "name" {
  description = "Name of the security group."
  type        = string
}

variable "vpc_id" {
  description = "VPC in which the tasks are."
  type        = string
}

variable "database_security_group_id" {
  description = "Security group of the database."
  type        = string
}

variable "endpoints_security_group_id" {
  description = "Security group of the endpoints of AWS services."
  type        = string
}

variable "s3_prefix_list_id" {
  description = "Addresses of S3 in this region."
  type        = string
}
