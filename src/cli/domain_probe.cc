// SPDX-License-Identifier: Apache-2.0
#include "cli/domain_probe.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "dns/ask_server.h"
#include "dns/fact_gathering.h"
#include "dns/questions.h"
#include "doctor/domain_texts.h"

namespace todoku::cli {
namespace {

using mailauth::DnsFacts;
using mailauth::DnsQuestion;
using ServersTold = std::vector<Result<mailauth::ServerAnswers>>;

constexpr std::uint16_t kDnsPort = 53;

Task<Result<mailauth::ServerAnswers>> ask_one(net::Endpoint server,
                                              std::vector<DnsQuestion> questions) {
  auto answers = co_await dns::ask_server(server, std::move(questions));
  co_return answers;
}

// All servers at once: a silent one costs its time only.
Task<std::vector<doctor::ServerView>> ask_all(std::vector<dns::ZoneServer> servers,
                                              std::vector<DnsQuestion> questions) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto asked = std::make_shared<dns::Questions<ServersTold>>(
      executor, ServersTold(servers.size(), fail(ErrorKind::unavailable, "it was not asked")));
  for (std::size_t i = 0; i < servers.size(); ++i) {
    dns::ask(executor, asked, ask_one(servers[i].at, questions), &asked->answers[i]);
  }
  while (asked->open > 0) co_await asked->answered.wait();
  std::vector<doctor::ServerView> views;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    doctor::ServerView view{.name = servers[i].name, .answers = {}};
    if (asked->answers[i]) view.answers = std::move(*asked->answers[i]);
    views.push_back(std::move(view));
  }
  co_return views;
}

bool is_answering(const doctor::ServerView& server) {
  return std::ranges::any_of(server.answers,
                             [](const auto& each) { return each.second.is_said(); });
}

// What is known to be asked only after the first answers, of servers that gave some.
Task<void> ask_for_hosts(
    const doctor::DomainWish& wish,  // NOLINT(*-reference-coroutine-parameters)
    std::vector<dns::ZoneServer> servers,
    doctor::ZoneView& view) {  // NOLINT(*-reference-coroutine-parameters)
  auto questions = doctor::host_questions(wish, view);
  if (questions.empty()) co_return;
  std::vector<dns::ZoneServer> answering;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (!is_answering(view.servers[i])) continue;
    answering.push_back(servers[i]);
    places.push_back(i);
  }
  auto told = co_await ask_all(std::move(answering), std::move(questions));
  for (std::size_t i = 0; i < told.size(); ++i) {
    view.servers[places[i]].answers.merge(told[i].answers);
  }
}

// "ns1.example.jp (192.0.2.53)": which of the addresses of a name is wrong, counts.
void name_at_length(dns::ZoneServer& server) {
  const std::string address = server.at.address.to_string();
  server.name =
      server.name.empty() ? server.at.to_string() : fmt::format("{} ({})", server.name, address);
}

// Where all servers that answer refer to others: the zone is cut above that name.
bool is_referred(const doctor::ZoneView& view, const DnsQuestion& question) {
  bool is_any = false;
  for (const doctor::ServerView& server : view.servers) {
    const auto answer = server.answers.find(question);
    if (answer == server.answers.end()) continue;
    if (answer->second.is_said()) return false;
    is_any |= answer->second.status == mailauth::ServerAnswer::Status::lame;
  }
  return is_any;
}

// Questions about keys that are in a zone of their own, by its usual name.
std::map<std::string, std::vector<DnsQuestion>> questions_below_cuts(
    const std::vector<DnsQuestion>& questions, const doctor::ZoneView& view) {
  std::map<std::string, std::vector<DnsQuestion>> below;
  for (const DnsQuestion& question : questions) {
    const std::size_t selector_end = question.name.find("._domainkey.");
    if (selector_end == std::string::npos || !is_referred(view, question)) continue;
    below[question.name.substr(selector_end + 1)].push_back(question);
  }
  return below;
}

// Its servers are among those of the view then, each with what it was asked.
Task<void> ask_below_cuts(std::vector<DnsQuestion> questions, std::uint16_t port,
                          CheckResolver& names,      // NOLINT(*-reference-coroutine-parameters)
                          doctor::ZoneView& view) {  // NOLINT(*-reference-coroutine-parameters)
  const auto name_servers = [&names](std::string zone) {
    return names.name_servers(std::move(zone));
  };
  for (auto& [cut, asked] : questions_below_cuts(questions, view)) {
    auto found = co_await dns::find_zone_servers(names.resolver(), name_servers, cut, port);
    if (!found || found->zone.size() <= view.zone.size()) continue;
    for (dns::ZoneServer& server : found->servers) name_at_length(server);
    auto told = co_await ask_all(std::move(found->servers), asked);
    for (doctor::ServerView& server : told) {
      // Another zone's, which says nothing of how new the domain's is.
      for (auto& [question, answer] : server.answers) answer.serial.reset();
      view.servers.push_back(std::move(server));
    }
    std::ranges::move(found->without_address, std::back_inserter(view.without_address));
  }
}

