// SPDX-License-Identifier: Apache-2.0
// Where mail for a domain goes (RFC 5321 section 5.1): its hosts in order of preference with their
// addresses, or why there are none. What decides is pure; find_route() is the thin shell that asks.
//
//   MX lookup            then
//   NXDOMAIN             permanent 5.1.2 (once resolver_watch.h believes it)
//   SERVFAIL, time-out   temporary 4.4.3
//   null MX (RFC 7505)   permanent 5.1.10
//   MX without a host    temporary 4.4.4: an IP address for a name, which is a mistake
//   no MX                the domain itself is the host (implicit MX)
//   hosts                without ourselves and those behind us, each with its usable addresses;
//                        none left: temporary 4.4.3 if any look-up failed, else permanent 5.4.6
//                        (only ourselves), temporary 4.4.4 (only addresses that we must not connect
//                        to), or permanent 5.1.2 (no address at all)
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "dns/resolver.h"
#include "mail/cause.h"
#include "mail/reply.h"
#include "mail/tls_plan.h"
#include "net/endpoint.h"

namespace todoku::dns {

// What the TLSA records of a host ask of its certificate (RFC 7672).
struct HostDane {
  DaneDemand demand = DaneDemand::nothing;
  // With proof or encryption: the host's name that they stand under, which is also what TLS asks
  // for (SNI) and the first name that a certificate may have.
  std::string base{};
  std::vector<TlsaRecord> records{};  // with proof
  // With proof, if the records want a name: others that will do (RFC 7672 section 3.2.2).
  std::vector<std::string> other_names{};
  std::string reason{};  // not_answered: why, in a sentence without its full stop
  friend bool operator==(const HostDane&, const HostDane&) = default;
};

struct MailHost {
  std::string name;
  std::uint16_t preference = 0;
  std::vector<net::IpAddress> addresses;  // at least one in a route
  bool secure = false;      // addresses of at least one family were validated by DNSSEC
  std::string canonical{};  // what `name` is an alias of by validated CNAMEs; empty: of nothing
  bool leads_out = false;   // an alias, and not secure: its own CNAME may have been validated yet
  HostDane dane{};
};

struct MailRoute {
  std::string domain;
  std::vector<MailHost> hosts;  // by preference, then by name; at least one
  std::string site;             // the receiving system, for limits and metrics
  bool implicit_mx = false;
  bool secure = false;         // the MX records (or their absence) were validated by DNSSEC
  std::chrono::seconds ttl{};  // how long the route may be used
};

// Why a domain cannot be reached, as data: the recipients' outcome is made of it.
struct Unroutable {
  bool permanent = false;
  EnhancedStatus status;
  std::string reason;  // one sentence for people
  // Permanent only as far as the resolver is to be believed: it rests on what it denied, or on an
  // address that is of no use. Not so what the domain's own records say, such as a null MX.
  bool by_absence = false;
  // Temporary, and nobody else's fault: our own resolver cannot be believed, or we could not even
  // ask.
  bool ours = false;
  Cause cause = Cause::dns_failed;

