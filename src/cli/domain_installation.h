// SPDX-License-Identifier: Apache-2.0
// What an installation knows of a domain: whose it is, its keys, who sends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/json/array.hpp>

#include "cli/session.h"
#include "doctor/domain_records.h"
#include "operate/calls/given.h"

namespace todoku::cli {

// The account that was named, or the only one there is. nullopt after a failure, which has been
// printed.
[[nodiscard]] std::optional<std::string> account_for(Session& session, const std::string& named);

// All pages of a list, unprinted. nullopt after a failure, which has been printed.
[[nodiscard]] std::optional<boost::json::array> all_listed(Session& session, operate::Given given,
                                                           std::string_view name);

// What does not come from the configuration, or not only.
struct PlatformWish {
  std::vector<std::string> sources;  // addresses that send; empty: those of the configuration
  std::string spf_include;
  std::string return_path;
  std::string reports;
};

// The wish without keys. nullopt after a failure, which has been printed.
[[nodiscard]] std::optional<doctor::DomainWish> domain_wish(Session& session,
                                                            const std::string& domain,
                                                            const PlatformWish& platform);

// The domain's keys that rotate by themselves, as the engine tells of them; nullptr: there are
// none. nullopt after a failure, which has been printed. `account` empty: of all.
struct ListedSlots {
  boost::json::array all;
  [[nodiscard]] const boost::json::value* of(const std::string& account,
                                             const std::string& domain) const;
};
[[nodiscard]] std::optional<ListedSlots> listed_slots(Session& session, const std::string& account);
// Each of its keys, where their CNAMEs lead.
[[nodiscard]] std::vector<doctor::DomainKey> slot_keys(const boost::json::value& slots);

// Keys of `domain`, or of the nearest one above it that has some; `account` empty: of all.
// nullopt after a failure, which has been printed.
[[nodiscard]] std::optional<std::vector<doctor::DomainKey>> domain_keys(Session& session,
                                                                        const std::string& account,
                                                                        const std::string& domain);

}  // namespace todoku::cli
