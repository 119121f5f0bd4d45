// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/bn.h>

#include "base/random.h"
#include "mailauth/rsa/bignum.h"
#include "mailauth/rsa/emulation.h"
#include "mailauth/rsa/private_key.h"
#include "mailauth/rsa/test_seed.h"

namespace todoku::mailauth::rsa {
namespace {

// The emulation runs everywhere; what the processor's own instructions make of the same source is
// compared with it at the end.
using Emulated = Arithmetic<EmulatedLanes>;
using EmulatedNumbers = Emulated::Numbers;
using EmulatedModuli = Emulated::Moduli;

BN_CTX* bn_context() {
  static BN_CTX* const context = BN_CTX_new();
  return context;
}

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
void put(std::array<WordColumn, Digits>& numbers, std::size_t slot, const BIGNUM* number) {
  for (std::size_t i = 0; i < Digits; ++i) {
    std::uint64_t digit = 0;
    for (unsigned bit = 0; bit < kDigitBits; ++bit) {
      digit |= std::uint64_t(BN_is_bit_set(number, static_cast<int>(i * kDigitBits + bit))) << bit;
    }
    numbers[i].of[slot] = digit;
  }
}

template <std::size_t Digits>
Bignum get(const std::array<WordColumn, Digits>& numbers, std::size_t slot) {
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
  void expect_product(const EmulatedNumbers& got, std::size_t slot, const BIGNUM* a,
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

  EmulatedModuli moduli;
  std::vector<Bignum> values;
  std::vector<Bignum> r_inverse;
};

TEST(RsaArithmetic, MultiplyAndSquareAgreeWithOpenssl) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  SeededRandom random(seed);
  for (int round = 0; round < 40 && !HasFailure(); ++round) {
    const World world(random);
    EmulatedNumbers a;
    EmulatedNumbers b;
    std::vector<Bignum> as;
    std::vector<Bignum> bs;
    for (std::size_t slot = 0; slot < kTogether; ++slot) {
      as.push_back(world.factor(random, slot));
      bs.push_back(world.factor(random, slot));
      put(a, slot, as.back().get());
      put(b, slot, bs.back().get());
    }
    EmulatedNumbers product;
    EmulatedNumbers squared;
    Emulated::multiply(product, a, b, world.moduli);
    Emulated::square(squared, a, world.moduli);
    Emulated::multiply(b, a, b, world.moduli);  // onto a factor
    Emulated::square(a, a, world.moduli);
    for (std::size_t slot = 0; slot < kTogether; ++slot) {
      world.expect_product(product, slot, as[slot].get(), bs[slot].get());
      world.expect_product(squared, slot, as[slot].get(), as[slot].get());
      EXPECT_EQ(BN_cmp(get(a, slot).get(), get(squared, slot).get()), 0);
      EXPECT_EQ(BN_cmp(get(b, slot).get(), get(product, slot).get()), 0);
    }
  }
}

TEST(RsaArithmetic, PowersAgreeWithOpensslForEveryKindOfExponent) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  SeededRandom random(seed);
  const World world(random);
  Emulated::WideNumbers input;
  Emulated::Exponents exponents;
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
  EmulatedNumbers residues;
  const auto scratch = std::make_unique<EightOperations>();
  Emulated::to_residue(residues, input, *scratch, world.moduli);
  Emulated::exponentiate(residues, residues, *scratch, exponents, world.moduli);
  Emulated::from_residue(residues, residues, *scratch, world.moduli);
  for (std::size_t slot = 0; slot < kTogether; ++slot) {
    EXPECT_EQ(BN_cmp(get(residues, slot).get(), powers[slot].get()), 0) << "slot " << slot;
  }
}

TEST(RsaArithmetic, AMultipleOfTheModulusIsNothing) {
  SeededRandom random(7);
  const World world(random);
  Emulated::WideNumbers input;
  for (std::size_t slot = 0; slot < kTogether; ++slot) {
    Bignum multiple(BN_dup(world.values[slot].get()));
    BN_mul_word(multiple.get(), slot);
    put(input, slot, multiple.get());
  }
  EmulatedNumbers residues;
  const auto scratch = std::make_unique<EightOperations>();
  Emulated::to_residue(residues, input, *scratch, world.moduli);
  Emulated::from_residue(residues, residues, *scratch, world.moduli);
  for (std::size_t slot = 0; slot < kTogether; ++slot) {
    EXPECT_TRUE(BN_is_zero(get(residues, slot).get())) << "slot " << slot;
  }
}

// Of any digits at all, carries that no honest number has included, the processor makes what the
// emulation makes, in the scratch too.
TEST(RsaArithmetic, TheProcessorComputesWhatTheEmulationDoes) {
  Compute* const fastest = fastest_arithmetic();
  if (fastest == nullptr) GTEST_SKIP() << "this processor has no AVX-512 IFMA";
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  SeededRandom random(seed);
  const auto mine = std::make_unique<EightOperations>();
  const auto other = std::make_unique<EightOperations>();
  for (int round = 0; round < 4; ++round) {
    constexpr std::size_t kWords = sizeof(EightOperations) / sizeof(std::uint64_t);
    auto* const words = reinterpret_cast<std::uint64_t*>(mine.get());
    for (std::size_t i = 0; i < kWords; ++i) {
      words[i] = random.below(4) == 0 ? kDigitMask : random.next() & kDigitMask;
    }
    for (auto* exponents : {&mine->p.exponents, &mine->q.exponents}) {
      for (WordColumn& column : *exponents) {
        for (std::uint64_t& word : column.of) word = random.next();
      }
    }
    std::memcpy(other.get(), mine.get(), sizeof *mine);
    (*fastest)(*mine);
    compute_with_emulation(*other);
    EXPECT_EQ(std::memcmp(mine.get(), other.get(), sizeof *mine), 0) << round;
  }
}

}  // namespace
}  // namespace todoku::mailauth::rsa
