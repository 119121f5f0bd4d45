# SPDX-License-Identifier: Apache-2.0
variable "name" {
  description = "Name of the installation: what names of its resources begin with."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC, a /16 such as 10.20.0.0/16."
  type        = string
  validation {
    condition     = can(cidrhost(var.cidr, 0)) && endswith(var.cidr, "/16")
    error_message = "The network must be a /16 such as 10.20.0.0/16: it is divided further."
  }
}

variable "zones" {
  description = "Availability zones, two or three. Their order gives them their addresses: add at the end only."
  type        = list(string)
  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 3
    error_message = "Two or three zones: one is not enough for the database, and addresses are planned for three."
  }
}

variable "nat_in_each_zone" {
  description = "Whether each zone has a NAT gateway of its own. With one, webhooks stop when its zone does."
  type        = bool
}

variable "queue_arn_pattern" {
  description = "ARN of all queues of the installation, with * at its end: what the endpoint of SQS lets through."
  type        = string
}

variable "log_retention_days" {
  description = "How long the VPC's record of refused connections is kept, in days."
  type        = number
}
