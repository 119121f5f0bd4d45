// SPDX-License-Identifier: Apache-2.0
// How a mail leaves a lane. Whoever has it in hand - a connection, the ledger - says here what
// becomes of it, and nothing that is known of it from before is lost on the way: that it may have
// arrived already (BatchInFlight::Doubt), that the store holds it for being out (at most once).
#pragma once

#include <string_view>

#include "async/task.h"
#include "delivery/work.h"

namespace todoku::delivery::egress {

// Thread-safe. The sink and both names outlive it.
class WayOut {
 public:
  WayOut(OutcomeSink& sink, std::string_view site, std::string_view source)
      : sink_(sink), site_(site), source_(source) {}

  // This became of it. A doubt from before is told with it.
  void settle(const Mail& mail, Outcome outcome, Path path, Milliseconds duration) const;
  // It is not tried now. One in doubt, which was to go again at once, is settled as that.
  void park(const Mail& mail, SteadyInstant until) const;
  // It goes back to the lane, and nothing of it went out just now: what the store was told of its
  // beginning is taken back. Its doubt stays with it.
  [[nodiscard]] Task<void> stay(Mail mail) const;

 private:
  OutcomeSink& sink_;
  const std::string_view site_;
  const std::string_view source_;
};

}  // namespace todoku::delivery::egress
