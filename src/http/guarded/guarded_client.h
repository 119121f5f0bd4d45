// SPDX-License-Identifier: Apache-2.0
// The one client for every host that a tenant or the DNS names. It looks the name up itself, judges
// the addresses, and connects to the one that it has judged, so that a name with another address at
// the next look (rebinding) gains nothing; libcurl resolves nothing here. No redirects, no proxy,
// TLS 1.2 or later with a certificate for the host, everything bounded: time, what is sent, what is
// read, and how many requests go to one destination.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "dns/resolver.h"
#include "http/client.h"
#include "http/guarded/places.h"
#include "http/guarded/target_url.h"
#include "net/outbound_rule.h"

namespace todoku::http {

struct GuardedOptions {
  net::OutboundRule rule;
  std::string ca_file;  // PEM bundle of roots that are trusted beside the system's; may be empty
  std::string user_agent = "todoku";
  // Under way at a time: in all, to one host, to one IPv4 address or IPv6 /64. Of each, one party
  // has at most half, and so have the slow (places.h).
  std::size_t requests_max = 256;
  std::size_t per_host_max = 8;
  std::size_t per_address_max = 32;
};

struct GuardedRequest {
  static constexpr std::size_t kHeaderOctetsMax = std::size_t{16} << 10U;
  static constexpr std::size_t kBodyOctetsMax = std::size_t{1} << 20U;

  std::shared_ptr<const TargetUrl> url;  // needed; its user and password are sent
  std::string method = "POST";
  Headers headers;  // no Authorization, Host or Content-Length: these are made here
  std::string body;
  std::uint64_t party = 0;                // on whose behalf: an account
  Standing standing = Standing::unknown;  // of whoever is asked

  Milliseconds connect_timeout{5'000};              // for each address that is tried
  Milliseconds timeout{15'000};                     // for everything, the look-up included
  std::size_t answer_max = std::size_t{64} << 10U;  // octets read; a longer body is cut there
  std::size_t answer_kept = std::size_t{1} << 10U;  // of these handed over
};

struct GuardedAnswer {
  // Any status is a response. Errors: limit_exceeded (nobody was asked, the places are taken; try
  // again later; nothing else has this kind), unauthorized (the rule, or a certificate that does
  // not prove the host), invalid_input (the request), not_found (no such host), unavailable,
  // timeout, closed, cancelled, io, corrupt.
  Result<ClientResponse> response;
  bool cut = false;  // the body was longer than answer_max
  // Whom we spoke to, for the operator's log; tenants learn nothing of addresses from us.
  std::optional<net::Endpoint> peer;
  Milliseconds took{};
};

class GuardedClient {
 public:
  // The resolver and the clock must outlive the client, and what it has asked the resolver.
  GuardedClient(GuardedOptions options, dns::Resolver& resolver, const Clock& clock);

  // From any executor. A task that is cancelled breaks the request off.
  [[nodiscard]] Task<GuardedAnswer> send(GuardedRequest request);

  [[nodiscard]] const net::OutboundRule& rule() const { return options_.rule; }

 private:
  struct Exchange;
  [[nodiscard]] Task<Result<ClientResponse>> exchange(Exchange& now);
  [[nodiscard]] Task<Result<std::vector<net::IpAddress>>> addresses_of(const Exchange& now);
  [[nodiscard]] Task<Result<ClientResponse>> ask_at(Exchange& now, net::IpAddress address);

  const GuardedOptions options_;
  dns::Resolver& resolver_;
  const Clock& clock_;
  Places all_;
  Places hosts_;
  Places addresses_;
  Client client_;
};

// ---- the pure part -----------------------------------------------------------------------------

// Addresses of one look that are tried at most.
inline constexpr std::size_t kAddressesTriedMax = 3;

// Of what the DNS said of a host, the addresses that are tried, in their order: IPv4 and IPv6 in
// turn. Errors: unauthorized (it has addresses, and none is allowed), not_found, or why neither
// family is known.
[[nodiscard]] Result<std::vector<net::IpAddress>> choose_addresses(
    const Result<dns::Answer<net::IpAddress>>& ipv4,
    const Result<dns::Answer<net::IpAddress>>& ipv6, std::uint16_t port,
    const net::OutboundRule& rule);

}  // namespace todoku::http
