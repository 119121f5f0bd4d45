# SPDX-License-Identifier: Apache-2.0
variable "name" {
  description = "Name of the repository."
  type        = string
}

variable "images_kept" {
  description = "How many images are kept: as far back as you can roll."
  type        = number
  default     = 50
}
