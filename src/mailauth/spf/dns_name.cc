// SPDX-License-Identifier: Apache-2.0
#include "mailauth/spf/dns_name.h"

#include <cstddef>
#include <iterator>

#include <fmt/format.h>

#include "base/bytes.h"
#include "mailauth/spf/macro.h"

namespace todoku::mailauth::spf {

bool is_dns_name(std::string_view name) {
  constexpr std::size_t kLabelOctetsMax = 63;
  if (name.size() > kNameOctetsMax) return false;
  while (true) {
    const std::size_t dot = name.find('.');
    const std::size_t label = name.substr(0, dot).size();
    if (label == 0 || label > kLabelOctetsMax) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

std::string dns_name(std::string_view name) {
  std::string out;
  out.reserve(name.size());
  for (const char c : name) {
    if (c > ' ' && c <= '~' && c != '\\') {
      out += ascii_lower(c);
    } else {
      fmt::format_to(std::back_inserter(out), "\\{:03}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

bool is_at_or_below(std::string_view name, std::string_view domain) {
  if (!name.ends_with(domain)) return false;
  name.remove_suffix(domain.size());
  return name.empty() || name.ends_with('.');
}

}  // namespace todoku::mailauth::spf
