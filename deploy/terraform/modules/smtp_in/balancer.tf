# SPDX-License-Identifier: Apache-2.0
resource "aws_security_group" "balancer" {
  name        = "${var.installation.name}-relay-balancer"
  description = "Balancer of the SMTP relay"
  vpc_id      = var.installation.vpc_id
  tags        = { Name = "${var.installation.name}-relay-balancer" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = {
    for pair in setproduct(var.client_cidrs, keys(local.ports)) :
    "${pair[0]}:${pair[1]}" => { cidr = pair[0], port = tonumber(pair[1]) }
  }
  security_group_id = aws_security_group.balancer.id
  description       = "Clients of the relay"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}

resource "aws_vpc_security_group_egress_rule" "tasks" {
  for_each = {
    starttls  = var.ports.starttls
    implicit  = var.ports.implicit
    readiness = var.installation.metrics_port
  }
  security_group_id            = aws_security_group.balancer.id
  description                  = "Tasks of the relay: ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  referenced_security_group_id = module.service.security_group_id
}

resource "aws_lb" "this" {
  name                             = "${var.installation.name}-relay"
  load_balancer_type               = "network"
  internal                         = false
  subnets                          = var.public_subnet_ids
  security_groups                  = [aws_security_group.balancer.id]
  enable_deletion_protection       = true
  enable_cross_zone_load_balancing = true
}

# An idle connection is forgotten after 350 s without a word to anybody; the relay ends it after 300
# (smtp_in.idle_seconds), so clients are told.
resource "aws_lb_target_group" "relay" {
  for_each               = toset(values(local.ports))
  name                   = "${var.installation.name}-${each.key}"
  target_type            = "ip"
  protocol               = "TCP"
  port                   = var.ports[each.key]
  vpc_id                 = var.installation.vpc_id
  proxy_protocol_v2      = true
  preserve_client_ip     = "false"
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

resource "aws_lb_listener" "relay" {
  for_each          = local.ports
  load_balancer_arn = aws_lb.this.arn
  port              = tonumber(each.key)
  protocol          = "TCP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.relay[each.value].arn
  }
}