Task<Result<dns::ZoneServers>> servers_for(
    const doctor::DomainWish& wish,             // NOLINT(*-reference-coroutine-parameters)
    const std::vector<net::Endpoint>& instead,  // NOLINT(*-reference-coroutine-parameters)
    std::uint16_t port,
    CheckResolver& names) {  // NOLINT(*-reference-coroutine-parameters)
  const auto name_servers = [&names](std::string zone) {
    return names.name_servers(std::move(zone));
  };
  if (instead.empty()) {
    auto found = co_await dns::find_zone_servers(names.resolver(), name_servers, wish.domain, port);
    co_return found;
  }
  // Which zone they have is not known before it is delegated to them.
  dns::ZoneServers given{.zone = wish.domain, .servers = {}, .without_address = {}};
  for (const net::Endpoint& at : instead) given.servers.push_back({.name = {}, .at = at});
  co_return given;
}

doctor::Finding no_servers(const std::string& domain, const Error& error) {
  const bool is_absent = error.kind == ErrorKind::not_found;
  return doctor::domain_finding(is_absent ? "zone_not_found" : "zone_undetermined",
                                {.subject = domain, .first = error.detail});
}

}  // namespace

Result<std::vector<net::Endpoint>> servers_of(const ProbeOptions& options) {
  std::vector<net::Endpoint> servers;
  for (const std::string& text : options.servers) {
    const auto endpoint = net::Endpoint::parse(text, kDnsPort);
    if (!endpoint) return fail("--server", endpoint.error());
    servers.push_back(*endpoint);
  }
  if (servers.size() > kProbedServersMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("--server: {} servers are too many: at most {}", servers.size(),
                            kProbedServersMax));
  }
  return servers;
}

Task<ProbedDomain> probe_domain(doctor::DomainWish wish, std::vector<net::Endpoint> servers,
                                std::uint16_t port,
                                CheckResolver& names) {  // NOLINT(*-reference-coroutine-parameters)
  ProbedDomain probed;
  auto found = co_await servers_for(wish, servers, port, names);
  if (!found) {
    probed.findings.push_back(no_servers(wish.domain, found.error()));
    co_return probed;
  }
  for (dns::ZoneServer& server : found->servers) name_at_length(server);
  doctor::ZoneView view{
      .zone = found->zone, .servers = {}, .without_address = std::move(found->without_address)};
  auto questions = doctor::zone_questions(wish, view.zone);
  view.servers = co_await ask_all(found->servers, questions);
  co_await ask_for_hosts(wish, std::move(found->servers), view);
  if (servers.empty()) co_await ask_below_cuts(std::move(questions), port, names, view);
  DnsFacts facts;
  const auto judge = [&](DnsFacts& known) { return doctor::check_domain(wish, view, known); };
  probed.findings = co_await dns::gather_facts(names.resolver(), facts, judge);
  const auto read = [&](DnsFacts& known) { return doctor::zone_now(wish, view, known); };
  probed.now = co_await dns::gather_facts(names.resolver(), facts, read);
  probed.is_known = std::ranges::any_of(view.servers, is_answering);
  co_return probed;
}

Task<std::vector<doctor::Finding>> domain_is_absent(
    std::string domain,
    CheckResolver& names) {  // NOLINT(*-reference-coroutine-parameters)
  std::vector<doctor::Finding> findings;
  doctor::DomainWish about;
  about.domain = std::move(domain);
  const std::vector<net::Endpoint> none_instead;
  const auto own = co_await servers_for(about, none_instead, kDnsPort, names);
  if (!own && own.error().kind == ErrorKind::not_found) {
    findings.push_back(no_servers(about.domain, own.error()));
  }
  co_return findings;
}

Task<std::vector<doctor::Finding>> servers_left_out(
    std::string domain, std::vector<net::Endpoint> servers,
    CheckResolver& names) {  // NOLINT(*-reference-coroutine-parameters)
  std::vector<doctor::Finding> findings;
  doctor::DomainWish about;
  about.domain = std::move(domain);
  const std::vector<net::Endpoint> none_instead;
  const auto own = co_await servers_for(about, none_instead, kDnsPort, names);
  if (!own) {
    findings.push_back(no_servers(about.domain, own.error()));
    co_return findings;
  }
  std::vector<std::string> left_out = own->without_address;
  for (const dns::ZoneServer& server : own->servers) {
    const bool is_asked = std::ranges::any_of(
        servers, [&](const net::Endpoint& asked) { return asked.address == server.at.address; });
    if (is_asked) continue;
    left_out.push_back(fmt::format("{} ({})", server.name, server.at.address.to_string()));
  }
  if (!left_out.empty()) {
    findings.push_back(doctor::domain_finding(
        "servers_left_out",
        {.subject = own->zone, .first = fmt::format("{}", fmt::join(left_out, ", "))}));
  }
  co_return findings;
}

}  // namespace todoku::cli
