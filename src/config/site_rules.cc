// SPDX-License-Identifier: Apache-2.0
#include "config/site_rules.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "config/files.h"
#include "config/table.h"
#include "delivery/policy/site_mistakes.h"

namespace todoku::config {
namespace {

delivery::policy::SiteRules::Layer own_layer(const LoadedConfig& loaded) {
  return {loaded.file, loaded.text, std::string(kSitesTable)};
}

}  // namespace

Result<delivery::policy::SiteRules> load_site_rules(const LoadedConfig& loaded) {
  std::vector<delivery::policy::SiteRules::Layer> layers;
  layers.push_back({"rules/sites.toml", std::string(shipped_site_rules()), ""});
  if (const std::string& file = loaded.config.rules.file; !file.empty()) {
    auto text = read_file(file);
    if (!text) return fail("rules.file", std::move(text.error()));
    layers.push_back({file, std::move(*text), ""});
  }
  layers.push_back(own_layer(loaded));
  return delivery::policy::SiteRules::parse(layers);
}

Result<feedback::classify::ReplyRules> load_reply_rules(const LoadedConfig& loaded,
                                                        const delivery::policy::SiteRules& sites) {
  using feedback::classify::ReplyRules;
  std::vector<ReplyRules::Layer> layers;
  layers.push_back(ReplyRules::shipped_layer());
  if (const std::string& file = loaded.config.rules.replies_file; !file.empty()) {
    auto text = read_file(file);
    if (!text) return fail("rules.replies_file", std::move(text.error()));
    layers.push_back({file, std::move(*text)});
  }
  auto rules = ReplyRules::parse(layers);
  if (!rules) return rules;
  for (const auto& rule : rules->rules()) {
    if (rule.site.empty() || rule.site.contains('.') || sites.sites().contains(rule.site)) continue;
    return fail(ErrorKind::invalid_input,
                fmt::format("{}: reply.site is \"{}\", which no rule of sites is called",
                            rule.place, rule.site));
  }
  return rules;
}

Result<delivery::policy::Automations> load_automations(const LoadedConfig& loaded,
                                                       const delivery::policy::SiteRules& sites) {
  using delivery::policy::Automations;
  std::vector<Automations::Layer> layers;
  layers.push_back(Automations::shipped_layer());
  if (const std::string& file = loaded.config.rules.automations_file; !file.empty()) {
    auto text = read_file(file);
    if (!text) return fail("rules.automations_file", std::move(text.error()));
    layers.push_back({file, std::move(*text)});
  }
  auto automations = Automations::parse(layers);
  if (!automations) return automations;
  for (const auto& automation : automations->all()) {
    for (const std::string& site : automation.sites) {
      if (site.contains('.') || sites.sites().contains(site)) continue;
      return fail(ErrorKind::invalid_input,
                  fmt::format("{}: automation.sites has \"{}\", which no rule of sites is called",
                              automation.place, site));
    }
  }
  return automations;
}

Result<explain::AdviceBook> load_advice(const LoadedConfig& loaded,
                                        const delivery::policy::SiteRules& sites) {
  std::vector<explain::AdviceBook::Layer> layers;
  layers.push_back(explain::AdviceBook::shipped_layer());
  if (const std::string& file = loaded.config.rules.advice_file; !file.empty()) {
    auto text = read_file(file);
    if (!text) return fail("rules.advice_file", std::move(text.error()));
    layers.push_back({file, std::move(*text)});
  }
  return explain::AdviceBook::parse(layers, sites);
}

std::vector<std::string> mistakes_of_sites(const LoadedConfig& loaded, bool file_known) {
  if (!file_known) return delivery::policy::mistakes_of_layer(own_layer(loaded));
  std::vector<std::string> mistakes;
  const auto rules = load_site_rules(loaded);
  if (rules) return mistakes;
  for (std::string_view rest = rules.error().detail; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    mistakes.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return mistakes;
}

}  // namespace todoku::config
