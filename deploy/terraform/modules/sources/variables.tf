# SPDX-License-Identifier: Apache-2.0
variable "name" {
  description = "Name of the installation."
  type        = string
}

variable "sources" {
  description = "Sources ([[egress]]) by name: the zone whose couriers send from it, a number that is its own in that zone (from 1 to 250), and its name in EHLO and in reverse DNS. Never change the number of a source that sends."
  type = map(object({
    zone       = string
    number     = number
    hello_name = string
  }))
  validation {
    condition     = alltrue([for source in var.sources : source.number >= 1 && source.number <= 250])
    error_message = "Numbers of sources are from 1 to 250."
  }
  validation {
    condition     = length(distinct([for source in var.sources : "${source.zone} ${source.number}"])) == length(var.sources)
    error_message = "Two sources of a zone have the same number."
  }
}

variable "source_cidrs" {
  description = "Where the private addresses of sources are, by zone (modules/network)."
  type        = map(string)
}

variable "zone_id" {
  description = "Hosted zone of Route 53 in which the EHLO names are."
  type        = string
}
