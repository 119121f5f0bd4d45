// SPDX-License-Identifier: Apache-2.0
// How much mail an account may hand in a minute, a day and a month (store/accounts.h).
//
// A minute is counted here alone, and each process lets the whole limit pass. Days and months are
// those of Japan's calendar, as the contract's dates are, and counted over all processes: each adds
// what it accepted to rows of its own every few seconds, and then reads everybody's. So beyond its
// limit an account gets at most what the other processes accept in that time; and a process that
// dies takes along what it had not told yet. Only accounts with such a limit are counted.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "intake/problem.h"
#include "store/store.h"

namespace todoku::intake {

// Japan's calendar.
[[nodiscard]] store::DayNumber day_of(Instant now);
[[nodiscard]] store::DayNumber first_day_of_month(Instant now);
[[nodiscard]] std::chrono::seconds until_next_day(Instant now);
[[nodiscard]] std::chrono::seconds until_next_month(Instant now);

// Thread-safe.
class MailLimit {
 public:
  MailLimit(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  // Counts `mails`, or says which limit they would pass and when it is free again. A bulk has no
  // limit a minute: it is sent at the engine's pace. The first time the store is asked what was
  // counted by others, whose errors are told.
  Task<std::optional<Refusal>> admit(store::Account account, std::int64_t mails,
                                     bool transactional);
  // They were not accepted after all.
  void give_back(const store::Account& account, std::int64_t mails);

  // Tells the store what was counted since, under the name of this process, and hears of others.
  Task<Result<void>> exchange(store::NodeKey node);

 private:
  using Days = std::map<store::DayNumber, std::int64_t>;
  struct Tally {
    bool is_known = false;  // what others counted
    SteadyInstant minute{};
    std::int64_t in_minute = 0;
    Days stored;   // of all processes, when the store was asked last
    Days pending;  // here since
    Days telling;  // on its way to the store
    SteadyInstant asked{};
  };
  [[nodiscard]] static std::int64_t sum_from(const Tally& tally, store::DayNumber first);
  [[nodiscard]] std::optional<Refusal> judge(Tally& tally, const store::AccountLimits& limits,
                                             std::int64_t mails, bool transactional) const;
  Task<Result<void>> learn(store::AccountKey account);
  [[nodiscard]] std::vector<store::MailCount> begin_telling(
      std::vector<store::AccountKey>& accounts);
  void end_telling(const Result<std::vector<store::MailCount>>& heard,
                   const std::vector<store::AccountKey>& accounts);

  store::Store& store_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<store::AccountKey, Tally> tallies_;
};

}  // namespace todoku::intake
