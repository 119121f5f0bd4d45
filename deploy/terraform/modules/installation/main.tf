# SPDX-License-Identifier: Apache-2.0
# Everything of one installation. Accounts of customers, domains and keys are the engine's, not Terraform's.
data "aws_caller_identity" "this" {}

data "aws_region" "here" {}

locals {
  courier_zones = toset([for source in var.sources : source.zone])

  installation = {
    name                        = var.name
    cluster_arn                 = module.cluster.arn
    cluster_name                = module.cluster.name
    vpc_id                      = module.network.vpc_id
    subnet_ids                  = module.network.private_subnet_ids
    database_security_group_id  = module.database.security_group_id
    endpoints_security_group_id = module.network.endpoints_security_group_id
    s3_prefix_list_id           = module.network.s3_prefix_list_id
    repository_arn              = module.registry.arn
    image                       = "${module.registry.url}:${var.image_tag}"
    settings_image              = "${module.registry.url}@${var.settings_digest}"
    egress                      = module.settings.egress
    database_ca                 = var.database_ca
    secret_arns                 = module.secrets.arns
    log_retention_days          = var.log_retention_days
    metrics_port                = module.settings.metrics_port
  }

  sizes = { for role, service in var.services : role => { cpu = service.cpu, memory = service.memory } }
  tasks = { for role, service in var.services : role => { least = service.least, most = service.most } }
}

# ---- what the services stand on ----------------------------------------------------------------------

module "network" {
  source             = "../network"
  name               = var.name
  cidr               = var.cidr
  zones              = var.zones
  nat_in_each_zone   = var.nat_in_each_zone
  queue_arn_pattern  = "arn:aws:sqs:${data.aws_region.here.region}:${data.aws_caller_identity.this.account_id}:${var.name}-*"
  log_retention_days = var.log_retention_days
}

module "database" {
  source         = "../database"
  name           = var.name
  vpc_id         = module.network.vpc_id
  subnet_ids     = module.network.data_subnet_ids
  instance_class = var.database.instance_class
  storage_gb     = var.database.storage_gb
  storage_gb_max = var.database.storage_gb_max
  two_zones      = var.database.two_zones
  backup_days    = var.database.backup_days
  engine_version = var.database.version
  clients = merge({
    api       = module.api.security_group_id
    smtp-in   = module.smtp_in.security_group_id
    scheduler = module.scheduler.security_group_id
    events    = module.events.security_group_id
    courier   = module.couriers.security_group_id
    migrate   = module.migrate.security_group_id
  }, var.inbound == null ? {} : { inbound = module.inbound[0].security_group_id })
}

module "queues" {
  source  = "../queues"
  prefix  = var.name
  sources = toset(keys(var.sources))
}

module "registry" {
  source = "../registry"
  name   = var.name
}

module "secrets" {
  source = "../secrets"
  name   = var.name
}

module "cluster" {
  source                     = "../cluster"
  name                       = var.name
  container_insights         = var.container_insights
  courier_capacity_providers = module.couriers.capacity_providers
}

module "sources" {
  source       = "../sources"
  name         = var.name
  sources      = var.sources
  source_cidrs = module.network.source_cidrs
  zone_id      = var.zone_id
}

module "settings" {
  source             = "../settings"
  name               = var.name
  database_host      = module.database.host
  region             = data.aws_region.here.region
  api_host           = var.api_host
  smtp_host          = var.smtp_host
  return_path_domain = var.return_path_domain
  inbound = var.inbound == null ? null : {
    host             = var.inbound.host
    forward_to       = var.inbound.forward_to
    forward_account  = var.inbound.forward_account
    report_addresses = var.inbound.report_addresses
  }
  proxy_networks = module.network.public_cidrs
  sources        = module.sources.sources
}

# ---- the services ------------------------------------------------------------------------------------

module "api" {
  source            = "../api"
  installation      = local.installation
  settings          = module.settings.common
  queue_arns        = module.queues.arns
  size              = local.sizes["api"]
  tasks             = local.tasks["api"]
  public_subnet_ids = values(module.network.public_subnet_ids)
  port              = module.settings.api_port
  certificate_arn   = var.certificate_arn
  client_cidrs      = var.api_client_cidrs
  log_bucket        = var.balancer_log_bucket
}

