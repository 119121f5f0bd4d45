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
  description = "What the task is: names of its resources end with it."
  type        = string
}

variable "engine_role" {
  description = "Role of the engine: api, smtp-in, scheduler, events or courier."
  type        = string
  validation {
    condition     = contains(["api", "smtp-in", "scheduler", "events", "courier"], var.engine_role)
    error_message = "One of api, smtp-in, scheduler, events, courier."
  }
}

variable "command" {
  description = "What todoku is called with."
  type        = list(string)
  default     = ["serve"]
}

variable "environment" {
  description = "Settings over those of the file, as variables TODOKU_SECTION__KEY. No secrets."
  type        = map(string)
  default     = {}
}

variable "database_password" {
  description = "Where the password of the database is, as ECS takes it: ARN, or ARN:member::. Null: the engine's user's."
  type        = string
  default     = null
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
  description = "Size of a task: cpu in units of 1/1024 vCPU, memory in MiB."
  type = object({
    cpu    = number
    memory = number
  })
}

variable "launch_type" {
  description = "FARGATE, or EC2 with the network of the instance."
  type        = string
  validation {
    condition     = contains(["FARGATE", "EC2"], var.launch_type)
    error_message = "FARGATE or EC2."
  }
}

variable "ports" {
  description = "Ports of the task besides that of its figures."
  type        = list(number)
  default     = []
}

variable "open_files" {
  description = "Files and connections that the engine may have open; it divides them."
  type        = number
}
