# SPDX-License-Identifier: Apache-2.0
# A tag never moves: what was tested under it is what runs, and a roll-back gets what ran before.
resource "aws_ecr_repository" "this" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"
  image_scanning_configuration {
    scan_on_push = true
  }
  encryption_configuration {
    encryption_type = "KMS"
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy = jsonencode({
    rules = [
      # What a rule has taken is not taken by the next: the image that writes files never goes with the old versions.
      {
        rulePriority = 1
        description  = "images that write files"
        selection = {
          tagStatus     = "tagged"
          tagPrefixList = ["settings-"]
          countType     = "imageCountMoreThan"
          countNumber   = 10
        }
        action = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "the last versions"
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = var.images_kept }
        action       = { type = "expire" }
      },
    ]
  })
}
