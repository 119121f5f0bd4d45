// SPDX-License-Identifier: Apache-2.0
#include "mime/entity_type.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/bytes.h"

namespace todoku::mime {
namespace {

constexpr std::string_view kFieldLineEnd = "\r\n";

void skip_white(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

// RFC 2045 section 5.1: token.
bool is_entity_token(char c) {
  return c > ' ' && c <= '~' && !std::string_view("()<>@,;:\\\"/[]?=").contains(c);
}

std::string_view take_token(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_entity_token);
  const std::string_view token = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(token.size());
  return token;
}

bool take_mark(std::string_view& text, char mark) {
  if (!text.starts_with(mark)) return false;
  text.remove_prefix(1);
  return true;
}

// nullopt: neither a token nor a quoted-string that is whole.
std::optional<std::string> take_value(std::string_view& text) {
  if (!text.starts_with('"')) {
    const std::string_view token = take_token(text);
    return token.empty() ? std::nullopt : std::optional<std::string>(token);
  }
  std::string value;
  for (text.remove_prefix(1); !text.empty(); text.remove_prefix(1)) {
    if (text.front() == '"') {
      text.remove_prefix(1);
      return value;
    }
    if (text.front() == '\\' && text.size() > 1) text.remove_prefix(1);
    value += text.front();
  }
  return std::nullopt;
}

// False: it is none, or `boundary` is said in a way that not all readers know.
bool take_parameter_of(EntityType& type, std::string_view& text) {
  const std::string name = to_ascii_lower(take_token(text));
  skip_white(text);
  if (name.empty() || !take_mark(text, '=')) return false;
  skip_white(text);
  auto value = take_value(text);
  if (!value || name.starts_with("boundary*")) return false;
  if (name != "boundary") return true;
  if (!type.boundary.empty()) return false;
  type.boundary = std::move(*value);
  return !type.boundary.empty();
}

struct EncodingWord {
  std::string_view word;
  DeclaredEncoding encoding;
};
constexpr std::array kEncodingWords = {
    EncodingWord{"7bit", DeclaredEncoding::seven_bit},
    EncodingWord{"8bit", DeclaredEncoding::eight_bit},
    EncodingWord{"binary", DeclaredEncoding::binary},
    EncodingWord{"quoted-printable", DeclaredEncoding::quoted_printable},
    EncodingWord{"base64", DeclaredEncoding::base64}};

DeclaredEncoding parse_encoding(std::string_view value) {
  value = trim(value);
  for (const EncodingWord& known : kEncodingWords) {
    if (equals_ignoring_case(value, known.word)) return known.encoding;
  }
  return DeclaredEncoding::other;
}

// RFC 5322 section 2.2, without the white space before the colon that section 4.5 tolerates.
bool is_written_name(std::string_view name) {
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~' && c != ':'; });
}

bool is_signature(std::string_view name) {
  constexpr std::array<std::string_view, 4> kSignatures = {
      "DKIM-Signature", "ARC-Message-Signature", "ARC-Seal", "DomainKey-Signature"};
  return std::ranges::any_of(
      kSignatures, [&](std::string_view known) { return equals_ignoring_case(name, known); });
}

// Takes the next field, its folded lines included, off the front; empty at the end.
std::string_view take_field(std::string_view& rest) {
  std::size_t end = 0;
  do {
    const std::size_t line_end = rest.find(kFieldLineEnd, end);
    end = line_end == std::string_view::npos ? rest.size() : line_end + kFieldLineEnd.size();
  } while (end < rest.size() && (rest[end] == ' ' || rest[end] == '\t'));
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(end);
  return field;
}

void note_field(EntityHead& head, std::string_view name, std::string_view value) {
  if (equals_ignoring_case(name, "Content-Type")) {
    if (std::exchange(head.has_type, true)) head.trouble = "has a part with two content types";
    head.type = parse_entity_type(value);
  } else if (equals_ignoring_case(name, "Content-Transfer-Encoding")) {
    if (head.encoding_octets > 0) head.trouble = "has a part with two transfer encodings";
    head.encoding = parse_encoding(value);
  } else if (equals_ignoring_case(name, "MIME-Version")) {
    head.has_mime_version = true;
  } else if (is_signature(name)) {
    head.is_signed = true;
  }
}

}  // namespace

EntityType parse_entity_type(std::string_view value) {
  EntityType type;
  value = trim(value);
  type.type = to_ascii_lower(take_token(value));
  if (type.type.empty() || !take_mark(value, '/')) return type;
  type.subtype = to_ascii_lower(take_token(value));
  if (type.subtype.empty()) return type;
  for (skip_white(value); !value.empty(); skip_white(value)) {
    if (!take_mark(value, ';')) return type;
    skip_white(value);
    if (value.empty()) break;
    if (!take_parameter_of(type, value)) return type;
  }
  type.sound = true;
  return type;
}

EntityHead read_entity_head(std::string_view head) {
  EntityHead read;
  std::string_view rest = head;
  while (!rest.empty() && read.trouble == nullptr) {
    const std::string_view field = take_field(rest);
    if (field == kFieldLineEnd) break;
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos || !is_written_name(field.substr(0, colon))) {
      read.trouble = "has a header section with a line that is no field";
      break;
    }
    const std::string_view name = field.substr(0, colon);
    note_field(read, name, field.substr(colon + 1));
    if (equals_ignoring_case(name, "Content-Transfer-Encoding")) {
      read.encoding_begin = static_cast<std::size_t>(field.data() - head.data());
      read.encoding_octets = field.size();
    }
  }
  return read;
}

}  // namespace todoku::mime
