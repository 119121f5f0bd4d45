// SPDX-License-Identifier: Apache-2.0
#include "mailauth/rsa/key_check.h"

#include <gtest/gtest.h>
#include <openssl/rsa.h>

#include "mailauth/rsa/test_keys.h"

namespace todoku::mailauth::rsa {
namespace {

// What is said of the key when `change` was done to its number `name`.
template <class Change>
std::string said_of(const KeyNumbers& right, const char* name, Change change) {
  KeyNumbers numbers;
  for (const auto& [each, number] : right) numbers[each] = Bignum(BN_dup(number.get()));
  change(numbers[name]);
  return std::string(wrong_part(key_of(numbers).get()).value_or(""));
}

TEST(RsaKeyCheck, TakesWhatOpensslMakes) {
  for (const unsigned bits : {1024U, 2048U}) {
    const TestKey key(EVP_RSA_gen(bits));
    EXPECT_EQ(wrong_part(key.get()).value_or(""), "") << bits;
  }
}

TEST(RsaKeyCheck, NamesThePartThatDoesNotFit) {
  const TestKey key(EVP_RSA_gen(2048U));
  const KeyNumbers right = numbers_of(key.get());
  const auto more = [](Bignum& number) { BN_add_word(number.get(), 2); };
  const auto less = [](Bignum& number) { BN_sub_word(number.get(), 2); };
  EXPECT_EQ(said_of(right, OSSL_PKEY_PARAM_RSA_N, more), "p times q is not the modulus n");
  EXPECT_EQ(said_of(right, OSSL_PKEY_PARAM_RSA_FACTOR1, more), "p times q is not the modulus n");
  EXPECT_EQ(said_of(right, OSSL_PKEY_PARAM_RSA_FACTOR2, less), "p times q is not the modulus n");
  EXPECT_EQ(said_of(right, OSSL_PKEY_PARAM_RSA_EXPONENT1, more),
            "dP times e is not 1 modulo p - 1");
  EXPECT_EQ(said_of(right, OSSL_PKEY_PARAM_RSA_EXPONENT2, less),
            "dQ times e is not 1 modulo q - 1");
  EXPECT_EQ(said_of(right, OSSL_PKEY_PARAM_RSA_D, more), "d times e is not 1 modulo p - 1");
  EXPECT_EQ(said_of(right, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, less),
            "qInv times q is not 1 modulo p");
  // Right modulo p, and more than p: not what eight at a time may be given.
  EXPECT_EQ(said_of(right, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
                    [&](Bignum& number) {
                      BN_add(number.get(), number.get(),
                             right.find(OSSL_PKEY_PARAM_RSA_FACTOR1)->second.get());
                    }),
            "qInv times q is not 1 modulo p");
}

TEST(RsaKeyCheck, NamesWhatIsMissing) {
  const TestKey key(EVP_RSA_gen(2048U));
  KeyNumbers numbers = numbers_of(key.get());
  for (const char* name :
       {OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1}) {
    numbers.erase(name);
  }
  EXPECT_EQ(wrong_part(key_of(numbers).get()), "the primes p and q are missing");
}

TEST(RsaKeyCheck, RefusesPrimesThatAreNone) {
  // 2 * (2^1024 - 105), and a prime of 300 bits beside one of 1,748.
  Bignum even(BN_new());
  BN_set_word(even.get(), 2);
  Bignum large(BN_new());
  BN_set_bit(large.get(), 1024);
  BN_sub_word(large.get(), 105);
  KeyNumbers numbers;
  for (const char* name :
       {OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1}) {
    numbers[name] = Bignum(BN_new());
    BN_set_word(numbers[name].get(), 65'537);
  }
  numbers[OSSL_PKEY_PARAM_RSA_N] = Bignum(BN_new());
  BN_lshift1(numbers[OSSL_PKEY_PARAM_RSA_N].get(), large.get());
  numbers[OSSL_PKEY_PARAM_RSA_FACTOR1] = std::move(large);
  numbers[OSSL_PKEY_PARAM_RSA_FACTOR2] = std::move(even);
  EXPECT_NE(wrong_part(key_of(numbers).get()).value_or(""), "");

  Bignum p(BN_new());
  Bignum q(BN_new());
  ASSERT_EQ(BN_generate_prime_ex(p.get(), 800, 0, nullptr, nullptr, nullptr), 1);
  ASSERT_EQ(BN_generate_prime_ex(q.get(), 224, 0, nullptr, nullptr, nullptr), 1);
  const TestKey unlike = key_of(numbers_from_primes(std::move(p), std::move(q)));
  EXPECT_EQ(wrong_part(unlike.get()), "q is shorter than a third of the modulus");
}

TEST(RsaKeyCheck, RefusesMoreThanTwoPrimes) {
  const std::unique_ptr<EVP_PKEY_CTX, TestDeleter> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_keygen_primes(context.get(), 3), 1);
  ASSERT_EQ(EVP_PKEY_keygen(context.get(), &made), 1);
  const TestKey three_primes(made);
  EXPECT_EQ(wrong_part(three_primes.get()), "it has more than two primes");
}

}  // namespace
}  // namespace todoku::mailauth::rsa
