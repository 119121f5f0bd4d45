// SPDX-License-Identifier: Apache-2.0
// Owning pointers to the OpenSSL objects that this module uses, and the SHA-256 implementation
// fetched once. Internal to mailauth/dkim.
#pragma once

#include <memory>
#include <string>

#include <openssl/types.h>

namespace todoku::mailauth::dkim {

struct OpensslDeleter {
  void operator()(EVP_PKEY* key) const;
  void operator()(EVP_PKEY_CTX* context) const;
  void operator()(EVP_MD_CTX* context) const;
  void operator()(BIO* bio) const;
};

using PkeyPtr = std::unique_ptr<EVP_PKEY, OpensslDeleter>;
using PkeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, OpensslDeleter>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, OpensslDeleter>;
using BioPtr = std::unique_ptr<BIO, OpensslDeleter>;

// A second owner of `key`.
[[nodiscard]] PkeyPtr share(EVP_PKEY* key);

// OpenSSL 3 looks an EVP_sha256() up by name at every initialisation; this one is resolved once for
// the process.
[[nodiscard]] const EVP_MD* sha256_algorithm();

// The oldest queued OpenSSL error as text ("unknown error" if there is none); empties this thread's
// queue, so that a later call does not report it again.
[[nodiscard]] std::string take_openssl_error();

}  // namespace todoku::mailauth::dkim
