// SPDX-License-Identifier: Apache-2.0
// TLSA records of the hosts of a route (RFC 7672 section 2.2), asked for once, with the route:
//
//   MX records not proven by DNSSEC, or the host's name        nothing is asked: no DANE
//   TLSA: NXDOMAIN, none, not proven                           no DANE
//   TLSA: records                                              mailauth/dane/tlsa.h
//   TLSA: SERVFAIL, forged, time-out, unreadable               the host is not used (section 2.1.2)
//
// They stand under the host's name; if that is an alias all of which DNSSEC has proven, first under
// what it is an alias of (section 2.2.3). An alias that leads out of signed DNS is asked for by
// itself: where that first step is proven, and no more, they stand under the host's name alone
// (section 2.1.3); whoever keeps that step from being told keeps the host from being used.
#pragma once

#include <string>
#include <string_view>

#include "async/task.h"
#include "dns/mail_route.h"
#include "dns/resolver.h"

namespace todoku::dns {

// Asks, and writes MailHost::dane. A route of which we could not even ask becomes one that cannot
// be told (Unroutable::ours). `route` holds a route.
[[nodiscard]] Task<void> ask_for_dane(Resolver& resolver, RouteAnswer& route);

// "_25._tcp.mx.example.jp": RFC 7672 section 2.2.3 has the port of the protocol, whatever the port
// that a rule of ours connects to.
[[nodiscard]] std::string tlsa_name(std::string_view host);

// ---- the pure part -----------------------------------------------------------------------------

using TlsaAnswer = Result<Answer<TlsaRecord>>;

// What `answer`, for the name `base`, means for a host of a route to `domain`.
[[nodiscard]] HostDane dane_of(std::string_view base, const TlsaAnswer& answer,
                               std::string_view domain);

}  // namespace todoku::dns
