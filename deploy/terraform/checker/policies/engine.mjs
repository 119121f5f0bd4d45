// SPDX-License-Identifier: Apache-2.0
// What the files say of the engine against the engine: figures, settings, queues, and the provider's version.
import fs from 'node:fs';
import path from 'node:path';
import { sourceOf, takeFrom } from './house.mjs';

export function engine(house) {
  figures(house);
  settings(house);
  queues(house);
  versions(house);
}

// ---- figures (src/ops/emf.cc, emf.h) --------------------------------------------------------------------

function figuresOfEngine() {
  const table = [...sourceOf('src/ops/emf.cc').matchAll(/Shown\{"(\w+)", "(\w+)"/g)]
    .map(([, role, name]) => `${role} ${name}`);
  const header = sourceOf('src/ops/emf.h');
  const lambda = [...header.slice(header.indexOf('kLambdaRole =')).matchAll(/ k\w+ = "(\w+)"/g)]
    .map(([, name]) => name);
  return new Set([...table, ...lambda.map((name) => `lambda ${name}`)]);
}

function figures(house) {
  const there = figuresOfEngine();
  const check = (item, name, role, metric) => {
    if (!there.has(`${role} ${metric}`)) {
      item.tell('figure', name, `the role ${role} has no figure ${metric}`,
        'Name one of docs/operating.md, Figures for CloudWatch');
    }
  };
  for (const item of house.all('aws_cloudwatch_metric_alarm').flatMap((each) => each.instances())) {
    if (item.text('namespace').startsWith('var.')) {
      check(item, 'metric_name', item.value('dimensions')?.role, item.value('metric_name'));
    }
    if (!item.block.attributes.has('alarm_actions') && !stopsARollOut(house, item)) {
      item.tell('alarm', 'alarm_name', 'nobody is told', 'Set alarm_actions');
    }
    runbook(item);
  }
  for (const item of house.all('aws_autoscaling_policy').flatMap((each) => each.blocks('target_tracking_configuration'))
    .flatMap((each) => each.blocks('customized_metric_specification'))) {
    check(item, 'metric_name', item.blocks('metric_dimension')[0]?.value('value'), item.value('metric_name'));
  }
  for (const item of house.all('aws_cloudwatch_dashboard')) {
    const widgets = item.value('dashboard_body')?.widgets;
    const lines = (Array.isArray(widgets) ? widgets : []).flatMap((widget) => widget?.properties?.metrics ?? [])
      .filter((line) => Array.isArray(line) && line[2] === 'role');
    if (lines.length === 0) item.tell('figure', 'dashboard_body', 'shows no figure of the engine', 'Draw some');
    for (const [, metric, , role] of lines) check(item, 'dashboard_body', role, metric);
  }
}

// What to do stands in a page that is there, under a name that is there.
function runbook(item) {
  const [, page, anchor] = String(item.value('alarm_description')).match(/ (docs\/[\w-]+\.md)(?:#([\w-]+))?$/) ?? [];
  if (!page || (anchor && !sourceOf(page).includes(`<a id="${anchor}"></a>`))) {
    item.tell('alarm', 'alarm_description', 'leads to no runbook', 'End it with docs/runbooks.md#NAME');
  }
}

function stopsARollOut(house, item) {
  return house.all('service', 'module').some((call) => call.module === item.module &&
    call.text('stop_alarms').includes(`.${item.block.labels[1]}.`));
}

// ---- settings (docs/configuration.md, which is made from the engine's own table) ---------------------------

function keysOfEngine() {
  const keys = new Set();
  let section = '';
  for (const line of sourceOf('docs/configuration.md').split('\n')) {
    section = line.match(/^## `\[+([\w.]+)\]+`/)?.[1] ?? section;
    const row = line.match(/^\| `(\w+)` \| .*?\| ([^|]*) \|/);
    if (row) keys.add(`${section}.${row[1]}`);
  }
  return keys;
}

const variableOf = (key) => `TODOKU_${key.replaceAll('.', '__').toUpperCase()}`;

function settings(house) {
  const keys = keysOfEngine();
  for (const module of house.modules) {
    for (const [name, read] of [['settings.toml.tftpl', template], ['egress.tftpl', list]]) {
      const file = path.join(module.path, name);
      if (fs.existsSync(file)) read(house, file, keys);
    }
  }
  const variables = new Set([...keys].map(variableOf));
  for (const [, section] of sourceOf('docs/configuration.md').matchAll(/^## `\[\[([\w.]+)\]\]`/gm)) {
    variables.add(variableOf(section));
  }
  const pages = sourceOf('docs/configuration.md') + sourceOf('docs/operating.md');
  const alone = [...pages.matchAll(/`(TODOKU_\w+)`/g)];
  for (const [, name] of alone) variables.add(name);
  for (const item of house.all('aws_ecs_task_definition')) {
    const list = item.value('container_definitions');
    const given = (Array.isArray(list) ? list : []).flatMap((container) =>
      [container.environment, container.secrets].filter(Array.isArray).flat().map((each) => each.name));
    foreign(item, 'container_definitions', given, variables);
  }
  for (const name of ['task', 'service']) {
    for (const item of house.all(name, 'module')) {
      foreign(item, 'environment', Object.keys(item.value('environment') ?? {}), variables);
    }
  }
  for (const item of house.all('aws_lambda_function')) {
    for (const environment of item.blocks('environment')) {
      foreign(environment, 'variables', Object.keys(environment.value('variables') ?? {}), variables);
    }
  }
}

function foreign(item, name, given, variables) {
  for (const variable of given.filter((each) => typeof each === 'string' && each.startsWith('TODOKU_'))) {
    if (!variables.has(variable)) {
      item.tell('setting', name, `the engine knows no variable ${variable}`, 'Name one of docs/configuration.md');
    }
  }
}

function template(house, file, keys) {
  let section = '';
  fs.readFileSync(file, 'utf8').split('\n').forEach((line, i) => {
    section = line.match(/^\[+([\w.]+)\]+$/)?.[1] ?? section;
    const key = line.match(/^(\w+) = /)?.[1];
    if (key) known(house, file, i, keys, `${section}.${key}`);
  });
}

// A repeated section as a variable has it: a line for each, [{name = ...}, ...].
function list(house, file, keys) {
  const section = path.basename(file, '.tftpl');
  fs.readFileSync(file, 'utf8').split('\n').forEach((line, i) => {
    for (const [, key] of line.matchAll(/[{ ](\w+) = /g)) known(house, file, i, keys, `${section}.${key}`);
  });
}

function known(house, file, i, keys, key) {
  if (keys.has(key)) return;
  house.tell({ file, line: i + 1 }, 'setting', `the engine has no key ${key}`, 'Name one of docs/configuration.md');
}

// ---- queues (src/queue/sqs) ---------------------------------------------------------------------------------

function queues(house) {
  const [hours] = takeFrom('src/queue/sqs/messages.h', /kRetention = std::chrono::hours\((\d+)\)/);
  const classes = takeFrom('src/queue/sqs/sqs_queues.cc', /TrafficClass::bulk \? "(\w+)" : "(\w+)"/);
  for (const item of house.all('aws_sqs_queue')) {
    if (item.value('fifo_queue') === true) {
      item.tell('queue', 'fifo_queue', 'the engine refuses FIFO queues', 'Take it out');
    }
    const bells = item.block.attributes.has('redrive_policy');
    if (!bells) continue;
    item.must('queue', 'message_retention_seconds', 3600 * Number(hours), 'stale hints cost calls');
  }
  for (const module of house.modules.filter((each) => each.locals.has('queues'))) {
    const attribute = module.locals.get('queues');
    for (const name of classes.filter((each) => !attribute.text.includes(`"${each}"`))) {
      house.tell(attribute, 'queue', `no queue of the class ${name}`, 'One for each source and class');
    }
    if (!attribute.text.includes('"${var.prefix}-${source}-${class}"')) {
      house.tell(attribute, 'queue', 'not named as the engine asks for them', 'PREFIX-SOURCE-CLASS');
    }
    const redriven = house.all('aws_sqs_queue')
      .some((item) => item.module === module && item.block.attributes.has('redrive_policy'));
    if (!redriven) house.tell(attribute, 'queue', 'have no dead letters', 'Set redrive_policy');
  }
}

// ---- the provider ---------------------------------------------------------------------------------------------

function versions(house) {
  const [major, minor] = house.schema.provider.split('.').map(Number);
  for (const module of house.modules.filter((each) => each.top.some((block) => block.type === 'resource'))) {
    const providers = module.top.filter((block) => block.type === 'terraform')
      .flatMap((block) => block.blocks.filter((inner) => inner.type === 'required_providers'));
    const aws = providers.map((inner) => inner.attributes.get('aws')).find(Boolean);
    const version = aws && house.values.of(aws, module)?.version;
    if (version !== `~> ${major}.${minor}`) {
      house.tell(aws ?? module.top[0], 'version', 'not the provider that this was checked against',
        `version = "~> ${major}.${minor}"`);
    }
  }
}
