// SPDX-License-Identifier: Apache-2.0
// How the engine is run: containers, roll-outs, scaling, images, instances, balancers of the relay.
import { isUnknown, takeFrom } from './house.mjs';

const STOP_SECONDS = 120;  // the most that Fargate waits after SIGTERM ("stopTimeout", task definition parameters)
const NAT_IDLE_SECONDS = 350;  // "NAT gateways": idle connections are forgotten then

export function tasks(house) {
  for (const item of house.all('aws_ecs_task_definition')) containers(item);
  for (const item of house.all('aws_ecs_service')) service(house, item);
  scaling(house);
  images(house);
  instances(house);
  for (const item of house.all('aws_lb_target_group')) {
    if (item.value('protocol') === 'TCP') {
      // The relay's listeners read the PROXY protocol, inbound's do not.
      const name = item.module.shown === 'modules/inbound' ? 'preserve_client_ip' : 'proxy_protocol_v2';
      const wanted = name === 'preserve_client_ip' ? 'true' : true;
      item.must('proxy', name, wanted, 'the engine would see the balancer instead of its clients');
    }
    if (item.blocks('health_check').length === 0) {
      item.tell('health', 'name', 'does not ask whether a task is ready', 'Add health_check of /readyz');
    }
    for (const check of item.blocks('health_check')) {
      check.must('health', 'path', '/readyz', 'only /readyz tells whether a task is ready');
    }
  }
}

function containers(item) {
  const list = item.value('container_definitions');
  if (!Array.isArray(list)) {
    item.tell('container', 'container_definitions', 'cannot be read', 'jsonencode([...]) of objects');
    return;
  }
  const tell = (what, remedy) => item.tell('container', 'container_definitions', what, remedy);
  for (const container of list) {
    if (container.readonlyRootFilesystem !== true) {
      tell(`${container.name} may write everywhere`, 'Set readonlyRootFilesystem = true');
    }
    if (container.privileged === true) tell(`${container.name} is privileged`, 'Take privileged out');
    if (!container.logConfiguration) tell(`${container.name} logs nowhere`, 'Give it logConfiguration');
    for (const variable of Array.isArray(container.environment) ? container.environment : []) {
      if (/PASSWORD|TOKEN|SECRET|MASTER_KEY/.test(variable.name)) {
        tell(`${variable.name} stands in clear text`, 'Give it by secrets');
      }
    }
    if (container.essential !== false) engine(container, item, tell);
  }
}

// The container that stays. One that ends before may be root (it writes the files).
function engine(container, item, tell) {
  if (typeof container.user !== 'string' || /^(0|root)(:|$)/.test(container.user)) {
    tell(`${container.name} is root`, 'Set user = "65532:65532"');
  }
  if (container.stopTimeout !== STOP_SECONDS) {
    tell(`${container.name} is killed before it has drained`, `Set stopTimeout = ${STOP_SECONDS}`);
  }
  const asked = container.healthCheck?.command;
  if (!Array.isArray(asked)) {
    tell(`${container.name} is never asked how it is`, 'Give it healthCheck');
  } else if (!asked.includes('--live')) {
    tell(`${container.name} is ended while the database is away`, 'Ask "healthcheck", "--live"');
  }
  const dropped = container.linuxParameters?.capabilities?.drop;
  if (!Array.isArray(dropped) || !dropped.includes('ALL')) {
    tell(`${container.name} keeps capabilities of root`, 'Drop ALL in linuxParameters');
  }
}

function service(house, item) {
  const breaker = item.blocks('deployment_circuit_breaker')[0];
  if (breaker?.value('enable') !== true || breaker?.value('rollback') !== true) {
    item.tell('roll-out', 'name', 'a version that does not start stays', 'Add deployment_circuit_breaker, both true');
  }
  if (item.value('enable_execute_command') === true) {
    item.tell('public', 'enable_execute_command', 'people can run commands in it', 'Set it to false');
  }
  if (item.value('scheduling_strategy') === 'DAEMON') return;
  item.must('roll-out', 'deployment_minimum_healthy_percent', 100, 'old tasks go before new ones are there');
  ignored(item, 'desired_count');
  const scaled = house.all('aws_appautoscaling_target').some((target) => target.module === item.module);
  if (!scaled) {
    item.tell('scaling', 'name', 'stays as many tasks as it is', 'Add aws_appautoscaling_target and policies');
  }
}

