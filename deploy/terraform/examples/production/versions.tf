# SPDX-License-Identifier: Apache-2.0
terraform {
  required_version = ">= 1.10"
  # bucket, key and region by `terraform init -backend-config=...`. Only who deploys may read it.
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.66"
    }
  }
}

provider "aws" {
  region = var.region
  default_tags {
    tags = { installation = var.name }
  }
}
