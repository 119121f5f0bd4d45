// SPDX-License-Identifier: Apache-2.0
// How the protection of an attempt's connection fared, in the words of TLS reports (RFC 8460
// section 4.3).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace todoku {

// What it had to meet. Stored as these numbers: never renumber.
enum class TlsPolicyType : std::uint8_t { no_policy_found = 0, sts = 1, tlsa = 2 };

// Stored as these numbers: never renumber.
enum class TlsResult : std::uint8_t {
  successful = 0,
  starttls_not_supported = 1,
  certificate_host_mismatch = 2,
  certificate_expired = 3,
  certificate_not_trusted = 4,
  validation_failure = 5,  // any other
  tlsa_invalid = 6,
  dnssec_invalid = 7,
  dane_required = 8,
  sts_policy_fetch_error = 9,
  sts_policy_invalid = 10,
  sts_webpki_invalid = 11,
};

inline constexpr std::array kTlsResults = {
    TlsResult::successful,
    TlsResult::starttls_not_supported,
    TlsResult::certificate_host_mismatch,
    TlsResult::certificate_expired,
    TlsResult::certificate_not_trusted,
    TlsResult::validation_failure,
    TlsResult::tlsa_invalid,
    TlsResult::dnssec_invalid,
    TlsResult::dane_required,
    TlsResult::sts_policy_fetch_error,
    TlsResult::sts_policy_invalid,
    TlsResult::sts_webpki_invalid,
};

// "sts", "no-policy-found"; "unknown" for a number of a newer version.
[[nodiscard]] std::string_view to_string(TlsPolicyType type);
// "successful", "starttls-not-supported"; "unknown" likewise.
[[nodiscard]] std::string_view to_string(TlsResult result);

}  // namespace todoku
