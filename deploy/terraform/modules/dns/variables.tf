# SPDX-License-Identifier: Apache-2.0
variable "zone_id" {
  description = "Hosted zone of Route 53."
  type        = string
}

variable "names" {
  description = "Names that lead to balancers, each with the balancer's own name and zone."
  type = map(object({
    dns_name = string
    zone_id  = string
  }))
}

variable "return_path_domain" {
  description = "Domain of MAIL FROM."
  type        = string
}

variable "mx_host" {
  description = "Where mail to the return path goes; null: nowhere."
  type        = string
}

variable "public_ips" {
  description = "Addresses that send for it."
  type        = list(string)
}
