// SPDX-License-Identifier: Apache-2.0
#include "async/pulse.h"

#include <cstddef>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

namespace todoku::async {

Pulse::Pulse(const Clock& clock, std::vector<Executor> threads) : clock_(clock) {
  for (Executor& executor : threads) {
    threads_.push_back(
        {std::move(executor), std::make_shared<std::atomic<std::int64_t>>(kAnswered)});
  }
}

std::string Pulse::problem() {
  const std::int64_t now = clock_.steady_now().time_since_epoch().count();
  std::string found;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    std::int64_t asked = kAnswered;
    if (threads_[i].asked->compare_exchange_strong(asked, now)) {
      boost::asio::post(threads_[i].executor,
                        [answer = threads_[i].asked] { *answer = kAnswered; });
      continue;
    }
    const Microseconds silent(now - asked);
    if (!found.empty() || silent < kSilentMax) continue;
    found = fmt::format("thread {} of {} stands still: it has not answered for {} s", i + 1,
                        threads_.size(), std::chrono::floor<std::chrono::seconds>(silent).count());
  }
  return found;
}

}  // namespace todoku::async
