// SPDX-License-Identifier: Apache-2.0
#include "mailauth/rsa/key_check.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "mailauth/rsa/bignum.h"

namespace todoku::mailauth::rsa {
namespace {

constexpr std::string_view kNoMemory = "there is no memory to check it";

bool is_positive(const Bignum& number) {
  return number != nullptr && BN_is_zero(number.get()) == 0 && BN_is_negative(number.get()) == 0;
}

// What is asked of one prime and of the exponent that belongs to it.
struct SaidOfPrime {
  std::string_view prime_odd;
  std::string_view prime_short;
  std::string_view exponent;
  std::string_view whole_exponent;
};
constexpr SaidOfPrime kOfP{"p is not odd", "p is shorter than a third of the modulus",
                           "dP times e is not 1 modulo p - 1", "d times e is not 1 modulo p - 1"};
constexpr SaidOfPrime kOfQ{"q is not odd", "q is shorter than a third of the modulus",
                           "dQ times e is not 1 modulo q - 1", "d times e is not 1 modulo q - 1"};

// a * b = 1 modulo m
std::optional<bool> is_inverse(const BIGNUM* a, const BIGNUM* b, const BIGNUM* m, BN_CTX* context) {
  const Bignum product(BN_new());
  if (!product || BN_mod_mul(product.get(), a, b, m, context) != 1) return std::nullopt;
  return BN_is_one(product.get()) == 1;
}

std::optional<std::string_view> wrong_prime(const BIGNUM* prime, const BIGNUM* exponent,
                                            const BIGNUM* e, const BIGNUM* d, int modulus_bits,
                                            const SaidOfPrime& said, BN_CTX* context) {
  if (BN_is_odd(prime) == 0) return said.prime_odd;
  if (3 * BN_num_bits(prime) < modulus_bits) return said.prime_short;
  const Bignum less(BN_dup(prime));
  if (!less || BN_sub_word(less.get(), 1) != 1) return kNoMemory;
  BN_set_flags(less.get(), BN_FLG_CONSTTIME);
  if (BN_cmp(exponent, less.get()) >= 0) return said.exponent;
  const auto fits = is_inverse(exponent, e, less.get(), context);
  const auto whole_fits = is_inverse(d, e, less.get(), context);
  if (!fits || !whole_fits) return kNoMemory;
  if (!*fits) return said.exponent;
  if (!*whole_fits) return said.whole_exponent;
  return std::nullopt;
}

}  // namespace

Bignum part(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return nullptr;
  BN_set_flags(number, BN_FLG_CONSTTIME);
  return Bignum(number);
}

KeyParts parts_of(const EVP_PKEY* key) {
  return {.n = part(key, OSSL_PKEY_PARAM_RSA_N),
          .e = part(key, OSSL_PKEY_PARAM_RSA_E),
          .d = part(key, OSSL_PKEY_PARAM_RSA_D),
          .p = part(key, OSSL_PKEY_PARAM_RSA_FACTOR1),
          .q = part(key, OSSL_PKEY_PARAM_RSA_FACTOR2),
          .p_exponent = part(key, OSSL_PKEY_PARAM_RSA_EXPONENT1),
          .q_exponent = part(key, OSSL_PKEY_PARAM_RSA_EXPONENT2),
          .q_inverse = part(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1),
          .third_prime = part(key, OSSL_PKEY_PARAM_RSA_FACTOR3)};
}

std::optional<std::string_view> wrong_part(const KeyParts& key) {
  const auto& [n, e, d, p, q, p_exponent, q_exponent, q_inverse, third_prime] = key;
  if (is_positive(third_prime)) return "it has more than two primes";
  if (!is_positive(n) || !is_positive(e) || !is_positive(d)) return "n, e or d is missing";
  if (!is_positive(p) || !is_positive(q)) return "the primes p and q are missing";
  if (!is_positive(p_exponent) || !is_positive(q_exponent) || !is_positive(q_inverse)) {
    return "dP, dQ or qInv is missing";
  }
  const BignumContext context(BN_CTX_secure_new());
  const Bignum product(BN_new());
  if (!context || !product || BN_mul(product.get(), p.get(), q.get(), context.get()) != 1) {
    return kNoMemory;
  }
  if (BN_cmp(product.get(), n.get()) != 0) return "p times q is not the modulus n";
  if (BN_cmp(p.get(), q.get()) == 0) return "p and q are the same";
  const int bits = BN_num_bits(n.get());
  if (const auto wrong =
          wrong_prime(p.get(), p_exponent.get(), e.get(), d.get(), bits, kOfP, context.get())) {
    return wrong;
  }
  if (const auto wrong =
          wrong_prime(q.get(), q_exponent.get(), e.get(), d.get(), bits, kOfQ, context.get())) {
    return wrong;
  }
  const auto fits = is_inverse(q_inverse.get(), q.get(), p.get(), context.get());
  if (!fits) return kNoMemory;
  if (!*fits || BN_cmp(q_inverse.get(), p.get()) >= 0) return "qInv times q is not 1 modulo p";
  return std::nullopt;
}

std::optional<std::string_view> wrong_part(const EVP_PKEY* key) {
  return wrong_part(parts_of(key));
}

}  // namespace todoku::mailauth::rsa
