// SPDX-License-Identifier: Apache-2.0
// Moves of key slots (key_slots.h) in the store: each is one transaction, made only if nobody has
// moved the row since it was read.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "base/secret_box.h"
#include "operate/key_slots.h"
#include "operate/key_zone.h"
#include "store/store.h"

namespace todoku::operate {

// A row as it was read.
struct SlotsAtHand {
  store::KeySlotsRow row;
  KeySlots slots;
};
[[nodiscard]] Result<SlotsAtHand> slots_at_hand(store::KeySlotsRow row);
// With the state in its place, and the time when that is due; ready to be put.
[[nodiscard]] store::KeySlotsRow row_of(const SlotsAtHand& at_hand, const SlotPace& pace,
                                        Instant now);

// New keys for a slot, sealed for the account, domain and selector. Errors: unavailable.
[[nodiscard]] Task<Result<std::vector<SlotKey>>> make_slot_keys(const SecretBox& box,
                                                                store::AccountKey account,
                                                                std::string domain,
                                                                std::size_t slot);

// The keys of a slot as keys that sign, since `now`.
[[nodiscard]] std::vector<store::DkimKey> signing_keys_of(const SlotsAtHand& at_hand,
                                                          std::size_t slot, Instant now);

// Whether something may be under way that pins the slot's keys: what the account began before
// others took over.
[[nodiscard]] Result<bool> may_be_pinned(store::ReadTransaction& reader, const SlotsAtHand& at_hand,
                                         std::size_t slot);
// Since when keys of the domain that are in no slot sign, one for each of the slot's algorithms;
// nullopt: they do not.
[[nodiscard]] Result<std::optional<Instant>> others_since(store::ReadTransaction& reader,
                                                          const SlotsAtHand& at_hand,
                                                          std::size_t slot);

// The next look at the keys that sign is due: their last one is as if it were long ago.
void ask_for_look(KeySlots& slots);

// The keys of a domain that is its account's no longer, in the commit that takes it away: no mail
// begins with them, and they go once what began is over. Nothing where there are none. conflict.
[[nodiscard]] Result<void> give_up_slots(store::WriteTransaction& writer, store::AccountKey account,
                                         const std::string& domain, Instant now);

// What the zone holds of a row: of each slot that belongs there, each key.
[[nodiscard]] std::vector<ZoneRecord> zone_records_of(const SlotsAtHand& at_hand);
// What has to be changed there, of slots of which it was not told.
[[nodiscard]] std::vector<ZoneChange> zone_changes_of(const SlotsAtHand& at_hand);

}  // namespace todoku::operate
