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

variable "role" {
  description = "Role of the engine: api, smtp-in, inbound, scheduler or events."
  type        = string
  validation {
    condition     = contains(["api", "smtp-in", "inbound", "scheduler", "events"], var.role)
    error_message = "One of api, smtp-in, inbound, scheduler, events: couriers are on EC2 (modules/couriers)."
  }
}

variable "settings" {
  description = "The configuration file (modules/settings)."
  type        = string
}

variable "files" {
  description = "Further files below /etc/todoku, each with the name of the secret that it comes from."
  type        = map(string)
  default     = {}
}

variable "task_policy" {
  description = "Policy of the tasks' role, JSON: the calls that the role makes, no more."
  type        = string
}

variable "size" {
  description = "Size of a task: cpu in units of 1/1024 vCPU, memory in MiB, as Fargate has them together."
  type = object({
    cpu    = number
    memory = number
  })
}

variable "tasks" {
  description = "Least and most tasks. Two at least for what must not stop when a zone does."
  type = object({
    least = number
    most  = number
  })
  validation {
    condition     = var.tasks.least >= 1 && var.tasks.most >= var.tasks.least
    error_message = "At least one task, and no fewer at most than at least."
  }
}

variable "targets" {
  description = "Target groups of balancers that the tasks stand behind, each with the port of the task."
  type = list(object({
    arn  = string
    port = number
  }))
  default = []
}

variable "balancer_security_group_id" {
  description = "Security group of that balancer; null without one."
  type        = string
  default     = null
}

variable "requests_target" {
  description = "Requests a minute and task that the number of tasks follows, with the label of the target group; null: only processor and memory."
  type = object({
    label = string
    value = number
  })
  default = null
}

variable "calls_out" {
  description = "Whether tasks call hosts of the Internet (webhooks): ports 80 and 443."
  type        = bool
  default     = false
}

variable "stop_alarms" {
  description = "Alarms at which a roll-out is stopped and rolled back."
  type        = list(string)
  default     = []
}
