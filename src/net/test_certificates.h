// SPDX-License-Identifier: Apache-2.0
// For tests: certificates of an authority of their own, made as they are needed, and the records
// that name them in the DNS.
#pragma once

#include <cstdint>
#include <string>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include "base/clock.h"
#include "mail/tlsa_record.h"
#include "net/openssl_ptr.h"
#include "net/self_signed.h"
#include "net/tls.h"

namespace todoku::net {

inline CertificatePtr first_certificate(const std::string& pem) {
  CertificatePtr certificate(PEM_read_bio_X509(memory_bio(pem).get(), nullptr, nullptr, nullptr));
  EXPECT_NE(certificate, nullptr);
  return certificate;
}

inline std::string sha256_of(const unsigned char* der, int octets) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(der, static_cast<std::size_t>(octets), reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

// "usage 0 1": by the SHA-256 of the whole certificate, the first in `pem`.
inline TlsaRecord names_certificate(std::uint8_t usage, const std::string& pem) {
  unsigned char* der = nullptr;
  const int octets = i2d_X509(first_certificate(pem).get(), &der);
  TlsaRecord record{usage, 0, 1, sha256_of(der, octets)};
  OPENSSL_free(der);
  return record;
}

// "usage 1 1": by that of its public key.
inline TlsaRecord names_key(std::uint8_t usage, const std::string& pem) {
  unsigned char* der = nullptr;
  const int octets = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(first_certificate(pem).get()), &der);
  TlsaRecord record{usage, 1, 1, sha256_of(der, octets)};
  OPENSSL_free(der);
  return record;
}

// `identity`, which vouched for itself, with a certificate of `authority` that has its key, names
// and dates, and with the authority's own behind it.
inline TlsIdentity signed_by(const TlsIdentity& authority, const TlsIdentity& identity) {
  const CertificatePtr issuer = first_certificate(authority.chain);
  const CertificatePtr leaf = first_certificate(identity.chain);
  const std::string key_text(authority.private_key.view());
  const KeyPtr key(PEM_read_bio_PrivateKey(memory_bio(key_text).get(), nullptr, nullptr, nullptr));
  EXPECT_EQ(X509_set_issuer_name(leaf.get(), X509_get_subject_name(issuer.get())), 1);
  EXPECT_GT(X509_sign(leaf.get(), key.get(), EVP_sha256()), 0);
  const BioPtr bio(BIO_new(BIO_s_mem()));
  EXPECT_EQ(PEM_write_bio_X509(bio.get(), leaf.get()), 1);
  char* text = nullptr;
  const long octets = BIO_get_mem_data(bio.get(), &text);
  return {.chain = std::string(text, static_cast<std::size_t>(octets)) + authority.chain,
          .private_key = SecretText(std::string(identity.private_key.view()))};
}

}  // namespace todoku::net
