// SPDX-License-Identifier: Apache-2.0
#include "dns/resolver_check.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/metrics.h"
#include "dns/questions.h"
#include "dns/unbound_resolver.h"

namespace todoku::dns {
namespace {

constexpr std::size_t kServersMax = 8;
constexpr std::size_t kResolvConfMax = 64 << 10;
constexpr std::uint16_t kDnsPort = 53;

std::string read_resolv_conf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kResolvConfMax, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

// No two checks ask for the same: a server must not answer from what it learnt from the last one.
std::string impossible_name_in(std::string_view zone) {
  const std::string label = "todoku-check-" + to_hex(random_octets(8));
  return zone == "." ? label + "." : fmt::format("{}.{}", label, zone);
}

// One server, asked past every cache: its libunbound lives for one check.
struct AskedServer {
  std::string name;
  // Its figures are not those of the mail's questions.
  std::unique_ptr<Metrics> metrics = std::make_unique<Metrics>();
  std::unique_ptr<UnboundResolver> resolver;
};

struct CheckAnswers {
  std::vector<ServerAnswers> servers;
  std::vector<Result<Answer<MxRecord>>> any;  // one for each server, instead of zones
};

Result<AskedServer> make_server(std::string name, UnboundResolver::Options options,
                                const async::Executor& executor, const Clock& clock) {
  options.questions_max = 64;
  options.cache_octets = 1 << 20;
  AskedServer server{.name = std::move(name), .resolver = nullptr};
  auto made = UnboundResolver::create(std::move(options), executor, clock, *server.metrics);
  if (!made) return fail(std::move(made.error()));
  server.resolver = std::move(*made);
  return server;
}

Result<std::vector<AskedServer>> make_servers(const ResolverCheckOptions& options,
                                              const async::Executor& executor, const Clock& clock) {
  std::vector<net::Endpoint> endpoints = options.servers;
  if (endpoints.empty() && !options.resolv_conf.empty()) {
    endpoints = servers_of(read_resolv_conf(options.resolv_conf));
  }
  if (endpoints.size() > kServersMax) endpoints.resize(kServersMax);
  std::vector<AskedServer> servers;
  if (endpoints.empty()) {
    // No list that we can read: what libunbound makes of it, as one.
    auto one = make_server("the name server",
                           {.resolv_conf = options.resolv_conf, .timeout = options.timeout},
                           executor, clock);
    if (!one) return fail(std::move(one.error()));
    servers.push_back(std::move(*one));
  }
  for (const net::Endpoint& endpoint : endpoints) {
    auto one = make_server("the name server " + endpoint.to_string(),
                           {.servers = {endpoint}, .timeout = options.timeout}, executor, clock);
    if (!one) return fail(std::move(one.error()));
    servers.push_back(std::move(*one));
  }
  return servers;
}

CheckFinding silence(std::string_view detail) {
  return {.result = CheckFinding::Result::no_answer,
          .problem = fmt::format("no name server answers: {}", detail),
          .invents = false,
          .invented = {}};
}

// What makes one server a liar, as half a sentence.
std::optional<std::string> denial(const ServerAnswers& server) {
  for (const ZoneAnswers& zone : server.zones) {
    const bool no_such_name =
        !zone.name_servers && zone.name_servers.error().kind == ErrorKind::not_found;
    const bool no_records = zone.name_servers && zone.name_servers->records.empty();
    if (!no_such_name && !no_records) continue;
    return fmt::format("{} denies names that exist ({} for the NS of {})", server.server,
                       no_such_name ? "NXDOMAIN" : "no records", zone.zone);
  }
  return std::nullopt;
}

// Also notes the addresses.
std::optional<std::string> invention(const ServerAnswers& server,
                                     std::vector<net::IpAddress>& invented) {
  std::size_t answered = 0;
  std::size_t with_address = 0;
  std::string example;
  for (const ZoneAnswers& zone : server.zones) {
    if (!zone.address && zone.address.error().kind != ErrorKind::not_found) continue;
    ++answered;
    if (!zone.address || zone.address->records.empty()) continue;
    ++with_address;
    example =
        fmt::format("{}: {}", zone.impossible_name, zone.address->records.front().to_string());
  }
  if (with_address * 2 <= answered) return std::nullopt;
  for (const ZoneAnswers& zone : server.zones) {
    if (!zone.address) continue;
    invented.insert(invented.end(), zone.address->records.begin(), zone.address->records.end());
  }
  return fmt::format("{} has addresses for names that do not exist ({})", server.server, example);
}

// Nothing was asked that tells a lie: an answer, whatever it says.
CheckFinding judge_any(const std::vector<Result<Answer<MxRecord>>>& answers) {
  std::string detail = "none is known";
  for (const auto& answer : answers) {
    if (answer || answer.error().kind == ErrorKind::not_found) {
      return {
          .result = CheckFinding::Result::passed, .problem = {}, .invents = false, .invented = {}};
    }
    detail = answer.error().detail;
  }
  return silence(detail);
}

}  // namespace

CheckFinding judge_check(std::span<const ServerAnswers> servers) {
  CheckFinding finding;
  std::string lies;
  std::string detail = "none is known";
  bool known = false;
  for (const ServerAnswers& server : servers) {
    for (const ZoneAnswers& zone : server.zones) {
      if (zone.name_servers) {
        known = known || !zone.name_servers->records.empty();
      } else {
        detail = zone.name_servers.error().detail;
      }
    }
    auto invented = invention(server, finding.invented);
    finding.invents = finding.invents || invented.has_value();
    for (const auto& lie : {denial(server), invented}) {
      if (lie) lies += (lies.empty() ? "" : "; ") + *lie;
    }
  }
  if (!lies.empty()) {
    finding.result = CheckFinding::Result::failed;
    finding.problem = std::move(lies);
    return finding;
  }
  if (!known) return silence(detail);
  finding.result = CheckFinding::Result::passed;
  return finding;
}

std::vector<net::Endpoint> servers_of(std::string_view resolv_conf) {
  constexpr std::string_view kKeyword = "nameserver";
  std::vector<net::Endpoint> servers;
  while (!resolv_conf.empty() && servers.size() < kServersMax) {
    const std::size_t end = std::min(resolv_conf.find('\n'), resolv_conf.size());
    std::string_view line = trim(resolv_conf.substr(0, end));
    resolv_conf.remove_prefix(std::min(end + 1, resolv_conf.size()));
    if (!line.starts_with(kKeyword)) continue;
    line.remove_prefix(kKeyword.size());
    if (line.empty() || (line.front() != ' ' && line.front() != '\t')) continue;
    line = trim(line);
    const auto address = net::IpAddress::parse(line.substr(0, line.find_first_of(" \t#;")));
    if (address) servers.push_back({.address = *address, .port = kDnsPort});
  }
  return servers;
}

Task<CheckFinding> check_resolver(ResolverCheckOptions options, const Clock& clock) {
  const async::Executor executor = co_await boost::asio::this_coro::executor;
  auto servers = make_servers(options, executor, clock);
  if (!servers) co_return silence(servers.error().detail);
  const auto questions = std::make_shared<Questions<CheckAnswers>>(executor);
  // All places before the first question, which points to its own.
  const Error silent{.kind = ErrorKind::unavailable, .detail = "not asked"};
  for (const AskedServer& server : *servers) {
    ServerAnswers& answers = questions->answers.servers.emplace_back();
    answers.server = server.name;
    for (const std::string& zone : options.zones) {
      answers.zones.push_back({.zone = zone,
                               .name_servers = fail(silent),
                               .impossible_name = impossible_name_in(zone),
                               .address = fail(silent)});
    }
  }
  if (options.zones.empty()) questions->answers.any.resize(servers->size(), fail(silent));
  for (std::size_t i = 0; i < servers->size(); ++i) {
    UnboundResolver& resolver = *(*servers)[i].resolver;
    if (options.zones.empty()) {
      ask(executor, questions, resolver.mx(options.any_name), &questions->answers.any[i]);
    }
    for (ZoneAnswers& zone : questions->answers.servers[i].zones) {
      ask(executor, questions, resolver.ns(zone.zone), &zone.name_servers);
      ask(executor, questions, resolver.a(zone.impossible_name), &zone.address);
    }
  }
  bool goes_on = true;
  while (goes_on && questions->open > 0) goes_on = co_await questions->answered.wait();
  for (AskedServer& server : *servers) co_await server.resolver->stop();
  while (questions->open > 0) co_await questions->answered.wait();
  co_return options.zones.empty() ? judge_any(questions->answers.any)
                                  : judge_check(questions->answers.servers);
}

}  // namespace todoku::dns
