// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/signature.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/digest.h"

namespace todoku::events::webhooks {
namespace {

constexpr std::string_view kHmacPrefix = "whsec_";
constexpr std::string_view kPrivatePrefix = "whsk_";
constexpr std::string_view kPublicPrefix = "whpk_";
constexpr std::string_view kEcdsaPrefix = "whec_";
constexpr const char* kCurve = "prime256v1";  // OpenSSL's name of P-256

// The specification's table under "Signature scheme": 192 to 512 bits.
constexpr std::size_t kHmacOctetsMin = 24;
constexpr std::size_t kHmacOctetsMax = 64;
constexpr std::size_t kHmacOctetsMade = 32;
constexpr std::size_t kKeyOctets = 32;        // of an Ed25519 seed and of a public key
constexpr std::size_t kSignatureOctets = 64;  // of Ed25519 (RFC 8032 section 5.1.6)

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::unexpected<Error> no_secret() {
  return fail(ErrorKind::invalid_input,
              "the secret is none of whsec_, whsk_ or whpk_ with base64 of the right length");
}

// Strict, so that one secret is one text.
std::optional<SecretText> octets_of(std::string_view text) {
  constexpr std::size_t kTextMax = 256;
  if (text.size() > kTextMax) return std::nullopt;
  auto octets = from_base64(text);
  if (!octets) return std::nullopt;
  const SecretText again(to_base64(*octets));
  if (again.view() != text) return std::nullopt;
  return SecretText(std::move(*octets));
}

std::shared_ptr<EVP_PKEY> private_key(std::string_view seed) {
  return {
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, as_octets(seed).data(), seed.size()),
      EVP_PKEY_free};
}

std::shared_ptr<EVP_PKEY> public_key(std::string_view octets) {
  return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, as_octets(octets).data(),
                                      octets.size()),
          EVP_PKEY_free};
}

std::string public_octets(EVP_PKEY* key) {
  std::array<std::uint8_t, kKeyOctets> octets{};
  std::size_t size = octets.size();
  check(EVP_PKEY_get_raw_public_key(key, octets.data(), &size) == 1, "an Ed25519 key has a public");
  return std::string(as_text(octets));
}

// As DER (RFC 5915 section 3). Errors: none of P-256.
std::shared_ptr<EVP_PKEY> ecdsa_key(std::string_view der) {
  const unsigned char* at = as_octets(der).data();
  std::shared_ptr<EVP_PKEY> key(
      d2i_PrivateKey(EVP_PKEY_EC, nullptr, &at, static_cast<long>(der.size())), EVP_PKEY_free);
  if (!key) return nullptr;
  std::array<char, 32> group{};
  std::size_t size = 0;
  const bool is_named = EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), &size) == 1;
  return is_named && std::string_view(group.data(), size) == kCurve ? key : nullptr;
}

SecretText ecdsa_octets(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PrivateKey(key, &der);
  check(size > 0, "a key of P-256 has a DER");
  std::string octets(as_text({der, static_cast<std::size_t>(size)}));
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  return SecretText(std::move(octets));
}

std::string public_der(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  check(size > 0, "a key of P-256 has a public half");
  std::string octets(as_text({der, static_cast<std::size_t>(size)}));
  OPENSSL_free(der);
  return octets;
}

// DER (RFC 3279 section 2.2.3), which has no fixed length.
std::string ecdsa_signature(EVP_PKEY* key, std::string_view content) {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  std::array<std::uint8_t, 128> signature{};
  std::size_t size = signature.size();
  const bool made = context &&
                    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
                    EVP_DigestSign(context.get(), signature.data(), &size,
                                   as_octets(content).data(), content.size()) == 1;
  check(made, "OpenSSL signs with ECDSA");
  return std::string(as_text({signature.data(), size}));
}

