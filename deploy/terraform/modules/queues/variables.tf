# SPDX-License-Identifier: Apache-2.0
variable "prefix" {
  description = "What names of queues begin with: queue.sqs.prefix of the engine."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,40}$", var.prefix))
    error_message = "Letters, digits, - and _, 40 at most: SQS takes 80 for the whole name."
  }
}

variable "sources" {
  description = "Names of the sources ([[egress]]): each has two queues."
  type        = set(string)
  validation {
    condition     = alltrue([for source in var.sources : can(regex("^[A-Za-z0-9_-]{1,25}$", source))])
    error_message = "Letters, digits, - and _, 25 at most: SQS takes 80 for the whole name."
  }
}
