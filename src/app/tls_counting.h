// SPDX-License-Identifier: Apache-2.0
// Counts how the protection of each attempt fared (RFC 8460), and has the store keep it by day.
#pragma once

#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "delivery/courier/outcome_recorder.h"
#include "store/store.h"
#include "sts/policy_cache.h"
#include "sts/tls_tally.h"

namespace todoku::app {

class TlsCounting final : public delivery::courier::TlsOutcomes {
 public:
  // All given outlives it. `policies`: nullptr where nobody's are gone by.
  TlsCounting(sts::PolicyCache* policies, store::Store& store, async::Executor executor,
              const Clock& clock, Metrics& metrics);

  // Any thread.
  void tried(std::string_view domain, const Outcome& outcome, const Path& path) override;

  void start();
  // Stores what is left. From any executor.
  Task<void> stop();

 private:
  Task<void> run();
  Task<void> store_counts();
  void count(std::string_view domain, TlsPolicyType policy, TlsResult result);

  sts::PolicyCache* const policies_;
  store::Store& store_;
  async::Executor executor_;
  const Clock& clock_;
  Metrics& metrics_;
  sts::TlsTally tally_;
  std::mutex mutex_;
  std::map<std::pair<TlsPolicyType, TlsResult>, Counter*> counters_;  // under it
  Trouble storing_{log::Level::warning, "counts of TLS are not stored",
                   "counts of TLS are stored again"};
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
