// SPDX-License-Identifier: Apache-2.0
#include "store/records.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"
#include "store/codec.h"

namespace todoku::store {
namespace {

// 2025-01-01T00:00:00Z: keeps instants in six octets for a century.
// Longer replies are not worth a place in the dictionary.
constexpr std::size_t kSharedReplyOctetsMax = 512;

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorKind::corrupt, std::string("the stored ") + std::string(what) + " is damaged");
}

Result<void> append_text(Dictionary& dictionary, std::string_view text, std::string& out) {
  const bool worth_sharing = !text.empty() && text.size() <= kSharedReplyOctetsMax;
  if (worth_sharing && dictionary.repeats(text)) {
    const auto number = dictionary.number(DictionaryKind::reply, text);
    if (!number) return fail(number.error());
    if (*number) {
      put_varint(out, static_cast<std::uint64_t>(**number) + 1);
      return {};
    }
  }
  put_varint(out, 0);
  put_text(out, text);
  return {};
}

Result<void> append_path(Dictionary& dictionary, const Path& path, std::string& out) {
  if (path == Path{}) {
    put_varint(out, 0);
    return {};
  }
  std::string packed;
  put_text(packed, path.mx_host);
  put_text(packed, path.remote_ip);
  put_text(packed, path.egress_source);
  packed.push_back(static_cast<char>(path.tls));
  put_text(packed, path.tls_detail);
  const auto number = dictionary.number(DictionaryKind::path, packed);
  if (!number) return fail(number.error());
  if (*number) {
    put_varint(out, static_cast<std::uint64_t>(**number) + 2);
    return {};
  }
  put_varint(out, 1);
  put_text(out, packed);
  return {};
}

Result<std::string_view> referenced(Dictionary& dictionary, std::uint64_t number) {
  return dictionary.value(static_cast<std::int64_t>(number));
}

// Reply codes have three digits (RFC 5321 section 4.2), so the next bit is free.
constexpr int kReplyCodeMax = 999;
constexpr std::uint64_t kCharsetFellBack = 1024;
// Above it: nothing, in entries of a success and of versions before there were causes. Such a
// version reads an entry of this one rightly, too.
constexpr std::uint64_t kCause = 2048;
constexpr std::uint64_t kCauseMax = 255;
constexpr std::uint64_t kSenderToTell = kCause * (kCauseMax + 1);

Result<Attempt> attempt_of(Dictionary& dictionary, const PackedEntry& entry) {
  Attempt attempt;
  attempt.at = entry.at;
  attempt.duration = entry.duration;
  attempt.outcome = {.state = entry.state,
                     .stage = entry.stage,
                     .reply = {entry.code, {}},
                     .is_attempt = entry.is_attempt,
                     .charset_fell_back = entry.charset_fell_back,
                     .sender_to_tell = entry.sender_to_tell,
                     .cause = entry.cause};
  const auto reply = reply_of(dictionary, entry);
  if (!reply) return fail(reply.error());
  attempt.outcome.reply.text = *reply;
  auto path = path_of(dictionary, entry);
  if (!path) return fail(std::move(path.error()));
  attempt.path = std::move(*path);
  return attempt;
}

}  // namespace

std::string_view kept_of_reply(std::string_view text) {
  return utf8_prefix(text, kReplyOctetsMax);
}

Result<void> pack_codes(Dictionary& dictionary, const std::vector<InsertCode>& codes,
                        std::string& out) {
  out.clear();
  for (const InsertCode& code : codes) {
    const auto number = is_attached_key(code.key)
                            ? Result<std::optional<std::int64_t>>()
                            : dictionary.number(DictionaryKind::insert_key, code.key);
    if (!number) return fail(number.error());
    if (*number) {
      put_varint(out, static_cast<std::uint64_t>(**number) + 1);
    } else {
      put_varint(out, 0);
      put_text(out, code.key);
    }
    put_text(out, code.value);
  }
  return {};
}

Result<std::vector<InsertCode>> unpack_codes(Dictionary& dictionary, std::string_view packed) {
  std::vector<InsertCode> codes;
  BlobReader in(packed);
  while (!in.at_end()) {
    InsertCode& code = codes.emplace_back();
    const std::uint64_t reference = in.varint();
    if (reference == 0) {
      code.key = in.text();
    } else {
      const auto value = referenced(dictionary, reference - 1);
      if (!value) return fail(value.error());
      code.key = *value;
    }
    code.value = in.text();
  }
  if (in.failed()) return damaged("insert codes");
  return codes;
}

