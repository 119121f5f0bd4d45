# SPDX-License-Identifier: Apache-2.0
output "topic_arn" {
  description = "Where alarms go: subscribe whatever calls people."
  value       = aws_sns_topic.this.arn
}
