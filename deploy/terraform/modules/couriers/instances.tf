# SPDX-License-Identifier: Apache-2.0
data "aws_ssm_parameter" "image" {
  name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
}

resource "aws_launch_template" "this" {
  for_each               = var.zones
  name                   = "${var.installation.name}-courier-${each.key}"
  image_id               = data.aws_ssm_parameter.image.insecure_value
  instance_type          = var.instance_type
  update_default_version = true
  user_data = base64encode(templatefile("${path.module}/boot.sh.tftpl", {
    cluster      = var.installation.cluster_name
    installation = var.installation.name
    zone         = each.key
    claim        = filebase64("${path.module}/claim.sh")
  }))

  iam_instance_profile {
    arn = aws_iam_instance_profile.instance.arn
  }
  # IMDSv2 only. The engine is in the instance's own network; two hops are what docs/operating.md asks for.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
  }
  # The first address is for the system's own calls: sources have their own, Elastic ones.
  network_interfaces {
    device_index                = 0
    associate_public_ip_address = true
    delete_on_termination       = true
    security_groups             = [aws_security_group.this.id]
    # Under the 350 s of NAT gateways, and over the engine's own probes, which are a minute apart (src/net): what is
    # silent for so long is dead.
    connection_tracking_specification {
      tcp_established_timeout = 300
      udp_stream_timeout      = 60
      udp_timeout             = 30
    }
  }
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_type           = "gp3"
      volume_size           = 30
      encrypted             = "true"
      delete_on_termination = "true"
    }
  }
  tag_specifications {
    resource_type = "instance"
    tags = {
      Name                  = "${var.installation.name}-courier-${each.key}"
      "todoku:installation" = var.installation.name
    }
  }
  tag_specifications {
    resource_type = "network-interface"
    tags = {
      "todoku:installation" = var.installation.name
    }
  }
}

resource "aws_autoscaling_group" "this" {
  for_each                  = var.zones
  name                      = "${var.installation.name}-courier-${each.key}"
  vpc_zone_identifier       = [each.value.subnet_id]
  min_size                  = min(var.instances.least, each.value.sources)
  max_size                  = min(var.instances.most, each.value.sources)
  health_check_type         = "EC2"
  health_check_grace_period = 300
  default_instance_warmup   = 300
  launch_template {
    id      = aws_launch_template.this[each.key].id
    version = aws_launch_template.this[each.key].latest_version
  }
  # The new instance is there before the old one goes.
  instance_refresh {
    strategy = "Rolling"
    preferences {
      min_healthy_percentage = 100
      max_healthy_percentage = 200
      instance_warmup        = 300
    }
  }
  tag {
    key                 = "AmazonECSManaged"
    value               = "true"
    propagate_at_launch = true
  }
  # The policies below say how many there are.
  lifecycle {
    ignore_changes = [desired_capacity]
  }
}

# How many couriers: docs/scale.md, target tracking.
resource "aws_autoscaling_policy" "load" {
  for_each               = var.zones
  name                   = "courier-load"
  policy_type            = "TargetTrackingScaling"
  autoscaling_group_name = aws_autoscaling_group.this[each.key].name
  target_tracking_configuration {
    target_value = 70
    customized_metric_specification {
      namespace   = var.installation.name
      metric_name = "CourierLoad"
      statistic   = "Average"
      metric_dimension {
        name  = "role"
        value = "scheduler"
      }
    }
  }
}

resource "aws_autoscaling_policy" "processor" {
  for_each               = var.zones
  name                   = "processor"
  policy_type            = "TargetTrackingScaling"
  autoscaling_group_name = aws_autoscaling_group.this[each.key].name
  target_tracking_configuration {
    target_value = 60
    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}
