// SPDX-License-Identifier: Apache-2.0
// How old may be what this process knows of orders that others took: what is paused or stopped, who
// came onto a list of suppressions. Such an order holds within a second of its answer, also in a
// process that was stopped for a while, or whose questions were not answered: it begins nothing
// until it has heard.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "delivery/node_lease.h"

namespace todoku::delivery {

// Thread-safe.
class Hearing {
 public:
  enum class Of : std::uint8_t { courses, suppressions };

  // `within`: orders that are older are known whenever something is begun; nullopt: nobody else
  // takes any.
  Hearing(const Clock& clock, std::optional<Milliseconds> within)
      : clock_(clock), within_(within) {}

  // All orders are known that were there at `asked`, by the steady clock. True: it is in time
  // again, which it was not.
  bool heard(Of of, SteadyInstant asked) {
    const bool was_in_time = in_time();
    until_[static_cast<std::size_t>(of)] = asked.time_since_epoch().count();
    return !was_in_time && in_time();
  }
  [[nodiscard]] bool in_time() const {
    if (!within_) return true;
    const std::int64_t least = (clock_.steady_now() - *within_).time_since_epoch().count();
    return until_[0].load() >= least && until_[1].load() >= least;
  }

 private:
  const Clock& clock_;
  const std::optional<Milliseconds> within_;
  // Until when all is known, in units of the steady clock; at first nothing is.
  std::array<std::atomic<std::int64_t>, 2> until_{INT64_MIN, INT64_MIN};
};

// A lease under which nothing is begun by who does not hear.
class HearingLease final : public NodeLease {
 public:
  // Both outlive it.
  HearingLease(NodeLease& lease, const Hearing& hearing) : lease_(lease), hearing_(hearing) {}
  [[nodiscard]] store::NodeKey key() const override { return lease_.key(); }
  [[nodiscard]] bool holds() const override { return lease_.holds() && hearing_.in_time(); }
  void renew_soon() override { lease_.renew_soon(); }

 private:
  NodeLease& lease_;
  const Hearing& hearing_;
};

}  // namespace todoku::delivery
