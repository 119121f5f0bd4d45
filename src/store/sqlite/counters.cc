// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/counters.h"

#include <algorithm>

namespace todoku::store::sqlite {
namespace {

// What a crash can leave unused.
constexpr std::int64_t kNumbersBlock = 4096;
constexpr std::int64_t kIdsBlock = 256;
constexpr std::int64_t kNumbersSlot = -1;

std::int64_t slot(AccountKey account, IdKind kind) {
  return static_cast<std::int64_t>(account) * 4 + static_cast<std::int64_t>(kind);
}

}  // namespace

Result<std::int64_t> Counters::take_numbers(std::int64_t count) {
  const Counter before = numbers_;
  if (!numbers_.reserved) {
    const auto value = db_.integer("SELECT value FROM meta WHERE name = 'next_number'");
    if (!value) return fail(value.error());
    numbers_.reserved = *value;
    numbers_.next = std::max(numbers_.next, *value);
  }
  if (numbers_.next + count > *numbers_.reserved) {
    const std::int64_t reserved = numbers_.next + count + kNumbersBlock;
    auto done = store_number(reserved);
    if (!done) return fail(std::move(done.error()));
    numbers_.reserved = reserved;
  }
  taken_.push_back({kNumbersSlot, before});
  return std::exchange(numbers_.next, numbers_.next + count);
}

Result<PublicId> Counters::take_ids(AccountKey account, IdKind kind, std::int64_t count) {
  const std::int64_t place = slot(account, kind);
  Counter& counter = ids_[place];
  const Counter before = counter;
  if (!counter.reserved) {
    const auto value = stored(account, kind);
    if (!value) return fail(value.error());
    counter.reserved = *value;
    counter.next = std::max(counter.next, *value);
  }
  if (counter.next + count > *counter.reserved) {
    const std::int64_t reserved = counter.next + count + kIdsBlock;
    auto done = store(account, kind, reserved);
    if (!done) return fail(std::move(done.error()));
    counter.reserved = reserved;
  }
  taken_.push_back({place, before});
  return std::exchange(counter.next, counter.next + count);
}

void Counters::undo(std::size_t mark) {
  while (taken_.size() > mark) {
    counter(taken_.back().slot) = taken_.back().before;
    taken_.pop_back();
  }
}

void Counters::doubt() {
  taken_.clear();
  forget_reservations();
}

void Counters::forget_reservations() {
  numbers_.reserved.reset();
  for (auto& [account, counter] : ids_) counter.reserved.reset();
}

Result<void> Counters::store_exactly() {
  if (numbers_.reserved) {
    auto done = store_number(numbers_.next);
    if (!done) return done;
  }
  for (const auto& [place, counter] : ids_) {
    if (!counter.reserved) continue;
    auto done = store(AccountKey{place / 4}, static_cast<IdKind>(place % 4), counter.next);
    if (!done) return done;
  }
  forget_reservations();
  return {};
}

Result<std::int64_t> Counters::stored(AccountKey account, IdKind kind) {
  auto query =
      db_.query("SELECT next_delivery_id, next_email_id, next_job_id FROM accounts WHERE key = ?");
  query.bind(account);
  if (query.next()) return query.integer(static_cast<int>(kind));
  if (query.failed()) return fail(query.error());
  return fail(ErrorKind::not_found, "there is no such account");
}

Result<void> Counters::store(AccountKey account, IdKind kind, std::int64_t value) {
  switch (kind) {
    case IdKind::delivery:
      return db_.query("UPDATE accounts SET next_delivery_id = ? WHERE key = ?")
          .bind(value, account)
          .run();
    case IdKind::email:
      return db_.query("UPDATE accounts SET next_email_id = ? WHERE key = ?")
          .bind(value, account)
          .run();
    case IdKind::job:
      return db_.query("UPDATE accounts SET next_job_id = ? WHERE key = ?")
          .bind(value, account)
          .run();
  }
  return {};
}

Result<void> Counters::store_number(std::int64_t value) {
  return db_.query("UPDATE meta SET value = ? WHERE name = 'next_number'").bind(value).run();
}

}  // namespace todoku::store::sqlite
