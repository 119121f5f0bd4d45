// SPDX-License-Identifier: Apache-2.0
#include "app/open_recording.h"

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "async/timer.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr Microseconds kTellOpensEvery = 1s;
constexpr std::size_t kToldAtOnce = 500;

constexpr std::string_view kOpensName = "todoku_opens_total";
constexpr std::string_view kOpensHelp = "Requests for the image of a mail, by what became of them.";

}  // namespace

OpenRecording::OpenRecording(events::opens::SeenOpens& seen, store::Store& store,
                             async::Executor executor, const Clock& clock, Metrics& metrics)
    : seen_(seen),
      store_(store),
      executor_(executor),
      clock_(clock),
      recorded_(metrics.counter(kOpensName, kOpensHelp, {{"result", "recorded"}})),
      repeated_(metrics.counter(kOpensName, kOpensHelp, {{"result", "repeated"}})),
      unknown_(metrics.counter(kOpensName, kOpensHelp, {{"result", "unknown"}})),
      tasks_(executor) {}

void OpenRecording::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("openings", run()); });
}

Task<void> OpenRecording::stop() {
  co_await async::run_on(executor_, tasks_.stop());
  co_await async::run_on(executor_, tell());
}

Task<void> OpenRecording::run() {
  while (true) {
    const bool awake = co_await async::sleep_for(kTellOpensEvery);
    if (!awake) co_return;
    co_await tell();
  }
}

Task<void> OpenRecording::tell() {
  while (true) {
    const SteadyInstant now = clock_.steady_now();
    const std::vector<store::OpenSeen> seen = seen_.waiting(kToldAtOnce, now);
    if (seen.empty()) co_return;
    const auto told = co_await store_.write(
        store::WritePriority::import,
        [&seen](store::WriteTransaction& writer) { return writer.record_opens(seen); });
    if (!told) {
      telling_.failed(clock_.steady_now(), {{"reason", told.error().detail}});
      co_return;  // they wait on
    }
    telling_.worked(clock_.steady_now());
    for (const store::OpenRecorded each : *told) {
      (each == store::OpenRecorded::recorded   ? recorded_
       : each == store::OpenRecorded::repeated ? repeated_
                                               : unknown_)
          .add(1);
    }
    seen_.settle(seen, *told, clock_.steady_now());
  }
}

}  // namespace todoku::app
