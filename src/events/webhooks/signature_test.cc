// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/signature.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/bytes.h"

namespace todoku::events::webhooks {
namespace {

// The vectors that the specification's own libraries are tested with.
constexpr std::string_view kHmacSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view kHmacSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
constexpr std::string_view kSeed = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=";
constexpr std::string_view kEd25519Signature =
    "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==";
constexpr std::string_view kBody = R"({"test": 2432232314})";
constexpr Instant kSignedAt = from_epoch_ms(1'614'265'330'000);

SigningSecret secret(std::string_view text) {
  return std::move(SigningSecret::parse(text).value());
}
std::vector<SigningSecret> secrets(std::initializer_list<std::string_view> texts) {
  std::vector<SigningSecret> all;
  for (const std::string_view text : texts) all.push_back(secret(text));
  return all;
}
http::Headers signed_by(std::initializer_list<std::string_view> texts) {
  http::Headers headers;
  add_signature(headers, secrets(texts), {.id = "msg_p5jXN8AQM9LWM0D4loKWxJek", .at = kSignedAt},
                kBody);
  return headers;
}
std::string how(std::string_view key, const http::Headers& headers, std::string_view body = kBody,
                Instant now = kSignedAt) {
  const auto verified = Verifier::parse(key)->verify(headers, body, now);
  return verified ? "ok" : std::string(to_string(verified.error().kind));
}

TEST(WebhookSignature, IsTheOneOfTheSpecification) {
  EXPECT_EQ(signed_by({kHmacSecret}).get("webhook-signature"), kHmacSignature);
  EXPECT_EQ(signed_by({kSeed}).get("webhook-signature"), kEd25519Signature);
  EXPECT_EQ(signed_by({kSeed}).get("webhook-id"), "msg_p5jXN8AQM9LWM0D4loKWxJek");
  EXPECT_EQ(signed_by({kSeed}).get("webhook-timestamp"), "1614265330");
}

TEST(WebhookSignature, IsMadeWithBothSecretsWhileOneIsReplaced) {
  const http::Headers headers = signed_by({kSeed, kHmacSecret});
  EXPECT_EQ(headers.get("webhook-signature"),
            std::string(kEd25519Signature) + " " + std::string(kHmacSignature));
  EXPECT_EQ(how(kHmacSecret, headers), "ok");
  EXPECT_EQ(how(kSeed, headers), "ok");
  EXPECT_EQ(how(secret(kSeed).public_text(), headers), "ok");
  const SigningSecret other = SigningSecret::generate(SecretKind::hmac);
  EXPECT_EQ(how(other.to_text(), headers), "unauthorized");
}

TEST(WebhookSignature, CoversIdTimeAndBody) {
  for (const std::string_view key : {kHmacSecret, kSeed}) {
    http::Headers headers = signed_by({key});
    EXPECT_EQ(how(key, headers), "ok");
    EXPECT_EQ(how(key, headers, "{}"), "unauthorized");
    headers.set("webhook-id", "msg_other");
    EXPECT_EQ(how(key, headers), "unauthorized");
    headers = signed_by({key});
    headers.set("webhook-timestamp", "1614265331");
    EXPECT_EQ(how(key, headers), "unauthorized");
  }
}

TEST(WebhookSignature, IsOfItsTime) {
  using namespace std::chrono_literals;
  const http::Headers headers = signed_by({kHmacSecret});
  EXPECT_EQ(how(kHmacSecret, headers, kBody, kSignedAt + 5min), "ok");
  EXPECT_EQ(how(kHmacSecret, headers, kBody, kSignedAt + 5min + 1s), "unauthorized");
  EXPECT_EQ(how(kHmacSecret, headers, kBody, kSignedAt - 5min), "ok");
  EXPECT_EQ(how(kHmacSecret, headers, kBody, kSignedAt - 5min - 1s), "unauthorized");
}

TEST(WebhookSignature, WhatCannotBeReadIsNone) {
  for (const char* field : {"webhook-id", "webhook-timestamp", "webhook-signature"}) {
    http::Headers headers = signed_by({kHmacSecret});
    headers.remove(field);
    EXPECT_EQ(how(kHmacSecret, headers), "invalid_input") << field;
  }
  for (const char* time : {"hello", "16142653300000000000", "1614265330x", "-1", " 1614265330"}) {
    http::Headers headers = signed_by({kHmacSecret});
    headers.set("webhook-timestamp", time);
    EXPECT_NE(how(kHmacSecret, headers), "ok") << time;
  }
  for (const char* signature : {"v1,", "v1", ",", "v1,g0hM9SsE", "v1,!!!!", " ",
                                "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
                                "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}) {
    http::Headers headers = signed_by({kHmacSecret});
    headers.set("webhook-signature", signature);
    EXPECT_EQ(how(kHmacSecret, headers), "unauthorized") << signature;
    EXPECT_EQ(how(kSeed, headers), "unauthorized") << signature;
  }
}

TEST(SigningSecret, IsReadAndWritten) {
  for (const std::string_view text : {kHmacSecret, kSeed}) {
    EXPECT_EQ(secret(text).to_text(), text);
  }
  for (const SecretKind kind : {SecretKind::hmac, SecretKind::ed25519}) {
    const SigningSecret made = SigningSecret::generate(kind);
    EXPECT_EQ(made.kind(), kind);
    EXPECT_EQ(secret(made.to_text()).kind(), kind);
    EXPECT_EQ(secret(made.to_text()).sign("x"), made.sign("x"));
    EXPECT_NE(SigningSecret::generate(kind).sign("x"), made.sign("x"));
    EXPECT_EQ(made.public_text().empty(), kind == SecretKind::hmac);
  }
}

TEST(SigningSecret, MayHoldThePublicKeyBehindTheSeed) {
  const std::string seed = *from_base64(kSeed.substr(5));
  const std::string known = *from_base64(secret(kSeed).public_text().substr(5));
  EXPECT_EQ(secret("whsk_" + to_base64(seed + known)).to_text(), kSeed);
  EXPECT_FALSE(SigningSecret::parse("whsk_" + to_base64(seed + std::string(32, 'x'))));
}

TEST(SigningSecret, RefusesWhatIsNone) {
  const auto of = [](std::string_view prefix, std::size_t octets) {
    return std::string(prefix) + to_base64(std::string(octets, 'k'));
  };
  EXPECT_TRUE(SigningSecret::parse(of("whsec_", 24)));
  EXPECT_TRUE(SigningSecret::parse(of("whsec_", 64)));
  for (const std::string& text :
       {std::string(), std::string("whsec_"), of("", 32), of("whsec_", 23), of("whsec_", 65),
        of("whsk_", 31), of("whsk_", 33), of("whec_", 32), of("whec_", 121), of("whpk_", 32),
        of("whsec_", 32) + "\n", " " + of("whsec_", 32),
        std::string("whsec_****************************"),
        std::string("whsec_") + std::string(100'000, 'A')}) {
    const auto parsed = SigningSecret::parse(text);
    ASSERT_FALSE(parsed) << text.substr(0, 40);
    EXPECT_EQ(parsed.error().kind, ErrorKind::invalid_input);
    EXPECT_FALSE(parsed.error().detail.contains("a2tra2"));  // base64 of "kkkk..."
  }
  EXPECT_FALSE(Verifier::parse(of("whpk_", 31)));
}

TEST(Signature, StandsInSvixsFieldsWhereTheFormHasThose) {
  http::Headers headers;
  add_signature(headers, secrets({kHmacSecret}),
                {.id = "msg_p5jXN8AQM9LWM0D4loKWxJek", .at = kSignedAt}, kBody, kSvixFields);
  EXPECT_EQ(headers.get("svix-signature"), kHmacSignature);
  EXPECT_EQ(headers.get("svix-id"), "msg_p5jXN8AQM9LWM0D4loKWxJek");
  EXPECT_EQ(headers.get("svix-timestamp"), "1614265330");
  EXPECT_EQ(headers.get(kSignatureField), "");
}

// As a receiver does: the key from the page, DER, over time and body.
bool twilio_verifies(const std::string& public_text, const http::Headers& headers,
                     std::string_view body) {
  const std::string der = from_base64(public_text).value();
  const unsigned char* at = as_octets(der).data();
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())), EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  const std::string signature = from_base64(headers.get(kTwilioSignatureField)).value();
  const std::string content = std::string(headers.get(kTwilioTimestampField)) + std::string(body);
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), as_octets(signature).data(), signature.size(),
                          as_octets(content).data(), content.size()) == 1;
}

TEST(TwilioSignature, VerifiesWithThePublicKeyAsSendGridsLibrariesTakeIt) {
  const SigningSecret made = SigningSecret::generate(SecretKind::ecdsa);
  const SigningSecret read = secret(made.to_text().view());
  EXPECT_EQ(read.kind(), SecretKind::ecdsa);
  EXPECT_EQ(read.public_text(), made.public_text());
  http::Headers headers;
  add_twilio_signature(headers, {&read, 1}, kSignedAt, kBody);
  EXPECT_EQ(headers.get(kTwilioTimestampField), "1614265330");
  EXPECT_TRUE(twilio_verifies(made.public_text(), headers, kBody));
  EXPECT_FALSE(twilio_verifies(made.public_text(), headers, "[]"));
  const SigningSecret other = SigningSecret::generate(SecretKind::ecdsa);
  EXPECT_FALSE(twilio_verifies(other.public_text(), headers, kBody));
  EXPECT_FALSE(Verifier::parse(made.to_text().view()));
}

// Receivers know one key: the one that is replaced, until its time is over.
TEST(TwilioSignature, IsTheOldKeysWhileItIsReplaced) {
  std::vector<SigningSecret> both;
  both.push_back(SigningSecret::generate(SecretKind::ecdsa));
  both.push_back(SigningSecret::generate(SecretKind::ecdsa));
  http::Headers headers;
  add_twilio_signature(headers, both, kSignedAt, kBody);
  EXPECT_FALSE(twilio_verifies(both[0].public_text(), headers, kBody));
  EXPECT_TRUE(twilio_verifies(both[1].public_text(), headers, kBody));
}

}  // namespace
}  // namespace todoku::events::webhooks
