// SPDX-License-Identifier: Apache-2.0
#include "intake/mail_limit.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

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

bool has_span(const store::AccountLimits& limits) {
  return limits.mails_per_day > 0 || limits.mails_per_month > 0;
}

constexpr std::string_view kPerDay = "mails_per_day";
constexpr std::string_view kPerMonth = "mails_per_month";

std::size_t index_of(store::LimitSpan span) {
  return static_cast<std::size_t>(span);
}

// Four fifths of it, rounded up.
std::int64_t near_at(std::int64_t most) {
  constexpr std::int64_t kFifths = 5;
  return most - most / kFifths;
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
  tally.limits = limits;
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
    if (transactional) {
      tally.refused_in[index_of(store::LimitSpan::month)] = first_day_of_month(now);
    }
    return reached("mails_per_month", limits.mails_per_month, until_next_month(now));
  }
  if (limits.mails_per_day > 0 && sum_from(tally, day_of(now)) + mails > limits.mails_per_day) {
    if (transactional) tally.refused_in[index_of(store::LimitSpan::day)] = day_of(now);
    return reached("mails_per_day", limits.mails_per_day, until_next_day(now));
  }
  if (transactional && limits.mails_per_minute > 0 &&
      tally.in_minute + mails > limits.mails_per_minute) {
    return reached("mails_per_minute", limits.mails_per_minute,
                   std::chrono::ceil<seconds>(tally.minute + kMinute - steady));
  }
  if (transactional) tally.in_minute += mails;
  tally.pending[day_of(now)] += mails;
  return std::nullopt;
}

