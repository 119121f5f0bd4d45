// SPDX-License-Identifier: Apache-2.0
// Asks one authoritative server itself, past all caches: over UDP, and over TCP what does not fit
// (RFC 7766).
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "dns/resolver.h"
#include "mailauth/facts/server_answers.h"
#include "net/endpoint.h"

namespace todoku::dns {

struct AskServerOptions {
  Milliseconds attempt{1'500};  // so long answers are waited for before what is open is asked again
  int attempts = 3;
};

// The answer to each question, all asked at once; `failed` with the reason where none came.
// Lasts no longer than all attempts and one more. Nothing is asked recursively.
[[nodiscard]] Task<mailauth::ServerAnswers> ask_server(net::Endpoint server,
                                                       std::vector<mailauth::DnsQuestion> questions,
                                                       AskServerOptions options = {});

// A server of a zone, by the name that the NS record gives.
struct ZoneServer {
  std::string name;
  net::Endpoint at;
};

struct ZoneServers {
  std::string zone;  // where the NS records are: the domain itself or one above it
  std::vector<ZoneServer> servers;
  std::vector<std::string> without_address;  // names of servers that lead nowhere
};

// Of names more are not looked at, and of each no more addresses: of IPv6 only where it has no
// others, for this machine may not have it.
inline constexpr std::size_t kZoneServersMax = 13;
inline constexpr std::size_t kServerAddressesMax = 2;

using AskNameServers = std::function<Task<Result<Answer<std::string>>>(std::string zone)>;

// Who is asked about `domain`: the servers of the nearest domain at or above it that has NS
// records, but for names of one label. `port`: that of the servers. Errors: not_found (none has
// any, and one of them does not exist), unavailable (the resolver denies none, but tells of no NS
// records), and those of the resolver.
[[nodiscard]] Task<Result<ZoneServers>> find_zone_servers(Resolver& resolver,
                                                          AskNameServers name_servers,
                                                          std::string domain, std::uint16_t port);

}  // namespace todoku::dns
