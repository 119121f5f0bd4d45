// SPDX-License-Identifier: Apache-2.0
#include "app/retention.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "async/runtime.h"
#include "async/timer.h"
#include "store/personal_data.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kName = "retention";  // as its row is called
constexpr std::int64_t kOwnersAtOnce = 500;
constexpr std::int64_t kLookedAt = 100;     // deliveries of one question
constexpr std::size_t kChangedAtOnce = 20;  // deliveries of one commit: contents may be large
constexpr std::int64_t kAuditRows = 1'000;  // of one commit
constexpr std::int64_t kReportRows = 1'000;
constexpr Microseconds kBetweenRemovals = 50ms;  // leaves the disk to others
constexpr Microseconds kPassEvery = 1h;
constexpr Microseconds kTakeEvery = 5min;   // while another process has it, or nobody can tell
constexpr Milliseconds kClocksDiffer = 1h;  // of several processes, at most

bool is_over(const store::Delivery& head, std::int64_t days, Instant now) {
  const bool has_ended =
      head.status == DeliveryStatus::sent || head.status == DeliveryStatus::failed;
  return has_ended && head.finished && *head.finished <= now - std::chrono::days(days);
}

}  // namespace

void Retention::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("retention", run()); });
}

Task<void> Retention::stop() {
  co_await async::run_on(executor_, tasks_.stop());
  if (!taken_as_) co_return;
  // Where that fails, it is free when this node has left.
  (void)co_await store_.write(store::WritePriority::retention,
                              [node = *taken_as_](store::WriteTransaction& writer) {
                                return writer.give_event_reader(node, kName);
                              });
}

Task<Result<bool>> Retention::take() {
  const store::NodeKey node = node_();
  taken_as_.reset();
  const auto taken = co_await store_.write(
      store::WritePriority::retention,
      [node](store::WriteTransaction& writer) { return writer.take_event_reader(node, kName); });
  if (!taken && taken.error().kind == ErrorKind::conflict) co_return false;
  if (!taken) co_return fail(taken.error());
  taken_as_ = node;
  co_return true;
}

Task<void> Retention::run() {
  while (true) {
    const auto passed = co_await pass();
    if (passed) {
      trouble_.worked(clock_.steady_now());
    } else {
      trouble_.failed(clock_.steady_now(), {{"reason", passed.error().detail}});
    }
    const bool awake = co_await async::sleep_for(taken_as_ ? kPassEvery : kTakeEvery);
    if (!awake) co_return;
  }
}

Task<Result<std::int64_t>> Retention::pass() {
  const auto is_ours = co_await take();
  if (!is_ours) co_return fail(is_ours.error());
  if (!*is_ours) co_return 0;
  const auto dropped = co_await drop_audit();
  if (!dropped) co_return fail(dropped.error());
  const auto forgotten = co_await drop_reports();
  if (!forgotten) co_return fail(forgotten.error());
  std::int64_t changed = 0;
  std::optional<Error> wrong;  // the first
  store::AccountKey after{};
  while (true) {
    auto some = co_await owners(after);
    if (!some) co_return fail(std::move(some.error()));
    for (const Owner& owner : *some) {
      auto done = co_await pass_account(owner);
      if (done) {
        changed += *done;
        continue;
      }
      Error error = std::move(done.error());
      error.detail =
          fmt::format("account {}: {}", static_cast<std::int64_t>(owner.account), error.detail);
      if (error.kind == ErrorKind::unavailable) co_return fail(std::move(error));
      if (!wrong) wrong = std::move(error);
    }
    if (std::ssize(*some) < kOwnersAtOnce) break;
    after = some->back().account;
  }
  if (wrong) co_return fail(std::move(*wrong));
  co_return changed;
}

Retention::Owner Retention::owner_of(store::ReadTransaction& reader, store::AccountKey account,
                                     const store::KeptFor& of_all) {
  const auto kept = store::kept_for(reader, account);
  if (!kept) return {.account = account, .kept = {}, .wrong = kept.error()};
  const auto until = store::erased_until(reader, account);
  if (!until) return {.account = account, .kept = {}, .wrong = until.error()};
  return {.account = account, .kept = store::over(*kept, of_all), .erased_until = *until};
}

Task<Result<std::vector<Retention::Owner>>> Retention::owners(store::AccountKey after) {
  co_return co_await store_.read(
      [after, of_all = rules_.kept](store::ReadTransaction& reader) -> Result<std::vector<Owner>> {
        const auto accounts = reader.accounts(after, kOwnersAtOnce);
        if (!accounts) return fail(accounts.error());
        std::vector<Owner> owners;
        for (const store::Account& account : *accounts) {
          owners.push_back(owner_of(reader, account.key, of_all));
        }
        return owners;
      });
}

Task<Result<std::int64_t>> Retention::pass_account(Owner owner) {
  if (owner.wrong) co_return fail(std::move(*owner.wrong));
  std::int64_t changed = 0;
  if (owner.kept.story_days != 0) {
    const auto gone = co_await go_through({.account = owner.account,
                                           .days = owner.kept.story_days,
                                           .whole = true,
                                           .from = {},
                                           .now = store_.clock().now()});
    if (!gone) co_return fail(gone.error());
    changed = gone->changed;
    if (!gone->whole) co_return changed;
  }
  if (owner.kept.content_days == 0) co_return changed;
  const auto erased = co_await erase_contents(std::move(owner));
  if (!erased) co_return fail(erased.error());
  co_return changed + *erased;
}

