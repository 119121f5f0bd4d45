// SPDX-License-Identifier: Apache-2.0
#include "dns/wire.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "dns/rdata.h"

namespace todoku::dns {
namespace {

constexpr std::size_t kHeaderOctets = 12;
constexpr std::size_t kWireNameMax = 255;  // RFC 1035 section 2.3.4
constexpr std::size_t kWireLabelMax = 63;
constexpr std::uint16_t kClassIn = 1;
constexpr std::uint16_t kTypeOpt = 41;
constexpr std::uint8_t kPointerBits = 0xC0;

void append_16(std::string& out, std::size_t value) {
  out += static_cast<char>((value >> 8U) & 0xFFU);
  out += static_cast<char>(value & 0xFFU);
}

Result<void> append_name(std::string& out, std::string_view name) {
  const std::size_t begin = out.size();
  if (name.ends_with('.')) name.remove_suffix(1);
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    if (label.empty() || label.size() > kWireLabelMax) {
      return fail(ErrorKind::invalid_input, "a label has 1 to 63 octets");
    }
    out += static_cast<char>(label.size());
    out += label;
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  out += '\0';
  if (out.size() - begin > kWireNameMax) {
    return fail(ErrorKind::invalid_input, "a name has 255 octets at most");
  }
  return {};
}

// Reads a message from front to back.
class Cursor {
 public:
  explicit Cursor(WireOctets message) : message_(message) {}

  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] std::size_t left() const { return message_.size() - at_; }

  Result<std::uint16_t> take_16() {
    if (left() < 2) return fail(ErrorKind::corrupt, "the message is cut off");
    const auto value = static_cast<std::uint16_t>((message_[at_] << 8) | message_[at_ + 1]);
    at_ += 2;
    return value;
  }
  Result<std::uint32_t> take_32() {
    const auto high = take_16();
    if (!high) return fail(high.error());
    const auto low = take_16();
    if (!low) return fail(low.error());
    return (std::uint32_t{*high} << 16U) | *low;
  }
  void move_to(std::size_t at) { at_ = at; }

  // A name in wire format, uncompressed. Each pointer leads further to the front than where it
  // began to read last, so that none leads in circles (RFC 1035 section 4.1.4: "a prior
  // occurrence").
  Result<std::string> take_name() {
    std::string name;
    std::size_t at = at_;
    std::size_t earliest = at_;
    bool jumped = false;
    while (true) {
      if (at >= message_.size()) return fail(ErrorKind::corrupt, "a name is cut off");
      const std::uint8_t length = message_[at];
      if ((length & kPointerBits) == kPointerBits) {
        if (at + 1 >= message_.size()) return fail(ErrorKind::corrupt, "a pointer is cut off");
        const std::size_t to = (std::size_t{length & 0x3FU} << 8U) | message_[at + 1];
        if (!jumped) at_ = at + 2;
        jumped = true;
        if (to >= earliest) return fail(ErrorKind::corrupt, "a pointer does not lead back");
        at = earliest = to;
        continue;
      }
      if (length > kWireLabelMax) return fail(ErrorKind::corrupt, "a label of an unknown kind");
      if (name.size() + length + 1 > kWireNameMax) {
        return fail(ErrorKind::corrupt, "a name is too long");
      }
      if (message_.size() - at - 1 < length) return fail(ErrorKind::corrupt, "a label is cut off");
      name += as_text(message_.subspan(at, std::size_t{length} + 1));
      at += std::size_t{length} + 1;
      if (length == 0) break;
    }
    if (!jumped) at_ = at;
    return name;
  }

  // `octets` of the message as they are.
  std::string take(std::size_t octets) {
    std::string taken(as_text(message_.subspan(at_, octets)));
    at_ += octets;
    return taken;
  }

