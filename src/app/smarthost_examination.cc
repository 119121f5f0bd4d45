// SPDX-License-Identifier: Apache-2.0
#include "app/smarthost_examination.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/random.h"
#include "dns/mail_route.h"
#include "smtp/client/connection.h"

namespace todoku::app {
namespace {

constexpr Milliseconds kForEach = std::chrono::seconds(30);
constexpr std::size_t kSmarthostAddressesTried = 2;

smtp::ConnectionOptions options_to(const delivery::EgressSource& source,
                                   const dns::Candidate& candidate) {
  smtp::ConnectionOptions options;
  options.remote = {candidate.address, source.smarthost->port};
  options.mx_host = candidate.host;
  options.local_address = candidate.address.is_v4() ? source.bind_v4 : source.bind_v6;
  options.proxy = source.proxy;
  options.egress_source = source.name;
  options.session.hello_name = source.ehlo;
  options.session.tls = source.smarthost->tls;
  return options;
}

std::string in_one(const Reply& reply) {
  return reply.code == 0 ? reply.text : fmt::format("{} {}", reply.code, reply.text);
}

}  // namespace

Task<doctor::SmarthostTry> try_smarthost(
    delivery::EgressSource source,
    dns::Resolver& resolver,  // NOLINT(*-reference-coroutine-parameters)
    std::shared_ptr<const net::TlsClientContext> tls,
    const Clock& clock) {  // NOLINT(*-reference-coroutine-parameters)
  const delivery::Smarthost& smarthost = *source.smarthost;
  doctor::SmarthostTry tried{.source = source.name,
                             .host = fmt::format("{}:{}", smarthost.host, smarthost.port),
                             .logs_in = static_cast<bool>(smarthost.login),
                             .stage = Stage::dns};
  const dns::RouteOptions anywhere;
  const auto route = co_await dns::find_route(resolver, smarthost.route_name(), anywhere);
  if (!route) {
    tried.said = route.error().text();
    co_return tried;
  }
  SeededRandom random(1);
  const dns::Families families{.ipv4 = source.use_v4, .ipv6 = source.use_v6};
  auto addresses = dns::candidates(*route, families, random);
  if (addresses.empty()) tried.said = dns::no_common_family(*route, families).text();
  if (addresses.size() > kSmarthostAddressesTried) addresses.resize(kSmarthostAddressesTried);
  for (const dns::Candidate& candidate : addresses) {
    smtp::ConnectionOptions options = options_to(source, candidate);
    options.tls = tls;
    options.connect_timeout = kForEach;
    options.not_after = clock.steady_now() + kForEach;
    if (smarthost.login) {
      auto login = co_await smarthost.login();
      tried.stage = Stage::auth;
      if (!login) {
        tried.said = login.error().detail;
        co_return tried;
      }
      options.session.login = std::move(*login);
    }
    auto connection = co_await smtp::Connection::open(options, clock);
    if (connection) {
      tried.ready = true;
      tried.said = (*connection)->path().tls_detail;
      co_await (*connection)->quit();
      co_return tried;
    }
    tried.stage = connection.error().stage;
    tried.said = in_one(connection.error().reply);
  }
  co_return tried;
}

}  // namespace todoku::app
