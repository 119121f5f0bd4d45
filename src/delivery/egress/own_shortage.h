// SPDX-License-Identifier: Apache-2.0
// Connections that could not be begun, or not be used, for want of something of our own: files,
// ports, memory, the address to send from; room to compose mails in. No site is to blame and no
// mail was tried; it is counted and, once for as long as it lasts, told.
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
        no_room_total_(
            metrics.counter("todoku_composing_memory_shortages_total",
                            "Connections to receivers that were given up because their mail found "
                            "no memory to be composed in. Mail waits; no attempt.")),
        clock_(clock) {}

  // `reason`: what the system said.
  void met(std::string_view reason) {
    total_.add();
    trouble_.failed(clock_.steady_now(),
                    {{"reason", reason}, {"action", "mail waits; it is no attempt"}});
  }
  // A connection was begun.
  void over() { trouble_.worked(clock_.steady_now()); }
  // A mail waited in vain for memory to be composed in; one has found it.
  void no_room() {
    no_room_total_.add();
    no_room_.failed(clock_.steady_now(), {{"action", "mail waits; it is no attempt"}});
  }
  void room_again() { no_room_.worked(clock_.steady_now()); }

 private:
  Counter& total_;
  Counter& no_room_total_;
  const Clock& clock_;
  Trouble trouble_{log::Level::error, "no connections to receivers for want of our own",
                   "connections to receivers are begun again"};
  Trouble no_room_{log::Level::warning,
                   "mails find no memory to be composed in: large ones are under way to many "
                   "receivers at once",
                   "mails find memory to be composed in again"};
};

}  // namespace todoku::delivery::egress
