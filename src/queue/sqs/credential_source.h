// SPDX-License-Identifier: Apache-2.0
// Where the credentials come from: the environment, the container's giver, or the instance's
// metadata (IMDSv2), the first that is there. Asked by one at a time, and anew before they expire.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/trouble.h"
#include "http/client.h"
#include "queue/sqs/credentials.h"
#include "queue/sqs/instance_metadata.h"

namespace todoku::queue::sqs {

struct CredentialOptions {
  Credentials fixed;  // of the environment; used if it has a key
  std::string container_relative_uri;
  std::string container_full_uri;
  std::string container_token;
  std::string container_token_file;  // read anew each time; before container_token
  std::string metadata_url = "http://169.254.169.254";
};

// Lives on one thread, with everybody who asks it.
class CredentialSource {
 public:
  // `http` and `clock` outlive the source.
  CredentialSource(CredentialOptions options, http::Client& http, const Clock& clock,
                   Metrics& metrics, const async::Executor& executor);

  // Credentials good at `now`, which is the time of AWS. They are renewed in the background, and
  // waited for only if those at hand have expired, until `deadline`. Errors: unauthorized (nobody
  // gives any, the detail says what to do), unavailable (who gives them does not answer).
  Task<Result<Credentials>> get(Instant now, SteadyInstant deadline);

  // SQS refused these as expired or unknown: whoever asks next gets others, if there are others.
  void refused(const Credentials& credentials);
  // To be awaited before the end.
  Task<void> stop() { return renewing_.stop(); }
  // Whether asking again could give others.
  [[nodiscard]] bool renewable() const { return options_.fixed.access_key_id.empty(); }

 private:
  [[nodiscard]] bool good(Instant now, Milliseconds ahead) const;
  void begin_renewal();
  Task<void> renew();
  Task<Result<Credentials>> ask();
  Task<Result<Credentials>> ask_container(std::string url);
  Task<Result<Credentials>> ask_instance();

  const CredentialOptions options_;
  http::Client& http_;
  const Clock& clock_;
  Counter& renewals_;
  Counter& failures_;
  Trouble trouble_{log::Level::warning, "AWS credentials not renewed",
                   "AWS credentials are renewed again"};
  std::optional<Credentials> at_hand_;
  std::optional<Error> failed_;  // how the last asking ended
  SteadyInstant ask_after_{};    // not before, after a failure
  bool ever_given_ = false;
  bool asking_ = false;
  InstanceMetadata metadata_;
  async::Signal asked_;
  async::TaskGroup renewing_;
};

}  // namespace todoku::queue::sqs
