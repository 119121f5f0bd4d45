// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/sts_exception.h"

namespace todoku::delivery::policy {
namespace {

bool is_excepted(const SiteLimits& limits) {
  return !limits.mta_sts || limits.tls == TlsPolicy::none;
}

}  // namespace

StsException sts_exception(const SiteRules& rules, std::string_view domain, std::string_view site,
                           bool mx_proven) {
  if (!is_excepted(rules.limits(site))) return StsException::none;
  const bool of_everybody = is_excepted(rules.defaults());
  const bool by_name = rules.find(domain, {}) != nullptr;
  return of_everybody || by_name || mx_proven ? StsException::whole : StsException::named_hosts;
}

}  // namespace todoku::delivery::policy
