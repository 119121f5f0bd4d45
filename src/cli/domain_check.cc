// SPDX-License-Identifier: Apache-2.0
// todoku domain check
#include <algorithm>
#include <iterator>
#include <utility>

#include "async/run_blocking.h"
#include "cli/commands.h"
#include "cli/findings.h"
#include "doctor/finding.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

// Keys that were named, of which the records are not known.
std::vector<doctor::DomainKey> named_keys(const std::vector<std::string>& selectors) {
  std::vector<doctor::DomainKey> keys;
  for (const std::string& selector : selectors)
    keys.push_back({.selector = selector, .record = {}});
  return keys;
}

// Nothing that receivers look at, but what the next thing to do may be.
void say_unproven(Session& session, const std::string& account, const std::string& domain) {
  operate::Given given(operate::calls::kListDomains);
  if (!account.empty()) given.with("account", account);
  const auto claims = all_listed(session, std::move(given), "domains");
  if (!claims) return;
  for (const auto& claim : *claims) {
    const std::string state = text_of(claim, "state");
    const bool is_open = state == "unproven" || state == "lapsed";
    if (!is_open || truth_of(claim, "vouched") || text_of(claim, "domain") != domain) continue;
    session.say({"Not proven yet that {1} is account {0}'s: todoku domain verify {0} {1}",
                 "ドメイン {1} がアカウント {0} のものであることは未確認です: todoku domain verify "
                 "{0} {1}"},
                text_of(claim, "account"), domain);
  }
}

bool is_of_key_that_fails(const doctor::Finding& finding, const std::string& domain) {
  return finding.outcome == doctor::Outcome::fail && finding.code.starts_with("dkim_") &&
         finding.subject.ends_with("._domainkey." + domain);
}

// Keys that change by themselves are looked at on a schedule, too, where a zone that lost them is
// written anew and somebody is told: what is wrong with them is found there now, and not hours
// later.
void have_keys_looked_at(Session& session, const std::string& account, const std::string& domain) {
  const auto slots = listed_slots(session, account);
  if (!slots) return;
  for (const auto& each : slots->all) {
    const std::string owner = text_of(each, "account");
    if (text_of(each, "domain") != domain || text_of(each, "state") == "ending") continue;
    const auto look = operate::Given(operate::calls::kLookAtKeySlots)
                          .with("account", owner)
                          .with("domain", domain);
    if (session.ask_for(look, [](const boost::json::value&) {}) != 0) return;
    if (session.common().json) continue;
    session.say({"The engine looks at these keys now, and writes them anew where its zone lacks "
                 "them: todoku domain keys {} --account {}",
                 "エンジンにこれらの鍵の確認を依頼しました。プラットフォームのゾーンになければ書き"
                 "直します: todoku domain keys {} --account {}"},
                domain, owner);
  }
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
  const int status = show_findings(session, findings);
  if (!wish.selectors.empty()) return status;
  for (const std::string& domain : wish.domains) {
    const bool one_fails = std::ranges::any_of(findings, [&](const doctor::Finding& finding) {
      return is_of_key_that_fails(finding, domain);
    });
    if (one_fails) have_keys_looked_at(session, wish.account, domain);
    if (!session.common().json) say_unproven(session, wish.account, domain);
  }
  return status;
}

}  // namespace todoku::cli
