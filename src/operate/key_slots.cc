// SPDX-License-Identifier: Apache-2.0
#include "operate/key_slots.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "mailauth/dkim/dns_record.h"

namespace todoku::operate {
namespace {

using namespace std::chrono_literals;
using mailauth::dkim::KeyAlgorithm;

constexpr std::array<KeyAlgorithm, 2> kAlgorithms{KeyAlgorithm::rsa, KeyAlgorithm::ed25519};

// From one look to the next: what somebody has just published is seen soon, what he forgot is not
// asked for all day.
Milliseconds look_again_after(Milliseconds waited, SlotFault fault) {
  // Each look at a domain whose servers are silent lasts, and there may be many that are given up.
  const bool is_dead = fault == SlotFault::alias_silent || fault == SlotFault::alias_unknown;
  return std::clamp<Milliseconds>(waited / 8, 5s, is_dead ? 2h : 15min);
}

// A zone that lacks for so long what it was told is told again.
constexpr std::chrono::minutes kZoneToldAgainAfter{1};

std::optional<std::size_t> slot_at(const KeySlots& slots, SlotStage stage) {
  for (std::size_t i = 0; i < kSlots; ++i) {
    if (slots.slots[i].stage == stage) return i;
  }
  return std::nullopt;
}

Instant after_try(const KeySlot& slot, Instant first, Milliseconds again) {
  return slot.tried ? std::max(first, *slot.tried + again) : first;
}

// How a slot goes on by itself; at: never, where it does not.
SlotDue due_of(const KeySlots& slots, std::size_t i, const SlotPace& pace) {
  const KeySlot& slot = slots.slots[i];
  const Milliseconds tried_for =
      slot.tried ? std::chrono::duration_cast<Milliseconds>(*slot.tried - slot.since)
                 : Milliseconds(0);
  switch (slot.stage) {
    case SlotStage::published:
      return {SlotWork::look, i,
              after_try(slot, slot.since, look_again_after(tried_for, slots.fault))};
    case SlotStage::settling:
      return {SlotWork::look, i, slot.since + pace.settle};
    case SlotStage::leaving:
      return {SlotWork::count, i, after_try(slot, slot.since + kSlotHeardWithin, 1h)};
    case SlotStage::drained:
      return {SlotWork::free_slot, i, slot.since + kSlotOverlap};
    case SlotStage::signing:
      if (slots.ending) return {SlotWork::look_for_others, i, after_try(slot, Instant(), 1min)};
      break;
    case SlotStage::free:
      break;
  }
  return {SlotWork::none, i, Instant::max()};
}

bool is_changing(const KeySlots& slots) {
  return slot_at(slots, SlotStage::published) || slot_at(slots, SlotStage::settling);
}

// The next keys. Only one change is under way, and a slot is free once the zone says so.
SlotDue due_keys(const KeySlots& slots, const SlotPace& pace, Instant now) {
  const SlotDue never{SlotWork::none, 0, Instant::max()};
  if (slots.ending || is_changing(slots)) return never;
  const auto idle = slot_at(slots, SlotStage::free);
  if (!idle) return never;
  const auto signing = slot_at(slots, SlotStage::signing);
  if (!signing || slots.asked) return {SlotWork::make_keys, *idle, now};
  if (pace.every <= Milliseconds(0)) return never;
  return {SlotWork::make_keys, *idle, slots.slots[*signing].since + pace.every};
}

// The zone lacks what it was told for a while: told again, it may have it. `before`: what was found
// the last time.
bool goes_on_lacking(const SlotTrouble& before, SlotFault fault, Instant now) {
  return fault == SlotFault::zone_lacks && before.fault == fault &&
         now - *before.since >= kZoneToldAgainAfter;
}

SlotTrouble told_trouble(const KeySlots& slots) {
  return {slots.fault, slots.where, slots.fault_since};
}

void put_trouble(KeySlots& slots, SlotTrouble trouble) {
  slots.fault = trouble.fault;
  slots.where = std::move(trouble.where);
  slots.fault_since = trouble.since;
}

void note(SlotTrouble& trouble, SlotFault fault, std::string where, Instant now) {
  constexpr std::size_t kWhereMax = 300;
  if (!trouble.since) trouble.since = now;
  trouble.fault = fault;
  where.resize(std::min(where.size(), kWhereMax));
  trouble.where = std::move(where);
}

// Of the keys themselves, and not of how the zone is told.
bool is_of_keys(SlotFault fault) {
  return fault != SlotFault::none && fault != SlotFault::not_written &&
         fault != SlotFault::other_zone;
}

// Somebody has said that keys are not there, or others in their place; silence says nothing.
bool is_answered(SlotFault fault) {
  return fault == SlotFault::zone_lacks || fault == SlotFault::alias_missing ||
         fault == SlotFault::not_through;
}

// It was told, and has it no more: written anew from elsewhere, or put back to an earlier state.
void tell_again(KeySlots& slots) {
  for (KeySlot& each : slots.slots) {
    if (each.belongs_in_zone()) each.in_zone = false;
  }
}

void move_to(KeySlot& slot, SlotStage stage, Instant now) {
  slot.stage = stage;
  slot.since = now;
  slot.tried.reset();
}

}  // namespace

SlotDue due_work(const KeySlots& slots, const SlotPace& pace, Instant now) {
  // Before anything else: what the zone holds is what the stages say.
  for (std::size_t i = 0; i < kSlots; ++i) {
    const KeySlot& slot = slots.slots[i];
    if (slot.in_zone == slot.belongs_in_zone()) continue;
    const Milliseconds failing =
        slot.tried && slots.fault_since
            ? std::chrono::duration_cast<Milliseconds>(*slot.tried - *slots.fault_since)
            : Milliseconds(0);
    return {SlotWork::publish, i, after_try(slot, now, look_again_after(failing, slots.fault))};
  }
  SlotDue first = due_keys(slots, pace, now);
  for (std::size_t i = 0; i < kSlots; ++i) {
    const SlotDue due = due_of(slots, i, pace);
    if (due.at < first.at) first = due;
  }
  const bool all_free = std::ranges::all_of(
      slots.slots, [](const KeySlot& slot) { return slot.stage == SlotStage::free; });
  if (slots.ending && all_free) return {SlotWork::remove, 0, now};
  return first;
}

SlotDue due_watch(const KeySlots& slots) {
  const SlotDue never{SlotWork::none, 0, Instant::max()};
  const auto signing = slot_at(slots, SlotStage::signing);
  if (!signing || slots.ending) return never;
  const KeySlot& slot = slots.slots[*signing];
  if (!slot.in_zone) return never;
  const Instant looked = slot.tried.value_or(slot.since);
  const SlotTrouble trouble = trouble_of_signing(slots);
  if (!trouble.since) return {SlotWork::watch, *signing, looked + kSlotWatchedEvery};
  const auto failing = std::chrono::duration_cast<Milliseconds>(looked - *trouble.since);
  return {SlotWork::watch, *signing, looked + look_again_after(failing, trouble.fault)};
}

void keys_made(KeySlots& slots, std::size_t slot, std::vector<SlotKey> keys, Instant now) {
  KeySlot& made = slots.slots[slot];
  check(made.stage == SlotStage::free && !made.in_zone, "keys are made for a slot that is free");
  if (slot_at(slots, SlotStage::signing) && is_of_keys(slots.fault)) {
    slots.lost = told_trouble(slots);
    clear_fault(slots);
  }
  move_to(made, SlotStage::published, now);
  made.keys = std::move(keys);
  slots.asked = false;
}

void zone_told(KeySlots& slots) {
  for (KeySlot& slot : slots.slots) {
    if (slot.in_zone == slot.belongs_in_zone()) continue;
    slot.in_zone = slot.belongs_in_zone();
    // Of keys that sign it is when they were looked at, too: not again at once.
    if (slot.stage != SlotStage::signing) slot.tried.reset();
  }
  if (slots.fault == SlotFault::not_written || slots.fault == SlotFault::other_zone) {
    clear_fault(slots);
  }
}

void zone_not_told(KeySlots& slots, SlotFault fault, std::string where, Instant now) {
  for (KeySlot& slot : slots.slots) {
    if (slot.in_zone != slot.belongs_in_zone()) slot.tried = now;
  }
  note_fault(slots, fault, std::move(where), now);
}

bool seen(KeySlots& slots, std::size_t slot, const SlotPace& pace, Instant now) {
  KeySlot& next = slots.slots[slot];
  clear_fault(slots);
  if (next.stage == SlotStage::published) {
    move_to(next, SlotStage::settling, now);
    return false;
  }
  if (next.stage != SlotStage::settling || now < next.since + pace.settle) return false;
  for (KeySlot& other : slots.slots) {
    if (other.stage == SlotStage::signing) move_to(other, SlotStage::leaving, now);
  }
  move_to(next, SlotStage::signing, now);
  slots.lost = {};
  return true;
}

void not_seen(KeySlots& slots, std::size_t slot, SlotFault fault, std::string where, Instant now) {
  KeySlot& next = slots.slots[slot];
  // The TTL is waited for anew: somebody may have been told meanwhile that it is not there.
  if (next.stage == SlotStage::settling) move_to(next, SlotStage::published, now);
  next.tried = now;
  const bool still_lacks = goes_on_lacking(told_trouble(slots), fault, now);
  note_fault(slots, fault, std::move(where), now);
  if (still_lacks) tell_again(slots);
}

void watched(KeySlots& slots, std::size_t slot, Instant now) {
  slots.lost = {};
  if (!is_changing(slots)) clear_fault(slots);
  slots.slots[slot].tried = now;
}

void missed(KeySlots& slots, std::size_t slot, SlotFault fault, std::string where, Instant now) {
  slots.slots[slot].tried = now;
  SlotTrouble trouble = trouble_of_signing(slots);
  const bool still_lacks = goes_on_lacking(trouble, fault, now);
  // How long it is gone is counted from the first who says so.
  if (is_answered(fault) && !is_answered(trouble.fault)) trouble.since.reset();
  note(trouble, fault, std::move(where), now);
  if (is_changing(slots)) {
    slots.lost = std::move(trouble);
  } else {
    put_trouble(slots, std::move(trouble));
  }
  if (still_lacks) tell_again(slots);
}

void counted(KeySlots& slots, std::size_t slot, bool is_pinned, Instant now) {
  KeySlot& old = slots.slots[slot];
  if (is_pinned) {
    old.tried = now;
  } else {
    move_to(old, SlotStage::drained, now);
  }
}

void freed(KeySlots& slots, std::size_t slot, Instant now) {
  KeySlot& old = slots.slots[slot];
  move_to(old, SlotStage::free, now);
  old.keys.clear();
}

void others_sign(KeySlots& slots, std::size_t slot, Instant since) {
  move_to(slots.slots[slot], SlotStage::leaving, since);
}

void no_others(KeySlots& slots, std::size_t slot, Instant now) {
  slots.slots[slot].tried = now;
}

void end_slots(KeySlots& slots, Instant now) {
  slots.ending = true;
  slots.asked = false;
  for (std::size_t i = 0; i < kSlots; ++i) {
    const SlotStage stage = slots.slots[i].stage;
    if (stage == SlotStage::published || stage == SlotStage::settling) freed(slots, i, now);
  }
  slots.lost = {};
  clear_fault(slots);
}

void note_fault(KeySlots& slots, SlotFault fault, std::string where, Instant now) {
  SlotTrouble trouble = told_trouble(slots);
  note(trouble, fault, std::move(where), now);
  put_trouble(slots, std::move(trouble));
}

SlotTrouble trouble_of_signing(const KeySlots& slots) {
  return is_changing(slots) ? slots.lost : told_trouble(slots);
}

void clear_fault(KeySlots& slots) {
  slots.fault = SlotFault::none;
  slots.where.clear();
  slots.fault_since.reset();
}

bool is_stalled(const KeySlots& slots, Instant now) {
  return slots.fault_since && now - *slots.fault_since >= kSlotStalled;
}

bool is_gone(const KeySlots& slots, Instant now) {
  if (!slot_at(slots, SlotStage::signing)) return false;
  const SlotTrouble trouble = trouble_of_signing(slots);
  return is_answered(trouble.fault) && trouble.since && now - *trouble.since >= kSlotGone;
}

std::string slot_selector(store::AccountKey account, KeyAlgorithm algorithm, std::size_t slot) {
  return fmt::format("td{}{}{}", static_cast<std::int64_t>(account),
                     algorithm == KeyAlgorithm::rsa ? 'r' : 'e', slot == 0 ? 'a' : 'b');
}

bool is_slot_selector(std::string_view selector) {
  constexpr std::string_view kBegins = "td";
  if (!selector.starts_with(kBegins) || selector.size() < kBegins.size() + 3) return false;
  const std::string_view number =
      selector.substr(kBegins.size(), selector.size() - kBegins.size() - 2);
  const std::string_view end = selector.substr(selector.size() - 2);
  return std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; }) &&
         (end[0] == 'r' || end[0] == 'e') && (end[1] == 'a' || end[1] == 'b');
}

Result<std::vector<SlotName>> slot_names(store::AccountKey account, const std::string& domain,
                                         const std::string& zone, std::size_t slot) {
  // RFC 1035 section 3.1, in text: 253 octets without the final dot.
  constexpr std::size_t kNameMax = 253;
  std::vector<SlotName> names;
  for (const KeyAlgorithm algorithm : kAlgorithms) {
    SlotName made{.selector = slot_selector(account, algorithm, slot), .name = {}, .alias = {}};
    auto name = mailauth::dkim::KeyName::parse(domain, made.selector);
    if (!name) return fail(std::move(name.error()));
    made.name = name->lookup_name();
    made.alias = fmt::format("{}.{}.{}", made.selector, name->domain, zone);
    if (made.alias.size() > kNameMax) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("{} has {} octets, but a name in the DNS has {} at most: the domain "
                              "or dkim.platform_zone is too long",
                              made.alias, made.alias.size(), kNameMax));
    }
    names.push_back(std::move(made));
  }
  return names;
}

}  // namespace todoku::operate
