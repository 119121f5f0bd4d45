// SPDX-License-Identifier: Apache-2.0
// The loop of a custom runtime ("Using the Lambda runtime API for custom runtimes", API version
// 2018-06-01):
//
//   next ──event──> Jobs ──> response | error ──> next
//
// Lambda freezes the process while next() waits, for as long as it likes.
#pragma once

#include <cstdint>
#include <string>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/client.h"
#include "lambda/jobs.h"

namespace todoku::lambda {

class Runtime {
 public:
  // `place`: host and port of the runtime API. All outlive it.
  Runtime(const std::string& place, http::Client& http, const Clock& clock)
      : base_("http://" + place + "/2018-06-01/runtime/"), http_(http), clock_(clock) {}

  // The function cannot do anything as it is set up: told to Lambda instead of run().
  Task<Result<void>> cannot_begin(Error why);
  // Takes events one after the other. Ends with an error when the runtime API is not there or
  // speaks otherwise than documented: Lambda begins another process then.
  Task<Result<void>> run(Jobs& jobs);

 private:
  struct Invocation {
    std::string id;
    SteadyInstant deadline{};
    std::string event;
  };

  Task<Result<Invocation>> next();
  Task<Result<void>> serve(Jobs& jobs, Invocation invocation);
  Task<Result<void>> post(std::string path, std::string body, bool is_error);

  const std::string base_;
  http::Client& http_;
  const Clock& clock_;
};

}  // namespace todoku::lambda
