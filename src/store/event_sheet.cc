// SPDX-License-Identifier: Apache-2.0
#include "store/event_sheet.h"

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>
#include <utility>

#include "store/codec.h"

namespace todoku::store {
namespace {

// Of the octet of the kind.
constexpr unsigned kSameDelivery = 128;

constexpr std::array<std::pair<EventKind, std::string_view>, 28> kWords{{
    {EventKind::accepted, "accepted"},
    {EventKind::sent, "sent"},
    {EventKind::deferred, "deferred"},
    {EventKind::hard_error, "hard_error"},
    {EventKind::soft_error, "soft_error"},
    {EventKind::dropped, "dropped"},
    {EventKind::expired, "expired"},
    {EventKind::cancelled, "cancelled"},
    {EventKind::unknown, "unknown"},
    {EventKind::opened, "opened"},
    {EventKind::complained, "complained"},
    {EventKind::unsubscribed, "unsubscribed"},
    {EventKind::delivery_started, "delivery_started"},
    {EventKind::delivery_paused, "delivery_paused"},
    {EventKind::delivery_resumed, "delivery_resumed"},
    {EventKind::delivery_stopped, "delivery_stopped"},
    {EventKind::delivery_finished, "delivery_finished"},
    {EventKind::delivery_failed, "delivery_failed"},
    {EventKind::import_ended, "import_ended"},
    {EventKind::credential_held, "credential_held"},
    {EventKind::credential_released, "credential_released"},
    {EventKind::protection_warned, "protection_warned"},
    {EventKind::protection_paused, "protection_paused"},
    {EventKind::protection_resumed, "protection_resumed"},
    {EventKind::domain_broken, "domain_broken"},
    {EventKind::domain_whole, "domain_whole"},
    {EventKind::limit_near, "limit_near"},
    {EventKind::limit_reached, "limit_reached"},
}};

// Digits in the order of ASCII, so that ids sort as their places do (RFC 4648 section 7, in lower
// case and without padding).
constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuv";
// Five bits a digit, each number at its full width.
constexpr std::size_t kLongDigits = 13;  // of 64 bits
constexpr std::size_t kShortDigits = 7;  // of 32 bits
constexpr std::size_t kIdDigits = 2 * kLongDigits + kShortDigits;

void put_digits(std::string& out, std::uint64_t value, std::size_t digits) {
  for (std::size_t left = digits; left-- > 0;) {
    out.push_back(kDigits[(value >> (5 * left)) & 31U]);
  }
}

// nullopt: another character, or more than `max`.
std::optional<std::uint64_t> take_digits(std::string_view& text, std::size_t digits,
                                         std::uint64_t max) {
  std::uint64_t value = 0;
  for (const char c : text.substr(0, digits)) {
    const auto digit = kDigits.find(c);
    if (digit == std::string_view::npos || value > max >> 5U) return std::nullopt;
    value = value << 5U | digit;
  }
  text.remove_prefix(digits);
  if (value > max) return std::nullopt;
  return value;
}

// Differences of numbers that need not be near: they go around, and come back the same way.
std::int64_t less(std::int64_t value, std::int64_t before) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) -
                                   static_cast<std::uint64_t>(before));
}
std::int64_t plus(std::int64_t before, std::int64_t difference) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(before) +
                                   static_cast<std::uint64_t>(difference));
}

// All that comes before seq, or before the number of recipients.
void put_beginning(std::string& out, std::int64_t committed, const SheetEntry& entry,
                   const SheetEntry* before) {
  const bool same = before != nullptr && before->delivery == entry.delivery;
  out.push_back(static_cast<char>(static_cast<unsigned>(entry.kind) | (same ? kSameDelivery : 0)));
  put_zigzag(out, less(to_epoch_ms(entry.at), committed));
  if (!same) put_varint(out, static_cast<std::uint64_t>(entry.delivery));
  if (is_of_credential(entry.kind)) return;
  if (is_of_many(entry.kind)) {
    put_varint(out, static_cast<std::uint64_t>(entry.job));
  } else {
    put_zigzag(out, static_cast<std::int32_t>(entry.batch));
  }
}

// What comes after the attempt.
void put_end(std::string& out, std::uint16_t code, Cause cause) {
  put_varint(out, code);
  put_varint(out, static_cast<std::uint64_t>(cause));
}

void put_entry(std::string& out, std::int64_t committed, const SheetEntry& entry,
               const SheetEntry* before) {
  put_beginning(out, committed, entry, before);
  if (is_of_credential(entry.kind)) {
    put_text(out, entry.credential ? entry.credential->name : "");
    put_text(out, entry.credential ? entry.credential->because : "");
    return;
  }
  if (is_of_many(entry.kind)) {
    put_varint(out, static_cast<std::uint64_t>(entry.recipients));
    return;
  }
  put_varint(out, entry.seq);
  if (entry.kind == EventKind::accepted) return;
  if (entry.kind == EventKind::opened) {
    put_varint(out, static_cast<std::uint64_t>(entry.opened_by));
    return;
  }
  put_varint(out, entry.attempt);
  put_end(out, entry.code, entry.cause);
}

