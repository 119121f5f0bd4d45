// SPDX-License-Identifier: Apache-2.0
// How far a site's exception from MTA-STS (`mta_sts = false`, `tls = "none"`) goes for mail of a
// domain. A site is mostly found by the MX records, and whoever can forge these must not lead mail
// of any domain into an exception that was made for another receiver (RFC 8461 section 10 has that
// attacker in mind). Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "delivery/policy/site_rules.h"

namespace todoku::delivery::policy {

enum class StsException : std::uint8_t {
  none,         // the domain's policy is gone by
  named_hosts,  // only for hosts that the domain's own policy names: so they are its receiver's
  whole,        // its policy is of no matter
};

// `site`: of the route that was found; `mx_proven`: its MX records were validated by DNSSEC. Whole
// is what the rules say of everybody, of the domain by name, or of a site whose MX are proven.
[[nodiscard]] StsException sts_exception(const SiteRules& rules, std::string_view domain,
                                         std::string_view site, bool mx_proven);

}  // namespace todoku::delivery::policy
