# SPDX-License-Identifier: Apache-2.0
# An Elastic IP for each source, kept whatever becomes of the instances: what receivers think of it took months.
# Couriers read from the tags whose it is and to which private address it belongs (modules/couriers/claim.sh).
locals {
  private_ips = { for name, source in var.sources : name => cidrhost(var.source_cidrs[source.zone], source.number) }
}

resource "aws_eip" "source" {
  for_each = var.sources
  domain   = "vpc"
  tags = {
    Name                  = "${var.name}-${each.key}"
    "todoku:installation" = var.name
    "todoku:source"       = each.key
    "todoku:zone"         = each.value.zone
    "todoku:private-ip"   = local.private_ips[each.key]
  }
  lifecycle {
    prevent_destroy = true
  }
}

# Forward first: AWS sets no reverse name that does not lead back.
resource "aws_route53_record" "hello" {
  for_each = var.sources
  zone_id  = var.zone_id
  name     = each.value.hello_name
  type     = "A"
  ttl      = 3600
  records  = [aws_eip.source[each.key].public_ip]
}

resource "aws_eip_domain_name" "reverse" {
  for_each      = var.sources
  allocation_id = aws_eip.source[each.key].allocation_id
  domain_name   = aws_route53_record.hello[each.key].fqdn
}
