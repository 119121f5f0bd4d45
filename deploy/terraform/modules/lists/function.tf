# SPDX-License-Identifier: Apache-2.0
# `todoku lambda`: a list put into the bucket becomes an import, a dead letter an alarm. No mail passes through it.
data "aws_caller_identity" "this" {}

data "aws_region" "here" {}

data "aws_secretsmanager_secret_version" "token" {
  secret_id = var.token_secret_arn
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.name}/lambda"
  retention_in_days = var.log_retention_days
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "work" {
  statement {
    sid       = "WriteTheLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }
  statement {
    sid       = "ReadLists"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.lists.arn}/*"]
  }
  # Lambda itself receives for the function, and deletes what it has taken.
  statement {
    sid       = "ReadDeadLetters"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    resources = [var.dead_letters_arn]
  }
}

resource "aws_iam_role" "this" {
  name               = "${var.name}-lambda"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "this" {
  name   = "work"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.work.json
}

data "aws_iam_policy_document" "pull" {
  statement {
    sid       = "LambdaPullsTheImage"
    actions   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [var.repository_arn]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = ["arn:aws:lambda:${data.aws_region.here.region}:${data.aws_caller_identity.this.account_id}:function:${var.name}"]
    }
  }
}

resource "aws_ecr_repository_policy" "pull" {
  repository = var.repository_name
  policy     = data.aws_iam_policy_document.pull.json
}

resource "aws_lambda_function" "this" {
  function_name = var.name
  description   = "Imports lists from S3, tells of dead letters"
  role          = aws_iam_role.this.arn
  package_type  = "Image"
  image_uri     = var.image
  architectures = ["x86_64"]
  # The largest list three times over (docs/operating.md), and a minute in which the import may end.
  memory_size = 512
  timeout     = 120
  # An import must not begin twice at once; more lists wait.
  reserved_concurrent_executions = 5
  image_config {
    command = ["lambda"]
  }
  environment {
    variables = {
      TODOKU_API_URL       = var.api_url
      TODOKU_API_TOKEN     = data.aws_secretsmanager_secret_version.token.secret_string
      TODOKU_EMF_NAMESPACE = var.name
    }
  }
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.this.name
  }
  depends_on = [aws_iam_role_policy.this, aws_ecr_repository_policy.pull]
}

# A list is not imported twice because the first time took long: what failed is told, and a person looks.
resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = aws_lambda_function.this.function_name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 3600
}

resource "aws_lambda_permission" "bucket" {
  statement_id   = "lists"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this.function_name
  principal      = "s3.amazonaws.com"
  source_arn     = aws_s3_bucket.lists.arn
  source_account = data.aws_caller_identity.this.account_id
}

resource "aws_s3_bucket_notification" "lists" {
  bucket = aws_s3_bucket.lists.id
  lambda_function {
    lambda_function_arn = aws_lambda_function.this.arn
    events              = ["s3:ObjectCreated:*"]
    filter_suffix       = ".csv"
  }
  depends_on = [aws_lambda_permission.bucket]
}

resource "aws_lambda_event_source_mapping" "dead_letters" {
  event_source_arn = var.dead_letters_arn
  function_name    = aws_lambda_function.this.arn
  batch_size       = 10
}
