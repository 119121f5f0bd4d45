# SPDX-License-Identifier: Apache-2.0
variable "name" {
  description = "Name of the installation."
  type        = string
}

variable "vpc_id" {
  description = "VPC in which the database is."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the database, in two zones at least."
  type        = list(string)
}

variable "clients" {
  description = "Security groups that may connect, by the name of the service."
  type        = map(string)
}

variable "instance_class" {
  description = "Size of the instance, such as db.r7g.large."
  type        = string
  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "The class begins with db., such as db.r7g.large."
  }
}

variable "storage_gb" {
  description = "Disk at the beginning, in GB."
  type        = number
  validation {
    condition     = var.storage_gb >= 20
    error_message = "At least 20 GB; docs/scale.md tells what a day of mail needs."
  }
}

variable "storage_gb_max" {
  description = "Up to which size the disk grows by itself, in GB."
  type        = number
}

variable "two_zones" {
  description = "Whether a standby in another zone takes over when the database's zone fails."
  type        = bool
}

variable "backup_days" {
  description = "How long backups are kept, in days; within them the database can be restored to any second."
  type        = number
  validation {
    condition     = var.backup_days >= 7 && var.backup_days <= 35
    error_message = "From 7 to 35 days."
  }
}

variable "engine_version" {
  description = "Version of PostgreSQL, 15 or later."
  type        = string
  validation {
    condition     = tonumber(split(".", var.engine_version)[0]) >= 15
    error_message = "todoku needs PostgreSQL 15 or later."
  }
}
