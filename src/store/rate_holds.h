// SPDX-License-Identifier: Apache-2.0
// What holds bulk mail back for its rates (store/rates.h), and ending it: what all who pause and
// resume do alike. A resumption is a person's word that the mail may go on: what was counted before
// counts no more (RateState::baseline).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/rates.h"
#include "store/store.h"

namespace todoku::store {

// RateState::level of what is held back.
inline constexpr std::uint8_t kRateWarned = 1;
inline constexpr std::uint8_t kRatePaused = 2;

// "account", "sender domain example.jp", "delivery 12 at docomo": whose rates they are, for people.
// `delivery`: its public id, where it is of one.
[[nodiscard]] std::string words_of(const RateSubject& subject, PublicId delivery);

// All that concerns `delivery`, which is a bulk's: its account, its sender domain, their receivers,
// itself, and itself at receivers. What has a level begins anew, and where something was held, all
// that has counted the same of it, too: its account, its sender domain, itself, and the receiver at
// which it was held. Its owner is told of what was held. True: something was. `now`: the store's.
[[nodiscard]] Result<bool> end_rate_holds(WriteTransaction& writer, const Delivery& delivery,
                                          Instant now);

// What of a bulk delivery is held back for now, and what all of it is: of itself, its sender
// domain, its account, and of itself at receivers. Empty: nothing. not_found.
[[nodiscard]] Result<std::vector<RateState>> rate_holds(ReadTransaction& reader, DeliveryKey key,
                                                        Instant now);

// The domain of From, by which rates are counted; empty: it has none.
[[nodiscard]] std::string sender_domain_of(const Delivery& delivery);

}  // namespace todoku::store
