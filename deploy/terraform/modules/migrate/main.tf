# SPDX-License-Identifier: Apache-2.0
# `todoku migrate up`, as a task that is run before each roll-out. Only it may change tables.
data "aws_iam_policy_document" "work" {
  statement {
    sid       = "CallsNothingOfAWS"
    effect    = "Deny"
    actions   = ["*"]
    resources = ["*"]
  }
}

module "task" {
  source            = "../task"
  installation      = var.installation
  role              = "migrate"
  engine_role       = "events"
  command           = ["migrate", "up"]
  settings          = var.settings
  task_policy       = data.aws_iam_policy_document.work.json
  size              = { cpu = 256, memory = 512 }
  launch_type       = "FARGATE"
  open_files        = 65535
  database_password = "${var.database_secret_arn}:password::"
  environment       = { TODOKU_STORE__POSTGRES__ADDRESS = var.database_address }
}

module "access" {
  source                      = "../access"
  name                        = "${var.installation.name}-migrate"
  vpc_id                      = var.installation.vpc_id
  database_security_group_id  = var.installation.database_security_group_id
  endpoints_security_group_id = var.installation.endpoints_security_group_id
  s3_prefix_list_id           = var.installation.s3_prefix_list_id
}
