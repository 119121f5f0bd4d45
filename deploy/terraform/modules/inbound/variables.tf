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

variable "tasks" {
  description = "Least and most tasks."
  type = object({
    least = number
    most  = number
  })
}

variable "public_subnet_ids" {
  description = "Subnets of the balancer, in two zones at least."
  type        = list(string)
}

variable "port" {
  description = "Port in the tasks."
  type        = number
}

variable "client_cidrs" {
  description = "Networks from which mail comes back: whoever receives mail, so the whole Internet (0.0.0.0/0)."
  type        = list(string)
}
