# SPDX-License-Identifier: Apache-2.0
variable "name" {
  description = "Name of the installation: cluster.name, the queues' prefix, the figures' namespace, what names begin with."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "2 to 20 lower-case letters, digits and -: names of balancers have 32 at most."
  }
}

variable "image_tag" {
  description = "The version that runs: a tag in the repository. The only thing that a deployment changes."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "A tag that never moves, such as 1.2.0."
  }
}

variable "settings_digest" {
  description = "Digest of an image with a shell in the repository: it writes the configuration file before each start."
  type        = string
  validation {
    condition     = can(regex("^sha256:[0-9a-f]{64}$", var.settings_digest))
    error_message = "sha256:... - by digest, because it runs as root and sees secrets."
  }
}

variable "zones" {
  description = "Availability zones, two or three. Add at the end only."
  type        = list(string)
}

variable "cidr" {
  description = "Addresses of the VPC, a /16."
  type        = string
  default     = "10.20.0.0/16"
}

variable "nat_in_each_zone" {
  description = "Whether each zone has a NAT gateway of its own."
  type        = bool
  default     = true
}

variable "zone_id" {
  description = "Hosted zone of Route 53 in which all names below are."
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

variable "certificate_arn" {
  description = "Certificate of api_host in AWS Certificate Manager."
  type        = string
}

variable "api_client_cidrs" {
  description = "Networks from which the API may be called."
  type        = list(string)
}

variable "relay_client_cidrs" {
  description = "Networks from which mail may be handed in by SMTP."
  type        = list(string)
}

variable "sources" {
  description = "Sources by name: zone, number (its own in the zone, 1 to 250), EHLO name."
  type = map(object({
    zone       = string
    number     = number
    hello_name = string
  }))
  validation {
    condition     = length(var.sources) > 0 && alltrue([for source in var.sources : contains(var.zones, source.zone)])
    error_message = "At least one source, and each in one of the zones."
  }
}

variable "database" {
  description = "The database: class of the instance, disk at the beginning and at most, whether a standby takes over, days of backups, version."
  type = object({
    instance_class = string
    storage_gb     = number
    storage_gb_max = number
    two_zones      = optional(bool, true)
    backup_days    = optional(number, 14)
    version        = optional(string, "15")
  })
}

variable "database_ca" {
  description = "Certificates (PEM) of RDS in this region: REGION-bundle.pem of truststore.pki.rds.amazonaws.com."
  type        = string
  validation {
    condition     = startswith(trimspace(var.database_ca), "-----BEGIN CERTIFICATE-----") && length(var.database_ca) < 24000
    error_message = "The region's bundle in PEM; the one of all regions is too large for a task definition."
  }
}

variable "services" {
  description = "Size and number of the tasks of each role on Fargate."
  type = map(object({
    cpu    = number
    memory = number
    least  = number
    most   = number
  }))
  validation {
    condition     = toset(keys(var.services)) == toset(["api", "smtp-in", "scheduler", "events"])
    error_message = "Exactly api, smtp-in, scheduler and events."
  }
}

variable "inbound" {
  description = "Mail that comes back: host of the MX record, who reads abuse@ and postmaster@ and the account as whose mail it goes on, addresses of DMARC and TLS reports, the tasks; null: nobody takes it."
  type = object({
    host             = string
    forward_to       = string
    forward_account  = string
    report_addresses = optional(list(string), [])
    client_cidrs     = optional(list(string), ["0.0.0.0/0"])
    cpu              = optional(number, 256)
    memory           = optional(number, 512)
    least            = optional(number, 2)
    most             = optional(number, 4)
  })
  default = null
}

variable "couriers" {
  description = "Couriers: type of instance, memory of the engine in MiB (a quarter less than the instance has), instances in each zone."
  type = object({
    instance_type = string
    memory        = number
    least         = number
    most          = number
  })
}

variable "lists_bucket" {
  description = "Name of a bucket from which lists are imported by Lambda; null: none. Needs the API's token in its secret."
  type        = string
  default     = null
}

variable "balancer_log_bucket" {
  description = "Bucket for the log of the API's balancer; null: none is kept."
  type        = string
  default     = null
}

variable "container_insights" {
  description = "enabled, enhanced or disabled."
  type        = string
  default     = "disabled"
}

variable "alarm_emails" {
  description = "Who is told of alarms."
  type        = list(string)
}

variable "log_retention_days" {
  description = "How long logs are kept, in days: one of the numbers that CloudWatch takes."
  type        = number
  default     = 90
  validation {
    condition     = contains([7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}
