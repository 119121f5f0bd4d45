# SPDX-License-Identifier: Apache-2.0
resource "aws_route53_record" "balancers" {
  for_each = var.names
  zone_id  = var.zone_id
  name     = each.key
  type     = "A"
  alias {
    name                   = each.value.dns_name
    zone_id                = each.value.zone_id
    evaluate_target_health = false
  }
}

resource "aws_route53_record" "mx" {
  count   = var.mx_host == null ? 0 : 1
  zone_id = var.zone_id
  name    = var.return_path_domain
  type    = "MX"
  ttl     = 3600
  records = ["10 ${var.mx_host}."]
}

# A text of DNS has 255 octets at most, and SPF reads several as one (RFC 7208 section 3.3).
locals {
  spf = join(" ", concat(["v=spf1"], [for ip in var.public_ips : "ip4:${ip}"], ["-all"]))
}

resource "aws_route53_record" "spf" {
  zone_id = var.zone_id
  name    = var.return_path_domain
  type    = "TXT"
  ttl     = 3600
  records = [join("\"\"", regexall(".{1,250}", local.spf))]
}
