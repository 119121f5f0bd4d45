// SPDX-License-Identifier: Apache-2.0
// Watches how credentials are used (anomaly.h), and holds those that do what they never did. What
// this process saw is judged at once, together with what the store knew of all processes when it
// was last asked: within a minute, since each writes what it saw so often at most.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "net/endpoint.h"
#include "relay/anomaly.h"
#include "store/store.h"

namespace todoku::relay {

// Thread-safe.
class CredentialWatch {
 public:
  static constexpr Milliseconds kWrittenEvery = std::chrono::minutes(1);
  static constexpr Milliseconds kLooksEvery = std::chrono::seconds(1);
  // More are let pass unwatched, because memory is bounded.
  static constexpr std::size_t kNamesMax = 10'000;

  // All of it outlives it. `changed`: tells this process that a credential has changed.
  struct World {
    store::Store& store;
    const Clock& clock;
    Metrics& metrics;
    std::function<Task<void>()> changed;
  };
  CredentialWatch(World world, const AnomalyLimits& limits);

  // A message is about to be kept. The credential that it gives is as it has become, if that is
  // why: held. Trouble with the store holds nobody.
  [[nodiscard]] Task<std::optional<store::SmtpCredential>> used(store::SmtpCredential credential,
                                                                net::IpAddress client,
                                                                std::int64_t recipients);
  // A recipient's mail was delivered or has bounced; `unknown`: for there is no such user.
  void ended(std::string_view credential, bool unknown);

  // Judges and writes what is due, each second, until it is cancelled.
  [[nodiscard]] Task<void> keep_watch();
  // What is not written yet is; false: some of it was not, by the deadline. It is a minute's worth
  // at most.
  [[nodiscard]] Task<bool> write_all(SteadyInstant deadline);

 private:
  struct Watched {
    std::optional<Habits> habits;  // what the store knew, and what was seen since
    CredentialUse unwritten;
    SteadyInstant written{};
    bool held = false;  // nothing more is judged
  };
  struct Written {
    Habits habits;
    store::SmtpCredential credential;
    std::optional<Anomaly> anomaly;  // for which it was held now
    std::string account = {};        // whose it is; only with that
  };

  // nullptr: there are too many.
  [[nodiscard]] Watched* find_locked(std::string_view name);
  [[nodiscard]] bool is_odd(const Watched& watched, Instant now) const;
  [[nodiscard]] Task<void> read(std::string name);
  // Takes in what was not written yet, judges all of it, and holds what is odd.
  [[nodiscard]] Task<std::optional<store::SmtpCredential>> write(std::string name);
  [[nodiscard]] std::vector<std::string> due(bool all);
  void tell_held(const Written& written);

  const World world_;
  const AnomalyLimits limits_;
  std::mutex mutex_;  // guards what follows
  std::unordered_map<std::string, Watched> watched_;
};

}  // namespace todoku::relay
