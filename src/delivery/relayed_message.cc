// SPDX-License-Identifier: Apache-2.0
#include "delivery/relayed_message.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "mailauth/dkim/message.h"

namespace todoku::delivery {
namespace {

constexpr std::string_view kCrlf = "\r\n";

Result<void> check_lines(std::string_view octets) {
  if (octets.contains('\0')) return fail(ErrorKind::invalid_input, "the message has a NUL");
  for (std::size_t at = octets.find_first_of(kCrlf); at != std::string_view::npos;
       at = octets.find_first_of(kCrlf, at + kCrlf.size())) {
    if (octets.substr(at, kCrlf.size()) != kCrlf) {
      return fail(ErrorKind::invalid_input, "the message has a line that does not end with CR LF");
    }
  }
  return {};
}

bool has_dotted_line(std::string_view lines) {
  return lines.starts_with('.') || lines.contains("\r\n.");
}

bool has(std::span<const HeaderField> fields, std::string_view name) {
  return std::ranges::any_of(
      fields, [&](const HeaderField& field) { return equals_ignoring_case(field.name, name); });
}

// The whole field. It is one, whatever it was made of.
Result<std::string> written(const AddedField& added) {
  std::string raw = added.name + ": " + added.value + "\r\n";
  const auto read = mailauth::dkim::split_message(raw);
  const bool is_field = !added.name.empty() && read.fields.size() == 1 &&
                        read.fields[0].raw == raw && read.fields[0].name == added.name &&
                        is_ascii(raw) && check_lines(raw);
  if (!is_field)
    return fail(ErrorKind::invalid_input, "a field to be added is none: " + added.name);
  return raw;
}

}  // namespace

Result<RelayedMessage> RelayedMessage::build(std::string octets, const Options& options) {
  if (const auto lines = check_lines(octets); !lines) return fail(lines.error());
  if (octets.starts_with(' ') || octets.starts_with('\t')) {
    // It would continue the field that is put before it.
    return fail(ErrorKind::invalid_input, "the message begins with the middle of a field");
  }
  auto parts = std::make_unique<Parts>();
  parts->octets = std::move(octets);
  const std::string_view whole = parts->octets;
  const auto read = mailauth::dkim::split_message(whole);
  parts->body = read.body;
  parts->is_eight_bit = !is_ascii(whole);
  parts->smtputf8 = options.smtputf8;
  for (const AddedField& added : options.added) {
    if (added.only_if_missing && has(read.fields, added.name)) continue;
    auto raw = written(added);
    if (!raw) return fail(std::move(raw.error()));
    parts->head += *raw;
  }
  parts->head += whole.substr(0, whole.size() - read.body.size());
  parts->has_leading_dot = has_dotted_line(parts->head) || has_dotted_line(parts->body);
  parts->headers = mailauth::dkim::split_message(parts->head).fields;
  return RelayedMessage(std::move(parts));
}

std::size_t RelayedMessage::memory_octets() const {
  return sizeof(Parts) + parts_->octets.capacity() + parts_->head.capacity() +
         parts_->headers.capacity() * sizeof(HeaderField);
}

}  // namespace todoku::delivery
