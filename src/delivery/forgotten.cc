// SPDX-License-Identifier: Apache-2.0
#include "delivery/forgotten.h"

#include <utility>

namespace todoku::delivery {
namespace {

constexpr std::size_t kMissedMax = 10'000;

}  // namespace

void Forgotten::begin(store::NodeKey node, SteadyInstant now,
                      std::optional<SteadyInstant> performing_since) {
  if (std::exchange(node_, node) != node) missed_.clear();
  now_ = now;
  performing_since_ = performing_since;
  seen_.clear();
}

void Forgotten::missing(const std::vector<store::HeldBatch>& batches) {
  for (const store::HeldBatch& batch : batches) {
    if (seen_.size() >= kMissedMax) return;
    const auto known = missed_.find(batch);
    seen_.emplace(batch, known == missed_.end() ? now_ : known->second);
  }
}

std::vector<store::HeldBatch> Forgotten::end() {
  missed_ = std::exchange(seen_, {});
  std::vector<store::HeldBatch> forgotten;
  for (const auto& [batch, since] : missed_) {
    const bool on_its_way = performing_since_ && *performing_since_ <= since;
    if (!on_its_way && now_ - since >= kTakenInHandWithin) forgotten.push_back(batch);
  }
  return forgotten;
}

}  // namespace todoku::delivery