Attached attached_in(std::string_view packed) {
  Attached attached;
  BlobReader in(packed);
  while (!in.at_end()) {
    std::string_view key;
    if (in.varint() == 0) key = in.text();
    take_attached(key, in.text(), attached);
  }
  return attached;
}

Result<void> append_history(Dictionary& dictionary, const HistoryEntry& entry,
                            std::string& history) {
  const Outcome& what = entry.outcome;
  history.push_back(static_cast<char>((static_cast<unsigned>(what.stage) << 4U) |
                                      (what.is_attempt ? 8U : 0U) |
                                      static_cast<unsigned>(entry.state)));
  put_zigzag(history, to_epoch_ms(entry.at) - kHistoryEpochMs);
  put_varint(history,
             static_cast<std::uint64_t>(std::max<std::int64_t>(entry.duration.count(), 0)));
  const auto code = static_cast<std::uint64_t>(std::clamp(what.reply.code, 0, kReplyCodeMax));
  put_varint(history, code + (what.charset_fell_back ? kCharsetFellBack : 0) +
                          (what.sender_to_tell ? kSenderToTell : 0) +
                          kCause * static_cast<std::uint64_t>(what.cause));
  auto done = append_text(dictionary, kept_of_reply(what.reply.text), history);
  if (!done) return done;
  return append_path(dictionary, entry.path, history);
}

Result<void> append_set_aside(Dictionary& dictionary, Instant now, std::int64_t deaths,
                              std::string& history) {
  const Outcome words{
      .state = RecipientState::deferred,
      .stage = Stage::none,
      .reply = {0, fmt::format("4.3.0 set aside: {} times a process died with this mail alone in "
                               "hand; it waits for an operator",
                               deaths)},
      .is_attempt = false,
      .cause = Cause::set_aside};
  return append_history(
      dictionary,
      {.at = now, .duration = {}, .state = words.state, .outcome = words, .path = Path{}}, history);
}

Result<PackedEntry> HistoryReader::next() {
  PackedEntry entry;
  const std::uint8_t info = in_.octet();
  entry.state = static_cast<RecipientState>(info & 7U);
  entry.is_attempt = (info & 8U) != 0;
  entry.stage = static_cast<Stage>(info >> 4U);
  entry.at = from_epoch_ms(kHistoryEpochMs + in_.zigzag());
  entry.duration = Milliseconds(static_cast<std::int64_t>(in_.varint()));
  const std::uint64_t code = in_.varint();
  entry.code = static_cast<int>(code % kCharsetFellBack);
  entry.charset_fell_back = (code & kCharsetFellBack) != 0;
  if (code / kSenderToTell > 1) return damaged("history");
  entry.sender_to_tell = code / kSenderToTell == 1;
  entry.cause = static_cast<Cause>(code % kSenderToTell / kCause);
  entry.reply_ref = in_.varint();
  if (entry.reply_ref == 0) entry.reply = in_.text();
  entry.path_ref = in_.varint();
  if (entry.path_ref == 1) entry.path = in_.text();
  if (in_.failed() || entry.stage > Stage::accepted) return damaged("history");
  return entry;
}

Result<std::string_view> reply_of(Dictionary& dictionary, const PackedEntry& entry) {
  if (entry.reply_ref == 0) return entry.reply;
  return referenced(dictionary, entry.reply_ref - 1);
}

Result<Path> path_of(Dictionary& dictionary, const PackedEntry& entry) {
  if (entry.path_ref == 0) return Path{};
  std::string_view packed = entry.path;
  if (entry.path_ref > 1) {
    const auto value = referenced(dictionary, entry.path_ref - 2);
    if (!value) return fail(value.error());
    packed = *value;
  }
  BlobReader fields(packed);
  Path path;
  path.mx_host = fields.text();
  path.remote_ip = fields.text();
  path.egress_source = fields.text();
  path.tls = static_cast<TlsUse>(fields.octet());
  path.tls_detail = fields.text();
  if (fields.failed() || path.tls > TlsUse::verified) return damaged("path");
  return path;
}

