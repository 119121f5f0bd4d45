// SPDX-License-Identifier: Apache-2.0
// How much mail an account was accepted, by day. Each process adds what it accepted to a row of its
// own, so that none waits for another's. And that an account comes near its limit a day or a month,
// or has reached it, which is told once.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

// Days since 1970-01-01 of the calendar by which limits go (intake/mail_limit.h).
using DayNumber = std::int64_t;

struct MailCount {
  AccountKey account{};
  DayNumber day = 0;
  std::int64_t mails = 0;
};

enum class LimitSpan : std::uint8_t { day, month };

struct LimitNotice {
  AccountKey account{};
  LimitSpan span = LimitSpan::day;
  DayNumber begins = 0;   // the day, or the first of the month
  bool reached = false;   // else it is near
  std::string_view name;  // "mails_per_day"
  std::string_view because;
};

// How it is kept of what an account was told last: grows with time, and from near to reached.
[[nodiscard]] constexpr std::int64_t mark_of(const LimitNotice& notice) {
  return notice.begins * 2 + (notice.reached ? 1 : 0);
}

class MailCountReads {
 public:
  virtual ~MailCountReads() = default;
  // Of all processes together, of these accounts on the days from `first` on; in no order.
  [[nodiscard]] virtual Result<std::vector<MailCount>> mail_counts(
      std::span<const AccountKey> accounts, DayNumber first) = 0;
};

class MailCountWrites {
 public:
  virtual ~MailCountWrites() = default;
  // Each once.
  [[nodiscard]] virtual Result<void> count_mails(NodeKey node,
                                                 std::span<const MailCount> counts) = 0;
  // Its owner is told: limit_near or limit_reached. False: that has been told already, by whichever
  // process (a conditional update), or nobody is there any more.
  [[nodiscard]] virtual Result<bool> tell_of_limit(const LimitNotice& notice) = 0;
  // Those of before this day, at most `rows`; false: more are left.
  [[nodiscard]] virtual Result<bool> drop_mail_counts(DayNumber before, std::int64_t rows) = 0;
};

}  // namespace todoku::store
