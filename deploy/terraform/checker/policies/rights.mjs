// SPDX-License-Identifier: Apache-2.0
// Who may do what: nobody more than its calls need. The calls are read from those who make them.
import path from 'node:path';
import fs from 'node:fs';
import { isUnknown, takeFrom } from './house.mjs';

// Actions that AWS grants for all resources or for none ("Actions, resources, and condition keys").
const FOR_ALL_ONLY = ['ecr:GetAuthorizationToken', 'ecs:DiscoverPollEndpoint', 'ec2:DescribeAddresses'];
const RING = ['sqs:GetQueueUrl', 'sqs:GetQueueAttributes', 'sqs:SendMessage'];
const LISTEN = ['sqs:GetQueueUrl', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage', 'sqs:DeleteMessage',
  'sqs:ChangeMessageVisibility'];
const LOG = ['logs:CreateLogStream', 'logs:PutLogEvents'];
// What the agent of ECS calls on an instance ("Amazon ECS container instance IAM role").
const AGENT = ['ecs:DiscoverPollEndpoint', 'ecs:RegisterContainerInstance', 'ecs:DeregisterContainerInstance',
  'ecs:Poll', 'ecs:StartTelemetrySession', 'ecs:SubmitContainerStateChange', 'ecs:SubmitTaskStateChange',
  'ecs:UpdateContainerInstancesState'];
const NEEDED = {
  'modules/api work': () => RING,
  'modules/smtp_in work': () => RING,
  'modules/inbound work': () => RING,
  'modules/scheduler work': () => RING,
  'modules/events work': () => RING,
  'modules/couriers work': () => LISTEN,
  'modules/couriers instance': (house) => [...AGENT, ...callsOfClaim(house)],
  'modules/task start': () => ['ecr:GetAuthorizationToken', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', ...LOG,
    'secretsmanager:GetSecretValue'],
  'modules/lists work': () => [...LOG, 's3:GetObject', 'sqs:ReceiveMessage', 'sqs:DeleteMessage',
    'sqs:GetQueueAttributes'],
  'modules/migrate work': () => [],
  'modules/network flow': () => [...LOG, 'logs:DescribeLogStreams'],
};
// Policies of AWS's own that may be attached.
const MANAGED = ['arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole'];

export function rights(house) {
  calls(house);
  for (const item of house.all('aws_iam_policy_document', 'data')) document(house, item);
  for (const item of house.all('aws_iam_role_policy_attachment')) {
    if (!MANAGED.includes(item.value('policy_arn'))) {
      item.tell('rights', 'policy_arn', "AWS's own policies grant more than is needed", 'Write the actions out');
    }
  }
  for (const type of ['aws_iam_role_policy', 'aws_iam_role', 'aws_sqs_queue_policy', 'aws_s3_bucket_policy',
    'aws_kms_key', 'aws_sns_topic_policy', 'aws_vpc_endpoint', 'aws_ecr_repository_policy']) {
    for (const item of house.all(type)) {
      for (const name of ['policy', 'assume_role_policy'].filter((each) => item.text(each).includes('jsonencode'))) {
        item.tell('rights', name, 'a policy that is not looked at', 'Make it data aws_iam_policy_document');
      }
    }
  }
}

// The table above against the engine: its calls (src/queue/sqs/messages.cc), but for making queues, which
// queue.sqs.create = false leaves to Terraform. A batch needs the right to do the same once.
function calls(house) {
  const [table] = takeFrom('src/queue/sqs/messages.cc', /kNames = \{([^}]*)\}/);
  const names = [...table.matchAll(/"(\w+)"/g)]
    .map(([, name]) => `sqs:${name.replace(/Batch$/, '')}`).filter((name) => name !== 'sqs:CreateQueue');
  const granted = new Set([...RING, ...LISTEN]);
  const [queues] = house.all('aws_sqs_queue');
  for (const name of names.filter((each) => !granted.has(each))) {
    queues?.tell('rights', 'name', `the engine calls ${name}, and no role may`,
      'Grant it, and add it to policies/rights.mjs');
  }
  for (const name of [...granted].filter((each) => !names.includes(each))) {
    queues?.tell('rights', 'name', `${name} is granted, and nobody calls it`,
      'Take it out, here and in policies/rights.mjs');
  }
}

