// SPDX-License-Identifier: Apache-2.0
// How much mail an account may hand in a minute, a day and a month (store/accounts.h).
//
// A minute is counted here alone, and each process lets the whole limit pass. Days and months are
// those of Japan's calendar, as the contract's dates are, and counted over all processes: each adds
// what it accepted to rows of its own every few seconds, and then reads everybody's. So beyond its
// limit an account gets at most what the other processes accept in that time; and a process that
// dies takes along what it had not told yet. All accounts are counted; of those that have no such
// limit nothing is asked.
//
// Who has a limit a day or a month is told when four fifths of it are used, and when all of it is
// or a mail was refused for it: each once a day or month, whichever process sees it first.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
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

// How an account stands with one of its limits.
struct Standing {
  std::string_view limit;  // "mails_per_day" or "mails_per_month"
  std::int64_t most = 0;
  std::int64_t used = 0;  // may be more, where processes counted apart
  std::chrono::seconds resets_in{};
};

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

  // By the limits a day and a month that it has, as far as this process knows. The first time the
  // store is asked, whose errors are told.
  Task<Result<std::vector<Standing>>> standing(store::Account account);

  // Tells the store what was counted since, under the name of this process, and hears of others;
  // then tells the accounts that come near a limit.
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
    store::AccountLimits limits;  // as they were when it was asked last
    // Of each span: when a mail was last refused for its limit, and mark_of() what was told.
    std::array<store::DayNumber, 2> refused_in{};
    std::array<std::int64_t, 2> told{};
  };
  // Accounts of an exchange: whose counts are told, and which of these are asked about.
  struct Exchanged {
    std::vector<store::MailCount> counts;
    std::vector<store::AccountKey> told;
    std::vector<store::AccountKey> asked;
  };
  // What an account is to be told, and in which words.
  struct Due {
    store::LimitNotice notice;
    std::string because;
  };
  [[nodiscard]] static std::int64_t sum_from(const Tally& tally, store::DayNumber first);
  // Of the spans that have a limit.
  [[nodiscard]] static std::vector<Standing> standings_of(const Tally& tally,
                                                          const store::AccountLimits& limits,
                                                          Instant now);
  [[nodiscard]] std::vector<Due> due_notices();
  Task<Result<void>> tell_of_limits();
  [[nodiscard]] std::optional<Refusal> judge(Tally& tally, const store::AccountLimits& limits,
                                             std::int64_t mails, bool transactional) const;
  Task<Result<void>> learn(store::AccountKey account);
  [[nodiscard]] Exchanged begin_telling();
  void end_telling(const Result<std::vector<store::MailCount>>& heard, const Exchanged& exchanged);

  store::Store& store_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<store::AccountKey, Tally> tallies_;
};

}  // namespace todoku::intake
