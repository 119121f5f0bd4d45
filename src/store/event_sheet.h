// SPDX-License-Identifier: Apache-2.0
// What changed the story of a recipient or of a delivery, as it is kept and as it is named outside
// (docs/adr/0014).
//
// All that one commit makes true for one account lies in one row, a sheet: a row of its own for
// each event would cost a PostgreSQL more than all the rest of a recipient's story. What is long
// (address, host, words of the reply) is not repeated: whoever reads joins it by recipient and
// instant.
//
//   sheet  = *entry                 entries of one commit, whose instant is kept beside it; two
//                                   sheets of one commit, one after the other, are one
//   entry  = octet zigzag [varint] (recipient [outcome] / many)
//            octet: kind, + 128 if it is about the delivery of the entry before, which is then not
//            said again; zigzag: milliseconds from the commit; varint: delivery
//   recipient = zigzag varint        batch (signed, store/numbers.h), seq
//   outcome   = varint varint varint   of all but `accepted`: attempt, code of the reply, cause
//   ... of `opened` = varint         by whom
//   many   = varint varint          job, or 0; how many recipients it was about
//   ... of a credential, or of rates = text text   its name, or whose; why
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/cause.h"
#include "mail/states.h"
#include "store/keys.h"

namespace todoku::store {

// Stored as these numbers: never renumber.
enum class EventKind : std::uint8_t {
  // of one recipient
  accepted = 1,
  sent = 2,  // a receiver's 250: accepted, not read
  deferred = 3,
  hard_error = 4,
  soft_error = 5,  // given up after temporary failures
  dropped = 6,
  expired = 7,
  cancelled = 8,
  unknown = 9,
  opened = 10,
  // 11: a mail that was taken and came back, which is a hard_error
  complained = 12,    // calls it spam, as the provider tells
  unsubscribed = 13,  // leaves its list, or all advertisements, by the link or by mail

  // of many at once
  delivery_started = 32,
  delivery_paused = 33,
  delivery_resumed = 34,
  delivery_stopped = 35,
  delivery_finished = 36,
  delivery_failed = 37,
  import_ended = 38,

  // of a credential of the SMTP relay, and of no delivery
  credential_held = 64,
  credential_released = 65,

  // of rates of bounces and complaints (store/rates.h), and of no delivery: the subject is in words
  protection_warned = 66,
  protection_paused = 67,
  protection_resumed = 68,

  // of a domain whose check on the schedule found a failure that is new, or gone; of no delivery
  domain_broken = 80,
  domain_whole = 81,

