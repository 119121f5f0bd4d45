// SPDX-License-Identifier: Apache-2.0
#include "app/key_probe.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "dns/questions.h"

namespace todoku::app {
namespace {

using mailauth::DnsQuestion;
using mailauth::FactType;
using mailauth::ServerAnswer;
using mailauth::ServerAnswers;
using operate::SlotFault;
using Told = std::vector<Result<ServerAnswers>>;

std::string shown(const dns::ZoneServer& server) {
  return fmt::format("{} ({})", server.name, server.at.address.to_string());
}

using Ask = decltype(KeyProbe::ask);

Task<Result<ServerAnswers>> ask_it(Ask ask, net::Endpoint server,
                                   std::vector<DnsQuestion> questions) {
  auto answers = co_await ask(server, std::move(questions));
  co_return answers;
}

// All at once; in the order of `servers`.
Task<Told> ask_each(Ask ask, std::vector<dns::ZoneServer> servers,
                    std::vector<DnsQuestion> questions) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto asked = std::make_shared<dns::Questions<Told>>(
      executor, Told(servers.size(), fail(ErrorKind::unavailable, "it was not asked")));
  for (std::size_t i = 0; i < servers.size(); ++i) {
    dns::ask(executor, asked, ask_it(ask, servers[i].at, questions), &asked->answers[i]);
  }
  while (asked->open > 0) co_await asked->answered.wait();
  co_return std::move(asked->answers);
}

struct Faults {
  SlotFault unknown;
  SlotFault silent;
  SlotFault lacks;
};

// What one server says of one name: what it should; something else; nothing.
using Judge = bool (*)(const ServerAnswer& answer, const WantedKey& key);

bool has_record(const ServerAnswer& answer, const WantedKey& key) {
  return answer.is_found() && answer.values.size() == 1 && answer.values.front() == key.record;
}

// Where the provider follows the CNAME itself, the record is what counts.
bool has_alias(const ServerAnswer& answer, const WantedKey& key) {
  return answer.status == ServerAnswer::Status::alias || has_record(answer, key);
}

struct Round {
  std::string domain;  // whose servers are asked
  bool at_alias;       // for the names that the CNAMEs lead to, instead of the CNAMEs
  Judge judge;
  Faults faults;
};

std::string name_in(const Round& round, const WantedKey& key) {
  return round.at_alias ? key.at.alias : key.at.name;
}

KeysSeen judge_server(const Round& round, const std::vector<WantedKey>& keys,
                      const dns::ZoneServer& server, const Result<ServerAnswers>& told) {
  for (const WantedKey& key : keys) {
    const std::string name = name_in(round, key);
    const std::string where = fmt::format("{}, {}", shown(server), name);
    if (!told) return {round.faults.silent, where};
    const auto answer = told->find({.type = FactType::txt, .name = name});
    if (answer == told->end() || !answer->second.is_said()) return {round.faults.silent, where};
    if (!round.judge(answer->second, key)) return {round.faults.lacks, where};
  }
  return {};
}

bool is_referral(const Result<ServerAnswers>& told) {
  return told && std::ranges::any_of(*told, [](const auto& each) {
           return each.second.status == ServerAnswer::Status::lame;
         });
}

// Where the domain's servers refer to others: whose those are. nullopt: nobody's that the resolver
// knows of, so they are lame indeed.
Task<std::optional<dns::ZoneServers>> servers_of_keys(
    const KeyProbe& probe,  // NOLINT(*-reference-coroutine-parameters)
    std::string zone, std::string domain) {
  auto found = co_await dns::find_zone_servers(probe.resolver, probe.name_servers,
                                               "_domainkey." + domain, probe.port);
  if (!found || found->zone.size() <= zone.size()) co_return std::nullopt;
  co_return std::move(*found);
}

Task<KeysSeen> ask_servers_of(
    const KeyProbe& probe,               // NOLINT(*-reference-coroutine-parameters)
    const std::vector<WantedKey>& keys,  // NOLINT(*-reference-coroutine-parameters)
    Round round) {
  auto found =
      co_await dns::find_zone_servers(probe.resolver, probe.name_servers, round.domain, probe.port);
  if (!found) co_return KeysSeen{round.faults.unknown, found.error().detail};
  std::vector<DnsQuestion> questions;
  for (const WantedKey& key : keys) {
    questions.push_back({.type = FactType::txt, .name = name_in(round, key)});
  }
  Told told = co_await ask_each(probe.ask, found->servers, questions);
  if (!round.at_alias && std::ranges::any_of(told, is_referral)) {
    auto below = co_await servers_of_keys(probe, found->zone, round.domain);
    if (below) {
      found = std::move(*below);
      told = co_await ask_each(probe.ask, found->servers, questions);
    }
  }
  if (!found->without_address.empty()) {
    co_return KeysSeen{round.faults.silent, found->without_address.front()};
  }
  for (std::size_t i = 0; i < told.size(); ++i) {
    KeysSeen seen = judge_server(round, keys, found->servers[i], told[i]);
    if (seen.fault != SlotFault::none) co_return seen;
  }
  co_return KeysSeen{};
}

}  // namespace

Task<KeysSeen> look_for_keys(KeyProbe probe, KeyLook look) {
  const Round platform{
      .domain = look.zone,
      .at_alias = true,
      .judge = has_record,
      .faults = {SlotFault::zone_unknown, SlotFault::zone_silent, SlotFault::zone_lacks}};
  KeysSeen seen = co_await ask_servers_of(probe, look.keys, platform);
  if (seen.fault != SlotFault::none) co_return seen;
  const Round domain{
      .domain = look.domain,
      .at_alias = false,
      .judge = has_alias,
      .faults = {SlotFault::alias_unknown, SlotFault::alias_silent, SlotFault::alias_missing}};
  seen = co_await ask_servers_of(probe, look.keys, domain);
  if (seen.fault != SlotFault::none) co_return seen;
  for (const WantedKey& key : look.keys) {
    const auto texts = co_await probe.resolver.txt(key.at.name);
    if (!texts && texts.error().kind != ErrorKind::not_found) {
      // Our resolver, or the way to it, may be what fails: that says nothing of the key.
      co_return KeysSeen{SlotFault::alias_silent,
                         fmt::format("{}: {}", key.at.name, texts.error().detail)};
    }
    const bool is_it = texts && texts->records.size() == 1 && texts->records.front() == key.record;
    if (!is_it) co_return KeysSeen{SlotFault::not_through, key.at.name};
  }
  co_return KeysSeen{};
}

}  // namespace todoku::app
