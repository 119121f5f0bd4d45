// SPDX-License-Identifier: Apache-2.0
// One check of the name servers that we ask: do they know zones that must exist, and do they deny
// names that cannot? Each server is asked by itself, so that one that lies is found among honest
// ones, and past our caches, which would answer from better times.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "dns/resolver.h"
#include "dns/resolver_health.h"

namespace todoku::dns {

struct ResolverCheckOptions {
  std::vector<net::Endpoint> servers;             // as UnboundResolver::Options
  std::string resolv_conf = "/etc/resolv.conf";   // read anew by each check
  std::vector<std::string> zones;                 // that must exist, "." for the root
  std::string any_name;                           // asked for if there are no zones
  Milliseconds timeout{std::chrono::seconds(2)};  // of a check
};

// Any answer at all passes if there are no zones; then nothing can be said about lies.
[[nodiscard]] Task<CheckFinding> check_resolver(ResolverCheckOptions options, const Clock& clock);

// ---- the pure parts ----------------------------------------------------------------------------

// What one server said about one zone.
struct ZoneAnswers {
  std::string zone;
  Result<Answer<std::string>> name_servers;  // NS: every zone has some
  std::string impossible_name;               // a random one below it
  Result<Answer<net::IpAddress>> address;    // of that
};
struct ServerAnswers {
  std::string server;  // "192.0.2.53:53", for people
  std::vector<ZoneAnswers> zones;
};

// A server lies that denies a zone, or has an address for most of the impossible names (a zone
// with a wildcard is no lie yet). One liar fails the check; it passes if some server knows a zone.
[[nodiscard]] CheckFinding judge_check(std::span<const ServerAnswers> servers);

// The first addresses that `resolv_conf` names, at most eight; lines without one are passed over.
[[nodiscard]] std::vector<net::Endpoint> servers_of(std::string_view resolv_conf);

}  // namespace todoku::dns
