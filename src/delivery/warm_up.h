// SPDX-License-Identifier: Apache-2.0
// Holds sources that are warming up to their plans (policy/warm_up.h): lanes take a permit for each
// mail, and permits are taken from the store in blocks (store/warm_up.h), so that a day's volume
// holds across nodes and restarts.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "delivery/policy/warm_up.h"
#include "store/store.h"

namespace todoku::delivery {

// Thread-safe.
class WarmUp {
 public:
  using Plans = std::map<std::string, policy::WarmUpPlan, std::less<>>;  // by source
  // Days begin at midnight, which comes `offset` earlier than in UTC. Everything given outlives it.
  WarmUp(Plans plans, std::chrono::minutes offset, store::Store& store, const Clock& clock,
         Metrics& metrics);

  [[nodiscard]] bool has_plan(std::string_view source) const { return sources_.contains(source); }

  struct Permits {
    policy::Day day = 0;
    std::int64_t count = 0;
  };
  // Up to `want` of those at hand. `site` is empty where the receiver's count is not kept apart.
  [[nodiscard]] Permits take(std::string_view source, std::string_view site, std::int64_t want);
  // Of mails that were not begun.
  void give_back(std::string_view source, std::string_view site, Permits permits);

  struct Answer {
    bool granted = false;        // some are at hand now
    SteadyInstant full_until{};  // else: the day's volume has gone, and this is when it is over
    bool overflows = false;      // what waits may go by other sources
    bool everywhere = false;     // that is so for all receivers
    std::optional<Instant> begins{};  // the plan has not begun, and this is when it does
  };
  // Asks the store for permits, for about `want` mails.
  Task<Result<Answer>> ask(std::string source, std::string site, std::int64_t want);

  // The source may send nothing more today, at all or to the site, and what is over goes by others:
  // false where it waits for tomorrow.
  [[nodiscard]] bool is_full(std::string_view source, std::string_view site) const;
  // What is at hand is the next owner's. Where that cannot be said, it counts as sent. Again and
  // again while connections end that may still give something back.
  Task<void> hand_back(std::string source);

 private:
  struct Source {
    policy::WarmUpPlan plan;
    Gauge* volume = nullptr;
    Gauge* sent = nullptr;
    Counter* full = nullptr;
    policy::WarmUpPurse purse;
    bool over = false;                    // the plan is: it sends as it likes
    std::optional<policy::Day> known_of;  // the day whose volume is known
    std::int64_t volume_today = 0;
    std::map<std::string, SteadyInstant, std::less<>> full_until;  // by site; "": everywhere
  };
  struct Taken {
    std::int64_t granted = 0;
    std::int64_t sent = 0;  // in all, these included
  };

  [[nodiscard]] Source& at(std::string_view source) { return sources_.find(source)->second; }
  Task<Result<void>> learn_volume(std::string source, policy::Day today);
  [[nodiscard]] Answer answer(Source& source, const std::string& site, policy::Day today,
                              const Taken& taken, Instant now);

  const std::chrono::minutes offset_;
  store::Store& store_;
  const Clock& clock_;
  mutable std::mutex mutex_;  // guards the sources
  std::map<std::string, Source, std::less<>> sources_;
};

}  // namespace todoku::delivery
