// SPDX-License-Identifier: Apache-2.0
// How connections to a site are protected. The one place that decides; a TlsPlan carries it to the
// connection.
//
//   rule of the site   first                       after a failed handshake
//   opportunistic      TLS if offered, no proof    clear text (RFC 7435: some protection is better
//                                                  than none, none is better than no mail)
//   required           TLS, proof of the MX name   nothing: the mail waits
//   none               clear text                  -
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

[[nodiscard]] TlsPlan tls_plan(TlsPolicy policy);

// What is tried when TLS was agreed on under `plan` and did not work; nullopt: nothing.
[[nodiscard]] std::optional<TlsPlan> plan_after_failed_tls(const TlsPlan& plan);

}  // namespace todoku::delivery::policy
