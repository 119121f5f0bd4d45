// SPDX-License-Identifier: Apache-2.0
// For tests only: a strict little reader of mail, written against the RFCs and not against the
// composer. It answers with what it read, or with what is wrong.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <unicode/ucnv.h>

#include "base/bytes.h"

namespace todoku::mime::test {

struct Field {
  std::string name;
  std::string value;  // unfolded, without the space after the colon
};

struct Entity {
  std::vector<Field> fields;
  std::string body;  // as it stands

  [[nodiscard]] std::string field(std::string_view name) const {
    for (const Field& one : fields) {
      if (equals_ignoring_case(one.name, name)) return one.value;
    }
    return {};
  }
  [[nodiscard]] std::size_t count(std::string_view name) const {
    std::size_t found = 0;
    for (const Field& one : fields) found += equals_ignoring_case(one.name, name) ? 1U : 0U;
    return found;
  }
};

// What is wrong with the form of a whole message; empty if nothing is.
inline std::string form_problem(std::string_view message, std::size_t line_max) {
  for (std::size_t at = 0; at < message.size();) {
    const std::size_t end = message.find('\n', at);
    if (end == std::string_view::npos) return "the last line does not end";
    if (end == at || message[end - 1] != '\r') return "a bare LF";
    const std::string_view line = message.substr(at, end - 1 - at);
    if (line.size() > line_max) return "a line of " + std::to_string(line.size()) + " octets";
    for (const char c : line) {
      if (static_cast<unsigned char>(c) >= 0x80) return "an 8-bit octet";
      if (c == '\r') return "a bare CR";
      if (c == '\0') return "a NUL";
    }
    at = end + 1;
  }
  return {};
}

inline Entity read_entity(std::string_view text) {
  Entity entity;
  while (!text.empty() && !text.starts_with("\r\n")) {
    const std::size_t end = text.find("\r\n");
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    if (line.starts_with(' ') && !entity.fields.empty()) {
      entity.fields.back().value += line;
      continue;
    }
    const std::size_t colon = line.find(':');
    Field field{std::string(line.substr(0, colon)), {}};
    if (colon != std::string_view::npos) field.value = line.substr(colon + 1);
    if (field.value.starts_with(' ')) field.value.erase(0, 1);
    entity.fields.push_back(std::move(field));
  }
  if (text.starts_with("\r\n")) text.remove_prefix(2);
  entity.body = text;
  return entity;
}

// From ISO-2022-JP with ASCII and JIS X 0208 as Windows has it. nullopt if the text does not follow
// the rules: another escape sequence, a control, a line or the text ending in the kanji state.
inline std::optional<std::string> from_iso_2022_jp(std::string_view text) {
  std::string shift_jis;
  bool kanji = false;
  for (std::size_t i = 0; i < text.size();) {
    if (text.substr(i).starts_with("\x1B$B") || text.substr(i).starts_with("\x1B(B")) {
      if (kanji == (text[i + 1] == '$')) return std::nullopt;  // a needless escape sequence
      kanji = text[i + 1] == '$';
      i += 3;
    } else if (!kanji) {
      const char c = text[i++];
      if ((c < ' ' && c != '\r' && c != '\n' && c != '\t') || c > '~') return std::nullopt;
      shift_jis += c;
    } else {
      if (i + 1 >= text.size()) return std::nullopt;
      const unsigned row = static_cast<unsigned char>(text[i]) - 0x21U;
      const unsigned cell = static_cast<unsigned char>(text[i + 1]) - 0x21U;
      if (row >= 94 || cell >= 94) return std::nullopt;
      const unsigned trail = row % 2 * 94 + cell;
      shift_jis += static_cast<char>(row / 2 + (row < 62 ? 0x81 : 0xC1));
      shift_jis += static_cast<char>(trail < 63 ? trail + 0x40 : trail + 0x41);
      i += 2;
    }
  }
  if (kanji) return std::nullopt;
  UErrorCode status = U_ZERO_ERROR;
  std::string utf8(shift_jis.size() * 3 + 1, '\0');
  const int size = ucnv_convert("UTF-8", "windows-31j", utf8.data(), static_cast<int>(utf8.size()),
                                shift_jis.data(), static_cast<int>(shift_jis.size()), &status);
  if (U_FAILURE(status)) return std::nullopt;
  utf8.resize(static_cast<std::size_t>(size));
  if (utf8.contains("\xEF\xBF\xBD")) return std::nullopt;
  return utf8;
}

inline std::optional<std::string> from_charset(std::string_view charset, std::string_view octets) {
  if (equals_ignoring_case(charset, "ISO-2022-JP")) return from_iso_2022_jp(octets);
  if (!equals_ignoring_case(charset, "UTF-8") || !is_utf8(octets)) return std::nullopt;
  return std::string(octets);
}

// A header value with its encoded-words read (RFC 2047 section 6): white space between two of them
// is nothing. nullopt if one is longer than 75 characters or says something impossible.
inline std::optional<std::string> read_words(std::string_view value) {
  std::string out;
  std::string_view rest = value;
  bool after_word = false;
  while (!rest.empty()) {
    const std::size_t begin = rest.find("=?");
    const std::string_view before = rest.substr(0, begin);
    const bool only_space = before.find_first_not_of(' ') == std::string_view::npos;
    const bool at_word = begin != std::string_view::npos;
    if (!(after_word && only_space && at_word)) out += before;
    if (!at_word) break;
    rest.remove_prefix(begin);
    const std::size_t charset_end = rest.find('?', 2);
    const std::size_t end = rest.find("?=", charset_end + 3);
    if (charset_end == std::string_view::npos || end == std::string_view::npos) return std::nullopt;
    if (end + 2 > 75 || rest.substr(charset_end, 3) != "?B?") return std::nullopt;
    const auto octets = from_base64(rest.substr(charset_end + 3, end - charset_end - 3));
    if (!octets) return std::nullopt;
    const auto text = from_charset(rest.substr(2, charset_end - 2), *octets);
    if (!text) return std::nullopt;
    out += *text;
    rest.remove_prefix(end + 2);
    after_word = true;
  }
  return out;
}

// A parameter of a structured field, with or without quotes; empty if it is not there.
inline std::string parameter(std::string_view value, std::string_view name) {
  const std::string key = " " + std::string(name) + "=";
  const std::size_t at = value.find(key);
  if (at == std::string_view::npos) return {};
  value.remove_prefix(at + key.size());
  if (!value.starts_with('"')) return std::string(value.substr(0, value.find(';')));
  std::string out;
  for (std::size_t i = 1; i < value.size() && value[i] != '"'; ++i) {
    if (value[i] == '\\') ++i;
    out += value[i];
  }
  return out;
}

inline std::string from_quoted_printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out += text[i];
    } else if (text.substr(i + 1).starts_with("\r\n")) {
      i += 2;
    } else {
      out += from_hex(text.substr(i + 1, 2)).value_or("?");
      i += 2;
    }
  }
  return out;
}