// The place moves over what this pass has found erased, not over what it has erased itself: so
// nothing is passed over that somebody else would not let it have.
Task<Result<std::int64_t>> Retention::erase_contents(Owner owner) {
  const Instant now = store_.clock().now();
  const Instant begin = now - std::chrono::days(owner.kept.content_days);
  // A clock that was ahead has written it, or content was kept for less then.
  if (owner.erased_until && *owner.erased_until > begin + kClocksDiffer) owner.erased_until = {};
  const auto walked = co_await go_through({.account = owner.account,
                                           .days = owner.kept.content_days,
                                           .whole = false,
                                           .from = owner.erased_until,
                                           .now = now});
  if (!walked) co_return fail(walked.error());
  const Instant until = std::min(walked->left.value_or(begin), begin);
  const bool stays = owner.erased_until && until <= *owner.erased_until;
  if (!walked->whole || stays) co_return walked->changed;
  const auto kept =
      co_await store_.write(store::WritePriority::retention,
                            [account = owner.account, until](store::WriteTransaction& writer) {
                              return writer.put_setting(store::erased_until_setting(account),
                                                        fmt::format("{}", to_epoch_ms(until)));
                            });
  if (!kept) co_return fail(kept.error());
  co_return walked->changed;
}

// Of any status that has started: what is on its way is left, too.
Result<Retention::Stretch> Retention::due_of(store::ReadTransaction& reader, const Walk& walk,
                                             std::optional<store::DeliveryPlace> from) {
  const store::DeliveryFilter filter{.account = walk.account,
                                     .delivery_start = walk.from,
                                     .delivery_end = walk.now - std::chrono::days(walk.days)};
  const auto found =
      reader.match_deliveries(filter, store::DeliveryOrder::start_ascending, from, kLookedAt);
  if (!found) return fail(found.error());
  std::vector<store::DeliveryKey> keys;
  for (const store::DeliveryMatch& match : found->matches) keys.push_back(match.key);
  Stretch stretch{.due = {}, .left = {}, .next = found->next};
  if (keys.empty()) return stretch;
  const auto heads = reader.delivery_heads(keys);
  if (!heads) return fail(heads.error());
  for (const store::Delivery& head : *heads) {
    if (!walk.whole && head.content.subject == store::kErasedText) continue;
    const Instant started = head.started.value_or(Instant{});
    stretch.left = std::min(stretch.left.value_or(started), started);
    if (is_over(head, walk.days, walk.now)) stretch.due.push_back({head.key, walk.whole});
  }
  return stretch;
}

Task<Result<Retention::Walked>> Retention::go_through(Walk walk) {
  Walked walked;
  std::optional<store::DeliveryPlace> place;
  while (true) {
    const auto stretch = co_await store_.read(
        [walk, place](store::ReadTransaction& reader) { return due_of(reader, walk, place); });
    if (!stretch) co_return fail(stretch.error());
    if (!walked.left) walked.left = stretch->left;
    const auto done = co_await carry_out(stretch->due);
    if (!done) co_return fail(done.error());
    walked.changed += *done;
    walked.whole = !stretch->next;
    if (walked.whole) co_return walked;
    place = stretch->next;
    const bool awake = co_await async::sleep_for(kBetweenRemovals);
    if (!awake) co_return walked;
  }
}

// Who was there before has done it: nothing is wrong.
Task<Result<std::int64_t>> Retention::carry_out(std::vector<Due> due) {
  std::int64_t changed = 0;
  for (std::size_t first = 0; first < due.size(); first += kChangedAtOnce) {
    const std::size_t last = std::min(due.size(), first + kChangedAtOnce);
    const std::vector<Due> some(due.begin() + static_cast<std::ptrdiff_t>(first),
                                due.begin() + static_cast<std::ptrdiff_t>(last));
    const auto done = co_await store_.write(
        store::WritePriority::retention,
        [some](store::WriteTransaction& writer) -> Result<std::int64_t> {
          std::int64_t of_these = 0;
          for (const Due& each : some) {
            Result<bool> gone = true;
            if (each.whole) {
              const auto deleted = writer.delete_delivery(each.key);
              if (!deleted) gone = fail(deleted.error());
            } else {
              gone = writer.erase_content(each.key);
            }
            const bool was_before = !gone && (gone.error().kind == ErrorKind::not_found ||
                                              gone.error().kind == ErrorKind::conflict);
            if (was_before) continue;
            if (!gone) return fail(std::move(gone.error()));
            if (*gone) ++of_these;
          }
          return of_these;
        });
    if (!done) co_return fail(done.error());
    changed += *done;
  }
  co_return changed;
}

Task<Result<void>> Retention::drop_audit() {
  if (rules_.audit_days == 0) co_return Result<void>{};
  while (true) {
    const auto more = co_await store_.write(
        store::WritePriority::retention,
        [before = store_.clock().now() - std::chrono::days(rules_.audit_days)](
            store::WriteTransaction& writer) { return writer.drop_audit(before, kAuditRows); });
    if (!more) co_return fail(more.error());
    if (!*more) co_return Result<void>{};
  }
}

Task<Result<void>> Retention::drop_reports() {
  if (rules_.report_days == 0) co_return Result<void>{};
  const std::int64_t day = store::report_day_of(store_.clock().now()) - rules_.report_days;
  while (true) {
    const auto more = co_await store_.write(store::WritePriority::retention,
                                            [day](store::WriteTransaction& writer) {
                                              return writer.drop_domain_reports(day, kReportRows);
                                            });
    if (!more) co_return fail(more.error());
    if (!*more) co_return Result<void>{};
  }
}

}  // namespace todoku::app
