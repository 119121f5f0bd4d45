// SPDX-License-Identifier: Apache-2.0
// How connections to a site are protected. The one place that decides; a TlsPlan carries it to the
// connection.
//
//   rule of the site   first                       after a failed handshake
//   opportunistic      TLS if offered, no proof    clear text (RFC 7435: some protection is better
//                                                  than none, none is better than no mail)
//   required           TLS, proof of the MX name   nothing: the mail waits
//   none               clear text                  -
//
// What the receiver publishes itself goes over the first two, and `none` is the operator's word
// against it: the TLSA records of its host (DANE, RFC 7672), else the MTA-STS policy of the
// recipient's domain (RFC 8461 section 2).
//
//   DANE: proof        TLS, what the records name  nothing: the mail waits
//   MTA-STS            TLS, proof of the MX name   nothing: the mail waits
//   DANE: encryption   TLS, no proof               nothing: the mail waits
//   DANE: not_answered such a host is not connected to
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "mail/tls_plan.h"

namespace todoku::delivery::policy {

// The names are the words of the rule file.
enum class TlsPolicy : std::uint8_t {
  opportunistic,  // verified, else unverified TLS, else clear text; each is recorded
  required,       // TLS with a certificate that proves the host, or the mail waits
  none,           // never STARTTLS: for receivers whose TLS is broken, and for tests
};

[[nodiscard]] std::string_view to_string(TlsPolicy policy);

// What a receiver asks for itself.
struct TlsAsked {
  DaneDemand dane = DaneDemand::nothing;  // by the host's TLSA records
  bool mta_sts = false;                   // by the recipient's domain, whose policy is enforced
};
// `asked.dane` is not not_answered, unless may_connect().
[[nodiscard]] TlsPlan tls_plan(TlsPolicy policy, const TlsAsked& asked = {});
// Whether a host may be used at all for mail of a domain with an enforced MTA-STS policy: one that
// the policy does not name needs DANE for it.
[[nodiscard]] inline bool may_use_host(bool named_by_mta_sts, bool has_dane) {
  return named_by_mta_sts || has_dane;
}

// Whether a host may be connected to at all: RFC 7672 section 2.1.2 forbids it while nobody can
// tell whether it has TLSA records, or whoever suppresses the answer would be rid of them.
[[nodiscard]] bool may_connect(TlsPolicy policy, DaneDemand dane);

// What is tried when TLS was agreed on under `plan` and did not work; nullopt: nothing.
[[nodiscard]] std::optional<TlsPlan> plan_after_failed_tls(const TlsPlan& plan);

}  // namespace todoku::delivery::policy
