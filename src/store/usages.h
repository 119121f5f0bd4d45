// SPDX-License-Identifier: Apache-2.0
// What an account has used: mails by calendar month of Japan. A mail counts once, when its delivery
// starts, whatever becomes of it: in the commit that starts it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

// 202604
using Month = std::int32_t;

// A month may be as many rows, so that writers at once need not wait for each other's.
inline constexpr std::int64_t kUsageSlots = 16;

struct Usage {
  Month month = 0;
  std::int64_t mails = 0;
  Instant updated{};
};

[[nodiscard]] Month month_of(Instant instant);
// `months` before it.
[[nodiscard]] Month month_before(Month month, int months);
// Whether it is a month at all.
[[nodiscard]] bool is_month(Month month);
// When it begins.
[[nodiscard]] Instant beginning_of(Month month);

class UsageReads {
 public:
  virtual ~UsageReads() = default;
  // Of the months from `first` to `last` those with mails, newest first.
  [[nodiscard]] virtual Result<std::vector<Usage>> usages(AccountKey account, Month first,
                                                          Month last) = 0;
};

}  // namespace todoku::store
