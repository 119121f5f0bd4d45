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
// What the receiver's TLSA records (DANE, RFC 7672) demand comes before that, but for `none`:
//
//   proof              TLS, what the records name  nothing: the mail waits
//   encryption         TLS; a name if the rule is `required`   nothing: the mail waits
//   not_answered       such a host is not connected to
//
// So does an MTA-STS policy that the recipient's domain enforces (RFC 8461), behind a proof by TLSA
// records (section 2): TLS, proof of the MX name, or the mail waits.
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

// `dane` is not not_answered, unless may_connect(). `mta_sts`: the recipient's domain enforces a
// policy.
[[nodiscard]] TlsPlan tls_plan(TlsPolicy policy, DaneDemand dane = DaneDemand::nothing,
                               bool mta_sts = false);

// Whether a host may be connected to at all: RFC 7672 section 2.1.2 forbids it while nobody can
// tell whether it has TLSA records, or whoever suppresses the answer would be rid of them.
[[nodiscard]] bool may_connect(TlsPolicy policy, DaneDemand dane);

// Whether a host may be used for mail of a domain that enforces an MTA-STS policy: one that the
// policy does not name has to be proven by TLSA records.
[[nodiscard]] inline bool may_use_host(bool named_by_mta_sts, DaneDemand dane) {
  return named_by_mta_sts || dane == DaneDemand::proof;
}

// What is tried when TLS was agreed on under `plan` and did not work; nullopt: nothing.
[[nodiscard]] std::optional<TlsPlan> plan_after_failed_tls(const TlsPlan& plan);

}  // namespace todoku::delivery::policy
