// SPDX-License-Identifier: Apache-2.0
// Nothing is reached from outside that need not be, and nothing reaches farther than it must.
import { isUnknown } from './house.mjs';

const WORLD = ['0.0.0.0/0', '::/0'];
// Who may have a public address, and which ports lead out into the world.
const PUBLIC = { aws_lb: ['modules/api', 'modules/smtp_in', 'modules/inbound'], aws_launch_template: ['modules/couriers'] };
const PORTS_OUT = [25, 80, 443];
// Services of AWS that are asked inside the VPC (issue: SQS, ECR, S3, Logs, Secrets).
const ENDPOINTS = ['sqs', 'ecr.api', 'ecr.dkr', 'logs', 'secretsmanager'];

export function exposure(house) {
  for (const item of house.all('aws_db_instance')) {
    item.must('public', 'publicly_accessible', false, 'the database could be reached from the Internet');
  }
  for (const item of house.all('aws_subnet')) {
    if (item.value('map_public_ip_on_launch') === true) {
      item.tell('public', 'map_public_ip_on_launch', 'whatever starts here gets a public address', 'Take it out');
    }
  }
  for (const item of house.all('aws_lb')) {
    if (item.value('internal') !== true && !PUBLIC.aws_lb.includes(item.module.shown)) {
      item.tell('public', 'internal', 'a balancer with public addresses', 'Set internal = true');
    }
  }
  for (const item of house.all('aws_launch_template').flatMap((each) => each.blocks('network_interfaces'))) {
    if (item.value('associate_public_ip_address') === true &&
        !PUBLIC.aws_launch_template.includes(item.module.shown)) {
      item.tell('public', 'associate_public_ip_address', 'instances with public addresses', 'Set it to false');
    }
  }
  for (const item of house.all('aws_ecs_service').flatMap((each) => each.blocks('network_configuration'))) {
    item.must('public', 'assign_public_ip', false, 'tasks with public addresses');
  }
  rules(house);
  buckets(house);
  endpoints(house);
}

function rules(house) {
  for (const [type, direction] of [['aws_vpc_security_group_ingress_rule', 'in'],
    ['aws_vpc_security_group_egress_rule', 'out']]) {
    for (const item of house.all(type)) {
      if (item.value('ip_protocol') === '-1') {
        item.tell('public', 'ip_protocol', 'every protocol and port', 'Name the protocol and the port');
      }
      const world = ['cidr_ipv4', 'cidr_ipv6'].find((name) => WORLD.includes(item.value(name)));
      if (world && direction === 'in') {
        item.tell('public', world, 'open to the Internet', 'Take networks from a variable, or name a security group');
      }
      const port = item.value('from_port');
      const wide = !isUnknown(port) && (!PORTS_OUT.includes(port) || item.value('to_port') !== port);
      if (world && direction === 'out' && wide) {
        item.tell('public', 'from_port', 'leads to more of the Internet than SMTP, HTTP and HTTPS', 'Name one port');
      }
    }
  }
  for (const item of house.all('aws_security_group')) {
    if (['ingress', 'egress'].some((name) => item.blocks(name).length > 0 || item.block.attributes.has(name))) {
      item.tell('public', 'ingress', 'rules inside the group are not looked at',
        'Make them aws_vpc_security_group_ingress_rule and _egress_rule');
    }
  }
}

function buckets(house) {
  for (const bucket of house.all('aws_s3_bucket')) {
    const guard = house.all('aws_s3_bucket_public_access_block')
      .find((item) => item.module === bucket.module && item.text('bucket').includes(`.${bucket.block.labels[1]}.`));
    if (!guard) {
      bucket.tell('public', 'bucket', 'nothing keeps it from being made public',
        'Add aws_s3_bucket_public_access_block');
    }
    for (const name of guard ? ['block_public_acls', 'block_public_policy', 'ignore_public_acls',
      'restrict_public_buckets'] : []) {
      guard.must('public', name, true, 'the bucket could be made public');
    }
  }
}

function endpoints(house) {
  const items = house.all('aws_vpc_endpoint');
  const there = items.flatMap((item) => item.instances()).map((item) => item.names.each?.key);
  const [vpc] = house.all('aws_vpc');
  for (const service of ENDPOINTS.filter((each) => vpc && !there.includes(each))) {
    vpc.tell('endpoint', 'cidr_block', `no endpoint of ${service}`, 'Add it: else it is asked through NAT gateways');
  }
  if (!items.some((item) => item.text('service_name').endsWith('.s3"'))) {
    vpc?.tell('endpoint', 'cidr_block', 'no endpoint of S3', 'Add a gateway endpoint: it costs nothing');
  }
  for (const item of items) {
    if (!item.block.attributes.has('policy')) {
      item.tell('endpoint', 'policy', 'lets through every call of every account', 'Give it a policy');
    }
  }
}
