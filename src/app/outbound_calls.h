// SPDX-License-Identifier: Apache-2.0
// Calls of this process to hosts that tenants name (http/guarded): webhooks and their challenges.
// Names are looked up by a resolver of their own, so that zones that hang hold up no mail.
#pragma once

#include <cstddef>
#include <memory>

#include "async/runtime.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "config/config.h"
#include "dns/unbound_resolver.h"
#include "http/guarded/guarded_client.h"

namespace todoku::app {

class OutboundCalls {
 public:
  // At most `calls_max` under way. Errors: a resolver that cannot be used.
  [[nodiscard]] static Result<std::unique_ptr<OutboundCalls>> make(const config::Config& config,
                                                                   std::size_t calls_max,
                                                                   async::Executor executor,
                                                                   const Clock& clock,
                                                                   Metrics& metrics);

  // From any executor.
  [[nodiscard]] Task<http::GuardedAnswer> send(http::GuardedRequest request) {
    return client_.send(std::move(request));
  }
  [[nodiscard]] const net::OutboundRule& rule() const { return client_.rule(); }

  // After all who call. Blocks nobody: what is still looked up ends.
  Task<void> stop() { return resolver_->stop(); }

 private:
  OutboundCalls(std::unique_ptr<dns::UnboundResolver> resolver, http::GuardedOptions options,
                const Clock& clock)
      : resolver_(std::move(resolver)), client_(std::move(options), *resolver_, clock) {}

  const std::unique_ptr<dns::UnboundResolver> resolver_;
  http::GuardedClient client_;
};

}  // namespace todoku::app
