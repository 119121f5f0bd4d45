# SPDX-License-Identifier: Apache-2.0
output "registry_url" {
  description = "Where images are pushed to, without a tag."
  value       = module.registry.url
}

output "database_host" {
  description = "Host name of the database."
  value       = module.database.host
}

output "migrate" {
  description = "`todoku migrate up` as a task: what `aws ecs run-task` takes."
  value = {
    task_definition = module.migrate.definition_arn
    subnets         = module.network.private_subnet_ids
    security_group  = module.migrate.security_group_id
  }
}

output "secret_arns" {
  description = "Secrets to be filled, by name."
  value       = module.secrets.arns
}

output "cluster_name" {
  description = "The cluster of ECS."
  value       = module.cluster.name
}

output "public_ips" {
  description = "Addresses that send."
  value       = module.sources.public_ips
}

output "spf" {
  description = "SPF record of the return path."
  value       = module.dns.spf
}

output "alarm_topic_arn" {
  description = "Where alarms go."
  value       = module.alarms.topic_arn
}

output "courier_groups" {
  description = "Groups of couriers, for the one who replaces their instances."
  value       = module.couriers.group_names
}

output "lists_bucket" {
  description = "Where lists are put; null without it."
  value       = one(module.lists[*].bucket_name)
}
