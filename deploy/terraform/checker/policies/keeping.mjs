// SPDX-License-Identifier: Apache-2.0
// What is kept is encrypted, is not lost by a slip, and is kept no longer than it must.
import { isUnknown } from './house.mjs';

export function keeping(house) {
  encryption(house);
  transport(house);
  deletion(house);
  for (const item of house.all('aws_cloudwatch_log_group')) {
    if (!item.block.attributes.has('retention_in_days')) {
      item.tell('retention', 'name', 'its lines are kept for ever', 'Set retention_in_days');
    }
  }
  for (const item of house.all('aws_secretsmanager_secret_version')) {
    item.tell('secret', 'secret_string', 'the secret would stand in the state', 'Put the value in with the AWS CLI');
  }
}

function encryption(house) {
  for (const item of house.all('aws_db_instance')) {
    item.must('encryption', 'storage_encrypted', true, 'the disk of the database is not encrypted');
    item.must('encryption', 'manage_master_user_password', true, 'the password would stand in the state');
  }
  for (const item of house.all('aws_sqs_queue')) {
    item.must('encryption', 'sqs_managed_sse_enabled', true, 'messages are not encrypted');
  }
  for (const item of house.all('aws_sns_topic')) {
    if (!item.block.attributes.has('kms_master_key_id')) {
      item.tell('encryption', 'name', 'is not encrypted', 'Set kms_master_key_id');
    }
  }
  for (const item of house.all('aws_ecr_repository')) {
    if (item.blocks('encryption_configuration').length === 0) {
      item.tell('encryption', 'name', 'is not encrypted by KMS', 'Add encryption_configuration');
    }
  }
  for (const item of house.all('aws_launch_template')) {
    const disks = item.blocks('block_device_mappings').flatMap((each) => each.blocks('ebs'));
    for (const disk of disks) disk.must('encryption', 'encrypted', ['true', true], 'the disk is not encrypted');
    if (disks.length === 0) item.tell('encryption', 'name', 'says nothing of its disk', 'Add block_device_mappings');
  }
  for (const bucket of house.all('aws_s3_bucket')) {
    const found = house.all('aws_s3_bucket_server_side_encryption_configuration')
      .some((item) => item.module === bucket.module && item.text('bucket').includes(`.${bucket.block.labels[1]}.`));
    if (!found) {
      bucket.tell('encryption', 'bucket', 'says nothing of encryption',
        'Add aws_s3_bucket_server_side_encryption_configuration');
    }
  }
  for (const item of house.all('aws_kms_key')) {
    item.must('encryption', 'enable_key_rotation', true, 'the key never changes');
  }
}

function transport(house) {
  for (const item of house.all('aws_lb_listener')) {
    const protocol = item.value('protocol');
    const redirects = item.blocks('default_action').every((action) => action.value('type') === 'redirect');
    if (protocol === 'HTTP' && !redirects) {
      item.tell('encryption', 'protocol', 'serves in clear text', 'HTTPS, or only a redirect to it');
    }
    if (protocol === 'HTTPS' && !/^ELBSecurityPolicy-TLS13-1-[23]-/.test(item.value('ssl_policy') ?? '')) {
      item.tell('encryption', 'ssl_policy', 'lets TLS 1.0 or 1.1 in',
        'ELBSecurityPolicy-TLS13-1-2-2021-06 or stricter');
    }
  }
  for (const item of house.all('aws_db_parameter_group')) {
    const set = Object.fromEntries(item.blocks('parameter').map((each) => [each.value('name'), each.value('value')]));
    if (set['rds.force_ssl'] !== '1') {
      item.tell('encryption', 'name_prefix', 'the database takes connections in clear text', 'Set rds.force_ssl to 1');
    }
    if (set.synchronous_commit !== 'on') {
      item.tell('deletion', 'name_prefix', 'what is accepted could be lost', 'Set synchronous_commit to on');
    }
  }
  for (const module of house.modules) {
    for (const block of module.top.filter((each) => each.type === 'terraform')) {
      for (const backend of block.blocks.filter((each) => each.type === 'backend')) {
        if (backend.attributes.get('encrypt')?.text !== 'true') {
          house.tell(backend, 'encryption', 'the state is not encrypted', 'Set encrypt = true');
        }
      }
    }
  }
}

function deletion(house) {
  for (const item of house.all('aws_db_instance')) {
    item.must('deletion', 'deletion_protection', true, 'a slip deletes the database');
    item.must('deletion', 'skip_final_snapshot', false, 'nothing is left of it');
    item.must('deletion', 'delete_automated_backups', false, 'its backups go with it');
    if (!item.block.attributes.has('backup_retention_period') || item.value('backup_retention_period') < 7) {
      item.tell('deletion', 'backup_retention_period', 'backups of less than a week', 'Keep seven days at least');
    }
  }
  for (const item of house.all('aws_lb')) {
    item.must('deletion', 'enable_deletion_protection', true, 'a slip deletes the balancer and its name');
  }
  for (const item of house.all('aws_s3_bucket').concat(house.all('aws_ecr_repository'))) {
    for (const name of ['force_destroy', 'force_delete']) {
      if (item.value(name) === true) item.tell('deletion', name, 'goes with all that is in it', 'Take it out');
    }
  }
  for (const item of house.all('aws_secretsmanager_secret')) {
    const days = item.value('recovery_window_in_days');
    if (!isUnknown(days) && (days === undefined || days < 7)) {
      item.tell('deletion', 'recovery_window_in_days', 'a deleted secret is gone at once', 'Set 7 to 30 days');
    }
  }
  // An address of a source: what receivers think of it cannot be made anew.
  for (const item of house.all('aws_eip').filter((each) => each.text('tags').includes('todoku:source'))) {
    const kept = item.blocks('lifecycle').some((each) => each.value('prevent_destroy') === true);
    if (!kept) {
      item.tell('deletion', 'domain', 'a slip gives the address away', 'Add lifecycle { prevent_destroy = true }');
    }
  }
}
