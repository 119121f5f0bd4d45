// SPDX-License-Identifier: Apache-2.0
// Modular arithmetic on eight numbers of 1,024 bits at once, and of it the private operation of
// RSA. Internal to mailauth/rsa.
//
// Everything here takes the same instructions and touches the same memory whatever the numbers are:
// no branch and no address depends on a digit. It is written once, for a vector of any kind
// (lanes.h): what tests find of one kind holds for the source of all.
//
// Multiplication is Montgomery's, without the closing subtraction. With R = 2^1040 and a modulus m
// below 2^1024, factors below 4m give a product below 2m, which may be a factor again
// (C. D. Walter, "Montgomery exponentiation needs no final subtractions", 1999). So the highest
// digit's carry, which nobody looks at, is nothing.
//
// Where the processor's instructions are meant, this file is included below a target attribute and
// so may include nothing itself but lanes.h, which has no functions.
#pragma once

#include "mailauth/rsa/lanes.h"

namespace todoku::mailauth::rsa {

template <class Lanes>
class Arithmetic {
 public:
  using Column = typename Lanes::Column;
  using Vector = typename Lanes::Vector;
  using Numbers = rsa::Numbers<Column>;
  using WideNumbers = rsa::WideNumbers<Column>;
  using Exponents = rsa::Exponents<Column>;
  using Moduli = rsa::Moduli<Column>;
  using Work = rsa::Work<Column>;

  // RSASP1 of RFC 8017 section 5.2.1 for eight keys: `output` = `input` ^ d mod n.
  static void compute(Work& work) {
    raise(work.x_p, work, work.p);
    raise(work.x_q, work, work.q);
    from_residue(work.x_q, work.x_q, work, work.q.modulus);
    recombine(work);
  }

  // out = a * b / R mod m, below 2m; `out` may be a factor. Row by row: a times one digit of b, and
  // the multiple of m that makes the lowest digit vanish.
  [[gnu::noinline]] static void multiply(Numbers& out, const Numbers& a, const Numbers& b,
                                         const Moduli& m) {
    Vector sum[kDigits];
    clear(sum);
    for (std::size_t row = 0; row < kDigits; ++row) {
      const Vector digit = Lanes::load(b[row]);
      sum[0] = Lanes::add_low(sum[0], Lanes::load(a[0]), digit);
      const Vector multiple = Lanes::low_product(sum[0], Lanes::load(m.inverse));
      sum[0] = Lanes::add_low(sum[0], Lanes::load(m.value[0]), multiple);
      const Vector carry = Lanes::carry(sum[0]);
#pragma clang loop unroll(full)
      for (std::size_t i = 1; i < kDigits; ++i) {
        Vector next = Lanes::add_low(sum[i], Lanes::load(a[i]), digit);
        next = Lanes::add_low(next, Lanes::load(m.value[i]), multiple);
        next = Lanes::add_high(next, Lanes::load(a[i - 1]), digit);
        sum[i - 1] = Lanes::add_high(next, Lanes::load(m.value[i - 1]), multiple);
      }
      sum[0] = Lanes::add(sum[0], carry);
      sum[kDigits - 1] =
          Lanes::add_high(Lanes::add_high(Lanes::constant(0), Lanes::load(a[kDigits - 1]), digit),
                          Lanes::load(m.value[kDigits - 1]), multiple);
    }
    carry_through(out, sum);
  }

