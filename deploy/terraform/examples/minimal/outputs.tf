# SPDX-License-Identifier: Apache-2.0
output "installation" {
  description = "What the steps after the first `apply` need (README.md)."
  value       = module.installation
}
