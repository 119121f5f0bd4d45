// SPDX-License-Identifier: Apache-2.0
// What is wrong with one layer of site rules, whatever the others say.
#pragma once

#include <string>
#include <vector>

#include "delivery/policy/site_rules.h"

namespace todoku::delivery::policy {

// One line for each mistake, as SiteRules::parse() has them, without those that only all layers
// together show: a site that no layer gives a pattern. For who does not know the other layers.
[[nodiscard]] std::vector<std::string> mistakes_of_layer(const SiteRules::Layer& layer);

}  // namespace todoku::delivery::policy