std::string ed25519_signature(EVP_PKEY* key, std::string_view content) {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  std::array<std::uint8_t, kSignatureOctets> signature{};
  std::size_t size = signature.size();
  const bool made = context &&
                    EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
                    EVP_DigestSign(context.get(), signature.data(), &size,
                                   as_octets(content).data(), content.size()) == 1;
  check(made && size == kSignatureOctets, "OpenSSL signs with Ed25519");
  return std::string(as_text(signature));
}

bool ed25519_verifies(EVP_PKEY* key, std::string_view signature, std::string_view content) {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  return context && signature.size() == kSignatureOctets &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), as_octets(signature).data(), signature.size(),
                          as_octets(content).data(), content.size()) == 1;
}

std::string content_of(std::string_view id, std::string_view seconds, std::string_view body) {
  std::string content;
  content.reserve(id.size() + seconds.size() + body.size() + 2);
  content.append(id).append(".").append(seconds).append(".").append(body);
  return content;
}

bool may_be_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [](char c) {
    return is_ascii_alphanumeric(c) || c == '_' || c == '-';
  });
}

}  // namespace

Result<SigningSecret> SigningSecret::parse(std::string_view text) {
  const bool is_hmac = text.starts_with(kHmacPrefix);
  const bool is_ecdsa = text.starts_with(kEcdsaPrefix);
  if (!is_hmac && !is_ecdsa && !text.starts_with(kPrivatePrefix)) return no_secret();
  text.remove_prefix(text.find('_') + 1);
  auto octets = octets_of(text);
  if (!octets) return no_secret();
  const std::string_view view = octets->view();
  if (is_hmac) {
    if (view.size() < kHmacOctetsMin || view.size() > kHmacOctetsMax) return no_secret();
    return SigningSecret(SecretKind::hmac, std::move(*octets), nullptr);
  }
  if (is_ecdsa) {
    auto key = ecdsa_key(view);
    if (!key) return no_secret();
    return SigningSecret(SecretKind::ecdsa, std::move(*octets), std::move(key));
  }
  if (view.size() != kKeyOctets && view.size() != 2 * kKeyOctets) return no_secret();
  SecretText seed(std::string(view.substr(0, kKeyOctets)));
  auto key = private_key(seed.view());
  if (!key) return no_secret();
  if (view.size() > kKeyOctets && view.substr(kKeyOctets) != public_octets(key.get())) {
    return no_secret();
  }
  return SigningSecret(SecretKind::ed25519, std::move(seed), std::move(key));
}

SigningSecret SigningSecret::generate(SecretKind kind) {
  if (kind == SecretKind::hmac) return {kind, SecretText(random_octets(kHmacOctetsMade)), nullptr};
  if (kind == SecretKind::ecdsa) {
    std::shared_ptr<EVP_PKEY> made(EVP_EC_gen(kCurve), EVP_PKEY_free);
    check(made != nullptr, "OpenSSL makes keys of P-256");
    SecretText der = ecdsa_octets(made.get());
    return {kind, std::move(der), std::move(made)};
  }
  SecretText seed(random_octets(kKeyOctets));
  auto key = private_key(seed.view());
  check(key != nullptr, "any 32 octets are the seed of an Ed25519 key");
  return {kind, std::move(seed), std::move(key)};
}

SecretText SigningSecret::to_text() const {
  std::string text(kind_ == SecretKind::hmac    ? kHmacPrefix
                   : kind_ == SecretKind::ecdsa ? kEcdsaPrefix
                                                : kPrivatePrefix);
  text.reserve(text.size() + octets_.view().size() * 2);  // no copy of it stays behind
  append_base64(text, octets_.view());
  return SecretText(std::move(text));
}

std::string SigningSecret::public_text() const {
  if (!key_) return {};
  if (kind_ == SecretKind::ecdsa) return to_base64(public_der(key_.get()));
  return std::string(kPublicPrefix) + to_base64(public_octets(key_.get()));
}

std::string SigningSecret::sign(std::string_view signed_content) const {
  if (kind_ == SecretKind::ecdsa) return to_base64(ecdsa_signature(key_.get(), signed_content));
  if (key_) return "v1a," + to_base64(ed25519_signature(key_.get(), signed_content));
  return "v1," + to_base64(as_text(hmac_sha256(octets_.view(), signed_content)));
}

