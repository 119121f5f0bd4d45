// SPDX-License-Identifier: Apache-2.0
#include "feedback/classify/words.h"

#include <algorithm>
#include <cstddef>

#include "base/bytes.h"

namespace todoku::feedback::classify {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

// A URL, or a name with a dot in it; not the number of a version or a status.
bool is_name(std::string_view token) {
  if (token.contains("://")) return true;
  for (std::size_t dot = token.find('.'); dot != std::string_view::npos;
       dot = token.find('.', dot + 1)) {
    if (dot == 0 || dot + 1 == token.size()) continue;
    const char before = token[dot - 1];
    const char after = token[dot + 1];
    if (is_word_octet(before) && is_word_octet(after) && (is_letter(before) || is_letter(after))) {
      return true;
    }
  }
  return false;
}

// Letters of Latin-1 as UTF-8 (U+00C0 to U+00FF: 0xC3 and one octet more) without their marks, and
// Cyrillic capitals (U+0410 to U+042F) as small letters.
std::string without_marks(std::string text) {
  static constexpr std::string_view kPlain =
      "aaaaaaaceeeeiiii"
      "dnooooo*ouuuuyts"
      "aaaaaaaceeeeiiii"
      "dnooooo/ouuuuyty";
  constexpr auto at = [](std::string_view octets, std::size_t place) {
    return place < octets.size() ? static_cast<unsigned char>(octets[place]) : 0U;
  };
  std::size_t end = 0;
  for (std::size_t begin = 0; begin < text.size(); ++begin) {
    const unsigned octet = at(text, begin);
    const unsigned next = at(text, begin + 1);
    if (octet == 0xC3 && next >= 0x80 && next <= 0xBF) {
      text[end++] = kPlain[next - 0x80];
      ++begin;
    } else if (octet == 0xD0 && next >= 0x90 && next <= 0xAF) {
      const bool second_half = next >= 0xA0;
      text[end++] = static_cast<char>(second_half ? 0xD1 : 0xD0);
      text[end++] = static_cast<char>(second_half ? next - 0x20 : next + 0x20);
      ++begin;
    } else {
      text[end++] = text[begin];
    }
  }
  text.resize(end);
  return text;
}

bool has(std::string_view words, std::string_view phrase) {
  const bool open = phrase.ends_with('*');
  if (open) phrase.remove_suffix(1);
  if (phrase.empty()) return false;
  for (std::size_t at = words.find(phrase); at != std::string_view::npos;
       at = words.find(phrase, at + 1)) {
    const std::size_t end = at + phrase.size();
    const bool begins = at == 0 || !is_word_octet(words[at - 1]) || !is_word_octet(phrase.front());
    const bool ends =
        open || end == words.size() || !is_word_octet(words[end]) || !is_word_octet(phrase.back());
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace

bool is_word_octet(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

std::string plain(std::string_view text) {
  return without_marks(to_ascii_lower(text));
}

std::string readable(std::string_view text) {
  const std::string lower = plain(text.substr(0, kOctetsRead));
  std::string words;
  words.reserve(lower.size());
  for (std::size_t begin = 0; begin < lower.size();) {
    const auto from = lower.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto end =
        static_cast<std::size_t>(std::find_if(from, lower.end(), is_space) - lower.begin());
    const std::string_view token = std::string_view(lower).substr(begin, end - begin);
    // Gmail and others repeat the enhanced code in each line, in the middle of what they say.
    const bool repeated =
        begin > 0 && lower[begin - 1] == '\n' && parse_enhanced_status(token).has_value();
    begin = end + 1;
    if (repeated || token.empty() || token.contains('@')) continue;
    // "User <a@example.jp> unknown" is of an unknown user.
    if (!words.empty()) words += ' ';
    words += token;
  }
  return words;
}

std::string without_names(std::string_view words) {
  std::string out;
  while (!words.empty()) {
    const std::size_t space = std::min(words.find(' '), words.size());
    const std::string_view token = words.substr(0, space);
    // What stood beside a name stays apart.
    out += is_name(token) ? "." : token;
    out += ' ';
    words.remove_prefix(std::min(space + 1, words.size()));
  }
  return out;
}

bool has_phrase(std::string_view words, std::string_view phrases) {
  while (!phrases.empty()) {
    const std::size_t bar = std::min(phrases.find('|'), phrases.size());
    if (has(words, phrases.substr(0, bar))) return true;
    phrases.remove_prefix(std::min(bar + 1, phrases.size()));
  }
  return false;
}

std::optional<EnhancedStatus> enhanced_of(std::string_view text) {
  if (auto status = parse_enhanced_status(text)) return status;
  text = text.substr(0, kOctetsRead);
  // "(#5.1.1)" and, of Cisco's gateways, "#5.1.0 Address rejected."
  const std::size_t mark = text.starts_with('#') ? 0 : text.find("(#");
  if (mark == std::string_view::npos) return std::nullopt;
  text.remove_prefix(mark + (text[mark] == '#' ? 1 : 2));
  const std::size_t end = text.find_first_not_of("0123456789.");
  return parse_enhanced_status(text.substr(0, end));
}

}  // namespace todoku::feedback::classify
