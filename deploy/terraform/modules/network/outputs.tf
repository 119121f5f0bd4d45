# SPDX-License-Identifier: Apache-2.0
output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Subnets of balancers, by zone."
  value       = { for zone, subnet in aws_subnet.public : zone => subnet.id }
}

output "public_cidrs" {
  description = "Networks of the balancers: what the engine trusts as proxies."
  value       = [for zone in var.zones : aws_subnet.public[zone].cidr_block]
}

output "courier_subnet_ids" {
  description = "Subnets of couriers, by zone."
  value       = { for zone, subnet in aws_subnet.courier : zone => subnet.id }
}

output "source_cidrs" {
  description = "Where the private addresses of sources are, by zone: a /24 each."
  value       = { for zone, reservation in aws_ec2_subnet_cidr_reservation.sources : zone => reservation.cidr_block }
}

output "private_subnet_ids" {
  description = "Subnets of the tasks on Fargate."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
}

output "data_subnet_ids" {
  description = "Subnets of the database."
  value       = [for zone in var.zones : aws_subnet.data[zone].id]
}

output "endpoints_security_group_id" {
  description = "Security group of the endpoints of AWS services."
  value       = aws_security_group.endpoints.id
}

output "s3_prefix_list_id" {
  description = "Addresses of S3 in this region, reached through its gateway endpoint."
  value       = aws_vpc_endpoint.s3.prefix_list_id
}
