// SPDX-License-Identifier: Apache-2.0
#include "config/site_rules.h"

#include <vector>

#include "config/files.h"
#include "config/table.h"

namespace todoku::config {
Result<delivery::policy::SiteRules> load_site_rules(const LoadedConfig& loaded) {
  std::vector<delivery::policy::SiteRules::Layer> layers;
  layers.push_back({"rules/sites.toml", std::string(shipped_site_rules()), ""});
  if (const std::string& file = loaded.config.rules.file; !file.empty()) {
    auto text = read_file(file);
    if (!text) return fail("rules.file", std::move(text.error()));
    layers.push_back({file, std::move(*text), ""});
  }
  layers.push_back({loaded.file, loaded.text, std::string(kSitesTable)});
  return delivery::policy::SiteRules::parse(layers);
}

}  // namespace todoku::config
