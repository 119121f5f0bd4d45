// SPDX-License-Identifier: Apache-2.0
// Which nodes count as dead, as seen by the one who looks after them.
//
// Intuition: a lease that has lapsed in the store's time says that its node has not renewed it for
// long. Usually the node is dead. But if the store was away, or its clock leapt, or we ourselves
// stood still, nobody could renew, and everybody's lease has lapsed at once although all of them
// live. So a lapse counts only after we have looked at the store without interruption for as long
// as a living node needs to renew.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

#include "base/clock.h"

namespace todoku::delivery::policy {

class NodeWatch {
 public:
  struct Seen {
    std::int64_t node = 0;
    Milliseconds left{};  // of its lease, in the store's time; negative: lapsed
  };
  // Two looks further apart than this are an interruption.
  static constexpr Milliseconds kLookGap = std::chrono::seconds(8);
  // So is an answer that took longer than this: others were not answered meanwhile either.
  static constexpr Milliseconds kAnswerMax = std::chrono::seconds(3);
  // How long holders have after an interruption before anything of theirs is taken.
  static constexpr Milliseconds kGrace = std::chrono::seconds(10);
  // The store's clock has leapt if a lease ran down by so much more than our clock tells.
  static constexpr Milliseconds kLeap = std::chrono::seconds(5);

  // What the store says at `now`, having been asked at `asked`. Returns those to be declared dead.
  // `itself`: our own node, which is not dead as long as it looks.
  [[nodiscard]] std::vector<std::int64_t> look(const std::vector<Seen>& nodes, std::int64_t itself,
                                               SteadyInstant asked, SteadyInstant now) {
    const bool hung = now - asked > kAnswerMax;
    if (!looked_ || hung || now - last_look_ > kLookGap || leapt(nodes, now)) {
      undisturbed_since_ = now;
    }
    looked_ = true;
    last_look_ = now;
    left_.clear();
    std::vector<std::int64_t> dead;
    for (const Seen& seen : nodes) {
      left_[seen.node] = seen.left;
      const bool lapsed = seen.left <= Milliseconds(0);
      if (lapsed && seen.node != itself && now - undisturbed_since_ >= kGrace) {
        dead.push_back(seen.node);
      }
    }
    return dead;
  }
  // The store did not answer.
  void interrupted() { looked_ = false; }

 private:
  [[nodiscard]] bool leapt(const std::vector<Seen>& nodes, SteadyInstant now) const {
    const auto passed = std::chrono::duration_cast<Milliseconds>(now - last_look_);
    for (const Seen& seen : nodes) {
      const auto before = left_.find(seen.node);
      if (before != left_.end() && before->second - seen.left > passed + kLeap) return true;
    }
    return false;
  }

  bool looked_ = false;
  SteadyInstant last_look_{};
  SteadyInstant undisturbed_since_{};
  std::map<std::int64_t, Milliseconds> left_;  // at the last look
};

}  // namespace todoku::delivery::policy
