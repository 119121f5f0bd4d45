// SPDX-License-Identifier: Apache-2.0
// Asks the DNS for the records that prove domains (access/domain_proof.h). By a resolver of its
// own: any process may be asked to look, also one that sends nothing, and who has just published a
// record wants it seen, whatever was remembered of its absence.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/runtime.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "config/config.h"
#include "dns/unbound_resolver.h"

namespace todoku::app {

class ProofNames {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ProofNames>> make(const config::Config& config,
                                                                async::Executor executor,
                                                                const Clock& clock,
                                                                Metrics& metrics);

  // What is there; `anew`: nothing that was remembered counts. From any executor.
  [[nodiscard]] Task<Result<std::vector<std::string>>> texts(std::string name, bool anew);
  [[nodiscard]] dns::UnboundResolver& resolver() { return *resolver_; }
  Task<void> stop() { return resolver_->stop(); }

 private:
  explicit ProofNames(std::unique_ptr<dns::UnboundResolver> resolver)
      : resolver_(std::move(resolver)) {}

  const std::unique_ptr<dns::UnboundResolver> resolver_;
};

}  // namespace todoku::app
