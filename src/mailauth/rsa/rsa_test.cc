// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/random.h"
#include "mailauth/rsa/private_key.h"

namespace todoku::mailauth::rsa {
namespace {

struct Free {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Bignum = std::unique_ptr<BIGNUM, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free>;
using Octets = std::array<std::uint8_t, kOctets>;

BN_CTX* bn_context() {
  static BN_CTX* const context = BN_CTX_new();
  return context;
}

std::uint64_t test_seed() {
  const char* const given = std::getenv("TODOKU_SEED");
  return given != nullptr ? std::stoull(given) : std::random_device{}();
}

// ---- arithmetic against OpenSSL's --------------------------------------------------------------

Bignum random_bits(SeededRandom& random, int bits) {
  Bignum number(BN_new());
  // Long runs of ones and zeros find lost carries.
  for (int bit = 0; bit < bits;) {
    const int run = 1 + static_cast<int>(random.below(random.below(8) == 0 ? 200 : 5));
    const bool ones = random.below(2) == 1;
    for (int i = 0; i < run && bit < bits; ++i, ++bit) {
      if (ones) BN_set_bit(number.get(), bit);
    }
  }
  return number;
}

Bignum all_ones(int bits) {
  Bignum number(BN_new());
  BN_set_bit(number.get(), bits);
  BN_sub_word(number.get(), 1);
  return number;
}

template <std::size_t Digits>
void put(std::array<Column, Digits>& numbers, std::size_t slot, const BIGNUM* number) {
  for (std::size_t i = 0; i < Digits; ++i) {
    std::uint64_t digit = 0;
    for (unsigned bit = 0; bit < kDigitBits; ++bit) {
      digit |= std::uint64_t(BN_is_bit_set(number, static_cast<int>(i * kDigitBits + bit))) << bit;
    }
    numbers[i].of[slot] = digit;
  }
}

template <std::size_t Digits>
Bignum get(const std::array<Column, Digits>& numbers, std::size_t slot) {
  Bignum number(BN_new());
  for (std::size_t i = Digits; i-- > 0;) {
    EXPECT_LT(numbers[i].of[slot], std::uint64_t{1} << kDigitBits) << "digit " << i;
    BN_lshift(number.get(), number.get(), kDigitBits);
    BN_add_word(number.get(), numbers[i].of[slot]);
  }
  return number;
}

constexpr int kRBits = kDigits * kDigitBits;

// Eight odd moduli: the largest there is, the smallest of 1,024 bits, and others.
struct World {
  explicit World(SeededRandom& random) {
    for (std::size_t slot = 0; slot < kTogether; ++slot) {
      Bignum m = slot == 0 ? all_ones(1024) : random_bits(random, slot == 3 ? 900 : 1024);
      if (slot == 1) BN_zero(m.get());
      if (slot == 1) BN_set_bit(m.get(), 1023);
      BN_set_bit(m.get(), slot == 3 ? 899 : 1023);
      BN_set_bit(m.get(), 0);
      put(moduli.value, slot, m.get());
      Bignum r_squared(BN_new());
      BN_set_bit(r_squared.get(), 2 * kRBits);
      BN_nnmod(r_squared.get(), r_squared.get(), m.get(), bn_context());
      put(moduli.r_squared, slot, r_squared.get());
      Bignum two_52(BN_new());
      BN_set_bit(two_52.get(), kDigitBits);
      Bignum inverse(BN_mod_inverse(nullptr, m.get(), two_52.get(), bn_context()));
      BN_sub(inverse.get(), two_52.get(), inverse.get());
      moduli.inverse.of[slot] = BN_get_word(inverse.get());
      Bignum r(BN_new());
      BN_set_bit(r.get(), kRBits);
      r_inverse.emplace_back(BN_mod_inverse(nullptr, r.get(), m.get(), bn_context()));
      values.push_back(std::move(m));
    }
  }
  // Below 4m, its limits included.
  Bignum factor(SeededRandom& random, std::size_t slot) const {
    Bignum limit(BN_dup(values[slot].get()));
    BN_lshift(limit.get(), limit.get(), 2);
    const auto choice = random.below(8);
    if (choice == 0) BN_sub_word(limit.get(), 1);
    if (choice == 0) return limit;
    Bignum factor = random_bits(random, 1026);
    if (choice == 1) BN_zero(factor.get());
    if (choice == 2) BN_one(factor.get());
    BN_nnmod(factor.get(), factor.get(), limit.get(), bn_context());
    return factor;
  }
  void expect_product(const Numbers& got, std::size_t slot, const BIGNUM* a,
                      const BIGNUM* b) const {
    const Bignum number = get(got, slot);
    Bignum twice(BN_dup(values[slot].get()));
    BN_lshift1(twice.get(), twice.get());
    EXPECT_LT(BN_cmp(number.get(), twice.get()), 0);
    Bignum expected(BN_new());
    BN_mod_mul(expected.get(), a, b, values[slot].get(), bn_context());
    BN_mod_mul(expected.get(), expected.get(), r_inverse[slot].get(), values[slot].get(),
               bn_context());
    Bignum residue(BN_new());
    BN_nnmod(residue.get(), number.get(), values[slot].get(), bn_context());
    EXPECT_EQ(BN_cmp(residue.get(), expected.get()), 0) << "slot " << slot;
  }

