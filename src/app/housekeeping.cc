// SPDX-License-Identifier: Apache-2.0
#include "app/housekeeping.h"

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "async/timer.h"
#include "intake/mail_limit.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kRows = 1'000;         // of one transaction: a few milliseconds
constexpr Microseconds kBetween = 50ms;       // while there is more: leaves the disk to others
constexpr store::DayNumber kCountsKept = 62;  // days: a month and what it is compared with
constexpr Microseconds kLookAgain = 30s;      // when there was nothing

}  // namespace

void Housekeeping::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("purge", purge()); });
}

Task<void> Housekeeping::stop() {
  co_await async::run_on(executor_, tasks_.stop());
}

Task<void> Housekeeping::purge() {
  while (true) {
    const auto before = intake::day_of(store_.clock().now()) - kCountsKept;
    const auto more =
        co_await store_.write(store::WritePriority::retention,
                              [before](store::WriteTransaction& transaction) -> Result<bool> {
                                const auto purged = transaction.purge_deleted(kRows);
                                if (!purged || *purged) return purged;
                                const auto dropped = transaction.drop_mail_counts(before, kRows);
                                if (!dropped) return fail(dropped.error());
                                return !*dropped;
                              });
    if (more) {
      purging_.worked(clock_.steady_now());
    } else {
      purging_.failed(clock_.steady_now(), {{"reason", more.error().detail}});
    }
    const bool awake = co_await async::sleep_for(more && *more ? kBetween : kLookAgain);
    if (!awake) co_return;
  }
}

}  // namespace todoku::app
