# SPDX-License-Identifier: Apache-2.0
# Three zones, a standby of the database, twelve sources: for some ten million mails a day. docs/scale.md tells what
# more takes.
locals {
  zones = ["${var.region}a", "${var.region}c", "${var.region}d"]

  # Four sources in each zone: out-1 to out-12.
  sources = merge([
    for position, zone in local.zones : {
      for number in range(1, 5) : "out-${position * 4 + number}" => {
        zone       = zone
        number     = number
        hello_name = "out${position * 4 + number}.example.jp"
      }
    }
  ]...)
}

module "installation" {
  source              = "../../modules/installation"
  name                = var.name
  image_tag           = var.image_tag
  settings_digest     = var.settings_digest
  zones               = local.zones
  zone_id             = var.zone_id
  api_host            = "mail.example.jp"
  smtp_host           = "smtp.example.jp"
  return_path_domain  = "bounce.example.jp"
  certificate_arn     = var.certificate_arn
  api_client_cidrs    = ["0.0.0.0/0"]
  relay_client_cidrs  = ["0.0.0.0/0"]
  alarm_emails        = var.alarm_emails
  container_insights  = "enabled"
  lists_bucket        = var.lists_bucket
  balancer_log_bucket = var.balancer_log_bucket
  database_ca         = file("${path.module}/rds-ca.pem")
  sources             = local.sources
  database = {
    instance_class = "db.r7g.xlarge"
    storage_gb     = 500
    storage_gb_max = 5000
    backup_days    = 35
  }
  services = {
    api       = { cpu = 1024, memory = 2048, least = 3, most = 24 }
    smtp-in   = { cpu = 512, memory = 1024, least = 3, most = 12 }
    scheduler = { cpu = 1024, memory = 2048, least = 2, most = 2 }
    events    = { cpu = 512, memory = 2048, least = 2, most = 8 }
  }
  inbound = {
    host            = "mx.example.jp"
    forward_to      = "ops@example.com"
    forward_account = "house"
  }
  couriers = { instance_type = "c7i.large", memory = 3072, least = 1, most = 4 }
}
