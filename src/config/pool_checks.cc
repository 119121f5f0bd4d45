// SPDX-License-Identifier: Apache-2.0
// What the keys of pools and sources say together.
#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

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

constexpr std::array<std::string_view, 2> kTraffic = {"transactional", "bulk"};
constexpr std::array<std::string_view, 3> kPurposes = {"advertisement", "notice", "transactional"};

bool fits_class(const Config::PoolRule& rule, std::string_view traffic, std::string_view purpose) {
  return (rule.traffic == "any" || rule.traffic == traffic) &&
         (rule.purpose == "any" || rule.purpose == purpose);
}

// As delivery/policy/pools.h compares them; "*." stays in front.
std::string folded_domain(std::string_view domain) {
  const bool below = domain.starts_with("*.");
  const auto ascii = to_ascii_domain(domain.substr(below ? 2 : 0));
  return (below ? "*." : "") + (ascii ? *ascii : std::string(domain));
}

// Whether every mail from `narrow` is from `wide` as well.
bool has_all_domains(const Config::PoolRule& wide, const Config::PoolRule& narrow) {
  if (wide.from_domain.empty()) return true;
  if (narrow.from_domain.empty()) return false;
  const std::string outer = folded_domain(wide.from_domain);
  const std::string inner = folded_domain(narrow.from_domain);
  if (outer == inner) return true;
  if (!outer.starts_with("*.")) return false;
  // "*.x" has "a.x" and "*.a.x", and not "x".
  return inner.ends_with(std::string_view(outer).substr(1));
}

// The first of the rules before that takes all of this class that the rule fits; none: it is asked
// for it.
std::optional<std::size_t> taken_before(const std::vector<Config::PoolRule>& rules, std::size_t at,
                                        std::string_view traffic, std::string_view purpose) {
  const Config::PoolRule& rule = rules[at];
  for (std::size_t i = 0; i < at; ++i) {
    const Config::PoolRule& before = rules[i];
    if (!before.account.empty() && before.account != rule.account) continue;
    if (fits_class(before, traffic, purpose) && has_all_domains(before, rule)) return i;
  }
  return std::nullopt;
}

// The rules that leave it nothing to be asked for, from 1; empty: it is asked.
std::set<std::size_t> who_shadows(const std::vector<Config::PoolRule>& rules, std::size_t at) {
  std::set<std::size_t> shadows;
  for (const std::string_view traffic : kTraffic) {
    for (const std::string_view purpose : kPurposes) {
      if (!fits_class(rules[at], traffic, purpose)) continue;
      const auto taker = taken_before(rules, at, traffic, purpose);
      if (!taker) return {};
      shadows.insert(*taker + 1);
    }
  }
  return shadows;
}

}  // namespace

void warn_of_pools(const Config& config, std::vector<ConfigProblem>& warnings) {
  const std::vector<Config::PoolRule>& rules = config.pool_rules;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const std::set<std::size_t> shadows = who_shadows(rules, i);
    if (shadows.empty()) continue;
    warnings.push_back(
        {"", fmt::format("pool_rule {}: pool_rule {} before it fit{} all of its mail: it is never "
                         "asked",
                         i + 1, fmt::join(shadows, " and "), shadows.size() == 1 ? "s" : "")});
  }
}

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