template <class To>
bool narrow(std::uint64_t value, To& to) {
  to = static_cast<To>(value);
  return value <= std::numeric_limits<To>::max();
}

// False: no such recipient is packed.
bool take_recipient(BlobReader& reader, SheetEntry& entry) {
  const std::int64_t batch = reader.zigzag();
  bool sound = static_cast<std::int32_t>(batch) == batch;
  entry.batch = static_cast<std::uint32_t>(batch);
  sound = narrow(reader.varint(), entry.seq) && sound;
  if (entry.kind == EventKind::accepted) return sound;
  if (entry.kind == EventKind::opened) {
    const std::uint64_t by = reader.varint();
    entry.opened_by = static_cast<OpenedBy>(by);
    return sound && by <= static_cast<std::uint64_t>(OpenedBy::prefetch);
  }
  sound = narrow(reader.varint(), entry.attempt) && sound;
  sound = narrow(reader.varint(), entry.code) && sound;
  std::uint8_t cause = 0;
  sound = narrow(reader.varint(), cause) && sound;
  entry.cause = static_cast<Cause>(cause);
  return sound;
}

// False: no such entry is packed. `before`: the delivery of the entry before.
bool take_entry(BlobReader& reader, std::int64_t committed, std::optional<DeliveryKey>& before,
                SheetEntry& entry) {
  const std::uint8_t head = reader.octet();
  const EventKind kind{static_cast<std::uint8_t>(head & (kSameDelivery - 1))};
  const bool same = (head & kSameDelivery) != 0;
  if (kind == EventKind{} || (same && !before)) return false;
  entry.kind = kind;
  entry.at = from_epoch_ms(plus(committed, reader.zigzag()));
  if (!same) before = DeliveryKey{static_cast<std::int64_t>(reader.varint())};
  entry.delivery = *before;
  if (is_of_credential(kind)) {
    std::string name(reader.text());
    entry.credential =
        std::make_shared<CredentialNews>(std::move(name), std::string(reader.text()));
    return !reader.failed();
  }
  if (is_of_many(kind)) {
    entry.job = static_cast<PublicId>(reader.varint());
    entry.recipients = static_cast<std::int64_t>(reader.varint());
    return !reader.failed();
  }
  return take_recipient(reader, entry) && !reader.failed();
}

// Of one commit: where its kind belongs.
int rank_of(EventKind kind) {
  if (kind == EventKind::delivery_started) return 0;
  return kind == EventKind::delivery_finished ? 2 : 1;
}

}  // namespace

std::optional<EventKind> event_kind(std::uint8_t number) {
  const auto* const found =
      std::ranges::find(kWords, EventKind{number}, &decltype(kWords)::value_type::first);
  if (found == kWords.end()) return std::nullopt;
  return found->first;
}

std::optional<EventKind> event_kind(std::string_view word) {
  const auto* const found = std::ranges::find(kWords, word, &decltype(kWords)::value_type::second);
  if (found == kWords.end()) return std::nullopt;
  return found->first;
}

EventKind event_kind(RecipientState state, bool was_tried) {
  switch (state) {
    case RecipientState::pending:  // no outcome leads back to it
      return EventKind::accepted;
    case RecipientState::deferred:
      return EventKind::deferred;
    case RecipientState::delivered:
      return EventKind::sent;
    case RecipientState::bounced:
      return EventKind::hard_error;
    case RecipientState::dropped:
      return EventKind::dropped;
    case RecipientState::expired:
      return was_tried ? EventKind::soft_error : EventKind::expired;
    case RecipientState::cancelled:
      return EventKind::cancelled;
    case RecipientState::unknown:
      return EventKind::unknown;
  }
  return EventKind::unknown;
}

std::string_view to_string(EventKind kind) {
  const auto* const found = std::ranges::find(kWords, kind, &decltype(kWords)::value_type::first);
  return found == kWords.end() ? std::string_view{} : found->second;
}

bool is_known(EventKind kind) {
  return event_kind(static_cast<std::uint8_t>(kind)).has_value();
}

std::string event_kind_words() {
  std::string words;
  for (const auto& [kind, word] : kWords) {
    if (!words.empty()) words += ", ";
    words += word;
  }
  return words;
}

std::string_view to_string(OpenedBy by) {
  switch (by) {
    case OpenedBy::reader:
      return "reader";
    case OpenedBy::image_proxy:
      return "image_proxy";
    case OpenedBy::prefetch:
      return "prefetch";
  }
  return {};
}

bool is_of_many(EventKind kind) {
  return kind >= EventKind::delivery_started;
}

bool is_of_credential(EventKind kind) {
  return kind >= EventKind::credential_held;
}

bool is_of_protection(EventKind kind) {
  return kind >= EventKind::protection_warned && kind <= EventKind::protection_resumed;
}

