// SPDX-License-Identifier: Apache-2.0
#include "mime/header.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/utf8.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kLineCharactersMax = 76;    // RFC 2047 section 2, for encoded-words
constexpr std::size_t kEncodedWordMax = 75;       // likewise
constexpr std::size_t kEncodedWordOctetsMin = 9;  // less room than this is not worth beginning
constexpr std::size_t kEncodedWordFrame = 7;      // "=?", "?B?" and "?="
constexpr std::size_t kPlainWordMax = 70;         // a longer word would break the line limit

bool is_atext(char c) {
  return is_ascii_alphanumeric(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").contains(c);
}

std::size_t longest_word(std::string_view text) {
  std::size_t longest = 0;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    longest = std::max(longest, space);
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return longest;
}

// How many octets of text an encoded-word may carry if it has `room` characters.
std::size_t octets_in_word(std::size_t room, Encoding charset) {
  const std::size_t frame = kEncodedWordFrame + charset_name(charset).size();
  if (room < frame) return 0;
  return (std::min(room, kEncodedWordMax) - frame) / 4 * 3;
}

// Takes from `text` what fits into `octets_max` of ISO-2022-JP with both escape sequences; nullopt
// if the next unit has no place in the charset. An empty answer means that there was no room.
std::optional<std::string_view> take_jis(std::string_view& text, std::span<char> octets) {
  std::size_t used = 0;
  bool kanji = false;
  while (!text.empty()) {
    const auto unit = next_jis_unit(text);
    if (!unit) return std::nullopt;
    const bool to_kanji = !unit->is_ascii();
    const std::size_t width = (to_kanji == kanji ? 0U : 3U) + (to_kanji ? 2U : 1U);
    const std::size_t closing = to_kanji ? kJisToAscii.size() : 0;
    if (used + width + closing > octets.size()) break;
    if (to_kanji != kanji) {
      used += (to_kanji ? kJisToKanji : kJisToAscii).copy(&octets[used], kJisToKanji.size());
      kanji = to_kanji;
    }
    if (to_kanji) octets[used++] = static_cast<char>(unit->code >> 8U);
    octets[used++] = static_cast<char>(unit->code);
    text.remove_prefix(unit->octets);
  }
  if (kanji) used += kJisToAscii.copy(&octets[used], kJisToAscii.size());
  return std::string_view(octets.data(), used);
}

// True for words of atoms with single spaces between them (RFC 5322 phrase without quotes).
bool is_plain_phrase(std::string_view name) {
  if (name.starts_with(' ') || name.ends_with(' ') || name.contains("  ")) return false;
  return std::ranges::all_of(name, [](char c) { return c == ' ' || is_atext(c); });
}

// True if a reader might take some of the text for an encoded-word.
bool looks_encoded(std::string_view text) {
  return text.contains("=?");
}

// The common case, without parsing: an addr-spec that is written as it is.
bool is_simple_addr_spec(std::string_view address) {
  const std::size_t at = address.find('@');
  if (at == 0 || at == std::string_view::npos || at + 1 == address.size()) return false;
  if (address.front() == '.' || address[at - 1] == '.' || address.back() == '.') return false;
  if (looks_encoded(address)) return false;
  char before = '@';
  for (std::size_t i = 0; i < address.size(); ++i) {
    const char c = address[i];
    const bool allowed = i < at ? is_atext(c) : is_ascii_alphanumeric(c) || c == '-';
    if (!(i == at || allowed || (c == '.' && before != '.'))) return false;
    before = c;
  }
  return address.size() <= 254;
}

}  // namespace

std::string_view field_name(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  std::string_view name = line.substr(0, colon);
  while (name.ends_with(' ') || name.ends_with('\t')) name.remove_suffix(1);
  const bool is_name = std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; });
  return is_name ? name : std::string_view();
}

FoldedLine::FoldedLine(std::string& out, std::string_view name)
    : out_(out), column_(name.size() + 1) {
  out_ += name;
  out_ += ':';
}

std::size_t FoldedLine::room() const {
  const std::size_t used = column_ + (glued_ ? 0U : 1U);
  return used >= kLineCharactersMax ? 0 : kLineCharactersMax - used;
}

void FoldedLine::fold() {
  out_ += "\r\n ";
  column_ = 1;
  glued_ = true;
}