  // "5.1.2 example.jp does not exist in the DNS": the form of a reply's text.
  [[nodiscard]] std::string text() const { return status.to_string() + " " + reason; }
};

using RouteAnswer = std::expected<MailRoute, Unroutable>;

// The site of `domain` by the rules, its most preferred hosts being `mx_hosts`; nullopt if no rule
// says so. Called from any thread.
using SiteNaming = std::function<std::optional<std::string>(
    std::string_view domain, std::span<const std::string_view> mx_hosts)>;
// Whether TLSA records of a site's hosts are asked for. Called from any thread.
using DaneWish = std::function<bool(std::string_view site)>;

struct RouteOptions {
  // Hosts on loopback, private, link-local and reserved addresses are legitimate receivers (tests,
  // a company's own network). Otherwise anybody could point a domain at our inside.
  bool allow_private_receivers = false;
  // Ourselves: our EHLO and inbound MX names in lower case, and our addresses. Loopback addresses
  // do not count where private receivers are allowed.
  std::set<std::string, std::less<>> own_names;
  std::set<net::IpAddress> own_addresses;
  SiteNaming site_naming;
  DaneWish wants_dane{};  // none: of no site
};

// What find_route() takes instead of a domain for a host that mail is handed to whatever its domain
// (a smarthost): the host's own addresses, without a look at MX or TLSA records. `host`: a name or
// an address. Our operator has named it, so any address will do, and it may be ourselves.
inline constexpr char kHostMark = '=';

// Asks for everything that is needed, addresses of all hosts at once, and decides. Hosts whose
// names and addresses DNSSEC has proven are asked for TLSA records, too (dane_records.h).
// `resolver` and `options` must outlive the task. `domain` is what stands behind the @: A-labels,
// or an address literal in brackets (which is refused).
[[nodiscard]] Task<RouteAnswer> find_route(Resolver& resolver, std::string domain,
                                           const RouteOptions& options);

// ---- the pure parts ----------------------------------------------------------------------------

// Hosts whose addresses are to be asked for.
struct RoutePlan {
  std::vector<MailHost> hosts;  // without addresses
  bool implicit_mx = false;
  bool secure = false;
  std::chrono::seconds ttl{};
  bool cut = false;  // there are more hosts than are looked at
};

using AddressAnswer = Result<Answer<net::IpAddress>>;

// What was said of the addresses of one host. Both families are always asked for: without the
// other one's answer, "has no address at all" could not be told from "is not for us".
struct HostAnswers {
  AddressAnswer ipv4;
  AddressAnswer ipv6;
};

// Of a host that is named instead of a domain.
[[nodiscard]] RoutePlan plan_host(std::string_view host);
// The same of an address, which needs no look-up.
[[nodiscard]] MailRoute route_to(const net::IpAddress& address, const RouteOptions& options);
// By which such a host is judged.
[[nodiscard]] RouteOptions for_host(const RouteOptions& options);

[[nodiscard]] std::expected<RoutePlan, Unroutable> plan_route(std::string_view domain,
                                                              const Result<Answer<MxRecord>>& mx,
                                                              const RouteOptions& options);

// `answers` has one entry for each host of the plan.
[[nodiscard]] RouteAnswer settle_route(std::string_view domain, RoutePlan plan,
                                       std::span<const HostAnswers> answers,
                                       const RouteOptions& options);

// A readable name of a receiving system that no rule names, the same for every domain with these
// hosts: "mx.example.jp", "(mx1|mx2).example.jp", and for many or long names the first with the
// number of the others and a hash: "mx1.example.jp+7~1b2c3d4e". At most 253 octets.
[[nodiscard]] std::string site_of_hosts(std::vector<std::string> hosts);
// Whether such a name says that this host is one of them; of a name with a hash only the first
// does.
[[nodiscard]] bool names_host(std::string_view site, std::string_view host);

// ---- choosing for one connection ---------------------------------------------------------------

// One address to try.
struct Candidate {
  std::string host;
  std::uint16_t preference = 0;
  net::IpAddress address;
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

struct Families {
  bool ipv4 = true;
  bool ipv6 = true;
};

// Whether the route has an address of these families.
[[nodiscard]] bool reaches(const MailRoute& route, Families families);

// Addresses in the order of trying for one new connection of an egress source with `families`:
// by preference, equal ones spread by `random` (RFC 5321 section 5.1). Within one preference every
// host's first address comes before any second one. Empty if the route has no address of these
// families: see no_common_family().
[[nodiscard]] std::vector<Candidate> candidates(const MailRoute& route, Families families,
                                                Random& random);

// The verdict on a route that an egress source cannot reach for lack of an address family. It is
// our limit and not the address's fault, so it is temporary.
[[nodiscard]] Unroutable no_common_family(const MailRoute& route, Families families);

}  // namespace todoku::dns
