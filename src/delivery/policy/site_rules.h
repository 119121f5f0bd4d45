// SPDX-License-Identifier: Apache-2.0
// What we allow ourselves at a receiving site, as data: which hosts and domains belong to which
// site, and how many connections, messages and messages a second a lane to it may use.
//
// A rule file is TOML: the table `defaults` and one table for each site.
//
//   [defaults]
//   connections_max = 10
//
//   [google]                                # the site's name in logs, metrics and the console
//   provider = "Google"                     # for people
//   mx_suffixes = ["google.com"]            # this MX host and every host below it
//   connections_max = 5
//
//   [bank]
//   domains = ["bank.example", "*.bank.example"]   # recipient domains; win over MX suffixes
//   tls = "required"
//
// The keys are declared in site_keys.h.
//
// Layers are laid one over the other (the shipped rules/sites.toml, then the operator's): a later
// layer changes the keys that it names, and a pattern that it claims leaves the site of before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "delivery/policy/tls_policy.h"

namespace todoku::delivery::policy {

// The limits of one lane, that is of one egress source at one site.
struct SiteLimits {
  std::uint32_t connections_max = 10;
  std::uint32_t messages_per_connection = 100;
  double messages_per_second = 0;  // 0: as fast as the receiver answers
  std::chrono::seconds idle{5};    // how long an idle connection is kept open
  // Begin gently and go by the answers, up to these limits (adaptive_pace.h); else always at them.
  bool adaptive = true;
  TlsPolicy tls = TlsPolicy::opportunistic;
  // Hold the hosts to their TLSA records, where DNSSEC proves them.
  bool dane = true;
  bool mta_sts = true;  // go by the MTA-STS policies of recipients' domains
  // Use made of what a receiver offers; site_habits.h finds out by itself what it does not bear.
  bool pipelining = true;
  bool chunking = true;
  std::uint16_t port = 25;
  std::vector<std::chrono::seconds> retry_waits;  // empty: the engine's schedule
  // Of what it answers to a bulk delivery: from so many unknown users on the delivery is held back
  // there. 0: it never is.
  double unknown_users_percent = 0;
  bool complaints = false;  // it sends them (ARF, RFC 5965) to who has asked for it

  friend bool operator==(const SiteLimits&, const SiteLimits&) = default;
};

struct Site {
  std::string name;
  std::string provider;                  // who runs it, for people; may be empty
  std::vector<std::string> mx_suffixes;  // lower case, no leading dot
  std::vector<std::string> domains;      // lower case; "*.x" means everything below x
  std::string source;                    // where its figures come from, for people
  std::string date;                      // when they were last known to be true: "2026-11-29"
  SiteLimits limits;
  // Where each key that is written was written: "connections_max" at "rules/sites.toml:57".
  std::map<std::string, std::string, std::less<>> places = {};
};

// Immutable and so safe to share between threads.
class SiteRules {
 public:
  // One TOML text. `name` stands in error messages ("rules/sites.toml"). `table` is the dotted path
  // of the table that holds the rules, e.g. "sites" within the engine's configuration; empty means
  // the top level; a missing table means no rules.
  struct Layer {
    std::string name;
    std::string text;
    std::string table;
  };

  // No rules: defaults for everybody.
  SiteRules() = default;

  // Later layers win. Errors: invalid_input; the detail has one line for each mistake, up to 20:
  // "sites.toml:12: google.connections_max must be a whole number from 1 to 10000".
  [[nodiscard]] static Result<SiteRules> parse(std::span<const Layer> layers);

  // The site of a recipient domain whose most preferred MX hosts are `mx_hosts` (lower case, no
  // final dot): a rule for the domain, else the one that matches all of these hosts (the longest
  // suffix wins). nullptr if no rule says so: such a site is named by its hosts.
  [[nodiscard]] const Site* find(std::string_view domain,
                                 std::span<const std::string_view> mx_hosts) const;

  // The limits of a site by its name; the defaults for a name without a rule.
  [[nodiscard]] const SiteLimits& limits(std::string_view site) const;
  [[nodiscard]] const SiteLimits& defaults() const { return defaults_; }
  // Where the keys of the defaults were written.
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& places_of_defaults() const {
    return default_places_;
  }
  // Sorted by name.
  [[nodiscard]] const std::map<std::string, Site, std::less<>>& sites() const { return sites_; }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  // From a pattern to the site's name.
  using Index = std::unordered_map<std::string, std::string, Hash, std::equal_to<>>;

  [[nodiscard]] const std::string* site_of_host(std::string_view host) const;
  [[nodiscard]] const std::string* site_of_domain(std::string_view domain) const;
  void build_index();

  SiteLimits defaults_;
  std::map<std::string, std::string, std::less<>> default_places_;
  std::map<std::string, Site, std::less<>> sites_;
  Index by_suffix_;
  Index by_domain_;
};

}  // namespace todoku::delivery::policy
