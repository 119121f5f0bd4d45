// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/ids.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "store/postgres/fate.h"

namespace todoku::store::postgres {
namespace {

// Whoever accepts waits for it, and others behind them.
const Sql kReserveLimits{"ids: limits",
                         "SELECT set_config('statement_timeout', $1, true),"
                         " set_config('lock_timeout', $2, true)"};
const Sql kReserveNumbers{"ids: numbers",
                          "UPDATE numbers SET next = next + $1 WHERE line = 0 RETURNING next"};
const Sql kLockAccounts{"ids: lock accounts",
                        "SELECT key FROM accounts WHERE key = ANY($1) ORDER BY key"
                        " FOR NO KEY UPDATE"};
const Sql kReserveIds{
    "ids: reserve",
    "UPDATE accounts a SET next_delivery_id = next_delivery_id + u.deliveries,"
    " next_email_id = next_email_id + u.emails, next_job_id = next_job_id + u.jobs"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])"
    " u(key, deliveries, emails, jobs) WHERE a.key = u.key RETURNING a.key, u.deliveries,"
    " u.emails, u.jobs, next_delivery_id, next_email_id, next_job_id"};

const Sql kGiveIdsBack{
    "ids: give back",
    "UPDATE accounts a SET"
    " next_delivery_id = CASE WHEN a.next_delivery_id = u.end0 THEN u.next0"
    " ELSE a.next_delivery_id END,"
    " next_email_id = CASE WHEN a.next_email_id = u.end1 THEN u.next1 ELSE a.next_email_id END,"
    " next_job_id = CASE WHEN a.next_job_id = u.end2 THEN u.next2 ELSE a.next_job_id END"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],"
    " $6::bigint[], $7::bigint[]) u(key, next0, next1, next2, end0, end1, end2)"
    " WHERE a.key = u.key"};

constexpr std::int64_t kFirstBlock = 64;
constexpr std::int64_t kLargestBlock = 8'192;
constexpr std::int64_t kFirstNumbers = 1'024;
constexpr std::int64_t kMostNumbers = 65'536;
// Accounts whose blocks are remembered; beyond it all are forgotten, which only leaves gaps.
constexpr std::size_t kAccountsMax = 100'000;

}  // namespace

// What was left of the block goes on where nobody else has reserved anything since.
void Ids::extend(Block& block, std::int64_t end, std::int64_t count) {
  if (block.end != end - count) block.next = end - count;
  block.end = end;
}

bool Ids::is_old(const Block& block, std::size_t kind) const {
  return kind == static_cast<std::size_t>(IdKind::email) && block.end > 0 &&
         clock_.steady_now() - block.since >= kEmailBlockLife;
}

std::optional<PublicId> TakenIds::take(AccountKey account, IdKind kind, std::int64_t count) {
  const auto found = next_.find(account);
  if (found == next_.end()) return std::nullopt;
  std::int64_t& next = found->second.at(static_cast<std::size_t>(kind));
  return std::exchange(next, next + count);
}

std::int64_t TakenIds::take_numbers(std::int64_t count) {
  return std::exchange(next_number_, next_number_ + count);
}