  // of an account's limit of mail in a day or a month (store/mail_counts.h), and of no delivery
  limit_near = 96,  // four fifths of it are used
  limit_reached = 97,
};

// nullopt: no kind has this number, or this word.
[[nodiscard]] std::optional<EventKind> event_kind(std::uint8_t number);
[[nodiscard]] std::optional<EventKind> event_kind(std::string_view word);
// What it is to come to a state: giving up without any attempt is told apart.
[[nodiscard]] EventKind event_kind(RecipientState state, bool was_tried);
[[nodiscard]] std::string_view to_string(EventKind kind);  // empty: a later version's
[[nodiscard]] bool is_known(EventKind kind);
// All words, with commas between, for who gave another one.
[[nodiscard]] std::string event_kind_words();
// Of no single recipient: of a delivery, of a credential, of rates, of a domain, or of a limit.
[[nodiscard]] bool is_of_many(EventKind kind);
// Of no delivery either: it has CredentialNews.
[[nodiscard]] bool is_of_credential(EventKind kind);
// Of these: of rates, and of no credential.
[[nodiscard]] bool is_of_protection(EventKind kind);
// Of these: of a check of a domain.
[[nodiscard]] bool is_of_domain_check(EventKind kind);
// Of these: of an account's limit.
[[nodiscard]] bool is_of_limit(EventKind kind);
// Of one recipient, and there are words of the receiver, or ours, about it.
[[nodiscard]] bool has_outcome(EventKind kind);

// Who loaded the image that tells of an opening. Stored as these numbers: never renumber.
enum class OpenedBy : std::uint8_t {
  reader = 0,
  image_proxy = 1,  // of the reader's provider, when the reader opens the mail
  prefetch = 2,     // before, and whether anybody reads or not
};
[[nodiscard]] std::string_view to_string(OpenedBy by);

// What an event of a credential tells, or one of rates, a domain or a limit: then the name is the
// subject's.
struct CredentialNews {
  std::string name;
  std::string because;
  friend bool operator==(const CredentialNews&, const CredentialNews&) = default;
};

struct SheetEntry {
  EventKind kind{};
  Instant at{};
  DeliveryKey delivery{};
  // of one recipient
  std::uint32_t batch = 0;
  std::uint32_t seq = 0;
  std::uint16_t attempt = 0;
  std::uint16_t code = 0;  // of the reply; 0: there was none
  Cause cause = Cause::none;
  OpenedBy opened_by = OpenedBy::reader;  // of `opened`
  // of many
  PublicId job = 0;
  std::int64_t recipients = 0;
  // of a credential, and only of one; else nullptr
  std::shared_ptr<const CredentialNews> credential = {};
  friend bool operator==(const SheetEntry& a, const SheetEntry& b);
};

[[nodiscard]] SheetEntry event_of_many(EventKind kind, DeliveryKey delivery,
                                       std::int64_t recipients, Instant at, PublicId job = 0);
[[nodiscard]] SheetEntry event_of_recipient(EventKind kind, DeliveryKey delivery,
                                            std::uint32_t batch, std::uint32_t seq, Instant at);
[[nodiscard]] SheetEntry event_of_credential(EventKind kind, std::string_view name,
                                             std::string_view because, Instant at);

[[nodiscard]] std::string pack_sheet(Instant committed, std::span<const SheetEntry> entries);
// corrupt: it was not packed so. An entry of a kind that only a later version knows, which works on
// the store beside this one, is read by its range (below 32 of a recipient, as `sent`; below 64 of
// many; else text text) and kept under its number, so that the places of the others hold: a later
// version makes no kinds of another form. Whoever reads passes over it (is_known()).
[[nodiscard]] Result<std::vector<SheetEntry>> unpack_sheet(Instant committed,
                                                           std::string_view sheet);

// For a database that packs entries itself, of whom only it knows: what comes before and after the
// numbers that it adds, as varints. The instant is the commit's.
//   of one recipient   entry_before_seq, seq, attempt, entry_after_attempt
//   of many            entry_before_recipients, recipients
[[nodiscard]] std::string entry_before_seq(EventKind kind, DeliveryKey delivery,
                                           std::uint32_t batch);
[[nodiscard]] std::string entry_after_attempt(int code, Cause cause);
[[nodiscard]] std::string entry_before_recipients(EventKind kind, DeliveryKey delivery);

// What a commit makes true, until it writes it.
class CommitEvents {
 public:
  void add(AccountKey account, const SheetEntry& entry) {
    entries_.push_back({account, entries_.size(), entry});
  }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  void clear() { entries_.clear(); }
  // A point to which it can be taken back.
  [[nodiscard]] std::size_t mark() const { return entries_.size(); }
  void undo(std::size_t mark) { entries_.resize(std::min(mark, entries_.size())); }
  // A sheet for each account, by account. Of one delivery the start comes first and the end last.
  [[nodiscard]] std::vector<std::pair<AccountKey, std::string>> sheets(Instant committed);

 private:
  struct Noted {
    AccountKey account{};
    std::size_t order = 0;
    SheetEntry entry;
  };
  std::vector<Noted> entries_;
};

// ---- places ------------------------------------------------------------------------------------

// Where an event stands among those of its account: which commit, and which entry of its sheet.
// Later commits of what follows from each other have greater numbers. Another history of the store
// (one that was carried over, or restored) counts anew and has another generation.
struct EventPlace {
  std::uint64_t generation = 0;
  std::uint64_t commit = 0;
  std::uint32_t entry = 0;
  friend auto operator<=>(const EventPlace&, const EventPlace&) = default;
};

// Generation and commit in one number that sorts like both, as rows are keyed: 15 bits and 48,
// which neither number line nor transactions of a server use up.
inline constexpr unsigned kCommitBits = 48;
[[nodiscard]] constexpr std::int64_t sheet_place(const EventPlace& place) {
  constexpr std::uint64_t kCommitMax = (std::uint64_t{1} << kCommitBits) - 1;
  constexpr std::uint64_t kGenerationMax = (std::uint64_t{1} << (63 - kCommitBits)) - 1;
  // Beyond what can be is after everything that is.
  if (place.generation > kGenerationMax) return INT64_MAX;
  return static_cast<std::int64_t>(place.generation << kCommitBits |
                                   std::min(place.commit, kCommitMax));
}
[[nodiscard]] constexpr EventPlace event_place_of(std::int64_t sheet, std::uint32_t entry) {
  const auto number = static_cast<std::uint64_t>(sheet);
  return {number >> kCommitBits, number & ((std::uint64_t{1} << kCommitBits) - 1), entry};
}

// The name of an event, which is also the cursor that goes on after it: opaque outside, the same
// from every process, and in the order of places as text.
[[nodiscard]] std::string event_id(const EventPlace& place);
// invalid_input: it is not one of ours.
[[nodiscard]] Result<EventPlace> event_place(std::string_view id);

}  // namespace todoku::store
