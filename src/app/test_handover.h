// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "intake/intake.h"

namespace todoku::app {

// What is accepted is delivered by nobody.
class NobodyDelivers final : public intake::Handover {
 public:
  std::string signing_for(store::AccountKey, std::string_view) override { return {}; }
  Milliseconds life_time() const override { return std::chrono::hours(24); }
  store::NodeKey holder(store::AccountKey) override { return store::kNobody; }
  void hand_over(store::Accepted) override {}
  void work_arrived() override {}
};

}  // namespace todoku::app