Result<void> Ids::fill(Link& link, const IdNeeds& needs, Milliseconds most) {
  if (accounts_.size() > kAccountsMax) accounts_.clear();
  Column keys(kInt8);
  std::array<Column, kIdKinds> sizes{Column(kInt8), Column(kInt8), Column(kInt8)};
  for (const auto& [key, counts] : needs.ids) {
    Account& account = accounts_[key];
    std::array<std::int64_t, kIdKinds> wanted{};
    for (std::size_t kind = 0; kind < kIdKinds; ++kind) {
      Block& block = account.at(kind);
      const std::int64_t left = block.end - block.next;
      if (counts.at(kind) == 0) continue;
      if (is_old(block, kind)) {
        // As much as was used, so that little is kept back from others, or lost in a crash.
        block.size = std::clamp(2 * (block.next - block.from), kFirstBlock, kLargestBlock);
        wanted.at(kind) = std::max(counts.at(kind), block.size - left);
      } else if (left < counts.at(kind)) {
        block.size = std::clamp(block.size * 2, kFirstBlock, kLargestBlock);
        wanted.at(kind) = std::max(block.size, counts.at(kind));
      }
    }
    if (wanted == std::array<std::int64_t, kIdKinds>{}) continue;
    keys.add(key);
    for (std::size_t kind = 0; kind < kIdKinds; ++kind) sizes.at(kind).add(wanted.at(kind));
  }
  std::int64_t numbers = 0;
  if (numbers_.end - numbers_.next < needs.numbers) {
    numbers_.size = std::clamp(numbers_.size * 2, kFirstNumbers, kMostNumbers);
    numbers = std::max(numbers_.size, needs.numbers);
  }
  if (keys.empty() && numbers == 0) return {};
  constexpr Milliseconds kHeldUpMost{2'500};
  const TimeLimits limits = limits_within(std::min(most, kHeldUpMost));
  const std::string statement = std::to_string(limits.statement.count());
  const std::string lock = std::to_string(limits.lock.count());
  link.add(kBegin).add(kReserveLimits,
                       Params() << std::string_view(statement) << std::string_view(lock));
  if (!keys.empty()) {
    link.add(kLockAccounts, Params() << keys)
        .add(kReserveIds, Params() << keys << sizes[0] << sizes[1] << sizes[2]);
  }
  if (numbers > 0) link.add(kReserveNumbers, Params() << numbers);
  // If this commit's fate is unknown the block is a gap: nothing has to be repeated.
  auto answers = link.add(kCommit).fly(most);
  if (!answers) return fail(std::move(answers.error()));
  link.forget_failure();  // what comes next over this connection is another transaction
  if (!keys.empty()) {
    const Table& reserved = (*answers)[3];
    for (int row = 0; row < reserved.size(); ++row) {
      Account& account = accounts_[AccountKey{reserved.integer(row, 0)}];
      for (std::size_t kind = 0; kind < kIdKinds; ++kind) {
        const auto column = static_cast<int>(kind);
        const std::int64_t count = reserved.integer(row, 1 + column);
        if (count == 0) continue;
        const std::int64_t end = reserved.integer(row, 4 + column);
        Block& block = account.at(kind);
        extend(block, end, count);
        block.from = block.next;
        block.since = clock_.steady_now();
      }
    }
  }
  if (numbers > 0) {
    const Table& reserved = (*answers)[keys.empty() ? 2 : 4];
    extend(numbers_, reserved.integer(0, 0), numbers);
  }
  return {};
}

Ids::Account* Ids::filled(AccountKey key, const std::array<std::int64_t, kIdKinds>& counts) {
  Account& account = accounts_[key];
  for (std::size_t kind = 0; kind < kIdKinds; ++kind) {
    if (account.at(kind).end - account.at(kind).next >= counts.at(kind)) continue;
    accounts_.erase(key);
    return nullptr;
  }
  return &account;
}

Result<TakenIds> Ids::take(Link& link, const IdNeeds& needs, Milliseconds most) {
  const std::lock_guard lock(mutex_);
  auto done = fill(link, needs, most);
  if (!done) return fail(std::move(done.error()));
  TakenIds taken;
  for (const auto& [key, counts] : needs.ids) {
    Account* const account = filled(key, counts);
    if (account == nullptr) continue;
    auto& next = taken.next_[key];
    for (std::size_t kind = 0; kind < kIdKinds; ++kind) {
      Block& block = account->at(kind);
      next.at(kind) = std::exchange(block.next, block.next + counts.at(kind));
    }
  }
  taken.next_number_ = std::exchange(numbers_.next, numbers_.next + needs.numbers);
  return taken;
}

std::optional<PublicId> Ids::take_present(AccountKey account, IdKind kind, std::int64_t count) {
  const std::lock_guard lock(mutex_);
  const auto found = accounts_.find(account);
  if (found == accounts_.end()) return std::nullopt;
  Block& block = found->second.at(static_cast<std::size_t>(kind));
  if (block.end - block.next < count) return std::nullopt;
  if (is_old(block, static_cast<std::size_t>(kind))) return std::nullopt;
  return std::exchange(block.next, block.next + count);
}

void Ids::undo(AccountKey account, IdKind kind, PublicId first, std::int64_t count) {
  const std::lock_guard lock(mutex_);
  const auto found = accounts_.find(account);
  if (found == accounts_.end()) return;
  Block& block = found->second.at(static_cast<std::size_t>(kind));
  if (block.next == first + count) block.next = first;
}

std::optional<std::int64_t> Ids::take_present_numbers(std::int64_t count) {
  const std::lock_guard lock(mutex_);
  if (numbers_.end - numbers_.next < count) return std::nullopt;
  return std::exchange(numbers_.next, numbers_.next + count);
}

Result<std::set<AccountKey>> Ids::provide(Link& link, const IdNeeds& needs, Milliseconds most) {
  const std::lock_guard lock(mutex_);
  auto done = fill(link, needs, most);
  if (!done) return fail(std::move(done.error()));
  std::set<AccountKey> missing;
  for (const auto& [key, counts] : needs.ids) {
    if (filled(key, counts) == nullptr) missing.insert(key);
  }
  return missing;
}

void Ids::give_back(Link& link, Milliseconds most) {
  const std::lock_guard lock(mutex_);
  Column keys(kInt8);
  std::array<Column, kIdKinds> next{Column(kInt8), Column(kInt8), Column(kInt8)};
  std::array<Column, kIdKinds> end{Column(kInt8), Column(kInt8), Column(kInt8)};
  for (const auto& [key, account] : accounts_) {
    keys.add(key);
    for (std::size_t kind = 0; kind < kIdKinds; ++kind) {
      next.at(kind).add(account.at(kind).next);
      // Nothing was ever reserved of it: no stored value is this one.
      end.at(kind).add(account.at(kind).end == 0 ? -1 : account.at(kind).end);
    }
  }
  accounts_.clear();
  numbers_ = {};
  if (keys.empty()) return;
  (void)link.add(kBegin)
      .add(kLockAccounts, Params() << keys)
      .add(kGiveIdsBack,
           Params() << keys << next[0] << next[1] << next[2] << end[0] << end[1] << end[2])
      .add(kCommit)
      .fly(most);
}

}  // namespace todoku::store::postgres
