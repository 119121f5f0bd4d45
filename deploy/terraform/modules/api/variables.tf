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
  description = "Port of the API in the tasks."
  type        = number
}

variable "certificate_arn" {
  description = "Certificate of the API's name in AWS Certificate Manager."
  type        = string
  validation {
    condition     = startswith(var.certificate_arn, "arn:aws:acm:")
    error_message = "The ARN of a certificate begins with arn:aws:acm:."
  }
}

variable "client_cidrs" {
  description = "Networks from which the API may be called; the whole Internet is 0.0.0.0/0."
  type        = list(string)
}

variable "requests_per_minute" {
  description = "Requests a minute and task that the number of tasks follows."
  type        = number
  default     = 6000
}

variable "log_bucket" {
  description = "Bucket of S3 for the balancer's log; null: none is kept."
  type        = string
  default     = null
}
