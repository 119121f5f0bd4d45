# SPDX-License-Identifier: Apache-2.0
output "sources" {
  description = "The sources as modules/settings takes them, by name."
  value = [
    for name in sort(keys(var.sources)) : {
      name       = name
      hello_name = var.sources[name].hello_name
      private_ip = local.private_ips[name]
      public_ip  = aws_eip.source[name].public_ip
    }
  ]
}

output "public_ips" {
  description = "Their public addresses: for SPF, and for receivers who want to know them."
  value       = [for name in sort(keys(var.sources)) : aws_eip.source[name].public_ip]
}