function ignored(item, name) {
  const found = item.blocks('lifecycle').some((each) => each.text('ignore_changes').includes(name));
  if (!found) {
    item.tell('scaling', name, `each apply undoes what scaling did to ${name}`,
      `lifecycle { ignore_changes = [${name}] }`);
  }
}

function scaling(house) {
  for (const target of house.all('aws_appautoscaling_target')) {
    const metrics = house.all('aws_appautoscaling_policy').filter((each) => each.module === target.module)
      .flatMap((each) => each.blocks('target_tracking_scaling_policy_configuration'))
      .flatMap((each) => each.blocks('predefined_metric_specification'))
      .map((each) => each.value('predefined_metric_type'));
    for (const wanted of ['ECSServiceAverageCPUUtilization', 'ECSServiceAverageMemoryUtilization']) {
      if (!metrics.includes(wanted)) target.tell('scaling', 'resource_id', `nothing follows ${wanted}`, 'Add a policy');
    }
  }
  for (const group of house.all('aws_autoscaling_group')) {
    ignored(group, 'desired_capacity');
    const follows = house.all('aws_autoscaling_policy').filter((each) => each.module === group.module)
      .flatMap((each) => each.blocks('target_tracking_configuration'))
      .flatMap((each) => each.blocks('customized_metric_specification'))
      .some((each) => each.value('metric_name') === 'CourierLoad');
    if (!follows) group.tell('scaling', 'name', 'does not follow CourierLoad', 'Add a policy (docs/scale.md)');
  }
}

// One variable says which version runs, everywhere.
function images(house) {
  for (const item of house.all('aws_ecr_repository')) {
    item.must('image', 'image_tag_mutability', 'IMMUTABLE', 'what a tag means can change');
    const scans = item.blocks('image_scanning_configuration').some((each) => each.value('scan_on_push') === true);
    if (!scans) item.tell('image', 'name', 'images are not scanned', 'Set scan_on_push = true');
  }
  const tasks = house.all('aws_ecs_task_definition').flatMap((item) => {
    const list = item.value('container_definitions');
    return (Array.isArray(list) ? list : []).map((container) => [item, 'container_definitions', container.image]);
  });
  const functions = house.all('aws_lambda_function').map((item) => [item, 'image_uri', item.value('image_uri')]);
  for (const [item, name, image] of [...tasks, ...functions]) {
    if (!isUnknown(image)) item.tell('image', name, `the image ${image} stands there fixed`, 'Take it from image_tag');
  }
  const calls = house.all('installation', 'module');
  for (const item of calls.filter((each) => each.text('source').includes('installation'))) {
    if (item.text('image_tag') !== 'var.image_tag') {
      item.tell('image', 'image_tag', 'the version stands there fixed', 'Set image_tag = var.image_tag');
    }
  }
}

function instances(house) {
  for (const item of house.all('aws_launch_template')) {
    const options = item.blocks('metadata_options')[0];
    if (options?.value('http_tokens') !== 'required') {
      item.tell('metadata', 'metadata_options', 'whoever makes it call a URL gets its credentials',
        'Set http_tokens = "required" (IMDSv2)');
    }
    for (const tracking of item.blocks('network_interfaces').flatMap((each) =>
      each.blocks('connection_tracking_specification'))) {
      tracked(tracking);
    }
    if (item.blocks('network_interfaces').every((each) =>
      each.blocks('connection_tracking_specification').length === 0)) {
      item.tell('tracking', 'name', 'connections that are dead are kept for days',
        'Add connection_tracking_specification');
    }
  }
}

// The engine's own probes keep a living connection known (src/net/stream_impl.cc).
function tracked(item) {
  const [idle, interval, probes] = ['idle_seconds', 'interval_seconds', 'probes']
    .map((name) => Number(takeFrom('src/net/stream_impl.cc', new RegExp(`int ${name} = (\\d+)`))[0]));
  const seconds = item.value('tcp_established_timeout');
  if (seconds >= NAT_IDLE_SECONDS || seconds <= idle + interval * probes) {
    item.tell('tracking', 'tcp_established_timeout',
      `${seconds} s is not between the engine's probes and a NAT's memory`,
      `From ${idle + interval * probes + 1} to ${NAT_IDLE_SECONDS - 1}`);
  }
}
