// SPDX-License-Identifier: Apache-2.0
#include "mime/text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "base/printable.h"
#include "base/utf8.h"

namespace todoku::mime {
namespace {

bool is_printable_ascii(char c) {
  return c >= ' ' && c <= '~';
}

bool breaks_or_spaces(char32_t value) {
  return (value >= '\t' && value <= '\r') || value == 0x85 || value == 0x2028 || value == 0x2029;
}

// Appends the printable ASCII at the start of `text` and removes it from there.
void take_printable(std::string& out, std::string_view& text) {
  const std::size_t length = printable_octets(text);
  out.append(text.substr(0, length));
  text.remove_prefix(length);
}

// Removes the CR, LF or CRLF at the start of `text`; false if there is none.
bool take_line_end(std::string_view& text) {
  if (text.starts_with("\r\n")) {
    text.remove_prefix(2);
    return true;
  }
  if (!text.starts_with('\r') && !text.starts_with('\n')) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

bool is_clean_text(std::string_view text) {
  while (true) {
    text.remove_prefix(printable_octets(text));
    if (text.empty()) return true;
    const CodePoint point = decode_utf8(text);
    if (point.octets == 0 || is_misleading(point.value)) return false;
    text.remove_prefix(point.octets);
  }
}

void append_body_text(std::string& out, std::string_view text) {
  while (true) {
    take_printable(out, text);
    if (text.empty()) return;
    if (take_line_end(text)) {
      out += "\r\n";
      continue;
    }
    const CodePoint point = decode_utf8(text);
    const std::size_t octets = std::max<std::size_t>(point.octets, 1);
    out.append(point.octets == 0 ? kReplacementCharacter : text.substr(0, octets));
    text.remove_prefix(octets);
  }
}

void append_header_text(std::string& out, std::string_view text) {
  while (true) {
    take_printable(out, text);
    if (text.empty()) return;
    if (take_line_end(text)) {
      out += ' ';
      continue;
    }
    const CodePoint point = decode_utf8(text);
    const std::size_t octets = std::max<std::size_t>(point.octets, 1);
    if (point.octets == 0) {
      out.append(kReplacementCharacter);
    } else if (breaks_or_spaces(point.value)) {
      out += ' ';
    } else if (!is_misleading(point.value)) {
      out.append(text.substr(0, octets));
    }
    text.remove_prefix(octets);
  }
}

std::string body_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_body_text(out, text);
  return out;
}

std::string header_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_header_text(out, text);
  return out;
}

TextTraits text_traits(std::string_view text) {
  TextTraits traits;
  traits.is_ascii = is_ascii(text);
  traits.lines = line_traits(text);
  // Line ends are CRLF already, so every CR and LF here is one of a pair.
  traits.is_printable = traits.is_ascii && std::ranges::all_of(text, [](char c) {
                          return is_printable_ascii(c) || c == '\t' || c == '\r' || c == '\n';
                        });
  return traits;
}

LineTraits line_traits(std::string_view lines) {
  LineTraits traits;
  while (!lines.empty()) {
    traits.has_leading_dot |= lines.front() == '.';
    traits.has_from |= lines.starts_with("From ");
    traits.has_delimiter |= lines.starts_with("--") && lines.substr(2).starts_with(kBoundaryPrefix);
    const std::size_t end = lines.find("\r\n");
    traits.longest_line = std::max(traits.longest_line, std::min(end, lines.size()));
    if (end == std::string_view::npos) break;
    lines.remove_prefix(end + 2);
  }
  return traits;
}

}  // namespace todoku::mime