  // The same with b = a, in three quarters of the time: products of two different digits are needed
  // twice and made once.
  [[gnu::noinline]] static void square(Numbers& out, const Numbers& a, const Moduli& m) {
    Vector sum[2 * kDigits];
    clear(sum);
#pragma clang loop unroll(full)
    for (std::size_t i = 0; i < kDigits; ++i) {
      const Vector digit = Lanes::load(a[i]);
#pragma clang loop unroll(full)
      for (std::size_t j = i + 1; j < kDigits; ++j) {
        sum[i + j] = Lanes::add_low(sum[i + j], digit, Lanes::load(a[j]));
        sum[i + j + 1] = Lanes::add_high(sum[i + j + 1], digit, Lanes::load(a[j]));
      }
    }
#pragma clang loop unroll(full)
    for (std::size_t i = 0; i < kDigits; ++i) {
      const Vector digit = Lanes::load(a[i]);
      sum[2 * i] = Lanes::add_low(Lanes::add(sum[2 * i], sum[2 * i]), digit, digit);
      sum[2 * i + 1] = Lanes::add_high(Lanes::add(sum[2 * i + 1], sum[2 * i + 1]), digit, digit);
    }
#pragma clang loop unroll(full)
    for (std::size_t row = 0; row < kDigits; ++row) {
      const Vector multiple = Lanes::low_product(sum[row], Lanes::load(m.inverse));
      sum[row] = Lanes::add_low(sum[row], Lanes::load(m.value[0]), multiple);
      sum[row + 1] = Lanes::add_high(sum[row + 1], Lanes::load(m.value[0]), multiple);
      sum[row + 1] = Lanes::add(sum[row + 1], Lanes::carry(sum[row]));
#pragma clang loop unroll(full)
      for (std::size_t i = 1; i < kDigits; ++i) {
        sum[row + i] = Lanes::add_low(sum[row + i], Lanes::load(m.value[i]), multiple);
        sum[row + i + 1] = Lanes::add_high(sum[row + i + 1], Lanes::load(m.value[i]), multiple);
      }
    }
    carry_through(out, sum + kDigits);
  }

  // out = base^exponent, base and out in Montgomery form (times R), base below 4m, out below 2m;
  // `out` may be the base. Windows of fixed width from the top.
  static void exponentiate(Numbers& out, const Numbers& base, Work& scratch,
                           const Exponents& exponents, const Moduli& m) {
    auto& powers = scratch.powers;
    set_one(scratch.one);
    multiply(powers[0], m.r_squared, scratch.one, m);
    powers[1] = base;
    for (std::size_t i = 2; i < kWindowValues; ++i) multiply(powers[i], powers[i - 1], base, m);

    out = powers[0];
    constexpr unsigned kWindowsInAWord = 64 / kWindowBits;
    for (std::size_t word = kExponentWords; word-- > 0;) {
      for (unsigned window = kWindowsInAWord; window-- > 0;) {
        for (unsigned i = 0; i < kWindowBits; ++i) square(out, out, m);
        select(
            scratch.factor, powers,
            Lanes::window(Lanes::load(exponents[word]), window * kWindowBits, kWindowValues - 1));
        multiply(out, out, scratch.factor, m);
      }
    }
  }

  // wide = low + high * R, below 2^2048; its residue in Montgomery form, below 4m.
  static void to_residue(Numbers& out, const WideNumbers& wide, Work& scratch, const Moduli& m) {
    for (std::size_t i = 0; i < kDigits; ++i) {
      scratch.low[i] = wide[i];
      scratch.high[i] = wide[kDigits + i];
    }
    multiply(scratch.low, scratch.low, m.r_squared, m);
    multiply(scratch.high, scratch.high, m.r_squared, m);
    multiply(scratch.high, scratch.high, m.r_squared, m);
    Vector sums[kDigits];
    for (std::size_t i = 0; i < kDigits; ++i) {
      sums[i] = Lanes::add(Lanes::load(scratch.low[i]), Lanes::load(scratch.high[i]));
    }
    carry_through(out, sums);
  }

  // From a Montgomery form, below 2m, to the number itself, below m.
  static void from_residue(Numbers& out, const Numbers& residue, Work& scratch, const Moduli& m) {
    set_one(scratch.one);
    multiply(out, residue, scratch.one, m);
    subtract_if_possible(out, m.value, scratch.less);
  }

 private:
  // Of the input the power modulo one prime, in Montgomery form, below twice the prime. What is
  // raised is a random multiple of the input.
  static void raise(Numbers& out, Work& work, typename Work::Prime& prime) {
    const Moduli& m = prime.modulus;
    to_residue(out, work.input, work, m);
    multiply(out, out, prime.blind, m);
    exponentiate(out, out, work, prime.exponents, m);
    multiply(out, out, prime.unblind, m);
    square(prime.blind, prime.blind, m);
    square(prime.unblind, prime.unblind, m);
  }

