// SPDX-License-Identifier: Apache-2.0
#include "base/sha256_stream.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace todoku {

void Sha256Stream::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) {
  check(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1,
        "SHA-256 is available");
}

void Sha256Stream::add(std::string_view octets) {
  check(EVP_DigestUpdate(context_.get(), octets.data(), octets.size()) == 1,
        "SHA-256 takes octets");
}

Sha256 Sha256Stream::finish() {
  Sha256 digest;
  unsigned size = 0;
  check(EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1, "SHA-256 ends");
  return digest;
}

}  // namespace todoku
