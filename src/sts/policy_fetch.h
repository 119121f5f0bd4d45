// SPDX-License-Identifier: Apache-2.0
// One policy, from https://mta-sts.<domain>/.well-known/mta-sts.txt (RFC 8461 section 3.3): no
// redirects, a certificate for the policy host by a public authority, status 200, text/plain, at
// most 64 KiB.
#pragma once

#include <cstdint>
#include <string>

#include "async/task.h"
#include "base/clock.h"
#include "http/guarded/guarded_client.h"
#include "mailauth/mta_sts/knowledge.h"

namespace todoku::sts {

class PolicyFetch {
 public:
  virtual ~PolicyFetch() = default;
  // `domain`: A-labels. A failure that is busy (FetchFailure) says nothing of the domain.
  [[nodiscard]] virtual Task<mailauth::mta_sts::Fetched> fetch(std::string domain) = 0;
};

class WebPolicyFetch final : public PolicyFetch {
 public:
  struct Options {
    Milliseconds timeout{30'000};  // for everything; section 3.3 suggests a minute
    std::uint16_t port = 443;      // another one is for tests alone
  };
  // The client outlives it.
  WebPolicyFetch(http::GuardedClient& client, Options options)
      : client_(client), options_(options) {}
  [[nodiscard]] Task<mailauth::mta_sts::Fetched> fetch(std::string domain) override;

 private:
  http::GuardedClient& client_;
  const Options options_;
};

// What an answer of the policy host is worth. Pure.
[[nodiscard]] mailauth::mta_sts::Fetched judge_answer(const http::GuardedAnswer& answer);

}  // namespace todoku::sts
