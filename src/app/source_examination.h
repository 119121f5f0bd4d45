// SPDX-License-Identifier: Apache-2.0
// Asks what doctor/ judges of sending addresses: the DNS about their names and their standing on
// blocklists, and port 25 of others. Everything is bounded: so many hosts, lists and addresses,
// each with a time of its own.
//
// What was learnt counts only if our own resolver passes a check that began after the last answer
// (dns/resolver_check.h); else everything that rests on the DNS is not determined.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/file_pool.h"
#include "async/task.h"
#include "base/clock.h"
#include "config/config.h"
#include "delivery/options.h"
#include "dns/resolver.h"
#include "dns/resolver_health.h"
#include "doctor/blocklist.h"
#include "doctor/finding.h"
#include "doctor/source_identity.h"
#include "net/dialer.h"

namespace todoku::app {

// A source, as receivers see it and as it sends.
struct ExaminedSource {
  doctor::SourceIdentity identity;
  std::optional<net::IpAddress> bind_v4;
  std::optional<net::IpAddress> bind_v6;
  std::shared_ptr<const net::EgressProxy> proxy = nullptr;  // by which it reaches receivers
  bool use_v4 = true;
  bool use_v6 = false;
  // Receivers see one of its addresses, as far as is known.
  [[nodiscard]] bool is_seen() const;
};
// Without those that send through a smarthost, whose own address receivers do not see. `files`: as
// for delivery_options().
[[nodiscard]] std::vector<ExaminedSource> examined_sources(const config::Config& config,
                                                           async::FilePool* files = nullptr);
[[nodiscard]] std::vector<doctor::Blocklist> blocklists_of(const config::Config& config);

struct Examination {
  std::vector<doctor::Finding> findings;
  std::vector<doctor::BlocklistStanding> standings;  // where lists were asked
};

// Outlives its tasks.
class SourceExaminer {
 public:
  struct World {
    dns::Resolver& resolver;
    std::function<Task<dns::CheckFinding>()> check_resolver;
    net::Dialer& dialer;
    const Clock& clock;
  };
  struct Options {
    std::vector<std::string> port_25_hosts;
    Milliseconds connect{std::chrono::seconds(10)};  // of each address
  };
  // All that `world` names outlives it.
  SourceExaminer(World world, Options options)
      : world_(std::move(world)), options_(std::move(options)) {}

  // PTR, confirmation, EHLO name and port 25.
  [[nodiscard]] Task<std::vector<doctor::Finding>> examine(ExaminedSource source);
  // Of all sources on all lists, one list after the other.
  [[nodiscard]] Task<std::vector<doctor::BlocklistStanding>> ask_lists(
      std::vector<ExaminedSource> sources, std::vector<doctor::Blocklist> lists);

 private:
  [[nodiscard]] Task<std::vector<doctor::PortTry>> try_port_25(ExaminedSource source,
                                                               std::string problem);
  [[nodiscard]] Task<doctor::PortTry> try_host(ExaminedSource source, std::string host);

  World world_;
  Options options_;
};

// Of standings as ask_lists() gives them.
[[nodiscard]] std::vector<doctor::Finding> findings_of(
    const std::vector<doctor::BlocklistStanding>& standings,
    const std::vector<doctor::Blocklist>& lists);

}  // namespace todoku::app
