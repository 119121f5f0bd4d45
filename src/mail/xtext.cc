// SPDX-License-Identifier: Apache-2.0
#include "mail/xtext.h"

#include <algorithm>

#include "base/bytes.h"

namespace todoku {
namespace {

// RFC 3461 section 4: xchar.
bool is_xchar(char c) {
  return c >= '!' && c <= '~' && c != '+' && c != '=';
}

}  // namespace

std::string to_xtext(std::string_view octets) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(octets.size());
  for (const char c : octets) {
    if (is_xchar(c)) {
      out += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out += '+';
    out += kDigits[octet >> 4U];
    out += kDigits[octet & 0xFU];
  }
  return out;
}

std::optional<std::string> from_xtext(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (text.front() == '+') {
      const auto octet = from_hex(text.substr(1, 2));
      if (!octet || octet->size() != 1) return std::nullopt;
      out += *octet;
      text.remove_prefix(3);
      continue;
    }
    if (!is_xchar(text.front())) return std::nullopt;
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

}  // namespace todoku
