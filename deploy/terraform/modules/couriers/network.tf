# SPDX-License-Identifier: Apache-2.0
resource "aws_security_group" "this" {
  name        = "${var.installation.name}-courier"
  description = "Couriers: nothing comes in"
  vpc_id      = var.installation.vpc_id
  tags        = { Name = "${var.installation.name}-courier" }
}

# Receivers are anywhere. Port 25 of an account is closed until AWS has opened it (README.md).
resource "aws_vpc_security_group_egress_rule" "receivers" {
  security_group_id = aws_security_group.this.id
  description       = "SMTP to receivers"
  ip_protocol       = "tcp"
  from_port         = 25
  to_port           = 25
  cidr_ipv4         = "0.0.0.0/0"
}

# Packages, ECS, EC2, and MTA-STS policies of receivers.
resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.this.id
  description       = "HTTPS"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "database" {
  security_group_id            = aws_security_group.this.id
  description                  = "The database"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = var.installation.database_security_group_id
}
