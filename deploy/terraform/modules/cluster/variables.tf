# SPDX-License-Identifier: Apache-2.0
variable "name" {
  description = "Name of the cluster."
  type        = string
}

variable "container_insights" {
  description = "Whether CloudWatch keeps figures of each task: enabled, enhanced or disabled. They cost by the metric."
  type        = string
  validation {
    condition     = contains(["enabled", "enhanced", "disabled"], var.container_insights)
    error_message = "One of enabled, enhanced, disabled."
  }
}

variable "courier_capacity_providers" {
  description = "Capacity providers of the couriers' groups: ECS drains their instances before they end."
  type        = list(string)
}
