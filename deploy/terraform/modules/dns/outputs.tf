# SPDX-License-Identifier: Apache-2.0
output "spf" {
  description = "The SPF record of the return path, for domains of customers that want to copy its addresses."
  value       = local.spf
}
