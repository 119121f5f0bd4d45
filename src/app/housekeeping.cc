// SPDX-License-Identifier: Apache-2.0
#include "app/housekeeping.h"

#include <vector>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "async/timer.h"
#include "intake/mail_limit.h"
#include "store/settling.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kRows = 1'000;         // of one transaction: a few milliseconds
constexpr std::int64_t kTexts = 20;           // likewise: each may have a megabyte
constexpr Microseconds kBetween = 50ms;       // while there is more: leaves the disk to others
constexpr store::DayNumber kCountsKept = 62;  // days: a month and what it is compared with
constexpr Microseconds kLookAgain = 30s;      // when there was nothing
constexpr Microseconds kLookForStopped = 2s;  // likewise: what is in hand is told soon

}  // namespace

void Housekeeping::start() {
  const Piece purge = [](store::WriteTransaction& t) { return t.purge_deleted(kRows); };
  const Piece drop = [this](store::WriteTransaction& t) {
    return t.drop_events(store_.clock().now() - events_kept_, kRows);
  };
  const Piece forget = [this](store::WriteTransaction& t) -> Result<bool> {
    const auto dropped =
        t.drop_mail_counts(intake::day_of(store_.clock().now()) - kCountsKept, kRows);
    if (!dropped) return fail(dropped.error());
    const auto hours = t.drop_outcome_hours(
        store::hour_of(store_.clock().now()) - store::kOutcomeDaysKept * 24, kRows);
    if (!hours) return fail(hours.error());
    return !*dropped || !*hours;
  };
  const Piece forget_rates = [this](store::WriteTransaction& t) {
    const Instant before = store_.clock().now() - std::chrono::days(store::kRateDays);
    return t.drop_rates(store::rate_hour(before), kRows);
  };
  const Piece end_sign_ins = [](store::WriteTransaction& t) -> Result<bool> {
    const auto ended = t.drop_ended_sign_ins(kRows);
    if (!ended) return ended;
    const auto texts = t.drop_old_texts(kTexts);
    if (!texts) return texts;
    return *ended || *texts;
  };
  boost::asio::post(executor_, [this, purge, drop, forget, forget_rates, end_sign_ins] {
    tasks_.spawn("purge", repeat(purge, purging_));
    tasks_.spawn("drop events", repeat(drop, dropping_));
    tasks_.spawn("forget counts", repeat(forget, forgetting_));
    tasks_.spawn("forget rates", repeat(forget_rates, rates_));
    tasks_.spawn("drop ended sign-ins", repeat(end_sign_ins, sign_ins_));
    tasks_.spawn("write stopped", write_stopped());
  });
}

Task<void> Housekeeping::stop() {
  co_await async::run_on(executor_, tasks_.stop());
}

Task<void> Housekeeping::repeat(Piece piece, Trouble& trouble) {
  while (true) {
    const auto more = co_await store_.write(store::WritePriority::retention, piece);
    if (more) {
      trouble.worked(clock_.steady_now());
    } else {
      trouble.failed(clock_.steady_now(), {{"reason", more.error().detail}});
    }
    const bool awake = co_await async::sleep_for(more && *more ? kBetween : kLookAgain);
    if (!awake) co_return;
  }
}

Task<void> Housekeeping::write_stopped() {
  while (true) {
    const auto more = co_await write_some_stopped();
    if (more) {
      stopping_.worked(clock_.steady_now());
    } else {
      stopping_.failed(clock_.steady_now(), {{"reason", more.error().detail}});
    }
    const bool awake = co_await async::sleep_for(more && *more ? kBetween : kLookForStopped);
    if (!awake) co_return;
  }
}

// By the way of all outcomes: several processes that do the same record each once.
Task<Result<bool>> Housekeeping::write_some_stopped() {
  const auto work = co_await store_.read(
      [after = stopped_to_](store::ReadTransaction& r) { return r.stopped_work(after, kRows); });
  if (!work) co_return fail(work.error());
  stopped_to_ = work->next.value_or(store::DeliveryKey{});
  std::vector<store::OutcomeRecord> records;
  records.reserve(work->open.size());
  for (const store::StoppedRecipient& each : work->open) {
    records.push_back(store::stopped_record(each));
  }
  if (!records.empty()) {
    const auto settled =
        co_await store_.perform(store::Settle{.outcomes = records, .releases = {}});
    if (!settled) co_return fail(settled.error());
  }
  for (const store::DeliveryKey key : work->over) {
    const auto ended =
        co_await store_.write(store::WritePriority::retention,
                              [key](store::WriteTransaction& t) { return t.end_stopped(key); });
    if (!ended) co_return fail(ended.error());
  }
  co_return work->next.has_value() || !records.empty();
}

}  // namespace todoku::app
