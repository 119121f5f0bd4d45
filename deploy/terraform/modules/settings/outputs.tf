# SPDX-License-Identifier: Apache-2.0
output "common" {
  description = "The file of all processes but those that speak SMTP with clients."
  value       = local.texts.common
}

output "relay" {
  description = "The file of the relay's processes."
  value       = local.texts.relay
}

output "inbound" {
  description = "The file of the processes that take mail which comes back."
  value       = local.texts.inbound
}

output "inbound_port" {
  description = "Port of inbound in the tasks."
  value       = local.inbound_port
}

output "metrics_port" {
  description = "Port of /readyz, /healthz and /metrics."
  value       = local.metrics_port
}

output "api_port" {
  description = "Port of the API."
  value       = local.api_port
}

output "relay_ports" {
  description = "Ports of the relay by how TLS begins there: starttls, implicit."
  value       = local.relay_ports
}

output "owner_database_address" {
  description = "Address of the database for the owner of its tables."
  value       = "postgresql://todoku_owner@${var.database_host}${local.database_path}"
}

output "egress" {
  description = "TODOKU_EGRESS of all processes: the sources, as a list of TOML."
  value       = local.egress
}
