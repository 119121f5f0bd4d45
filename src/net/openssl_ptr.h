// SPDX-License-Identifier: Apache-2.0
// Owners of OpenSSL's objects.
#pragma once

#include <memory>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/check.h"

namespace todoku::net {

template <auto free>
struct FreeWith {
  void operator()(auto* object) const { free(object); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;
using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using CertificatePtr = std::unique_ptr<X509, FreeWith<X509_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, FreeWith<SSL_SESSION_free>>;
using HandlePtr = std::unique_ptr<SSL, FreeWith<SSL_free>>;

inline void free_chain(STACK_OF(X509) * chain) {
  sk_X509_pop_free(chain, X509_free);
}
using ChainPtr = std::unique_ptr<STACK_OF(X509), FreeWith<free_chain>>;

// Reads octets that stay the caller's and in place.
[[nodiscard]] inline BioPtr memory_bio(std::string_view octets) {
  BioPtr bio(BIO_new_mem_buf(octets.data(), static_cast<int>(octets.size())));
  check(bio != nullptr, "OpenSSL has memory for a BIO");
  return bio;
}

}  // namespace todoku::net
