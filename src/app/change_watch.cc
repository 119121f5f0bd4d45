// SPDX-License-Identifier: Apache-2.0
#include "app/change_watch.h"

#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "async/timer.h"

namespace todoku::app {
namespace {

// A delivery that is paused or stopped by another process is held back within a second.
constexpr std::chrono::milliseconds kChangesLookedForEvery{500};

}  // namespace

void ChangeWatch::follow(store::Topic topic, Read read) {
  followed_.push_back({.topic = topic, .read = std::move(read), .number = {}, .look = 0});
}

void ChangeWatch::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("changes", run()); });
}

Task<void> ChangeWatch::stop() {
  co_await async::run_on(executor_, tasks_.stop());
}

Task<Result<void>> ChangeWatch::look() {
  co_return co_await async::run_on(executor_, look_here());
}

Task<void> ChangeWatch::run() {
  while (true) {
    const bool awake = co_await async::sleep_for(kChangesLookedForEvery);
    if (!awake) co_return;
    try {
      (void)co_await look_here();  // tells of its trouble itself
    } catch (const std::exception&) {
      async::report_exception("looking for changes", std::current_exception());
    }
  }
}

Task<Result<void>> ChangeWatch::look_here() {
  auto looked = co_await look_at_all(++looks_);
  if (looked) {
    looking_.worked(clock_.steady_now());
  } else {
    looking_.failed(clock_.steady_now(), {{"reason", looked.error().detail}});
  }
  co_return looked;
}

Task<Result<void>> ChangeWatch::look_at_all(std::uint64_t look) {
  const auto numbers = co_await store_.read(
      [](store::ReadTransaction& transaction) { return transaction.change_numbers(); });
  if (!numbers) co_return fail(numbers.error());
  Result<void> all;
  for (Followed& followed : followed_) {
    const std::int64_t number = numbers->of(followed.topic);
    if (followed.number == number) continue;
    auto renewed = co_await renew(followed, number, look);
    if (!renewed) all = std::move(renewed);  // of one: the others do not wait for it
  }
  co_return all;
}

// Looks may go on side by side: what one that began earlier has read may be older, and does not
// take the place of what a later one has.
Task<Result<void>> ChangeWatch::renew(Followed& followed, std::int64_t number, std::uint64_t look) {
  auto read = co_await followed.read();
  if (!read) co_return fail(std::move(read.error()));
  if (followed.look > look) co_return Result<void>{};
  auto taken = (*read)();
  if (!taken) co_return taken;
  followed.number = number;
  followed.look = look;
  co_return Result<void>{};
}

}  // namespace todoku::app
