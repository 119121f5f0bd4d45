// SPDX-License-Identifier: Apache-2.0
#include "intake/mail_limit.h"

#include <algorithm>
#include <utility>

#include "intake/changes.h"

namespace todoku::intake {
namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr std::chrono::hours kJapan{9};
constexpr std::chrono::minutes kMinute{1};
// Of an account that has not sent for so long nothing is kept in memory.
constexpr std::chrono::hours kForgottenAfter{1};

std::chrono::sys_days local_day(Instant now) {
  return std::chrono::floor<days>(now + kJapan);
}

// Of the day's beginning there.
seconds until(std::chrono::sys_days day, Instant now) {
  return std::chrono::ceil<seconds>(Instant(day) - kJapan - now);
}

bool counts_days(const store::AccountLimits& limits) {
  return limits.mails_per_day > 0 || limits.mails_per_month > 0;
}

Refusal reached(std::string_view limit, std::int64_t most, seconds free_in) {
  Refusal refusal = Refusal::of(ErrorKind::limit_exceeded, texts::mail_limit(limit, most));
  refusal.retry_after = free_in;
  refusal.limit = limit;
  return refusal;
}

// To come again does not help: no Retry-After.
Refusal never_fits(std::string_view limit, std::int64_t most, std::int64_t mails) {
  Refusal refusal = Refusal::of(ErrorKind::invalid_input, texts::beyond_limit(limit, most, mails));
  refusal.limit = limit;
  return refusal;
}

}  // namespace

store::DayNumber day_of(Instant now) {
  return local_day(now).time_since_epoch().count();
}

store::DayNumber first_day_of_month(Instant now) {
  const std::chrono::year_month_day date(local_day(now));
  return std::chrono::sys_days(date.year() / date.month() / 1).time_since_epoch().count();
}

seconds until_next_day(Instant now) {
  return until(local_day(now) + days(1), now);
}

seconds until_next_month(Instant now) {
  const std::chrono::year_month_day date(local_day(now));
  const auto next = date.year() / date.month() + std::chrono::months(1);
  return until(std::chrono::sys_days(next / 1), now);
}

std::int64_t MailLimit::sum_from(const Tally& tally, store::DayNumber first) {
  std::int64_t sum = 0;
  for (const Days* counted : {&tally.stored, &tally.pending, &tally.telling}) {
    for (auto day = counted->lower_bound(first); day != counted->end(); ++day) sum += day->second;
  }
  return sum;
}

std::optional<Refusal> MailLimit::judge(Tally& tally, const store::AccountLimits& limits,
                                        std::int64_t mails, bool transactional) const {
  const SteadyInstant steady = clock_.steady_now();
  const Instant now = store_.clock().now();
  tally.asked = steady;
  if (tally.in_minute == 0 || steady - tally.minute >= kMinute) {
    tally.minute = steady;
    tally.in_minute = 0;
  }
  if (limits.mails_per_month > 0 && mails > limits.mails_per_month) {
    return never_fits("mails_per_month", limits.mails_per_month, mails);
  }
  if (limits.mails_per_day > 0 && mails > limits.mails_per_day) {
    return never_fits("mails_per_day", limits.mails_per_day, mails);
  }
  if (transactional && limits.mails_per_minute > 0 && mails > limits.mails_per_minute) {
    return never_fits("mails_per_minute", limits.mails_per_minute, mails);
  }
  if (limits.mails_per_month > 0 &&
      sum_from(tally, first_day_of_month(now)) + mails > limits.mails_per_month) {
    return reached("mails_per_month", limits.mails_per_month, until_next_month(now));
  }
  if (limits.mails_per_day > 0 && sum_from(tally, day_of(now)) + mails > limits.mails_per_day) {
    return reached("mails_per_day", limits.mails_per_day, until_next_day(now));
  }
  if (transactional && limits.mails_per_minute > 0 &&
      tally.in_minute + mails > limits.mails_per_minute) {
    return reached("mails_per_minute", limits.mails_per_minute,
                   std::chrono::ceil<seconds>(tally.minute + kMinute - steady));
  }
  if (transactional) tally.in_minute += mails;
  if (counts_days(limits)) tally.pending[day_of(now)] += mails;
  return std::nullopt;
}

