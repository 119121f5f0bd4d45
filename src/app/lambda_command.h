// SPDX-License-Identifier: Apache-2.0
// `todoku lambda`: side jobs as a function of AWS Lambda (lambda/README.md). All it needs comes
// from the environment; there is no store and no engine.
//
//   TODOKU_API_URL           where todoku's API is: "https://mail.example.jp"
//   TODOKU_API_TOKEN         an account's bearer token, or its file:
//   TODOKU_API_TOKEN_FILE
//   TODOKU_IMPORT_BYTES_MAX  of a list, 64 MiB if absent; it is held in memory twice
//   TODOKU_EMF_NAMESPACE     of its metrics, "todoku" if absent
//   AWS_LAMBDA_RUNTIME_API, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN: by Lambda
//   AWS_ENDPOINT_URL_S3      instead of the region's own
#pragma once

#include <string>

#include "base/result.h"
#include "config/config.h"
#include "lambda/jobs.h"
#include "lambda/object_store.h"

namespace todoku::app {

struct LambdaSettings {
  std::string runtime_api;
  lambda::ObjectStoreOptions objects;
  lambda::JobOptions jobs;
};

// Errors: invalid_input, a sentence that names the variable. `runtime_api` is there all the same if
// it is known at all: that is where Lambda is told.
[[nodiscard]] Result<void> read_lambda_settings(const config::Environment& environment,
                                                LambdaSettings& settings);

// The exit status.
[[nodiscard]] int run_lambda(const config::Environment& environment);

}  // namespace todoku::app
