// SPDX-License-Identifier: Apache-2.0
// DKIM keys that rotate by themselves: pure, of what is stored, what was found out, and now.
//
// A domain's selectors are CNAMEs into a zone of the platform. A CNAME's name does not change, so
// there are two slots, each with a selector of either algorithm, and keys go round between them:
//
//   free ──keys_made──> published ──seen──> settling ──seen, a TTL later──> signing
//    ^                   ^   each server of both zones has it  │               │ the other slot
//    signs │                   └──────── not seen any more ──────────┘               v └── freed, 7
//    days ── drained <──no delivery that pins it is under way── leaving
//
// Those that sign are looked at again and again meanwhile: what was published can be lost.
//
// So a key signs only while every receiver gets it, whatever resolvers remember: what they had of
// its name before is older than a TTL by then; and it stays until nothing that it signed is still
// on its way. Each move is stored by itself (store/key_slots.h) and, made again, is the same.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "base/clock.h"
#include "base/result.h"
#include "mailauth/dkim/key.h"
#include "store/keys.h"

namespace todoku::operate {

enum class SlotStage : std::uint8_t { free, published, settling, signing, leaving, drained };
[[nodiscard]] std::string_view to_string(SlotStage stage);

struct SlotKey {
  std::string algorithm;           // "rsa-sha256" or "ed25519-sha256"
  std::string sealed_private_key;  // as store::DkimKey's
  std::string dns_record;          // the TXT value
};

struct KeySlot {
  SlotStage stage = SlotStage::free;
  Instant since{};               // when the stage began
  std::optional<Instant> tried;  // when the way out of it was last looked for in vain
  bool in_zone = false;          // the zone was told of its records, and of nothing since
  std::vector<SlotKey> keys;     // one of each algorithm; none while free
  [[nodiscard]] bool belongs_in_zone() const { return stage != SlotStage::free; }
};
inline constexpr std::size_t kSlots = 2;

// Why keys that are published are not seen: what is wrong, and where.
enum class SlotFault : std::uint8_t {
  none,
  zone_unknown,   // whose servers has the platform's zone?
  zone_lacks,     // a server of it has not the new record
  zone_silent,    // a server of it does not answer
  alias_missing,  // a server of the domain has no CNAME
  alias_silent,   // a server of the domain does not answer
  alias_unknown,  // whose servers has the domain?
  not_through,    // a resolver gets something else by the CNAME
  not_written,    // the zone could not be written, or the hook failed
  other_zone,     // the configuration names another platform zone, or none
};
[[nodiscard]] std::string_view to_string(SlotFault fault);
// `where`: the server, name or reason.
[[nodiscard]] std::string fault_words(SlotFault fault, std::string_view where, Language language);

struct SlotTrouble {
  SlotFault fault = SlotFault::none;
  std::string where;
  std::optional<Instant> since;
};

struct KeySlots {
  std::string zone;  // of the platform, that the CNAMEs lead into
  std::array<KeySlot, kSlots> slots;
  bool asked = false;   // to rotate as soon as that is possible
  bool ending = false;  // to sign no more as soon as other keys of the domain do
  SlotFault fault = SlotFault::none;
  std::string where;
  std::optional<Instant> fault_since;
  // Of keys that sign, while a change is under way: the fault above is of the new ones then.
  SlotTrouble lost;
};

// Text, for the store. Errors: corrupt.
[[nodiscard]] std::string pack_slots(const KeySlots& slots);
[[nodiscard]] Result<KeySlots> unpack_slots(std::string_view packed);

struct SlotPace {
  Milliseconds settle{};  // the TTL of the zone's records
  // From when keys began to sign to when the next are made; 0: only when asked to.
  Milliseconds every{};
};

enum class SlotWork : std::uint8_t {
  none,
  make_keys,        // -> keys_made()
  publish,          // -> zone_told()
  look,             // -> seen() or not_seen()
  count,            // whether something that may pin it is under way -> counted()
  free_slot,        // -> freed()
  look_for_others,  // ending: whether other keys sign -> others_sign() or no_others()
  remove,           // ending: nothing is left
  watch,            // whether keys that sign are still published -> watched() or missed()
};

struct SlotDue {
  SlotWork work = SlotWork::none;
  std::size_t slot = 0;
  Instant at{};
};
// What comes next, and when. Never `watch`.
[[nodiscard]] SlotDue due_work(const KeySlots& slots, const SlotPace& pace, Instant now);

// When the keys that sign are looked at next; none: there are none, they end, or the zone is to be
// told of them first.
[[nodiscard]] SlotDue due_watch(const KeySlots& slots);

// Each of these is told of what due_work() or due_watch() has given.
void keys_made(KeySlots& slots, std::size_t slot, std::vector<SlotKey> keys, Instant now);
// The zone holds what belongs_in_zone() of every slot.
void zone_told(KeySlots& slots);
// It could not be told, which keeps everything as it is.
void zone_not_told(KeySlots& slots, SlotFault fault, std::string where, Instant now);
// True: it signs from now on, which has to be stored together with this.
[[nodiscard]] bool seen(KeySlots& slots, std::size_t slot, const SlotPace& pace, Instant now);
// A zone that goes on lacking what it was told is told all of it again.
void not_seen(KeySlots& slots, std::size_t slot, SlotFault fault, std::string where, Instant now);
void watched(KeySlots& slots, std::size_t slot, Instant now);
// As not_seen(), of keys that sign: they go on, since mail without a signature fares no better.
void missed(KeySlots& slots, std::size_t slot, SlotFault fault, std::string where, Instant now);
void counted(KeySlots& slots, std::size_t slot, bool is_pinned, Instant now);
void freed(KeySlots& slots, std::size_t slot, Instant now);
void others_sign(KeySlots& slots, std::size_t slot, Instant since);
void no_others(KeySlots& slots, std::size_t slot, Instant now);
// What is not signing yet goes at once.
void end_slots(KeySlots& slots, Instant now);

void note_fault(KeySlots& slots, SlotFault fault, std::string where, Instant now);
void clear_fault(KeySlots& slots);
// What is the matter with keys that sign.
[[nodiscard]] SlotTrouble trouble_of_signing(const KeySlots& slots);
// Since a day or longer: somebody has to look.
[[nodiscard]] bool is_stalled(const KeySlots& slots, Instant now);
// Keys that sign are not published, or others are in their place, as somebody has answered for
// kSlotGone or longer: what they sign fails.
[[nodiscard]] bool is_gone(const KeySlots& slots, Instant now);

// A key that signs no longer stays for so long after the last delivery that may pin it.
inline constexpr std::chrono::days kSlotOverlap{7};
// A process that has not yet heard of a new key begins mail with the old one.
inline constexpr std::chrono::hours kSlotHeardWithin{1};
inline constexpr std::chrono::hours kSlotStalled{24};
inline constexpr std::chrono::hours kSlotWatchedEvery{6};
inline constexpr std::chrono::minutes kSlotGone{10};

// "td12ra": of account 12, RSA, the first slot. Unlike those of other accounts, which may send from
// the same domain.
[[nodiscard]] std::string slot_selector(store::AccountKey account,
                                        mailauth::dkim::KeyAlgorithm algorithm, std::size_t slot);
[[nodiscard]] bool is_slot_selector(std::string_view selector);

struct SlotName {
  std::string selector;
  std::string name;   // "td12ra._domainkey.example.jp", the CNAME
  std::string alias;  // "td12ra.example.jp.dkim.mail.example.jp", where it leads
};
// RSA first. Errors: invalid_input, the alias is longer than names are.
[[nodiscard]] Result<std::vector<SlotName>> slot_names(store::AccountKey account,
                                                       const std::string& domain,
                                                       const std::string& zone, std::size_t slot);

}  // namespace todoku::operate
