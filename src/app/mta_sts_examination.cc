// SPDX-License-Identifier: Apache-2.0
#include "app/mta_sts_examination.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "app/check_names.h"
#include "app/module_options.h"
#include "app/mta_sts.h"
#include "async/run_blocking.h"
#include "base/bytes.h"
#include "http/guarded/guarded_client.h"
#include "mail/address.h"
#include "mailauth/mta_sts/knowledge.h"
#include "sts/policy_fetch.h"
#include "sts/policy_look.h"

namespace todoku::app {
namespace {

using cli::MtaStsFinding;
using mailauth::mta_sts::Look;
using mailauth::mta_sts::Mode;
using mailauth::mta_sts::Policy;

std::string word_of(const Look& look) {
  switch (look.said) {
    case Look::Said::id:
      return "found";
    case Look::Said::failed:
      return "failed";
    case Look::Said::no_record:
      break;
  }
  return std::string(to_string(look.why));
}

// RFC 5321 section 5.1: without MX the domain itself is the host.
void note_hosts(const Result<dns::Answer<dns::MxRecord>>& answer, MtaStsFinding& found) {
  if (!answer) {
    found.hosts_reason = answer.error().detail;
    return;
  }
  std::vector<dns::MxRecord> records = answer->records;
  std::ranges::sort(records);
  for (const dns::MxRecord& record : records) found.hosts.push_back({.name = record.host});
  if (found.hosts.empty()) found.hosts.push_back({.name = found.domain});
}

void note_policy(const Policy& policy, MtaStsFinding& found) {
  found.policy = {.mode = std::string(to_string(policy.mode)),
                  .mx = policy.mx,
                  .max_age_seconds = policy.max_age.count()};
  for (MtaStsFinding::Host& host : found.hosts) {
    host.named = mailauth::mta_sts::names(policy, host.name);
  }
}

MtaStsFinding::Verdict verdict_of(const std::optional<Policy>& policy, const MtaStsFinding& found) {
  using Verdict = MtaStsFinding::Verdict;
  if (!policy || policy->mode == Mode::none) return Verdict::none;
  if (policy->mode == Mode::testing) return Verdict::testing;
  const bool is_named = std::ranges::any_of(found.hosts, &MtaStsFinding::Host::named);
  return is_named || found.hosts.empty() ? Verdict::enforced : Verdict::no_host_named;
}

// NOLINTNEXTLINE(*-reference-coroutine-parameters): the caller blocks until it is done
Task<MtaStsFinding> look_and_fetch(dns::Resolver& resolver, sts::PolicyFetch& fetch,
                                   std::string domain) {
  MtaStsFinding found;
  found.domain = domain;
  const auto hosts = co_await resolver.mx(domain);
  note_hosts(hosts, found);
  const Look look = co_await sts::look_at(resolver, domain);
  found.record = word_of(look);
  found.record_reason = look.reason;
  found.id = look.id;
  std::optional<Policy> policy;
  if (look.said == Look::Said::id) {
    auto fetched = co_await fetch.fetch(domain);
    if (fetched) {
      policy = std::move(*fetched);
      note_policy(*policy, found);
    } else {
      found.result_type = to_string(fetched.error().fault);
      found.reason = std::move(fetched.error().reason);
    }
  }
  found.verdict = verdict_of(policy, found);
  co_return found;
}

bool is_off(const config::Config& config, const delivery::policy::SiteRules& rules,
            const MtaStsFinding& found) {
  std::vector<std::string_view> hosts;
  for (const MtaStsFinding::Host& host : found.hosts) hosts.emplace_back(host.name);
  const auto* const site = rules.find(found.domain, hosts);
  const auto& limits = site == nullptr ? rules.defaults() : site->limits;
  return !config.smtp_out.mta_sts || !limits.mta_sts ||
         limits.tls == delivery::policy::TlsPolicy::none;
}

}  // namespace

Result<MtaStsFinding> examine_mta_sts(const config::Config& config,
                                      const delivery::policy::SiteRules& rules,
                                      const cli::MtaStsWish& wish, const Clock& clock) {
  auto domain = to_ascii_domain(wish.domain);
  if (!domain) return fail("the domain", std::move(domain.error()));
  dns::UnboundResolver::Options asking = resolver_options(config);
  if (!wish.resolver.empty()) {
    const auto server = name_server_at(wish.resolver);
    if (!server) return fail("--resolver", server.error());
    asking.servers = {*server};
  }
  auto names = CheckNames::make(std::move(asking), clock);
  if (!names) return fail(std::move(names.error()));
  http::GuardedClient client(guarded_options(config), (*names)->resolver(), clock);
  sts::WebPolicyFetch fetch(client, policy_fetch_options(config));
  MtaStsFinding found = async::run_blocking(
      (*names)->executor(), look_and_fetch((*names)->resolver(), fetch, to_ascii_lower(*domain)));
  if (is_off(config, rules, found)) found.verdict = MtaStsFinding::Verdict::off;
  return found;
}

}  // namespace todoku::app
