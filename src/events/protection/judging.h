// SPDX-License-Identifier: Apache-2.0
// What follows from counts: done in the transaction that has counted them, so that it happens once
// and is true of what is counted. Decides nothing by itself (delivery/policy/protection.h does).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "delivery/policy/protection.h"
#include "events/protection/tally.h"
#include "store/store.h"

namespace todoku::events::protection {

struct ProtectionOptions {
  bool enabled = true;  // else what happens is counted, and nothing follows
  delivery::policy::ProtectionLimits limits;
  std::int64_t window_hours = 24;  // of what is of no single delivery, which counts from its start
};

// What was done, for logs and figures.
struct Consequence {
  store::AccountKey account{};
  std::string subject;  // words_of()
  std::string because;
  delivery::policy::ProtectionLevel level{};
  std::int64_t deliveries = 0;  // that were paused
};

// A bulk delivery of which the tally has something, or that began.
using Heads = std::map<store::DeliveryKey, store::Delivery>;

// Judges whom `tally` has added to, after it was counted. What is to wait waits from this commit
// on:
//
//   account, sender domain   all bulk of it that goes out
//   receiver                 all bulk of the account that goes out, at this receiver; of all
//                            others together (Receiver::kOthers) its owner is told alone
//   delivery                 itself, if it goes out still; else its owner is told alone
//   delivery at a receiver   itself there
[[nodiscard]] Result<std::vector<Consequence>> judge_rates(store::WriteTransaction& writer,
                                                           const Tally& tally, const Heads& heads,
                                                           const ProtectionOptions& options,
                                                           Instant now);

// A bulk delivery began whose account or sender domain is held: it waits, too; at receivers where
// its account is held it waits there.
[[nodiscard]] Result<std::vector<Consequence>> judge_start(store::WriteTransaction& writer,
                                                           const store::Delivery& head,
                                                           const ProtectionOptions& options,
                                                           Instant now);

}  // namespace todoku::events::protection