// The content of an entity that is no multipart, in UTF-8 if it is a text.
inline std::optional<std::string> read_content(const Entity& entity) {
  const std::string encoding = entity.field("Content-Transfer-Encoding");
  std::string octets = entity.body;
  if (encoding == "base64") {
    auto decoded = from_base64(entity.body);
    if (!decoded) return std::nullopt;
    octets = std::move(*decoded);
  } else if (encoding == "quoted-printable") {
    octets = from_quoted_printable(entity.body);
  } else if (encoding != "7bit") {
    return std::nullopt;
  }
  const std::string type = entity.field("Content-Type");
  return type.starts_with("text/") && entity.count("Content-Disposition") == 0
             ? from_charset(parameter(type, "charset"), octets)
             : std::optional(octets);
}

// The parts of a multipart (RFC 2046 section 5.1.1); empty if it is none or broken.
inline std::vector<Entity> read_parts(const Entity& entity) {
  const std::string type = entity.field("Content-Type");
  const std::string boundary = parameter(type, "boundary");
  if (!type.starts_with("multipart/") || boundary.empty()) return {};
  std::vector<Entity> parts;
  // The CRLF before a delimiter belongs to it; the first may stand at the very beginning.
  const std::string body = "\r\n" + entity.body;
  const std::string delimiter = "\r\n--" + boundary;
  std::size_t at = body.find(delimiter);
  if (at != 0) return {};
  while (true) {
    at += delimiter.size();
    // Within a multipart, the CRLF after this belongs to the outer delimiter.
    if (std::string_view(body).substr(at).starts_with("--")) return parts;
    if (!std::string_view(body).substr(at).starts_with("\r\n")) return {};
    const std::size_t next = body.find(delimiter, at);
    if (next == std::string::npos) return {};
    parts.push_back(read_entity(std::string_view(body).substr(at + 2, next - at - 2)));
    at = next;
  }
}

}  // namespace todoku::mime::test
