// SPDX-License-Identifier: Apache-2.0
#include "inbound/counted.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace todoku::inbound {
namespace {

// What one site can have: each state with each cause.
constexpr std::int64_t kKindsOfSite = 500;
// Of all sites of a delivery, the largest; one that is not among these counts as an other.
constexpr std::int64_t kKindsOfDelivery = 2'000;

}  // namespace

TakenBy taken_by(const store::Story& story) {
  TakenBy taken;
  bool is_known = false;
  for (const store::Attempt& attempt : story.attempts) {
    const bool took = attempt.outcome.state == story.state;
    if (took) taken.cause = attempt.outcome.cause;
    if (!attempt.path.mx_host.empty() && (took || !is_known)) taken.mx_host = attempt.path.mx_host;
    is_known = is_known || took;
  }
  return taken;
}

Result<std::string> counted_site(store::OutcomeCountReads& counts, const store::Story& story,
                                 const SiteNames& names) {
  const TakenBy taken = taken_by(story);
  const std::string_view address = story.address;
  const std::string by_rule = names.by_rule(address.substr(address.rfind('@') + 1), taken.mx_host);
  if (story.type != DeliveryType::bulk) return by_rule;
  const auto is_its = [&](const store::OutcomeCount& count) {
    return count.state == story.state && count.cause == taken.cause;
  };
  // Nearly always it is one of these.
  for (const std::string& name : {by_rule, std::string(taken.mx_host)}) {
    if (name.empty()) continue;
    const auto of_site = counts.outcomes_of(story.key.delivery, name, kKindsOfSite);
    if (!of_site) return fail(of_site.error());
    if (std::ranges::any_of(*of_site, is_its)) return name;
  }
  const auto all = counts.outcomes_of(story.key.delivery, std::nullopt, kKindsOfDelivery);
  if (!all) return fail(all.error());
  bool is_other = false;
  for (const store::OutcomeCount& count : *all) {
    if (!is_its(count)) continue;
    if (names.has_host(count.site, taken.mx_host)) return count.site;
    is_other = is_other || count.site.empty();
  }
  return is_other ? std::string() : by_rule;
}

}  // namespace todoku::inbound
