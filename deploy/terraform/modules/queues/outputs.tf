# SPDX-License-Identifier: Apache-2.0
output "arns" {
  description = "ARNs of the queues of hints."
  value       = [for queue in aws_sqs_queue.bells : queue.arn]
}

output "names" {
  description = "Their names, for alarms."
  value       = [for queue in aws_sqs_queue.bells : queue.name]
}

output "dead_letters_arn" {
  description = "ARN of the queue of dead letters."
  value       = aws_sqs_queue.dead_letters.arn
}

output "dead_letters_name" {
  description = "Its name, for alarms."
  value       = aws_sqs_queue.dead_letters.name
}
