// SPDX-License-Identifier: Apache-2.0
#include "dns/dane_records.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "dns/questions.h"
#include "dns/statuses.h"
#include "mailauth/dane/tlsa.h"

namespace todoku::dns {
namespace {

TlsaAnswer not_asked() {
  return Answer<TlsaRecord>{};
}

// Of one host; nobody asks for the second where the host is no alias.
struct HostTlsa {
  TlsaAnswer of_canonical = not_asked();
  TlsaAnswer of_name = not_asked();
};

bool could_not_ask(const TlsaAnswer& answer) {
  return !answer && answer.error().kind == ErrorKind::limit_exceeded;
}

bool was_asked(const MailHost& host) {
  return host.secure;
}

// Both names at once: that of an alias counts where there is nothing under what it stands for.
HostDane dane_of(const MailHost& host, const HostTlsa& said, std::string_view domain) {
  if (!host.canonical.empty()) {
    HostDane dane = dane_of(host.canonical, said.of_canonical, domain);
    if (dane.demand != DaneDemand::nothing) return dane;
  }
  return dane_of(host.name, said.of_name, domain);
}

// How long it is known for.
void shorten(MailRoute& route, const TlsaAnswer& answer) {
  if (!answer && answer.error().kind != ErrorKind::not_found) {
    route.ttl = std::chrono::seconds(0);
  } else if (answer && answer->ttl.count() > 0) {
    route.ttl = std::min(route.ttl, answer->ttl);
  }
}

}  // namespace

std::string tlsa_name(std::string_view host) {
  return fmt::format("_25._tcp.{}", host);
}

HostDane dane_of(std::string_view base, const TlsaAnswer& answer, std::string_view domain) {
  HostDane dane;
  if (!answer) {
    if (answer.error().kind == ErrorKind::not_found) return dane;
    dane.demand = DaneDemand::not_answered;
    dane.reason = fmt::format("the TLSA records (DANE) of {} could not be looked up: {}", base,
                              answer.error().detail);
    return dane;
  }
  if (!answer->secure) return dane;
  mailauth::dane::Demand demand = mailauth::dane::demand_of(answer->records);
  dane.demand = demand.demand;
  if (dane.demand == DaneDemand::nothing) return dane;
  dane.base = base;
  dane.records = std::move(demand.records);
  if (mailauth::dane::wants_name(dane.records) && base != domain) {
    dane.other_names.emplace_back(domain);
  }
  return dane;
}

Task<void> ask_for_dane(Resolver& resolver, RouteAnswer& route) {
  MailRoute& known = *route;
  if (!known.secure) co_return;
  const async::Executor executor = co_await boost::asio::this_coro::executor;
  const auto questions = std::make_shared<Questions<std::vector<HostTlsa>>>(
      executor, std::vector<HostTlsa>(known.hosts.size()));
  for (std::size_t i = 0; i < known.hosts.size(); ++i) {
    const MailHost& host = known.hosts[i];
    HostTlsa& places = questions->answers[i];
    if (!was_asked(host)) continue;
    ask(executor, questions, resolver.tlsa(tlsa_name(host.name)), &places.of_name);
    if (host.canonical.empty()) continue;
    ask(executor, questions, resolver.tlsa(tlsa_name(host.canonical)), &places.of_canonical);
  }
  while (questions->open > 0) co_await questions->answered.wait();
  for (std::size_t i = 0; i < known.hosts.size(); ++i) {
    MailHost& host = known.hosts[i];
    const HostTlsa& said = questions->answers[i];
    if (!was_asked(host)) continue;
    if (could_not_ask(said.of_name) || could_not_ask(said.of_canonical)) {
      const TlsaAnswer& why = could_not_ask(said.of_name) ? said.of_name : said.of_canonical;
      route = std::unexpected(Unroutable{.permanent = false,
                                         .status = kDirectoryFailure,
                                         .reason = why.error().detail,
                                         .ours = true,
                                         .cause = Cause::own_shortage});
      co_return;
    }
    host.dane = dane_of(host, said, known.domain);
    shorten(known, said.of_name);
    if (!host.canonical.empty()) shorten(known, said.of_canonical);
  }
}

}  // namespace todoku::dns
