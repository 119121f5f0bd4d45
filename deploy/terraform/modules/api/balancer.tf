# SPDX-License-Identifier: Apache-2.0
resource "aws_security_group" "balancer" {
  name        = "${var.installation.name}-api-balancer"
  description = "Balancer of the API"
  vpc_id      = var.installation.vpc_id
  tags        = { Name = "${var.installation.name}-api-balancer" }
}

# Port 80 only says where 443 is.
resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = {
    for pair in setproduct(var.client_cidrs, [80, 443]) : "${pair[0]}:${pair[1]}" => { cidr = pair[0], port = pair[1] }
  }
  security_group_id = aws_security_group.balancer.id
  description       = "Clients of the API"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}

resource "aws_vpc_security_group_egress_rule" "tasks" {
  for_each                     = { api = var.port, readiness = var.installation.metrics_port }
  security_group_id            = aws_security_group.balancer.id
  description                  = "Tasks of the API: ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  referenced_security_group_id = module.service.security_group_id
}

resource "aws_lb" "this" {
  name                       = "${var.installation.name}-api"
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.public_subnet_ids
  security_groups            = [aws_security_group.balancer.id]
  enable_deletion_protection = true
  drop_invalid_header_fields = true
  # The engine ends idle connections after the balancer does, or a request could meet one that is just ending.
  idle_timeout = 60
  dynamic "access_logs" {
    for_each = var.log_bucket == null ? [] : [var.log_bucket]
    content {
      bucket  = access_logs.value
      enabled = true
    }
  }
}

resource "aws_lb_target_group" "api" {
  name        = "${var.installation.name}-api"
  target_type = "ip"
  protocol    = "HTTP"
  port        = var.port
  vpc_id      = var.installation.vpc_id
  # With the task's stopTimeout of 120 s: it is out of the balancer before it is told to end.
  deregistration_delay = 30
  health_check {
    path                = "/readyz"
    port                = tostring(var.installation.metrics_port)
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 6
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.api.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type = "redirect"
    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}
