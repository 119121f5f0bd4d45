// SPDX-License-Identifier: Apache-2.0
// Everything an operator can set about delivering. app/ fills it from the configuration.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "delivery/policy/backoff.h"
#include "delivery/policy/credit.h"
#include "delivery/policy/pools.h"
#include "delivery/policy/retry.h"
#include "delivery/policy/warm_up.h"
#include "delivery/smarthost.h"
#include "mail/open_token.h"
#include "mail/states.h"
#include "mail/unsubscribe_token.h"
#include "mailauth/dkim/signing_context.h"
#include "net/egress_proxy.h"
#include "net/endpoint.h"
#include "store/suppressions.h"

namespace todoku::delivery {

// One sending address. Sources of one pool share its traffic (policy/pools.h).
struct EgressSource {
  std::string name;
  std::optional<net::IpAddress> bind_v4;  // nullopt: the system chooses
  std::optional<net::IpAddress> bind_v6;
  bool use_v4 = true;
  bool use_v6 = false;
  std::string ehlo;                      // must resolve back to the address (FCrDNS)
  std::optional<Smarthost> smarthost{};  // to which all its mail goes
  // What receivers see, in canonical text, as far as it is known.
  std::vector<std::string> seen_as{};
  // Who connects for it, with an address of its own; nullptr: nobody.
  std::shared_ptr<const net::EgressProxy> proxy = nullptr;
};

// RFC 5321 section 4.5.3.2.
struct SmtpTimeouts {
  std::chrono::seconds connect{30};
  std::chrono::seconds greeting{300};
  std::chrono::seconds hello{300};
  std::chrono::seconds mail{300};
  std::chrono::seconds rcpt{300};
  std::chrono::seconds data_initiation{120};
  std::chrono::seconds data_block{180};
  std::chrono::seconds data_termination{600};
};

struct Options {
  std::vector<EgressSource> sources;  // at least one
  policy::Pools pools;                // which of them sends what
  // Of those that are warming up, by source.
  std::map<std::string, policy::WarmUpPlan, std::less<>> warm_ups{};
  // Keys return paths, Message-IDs and boundaries: the same for the life of the installation.
  std::array<std::uint8_t, 16> instance_secret{};
  std::string return_path_domain;  // MAIL FROM is a token under it
  // It is known to receive mail: relayed messages go out under it, too, and else as their clients
  // said.
  bool return_path_receives = false;
  bool sandbox = false;  // of all accounts, not only of those for trials (policy/sandbox.h)
  std::string message_id_domain;
  int date_offset_minutes = 540;  // of the Date header: +0900
  // Of the image by which it is told that HTML was opened, up to the token (docs/adr/0025). Empty:
  // no mail has one.
  std::string pixel_url;
  std::shared_ptr<const OpenTokens> open_tokens;  // with which URLs end
  // Likewise of the page where recipients of advertisements leave (docs/adr/0031).
  std::string unsubscribe_url;
  std::string unsubscribe_mailto;  // beside it, where such mail is taken; empty: it is not
  std::shared_ptr<const UnsubscribeTokens> unsubscribe_tokens;
  std::uint16_t port = 25;  // where site rules do not say otherwise

  policy::RetryOptions retry_transactional;
  policy::RetryOptions retry_bulk;
  [[nodiscard]] const policy::RetryOptions& retry_of(TrafficClass traffic) const {
    return traffic == TrafficClass::transactional ? retry_transactional : retry_bulk;
  }
  policy::BackoffOptions site_backoff;
  policy::CreditOptions credit;

  // A reservation missed by more than this fails instead of starting late.
  Milliseconds reservation_expiry{std::chrono::hours(24)};
  std::size_t connections_max = 10'000;  // to all receivers together
  // How long a lane begins no connection after one ended for want of something of our own: long
  // beside the life of a connection that may free what is wanted, short for a person.
  Milliseconds own_wait{3'000};
  std::uint32_t unrecorded_max = 256;
  // Orders of other processes (hearing.h); nullopt: there are none.
  std::optional<Milliseconds> orders_heard_within;
  store::ErrorStop error_stop;  // when hard errors stop an address
  // Batches of transactions that bells have brought into memory, of all couriers together: beyond,
  // their bells wait in the queue. The scheduler rings within its credit, but who accepts elsewhere
  // knows of none.
  std::size_t claimed_transactions_max = 20'000;
  // Domains that one courier looks up at the same time, of all batches: beyond, the next of a batch
  // wait.
  std::size_t lookups_at_once = 1'000;
  // Memory in which mails are composed, of all connections together.
  std::size_t composing_bytes = 256U << 20U;
  // How long a mail waits for room in it. Then its connection ends rather than trying the
  // receiver's patience (RFC 5321 section 4.5.3.2.7: five minutes), and its lane opens none for
  // own_wait.
  Milliseconds composing_patience{30'000};
  std::size_t content_cache_bytes = 64U << 20U;
  // A mail that its insert codes make larger is refused instead of made. Intake checks it too, but
  // the content of a draft may grow after its recipients have come.
  std::uint64_t message_octets_max = 10'240'000;
  SmtpTimeouts timeouts;
  mailauth::dkim::RsaArithmetic rsa_arithmetic = mailauth::dkim::RsaArithmetic::openssl;
};

}  // namespace todoku::delivery