Task<std::optional<Refusal>> MailLimit::admit(store::Account account, std::int64_t mails,
                                              bool transactional) {
  const store::AccountLimits& limits = account.limits;
  if (has_span(limits)) {
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

MailLimit::Exchanged MailLimit::begin_telling() {
  const std::lock_guard lock(mutex_);
  const SteadyInstant now = clock_.steady_now();
  Exchanged exchanged;
  std::erase_if(tallies_, [&](const auto& entry) {
    const Tally& tally = entry.second;
    return tally.pending.empty() && tally.telling.empty() && now - tally.asked > kForgottenAfter;
  });
  for (auto& [account, tally] : tallies_) {
    if (tally.is_known) exchanged.asked.push_back(account);
    if (!tally.is_known && tally.pending.empty()) continue;
    exchanged.told.push_back(account);
    for (const auto& [day, mails] : std::exchange(tally.pending, {})) {
      if (mails == 0) continue;
      tally.telling[day] += mails;
      exchanged.counts.push_back({.account = account, .day = day, .mails = mails});
    }
  }
  return exchanged;
}

void MailLimit::end_telling(const Result<std::vector<store::MailCount>>& heard,
                            const Exchanged& exchanged) {
  const std::lock_guard lock(mutex_);
  for (const store::AccountKey account : exchanged.told) {
    const auto found = tallies_.find(account);
    if (found == tallies_.end()) continue;
    Tally& tally = found->second;
    const Days told = std::exchange(tally.telling, {});
    if (heard) continue;
    // It may be stored: then the account has it counted twice, rather than not at all.
    for (const auto& [day, mails] : told) tally.pending[day] += mails;
  }
  if (!heard) return;
  for (const store::AccountKey account : exchanged.asked) {
    if (const auto found = tallies_.find(account); found != tallies_.end()) {
      found->second.stored.clear();
    }
  }
  for (const store::MailCount& count : *heard) {
    const auto found = tallies_.find(count.account);
    if (found != tallies_.end()) found->second.stored[count.day] += count.mails;
  }
}

Task<Result<void>> MailLimit::exchange(store::NodeKey node) {
  const Exchanged exchanged = begin_telling();
  if (exchanged.told.empty()) co_return Result<void>{};
  const store::DayNumber first = first_day_of_month(store_.clock().now());
  using Counts = std::vector<store::MailCount>;
  Result<Counts> heard;
  if (exchanged.counts.empty()) {
    heard =
        co_await store_.read([asked = exchanged.asked, first](store::ReadTransaction& transaction) {
          return transaction.mail_counts(asked, first);
        });
  } else {
    heard = co_await store_.write(store::WritePriority::claims,
                                  [node, counts = exchanged.counts, asked = exchanged.asked,
                                   first](store::WriteTransaction& transaction) -> Result<Counts> {
                                    auto told = transaction.count_mails(node, counts);
                                    if (!told) return fail(std::move(told.error()));
                                    if (asked.empty()) return Counts{};
                                    return transaction.read().mail_counts(asked, first);
                                  });
  }
  end_telling(heard, exchanged);
  if (!heard) co_return fail(heard.error());
  co_return co_await tell_of_limits();
}

std::vector<Standing> MailLimit::standings_of(const Tally& tally,
                                              const store::AccountLimits& limits, Instant now) {
  std::vector<Standing> standings;
  if (limits.mails_per_day > 0) {
    standings.push_back(
        {kPerDay, limits.mails_per_day, sum_from(tally, day_of(now)), until_next_day(now)});
  }
  if (limits.mails_per_month > 0) {
    standings.push_back({kPerMonth, limits.mails_per_month,
                         sum_from(tally, first_day_of_month(now)), until_next_month(now)});
  }
  return standings;
}

Task<Result<std::vector<Standing>>> MailLimit::standing(store::Account account) {
  if (!has_span(account.limits)) co_return std::vector<Standing>{};
  bool is_known = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = tallies_.find(account.key);
    is_known = found != tallies_.end() && found->second.is_known;
  }
  if (!is_known) {
    const auto learnt = co_await learn(account.key);
    if (!learnt) co_return fail(learnt.error());
  }
  const std::lock_guard lock(mutex_);
  co_return standings_of(tallies_[account.key], account.limits, store_.clock().now());
}

std::vector<MailLimit::Due> MailLimit::due_notices() {
  const std::lock_guard lock(mutex_);
  const Instant now = store_.clock().now();
  std::vector<Due> due;
  for (const auto& [account, tally] : tallies_) {
    if (!tally.is_known) continue;
    for (const Standing& standing : standings_of(tally, tally.limits, now)) {
      const bool is_day = standing.limit == kPerDay;
      const auto span = is_day ? store::LimitSpan::day : store::LimitSpan::month;
      const store::DayNumber begins = is_day ? day_of(now) : first_day_of_month(now);
      const bool is_reached =
          standing.used >= standing.most || tally.refused_in[index_of(span)] == begins;
      if (!is_reached && standing.used < near_at(standing.most)) continue;
      const store::LimitNotice notice{.account = account,
                                      .span = span,
                                      .begins = begins,
                                      .reached = is_reached,
                                      .name = standing.limit,
                                      .because = {}};
      if (store::mark_of(notice) <= tally.told[index_of(span)]) continue;
      due.push_back({notice, fmt::format("{} of {} mails of this {} are used", standing.used,
                                         standing.most, is_day ? "day" : "month")});
    }
  }
  return due;
}

// What is not told now is told by the next exchange.
Task<Result<void>> MailLimit::tell_of_limits() {
  for (const Due& each : due_notices()) {
    const auto told = co_await store_.write(
        store::WritePriority::claims,
        [notice = each.notice, because = each.because](store::WriteTransaction& transaction) {
          store::LimitNotice worded = notice;
          worded.because = because;
          return transaction.tell_of_limit(worded);
        });
    if (!told) co_return fail(told.error());
    const std::lock_guard lock(mutex_);
    const auto found = tallies_.find(each.notice.account);
    if (found == tallies_.end()) continue;
    std::int64_t& mark = found->second.told[index_of(each.notice.span)];
    mark = std::max(mark, store::mark_of(each.notice));
  }
  co_return Result<void>{};
}

}  // namespace todoku::intake
