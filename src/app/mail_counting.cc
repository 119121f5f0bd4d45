// SPDX-License-Identifier: Apache-2.0
#include "app/mail_counting.h"

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "async/timer.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr Microseconds kTellEvery = 3s;

}  // namespace

void MailCounting::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("mail counts", run()); });
}

Task<void> MailCounting::stop() {
  co_await async::run_on(executor_, tasks_.stop());
  co_await async::run_on(executor_, tell());
}

Task<void> MailCounting::run() {
  while (true) {
    const bool awake = co_await async::sleep_for(kTellEvery);
    if (!awake) co_return;
    co_await tell();
  }
}

Task<void> MailCounting::tell() {
  const auto told = co_await limit_.exchange(node_.key());
  if (told) {
    telling_.worked(clock_.steady_now());
  } else {
    telling_.failed(clock_.steady_now(), {{"reason", told.error().detail}});
  }
}

}  // namespace todoku::app
