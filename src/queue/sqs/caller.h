// SPDX-License-Identifier: Apache-2.0
// One call of SQS after the other: signed, repeated where that helps, told where it does not.
#pragma once

#include <array>
#include <expected>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "base/trouble.h"
#include "http/client.h"
#include "queue/breaker.h"
#include "queue/sqs/credential_source.h"
#include "queue/sqs/messages.h"

namespace todoku::queue::sqs {

// Where SQS is reached.
struct Endpoint {
  std::string url;   // "https://sqs.ap-northeast-1.amazonaws.com/"
  std::string host;  // as Host says it, with the port if it is not the usual one

  // `url` empty: the region's own. Errors: invalid_input, no http or https URL without a path.
  [[nodiscard]] static Result<Endpoint> make(std::string_view url, std::string_view region);
};

// Why a call did not do what it should. `code` is the name that SQS gave the refusal; empty if no
// refusal came.
struct CallFailure {
  Error error;
  std::string code;
};

// How long a call may take.
struct CallBounds {
  Milliseconds all{};                          // every try and the waits between them
  Milliseconds once{std::chrono::seconds(5)};  // one try
  Milliseconds least{0};  // a try that is repeated is not begun with less time than this
};

// Lives on one thread, with everybody who calls.
class Caller {
 public:
  // All outlive the caller.
  Caller(Endpoint endpoint, std::string region, http::Client& http, CredentialSource& credentials,
         const Clock& clock, Random& random, Metrics& metrics);

  // The body of the answer with 200. Repeats what the network or SQS could not do, with back-off
  // and jitter, as long as the bounds go; gets other credentials once; corrects the clock once.
  // Errors: unavailable, timeout, not_found (the queue), unauthorized (the detail says what to do),
  // invalid_input (SQS will not have it), cancelled.
  Task<std::expected<std::string, CallFailure>> call(Action action, std::string body,
                                                     CallBounds bounds);

  // Seconds by which SQS's clock is ahead of ours, as its refusals have shown.
  [[nodiscard]] Milliseconds skew() const { return skew_; }
  // The time by SQS's clock.
  [[nodiscard]] Instant now() const { return clock_.now() + skew_; }

 private:
  struct Counts {
    Counter* calls = nullptr;
    Counter* failures = nullptr;
  };
  // What a try showed.
  struct Tried {
    std::expected<std::string, CallFailure> outcome;
    bool again = false;         // after a pause
    bool at_once = false;       // something has been mended
    Credentials credentials{};  // it went with
  };

  Task<Tried> attempt(Action action, const std::string& body, Milliseconds bound);
  [[nodiscard]] http::ClientRequest signed_request(Action action, const std::string& body,
                                                   const Credentials& credentials) const;
  Tried judge(Action action, http::ClientResponse response);
  // True if the refusal's Date shows that our clock is off by more than was known.
  bool correct_clock(const http::ClientResponse& response);

  const Endpoint endpoint_;
  const std::string region_;
  http::Client& http_;
  CredentialSource& credentials_;
  const Clock& clock_;
  Random& random_;
  std::array<Counts, kActions> counts_;
  Gauge& skew_gauge_;
  Milliseconds skew_{0};
};

}  // namespace todoku::queue::sqs
