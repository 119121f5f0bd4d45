// SPDX-License-Identifier: Apache-2.0
// How the protection of an attempt's connection fared, in the words of TLS reports (RFC 8460), from
// what is recorded of the attempt. Pure.
#pragma once

#include <optional>

#include "mail/attempt.h"
#include "mail/tls_result.h"

namespace todoku::delivery::policy {

// What the connection had to meet by MTA-STS.
struct TlsAskedBySts {
  bool has_policy = false;  // enforced or on trial
  bool host_named = false;  // the policy names the host that was connected to
};

// Of a connection that went by no TLSA records. nullopt: it did not come to the question of TLS.
[[nodiscard]] std::optional<TlsResult> tls_result(const Outcome& outcome, const Path& path,
                                                  const TlsAskedBySts& asked);

// Of a connection that went by TLSA records (RFC 7672); nullopt: it did not.
[[nodiscard]] std::optional<TlsResult> tls_result_by_dane(const Outcome& outcome, const Path& path);

}  // namespace todoku::delivery::policy
