// SPDX-License-Identifier: Apache-2.0
// What the keys about mail that comes back say together.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "config/config.h"
#include "config/table.h"
#include "mail/address.h"
#include "net/endpoint.h"

namespace todoku::config {
namespace {

constexpr std::size_t kMiltersMax = 8;

bool is_at_home(const Config& config, const Address& address) {
  return std::ranges::any_of(inbound_domains(config), [&](const std::string& domain) {
    const auto ascii = to_ascii_domain(domain);
    return ascii && *ascii == address.domain;
  });
}

// What comes in goes to a filter in clear text.
bool is_near(std::string_view filter) {
  if (filter.starts_with('/')) return true;
  const auto at = net::Endpoint::parse(filter);
  if (!at || at->port == 0) return false;
  const net::AddressScope scope = at->address.scope();
  return scope == net::AddressScope::loopback || scope == net::AddressScope::private_use;
}

void check_milters(const Config::Inbound& given, std::vector<ConfigProblem>& problems) {
  if (given.milters.size() > kMiltersMax) {
    problems.push_back({"", fmt::format("inbound.milters: {} filters; there may be {}",
                                        given.milters.size(), kMiltersMax)});
  }
  for (const std::string& each : given.milters) {
    if (is_near(each)) continue;
    problems.push_back({"", fmt::format("inbound.milters: {} is neither the path of a Unix socket, "
                                        "which begins with /, nor an address of this machine or of "
                                        "a private network with its port, such as 127.0.0.1:8891",
                                        to_toml(each))});
  }
}

}  // namespace

bool inbound_listens(const Config& config) {
  return config.inbound.enabled;
}

std::vector<std::string> inbound_domains(const Config& config) {
  if (!config.inbound.domains.empty()) return config.inbound.domains;
  if (config.smtp_out.return_path_domain.empty()) return {};
  return {config.smtp_out.return_path_domain};
}

void check_inbound(const Config& config, std::vector<ConfigProblem>& problems) {
  const Config::Inbound& given = config.inbound;
  check_milters(given, problems);
  for (const std::string& each : given.report_addresses) {
    const auto address = parse_address(each);
    if (address) continue;
    problems.push_back({"", fmt::format("inbound.report_addresses: {} {}", to_toml(each),
                                        address.error().detail)});
  }
  if (given.enabled && inbound_domains(config).empty()) {
    problems.push_back({"",
                        "inbound.enabled is true, but there is no domain: set "
                        "smtp_out.return_path_domain or inbound.domains"});
  }
  if (given.forward_to.empty() != given.forward_account.empty()) {
    problems.push_back({"", "inbound.forward_to and inbound.forward_account need one another"});
  }
  if (given.forward_to.empty()) return;
  const auto address = parse_address(given.forward_to);
  if (!address) {
    problems.push_back({"", fmt::format("inbound.forward_to: {} {}", to_toml(given.forward_to),
                                        address.error().detail)});
  } else if (is_at_home(config, *address)) {
    problems.push_back({"", fmt::format("inbound.forward_to: {} is at a domain of inbound itself: "
                                        "its mail would come here again",
                                        to_toml(given.forward_to))});
  }
}

void warn_of_inbound(const Config& config, std::vector<ConfigProblem>& warnings) {
  if (!config.inbound.enabled || !config.inbound.forward_to.empty()) return;
  warnings.push_back({"",
                      "inbound.forward_to is empty: mail to postmaster@ and abuse@ is refused, and "
                      "some receivers block whoever nobody can write to"});
}

}  // namespace todoku::config
