// SPDX-License-Identifier: Apache-2.0
#include "mailauth/rsa/numbers.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <openssl/crypto.h>

// Functions only: the rest of the program must run on processors without these instructions.
#pragma clang attribute push(__attribute__((target("avx512f,avx512ifma"))), apply_to = function)

namespace todoku::mailauth::rsa {
namespace {

constexpr unsigned kWindowBits = 4;
constexpr std::size_t kWindowValues = 1U << kWindowBits;
constexpr unsigned kWindowsInAWord = 64 / kWindowBits;

using Vector = __m512i;

Vector load(const Column& column) {
  return _mm512_load_si512(column.of.data());
}
void store(Column& column, Vector vector) {
  _mm512_store_si512(column.of.data(), vector);
}
Vector zero() {
  return _mm512_setzero_si512();
}
Vector digit_mask() {
  return _mm512_set1_epi64((std::int64_t{1} << kDigitBits) - 1);
}
// sum + the low, or high, 52 bits of a * b; of a and b the low 52 bits count.
Vector add_low(Vector sum, Vector a, Vector b) {
  return _mm512_madd52lo_epu64(sum, a, b);
}
Vector add_high(Vector sum, Vector a, Vector b) {
  return _mm512_madd52hi_epu64(sum, a, b);
}
// (if_set & mask) | (if_clear & ~mask)
Vector choose(Vector mask, Vector if_set, Vector if_clear) {
  return _mm512_ternarylogic_epi64(mask, if_set, if_clear, 0xCA);
}

// Makes digits of sums: carries what is beyond 52 bits, negative carries too. Returns the last.
template <std::size_t Digits>
Vector carry_through(std::array<Column, Digits>& out, const Vector* sums) {
  Vector carry = zero();
  for (std::size_t i = 0; i < Digits; ++i) {
    const Vector sum = _mm512_add_epi64(sums[i], carry);
    carry = _mm512_srai_epi64(sum, kDigitBits);
    store(out[i], _mm512_and_si512(sum, digit_mask()));
  }
  return carry;
}

// a below 2m -> the same below m.
void subtract_if_possible(Numbers& a, const Numbers& m) {
  std::array<Vector, kDigits> sums;
  for (std::size_t i = 0; i < kDigits; ++i) sums[i] = _mm512_sub_epi64(load(a[i]), load(m[i]));
  Numbers less;
  const Vector below_zero = carry_through(less, sums.data());  // all ones or all zeros
  for (std::size_t i = 0; i < kDigits; ++i) {
    store(a[i], choose(below_zero, load(a[i]), load(less[i])));
  }
}

// table[window], reading all of the table.
void select(Numbers& out, const std::array<Numbers, kWindowValues>& table, Vector window) {
  std::array<Vector, kDigits> chosen;
  chosen.fill(zero());
  for (std::size_t value = 0; value < kWindowValues; ++value) {
    const __mmask8 equal =
        _mm512_cmpeq_epi64_mask(window, _mm512_set1_epi64(static_cast<std::int64_t>(value)));
    const Vector mask = _mm512_maskz_set1_epi64(equal, -1);
#pragma clang loop unroll(full)
    for (std::size_t i = 0; i < kDigits; ++i) {
      // chosen | (entry & mask)
      chosen[i] = _mm512_ternarylogic_epi64(chosen[i], load(table[value][i]), mask, 0xF8);
    }
  }
  for (std::size_t i = 0; i < kDigits; ++i) store(out[i], chosen[i]);
}

Numbers one() {
  Numbers numbers{};
  numbers[0].of.fill(1);
  return numbers;
}

}  // namespace

bool vectors_available() {
  // Also asks whether the operating system keeps the registers.
  static const bool available =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512ifma") != 0;
  return available;
}

// Row by row: a times one digit of b, and the multiple of m that makes the lowest digit vanish.
void multiply(Numbers& out, const Numbers& a, const Numbers& b, const Moduli& m) {
  std::array<Vector, kDigits> sum;
  sum.fill(zero());
  for (std::size_t row = 0; row < kDigits; ++row) {
    const Vector digit = load(b[row]);
    sum[0] = add_low(sum[0], load(a[0]), digit);
    const Vector multiple = add_low(zero(), sum[0], load(m.inverse));
    sum[0] = add_low(sum[0], load(m.value[0]), multiple);
    const Vector carry = _mm512_srli_epi64(sum[0], kDigitBits);
#pragma clang loop unroll(full)
    for (std::size_t i = 1; i < kDigits; ++i) {
      Vector next = add_low(sum[i], load(a[i]), digit);
      next = add_low(next, load(m.value[i]), multiple);
      next = add_high(next, load(a[i - 1]), digit);
      sum[i - 1] = add_high(next, load(m.value[i - 1]), multiple);
    }
    sum[0] = _mm512_add_epi64(sum[0], carry);
    sum[kDigits - 1] = add_high(add_high(zero(), load(a[kDigits - 1]), digit),
                                load(m.value[kDigits - 1]), multiple);
  }
  carry_through(out, sum.data());
}

// Products of two different digits are needed twice and made once.
void square(Numbers& out, const Numbers& a, const Moduli& m) {
  std::array<Vector, 2 * kDigits> sum;
  sum.fill(zero());
#pragma clang loop unroll(full)
  for (std::size_t i = 0; i < kDigits; ++i) {
    const Vector digit = load(a[i]);
#pragma clang loop unroll(full)
    for (std::size_t j = i + 1; j < kDigits; ++j) {
      sum[i + j] = add_low(sum[i + j], digit, load(a[j]));
      sum[i + j + 1] = add_high(sum[i + j + 1], digit, load(a[j]));
    }
  }
#pragma clang loop unroll(full)
  for (std::size_t i = 0; i < kDigits; ++i) {
    const Vector digit = load(a[i]);
    sum[2 * i] = add_low(_mm512_add_epi64(sum[2 * i], sum[2 * i]), digit, digit);
    sum[2 * i + 1] = add_high(_mm512_add_epi64(sum[2 * i + 1], sum[2 * i + 1]), digit, digit);
  }
#pragma clang loop unroll(full)
  for (std::size_t row = 0; row < kDigits; ++row) {
    const Vector multiple = add_low(zero(), sum[row], load(m.inverse));
    sum[row] = add_low(sum[row], load(m.value[0]), multiple);
    sum[row + 1] = add_high(sum[row + 1], load(m.value[0]), multiple);
    sum[row + 1] = _mm512_add_epi64(sum[row + 1], _mm512_srli_epi64(sum[row], kDigitBits));
#pragma clang loop unroll(full)
    for (std::size_t i = 1; i < kDigits; ++i) {
      sum[row + i] = add_low(sum[row + i], load(m.value[i]), multiple);
      sum[row + i + 1] = add_high(sum[row + i + 1], load(m.value[i]), multiple);
    }
  }
  carry_through(out, sum.data() + kDigits);
}

// Windows of fixed width from the top. Sixteen powers fit the first-level cache beside the
// operands, thirty-two would not.
void exponentiate(Numbers& out, const Numbers& base, const Exponents& exponents, const Moduli& m) {
  std::array<Numbers, kWindowValues> powers;
  multiply(powers[0], m.r_squared, one(), m);
  powers[1] = base;
  for (std::size_t i = 2; i < kWindowValues; ++i) multiply(powers[i], powers[i - 1], base, m);

  Numbers result = powers[0];
  Numbers factor;
  for (std::size_t word = kExponentWords; word-- > 0;) {
    const Vector bits = load(exponents[word]);
    for (unsigned window = kWindowsInAWord; window-- > 0;) {
      for (unsigned i = 0; i < kWindowBits; ++i) square(result, result, m);
      const Vector index = _mm512_and_si512(
          _mm512_srl_epi64(bits, _mm_cvtsi32_si128(static_cast<int>(window * kWindowBits))),
          _mm512_set1_epi64(kWindowValues - 1));
      select(factor, powers, index);
      multiply(result, result, factor, m);
    }
  }
  out = result;
  OPENSSL_cleanse(powers.data(), sizeof powers);
  OPENSSL_cleanse(&factor, sizeof factor);
  OPENSSL_cleanse(&result, sizeof result);
}

void to_residue(Numbers& out, const WideNumbers& wide, const Moduli& m) {
  Numbers low;
  Numbers high;
  for (std::size_t i = 0; i < kDigits; ++i) {
    low[i] = wide[i];
    high[i] = wide[kDigits + i];
  }
  multiply(low, low, m.r_squared, m);
  multiply(high, high, m.r_squared, m);
  multiply(high, high, m.r_squared, m);
  std::array<Vector, kDigits> sums;
  for (std::size_t i = 0; i < kDigits; ++i) sums[i] = _mm512_add_epi64(load(low[i]), load(high[i]));
  carry_through(out, sums.data());
}

void from_residue(Numbers& out, const Numbers& residue, const Moduli& m) {
  multiply(out, residue, one(), m);
  subtract_if_possible(out, m.value);
}

void recombine(WideNumbers& out, const Numbers& x_p, const Numbers& x_q, const Numbers& q_inverse,
               const Moduli& p, const Moduli& q) {
  Numbers x_q_mod_p;
  multiply(x_q_mod_p, x_q, p.r_squared, p);
  std::array<Vector, kDigits> sums;
  for (std::size_t i = 0; i < kDigits; ++i) {
    const Vector twice = _mm512_add_epi64(load(p.value[i]), load(p.value[i]));
    sums[i] =
        _mm512_sub_epi64(_mm512_add_epi64(load(x_p[i]), twice), load(x_q_mod_p[i]));  // above 0
  }
  Numbers h;
  carry_through(h, sums.data());
  multiply(h, h, q_inverse, p);  // leaves Montgomery form, because q_inverse is not in it
  subtract_if_possible(h, p.value);

  std::array<Vector, 2 * kDigits> wide;
  wide.fill(zero());
  for (std::size_t i = 0; i < kDigits; ++i) wide[i] = load(x_q[i]);
  for (std::size_t i = 0; i < kDigits; ++i) {
    const Vector digit = load(h[i]);
    for (std::size_t j = 0; j < kDigits; ++j) {
      wide[i + j] = add_low(wide[i + j], digit, load(q.value[j]));
      wide[i + j + 1] = add_high(wide[i + j + 1], digit, load(q.value[j]));
    }
  }
  carry_through(out, wide.data());
}

}  // namespace todoku::mailauth::rsa

#pragma clang attribute pop

#else

#include "base/check.h"

namespace todoku::mailauth::rsa {

bool vectors_available() {
  return false;
}

namespace {
[[noreturn]] void refuse() {
  check_failed("vectors_available() was asked first", std::source_location::current());
}
}  // namespace

void multiply(Numbers&, const Numbers&, const Numbers&, const Moduli&) {
  refuse();
}
void square(Numbers&, const Numbers&, const Moduli&) {
  refuse();
}
void exponentiate(Numbers&, const Numbers&, const Exponents&, const Moduli&) {
  refuse();
}
void to_residue(Numbers&, const WideNumbers&, const Moduli&) {
  refuse();
}
void from_residue(Numbers&, const Numbers&, const Moduli&) {
  refuse();
}
void recombine(WideNumbers&, const Numbers&, const Numbers&, const Numbers&, const Moduli&,
               const Moduli&) {
  refuse();
}

}  // namespace todoku::mailauth::rsa

#endif
