// SPDX-License-Identifier: Apache-2.0
#include "operate/key_rotation.h"

#include <algorithm>
#include <utility>

#include "mailauth/dkim/dns_record.h"
#include "operate/dkim_parts.h"
#include "operate/operations.h"

namespace todoku::operate {
namespace {

using mailauth::dkim::KeyAlgorithm;

// The names of a slot, in the order of its keys; none of one that is too long, which was refused.
std::vector<SlotName> names_of(const SlotsAtHand& at_hand, std::size_t slot) {
  auto names = slot_names(at_hand.row.account, at_hand.row.domain, at_hand.slots.zone, slot);
  return std::move(names).value_or(std::vector<SlotName>());
}

}  // namespace

Result<SlotsAtHand> slots_at_hand(store::KeySlotsRow row) {
  auto slots = unpack_slots(row.state);
  if (!slots) return fail("the keys of " + row.domain, std::move(slots.error()));
  return SlotsAtHand{.row = std::move(row), .slots = std::move(*slots)};
}

store::KeySlotsRow row_of(const SlotsAtHand& at_hand, const SlotPace& pace, Instant now) {
  store::KeySlotsRow row = at_hand.row;
  row.state = pack_slots(at_hand.slots);
  const SlotDue due = due_work(at_hand.slots, pace, now);
  const Instant next =
      std::min(due.work == SlotWork::none ? Instant::max() : due.at, due_watch(at_hand.slots).at);
  row.look = next == Instant::max() ? std::nullopt : std::optional(next);
  return row;
}

void ask_for_look(KeySlots& slots) {
  for (KeySlot& slot : slots.slots) {
    if (slot.stage == SlotStage::signing) slot.tried = Instant();
  }
}

Result<void> give_up_slots(store::WriteTransaction& writer, store::AccountKey account,
                           const std::string& domain, Instant now) {
  auto row = writer.read().key_slots_of(account, domain);
  if (!row) return fail(std::move(row.error()));
  if (!*row) return {};
  auto at_hand = slots_at_hand(std::move(**row));
  if (!at_hand) return fail(std::move(at_hand.error()));
  end_slots(at_hand->slots, now);
  // Nobody's keys take over: there is nothing to wait for.
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (at_hand->slots.slots[slot].stage == SlotStage::signing) {
      others_sign(at_hand->slots, slot, now);
    }
  }
  at_hand->row.state = pack_slots(at_hand->slots);
  at_hand->row.look = now;
  const auto put = writer.put_key_slots(at_hand->row);
  if (!put) return fail(put.error());
  if (*put) return {};
  return fail(ErrorKind::conflict,
              fmt::format("the keys of {} were changed at this moment: try again", domain));
}

Task<Result<std::vector<SlotKey>>> make_slot_keys(
    const SecretBox& box,  // NOLINT(*-reference-coroutine-parameters)
    store::AccountKey account, std::string domain, std::size_t slot) {
  std::vector<SlotKey> keys;
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::rsa, KeyAlgorithm::ed25519}) {
    const bool is_rsa = algorithm == KeyAlgorithm::rsa;
    const auto made = co_await dkim_key_for({}, is_rsa ? "rsa" : "ed25519");
    if (!made) co_return fail(made.error());
    const store::DkimKey named{.account = account,
                               .domain = domain,
                               .selector = slot_selector(account, algorithm, slot),
                               .algorithm = {},
                               .sealed_private_key = {},
                               .dns_record = {}};
    keys.push_back({.algorithm = std::string(mailauth::dkim::signature_algorithm(algorithm)),
                    .sealed_private_key = box.seal(made->to_pem(), dkim_seal_context(named)),
                    .dns_record = mailauth::dkim::key_record_text(*made)});
  }
  co_return keys;
}

std::vector<store::DkimKey> signing_keys_of(const SlotsAtHand& at_hand, std::size_t slot,
                                            Instant now) {
  const std::vector<SlotName> names = names_of(at_hand, slot);
  const std::vector<SlotKey>& keys = at_hand.slots.slots[slot].keys;
  std::vector<store::DkimKey> signing;
  for (std::size_t i = 0; i < std::min(keys.size(), names.size()); ++i) {
    signing.push_back({.account = at_hand.row.account,
                       .domain = at_hand.row.domain,
                       .selector = names[i].selector,
                       .algorithm = keys[i].algorithm,
                       .sealed_private_key = keys[i].sealed_private_key,
                       .dns_record = keys[i].dns_record,
                       .created = now});
  }
  return signing;
}

Result<bool> may_be_pinned(store::ReadTransaction& reader, const SlotsAtHand& at_hand,
                           std::size_t slot) {
  return reader.begun_before(at_hand.row.account,
                             at_hand.slots.slots[slot].since + kSlotHeardWithin);
}

Result<std::optional<Instant>> others_since(store::ReadTransaction& reader,
                                            const SlotsAtHand& at_hand, std::size_t slot) {
  const auto keys = keys_of_domain(reader, at_hand.row.account, at_hand.row.domain);
  if (!keys) return fail(keys.error());
  const KeySlot& ours = at_hand.slots.slots[slot];
  std::optional<Instant> since;
  for (const SlotKey& key : ours.keys) {
    std::optional<Instant> began;
    for (const store::DkimKey& other : *keys) {
      if (is_slot_selector(other.selector) || other.algorithm != key.algorithm ||
          other.created <= ours.since) {
        continue;
      }
      began = began ? std::min(*began, other.created) : other.created;
    }
    if (!began) return std::nullopt;
    since = since ? std::max(*since, *began) : *began;
  }
  return since;
}

std::vector<ZoneRecord> zone_records_of(const SlotsAtHand& at_hand) {
  std::vector<ZoneRecord> records;
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    const KeySlot& each = at_hand.slots.slots[slot];
    if (!each.belongs_in_zone()) continue;
    const std::vector<SlotName> names = names_of(at_hand, slot);
    for (std::size_t i = 0; i < std::min(each.keys.size(), names.size()); ++i) {
      records.push_back({names[i].alias, each.keys[i].dns_record});
    }
  }
  return records;
}

std::vector<ZoneChange> zone_changes_of(const SlotsAtHand& at_hand) {
  std::vector<ZoneChange> changes;
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    const KeySlot& each = at_hand.slots.slots[slot];
    if (each.in_zone == each.belongs_in_zone()) continue;
    const std::vector<SlotName> names = names_of(at_hand, slot);
    for (std::size_t i = 0; i < names.size(); ++i) {
      ZoneChange change{.name = names[i].alias, .text = std::nullopt};
      if (each.belongs_in_zone() && i < each.keys.size()) change.text = each.keys[i].dns_record;
      changes.push_back(std::move(change));
    }
  }
  return changes;
}

}  // namespace todoku::operate
