// SPDX-License-Identifier: Apache-2.0
#include "async/timer.h"

namespace todoku::async {

Task<bool> sleep_for(Microseconds duration) {
  SteadyTimer timer(co_await boost::asio::this_coro::executor);
  timer.expires_after(duration);
  const auto [error] = co_await timer.async_wait(as_result);
  co_return !error;
}

Task<bool> Signal::wait_until(SteadyInstant deadline) {
  if (kept_) {
    kept_ = false;
    co_return true;
  }
  const std::uint64_t seen = notifications_;
  SteadyTimer timer(executor_);
  timer.expires_at(deadline == SteadyInstant::max()
                       ? std::chrono::steady_clock::time_point::max()
                       : std::chrono::steady_clock::time_point(deadline.time_since_epoch()));
  waiters_.push_back(&timer);
  // How it ended is told by the count, not by the error.
  [[maybe_unused]] const auto [error] = co_await timer.async_wait(as_result);
  std::erase(waiters_, &timer);
  co_return notifications_ != seen;
}

void Signal::notify() {
  ++notifications_;
  if (waiters_.empty()) kept_ = true;
  for (SteadyTimer* timer : waiters_) timer->cancel();
}

}  // namespace todoku::async
