// SPDX-License-Identifier: Apache-2.0
// What an EC2 instance is told about itself (IMDSv2): a token is asked for first, every question
// shows it.
#pragma once

#include <string>
#include <string_view>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/client.h"

namespace todoku::queue::sqs {

// One exchange with who tells about the machine, the instance's or the container's: the body of a
// 200, of at most 64 KiB, within 5 seconds. Errors: not_found, unauthorized (any other refusal),
// unavailable, cancelled.
[[nodiscard]] Task<Result<std::string>> ask_locally(http::Client& http,
                                                    http::ClientRequest request);

// Lives on one thread, with everybody who asks it.
class InstanceMetadata {
 public:
  // `url` without a path. `http` and `clock` outlive it.
  InstanceMetadata(std::string url, http::Client& http, const Clock& clock)
      : url_(std::move(url)), http_(http), clock_(clock) {}

  // What stands at /latest/meta-data/`path`. Errors as above; `unavailable` with a hint where not
  // even a token is given.
  [[nodiscard]] Task<Result<std::string>> get(std::string path);

 private:
  [[nodiscard]] Task<Result<void>> renew_token();
  [[nodiscard]] Task<Result<std::string>> get_with_token(const std::string& path);

  const std::string url_;
  http::Client& http_;
  const Clock& clock_;
  std::string token_;
  SteadyInstant token_until_{};
};

}  // namespace todoku::queue::sqs
