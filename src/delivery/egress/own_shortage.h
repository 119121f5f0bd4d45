// SPDX-License-Identifier: Apache-2.0
// Connections that could not be begun for want of something of our own: files, ports, memory, the
// address to send from. No site is to blame and no mail was tried; it is counted and, once for as
// long as it lasts, told.
#pragma once

#include <atomic>
#include <string_view>

#include "base/log.h"
#include "base/metrics.h"

namespace todoku::delivery::egress {

// Thread-safe.
class OwnShortage {
 public:
  explicit OwnShortage(Metrics& metrics)
      : total_(
            metrics.counter("todoku_smtp_own_shortages_total",
                            "Connections to receivers that could not be begun for want of files, "
                            "ports or memory, or of the address to send from. Mail waits; no "
                            "attempt.")) {}

  // `reason`: what the system said.
  void met(std::string_view reason) {
    total_.add();
    if (lasts_.exchange(true, std::memory_order_relaxed)) return;
    log::error("no connections to receivers for want of our own",
               {{"reason", reason}, {"action", "mail waits; it is no attempt"}});
  }
  // A connection was begun.
  void over() {
    if (!lasts_.load(std::memory_order_relaxed)) return;
    if (lasts_.exchange(false)) log::info("connections to receivers are begun again");
  }

 private:
  Counter& total_;
  std::atomic<bool> lasts_ = false;
};

}  // namespace todoku::delivery::egress
