// SPDX-License-Identifier: Apache-2.0
// Which rules of receiving sites are in force: the shipped ones, the operator's file over them, and
// the tables [sites.*] of the configuration over both. Likewise those of their answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "delivery/policy/automations.h"
#include "delivery/policy/site_rules.h"
#include "explain/advice_book.h"
#include "feedback/classify/reply_rules.h"

namespace todoku::config {

// rules/sites.toml as it was when the engine was built.
[[nodiscard]] std::string_view shipped_site_rules();

// Errors: invalid_input with a line for each mistake; not_found, io for the operator's file.
[[nodiscard]] Result<delivery::policy::SiteRules> load_site_rules(const LoadedConfig& loaded);

// What receivers' answers mean: the shipped rules with those of rules.replies_file before them.
// Errors: as above; a rule for a site that is none is a mistake, too.
[[nodiscard]] Result<feedback::classify::ReplyRules> load_reply_rules(
    const LoadedConfig& loaded, const delivery::policy::SiteRules& sites);

// What is done by itself when they come: the shipped automations with those of
// rules.automations_file over them. Errors: as above.
[[nodiscard]] Result<delivery::policy::Automations> load_automations(
    const LoadedConfig& loaded, const delivery::policy::SiteRules& sites);

// The words in which stories tell them: the shipped ones with those of rules.advice_file before
// them. Errors: as above.
[[nodiscard]] Result<explain::AdviceBook> load_advice(const LoadedConfig& loaded,
                                                      const delivery::policy::SiteRules& sites);

// One line for each mistake in the tables [sites.*], for a configuration that has others: whatever
// is wrong where it is known which file lies under them, else what is wrong by itself.
[[nodiscard]] std::vector<std::string> mistakes_of_sites(const LoadedConfig& loaded,
                                                         bool file_known);

}  // namespace todoku::config
