# SPDX-License-Identifier: Apache-2.0
output "bucket_name" {
  description = "Where lists are put: lists/DELIVERY/any.csv."
  value       = aws_s3_bucket.lists.bucket
}
