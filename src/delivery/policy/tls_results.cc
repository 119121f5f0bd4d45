// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/tls_results.h"

#include <array>
#include <string_view>
#include <utility>

namespace todoku::delivery::policy {
namespace {

// What net/tls says of a certificate, in OpenSSL's words (X509_verify_cert_error_string()).
constexpr std::array kFaults = {
    std::pair{std::string_view("certificate has expired"), TlsResult::certificate_expired},
    std::pair{std::string_view("ostname mismatch"), TlsResult::certificate_host_mismatch},
    std::pair{std::string_view("self-signed"), TlsResult::certificate_not_trusted},
    std::pair{std::string_view("self signed"), TlsResult::certificate_not_trusted},
    std::pair{std::string_view("issuer certificate"), TlsResult::certificate_not_trusted},
};

TlsResult fault_of(std::string_view detail) {
  for (const auto& [words, result] : kFaults) {
    if (detail.contains(words)) return result;
  }
  return TlsResult::validation_failure;
}

bool is_not_supported(std::string_view detail) {
  return detail.contains("STARTTLS not offered") || detail.contains("STARTTLS refused");
}

}  // namespace

std::optional<TlsResult> tls_result(const Outcome& outcome, const Path& path,
                                    const TlsAskedBySts& asked) {
  // No host is named, so none was connected to.
  if (outcome.cause == Cause::mta_sts && path.mx_host.empty()) {
    return TlsResult::validation_failure;
  }
  if (path.mx_host.empty() || outcome.stage < Stage::starttls) return std::nullopt;
  const std::string_view detail = path.tls_detail;
  if (outcome.cause == Cause::no_tls_offered || is_not_supported(detail)) {
    return TlsResult::starttls_not_supported;
  }
  // By our own rule.
  if (detail.contains("switched off") || detail.contains("not wanted")) return std::nullopt;
  // Agreed on, and broken off.
  if (path.tls == TlsUse::none) return TlsResult::validation_failure;
  if (!asked.has_policy) return TlsResult::successful;
  if (!asked.host_named) return TlsResult::validation_failure;
  return path.tls == TlsUse::verified ? TlsResult::successful : fault_of(path.tls_detail);
}

std::optional<TlsResult> tls_result_by_dane(const Outcome& outcome, const Path& path) {
  const std::string_view detail = path.tls_detail;
  if (outcome.cause == Cause::tlsa_not_answered) return TlsResult::dnssec_invalid;
  if (outcome.cause == Cause::dane_failed) {
    if (is_not_supported(detail)) return TlsResult::starttls_not_supported;
    return path.tls == TlsUse::none ? TlsResult::validation_failure : fault_of(detail);
  }
  if (path.tls == TlsUse::verified && detail.ends_with("(DANE)")) return TlsResult::successful;
  // RFC 8460 section 4.3.2.2: none of the records was found to be valid. The mail went all the
  // same.
  if (detail.contains("its TLSA records cannot be used")) return TlsResult::tlsa_invalid;
  return std::nullopt;
}

}  // namespace todoku::delivery::policy
