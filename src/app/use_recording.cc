// SPDX-License-Identifier: Apache-2.0
#include "app/use_recording.h"

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "async/timer.h"

namespace todoku::app {
namespace {

constexpr Microseconds kTellUsesEvery = std::chrono::minutes(1);

}  // namespace

void UseRecording::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("uses of keys", run()); });
}

Task<void> UseRecording::stop() {
  co_await async::run_on(executor_, tasks_.stop());
  co_await async::run_on(executor_, tell());
}

Task<void> UseRecording::run() {
  while (true) {
    const bool awake = co_await async::sleep_for(kTellUsesEvery);
    if (!awake) co_return;
    co_await tell();
  }
}

Task<void> UseRecording::tell() {
  const auto told = co_await api_.write_key_uses();
  if (told) {
    telling_.worked(clock_.steady_now());
  } else {
    telling_.failed(clock_.steady_now(), {{"reason", told.error().detail}});
  }
}

}  // namespace todoku::app
