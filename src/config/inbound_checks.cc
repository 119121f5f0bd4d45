// SPDX-License-Identifier: Apache-2.0
// What the keys about mail that comes back say together.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "config/config.h"
#include "config/table.h"
#include "mail/address.h"

namespace todoku::config {
namespace {

bool is_at_home(const Config& config, const Address& address) {
  return std::ranges::any_of(inbound_domains(config), [&](const std::string& domain) {
    const auto ascii = to_ascii_domain(domain);
    return ascii && *ascii == address.domain;
  });
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
