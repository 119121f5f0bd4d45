// SPDX-License-Identifier: Apache-2.0
// How many mails a lane has given back to the store while its site rests, and that are not due yet:
// they are the lane's to send, though it does not hold them.
#pragma once

#include <cstddef>
#include <iterator>
#include <map>

#include "base/clock.h"

namespace todoku::delivery::policy {

class GivenBack {
 public:
  // `until` comes to whole seconds: there are no more of them than the longest rest has.
  void add(std::size_t mails, SteadyInstant until, SteadyInstant now) {
    forget_due(now);
    if (mails == 0 || until <= now) return;
    due_[std::chrono::ceil<std::chrono::seconds>(until.time_since_epoch())] += mails;
    count_ += mails;
  }
  [[nodiscard]] std::size_t count(SteadyInstant now) {
    forget_due(now);
    return count_;
  }

 private:
  void forget_due(SteadyInstant now) {
    while (!due_.empty() && SteadyInstant(due_.begin()->first) <= now) {
      count_ -= due_.begin()->second;
      due_.erase(due_.begin());
    }
  }

  std::map<std::chrono::seconds, std::size_t> due_;
  std::size_t count_ = 0;
};

}  // namespace todoku::delivery::policy
