// SPDX-License-Identifier: Apache-2.0
#include "delivery/feedback.h"

#include <algorithm>
#include <iterator>

namespace todoku::delivery {

void MemoryFeedback::progressed(std::vector<BatchProgress> progress) {
  const std::lock_guard lock(mutex_);
  std::ranges::move(progress, std::back_inserter(news_.progress));
  if (news_arrived_ && !std::exchange(told_, true)) news_arrived_();
}

void MemoryFeedback::rests(LaneRest rest) {
  const std::lock_guard lock(mutex_);
  news_.rests.push_back(std::move(rest));
}

void MemoryFeedback::listen(std::function<void()> news_arrived) {
  const std::lock_guard lock(mutex_);
  news_arrived_ = std::move(news_arrived);
}

News MemoryFeedback::take() {
  const std::lock_guard lock(mutex_);
  told_ = false;
  return std::exchange(news_, {});
}

}  // namespace todoku::delivery