  Moduli moduli;
  std::vector<Bignum> values;
  std::vector<Bignum> r_inverse;
};

class RsaNumbers : public testing::Test {
 protected:
  void SetUp() override {
    if (!vectors_available()) GTEST_SKIP() << "this processor has no AVX-512 IFMA";
  }
};
using RsaPrivateKey = RsaNumbers;

TEST_F(RsaNumbers, MultiplyAndSquareAgreeWithOpenssl) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  SeededRandom random(seed);
  for (int round = 0; round < 40 && !HasFailure(); ++round) {
    const World world(random);
    Numbers a;
    Numbers b;
    std::vector<Bignum> as;
    std::vector<Bignum> bs;
    for (std::size_t slot = 0; slot < kTogether; ++slot) {
      as.push_back(world.factor(random, slot));
      bs.push_back(world.factor(random, slot));
      put(a, slot, as.back().get());
      put(b, slot, bs.back().get());
    }
    Numbers product;
    Numbers squared;
    multiply(product, a, b, world.moduli);
    square(squared, a, world.moduli);
    multiply(b, a, b, world.moduli);  // onto a factor
    square(a, a, world.moduli);
    for (std::size_t slot = 0; slot < kTogether; ++slot) {
      world.expect_product(product, slot, as[slot].get(), bs[slot].get());
      world.expect_product(squared, slot, as[slot].get(), as[slot].get());
      EXPECT_EQ(BN_cmp(get(a, slot).get(), get(squared, slot).get()), 0);
      EXPECT_EQ(BN_cmp(get(b, slot).get(), get(product, slot).get()), 0);
    }
  }
}

TEST_F(RsaNumbers, PowersAgreeWithOpensslForEveryKindOfExponent) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  SeededRandom random(seed);
  const World world(random);
  WideNumbers input;
  Exponents exponents;
  std::vector<Bignum> bases;
  std::vector<Bignum> powers;
  for (std::size_t slot = 0; slot < kTogether; ++slot) {
    bases.push_back(slot == 0 ? all_ones(2048) : random_bits(random, 2048));
    put(input, slot, bases.back().get());
    // Nothing, one, all ones, only the highest bit, others.
    Bignum exponent = slot == 2 ? all_ones(1024) : random_bits(random, 1024);
    if (slot <= 1) BN_set_word(exponent.get(), slot);
    if (slot == 3) BN_zero(exponent.get());
    if (slot == 3) BN_set_bit(exponent.get(), 1023);
    for (std::size_t word = 0; word < kExponentWords; ++word) {
      exponents[word].of[slot] = 0;
      for (int bit = 0; bit < 64; ++bit) {
        exponents[word].of[slot] |=
            std::uint64_t(BN_is_bit_set(exponent.get(), static_cast<int>(word) * 64 + bit)) << bit;
      }
    }
    powers.emplace_back(BN_new());
    BN_mod_exp(powers.back().get(), bases.back().get(), exponent.get(), world.values[slot].get(),
               bn_context());
  }
  Numbers residues;
  to_residue(residues, input, world.moduli);
  exponentiate(residues, residues, exponents, world.moduli);
  from_residue(residues, residues, world.moduli);
  for (std::size_t slot = 0; slot < kTogether; ++slot) {
    EXPECT_EQ(BN_cmp(get(residues, slot).get(), powers[slot].get()), 0) << "slot " << slot;
  }
}

TEST_F(RsaNumbers, AMultipleOfTheModulusIsNothing) {
  SeededRandom random(7);
  const World world(random);
  WideNumbers input;
  for (std::size_t slot = 0; slot < kTogether; ++slot) {
    Bignum multiple(BN_dup(world.values[slot].get()));
    BN_mul_word(multiple.get(), slot);
    put(input, slot, multiple.get());
  }
  Numbers residues;
  to_residue(residues, input, world.moduli);
  from_residue(residues, residues, world.moduli);
  for (std::size_t slot = 0; slot < kTogether; ++slot) {
    EXPECT_TRUE(BN_is_zero(get(residues, slot).get())) << "slot " << slot;
  }
}

// ---- keys --------------------------------------------------------------------------------------

Octets public_operation(EVP_PKEY* key, const Octets& signature) {
  Octets out{};
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  std::size_t size = out.size();
  EXPECT_EQ(EVP_PKEY_encrypt_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING), 1);
  EXPECT_EQ(EVP_PKEY_encrypt(context.get(), out.data(), &size, signature.data(), signature.size()),
            1);
  return out;
}

