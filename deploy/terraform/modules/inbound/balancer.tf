# SPDX-License-Identifier: Apache-2.0
resource "aws_security_group" "balancer" {
  name        = "${var.installation.name}-inbound-balancer"
  description = "Balancer of mail that comes back"
  vpc_id      = var.installation.vpc_id
  tags        = { Name = "${var.installation.name}-inbound-balancer" }
}

resource "aws_vpc_security_group_ingress_rule" "receivers" {
  for_each          = toset(var.client_cidrs)
  security_group_id = aws_security_group.balancer.id
  description       = "Mail that comes back"
  ip_protocol       = "tcp"
  from_port         = 25
  to_port           = 25
  cidr_ipv4         = each.key
}

resource "aws_vpc_security_group_egress_rule" "tasks" {
  for_each = {
    smtp      = var.port
    readiness = var.installation.metrics_port
  }
  security_group_id            = aws_security_group.balancer.id
  description                  = "Tasks of inbound: ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  referenced_security_group_id = module.service.security_group_id
}

resource "aws_lb" "this" {
  name                             = "${var.installation.name}-inbound"
  load_balancer_type               = "network"
  internal                         = false
  subnets                          = var.public_subnet_ids
  security_groups                  = [aws_security_group.balancer.id]
  enable_deletion_protection       = true
  enable_cross_zone_load_balancing = true
}

# The tasks see the addresses of clients, by which they hold back who sends too much. Their security group names the
# balancer's all the same: what comes past the balancer is not let in.
resource "aws_lb_target_group" "inbound" {
  name                   = "${var.installation.name}-inbound"
  target_type            = "ip"
  protocol               = "TCP"
  port                   = var.port
  vpc_id                 = var.installation.vpc_id
  preserve_client_ip     = "true"
  deregistration_delay   = 60
  connection_termination = false
  health_check {
    protocol            = "HTTP"
    path                = "/readyz"
    port                = tostring(var.installation.metrics_port)
    matcher             = "200"
    interval            = 10
    timeout             = 6
    healthy_threshold   = 2
    unhealthy_threshold = 6
  }
}

resource "aws_lb_listener" "inbound" {
  load_balancer_arn = aws_lb.this.arn
  port              = 25
  protocol          = "TCP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.inbound.arn
  }
}
