# SPDX-License-Identifier: Apache-2.0
variable "name" {
  description = "Name of the installation: also the namespace of its figures."
  type        = string
}

variable "emails" {
  description = "Who is told. Each confirms it once by a link."
  type        = list(string)
}

variable "couriers_least" {
  description = "Couriers of which at least one must live for each zone that sends."
  type        = number
}

variable "database_identifier" {
  description = "The database."
  type        = string
}

variable "database_free_gb" {
  description = "Free disk of the database below which an alarm is given, in GB."
  type        = number
}

variable "cluster_name" {
  description = "The cluster."
  type        = string
}

variable "service_names" {
  description = "The services of the cluster."
  type        = list(string)
}

variable "queue_names" {
  description = "The queues of hints."
  type        = list(string)
}

variable "dead_letters_name" {
  description = "The queue of dead letters."
  type        = string
}

variable "api_balancer" {
  description = "The API's balancer and its target group, as CloudWatch names them."
  type = object({
    arn_suffix          = string
    target_group_suffix = string
  })
}

variable "server_errors_alarm_arn" {
  description = "The alarm that stops a roll-out of the API, shown beside the others."
  type        = string
}