void add_signature(http::Headers& headers, std::span<const SigningSecret> secrets,
                   const CallMark& mark, std::string_view body, const MarkFields& fields) {
  check(may_be_id(mark.id), "the id of a call can be told from what follows it");
  const auto seconds = std::chrono::floor<std::chrono::seconds>(mark.at.time_since_epoch());
  const std::string timestamp = fmt::format("{}", seconds.count());
  const std::string content = content_of(mark.id, timestamp, body);
  std::string signatures;
  for (const SigningSecret& secret : secrets) {
    if (!signatures.empty()) signatures += ' ';
    signatures += secret.sign(content);
  }
  headers.set(fields.id, mark.id);
  headers.set(fields.timestamp, timestamp);
  headers.set(fields.signature, signatures);
}

void add_twilio_signature(http::Headers& headers, std::span<const SigningSecret> secrets,
                          Instant now, std::string_view body) {
  check(!secrets.empty() && secrets.back().kind() == SecretKind::ecdsa,
        "SendGrid's form is signed with ECDSA");
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  const std::string timestamp = fmt::format("{}", seconds.count());
  headers.set(kTwilioSignatureField, secrets.back().sign(timestamp + std::string(body)));
  headers.set(kTwilioTimestampField, timestamp);
}

Result<Verifier> Verifier::parse(std::string_view text) {
  if (text.starts_with(kPublicPrefix)) {
    auto octets = octets_of(text.substr(kPublicPrefix.size()));
    if (!octets || octets->view().size() != kKeyOctets) return no_secret();
    auto key = public_key(octets->view());
    if (!key) return no_secret();
    return Verifier(SecretText(), std::move(key));
  }
  auto secret = SigningSecret::parse(text);
  if (!secret) return fail(secret.error());
  if (secret->kind() == SecretKind::ecdsa) return no_secret();  // is no Standard Webhook's
  return Verifier(std::move(secret->octets_), std::move(secret->key_));
}

Result<void> Verifier::verify(const http::Headers& headers, std::string_view body,
                              Instant now) const {
  const std::string_view id = headers.get(kIdField);
  const std::string_view timestamp = headers.get(kTimestampField);
  std::string_view signatures = headers.get(kSignatureField);
  std::int64_t seconds = 0;
  const char* end = timestamp.data() + timestamp.size();
  const auto [stop, error] = std::from_chars(timestamp.data(), end, seconds);
  // Ten digits last until the year 2286; more would only overflow below.
  const bool is_number = error == std::errc() && stop == end && timestamp.size() <= 10;
  if (id.empty() || !is_number || signatures.empty()) {
    return fail(ErrorKind::invalid_input, "the call has no id, time or signature");
  }
  const auto age = now - Instant(std::chrono::seconds(seconds));
  if (age > kTolerance || age < -kTolerance) {
    return fail(ErrorKind::unauthorized, "the call is too old, or of the future");
  }
  const std::string content = content_of(id, timestamp, body);
  while (!signatures.empty()) {
    const std::size_t space = std::min(signatures.find(' '), signatures.size());
    if (is_signed_by_us(signatures.substr(0, space), content)) return {};
    signatures.remove_prefix(std::min(space + 1, signatures.size()));
  }
  return fail(ErrorKind::unauthorized, "no signature of the call is of this key");
}

bool Verifier::is_signed_by_us(std::string_view signature, std::string_view content) const {
  const std::size_t comma = signature.find(',');
  if (comma == std::string_view::npos) return false;
  const std::string_view version = signature.substr(0, comma);
  if (version != (key_ ? "v1a" : "v1")) return false;
  const auto octets = from_base64(signature.substr(comma + 1));
  if (!octets) return false;
  if (key_) return ed25519_verifies(key_.get(), *octets, content);
  return equal_in_constant_time(*octets, as_text(hmac_sha256(octets_.view(), content)));
}

}  // namespace todoku::events::webhooks
