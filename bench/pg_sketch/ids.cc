// SPDX-License-Identifier: Apache-2.0
#include "ids.h"

#include <algorithm>
#include <utility>

namespace todoku::pg_sketch {
namespace {

const Sql kReserveNumbers{"numbers",
                          "UPDATE numbers SET next = next + $1 WHERE line = 0 RETURNING next"};
const Sql kLockAccounts{"lock_accounts",
                        "SELECT key FROM accounts WHERE key = ANY($1) ORDER BY key"
                        " FOR NO KEY UPDATE"};
const Sql kReserveIds{
    "ids",
    "UPDATE accounts a SET next_delivery_id = next_delivery_id + u.deliveries,"
    " next_email_id = next_email_id + u.emails"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) u(key, deliveries, emails)"
    " WHERE a.key = u.key RETURNING a.key, next_delivery_id, next_email_id, u.deliveries, "
    "u.emails"};

constexpr std::int64_t kFirst = 64;
constexpr std::int64_t kMost = 8'192;
constexpr std::int64_t kNumbers = 100'000;

}  // namespace

Result<void> Ids::provide(Link& link, const std::map<store::AccountKey, Need>& needs,
                          std::int64_t numbers) {
  Column keys(kInt8);
  Column deliveries(kInt8);
  Column emails(kInt8);
  bool lacks = false;
  const auto more = [](Block& block, std::int64_t need) -> std::int64_t {
    if (block.end - block.next >= need) return 0;
    block.blocks = std::min(std::max(block.blocks * 2, kFirst), kMost);
    return std::max(block.blocks, need);
  };
  for (const auto& [key, need] : needs) {
    Account& account = accounts_[key];
    const auto of_deliveries = more(account.deliveries, need.deliveries);
    const auto of_emails = more(account.emails, need.emails);
    if (of_deliveries + of_emails == 0) continue;
    lacks = true;
    keys.add(static_cast<std::int64_t>(key));
    deliveries.add(of_deliveries);
    emails.add(of_emails);
  }
  const bool lacks_numbers = numbers_.end - numbers_.next < numbers;
  if (!lacks && !lacks_numbers) return {};
  link.add(kBegin);
  if (lacks) {
    link.add(kLockAccounts, Params() << keys);
    link.add(kReserveIds, Params() << keys << deliveries << emails);
  }
  if (lacks_numbers) link.add(kReserveNumbers, Params() << std::max(numbers, kNumbers));
  link.add(kCommit);
  const auto results = link.fly();
  if (!results) return fail(results.error());
  if (lacks) {
    const Rows rows((*results)[2].get());
    const auto took = [](Block& block, std::int64_t end, std::int64_t count) {
      if (count > 0) block = {end - count, end, block.blocks};
    };
    for (int i = 0; i < rows.size(); ++i) {
      Account& account = accounts_[store::AccountKey{rows.integer(i, 0)}];
      took(account.deliveries, rows.integer(i, 1), rows.integer(i, 3));
      took(account.emails, rows.integer(i, 2), rows.integer(i, 4));
    }
  }
  if (lacks_numbers) {
    const Rows rows((*results)[lacks ? 3 : 1].get());
    numbers_.end = rows.integer(0, 0);
    numbers_.next = numbers_.end - std::max(numbers, kNumbers);
  }
  return {};
}

std::optional<std::int64_t> Ids::take_delivery(store::AccountKey account) {
  Block& block = accounts_[account].deliveries;
  if (block.next == block.end) return std::nullopt;
  return block.next++;
}

std::optional<std::int64_t> Ids::take_emails(store::AccountKey account, std::int64_t count) {
  Block& block = accounts_[account].emails;
  if (block.end - block.next < count) return std::nullopt;
  return std::exchange(block.next, block.next + count);
}

std::int64_t Ids::take_numbers(std::int64_t count) {
  return std::exchange(numbers_.next, numbers_.next + count);
}

}  // namespace todoku::pg_sketch
