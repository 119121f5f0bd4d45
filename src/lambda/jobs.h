// SPDX-License-Identifier: Apache-2.0
// What is done with an event: a CSV put into S3 becomes an import over the public API; a dead
// letter becomes an alarm, a log line in a fixed form and a metric. What is stuck the store
// decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/client.h"
#include "lambda/events.h"
#include "lambda/object_store.h"

namespace todoku::lambda {

struct JobOptions {
  std::string api_url;    // "https://mail.example.jp", without a path
  std::string api_token;  // the bearer token of an account
  std::string emf_namespace = "todoku";
  // A line of figures (ops/emf.h), and whether it was taken.
  std::function<bool(std::string line)> write_figures;
};

class Jobs {
 public:
  // All outlive it.
  Jobs(JobOptions options, ObjectStore& objects, http::Client& http, const Clock& clock)
      : options_(std::move(options)), objects_(objects), http_(http), clock_(clock) {}

  // What is answered to Lambda: JSON. An event has come through if all of it has; of one that comes
  // again, to this process, what was done is not done again. Errors: as to the detail, a sentence
  // that says what to do.
  Task<Result<std::string>> run(Event event, SteadyInstant deadline);

 private:
  static constexpr std::size_t kRemembered = 1'000;

  Task<Result<void>> import(PutObject object, SteadyInstant deadline);
  // The number of the job that it began.
  Task<Result<std::int64_t>> upload(std::int64_t delivery, Object object, SteadyInstant deadline);
  // Waits for its end. One that takes longer than a minute has begun, that is all that is told.
  Task<Result<void>> follow(std::int64_t job, SteadyInstant deadline);
  Task<Result<std::string>> status_of(std::int64_t job, SteadyInstant deadline);
  void raise_alarm(const DeadLetter& letter) const;
  void show(std::string_view metric, std::size_t count) const;
  [[nodiscard]] Milliseconds left(SteadyInstant deadline) const;

  const JobOptions options_;
  ObjectStore& objects_;
  http::Client& http_;
  const Clock& clock_;
  std::deque<std::string> done_;  // puts, the oldest first
};

}  // namespace todoku::lambda