  // RFC 8017 section 5.1.2, Garner's recombination: from the residues x_p (Montgomery form modulo
  // p, below 2p) and x_q (the number itself, below q) the number below p*q that has both.
  static void recombine(Work& work) {
    const Moduli& p = work.p.modulus;
    multiply(work.x_q_mod_p, work.x_q, p.r_squared, p);
    Vector sums[kDigits];
    for (std::size_t i = 0; i < kDigits; ++i) {
      const Vector twice = Lanes::add(Lanes::load(p.value[i]), Lanes::load(p.value[i]));
      sums[i] = Lanes::subtract(Lanes::add(Lanes::load(work.x_p[i]), twice),
                                Lanes::load(work.x_q_mod_p[i]));  // as a whole above 0
    }
    carry_through(work.h, sums);
    multiply(work.h, work.h, work.q_inverse, p);  // leaves Montgomery form: q_inverse is not in it
    subtract_if_possible(work.h, p.value, work.less);

    Vector wide[2 * kDigits];
    clear(wide);
    for (std::size_t i = 0; i < kDigits; ++i) wide[i] = Lanes::load(work.x_q[i]);
    for (std::size_t i = 0; i < kDigits; ++i) {
      const Vector digit = Lanes::load(work.h[i]);
      for (std::size_t j = 0; j < kDigits; ++j) {
        const Vector other = Lanes::load(work.q.modulus.value[j]);
        wide[i + j] = Lanes::add_low(wide[i + j], digit, other);
        wide[i + j + 1] = Lanes::add_high(wide[i + j + 1], digit, other);
      }
    }
    carry_through(work.output, wide);
  }

  template <std::size_t Count>
  static void clear(Vector (&vectors)[Count]) {
    for (std::size_t i = 0; i < Count; ++i) vectors[i] = Lanes::constant(0);
  }

  // Makes digits of sums: carries what is beyond 52 bits, negative carries too. Returns the last.
  template <std::size_t Count>
  static Vector carry_through(std::array<Column, Count>& out, const Vector* sums) {
    Vector carry = Lanes::constant(0);
    for (std::size_t i = 0; i < Count; ++i) {
      const Vector sum = Lanes::add(sums[i], carry);
      carry = Lanes::signed_carry(sum);
      Lanes::store(out[i], Lanes::digit(sum));
    }
    return carry;
  }

  // a below 2m -> the same below m.
  static void subtract_if_possible(Numbers& a, const Numbers& m, Numbers& less) {
    Vector sums[kDigits];
    for (std::size_t i = 0; i < kDigits; ++i) {
      sums[i] = Lanes::subtract(Lanes::load(a[i]), Lanes::load(m[i]));
    }
    const Vector below_zero = carry_through(less, sums);  // all ones or all zeros
    for (std::size_t i = 0; i < kDigits; ++i) {
      Lanes::store(a[i], Lanes::choose(below_zero, Lanes::load(a[i]), Lanes::load(less[i])));
    }
  }

  // table[window], reading all of the table.
  static void select(Numbers& out, const std::array<Numbers, kWindowValues>& table, Vector window) {
    Vector chosen[kDigits];
    clear(chosen);
    for (std::size_t value = 0; value < kWindowValues; ++value) {
      const Vector mask = Lanes::equal(window, value);
#pragma clang loop unroll(full)
      for (std::size_t i = 0; i < kDigits; ++i) {
        chosen[i] = Lanes::or_if(chosen[i], Lanes::load(table[value][i]), mask);
      }
    }
    for (std::size_t i = 0; i < kDigits; ++i) Lanes::store(out[i], chosen[i]);
  }

  static void set_one(Numbers& out) {
    for (std::size_t i = 0; i < kDigits; ++i) Lanes::store(out[i], Lanes::constant(i == 0 ? 1 : 0));
  }
};

}  // namespace todoku::mailauth::rsa