// `aws ec2 associate-address` is the action ec2:AssociateAddress.
function callsOfClaim(house) {
  const module = house.modules.find((each) => each.shown === 'modules/couriers');
  const script = fs.readFileSync(path.join(module.folder, 'claim.sh'), 'utf8');
  return [...new Set([...script.matchAll(/\baws ([a-z0-9]+) ([a-z-]+)/g)].map(([, service, verb]) =>
    `${service}:${verb.split('-').map((word) => word[0].toUpperCase() + word.slice(1)).join('')}`))];
}

function actionsOf(statement) {
  return statement.instances().flatMap((each) => {
    const actions = each.value('actions');
    return Array.isArray(actions) ? actions : [];
  });
}

function document(house, item) {
  const statements = item.instances().flatMap((each) => each.blocks('statement'));
  const toOthers = statements.some((statement) => statement.blocks('principals').length > 0);
  for (const statement of statements) one(statement);
  if (!toOthers) exact(house, item, statements);
}

function one(statement) {
  if (statement.value('effect') === 'Deny') return;
  const actions = actionsOf(statement);
  // The owner of a key must be able to manage it, or nobody is ("Default key policy").
  const whom = statement.blocks('principals');
  const owner = whom.length > 0 && whom.every((each) => each.text('identifiers').includes(':root"'));
  for (const action of actions.filter((each) => typeof each === 'string' && each.includes('*'))) {
    if (!(owner && action === 'kms:*')) {
      statement.tell('rights', 'actions', `${action} is more than any call needs`, 'Name the actions');
    }
  }
  for (const name of ['not_actions', 'not_resources'].filter((each) => statement.block.attributes.has(each))) {
    statement.tell('rights', name, 'grants whatever is not named', 'Name what is granted');
  }
  const bounded = statement.blocks('condition').length > 0;
  const resources = statement.value('resources');
  for (const resource of Array.isArray(resources) ? resources : []) {
    const text = isUnknown(resource) ? resource.text.replace(/^"|"$/g, '') : resource;
    const whole = text === '*' && !actions.every((action) => FOR_ALL_ONLY.includes(action)) && !owner;
    const ofAll = /:[a-z-]+\/\*$/.test(text);
    if ((whole || ofAll) && !bounded) {
      statement.tell('rights', 'resources', `${text} is every one there is`, 'Name which, or add a condition');
    }
  }
  const anyone = statement.blocks('principals').some((each) => {
    const identifiers = each.value('identifiers');
    return Array.isArray(identifiers) && identifiers.includes('*');
  });
  if (anyone && !bounded && !/starport-layer-bucket/.test(statement.text('resources'))) {
    statement.tell('rights', 'principals', 'everybody may', 'Add a condition, or name who');
  }
}

// A role has the rights that stand in the table, no more and no fewer.
function exact(house, item, statements) {
  const needed = NEEDED[`${item.module.shown} ${item.block.labels[1]}`]?.(house);
  if (!needed) {
    item.tell('rights', 'statement', 'nobody has said what this one needs', 'Add it to NEEDED in policies/rights.mjs');
    return;
  }
  const granted = statements.filter((each) => each.value('effect') !== 'Deny').flatMap(actionsOf);
  for (const action of granted.filter((each) => !needed.includes(each))) {
    item.tell('rights', 'statement', `${action} is granted, and nothing calls it`, 'Take it out');
  }
  for (const action of needed.filter((each) => !granted.includes(each))) {
    item.tell('rights', 'statement', `${action} is called, and not granted`, 'Grant it');
  }
}
