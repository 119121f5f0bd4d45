// SPDX-License-Identifier: Apache-2.0
// Rates of bounces and complaints, as they are shown to an account and to operators: where each
// stands, and by how many mails it was counted. What cannot be measured has no rate: never 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "delivery/policy/protection.h"
#include "store/store.h"

namespace todoku::operate {

inline constexpr std::int64_t kRateHoursUsual = 24;
inline constexpr std::int64_t kRateHoursMax = store::kRateDays * 24;

// Until when a delivery that goes out goes to a share of each receiver's recipients alone
// (delivery/policy/protection.h, Canary); nullopt: it does not.
[[nodiscard]] Result<std::optional<Instant>> canary_until(store::ReadTransaction& reader,
                                                          const store::Delivery& delivery,
                                                          Instant now);

struct RateLine {
  store::RateScope scope = store::RateScope::account;
  std::string name;              // of the domain or the receiver's site; else empty
  std::string level;             // "calm", "warned" or "paused"
  std::string because;           // of a level other than calm
  std::optional<Instant> since;  // nullopt: it has always been calm
  OutcomeCounts counts;          // since the last resumption, if that is not longer ago
  // Percent; nullopt: nothing that it could be measured by.
  std::optional<double> hard_bounces;
  std::optional<double> unknown_users;
  std::optional<double> complaints;
};

struct RateReport {
  std::int64_t hours = kRateHoursUsual;
  store::PublicId delivery = 0;  // of which it is; 0: of the account
  std::vector<RateLine> lines;
  delivery::policy::ProtectionOverrides own_limits;  // that the account has
};

// Of one delivery from its start on, with a line for each receiver; `delivery` 0: of the account in
// the last `hours`, with lines for its sender domains and receivers. not_found.
[[nodiscard]] Result<RateReport> read_rates(store::ReadTransaction& reader,
                                            store::AccountKey account, store::PublicId delivery,
                                            std::int64_t hours, Instant now);

}  // namespace todoku::operate
