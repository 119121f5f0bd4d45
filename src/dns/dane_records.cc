// SPDX-License-Identifier: Apache-2.0
#include "dns/dane_records.h"

#include <algorithm>
#include <memory>
#include <optional>
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

using AliasAnswer = Result<Answer<std::string>>;

// Of one host; nobody asks for the second where the host is no alias.
struct HostTlsa {
  TlsaAnswer of_canonical = not_asked();
  TlsaAnswer of_name = not_asked();
};

template <class Record>
bool could_not_ask(const Result<Answer<Record>>& answer) {
  return !answer && answer.error().kind == ErrorKind::limit_exceeded;
}

Unroutable own_shortage(const Error& why) {
  return Unroutable{.permanent = false,
                    .status = kDirectoryFailure,
                    .reason = why.detail,
                    .ours = true,
                    .cause = Cause::own_shortage};
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
template <class Record>
void shorten(MailRoute& route, const Result<Answer<Record>>& answer) {
  if (!answer && answer.error().kind != ErrorKind::not_found) {
    route.ttl = std::chrono::seconds(0);
  } else if (answer && answer->ttl.count() > 0) {
    route.ttl = std::min(route.ttl, answer->ttl);
  }
}

// Whether a host is asked for its records: what is proven of it is, or of its own alias.
bool is_asked(const MailHost& host, const AliasAnswer& alias) {
  return host.secure || (alias && alias->secure && !alias->records.empty());
}

// Nobody can tell whether the alias is proven.
bool is_untold(const AliasAnswer& alias) {
  return !alias && alias.error().kind != ErrorKind::not_found;
}

// The CNAMEs of hosts that lead out of signed DNS; of the others an answer without records.
Task<std::vector<AliasAnswer>> aliases_of(
    Resolver& resolver,  // NOLINT(*-reference-coroutine-parameters)
    std::vector<std::string> names) {
  const async::Executor executor = co_await boost::asio::this_coro::executor;
  const auto questions = std::make_shared<Questions<std::vector<AliasAnswer>>>(
      executor, std::vector<AliasAnswer>(names.size(), Answer<std::string>{}));
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;
    ask(executor, questions, resolver.cname(names[i]), &questions->answers[i]);
  }
  while (questions->open > 0) co_await questions->answered.wait();
  co_return std::move(questions->answers);
}

std::vector<std::string> names_leading_out(const MailRoute& route) {
  std::vector<std::string> names;
  for (const MailHost& host : route.hosts) names.push_back(host.leads_out ? host.name : "");
  return names;
}

HostDane untold_alias(std::string_view name, const Error& why) {
  HostDane dane;
  dane.demand = DaneDemand::not_answered;
  dane.reason =
      fmt::format("whether {} has TLSA records (DANE) could not be told: {}", name, why.detail);
  return dane;
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
  const auto aliases = co_await aliases_of(resolver, names_leading_out(known));
  const async::Executor executor = co_await boost::asio::this_coro::executor;
  const auto questions = std::make_shared<Questions<std::vector<HostTlsa>>>(
      executor, std::vector<HostTlsa>(known.hosts.size()));
  for (std::size_t i = 0; i < known.hosts.size(); ++i) {
    const MailHost& host = known.hosts[i];
    HostTlsa& places = questions->answers[i];
    if (!is_asked(host, aliases[i])) continue;
    ask(executor, questions, resolver.tlsa(tlsa_name(host.name)), &places.of_name);
    if (host.canonical.empty()) continue;
    ask(executor, questions, resolver.tlsa(tlsa_name(host.canonical)), &places.of_canonical);
  }
  while (questions->open > 0) co_await questions->answered.wait();
  for (std::size_t i = 0; i < known.hosts.size(); ++i) {
    MailHost& host = known.hosts[i];
    const HostTlsa& said = questions->answers[i];
    std::optional<Error> shortage;
    if (could_not_ask(aliases[i])) shortage = aliases[i].error();
    if (could_not_ask(said.of_canonical)) shortage = said.of_canonical.error();
    if (could_not_ask(said.of_name)) shortage = said.of_name.error();
    if (shortage) {
      route = std::unexpected(own_shortage(*shortage));
      co_return;
    }
    if (host.leads_out) shorten(known, aliases[i]);
    if (is_untold(aliases[i])) {
      host.dane = untold_alias(host.name, aliases[i].error());
      continue;
    }
    if (!is_asked(host, aliases[i])) continue;
    host.dane = dane_of(host, said, known.domain);
    shorten(known, said.of_name);
    if (!host.canonical.empty()) shorten(known, said.of_canonical);
  }
}

}  // namespace todoku::dns
