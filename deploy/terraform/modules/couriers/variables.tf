# SPDX-License-Identifier: Apache-2.0
variable "installation" {
  description = "What all services of the installation share, as modules/installation makes it."
  type = object({
    name                        = string
    cluster_arn                 = string
    cluster_name                = string
    vpc_id                      = string
    subnet_ids                  = list(string)
    database_security_group_id  = string
    endpoints_security_group_id = string
    s3_prefix_list_id           = string
    repository_arn              = string
    image                       = string
    settings_image              = string
    egress                      = string
    database_ca                 = string
    secret_arns                 = map(string)
    log_retention_days          = number
    metrics_port                = number
  })
}

variable "settings" {
  description = "The configuration file (modules/settings)."
  type        = string
}

variable "queue_arns" {
  description = "ARNs of the queues."
  type        = list(string)
}

variable "size" {
  description = "Size of a task: cpu in units of 1/1024 vCPU, memory in MiB."
  type = object({
    cpu    = number
    memory = number
  })
}

variable "zones" {
  description = "Zones that have sources, each with the subnet of its couriers and the number of its sources."
  type = map(object({
    subnet_id = string
    sources   = number
  }))
}

variable "instance_type" {
  description = "Type of the instances, such as c7i.large. How many addresses one carries: \"IP addresses per network interface\"."
  type        = string
}

variable "instances" {
  description = "Least and most instances in each zone. No more than a zone has sources: one without a source only waits."
  type = object({
    least = number
    most  = number
  })
  validation {
    condition     = var.instances.least >= 1 && var.instances.most >= var.instances.least
    error_message = "At least one instance, and no fewer at most than at least."
  }
}
