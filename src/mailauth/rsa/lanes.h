// SPDX-License-Identifier: Apache-2.0
// How eight numbers of 1,024 bits lie side by side. A number stands in 20 digits of 52 bits, which
// is what the processor's vpmadd52 multiplies; digit d of eight numbers is one column, one 512-bit
// register, so that no instruction ever moves anything between two of them. Internal to
// mailauth/rsa.
//
// A `Lanes` is what the arithmetic (arithmetic.h) is written for: a vector of eight words and the
// few instructions on it. There is the processor's (ifma.cc) and its emulation (emulation.h); tests
// add one that counts how large every sum can become, and one that makes mistakes.
//
//   Vector, Column                    in registers, in memory
//   load, store, constant(n)          n in every lane
//   add, subtract                     modulo 2^64
//   add_low(s, a, b), add_high        s + the low, or high, 52 bits of a * b; a and b below 2^52
//   low_product(a, b)                 the low 52 bits of a * b; of a only the low 52 bits count
//   digit(v)                          the low 52 bits
//   carry(v), signed_carry(v)         what is beyond them; v as a number without, or with, sign
//   choose(mask, a, b)                a where the mask is all ones, b where it is all zeros
//   window(v, shift, ones)            (v >> shift) & ones
//   equal(v, n)                       all ones where v is n, else all zeros
//   or_if(v, a, mask)                 v | (a & mask)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace todoku::mailauth::rsa {

inline constexpr std::size_t kTogether = 8;
inline constexpr std::size_t kDigits = 20;
inline constexpr unsigned kDigitBits = 52;
inline constexpr std::uint64_t kDigitMask = (std::uint64_t{1} << kDigitBits) - 1;
inline constexpr std::size_t kExponentWords = 16;  // of 64 bits

// Fixed windows of the exponents. Sixteen powers fit the first-level cache beside the operands,
// thirty-two would not.
inline constexpr unsigned kWindowBits = 4;
inline constexpr std::size_t kWindowValues = 1U << kWindowBits;

// The same digit, or word, of eight numbers.
struct alignas(64) WordColumn {
  std::array<std::uint64_t, kTogether> of{};
};

template <class Column>
using Numbers = std::array<Column, kDigits>;
template <class Column>
using WideNumbers = std::array<Column, 2 * kDigits>;
template <class Column>
using Exponents = std::array<Column, kExponentWords>;

template <class Column>
struct Moduli {
  Numbers<Column> value;      // odd, below 2^1024
  Numbers<Column> r_squared;  // R^2 mod value, with R = 2^1040
  Column inverse;             // -1 / value, mod 2^52
};

// All that eight private operations read and write, so that all of it can be wiped in one go: what
// is not here is in registers, or where the compiler put registers down, below the caller's stack
// frame.
template <class Column>
struct Work {
  struct Prime {
    Moduli<Column> modulus;
    Exponents<Column> exponents;
    // r^e and 1/r for a random r, in Montgomery form, below twice the modulus; afterwards those of
    // the next operation.
    Numbers<Column> blind;
    Numbers<Column> unblind;
  };
  Prime p;
  Prime q;
  Numbers<Column> q_inverse;   // 1/q mod p, not in Montgomery form
  WideNumbers<Column> input;   // low + high * R
  WideNumbers<Column> output;  // digits like those of the input

  // Scratch.
  Numbers<Column> x_p;
  Numbers<Column> x_q;
  Numbers<Column> x_q_mod_p;
  Numbers<Column> h;
  Numbers<Column> low;
  Numbers<Column> high;
  Numbers<Column> less;
  Numbers<Column> one;
  Numbers<Column> factor;
  std::array<Numbers<Column>, kWindowValues> powers;
};

using EightOperations = Work<WordColumn>;
// Makes `output` of the rest.
using Compute = void(EightOperations& work);

}  // namespace todoku::mailauth::rsa
