// SPDX-License-Identifier: Apache-2.0
// Connections that could not be begun for want of something of our own: files, ports, memory, the
// address to send from. No site is to blame and no mail was tried; it is counted and, once for as
// long as it lasts, told.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"

namespace todoku::delivery::egress {

// Thread-safe.
class OwnShortage {
 public:
  // `clock` must outlive it.
  OwnShortage(Metrics& metrics, const Clock& clock)
      : total_(
            metrics.counter("todoku_smtp_own_shortages_total",
                            "Connections to receivers that could not be begun for want of files, "
                            "ports or memory, or of the address to send from. Mail waits; no "
                            "attempt.")),
        clock_(clock) {}

  // `reason`: what the system said.
  void met(std::string_view reason) {
    total_.add();
    trouble_.failed(clock_.steady_now(),
                    {{"reason", reason}, {"action", "mail waits; it is no attempt"}});
  }
  // A connection was begun.
  void over() { trouble_.worked(clock_.steady_now()); }

 private:
  Counter& total_;
  const Clock& clock_;
  Trouble trouble_{log::Level::error, "no connections to receivers for want of our own",
                   "connections to receivers are begun again"};
};

}  // namespace todoku::delivery::egress
