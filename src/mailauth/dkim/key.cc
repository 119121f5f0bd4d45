// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/key.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/bytes.h"
#include "base/check.h"
#include "mailauth/dkim/openssl_ptr.h"
#include "mailauth/rsa/key_check.h"

namespace todoku::mailauth::dkim {
namespace {

constexpr std::size_t kPemOctetsMax = 65'536;

// Without a callback OpenSSL would ask on the terminal for the pass phrase of an encrypted key.
int refuse_passphrase(char*, int, int, void*) {
  return -1;
}

// Signs and verifies a fixed text: a key whose public and private halves differ fails here and not
// at the receivers.
bool halves_match(EVP_PKEY* key, KeyAlgorithm algorithm) {
  constexpr std::string_view kText = "todoku dkim key check";
  const auto text = as_octets(kText);
  const EVP_MD* digest = algorithm == KeyAlgorithm::rsa ? sha256_algorithm() : nullptr;
  std::array<std::uint8_t, kRsaBitsMax / 8> signature{};
  std::size_t size = signature.size();
  const DigestContextPtr signing(EVP_MD_CTX_new());
  const DigestContextPtr verifying(EVP_MD_CTX_new());
  return EVP_DigestSignInit(signing.get(), nullptr, digest, nullptr, key) == 1 &&
         EVP_DigestSign(signing.get(), signature.data(), &size, text.data(), text.size()) == 1 &&
         EVP_DigestVerifyInit(verifying.get(), nullptr, digest, nullptr, key) == 1 &&
         EVP_DigestVerify(verifying.get(), signature.data(), size, text.data(), text.size()) == 1;
}

Result<KeyAlgorithm> supported_algorithm(EVP_PKEY* key) {
  const int type = EVP_PKEY_get_base_id(key);
  if (type == EVP_PKEY_ED25519) return KeyAlgorithm::ed25519;
  if (type != EVP_PKEY_RSA) {
    return fail(ErrorKind::unsupported,
                "the key is neither RSA nor Ed25519, the two kinds that DKIM knows");
  }
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < kRsaBitsMin || bits > kRsaBitsMax) {
    return fail(ErrorKind::unsupported,
                fmt::format("the RSA key has {} bits; DKIM needs {} to {} (2048 is recommended)",
                            bits, kRsaBitsMin, kRsaBitsMax));
  }
  return KeyAlgorithm::rsa;
}

}  // namespace

std::string_view to_string(KeyAlgorithm algorithm) {
  switch (algorithm) {
    case KeyAlgorithm::rsa:
      return "rsa";
    case KeyAlgorithm::ed25519:
      return "ed25519";
  }
  return "unknown";
}

std::string_view signature_algorithm(KeyAlgorithm algorithm) {
  switch (algorithm) {
    case KeyAlgorithm::rsa:
      return "rsa-sha256";
    case KeyAlgorithm::ed25519:
      return "ed25519-sha256";
  }
  return "unknown";
}

Result<SigningKey> SigningKey::from_pem(std::string_view pem) {
  if (pem.size() > kPemOctetsMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("{} octets are too many for a PEM key", pem.size()));
  }
  if (pem.find("ENCRYPTED") != std::string_view::npos) {
    return fail(ErrorKind::invalid_input,
                "the private key is encrypted with a pass phrase; decrypt it first, for example "
                "with `openssl pkey`");
  }
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  PkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, nullptr));
  if (!key) {
    return fail(ErrorKind::invalid_input, fmt::format("not a private key in PEM (PKCS#8 or PKCS#1):"
                                                      " {}",
                                                      take_openssl_error()));
  }
  const auto algorithm = supported_algorithm(key.get());
  if (!algorithm) return fail(algorithm.error());
  if (*algorithm == KeyAlgorithm::rsa) {
    if (const auto wrong = rsa::wrong_part(key.get())) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("the RSA private key is damaged: {}", *wrong));
    }
  }
  if (!halves_match(key.get(), *algorithm)) {
    return fail(ErrorKind::invalid_input, "the private key is damaged: " + take_openssl_error());
  }
  const int bits = *algorithm == KeyAlgorithm::rsa ? EVP_PKEY_get_bits(key.get()) : 256;
  return SigningKey(std::shared_ptr<EVP_PKEY>(std::move(key)), *algorithm, bits);
}

Result<SigningKey> SigningKey::generate(KeyAlgorithm algorithm) {
  const bool rsa = algorithm == KeyAlgorithm::rsa;
  PkeyPtr key(rsa ? EVP_RSA_gen(unsigned{kRsaBitsRecommended})
                  : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!key) {
    return fail(ErrorKind::unavailable, "no key could be made: " + take_openssl_error());
  }
  return SigningKey(std::shared_ptr<EVP_PKEY>(std::move(key)), algorithm,
                    rsa ? kRsaBitsRecommended : 256);
}

SecretText SigningKey::to_pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));  // wipes its memory
  check(PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                      nullptr) == 1,
        "a key in memory can be written as PKCS#8");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return SecretText(std::string(data, static_cast<std::size_t>(size)));
}

std::string SigningKey::public_octets() const {
  if (algorithm_ == KeyAlgorithm::ed25519) {
    std::array<std::uint8_t, 32> raw{};
    std::size_t size = raw.size();
    check(EVP_PKEY_get_raw_public_key(key_.get(), raw.data(), &size) == 1 && size == raw.size(),
          "an Ed25519 key has a raw public key of 32 octets");
    return std::string(as_text(raw));
  }
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &der);
  check(size > 0, "an RSA key has a SubjectPublicKeyInfo");
  std::string octets(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return octets;
}

}  // namespace todoku::mailauth::dkim
