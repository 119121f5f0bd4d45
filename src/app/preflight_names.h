// SPDX-License-Identifier: Apache-2.0
// The resolver of preflights, of its own: domains of a list that hang hold up no mail.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "app/preflight_facts.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "config/config.h"
#include "dns/unbound_resolver.h"

namespace todoku::app {

class PreflightNames {
 public:
  // `sockets`: that may be open to name servers (open_files.h), those of checks aside. What is
  // given outlives it. Errors: a resolver that cannot be used.
  [[nodiscard]] static Result<std::unique_ptr<PreflightNames>> make(const config::Config& config,
                                                                    std::size_t sockets,
                                                                    async::Executor executor,
                                                                    const Clock& clock,
                                                                    Metrics& metrics);
  // For a few seconds after a check that did not pass, it says that the resolver is doubted: who
  // commits then waits for no dead one.
  [[nodiscard]] PreflightWorld world();
  // Every open question ends, and so does every later one.
  Task<void> stop() { return resolver_->stop(); }

 private:
  PreflightNames(std::unique_ptr<dns::UnboundResolver> resolver, const config::Config& config,
                 const Clock& clock)
      : resolver_(std::move(resolver)), config_(config), clock_(clock) {}

  const std::unique_ptr<dns::UnboundResolver> resolver_;
  const config::Config& config_;
  const Clock& clock_;
  // Checks may end after this does.
  const std::shared_ptr<std::atomic<SteadyInstant>> doubted_until_ =
      std::make_shared<std::atomic<SteadyInstant>>(SteadyInstant::min());
};

}  // namespace todoku::app
