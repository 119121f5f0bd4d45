// SPDX-License-Identifier: Apache-2.0
// Scenarios written by hand, for questions that chance asks too rarely.
#pragma once

#include <cstddef>
#include <string>

#include "sim/scenario.h"

namespace todoku::sim {

// A site that takes everything, with one domain: "<name>.example".
[[nodiscard]] inline SiteScript good_site(const std::string& name) {
  SiteScript site;
  site.name = name;
  site.domains = {name + ".example"};
  return site;
}

// A world without trouble: one account, no mail yet.
[[nodiscard]] inline Scenario quiet_world() {
  Scenario scenario;
  scenario.seed = 1;
  scenario.options = quick_options();
  scenario.accounts = {{"account0"}};
  return scenario;
}

[[nodiscard]] inline Mailing bulk_to(const std::string& domain, std::size_t recipients,
                                     Microseconds at = {}, std::size_t account = 0) {
  Mailing mailing{.at = at, .account = account, .traffic = TrafficClass::bulk};
  mailing.domains.assign(recipients, domain);
  return mailing;
}

[[nodiscard]] inline Mailing transaction_to(const std::string& domain, Microseconds at,
                                            std::size_t account = 0) {
  return {.at = at, .account = account, .domains = {domain}};
}

}  // namespace todoku::sim
