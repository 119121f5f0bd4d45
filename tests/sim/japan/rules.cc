// SPDX-License-Identifier: Apache-2.0
#include "sim/japan/rules.h"

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/check.h"

namespace todoku::sim::japan {
namespace {

using delivery::policy::SiteRules;

// What an operator writes who leaves it to the engine to find out how much a receiver takes.
constexpr std::string_view kWide = R"(
[defaults]
connections_max = 20
[docomo]
connections_max = 20
messages_per_second = 0
[au]
connections_max = 20
messages_per_second = 0
[softbank]
connections_max = 20
messages_per_second = 0
[google]
connections_max = 20
[yahoo_japan]
connections_max = 20
messages_per_second = 0
[outlook]
connections_max = 20
[apple]
connections_max = 20
)";

SiteRules parsed(const std::vector<SiteRules::Layer>& layers) {
  auto rules = SiteRules::parse(layers);
  check(rules.has_value(), "rules/sites.toml is valid");
  return *std::move(rules);
}

SiteRules::Layer shipped(std::string_view path) {
  std::ifstream file{std::string(path)};
  check(file.is_open(), "rules/sites.toml is there");
  return {"rules/sites.toml", {std::istreambuf_iterator<char>(file), {}}, ""};
}

}  // namespace

SiteRules shipped_rules(std::string_view path) {
  return parsed({shipped(path)});
}

SiteRules wide_rules(std::string_view path) {
  return parsed({shipped(path), {"wide", std::string(kWide), ""}});
}

}  // namespace todoku::sim::japan
