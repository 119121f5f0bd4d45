// SPDX-License-Identifier: Apache-2.0
// The name of a receiving system that no rule names.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/digest.h"
#include "dns/mail_route.h"

namespace todoku::dns {
namespace {

constexpr std::size_t kReadable = 80;  // octets; longer names are told by a hash
constexpr std::size_t kNameMax = 253;

// The longest run of whole labels with its dot (".example.jp") that all hosts end in, leaving each
// at least one label; empty if there is none. `hosts` is sorted and has at least two.
std::string_view common_suffix(const std::vector<std::string>& hosts) {
  const std::string_view first = hosts.front();
  for (std::size_t dot = first.find('.'); dot != std::string_view::npos;
       dot = first.find('.', dot + 1)) {
    const std::string_view suffix = first.substr(dot);
    const bool common =
        std::ranges::all_of(hosts, [&](std::string_view host) { return host.ends_with(suffix); });
    if (common) return suffix;
  }
  return {};
}

}  // namespace

std::string site_of_hosts(std::vector<std::string> hosts) {
  std::ranges::sort(hosts);
  hosts.erase(std::ranges::unique(hosts).begin(), hosts.end());
  if (hosts.empty()) return {};
  if (hosts.size() == 1) return hosts.front().substr(0, kNameMax);
  const std::string_view suffix = common_suffix(hosts);
  std::string name = "(";
  for (const std::string_view host : hosts) {
    if (name.size() > 1) name += '|';
    name += host.substr(0, host.size() - suffix.size());
  }
  name.append(")").append(suffix);
  if (name.size() <= kReadable) return name;
  const std::string hash = sha256_hex(name).substr(0, 8);
  return fmt::format("{}+{}~{}", hosts.front().substr(0, kNameMax - 20), hosts.size() - 1, hash);
}

bool names_host(std::string_view site, std::string_view host) {
  if (host.empty()) return false;
  if (site.starts_with(host)) {
    const std::string_view rest = site.substr(host.size());
    return rest.empty() || (rest.starts_with('+') && rest.contains('~'));
  }
  const std::size_t end = site.find(')');
  if (!site.starts_with('(') || end == std::string_view::npos) return false;
  if (!host.ends_with(site.substr(end + 1))) return false;
  host.remove_suffix(site.size() - end - 1);
  std::string_view names = site.substr(1, end - 1);
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find('|'));
    if (name == host) return true;
    names.remove_prefix(std::min(name.size() + 1, names.size()));
  }
  return false;
}

}  // namespace todoku::dns
