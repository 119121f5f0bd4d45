// SPDX-License-Identifier: Apache-2.0
// The MTA-STS policies that a process goes by which sends: the cache with what fetches and keeps.
#pragma once

#include <optional>
#include <string>

#include "async/runtime.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "config/config.h"
#include "dns/resolver.h"
#include "http/guarded/guarded_client.h"
#include "store/store.h"
#include "sts/policy_cache.h"
#include "sts/policy_fetch.h"

namespace todoku::app {

// Policies in the store, for all nodes and after a restart.
class StoredPolicies final : public sts::PolicyShelf {
 public:
  explicit StoredPolicies(store::Store& store) : store_(store) {}
  [[nodiscard]] Task<Result<std::optional<Held>>> find(std::string domain) override;
  [[nodiscard]] Task<Result<void>> keep(std::string domain, Held held) override;

 private:
  store::Store& store_;
};

class MtaSts {
 public:
  // All of it outlives the object. The resolver is the one of routes: fetches are few.
  MtaSts(const config::Config& config, dns::Resolver& resolver, store::Store& store,
         async::Executor executor, const Clock& clock, Metrics& metrics);

  [[nodiscard]] sts::PolicyCache& policies() { return policies_; }
  // After all who ask; on the executor.
  [[nodiscard]] Task<void> stop() { return policies_.stop(); }

 private:
  StoredPolicies shelf_;
  http::GuardedClient client_;
  sts::WebPolicyFetch fetch_;
  sts::PolicyCache policies_;
};

[[nodiscard]] sts::WebPolicyFetch::Options policy_fetch_options(const config::Config& config);

}  // namespace todoku::app
