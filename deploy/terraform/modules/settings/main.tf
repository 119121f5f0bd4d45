# SPDX-License-Identifier: Apache-2.0
# The configuration file, alike in all processes but for names and certificates of SMTP: processes that differ in what concerns all
# are told of by `todoku status`. The sources come by the environment (TODOKU_EGRESS), so that the file stays as it is
# when addresses come and go.
locals {
  # Of the engine's end: less than the stopTimeout of ECS, which is 120 s at most on Fargate.
  drain_seconds = 100
  metrics_port  = 9102
  api_port      = 8025
  # Above 1023, because the engine is not root; the balancer has the usual ones.
  relay_ports  = { implicit = 2465, starttls = 2587 }
  inbound_port = 2526

  # `migrate` gives it a user of its own (modules/migrate).
  database_address = "postgresql://todoku@${var.database_host}${local.database_path}"
  database_path    = ":5432/todoku?sslmode=verify-full&sslrootcert=/etc/todoku/database-ca.pem"

  texts = {
    for kind in ["common", "relay", "inbound"] : kind => templatefile("${path.module}/settings.toml.tftpl", {
      name               = var.name
      drain_seconds      = local.drain_seconds
      metrics_port       = local.metrics_port
      api_port           = local.api_port
      database_address   = local.database_address
      region             = var.region
      api_host           = var.api_host
      smtp_host          = var.smtp_host
      return_path_domain = var.return_path_domain
      proxy_networks     = var.proxy_networks
      relay              = kind == "relay"
      relay_ports        = local.relay_ports
      # All processes know that mail comes back (List-Unsubscribe names an address then), those of the role take it.
      takes_inbound    = var.inbound != null
      is_inbound       = kind == "inbound" && var.inbound != null
      inbound_port     = local.inbound_port
      inbound_host     = var.inbound == null ? "" : var.inbound.host
      forward_to       = var.inbound == null ? "" : var.inbound.forward_to
      forward_account  = var.inbound == null ? "" : var.inbound.forward_account
      report_addresses = var.inbound == null ? [] : var.inbound.report_addresses
    })
  }
  egress = templatefile("${path.module}/egress.tftpl", { sources = var.sources })
}