Result<std::vector<Attempt>> unpack_history(Dictionary& dictionary, std::string_view history) {
  std::vector<Attempt> attempts;
  for (HistoryReader entries(history); !entries.at_end();) {
    const auto entry = entries.next();
    if (!entry) return fail(entry.error());
    auto attempt = attempt_of(dictionary, *entry);
    if (!attempt) return fail(std::move(attempt.error()));
    attempt->number = static_cast<std::uint16_t>(attempts.size() + 1);
    attempts.push_back(std::move(*attempt));
  }
  return attempts;
}

void tell_history(Story& story, std::vector<Attempt> history) {
  story.attempts.clear();
  story.delays.clear();
  story.attempts.reserve(history.size());
  for (Attempt& each : history) {
    auto& part = is_told_delay(each.outcome) ? story.delays : story.attempts;
    each.number = static_cast<std::uint16_t>(part.size() + 1);
    part.push_back(std::move(each));
  }
}

std::string pack_list(const std::vector<std::string>& list) {
  std::string packed;
  for (const std::string& item : list) put_text(packed, item);
  return packed;
}

Result<std::vector<std::string>> unpack_list(std::string_view packed) {
  std::vector<std::string> list;
  BlobReader in(packed);
  while (!in.at_end()) list.emplace_back(in.text());
  if (in.failed()) return damaged("list of addresses");
  return list;
}

std::string pack_headers(const std::vector<ExtraHeader>& headers) {
  std::string packed;
  for (const ExtraHeader& header : headers) {
    put_text(packed, header.name);
    put_text(packed, header.value);
  }
  return packed;
}

Result<std::vector<ExtraHeader>> unpack_headers(std::string_view packed) {
  std::vector<ExtraHeader> headers;
  BlobReader in(packed);
  while (!in.at_end()) {
    ExtraHeader& header = headers.emplace_back();
    header.name = in.text();
    header.value = in.text();
  }
  if (in.failed()) return damaged("list of header fields");
  return headers;
}

std::string pack_envelope(const std::optional<RelayedEnvelope>& envelope) {
  constexpr std::uint64_t kSmtputf8 = 1;
  constexpr std::uint64_t kLeadingDot = 2;
  constexpr std::uint64_t kEightBit = 4;
  constexpr std::uint64_t kLongLine = 8;
  std::string packed;
  if (!envelope) return packed;
  put_varint(packed, (envelope->smtputf8 ? kSmtputf8 : 0) |
                         (envelope->has_leading_dot ? kLeadingDot : 0) |
                         (envelope->is_eight_bit ? kEightBit : 0) |
                         (envelope->has_long_line ? kLongLine : 0));
  put_varint(packed, envelope->ret);
  put_varint(packed, envelope->head_octets);
  for (const std::string* text : {&envelope->mail_from, &envelope->envid, &envelope->credential}) {
    put_text(packed, *text);
  }
  return packed;
}

Result<std::optional<RelayedEnvelope>> unpack_envelope(std::string_view packed) {
  if (packed.empty()) return std::nullopt;
  BlobReader in(packed);
  RelayedEnvelope envelope;
  const std::uint64_t flags = in.varint();
  envelope.smtputf8 = (flags & 1U) != 0;
  envelope.has_leading_dot = (flags & 2U) != 0;
  envelope.is_eight_bit = (flags & 4U) != 0;
  envelope.has_long_line = (flags & 8U) != 0;
  envelope.ret = static_cast<std::uint8_t>(in.varint());
  envelope.head_octets = in.varint();
  for (std::string* text : {&envelope.mail_from, &envelope.envid, &envelope.credential}) {
    *text = in.text();
  }
  if (in.failed()) return damaged("envelope of a relayed message");
  return envelope;
}

std::string_view stored_address(std::string_view address, std::string_view domain) {
  if (domain.empty() || address.size() <= domain.size() || !address.ends_with(domain)) {
    return address;
  }
  const std::string_view local = address.substr(0, address.size() - domain.size());
  return local.ends_with('@') ? local : address;
}

std::string full_address(std::string_view stored, std::string_view domain) {
  std::string address(stored);
  if (stored.ends_with('@')) address += domain;
  return address;
}

}  // namespace todoku::store
