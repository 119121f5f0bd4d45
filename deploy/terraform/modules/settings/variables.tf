# SPDX-License-Identifier: Apache-2.0
variable "name" {
  description = "Name of the installation: cluster.name, the queues' prefix, the metrics' namespace."
  type        = string
}

variable "database_host" {
  description = "Host name of the database."
  type        = string
}

variable "region" {
  description = "Region of the queues."
  type        = string
}

variable "api_host" {
  description = "Name of the API, such as mail.example.jp."
  type        = string
}

variable "smtp_host" {
  description = "Name of the relay, such as smtp.example.jp."
  type        = string
}

variable "return_path_domain" {
  description = "Domain of MAIL FROM, such as bounce.example.jp."
  type        = string
}

variable "inbound" {
  description = "Mail that comes back: host of the MX record, who reads abuse@ and as whose mail, addresses of reports; null: it is not taken."
  type = object({
    host             = string
    forward_to       = string
    forward_account  = string
    report_addresses = list(string)
  })
}

variable "proxy_networks" {
  description = "Networks of the balancers."
  type        = list(string)
}

variable "sources" {
  description = "Sources, each with its Elastic IP and the private address that it belongs to."
  type = list(object({
    name       = string
    hello_name = string
    private_ip = string
    public_ip  = string
  }))
}
