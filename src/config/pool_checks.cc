// SPDX-License-Identifier: Apache-2.0
// What the keys of pools and sources say together.
#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "config/config.h"
#include "config/table.h"
#include "mail/address.h"

namespace todoku::config {
namespace {

bool fits_everything(const Config::PoolRule& rule) {
  return rule.account.empty() && rule.traffic == "any" && rule.purpose == "any" &&
         rule.from_domain.empty();
}

std::string wrong_with_pool(const Config& config, const Config::Pool& pool) {
  if (pool.sources.empty()) return "has no source";
  std::set<std::string_view> seen;
  for (const std::string& source : pool.sources) {
    if (std::ranges::find(config.egress, source, &Config::Egress::name) == config.egress.end()) {
      return fmt::format("there is no egress {}", to_toml(source));
    }
    if (!seen.insert(source).second) return fmt::format("names {} twice", to_toml(source));
  }
  return {};
}

std::string wrong_with_rule(const Config& config, const Config::PoolRule& rule) {
  if (std::ranges::find(config.pools, rule.pool, &Config::Pool::name) == config.pools.end()) {
    return fmt::format("there is no pool {}", to_toml(rule.pool));
  }
  const std::string_view domain =
      std::string_view(rule.from_domain).substr(rule.from_domain.starts_with("*.") ? 2 : 0);
  if (!rule.from_domain.empty() && !to_ascii_domain(domain)) {
    return fmt::format("from_domain is {}, but must be a domain, or *. and a domain",
                       to_toml(rule.from_domain));
  }
  return {};
}

}  // namespace

void check_pools(const Config& config, std::vector<ConfigProblem>& problems) {
  std::set<std::string_view> names;
  std::set<std::string_view> pooled;
  for (const Config::Pool& pool : config.pools) {
    const auto report = [&](std::string_view message) {
      problems.push_back({"", fmt::format("pool {}: {}", to_toml(pool.name), message)});
    };
    if (!names.insert(pool.name).second) report("the name is used twice");
    const std::string wrong = wrong_with_pool(config, pool);
    if (!wrong.empty()) report(wrong);
    pooled.insert(pool.sources.begin(), pool.sources.end());
    const bool is_chosen = std::ranges::any_of(
        config.pool_rules, [&](const Config::PoolRule& rule) { return rule.pool == pool.name; });
    if (!is_chosen) report("no pool_rule chooses it");
  }
  bool everything_fits = false;
  for (std::size_t i = 0; i < config.pool_rules.size(); ++i) {
    const Config::PoolRule& rule = config.pool_rules[i];
    const auto report = [&](std::string_view message) {
      problems.push_back({"", fmt::format("pool_rule {}: {}", i + 1, message)});
    };
    const std::string wrong = wrong_with_rule(config, rule);
    if (!wrong.empty()) report(wrong);
    if (everything_fits) report("a rule before it fits everything: it is never asked");
    everything_fits = everything_fits || fits_everything(rule);
  }
  if (config.pools.empty() || everything_fits) return;
  const bool is_any_left = std::ranges::any_of(
      config.egress, [&](const Config::Egress& source) { return !pooled.contains(source.name); });
  if (is_any_left) return;
  problems.push_back({"",
                      "every egress is in a pool, so mail that no pool_rule fits has no source: "
                      "end with a pool_rule that has no conditions, or keep an egress in no pool"});
}

}  // namespace todoku::config
