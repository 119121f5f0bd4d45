// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/tls_results.h"

#include <string>

#include <gtest/gtest.h>

namespace todoku::delivery::policy {
namespace {

using enum TlsResult;

constexpr TlsAskedBySts kNamed{.has_policy = true, .host_named = true};

Outcome ended(Stage stage, Cause cause = Cause::none) {
  return {.state = cause == Cause::none ? RecipientState::delivered : RecipientState::deferred,
          .stage = stage,
          .reply = {},
          .cause = cause};
}
Path over(TlsUse tls, std::string detail) {
  return {.mx_host = "mx.example.jp", .tls = tls, .tls_detail = std::move(detail)};
}
Path unverified(const std::string& why) {
  return over(TlsUse::unverified, "TLSv1.3 TLS_AES_256_GCM_SHA384 (" + why + ")");
}

TEST(TlsResults, AreTheWordsOfTlsReports) {
  const Outcome failed = ended(Stage::starttls, Cause::mta_sts);
  EXPECT_EQ(tls_result(ended(Stage::accepted), over(TlsUse::verified, "TLSv1.3 X"), kNamed),
            successful);
  EXPECT_EQ(tls_result(failed, unverified("certificate has expired"), kNamed), certificate_expired);
  EXPECT_EQ(tls_result(failed, unverified("hostname mismatch"), kNamed), certificate_host_mismatch);
  EXPECT_EQ(tls_result(failed, unverified("self-signed certificate"), kNamed),
            certificate_not_trusted);
  EXPECT_EQ(tls_result(failed, unverified("unable to get local issuer certificate"), kNamed),
            certificate_not_trusted);
  EXPECT_EQ(tls_result(failed, unverified("certificate is not yet valid"), kNamed),
            validation_failure);
  EXPECT_EQ(tls_result(failed, over(TlsUse::none, "STARTTLS not offered"), kNamed),
            starttls_not_supported);
  EXPECT_EQ(tls_result(failed, over(TlsUse::none, "the handshake failed"), kNamed),
            validation_failure);
}

TEST(TlsResults, APolicyOnTrialIsJudgedByTheMailThatWent) {
  const TlsAskedBySts other{.has_policy = true, .host_named = false};
  EXPECT_EQ(tls_result(ended(Stage::accepted), over(TlsUse::verified, "TLSv1.3 X"), other),
            validation_failure);
  EXPECT_EQ(tls_result(ended(Stage::accepted), unverified("hostname mismatch"), kNamed),
            certificate_host_mismatch);
}

TEST(TlsResults, WithoutAPolicyAnyTlsIsASuccess) {
  EXPECT_EQ(tls_result(ended(Stage::accepted), unverified("hostname mismatch"), {}), successful);
  EXPECT_EQ(tls_result(ended(Stage::accepted), over(TlsUse::none, "STARTTLS not offered"), {}),
            starttls_not_supported);
}

TEST(TlsResults, OfTlsaRecordsAreToldApart) {
  const Outcome failed = ended(Stage::starttls, Cause::dane_failed);
  const Outcome gone = ended(Stage::accepted);
  EXPECT_EQ(tls_result_by_dane(gone, over(TlsUse::verified, "TLSv1.3 X (DANE)")), successful);
  EXPECT_EQ(tls_result_by_dane(failed, over(TlsUse::none, "STARTTLS not offered")),
            starttls_not_supported);
  EXPECT_EQ(tls_result_by_dane(failed, over(TlsUse::none, "the handshake failed")),
            validation_failure);
  EXPECT_EQ(tls_result_by_dane(failed, unverified("no matching DANE TLSA records")),
            validation_failure);
  EXPECT_EQ(tls_result_by_dane(failed, unverified("hostname mismatch")), certificate_host_mismatch);
  EXPECT_EQ(tls_result_by_dane(ended(Stage::dns, Cause::tlsa_not_answered), {}), dnssec_invalid);
  EXPECT_EQ(tls_result_by_dane(gone, unverified("self-signed certificate; its TLSA records cannot "
                                                "be used")),
            tlsa_invalid);
  EXPECT_EQ(tls_result_by_dane(gone, unverified("self-signed certificate")), std::nullopt);
}

TEST(TlsResults, WhatDidNotComeSoFarSaysNothing) {
  EXPECT_EQ(tls_result(ended(Stage::connect, Cause::unreachable), over(TlsUse::none, ""), kNamed),
            std::nullopt);
  EXPECT_EQ(tls_result(ended(Stage::none, Cause::suppressed), {}, kNamed), std::nullopt);
  EXPECT_EQ(tls_result(ended(Stage::dns, Cause::mta_sts), {}, {.has_policy = true}),
            validation_failure)
      << "its policy names none of its hosts";
}

}  // namespace
}  // namespace todoku::delivery::policy
