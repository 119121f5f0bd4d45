// SPDX-License-Identifier: Apache-2.0
#include "app/installation_examination.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/check_names.h"
#include "app/host_check.h"
#include "app/module_options.h"
#include "app/server_examination.h"
#include "app/smarthost_examination.h"
#include "app/source_examination.h"
#include "async/run_blocking.h"
#include "dns/resolver_check.h"
#include "doctor/smarthost.h"

namespace todoku::app {
namespace {

// What a person waits for.
constexpr Milliseconds kExaminedWithin = std::chrono::seconds(10);
constexpr std::size_t kExaminationSockets = 512;

struct ExaminationPlan {
  std::vector<ExaminedSource> sources;
  std::vector<delivery::EgressSource> smarthosts;  // sources that send through one
  std::shared_ptr<const net::TlsClientContext> tls;
  std::vector<doctor::Blocklist> lists;
  dns::ResolverCheckOptions check;
  bool with_server = false;
  doctor::ServerFacts server;
  bool has_anchor = false;
  std::string dnssec_zone;
};

Task<std::vector<doctor::Finding>> examine_all(
    ExaminationPlan& plan,     // NOLINT(*-reference-coroutine-parameters)
    SourceExaminer& examiner,  // NOLINT(*-reference-coroutine-parameters)
    dns::Resolver& resolver,   // NOLINT(*-reference-coroutine-parameters)
    const Clock& clock) {      // NOLINT(*-reference-coroutine-parameters)
  std::vector<doctor::Finding> findings;
  if (plan.with_server) {
    plan.server.resolver = resolver_fact(co_await dns::check_resolver(plan.check, clock));
    plan.server.dnssec = co_await dnssec_fact(resolver, plan.has_anchor, plan.dnssec_zone);
    findings = doctor::server_findings(plan.server, clock.now());
  }
  const auto standings = co_await examiner.ask_lists(plan.sources, plan.lists);
  const std::vector<doctor::Finding> listings = findings_of(standings, plan.lists);
  for (const ExaminedSource& source : plan.sources) {
    std::ranges::move(co_await examiner.examine(source), std::back_inserter(findings));
    std::ranges::copy_if(listings, std::back_inserter(findings), [&](const doctor::Finding& each) {
      return each.subject == source.identity.name;
    });
  }
  for (const delivery::EgressSource& source : plan.smarthosts) {
    findings.push_back(
        doctor::smarthost_finding(co_await try_smarthost(source, resolver, plan.tls, clock)));
  }
  co_return findings;
}

// Of the one with this name, or of all where it is empty.
Result<void> choose_sources(ExaminationPlan& plan, const config::Config& config,
                            const std::string& name) {
  plan.sources = examined_sources(config);
  plan.smarthosts = delivery_options(config, {}).sources;
  std::vector<std::string> names;
  for (const delivery::EgressSource& each : plan.smarthosts) names.push_back(each.name);
  std::erase_if(plan.smarthosts, [](const auto& each) { return !each.smarthost; });
  if (name.empty()) return {};
  std::erase_if(plan.sources, [&](const auto& each) { return each.identity.name != name; });
  std::erase_if(plan.smarthosts, [&](const auto& each) { return each.name != name; });
  if (!plan.sources.empty() || !plan.smarthosts.empty()) return {};
  return fail(ErrorKind::not_found, fmt::format("--source: there is no source {}; there are {}",
                                                name, fmt::join(names, ", ")));
}

}  // namespace

Result<std::vector<doctor::Finding>> examine_installation(const config::Config& config,
                                                          const cli::ExaminationWish& wish,
                                                          const Clock& clock) {
  if (config.smtp_out.sandbox) {
    return fail(ErrorKind::unsupported,
                "nothing leaves this machine (smtp_out.sandbox), so that there is nothing to look "
                "at outside");
  }
  dns::UnboundResolver::Options asking = resolver_options(config);
  asking.timeout = std::min<Milliseconds>(asking.timeout, kExaminedWithin);
  asking.sockets = kExaminationSockets;
  ExaminationPlan plan{.sources = {},
                       .smarthosts = {},
                       .tls = nullptr,
                       .lists = blocklists_of(config),
                       .check = resolver_check_options(config, hello_name(config)),
                       .with_server = wish.source.empty(),
                       .server = {},
                       .has_anchor = !asking.trust_anchor_files.empty(),
                       .dnssec_zone = ""};
  if (auto chosen = choose_sources(plan, config, wish.source); !chosen) {
    return fail(std::move(chosen.error()));
  }
  if (!plan.smarthosts.empty()) {
    auto tls = receivers_tls(config.smtp_out);
    if (!tls) return fail(std::move(tls.error()));
    plan.tls = std::move(*tls);
  }
  plan.dnssec_zone = plan.check.zones.empty() ? "." : plan.check.zones.front();
  if (plan.with_server) plan.server = server_facts(config);
  if (!wish.resolver.empty()) {
    const auto server = name_server_at(wish.resolver);
    if (!server) return fail("--resolver", server.error());
    asking.servers = {*server};
    plan.check.servers = {*server};
  }
  auto names = CheckNames::make(std::move(asking), clock);
  if (!names) return fail(std::move(names.error()));
  SourceExaminer examiner(
      {.resolver = (*names)->resolver(),
       .check_resolver = [check = plan.check, &clock] { return dns::check_resolver(check, clock); },
       .dialer = net::system_dialer(),
       .clock = clock},
      {.port_25_hosts = config.doctor.port_25_hosts});
  return async::run_blocking((*names)->executor(),
                             examine_all(plan, examiner, (*names)->resolver(), clock));
}

}  // namespace todoku::app