bool is_of_domain_check(EventKind kind) {
  return kind >= EventKind::domain_broken && kind <= EventKind::domain_whole;
}

bool is_of_limit(EventKind kind) {
  return kind >= EventKind::limit_near && kind <= EventKind::limit_reached;
}

bool operator==(const SheetEntry& a, const SheetEntry& b) {
  const auto plain = [](const SheetEntry& e) {
    return std::tie(e.kind, e.at, e.delivery, e.batch, e.seq, e.attempt, e.code, e.cause,
                    e.opened_by, e.job, e.recipients);
  };
  if (plain(a) != plain(b) || (a.credential == nullptr) != (b.credential == nullptr)) return false;
  return a.credential == nullptr || *a.credential == *b.credential;
}

SheetEntry event_of_credential(EventKind kind, std::string_view name, std::string_view because,
                               Instant at) {
  return {.kind = kind,
          .at = at,
          .credential = std::make_shared<CredentialNews>(std::string(name), std::string(because))};
}

SheetEntry event_of_many(EventKind kind, DeliveryKey delivery, std::int64_t recipients, Instant at,
                         PublicId job) {
  return {.kind = kind, .at = at, .delivery = delivery, .job = job, .recipients = recipients};
}

SheetEntry event_of_recipient(EventKind kind, DeliveryKey delivery, std::uint32_t batch,
                              std::uint32_t seq, Instant at) {
  return {.kind = kind, .at = at, .delivery = delivery, .batch = batch, .seq = seq};
}

bool has_outcome(EventKind kind) {
  return !is_of_many(kind) && kind != EventKind::accepted && kind != EventKind::opened &&
         kind != EventKind::complained && kind != EventKind::unsubscribed;
}

std::string pack_sheet(Instant committed, std::span<const SheetEntry> entries) {
  std::string sheet;
  const SheetEntry* before = nullptr;
  for (const SheetEntry& entry : entries) {
    put_entry(sheet, to_epoch_ms(committed), entry, before);
    before = &entry;
  }
  return sheet;
}

Result<std::vector<SheetEntry>> unpack_sheet(Instant committed, std::string_view sheet) {
  BlobReader reader(sheet);
  std::vector<SheetEntry> entries;
  std::optional<DeliveryKey> before;
  while (!reader.at_end()) {
    if (!take_entry(reader, to_epoch_ms(committed), before, entries.emplace_back())) {
      return fail(ErrorKind::corrupt, "a stored sheet of events cannot be read");
    }
  }
  return entries;
}

std::string entry_before_seq(EventKind kind, DeliveryKey delivery, std::uint32_t batch) {
  std::string octets;
  put_beginning(octets, 0,
                {.kind = kind, .at = from_epoch_ms(0), .delivery = delivery, .batch = batch},
                nullptr);
  return octets;
}

std::string entry_after_attempt(int code, Cause cause) {
  std::string octets;
  put_end(octets, static_cast<std::uint16_t>(code), cause);
  return octets;
}

std::string entry_before_recipients(EventKind kind, DeliveryKey delivery) {
  std::string octets;
  put_beginning(octets, 0, {.kind = kind, .at = from_epoch_ms(0), .delivery = delivery}, nullptr);
  return octets;
}

std::vector<std::pair<AccountKey, std::string>> CommitEvents::sheets(Instant committed) {
  std::ranges::sort(entries_, {}, [](const Noted& each) {
    return std::tuple(each.account, rank_of(each.entry.kind), each.order);
  });
  std::vector<std::pair<AccountKey, std::string>> sheets;
  const SheetEntry* before = nullptr;
  for (const auto& [account, order, entry] : entries_) {
    if (sheets.empty() || sheets.back().first != account) {
      sheets.emplace_back(account, std::string());
      before = nullptr;
    }
    put_entry(sheets.back().second, to_epoch_ms(committed), entry, before);
    before = &entry;
  }
  return sheets;
}

std::string event_id(const EventPlace& place) {
  std::string id;
  id.reserve(kIdDigits);
  put_digits(id, place.generation, kLongDigits);
  put_digits(id, place.commit, kLongDigits);
  put_digits(id, place.entry, kShortDigits);
  return id;
}

Result<EventPlace> event_place(std::string_view id) {
  constexpr auto kLongMax = std::numeric_limits<std::uint64_t>::max();
  if (id.size() == kIdDigits) {
    const auto generation = take_digits(id, kLongDigits, kLongMax);
    const auto commit = generation ? take_digits(id, kLongDigits, kLongMax) : std::nullopt;
    const auto entry =
        commit ? take_digits(id, kShortDigits, std::numeric_limits<std::uint32_t>::max())
               : std::nullopt;
    if (entry) return EventPlace{*generation, *commit, static_cast<std::uint32_t>(*entry)};
  }
  return fail(ErrorKind::invalid_input, "this is not the place of an event");
}

}  // namespace todoku::store