module "smtp_in" {
  source            = "../smtp_in"
  installation      = local.installation
  settings          = module.settings.relay
  queue_arns        = module.queues.arns
  size              = local.sizes["smtp-in"]
  tasks             = local.tasks["smtp-in"]
  public_subnet_ids = values(module.network.public_subnet_ids)
  ports             = module.settings.relay_ports
  client_cidrs      = var.relay_client_cidrs
}

module "inbound" {
  count             = var.inbound == null ? 0 : 1
  source            = "../inbound"
  installation      = local.installation
  settings          = module.settings.inbound
  queue_arns        = module.queues.arns
  size              = { cpu = var.inbound.cpu, memory = var.inbound.memory }
  tasks             = { least = var.inbound.least, most = var.inbound.most }
  public_subnet_ids = values(module.network.public_subnet_ids)
  port              = module.settings.inbound_port
  client_cidrs      = var.inbound.client_cidrs
}

module "scheduler" {
  source       = "../scheduler"
  installation = local.installation
  settings     = module.settings.common
  queue_arns   = module.queues.arns
  size         = local.sizes["scheduler"]
  tasks        = local.tasks["scheduler"]
}

module "events" {
  source       = "../events"
  installation = local.installation
  settings     = module.settings.common
  queue_arns   = module.queues.arns
  size         = local.sizes["events"]
  tasks        = local.tasks["events"]
}

module "migrate" {
  source              = "../migrate"
  installation        = local.installation
  settings            = module.settings.common
  database_address    = module.settings.owner_database_address
  database_secret_arn = module.database.owner_secret_arn
}

module "couriers" {
  source        = "../couriers"
  installation  = local.installation
  settings      = module.settings.common
  queue_arns    = module.queues.arns
  size          = { cpu = 512, memory = var.couriers.memory }
  instance_type = var.couriers.instance_type
  instances     = { least = var.couriers.least, most = var.couriers.most }
  zones = {
    for zone in local.courier_zones : zone => {
      subnet_id = module.network.courier_subnet_ids[zone]
      sources   = length([for source in var.sources : source if source.zone == zone])
    }
  }
}

module "lists" {
  count              = var.lists_bucket == null ? 0 : 1
  source             = "../lists"
  name               = var.name
  image              = local.installation.image
  repository_name    = var.name
  repository_arn     = module.registry.arn
  bucket_name        = var.lists_bucket
  api_url            = "https://${var.api_host}"
  token_secret_arn   = module.secrets.arns["lists-token"]
  dead_letters_arn   = module.queues.dead_letters_arn
  log_retention_days = var.log_retention_days
}

# ---- who looks, and by what names --------------------------------------------------------------------

module "alarms" {
  source              = "../alarms"
  name                = var.name
  emails              = var.alarm_emails
  couriers_least      = length(local.courier_zones)
  database_identifier = module.database.identifier
  database_free_gb    = var.database.storage_gb / 10
  cluster_name        = module.cluster.name
  service_names = concat([
    module.api.service_name,
    module.smtp_in.service_name,
    module.scheduler.service_name,
    module.events.service_name,
    module.couriers.service_name,
  ], module.inbound[*].service_name)
  queue_names             = module.queues.names
  dead_letters_name       = module.queues.dead_letters_name
  server_errors_alarm_arn = module.api.server_errors_alarm_arn
  api_balancer = {
    arn_suffix          = module.api.balancer.arn_suffix
    target_group_suffix = module.api.balancer.target_group_suffix
  }
}

module "dns" {
  source             = "../dns"
  zone_id            = var.zone_id
  return_path_domain = var.return_path_domain
  public_ips         = module.sources.public_ips
  mx_host            = var.inbound == null ? null : var.inbound.host
  names = merge({
    (var.api_host)  = { dns_name = module.api.balancer.dns_name, zone_id = module.api.balancer.zone_id }
    (var.smtp_host) = { dns_name = module.smtp_in.balancer.dns_name, zone_id = module.smtp_in.balancer.zone_id }
    }, var.inbound == null ? {} : {
    (var.inbound.host) = {
      dns_name = module.inbound[0].balancer.dns_name
      zone_id  = module.inbound[0].balancer.zone_id
    }
  })
}
