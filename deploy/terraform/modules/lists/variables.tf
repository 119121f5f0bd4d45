# SPDX-License-Identifier: Apache-2.0
variable "name" {
  description = "Name of the installation."
  type        = string
}

variable "image" {
  description = "The image, with its tag."
  type        = string
}

variable "repository_name" {
  description = "Repository of the image."
  type        = string
}

variable "repository_arn" {
  description = "ARN of the repository."
  type        = string
}

variable "bucket_name" {
  description = "Name of the bucket that lists are put into; of all names in AWS it must be the only one."
  type        = string
}

variable "api_url" {
  description = "Where the API is, such as https://mail.example.jp."
  type        = string
  validation {
    condition     = startswith(var.api_url, "https://")
    error_message = "The API's token goes there: https only."
  }
}

variable "token_secret_arn" {
  description = "Secret with the bearer token of the account whose lists they are. It comes into Terraform's state."
  type        = string
}

variable "dead_letters_arn" {
  description = "ARN of the queue of dead letters."
  type        = string
}

variable "keep_days" {
  description = "How long a list is kept in the bucket, in days."
  type        = number
  default     = 7
}

variable "log_retention_days" {
  description = "How long its log is kept, in days."
  type        = number
}
