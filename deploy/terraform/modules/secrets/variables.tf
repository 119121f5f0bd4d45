# SPDX-License-Identifier: Apache-2.0
variable "name" {
  description = "Name of the installation."
  type        = string
}
