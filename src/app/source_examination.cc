// SPDX-License-Identifier: Apache-2.0
#include "app/source_examination.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "app/module_options.h"
#include "dns/fact_gathering.h"
#include "doctor/without_answers.h"
#include "mail/address.h"

namespace todoku::app {
namespace {

constexpr std::uint16_t kSmtp = 25;
// Of one host, the first addresses: who has more is as well reached by these.
constexpr std::size_t kAddressesTried = 2;
constexpr std::size_t kAddressesMax = 64;  // asked about on a list in one look

bool receivers_see(const net::IpAddress& address) {
  switch (address.scope()) {
    case net::AddressScope::global:
    case net::AddressScope::reserved:
      return !address.is_unspecified();
    case net::AddressScope::loopback:
    case net::AddressScope::private_use:
    case net::AddressScope::link_local:
    case net::AddressScope::multicast:
      break;
  }
  return false;
}

doctor::SourceAddress seen_as(const net::IpAddress& address) {
  const auto octets = address.octets();
  return {.octets = {octets.begin(), octets.end()},
          .text = address.to_string(),
          .is_public = receivers_see(address)};
}

// The first of a family that is known is what receivers see.
std::vector<doctor::SourceAddress> seen_addresses_of(const delivery::EgressSource& source,
                                                     const config::Config::Egress* configured) {
  std::vector<doctor::SourceAddress> all;
  bool has_v4 = !source.use_v4;
  bool has_v6 = !source.use_v6;
  const auto add = [&](const Result<net::IpAddress>& address) {
    if (!address) return;
    bool& has = address->is_v4() ? has_v4 : has_v6;
    if (has) return;
    has = true;
    all.push_back(seen_as(*address));
  };
  if (configured != nullptr) {
    for (const std::string* text : {&configured->public_address, &configured->ec2_public_ipv4}) {
      if (!text->empty()) add(net::IpAddress::parse(*text));
    }
  }
  if (source.proxy != nullptr) return all;  // what is bound is seen by the proxy only
  if (source.bind_v4) add(*source.bind_v4);
  if (source.bind_v6) add(*source.bind_v6);
  return all;
}

// Empty: what the resolver says can be believed.
std::string problem_of(const dns::CheckFinding& check) {
  if (check.result == dns::CheckFinding::Result::passed) return {};
  return check.problem.empty() ? "the name servers do not answer" : check.problem;
}

doctor::Reached reached_by(const Error& error) {
  switch (error.kind) {
    case ErrorKind::timeout:
      return doctor::Reached::unanswered;
    case ErrorKind::closed:
    case ErrorKind::unauthorized:
      return doctor::Reached::refused;
    default:
      // No route, no file: of ours or of the way, and nobody was asked.
      return doctor::Reached::unknown;
  }
}

}  // namespace

bool ExaminedSource::is_seen() const {
  return std::ranges::any_of(identity.addresses, &doctor::SourceAddress::is_public);
}

std::vector<ExaminedSource> examined_sources(const config::Config& config, async::FilePool* files) {
  std::vector<ExaminedSource> all;
  for (const delivery::EgressSource& source : delivery_options(config, {}, files).sources) {
    if (source.smarthost) continue;
    const auto configured =
        std::ranges::find(config.egress, source.name, &config::Config::Egress::name);
    all.push_back(
        {.identity = {.name = source.name,
                      .hello = source.ehlo,
                      .addresses = seen_addresses_of(
                          source, configured == config.egress.end() ? nullptr : &*configured)},
         .bind_v4 = source.bind_v4,
         .bind_v6 = source.bind_v6,
         .proxy = source.proxy,
         .use_v4 = source.use_v4,
         .use_v6 = source.use_v6});
  }
  return all;
}

std::vector<doctor::Blocklist> blocklists_of(const config::Config& config) {
  std::vector<doctor::Blocklist> all;
  for (const config::Config::DoctorBlocklist& list : config.doctor_blocklists) {
    const auto zone = to_ascii_domain(list.zone);
    all.push_back({.zone = zone ? *zone : list.zone,
                   .page = list.page,
                   .text = list.text,
                   .ipv6 = list.ipv6});
  }
  return all;
}

Task<std::vector<doctor::Finding>> SourceExaminer::examine(ExaminedSource source) {
  const auto evaluate = [&source](mailauth::DnsFacts& facts) {
    return doctor::identity_findings(source.identity, facts);
  };
  // Who is known to be dead or to lie is not asked.
  std::string problem = problem_of(co_await world_.check_resolver());
  std::vector<doctor::Finding> findings;
  if (problem.empty()) {
    mailauth::DnsFacts facts;
    findings = co_await dns::gather_facts(world_.resolver, facts, evaluate);
  }
  std::vector<doctor::PortTry> tries = co_await try_port_25(source, problem);
  if (problem.empty()) problem = problem_of(co_await world_.check_resolver());
  if (!problem.empty()) {
    findings = doctor::without_answers(problem, evaluate);
    // Where a name led may be anybody's.
    for (doctor::PortTry& each : tries) {
      if (net::Endpoint::parse(each.host, kSmtp)) continue;
      each.reached = doctor::Reached::unknown;
      each.said = problem;
    }
  }
  if (!tries.empty()) findings.push_back(doctor::port_25_finding(source.identity.name, tries));
  co_return findings;
}

Task<std::vector<doctor::PortTry>> SourceExaminer::try_port_25(ExaminedSource source,
                                                               std::string problem) {
  std::vector<doctor::PortTry> tries;
  for (const std::string& host : options_.port_25_hosts) {
    if (!problem.empty() && !net::Endpoint::parse(host, kSmtp)) {
      tries.push_back({.host = host, .reached = doctor::Reached::unknown, .said = problem});
      continue;
    }
    tries.push_back(co_await try_host(source, host));
    // One is enough, and the others are left in peace.
    if (tries.back().reached == doctor::Reached::reached) break;
  }
  co_return tries;
}

Task<doctor::PortTry> SourceExaminer::try_host(ExaminedSource source, std::string host) {
  doctor::PortTry result{.host = host, .reached = doctor::Reached::unknown, .said = ""};
  std::vector<net::Endpoint> places;
  if (const auto endpoint = net::Endpoint::parse(host, kSmtp)) {
    places.push_back(*endpoint);
  } else {
    const auto name = to_ascii_domain(host);
    if (!name) co_return result;
    std::string target = *name;
    auto mx = co_await world_.resolver.mx(target);
    if (mx && !mx->records.empty()) target = std::ranges::min(mx->records).host;
    const auto found =
        source.use_v4 ? co_await world_.resolver.a(target) : co_await world_.resolver.aaaa(target);
    if (!found) {
      result.said = found.error().detail;
      co_return result;
    }
    for (const net::IpAddress& address : found->records) places.push_back({address, kSmtp});
  }
  if (places.empty()) result.said = "it has no address";
  if (places.size() > kAddressesTried) places.resize(kAddressesTried);
  for (const net::Endpoint& place : places) {
    const net::DialOptions dial{
        .local_address = place.address.is_v4() ? source.bind_v4 : source.bind_v6,
        .proxy = source.proxy};
    auto stream =
        co_await world_.dialer.dial(place, dial, world_.clock.steady_now() + options_.connect);
    if (stream) {
      stream->close();
      result.reached = doctor::Reached::reached;
      co_return result;
    }
    result.reached = reached_by(stream.error());
    result.said = stream.error().detail;
  }
  co_return result;
}

Task<std::vector<doctor::BlocklistStanding>> SourceExaminer::ask_lists(
    std::vector<ExaminedSource> sources, std::vector<doctor::Blocklist> lists) {
  const auto of = [&sources](const doctor::Blocklist& list) {
    return [&sources, &list](mailauth::DnsFacts& facts) {
      std::vector<doctor::BlocklistStanding> all;
      for (const ExaminedSource& source : sources) {
        for (const doctor::SourceAddress& address : source.identity.addresses) {
          if (all.size() == kAddressesMax) return all;
          auto standing = doctor::standing_on(source.identity.name, address, list, facts);
          if (standing) all.push_back(std::move(*standing));
        }
      }
      return all;
    };
  };
  std::vector<doctor::BlocklistStanding> standings;
  if (lists.empty()) co_return standings;
  std::string problem = problem_of(co_await world_.check_resolver());
  for (const doctor::Blocklist& list : lists) {
    if (!problem.empty()) break;
    mailauth::DnsFacts facts;
    std::ranges::move(co_await dns::gather_facts(world_.resolver, facts, of(list)),
                      std::back_inserter(standings));
  }
  if (problem.empty()) problem = problem_of(co_await world_.check_resolver());
  if (problem.empty()) co_return standings;
  standings.clear();
  for (const doctor::Blocklist& list : lists) {
    std::ranges::move(doctor::without_answers(problem, of(list)), std::back_inserter(standings));
  }
  co_return standings;
}

std::vector<doctor::Finding> findings_of(const std::vector<doctor::BlocklistStanding>& standings,
                                         const std::vector<doctor::Blocklist>& lists) {
  std::vector<doctor::Finding> findings;
  for (const doctor::BlocklistStanding& standing : standings) {
    const auto list = std::ranges::find(lists, standing.zone, &doctor::Blocklist::zone);
    if (list != lists.end()) findings.push_back(doctor::finding_of(standing, *list));
  }
  return findings;
}

}  // namespace todoku::app
