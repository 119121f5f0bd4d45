// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <algorithm>
#include <array>

#include "base/base64_avx2.h"
#include "base/base64_lines.h"
#include "base/utf8.h"

namespace todoku {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNoDigit = 0xFF;

constexpr std::array<std::uint8_t, 256> reverse_table(std::string_view alphabet) {
  std::array<std::uint8_t, 256> table{};
  table.fill(kNoDigit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}

// Two characters for each 12-bit value: halves the work of the inner loop.
constexpr std::array<char, 8192> pair_table(std::string_view alphabet) {
  std::array<char, 8192> table{};
  for (std::size_t value = 0; value < 4096; ++value) {
    table[2 * value] = alphabet[value >> 6U];
    table[2 * value + 1] = alphabet[value & 63U];
  }
  return table;
}

constexpr auto kBase64Pairs = pair_table(kBase64);
constexpr auto kBase64UrlPairs = pair_table(kBase64Url);

// Writes the encoding of `octets` to `out` and returns the end; pads if `pad`.
char* encode(std::string_view octets, char* out, const std::array<char, 8192>& pairs, bool pad) {
  const auto* in = reinterpret_cast<const std::uint8_t*>(octets.data());
  std::size_t left = octets.size();
  const auto put_pair = [&](std::uint32_t value) {
    *out++ = pairs[2 * value];
    *out++ = pairs[2 * value + 1];
  };
  for (; left >= 3; left -= 3, in += 3) {
    const std::uint32_t word = (std::uint32_t{in[0]} << 16U) | (std::uint32_t{in[1]} << 8U) | in[2];
    put_pair(word >> 12U);
    put_pair(word & 0xFFFU);
  }
  if (left == 1) {
    put_pair(std::uint32_t{in[0]} << 4U);
    if (pad) *out++ = '=', *out++ = '=';
  } else if (left == 2) {
    const std::uint32_t word = (std::uint32_t{in[0]} << 16U) | (std::uint32_t{in[1]} << 8U);
    put_pair(word >> 12U);
    *out++ = pairs[2 * (word & 0xFFFU)];
    if (pad) *out++ = '=';
  }
  return out;
}

std::string encode_to_string(std::string_view octets, const std::array<char, 8192>& pairs,
                             bool pad) {
  std::string out((octets.size() + 2) / 3 * 4, '\0');
  char* end = encode(octets, out.data(), pairs, pad);
  out.resize(static_cast<std::size_t>(end - out.data()));
  return out;
}

// Fours of digits from the start of `text`, as long as nothing stands between them; how many octets
// of it these were.
std::size_t decode_fours(std::string_view text, const std::array<std::uint8_t, 256>& table,
                         std::string& out) {
  const auto digit = [&](std::size_t at) -> std::uint32_t {
    return table[static_cast<std::uint8_t>(text[at])];
  };
  std::size_t at = 0;
  for (; at + 4 <= text.size(); at += 4) {
    const std::uint32_t a = digit(at);
    const std::uint32_t b = digit(at + 1);
    const std::uint32_t c = digit(at + 2);
    const std::uint32_t d = digit(at + 3);
    if ((a | b | c | d) >= 64) break;
    const std::uint32_t word = a << 18U | b << 12U | c << 6U | d;
    const std::array<char, 3> octets = {static_cast<char>(word >> 16U),
                                        static_cast<char>(word >> 8U), static_cast<char>(word)};
    out.append(octets.data(), octets.size());
  }
  return at;
}

std::optional<std::string> decode(std::string_view text, const std::array<std::uint8_t, 256>& table,
                                  bool padded) {
  std::string out;
  out.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t word = 0;
  unsigned digits = 0;
  unsigned pads = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (digits == 0 && pads == 0) at += decode_fours(text.substr(at), table, out);
    if (at == text.size()) break;
    const char c = text[at];
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    if (c == '=' && padded) {
      ++pads;
      continue;
    }
    const std::uint8_t digit = table[static_cast<std::uint8_t>(c)];
    if (digit == kNoDigit || pads > 0) return std::nullopt;
    word = (word << 6U) | digit;
    if (++digits == 4) {
      out += static_cast<char>(word >> 16U);
      out += static_cast<char>(word >> 8U);
      out += static_cast<char>(word);
      digits = 0;
      word = 0;
    }
  }
  if (digits == 1 || (padded && digits > 0 && digits + pads != 4)) return std::nullopt;
  if (padded && digits == 0 && pads > 0) return std::nullopt;
  if (digits == 2) out += static_cast<char>(word >> 4U);
  if (digits == 3) {
    out += static_cast<char>(word >> 10U);
    out += static_cast<char>(word >> 2U);
  }
  return out;
}

constexpr auto kBase64Reverse = reverse_table(kBase64);
constexpr auto kBase64UrlReverse = reverse_table(kBase64Url);

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = ascii_lower(c);
  if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
  return -1;
}

}  // namespace

std::string to_hex(std::string_view octets) {
  std::string out;
  out.reserve(octets.size() * 2);
  for (const char c : octets) {
    const auto octet = static_cast<std::uint8_t>(c);
    out += kHexDigits[octet >> 4U];
    out += kHexDigits[octet & 15U];
  }
  return out;
}

void write_hex(std::uint64_t value, std::span<char, 16> out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (char& c : out) {
    c = kHex[value >> 60U];
    value <<= 4U;
  }
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::string to_base64(std::string_view octets) {
  return encode_to_string(octets, kBase64Pairs, true);
}

void append_base64(std::string& out, std::string_view octets) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + (octets.size() + 2) / 3 * 4, [&](char* data, std::size_t) {
    char* end = encode(octets, data + before, kBase64Pairs, true);
    return static_cast<std::size_t>(end - data);
  });
}

void append_base64_lines(std::string& out, std::string_view octets) {
  const std::size_t before = out.size();
  const std::size_t after = before + base64_lines_size(octets.size());
  out.resize_and_overwrite(after, [&](char* data, std::size_t) {
    char* at = data + before;
    const std::size_t whole_lines = encode_base64_lines_avx2(octets, at);
    at += whole_lines * kBase64LineCharacters;
    octets.remove_prefix(whole_lines * kBase64LineOctets);
    while (!octets.empty()) {
      const std::string_view line = octets.substr(0, kBase64LineOctets);
      at = encode(line, at, kBase64Pairs, true);
      *at++ = '\r';
      *at++ = '\n';
      octets.remove_prefix(line.size());
    }
    return static_cast<std::size_t>(at - data);
  });
}

std::optional<std::string> from_base64(std::string_view text) {
  return decode(text, kBase64Reverse, true);
}

std::string to_base64url(std::string_view octets) {
  return encode_to_string(octets, kBase64UrlPairs, false);
}

std::optional<std::string> from_base64url(std::string_view text) {
  return decode(text, kBase64UrlReverse, false);
}

std::string to_ascii_lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), ascii_lower);
  return out;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    text.remove_prefix(printable_octets(text));
    text.remove_prefix(wide_octets(text));
    if (text.empty()) return true;
    const CodePoint point = decode_utf8(text);
    if (point.octets == 0) return false;
    text.remove_prefix(point.octets);
  }
  return true;
}

bool is_ascii(std::string_view text) {
  // No way out in the middle: so the compiler takes many octets at a time.
  std::uint8_t seen = 0;
  for (const char c : text) seen |= static_cast<std::uint8_t>(c);
  return seen < 0x80;
}

std::size_t utf8_length(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<std::uint8_t>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace todoku