 private:
  WireOctets message_;
  std::size_t at_ = 0;
};

Result<std::string> text_of_name(const std::string& wire) {
  return parse_ptr(as_octets(wire));
}

// How many names RDATA of a type begins with, and how many octets stand before them: what may be
// compressed (RFC 3597 section 4).
struct Compressed {
  std::size_t before = 0;
  std::size_t names = 0;
};
Compressed compressed_in(std::uint16_t type) {
  switch (type) {
    case static_cast<std::uint16_t>(RecordType::ns):
    case static_cast<std::uint16_t>(RecordType::ptr):
    case kTypeCname:
      return {.before = 0, .names = 1};
    case static_cast<std::uint16_t>(RecordType::mx):
      return {.before = 2, .names = 1};
    case kTypeSoa:
      return {.before = 0, .names = 2};
    default:
      return {};
  }
}

Result<std::string> take_rdata(Cursor& cursor, std::uint16_t type, std::size_t length) {
  const std::size_t end = cursor.at() + length;
  const Compressed form = compressed_in(type);
  if (length < form.before) return fail(ErrorKind::corrupt, "a record is cut off");
  std::string rdata = cursor.take(form.before);
  for (std::size_t i = 0; i < form.names; ++i) {
    auto name = cursor.take_name();
    if (!name) return name;
    rdata += *name;
    if (cursor.at() > end) return fail(ErrorKind::corrupt, "a name is longer than its record");
  }
  rdata += cursor.take(end - cursor.at());
  return rdata;
}

// nullopt: of another class, or what EDNS puts there.
Result<std::optional<WireRecord>> take_record(Cursor& cursor) {
  auto owner = cursor.take_name();
  if (!owner) return fail(std::move(owner.error()));
  const auto type = cursor.take_16();
  if (!type) return fail(type.error());
  const auto klass = cursor.take_16();
  if (!klass) return fail(klass.error());
  const auto ttl = cursor.take_32();
  if (!ttl) return fail(ttl.error());
  const auto length = cursor.take_16();
  if (!length) return fail(length.error());
  if (cursor.left() < *length) return fail(ErrorKind::corrupt, "a record is cut off");
  const std::size_t end = cursor.at() + *length;
  if (*klass != kClassIn || *type == kTypeOpt) {
    cursor.move_to(end);
    return std::nullopt;
  }
  auto rdata = take_rdata(cursor, *type, *length);
  if (!rdata) return fail(std::move(rdata.error()));
  cursor.move_to(end);
  auto name = text_of_name(*owner);
  if (!name) return fail(std::move(name.error()));
  constexpr std::uint32_t kTopBit = 0x8000'0000U;
  return WireRecord{.owner = std::move(*name),
                    .type = *type,
                    .ttl = (*ttl & kTopBit) != 0 ? 0 : *ttl,
                    .rdata = std::move(*rdata)};
}

Result<void> take_records(Cursor& cursor, std::size_t count, bool truncated, std::size_t& room,
                          std::vector<WireRecord>& records) {
  for (std::size_t i = 0; i < count && room > 0; ++i, --room) {
    if (truncated && cursor.left() == 0) return {};
    auto record = take_record(cursor);
    if (!record) return fail(std::move(record.error()));
    if (*record) records.push_back(**std::move(record));
  }
  return {};
}

}  // namespace

Result<std::string> make_query(std::uint16_t id, std::string_view name, std::uint16_t type,
                               bool recurse) {
  std::string query;
  append_16(query, id);
  append_16(query, recurse ? 0x0100U : 0U);
  append_16(query, 1);
  append_16(query, 0);
  append_16(query, 0);
  append_16(query, 1);
  if (auto named = append_name(query, name); !named) return fail(std::move(named.error()));
  append_16(query, type);
  append_16(query, kClassIn);
  // OPT (RFC 6891 section 6.1.2): the root, our size, no flags.
  query += '\0';
  append_16(query, kTypeOpt);
  append_16(query, kDatagramOctets);
  query.append(6, '\0');
  return query;
}

Result<WireMessage> parse_message(WireOctets octets) {
  if (octets.size() < kHeaderOctets) return fail(ErrorKind::corrupt, "the message has no header");
  Cursor cursor(octets);
  const auto word = [&cursor] { return cursor.take_16().value_or(0); };  // of the header, there
  WireMessage message;
  message.id = word();
  const std::uint16_t flags = word();
  message.is_answer = (flags & 0x8000U) != 0;
  message.authoritative = (flags & 0x0400U) != 0;
  message.truncated = (flags & 0x0200U) != 0;
  message.rcode = flags & 0x000FU;
  const std::size_t questions = word();
  const std::size_t answers = word();
  const std::size_t authorities = word();
  (void)word();  // additional records, which are nothing to us
  if (questions != 1) return fail(ErrorKind::corrupt, "the message has not one question");
  const auto name = cursor.take_name();
  if (!name) return fail(name.error());
  auto text = text_of_name(*name);
  if (!text) return fail(std::move(text.error()));
  message.name = std::move(*text);
  const auto type = cursor.take_16();
  if (!type) return fail(type.error());
  message.type = *type;
  if (const auto klass = cursor.take_16(); !klass || *klass != kClassIn) {
    return fail(ErrorKind::corrupt, "the question is of another class");
  }
  std::size_t room = kWireRecordsMax;
  if (auto taken = take_records(cursor, answers, message.truncated, room, message.answer); !taken) {
    return fail(std::move(taken.error()));
  }
  if (auto taken = take_records(cursor, authorities, message.truncated, room, message.authority);
      !taken) {
    return fail(std::move(taken.error()));
  }
  return message;
}

}  // namespace todoku::dns