Octets random_octets(SeededRandom& random) {
  Octets octets{};
  for (auto& octet : octets) octet = static_cast<std::uint8_t>(random.below(256));
  octets[0] = 0;  // below the modulus
  return octets;
}

TEST_F(RsaPrivateKey, EightKeysAtOnceUndoTheirPublicOperation) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  SeededRandom random(seed);
  std::vector<Key> keys;
  std::vector<PrivateKey> numbers;
  for (std::size_t i = 0; i < kTogether; ++i) {
    keys.emplace_back(EVP_RSA_gen(2048U));
    numbers.push_back(PrivateKey::of(keys.back().get()).value());
  }
  for (std::size_t count = 1; count <= kTogether; ++count) {
    std::vector<Octets> inputs(count);
    std::vector<Octets> outputs(count);
    std::vector<PrivateOperation> operations;
    for (std::size_t i = 0; i < count; ++i) {
      inputs[i] = random_octets(random);
      if (i == 3) inputs[i].fill(0);
      operations.push_back({&numbers[i], inputs[i], outputs[i]});
    }
    operate(operations);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(public_operation(keys[i].get(), outputs[i]), inputs[i]) << i + 1 << " of " << count;
    }
  }
}

TEST_F(RsaPrivateKey, OneKeyInEverySlotAndTheLargestInput) {
  const Key key(EVP_RSA_gen(2048U));
  const PrivateKey numbers = PrivateKey::of(key.get()).value();
  BIGNUM* modulus = nullptr;
  ASSERT_EQ(EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_N, &modulus), 1);
  BN_sub_word(modulus, 1);
  std::vector<Octets> inputs(kTogether);
  std::vector<Octets> outputs(kTogether);
  std::vector<PrivateOperation> operations;
  for (std::size_t i = 0; i < kTogether; ++i) {
    BN_bn2binpad(modulus, inputs[i].data(), kOctets);
    BN_sub_word(modulus, 1);
    operations.push_back({&numbers, inputs[i], outputs[i]});
  }
  BN_free(modulus);
  operate(operations);
  for (std::size_t i = 0; i < kTogether; ++i) {
    EXPECT_EQ(public_operation(key.get(), outputs[i]), inputs[i]);
  }
}

TEST(RsaPrivateKeyOf, RefusesWhatItCannotDo) {
  const Key small(EVP_RSA_gen(1024U));
  const Key large(EVP_RSA_gen(3072U));
  const Key edwards(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  EXPECT_FALSE(PrivateKey::of(small.get()));
  EXPECT_FALSE(PrivateKey::of(large.get()));
  EXPECT_FALSE(PrivateKey::of(edwards.get()));

  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_keygen_primes(context.get(), 3), 1);
  ASSERT_EQ(EVP_PKEY_keygen(context.get(), &made), 1);
  const Key three_primes(made);
  EXPECT_FALSE(PrivateKey::of(three_primes.get()));
}

}  // namespace
}  // namespace todoku::mailauth::rsa
