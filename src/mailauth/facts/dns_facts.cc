// SPDX-License-Identifier: Apache-2.0
#include "mailauth/facts/dns_facts.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::mailauth {

std::string_view to_string(FactType type) {
  switch (type) {
    case FactType::a:
      return "A";
    case FactType::aaaa:
      return "AAAA";
    case FactType::mx:
      return "MX";
    case FactType::txt:
      return "TXT";
    case FactType::ptr:
      return "PTR";
  }
  return "";
}

const DnsFact& DnsFacts::ask(FactType type, std::string_view name) {
  static const DnsFact unknown;
  if (name.ends_with('.')) name.remove_suffix(1);
  DnsQuestion question{.type = type, .name = to_ascii_lower(name)};
  const auto known = facts_.find(question);
  if (known != facts_.end()) return known->second;
  if (std::ranges::find(wanted_, question) == wanted_.end()) wanted_.push_back(std::move(question));
  return unknown;
}

std::vector<DnsQuestion> DnsFacts::take_wanted() {
  return std::exchange(wanted_, {});
}

void DnsFacts::learn(const DnsQuestion& question, DnsFact fact) {
  facts_.insert_or_assign(question, std::move(fact));
}

std::string reverse_name(std::string_view address) {
  std::string name;
  const bool is_v4 = address.size() == 4;
  for (auto octet = address.rbegin(); octet != address.rend(); ++octet) {
    const auto value = static_cast<unsigned char>(*octet);
    name += is_v4 ? fmt::format("{}.", value) : fmt::format("{:x}.{:x}.", value & 15U, value >> 4U);
  }
  return name + (is_v4 ? "in-addr.arpa" : "ip6.arpa");
}

}  // namespace todoku::mailauth
