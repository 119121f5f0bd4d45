// SPDX-License-Identifier: Apache-2.0
// todoku domain check
#include <utility>

#include "async/run_blocking.h"
#include "cli/commands.h"
#include "cli/findings.h"
#include "doctor/finding.h"

namespace todoku::cli {
namespace {

// Keys that were named, of which the records are not known.
std::vector<doctor::DomainKey> named_keys(const std::vector<std::string>& selectors) {
  std::vector<doctor::DomainKey> keys;
  for (const std::string& selector : selectors)
    keys.push_back({.selector = selector, .record = {}});
  return keys;
}

}  // namespace

int domain_check(Session& session, const DomainCheck& wish) {
  const auto servers = servers_of(wish.probe);
  if (!servers) return unreadable(session, servers.error().detail);
  auto names = session.host().installation_resolver(session.common().config, wish.probe.resolver);
  if (!names) return unreadable(session, names.error().detail);
  std::vector<doctor::Finding> findings;
  for (const std::string& domain : wish.domains) {
    auto about = domain_wish(session, domain, wish.platform);
    if (!about) return kUnreadable;
    auto keys = wish.selectors.empty() ? domain_keys(session, wish.account, about->domain)
                                       : std::optional(named_keys(wish.selectors));
    if (!keys) return kUnreadable;
    about->keys = std::move(*keys);
    ProbedDomain probed = async::run_blocking(
        (*names)->executor(), probe_domain(std::move(*about), *servers, wish.probe.port, **names));
    findings.insert(findings.end(), std::make_move_iterator(probed.findings.begin()),
                    std::make_move_iterator(probed.findings.end()));
  }
  return show_findings(session, findings);
}

}  // namespace todoku::cli