Task<std::optional<Refusal>> MailLimit::admit(store::Account account, std::int64_t mails,
                                              bool transactional) {
  const store::AccountLimits& limits = account.limits;
  if (limits.mails_per_minute == 0 && !counts_days(limits)) co_return std::nullopt;
  if (counts_days(limits)) {
    bool is_known = false;
    {
      const std::lock_guard lock(mutex_);
      is_known = tallies_[account.key].is_known;
    }
    if (!is_known) {
      const auto learnt = co_await learn(account.key);
      if (!learnt) co_return refusal_of(learnt.error());
    }
  }
  const std::lock_guard lock(mutex_);
  co_return judge(tallies_[account.key], limits, mails, transactional);
}

void MailLimit::give_back(const store::Account& account, std::int64_t mails) {
  if (!counts_days(account.limits)) return;
  const std::lock_guard lock(mutex_);
  tallies_[account.key].pending[day_of(store_.clock().now())] -= mails;
}

// Several may do so at once for one account: the last one's answer stands.
Task<Result<void>> MailLimit::learn(store::AccountKey account) {
  const store::DayNumber first = first_day_of_month(store_.clock().now());
  const auto counts = co_await store_.read([account, first](store::ReadTransaction& transaction) {
    return transaction.mail_counts(std::span(&account, 1), first);
  });
  if (!counts) co_return fail(counts.error());
  const std::lock_guard lock(mutex_);
  Tally& tally = tallies_[account];
  if (tally.is_known) co_return Result<void>{};
  for (const store::MailCount& count : *counts) tally.stored[count.day] += count.mails;
  tally.is_known = true;
  tally.asked = clock_.steady_now();
  co_return Result<void>{};
}

std::vector<store::MailCount> MailLimit::begin_telling(std::vector<store::AccountKey>& accounts) {
  const std::lock_guard lock(mutex_);
  const SteadyInstant now = clock_.steady_now();
  std::vector<store::MailCount> counts;
  std::erase_if(tallies_, [&](const auto& entry) {
    const Tally& tally = entry.second;
    return tally.pending.empty() && tally.telling.empty() && now - tally.asked > kForgottenAfter;
  });
  for (auto& [account, tally] : tallies_) {
    if (!tally.is_known) continue;
    accounts.push_back(account);
    for (const auto& [day, mails] : std::exchange(tally.pending, {})) {
      if (mails == 0) continue;
      tally.telling[day] += mails;
      counts.push_back({.account = account, .day = day, .mails = mails});
    }
  }
  return counts;
}

void MailLimit::end_telling(const Result<std::vector<store::MailCount>>& heard,
                            const std::vector<store::AccountKey>& accounts) {
  const std::lock_guard lock(mutex_);
  for (const store::AccountKey account : accounts) {
    const auto found = tallies_.find(account);
    if (found == tallies_.end()) continue;
    Tally& tally = found->second;
    const Days told = std::exchange(tally.telling, {});
    if (heard) {
      tally.stored.clear();
    } else {  // it may be stored: then the account has it counted twice, rather than not at all
      for (const auto& [day, mails] : told) tally.pending[day] += mails;
    }
  }
  if (!heard) return;
  for (const store::MailCount& count : *heard) {
    const auto found = tallies_.find(count.account);
    if (found != tallies_.end()) found->second.stored[count.day] += count.mails;
  }
}

Task<Result<void>> MailLimit::exchange(store::NodeKey node) {
  std::vector<store::AccountKey> accounts;
  const auto counts = begin_telling(accounts);
  if (accounts.empty()) co_return Result<void>{};
  const store::DayNumber first = first_day_of_month(store_.clock().now());
  using Counts = std::vector<store::MailCount>;
  Result<Counts> heard;
  if (counts.empty()) {
    heard = co_await store_.read([accounts, first](store::ReadTransaction& transaction) {
      return transaction.mail_counts(accounts, first);
    });
  } else {
    heard = co_await store_.write(
        store::WritePriority::claims,
        [node, counts, accounts, first](store::WriteTransaction& transaction) -> Result<Counts> {
          auto told = transaction.count_mails(node, counts);
          if (!told) return fail(std::move(told.error()));
          return transaction.read().mail_counts(accounts, first);
        });
  }
  end_telling(heard, accounts);
  if (!heard) co_return fail(heard.error());
  co_return Result<void>{};
}

}  // namespace todoku::intake
