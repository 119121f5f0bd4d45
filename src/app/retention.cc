// SPDX-License-Identifier: Apache-2.0
#include "app/retention.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "async/timer.h"
#include "store/personal_data.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kOwnersAtOnce = 500;
constexpr std::int64_t kLookedAt = 100;          // deliveries of one question
constexpr std::size_t kChangedAtOnce = 20;       // deliveries of one commit: contents may be large
constexpr std::int64_t kAuditRows = 1'000;       // of one commit
constexpr Microseconds kBetweenRemovals = 50ms;  // leaves the disk to others
constexpr Microseconds kPassEvery = 1h;

// The shorter of two that say something; 0: neither does.
std::int64_t least_days(const store::KeptFor& kept) {
  if (kept.content_days == 0) return kept.story_days;
  if (kept.story_days == 0) return kept.content_days;
  return std::min(kept.content_days, kept.story_days);
}

bool is_over(const store::Delivery& head, std::int64_t days, Instant now) {
  return days != 0 && head.finished && *head.finished <= now - std::chrono::days(days);
}

}  // namespace

void Retention::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("retention", run()); });
}

Task<void> Retention::stop() {
  co_await async::run_on(executor_, tasks_.stop());
}

Task<void> Retention::run() {
  while (true) {
    const auto passed = co_await pass();
    if (passed) {
      trouble_.worked(clock_.steady_now());
    } else {
      trouble_.failed(clock_.steady_now(), {{"reason", passed.error().detail}});
    }
    const bool awake = co_await async::sleep_for(kPassEvery);
    if (!awake) co_return;
  }
}

Task<Result<std::int64_t>> Retention::pass() {
  const auto dropped = co_await drop_audit();
  if (!dropped) co_return fail(dropped.error());
  std::int64_t changed = 0;
  store::AccountKey after{};
  while (true) {
    auto some = co_await owners(after);
    if (!some) co_return fail(std::move(some.error()));
    for (const Owner& owner : *some) {
      if (least_days(owner.kept) == 0) continue;
      const auto done = co_await pass_account(owner);
      if (!done) co_return fail(done.error());
      changed += *done;
    }
    if (std::ssize(*some) < kOwnersAtOnce) co_return changed;
    after = some->back().account;
  }
}

Task<Result<std::vector<Retention::Owner>>> Retention::owners(store::AccountKey after) {
  co_return co_await store_.read(
      [after, of_all = rules_.kept](store::ReadTransaction& reader) -> Result<std::vector<Owner>> {
        const auto accounts = reader.accounts(after, kOwnersAtOnce);
        if (!accounts) return fail(accounts.error());
        std::vector<Owner> owners;
        for (const store::Account& account : *accounts) {
          const auto kept = store::kept_for(reader, account.key);
          if (!kept) return fail(kept.error());
          owners.push_back({account.key, store::over(*kept, of_all)});
        }
        return owners;
      });
}

Result<Retention::Stretch> Retention::due_of(store::ReadTransaction& reader, const Owner& owner,
                                             std::optional<store::DeliveryPlace> from,
                                             Instant now) {
  const store::DeliveryFilter filter{
      .account = owner.account,
      .statuses = {DeliveryStatus::sent, DeliveryStatus::failed},
      .delivery_end = now - std::chrono::days(least_days(owner.kept))};
  const auto found =
      reader.match_deliveries(filter, store::DeliveryOrder::start_ascending, from, kLookedAt);
  if (!found) return fail(found.error());
  std::vector<store::DeliveryKey> keys;
  for (const store::DeliveryMatch& match : found->matches) keys.push_back(match.key);
  Stretch stretch{.due = {}, .next = found->next};
  if (keys.empty()) return stretch;
  const auto heads = reader.delivery_heads(keys);
  if (!heads) return fail(heads.error());
  for (const store::Delivery& head : *heads) {
    const bool whole = is_over(head, owner.kept.story_days, now);
    const bool content =
        is_over(head, owner.kept.content_days, now) && head.content.subject != store::kErasedText;
    if (whole || content) stretch.due.push_back({head.key, whole});
  }
  return stretch;
}

Task<Result<std::int64_t>> Retention::pass_account(Owner owner) {
  std::int64_t changed = 0;
  std::optional<store::DeliveryPlace> place;
  while (true) {
    const auto stretch = co_await store_.read(
        [owner, place, now = store_.clock().now()](store::ReadTransaction& reader) {
          return due_of(reader, owner, place, now);
        });
    if (!stretch) co_return fail(stretch.error());
    const auto done = co_await carry_out(stretch->due);
    if (!done) co_return fail(done.error());
    changed += *done;
    if (!stretch->next) co_return changed;
    place = stretch->next;
    const bool awake = co_await async::sleep_for(kBetweenRemovals);
    if (!awake) co_return changed;
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

}  // namespace todoku::app
