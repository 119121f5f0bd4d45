// SPDX-License-Identifier: Apache-2.0
// The octets of the journal (README.md). Pure.
//
//   segment = magic frame(header) *frame(record)
//   frame   = length(4, little-endian) check(8: the first of SHA-256 of the payload) payload
//   header  = varint(1) text(store) varint(ordinal)
//   record  = varint(number) zigzag(sheet place) zigzag(written, ms) *entry
//   entry   = octet(kind) zigzag(ms from written) (recipient / many / stop / unstop)
//   recipient = zigzag(delivery, from that of the entry before) zigzag(batch, likewise)
//               zigzag(seq, likewise) varint(code) hash(8)
//   many    = zigzag(delivery, likewise); of a start also text(signing) zigzag(expires, ms; 0:
//   none) stop    = zigzag(account) text(subject) octet(reason) octet(scope) text(list) text(note)
//             varint(code) zigzag(expires, ms; 0: never)
//   unstop  = zigzag(account) text(subject) octet(reason) text(list)
//
// An outcome takes 14 to 20 octets. The hash is of the address: where a number names somebody else
// in another history of the store, it tells.
//
// A record whose entries come to more than a frame holds is several, of one number and place.
//
// A frame that is cut off or whose check differs ends a segment: whoever wrote it died there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/suppression.h"
#include "store/event_sheet.h"
#include "store/keys.h"

namespace todoku::events::journal {

inline constexpr std::string_view kMagic = "TDKJRNL1";
inline constexpr std::size_t kFrameHeadOctets = 12;
// Of one record; what claims to be longer is damaged.
inline constexpr std::size_t kPayloadOctetsMax = std::size_t{4} << 20U;
// A record that comes to more is written as several of the same number.
inline constexpr std::size_t kPayloadOctetsFull = std::size_t{2} << 20U;

struct Header {
  std::string store;          // which store it is of
  std::uint64_t ordinal = 0;  // of this segment, from 1
  friend bool operator==(const Header&, const Header&) = default;
};

// What became of a recipient for good.
struct Ended {
  store::EventKind kind{};  // sent, hard_error, soft_error, dropped, expired, cancelled or unknown
  Instant at{};
  store::RecipientKey key;
  std::uint16_t code = 0;
  std::uint64_t address_hash = 0;  // hash_of()
  friend bool operator==(const Ended&, const Ended&) = default;
};
// A delivery was started, paused, resumed, stopped or has failed.
struct Steered {
  store::EventKind kind{};
  Instant at{};
  store::DeliveryKey delivery{};
  // Of a start: what it pinned.
  std::string signing = {};
  std::optional<Instant> expires = {};
  friend bool operator==(const Steered&, const Steered&) = default;
};
struct Stopped {
  Instant at{};
  store::AccountKey account{};
  std::string subject;
  StopReason reason = StopReason::manual;
  StopScope scope = StopScope::all;
  std::string list_id;
  std::string note;
  int code = 0;
  std::optional<Instant> expires;
  friend bool operator==(const Stopped&, const Stopped&) = default;
};
struct Unstopped {
  Instant at{};
  store::AccountKey account{};
  std::string subject;
  StopReason reason = StopReason::manual;
  std::string list_id;
  friend bool operator==(const Unstopped&, const Unstopped&) = default;
};
using Entry = std::variant<Ended, Steered, Stopped, Unstopped>;

struct Record {
  std::uint64_t number = 0;  // from 1, one more each
  std::int64_t place = 0;    // store::sheet_place(): everything before and there is told of
  Instant written{};
  std::vector<Entry> entries;
  friend bool operator==(const Record&, const Record&) = default;
};

// Which kinds of events are kept, and as what.
[[nodiscard]] bool is_ended(store::EventKind kind);
[[nodiscard]] bool is_steered(store::EventKind kind);

// Never kAnyAddress.
[[nodiscard]] std::uint64_t hash_of(std::string_view address);
// Of a mail that was deleted before it was told of: nothing to compare with.
inline constexpr std::uint64_t kAnyAddress = 0;

[[nodiscard]] std::string pack(const Header& header);  // with the magic
// An entry is at most some thousands of octets.
[[nodiscard]] std::string pack(const Record& record);

// Reads a segment from its beginning. Holds views: `octets` outlives it.
class SegmentReader {
 public:
  // corrupt: it is none of ours, or not even its header is whole.
  [[nodiscard]] static Result<SegmentReader> of(std::string_view octets);

  [[nodiscard]] const Header& header() const { return header_; }
  // nullopt: there is no more that is whole.
  [[nodiscard]] std::optional<Record> next();
  // After the last: octets that are not whole records.
  [[nodiscard]] std::size_t torn() const { return rest_.size(); }

 private:
  SegmentReader(Header header, std::string_view rest) : header_(std::move(header)), rest_(rest) {}

  Header header_;
  std::string_view rest_;
};

}  // namespace todoku::events::journal
