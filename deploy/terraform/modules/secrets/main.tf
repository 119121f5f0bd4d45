# SPDX-License-Identifier: Apache-2.0
# Places of secrets, without values: a value given here would stand in Terraform's state. README.md tells how each
# is put in. All services read only those that they are given (modules/service).
locals {
  secrets = {
    master-key        = "The key under which private keys of DKIM are encrypted (TODOKU_MASTER_KEY)."
    database-password = "Password of the engine's user of the database."
    relay-certificate = "Certificate chain of the relay (PEM)."
    relay-key         = "Private key of the relay's certificate (PEM)."
    lists-token       = "Bearer token of the account whose lists are imported from S3."
  }
}

resource "aws_secretsmanager_secret" "this" {
  for_each                = local.secrets
  name                    = "${var.name}/${each.key}"
  description             = each.value
  recovery_window_in_days = 30
}
