# SPDX-License-Identifier: Apache-2.0
# The smallest that still has all parts in two zones: to try it out, and for some 100,000 mails a day.
module "installation" {
  source             = "../../modules/installation"
  name               = var.name
  image_tag          = var.image_tag
  settings_digest    = var.settings_digest
  zones              = ["${var.region}a", "${var.region}c"]
  nat_in_each_zone   = false
  zone_id            = var.zone_id
  api_host           = "mail.example.jp"
  smtp_host          = "smtp.example.jp"
  return_path_domain = "bounce.example.jp"
  certificate_arn    = var.certificate_arn
  # Your own networks only.
  api_client_cidrs   = ["192.0.2.0/24"]
  relay_client_cidrs = ["192.0.2.0/24"]
  alarm_emails       = var.alarm_emails
  log_retention_days = 30
  database_ca        = file("${path.module}/rds-ca.pem")
  database = {
    instance_class = "db.t4g.medium"
    storage_gb     = 50
    storage_gb_max = 200
    two_zones      = false
    backup_days    = 7
  }
  sources = {
    main = { zone = "${var.region}a", number = 1, hello_name = "out1.example.jp" }
  }
  services = {
    api       = { cpu = 512, memory = 1024, least = 2, most = 4 }
    smtp-in   = { cpu = 256, memory = 512, least = 2, most = 4 }
    scheduler = { cpu = 256, memory = 512, least = 2, most = 2 }
    events    = { cpu = 256, memory = 1024, least = 1, most = 2 }
  }
  couriers = { instance_type = "t3.small", memory = 1024, least = 1, most = 1 }
}
