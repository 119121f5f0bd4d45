// SPDX-License-Identifier: Apache-2.0
#include "mail/allow_list.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "mail/address.h"

namespace todoku {
namespace {

constexpr std::string_view kBetween = " \t\r\n,";
constexpr std::string_view kBelow = "*.";
constexpr std::size_t kShownMax = 60;

std::unexpected<Error> no_entry(std::string_view entry, std::string_view why) {
  return fail(ErrorKind::invalid_input,
              fmt::format("{} is neither an address, a domain nor \"*.\" before a domain: it {}",
                          printable(utf8_prefix(entry, kShownMax)), why));
}

Result<std::string> read_entry(std::string_view entry) {
  if (entry.contains('@')) {
    const auto address = parse_address(entry);
    if (!address) return no_entry(entry, address.error().detail);
    return to_ascii_lower(address->to_string());
  }
  const bool below = entry.starts_with(kBelow);
  auto domain = to_ascii_domain(below ? entry.substr(kBelow.size()) : entry);
  if (!domain) return no_entry(entry, domain.error().detail);
  return below ? std::string(kBelow) + *domain : std::move(*domain);
}

bool covers(std::string_view entry, std::string_view address, std::string_view domain) {
  if (entry.contains('@')) return equals_ignoring_case(entry, address);
  if (!entry.starts_with(kBelow)) return equals_ignoring_case(entry, domain);
  const std::string_view tail = entry.substr(1);  // with its dot
  return domain.size() > tail.size() &&
         equals_ignoring_case(domain.substr(domain.size() - tail.size()), tail);
}

}  // namespace

Result<std::string> read_allow_list(std::string_view text) {
  std::set<std::string> seen;
  std::string list;
  while (true) {
    const std::size_t begin = text.find_first_not_of(kBetween);
    if (begin == std::string_view::npos) return list;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(kBetween), text.size());
    auto entry = read_entry(text.substr(0, end));
    if (!entry) return entry;
    text.remove_prefix(end);
    if (!seen.insert(*entry).second) continue;
    if (seen.size() > kAllowListEntriesMax) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("there are more than {} entries", kAllowListEntriesMax));
    }
    if (!list.empty()) list += '\n';
    list += *entry;
  }
}

bool allows(std::string_view list, std::string_view address) {
  if (list.empty()) return true;
  const std::string_view domain = address.substr(address.rfind('@') + 1);
  while (!list.empty()) {
    const std::size_t end = std::min(list.find('\n'), list.size());
    if (covers(list.substr(0, end), address, domain)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

}  // namespace todoku
