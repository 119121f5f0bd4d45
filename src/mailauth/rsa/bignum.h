// SPDX-License-Identifier: Apache-2.0
// OpenSSL's numbers, owned and wiped when they go. Internal to mailauth/rsa.
#pragma once

#include <memory>

#include <openssl/bn.h>
#include <openssl/types.h>

namespace todoku::mailauth::rsa {

struct BignumDeleter {
  void operator()(BIGNUM* number) const { BN_clear_free(number); }
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};
using Bignum = std::unique_ptr<BIGNUM, BignumDeleter>;
using BignumContext = std::unique_ptr<BN_CTX, BignumDeleter>;

// A number of the key (OSSL_PKEY_PARAM_RSA_...); null: it has none of that name.
[[nodiscard]] Bignum part(const EVP_PKEY* key, const char* name);

// All of them, of a private key, named as in RFC 8017 section 3.2; null where it has
// none.
struct KeyParts {
  Bignum n;
  Bignum e;
  Bignum d;
  Bignum p;
  Bignum q;
  Bignum p_exponent;  // dP
  Bignum q_exponent;  // dQ
  Bignum q_inverse;   // qInv
  Bignum third_prime;
};

[[nodiscard]] KeyParts parts_of(const EVP_PKEY* key);

}  // namespace todoku::mailauth::rsa
