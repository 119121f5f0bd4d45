// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/openssl_ptr.h"

#include <array>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/check.h"

namespace todoku::mailauth::dkim {

void OpensslDeleter::operator()(EVP_PKEY* key) const {
  EVP_PKEY_free(key);
}
void OpensslDeleter::operator()(EVP_PKEY_CTX* context) const {
  EVP_PKEY_CTX_free(context);
}
void OpensslDeleter::operator()(EVP_MD_CTX* context) const {
  EVP_MD_CTX_free(context);
}
void OpensslDeleter::operator()(BIO* bio) const {
  BIO_free_all(bio);
}

PkeyPtr share(EVP_PKEY* key) {
  check(EVP_PKEY_up_ref(key) == 1, "a key's reference count goes up");
  return PkeyPtr(key);
}

const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  check(algorithm != nullptr, "SHA-256 is available");
  return algorithm;
}

std::string take_openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

}  // namespace todoku::mailauth::dkim
