// SPDX-License-Identifier: Apache-2.0
// How many recipients may be outstanding for a site: handed to couriers and not yet settled.
//
// Intuition: work in the store costs nothing while it waits, work in memory does. A site gets about
// ten seconds of what it has shown it can take, at least two batches so that it can show it, never
// more than a fixed share of memory. A site at rest gets none, and afterwards one batch until it
// has taken some mail: what a failing site cannot take is not claimed and parked again and again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace todoku::delivery::policy {

struct CreditOptions {
  std::int64_t minimum = 1'000;      // recipients: two batches
  std::int64_t maximum = 20'000;     // recipients of one site
  std::int64_t total = 100'000;      // recipients of all sites together
  std::chrono::seconds horizon{10};  // of the site's measured pace
};

class CreditLedger {
 public:
  explicit CreditLedger(CreditOptions options) : options_(options) {}

  // Recipients that may be handed out for `site` now; 0 while it rests.
  [[nodiscard]] std::int64_t available(std::string_view site, SteadyInstant now) const;
  void hand_out(std::string_view site, std::int64_t recipients);
  // Settled recipients give their credit back and tell the site's pace.
  void settle(std::string_view site, std::int64_t recipients, SteadyInstant now);
  // Recipients that were not tried: says nothing about the site's pace.
  void give_back(std::string_view site, std::int64_t recipients);
  void rest_until(std::string_view site, SteadyInstant until);

  [[nodiscard]] std::int64_t outstanding(std::string_view site) const;
  [[nodiscard]] std::int64_t outstanding_total() const { return total_outstanding_; }

 private:
  struct Site {
    std::int64_t outstanding = 0;
    double pace = 0;  // recipients a second, smoothed over the last seconds
    std::int64_t settled_in_window = 0;
    SteadyInstant window_start{};
    SteadyInstant rest_until{};
    bool on_probation = false;  // it has rested and has settled nothing since
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  [[nodiscard]] const Site* find(std::string_view site) const;
  Site& site(std::string_view name);

  CreditOptions options_;
  std::int64_t total_outstanding_ = 0;
  std::unordered_map<std::string, Site, Hash, std::equal_to<>> sites_;
};

}  // namespace todoku::delivery::policy
