// SPDX-License-Identifier: Apache-2.0
// How much mail an account was accepted, of accounts that have a limit a day or a month. Each
// process adds what it accepted to a row of its own, so that none waits for another's.
#pragma once

#include <cstdint>
#include <span>
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
  // Those of before this day, at most `rows`; false: more are left.
  [[nodiscard]] virtual Result<bool> drop_mail_counts(DayNumber before, std::int64_t rows) = 0;
};

}  // namespace todoku::store
