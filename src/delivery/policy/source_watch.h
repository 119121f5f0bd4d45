// SPDX-License-Identifier: Apache-2.0
// Which sources a courier takes and gives up, and which have an owner that lives, from what the
// store says of their owners (store/cluster.h).
//
// Intuition: what was given up is free at once. Of a dead owner the store says that it is void; but
// it may be at work for as long as its lease runs by its own steady clock, so its sources are taken
// only after a whole lease was waited out by ours (renewal_watch.h). Who has a source already
// leaves a free one to others for a moment, so that couriers that stand by get some, and for longer
// where another is known that has fewer. Who has too many hands over (source_balance.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "delivery/policy/renewal_watch.h"
#include "delivery/policy/source_balance.h"

namespace todoku::delivery::policy {

struct SourceSeen {
  std::string source;
  std::int64_t node = 0;  // its owner
  Milliseconds left{};    // of its owner's lease, in the store's time; negative: lapsed
  Instant until{};        // the end of that: another one after each renewal
  bool is_void = false;   // its owner counts as dead
};

class SourceWatch {
 public:
  struct Configured {
    std::string name;
    bool is_here = true;  // its address is this host's
    bool in_use = false;  // something of it is on its way
  };
  struct Steps {
    std::vector<std::string> owned;        // in the order of the configured
    std::optional<std::string> take;       // ask the store for it
    std::vector<std::string> give;         // owned until now, and over
    std::optional<std::string> hand_over;  // owned until now: another courier has fewer
    bool ending = false;                   // some have ended and are still in use: look again soon
  };

  static constexpr Milliseconds kOthersFirst = std::chrono::seconds(2);
  // Where another has fewer: it looks every two seconds, and waits for kOthersFirst.
  static constexpr Milliseconds kFewerFirst = std::chrono::seconds(8);

  // How long an owner's lease is.
  explicit SourceWatch(Milliseconds lease) : lease_(lease) {}

  // What the store says of everything that was not given up; it was asked at `asked` and has
  // answered at `answered`. `itself`: our own node, whose lease holds.
  [[nodiscard]] Steps look(const std::vector<Configured>& configured,
                           const std::vector<SourceSeen>& owners, std::int64_t itself,
                           SteadyInstant asked, SteadyInstant answered);
  // Who could send from what, this one among them, in one order everywhere; asked for at `asked`.
  // What is over 20 s old is known no more.
  void couriers(std::vector<CourierSeen> couriers, SteadyInstant asked);

 private:
  static constexpr Milliseconds kCouriersHold = std::chrono::seconds(20);
  [[nodiscard]] bool another_has_fewer(const std::string& source,
                                       const std::vector<SourceSeen>& owners,
                                       std::int64_t itself) const;
  [[nodiscard]] std::optional<std::string> to_hand_over(const std::vector<SourceSeen>& owners,
                                                        std::int64_t itself, SteadyInstant now);

  const Milliseconds lease_;
  RenewalWatch watch_;
  std::vector<CourierSeen> couriers_;
  SteadyInstant couriers_asked_{};
  SourceBalance balance_;
  // Ours, but not here any more or another's to be; since when.
  std::map<std::string, SteadyInstant> ending_;
  std::map<std::string, SteadyInstant> free_;  // since when
};

// Which sources have a living owner. A lease that has lapsed in the store's time alone says nothing
// yet: its clock may have leapt.
class LivingWatch {
 public:
  explicit LivingWatch(Milliseconds lease) : lease_(lease) {}

  // Their names, in order.
  [[nodiscard]] std::vector<std::string> look(const std::vector<SourceSeen>& owners,
                                              SteadyInstant asked, SteadyInstant answered);

 private:
  const Milliseconds lease_;
  RenewalWatch watch_;
};

}  // namespace todoku::delivery::policy
