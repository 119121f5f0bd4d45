// SPDX-License-Identifier: Apache-2.0
// Looking a site up in the rules. Reading the rules is in site_rules_toml.cc.
#include "delivery/policy/site_rules.h"

namespace todoku::delivery::policy {
namespace {

// The name without its first label; empty after the last.
std::string_view parent(std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

}  // namespace

void SiteRules::build_index() {
  by_suffix_.clear();
  by_domain_.clear();
  for (const auto& [name, site] : sites_) {
    for (const std::string& suffix : site.mx_suffixes) by_suffix_.emplace(suffix, name);
    for (const std::string& domain : site.domains) by_domain_.emplace(domain, name);
  }
}

const std::string* SiteRules::site_of_host(std::string_view host) const {
  for (std::string_view suffix = host; !suffix.empty(); suffix = parent(suffix)) {
    if (const auto found = by_suffix_.find(suffix); found != by_suffix_.end()) {
      return &found->second;
    }
  }
  return nullptr;
}

const std::string* SiteRules::site_of_domain(std::string_view domain) const {
  if (const auto found = by_domain_.find(domain); found != by_domain_.end()) return &found->second;
  std::string wildcard;
  for (std::string_view above = parent(domain); !above.empty(); above = parent(above)) {
    wildcard.assign("*.").append(above);
    if (const auto found = by_domain_.find(wildcard); found != by_domain_.end()) {
      return &found->second;
    }
  }
  return nullptr;
}

const Site* SiteRules::find(std::string_view domain,
                            std::span<const std::string_view> mx_hosts) const {
  const std::string* name = site_of_domain(domain);
  if (name == nullptr) {
    for (const std::string_view host : mx_hosts) {
      const std::string* of_host = site_of_host(host);
      // A domain that spreads its mail over two providers belongs to neither.
      if (of_host == nullptr || (name != nullptr && *name != *of_host)) return nullptr;
      name = of_host;
    }
  }
  if (name == nullptr) return nullptr;
  const auto site = sites_.find(*name);
  return site == sites_.end() ? nullptr : &site->second;
}

const SiteLimits& SiteRules::limits(std::string_view site) const {
  const auto found = sites_.find(site);
  return found == sites_.end() ? defaults_ : found->second.limits;
}

}  // namespace todoku::delivery::policy
