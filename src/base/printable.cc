// SPDX-License-Identifier: Apache-2.0
#include "base/printable.h"

#include <algorithm>

#include "base/utf8.h"

namespace todoku {

void append_printable(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto end = std::ranges::find_if_not(text, [](char c) { return c >= ' ' && c <= '~'; });
    const auto plain = static_cast<std::size_t>(end - text.begin());
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    const CodePoint point = decode_utf8(text);
    const std::size_t octets = std::max<std::size_t>(point.octets, 1);
    if (point.octets == 0 || is_misleading(point.value)) {
      out += point.value == '\t' ? ' ' : '?';
    } else {
      out.append(text.substr(0, octets));
    }
    text.remove_prefix(octets);
  }
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_printable(out, text);
  return out;
}

std::string printable_briefly(std::string_view text) {
  constexpr std::size_t kOctets = 100;
  const std::string_view begun = utf8_prefix(text, kOctets);
  std::string out = printable(begun);
  if (begun.size() < text.size()) out += "…";
  return out;
}

}  // namespace todoku
