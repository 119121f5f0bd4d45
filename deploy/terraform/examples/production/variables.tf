# SPDX-License-Identifier: Apache-2.0
variable "region" {
  description = "Region of AWS."
  type        = string
  default     = "ap-northeast-1"
}

variable "name" {
  description = "Name of the installation."
  type        = string
  default     = "mail"
}

variable "image_tag" {
  description = "The version that runs: `terraform apply -var image_tag=1.2.0`."
  type        = string
}

variable "settings_digest" {
  description = "Digest of the image that writes the configuration file (README.md, step 4)."
  type        = string
}

variable "zone_id" {
  description = "Hosted zone of Route 53."
  type        = string
}

variable "certificate_arn" {
  description = "Certificate of the API's name in AWS Certificate Manager."
  type        = string
}

variable "alarm_emails" {
  description = "Who is told of alarms."
  type        = list(string)
}

variable "lists_bucket" {
  description = "Bucket from which lists are imported; null until the API's token is in its secret (README.md, step 9)."
  type        = string
  default     = null
}

variable "balancer_log_bucket" {
  description = "Bucket for the log of the API's balancer; null: none is kept."
  type        = string
  default     = null
}