void FoldedLine::begin_word(std::size_t size) {
  // The first word stays on the line of the name: some readers stumble over an empty first line.
  if (!first_ && !glued_ && size > room()) fold();
  if (!glued_) glue(" ");
  first_ = false;
}

void FoldedLine::glue(std::string_view text) {
  out_ += text;
  column_ += text.size();
  glued_ = false;
}

void FoldedLine::word(std::string_view word) {
  begin_word(word.size());
  glue(word);
}

void FoldedLine::encoded_word(std::string_view octets, Encoding charset) {
  const std::string_view name = charset_name(charset);
  const std::size_t encoded = (octets.size() + 2) / 3 * 4;
  begin_word(kEncodedWordFrame + name.size() + encoded);
  glue("=?");
  glue(name);
  glue("?B?");
  append_base64(out_, octets);
  column_ += encoded;
  glue("?=");
}

bool append_encoded_words(FoldedLine& line, std::string_view text, Encoding charset) {
  while (!text.empty()) {
    if (octets_in_word(line.room(), charset) < kEncodedWordOctetsMin) line.fold();
    const std::size_t octets_max = octets_in_word(line.room(), charset);
    if (charset == Encoding::utf_8) {
      const std::string_view piece = utf8_prefix(text, octets_max);
      line.encoded_word(piece, charset);
      text.remove_prefix(piece.size());
    } else {
      std::array<char, kEncodedWordMax> octets;
      const auto piece = take_jis(text, std::span(octets).first(octets_max));
      if (!piece) return false;
      line.encoded_word(*piece, charset);
    }
  }
  return true;
}

bool append_unstructured(std::string& out, std::string_view name, std::string_view text,
                         Encoding charset) {
  FoldedLine line(out, name);
  const bool fits = text.size() <= line.room();
  const bool foldable = fits || (!text.contains("  ") && longest_word(text) <= kPlainWordMax);
  const bool plain = foldable && is_ascii(text) && !looks_encoded(text) && !text.starts_with(' ') &&
                     !text.ends_with(' ');
  if (!plain) {
    if (!append_encoded_words(line, text, charset)) return false;
  } else if (fits) {
    if (!text.empty()) line.word(text);
  } else {
    while (!text.empty()) {
      const std::size_t space = std::min(text.find(' '), text.size());
      line.word(text.substr(0, space));
      text.remove_prefix(std::min(space + 1, text.size()));
    }
  }
  line.finish();
  return true;
}

void append_address(FoldedLine& line, std::string_view address) {
  if (is_simple_addr_spec(address)) {
    line.word(address);
    return;
  }
  const auto parsed = parse_address(address);
  if (!parsed || !is_clean_text(parsed->local)) {
    line.word("undisclosed-recipients:;");
  } else if (!parsed->needs_smtputf8()) {
    line.word(parsed->to_string());
  } else {
    // Any UTF-8 can be said in UTF-8.
    static_cast<void>(append_encoded_words(line, parsed->to_string(), Encoding::utf_8));
    line.word(":;");
  }
}

bool append_mailbox(FoldedLine& line, std::string_view name, std::string_view addr_spec,
                    Encoding charset) {
  if (name.empty()) {
    line.word(addr_spec);
    return true;
  }
  if (!is_ascii(name) || looks_encoded(name) || name.size() > kPlainWordMax) {
    if (!append_encoded_words(line, name, charset)) return false;
  } else if (is_plain_phrase(name)) {
    line.word(name);
  } else {
    line.word(quoted_string(name));
  }
  line.begin_word(addr_spec.size() + 2);
  line.glue("<");
  line.glue(addr_spec);
  line.glue(">");
  return true;
}

std::string quoted_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

Result<std::string> sender_addr_spec(std::string_view address) {
  const auto parsed = parse_address(address);
  if (!parsed) return fail(parsed.error());
  if (parsed->needs_smtputf8()) {
    return fail(ErrorKind::invalid_input,
                "has a local part beyond ASCII, which no sender may have");
  }
  return parsed->to_string();
}

void append_bracketed_uri(FoldedLine& line, std::string_view uri) {
  line.begin_word(uri.size() + 2);
  line.glue("<");
  line.glue(uri);
  line.glue(">");
}

}  // namespace todoku::mime
