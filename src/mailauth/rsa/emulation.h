// SPDX-License-Identifier: Apache-2.0
// What AVX-512 IFMA does, word by word, on any processor: for tests, which so hold the arithmetic
// everywhere. Nobody signs mail with it, it is slower than OpenSSL. Internal to mailauth/rsa.
//
// What the arithmetic's unrolled loops call a thousand times is not inlined: it would take minutes
// to compile.
#pragma once

#include "mailauth/rsa/arithmetic.h"
#include "mailauth/rsa/lanes.h"

namespace todoku::mailauth::rsa {

struct EmulatedLanes {
  using Column = WordColumn;
  using Vector = WordColumn;
  __extension__ using Wide = unsigned __int128;

  static Vector load(const Column& column) { return column; }
  static void store(Column& column, const Vector& vector) { column = vector; }
  static Vector constant(std::uint64_t value) {
    Vector out;
    for (std::uint64_t& word : out.of) word = value;
    return out;
  }
  [[gnu::noinline]] static Vector add(const Vector& a, const Vector& b) {
    Vector out;
    for (std::size_t i = 0; i < kTogether; ++i) out.of[i] = a.of[i] + b.of[i];
    return out;
  }
  [[gnu::noinline]] static Vector subtract(const Vector& a, const Vector& b) {
    Vector out;
    for (std::size_t i = 0; i < kTogether; ++i) out.of[i] = a.of[i] - b.of[i];
    return out;
  }
  // vpmadd52luq, vpmadd52huq: Intel's manual, volume 2, "Packed Multiply of Unsigned 52-Bit
  // Integers and Add". The operands' bits beyond 52 do not count.
  [[gnu::noinline]] static Vector add_low(const Vector& sum, const Vector& a, const Vector& b) {
    Vector out;
    for (std::size_t i = 0; i < kTogether; ++i) {
      out.of[i] = sum.of[i] + (static_cast<std::uint64_t>(product(a.of[i], b.of[i])) & kDigitMask);
    }
    return out;
  }
  [[gnu::noinline]] static Vector add_high(const Vector& sum, const Vector& a, const Vector& b) {
    Vector out;
    for (std::size_t i = 0; i < kTogether; ++i) {
      out.of[i] = sum.of[i] + static_cast<std::uint64_t>(product(a.of[i], b.of[i]) >> kDigitBits);
    }
    return out;
  }
  [[gnu::noinline]] static Vector low_product(const Vector& a, const Vector& b) {
    return add_low(constant(0), a, b);
  }
  [[gnu::noinline]] static Vector digit(const Vector& v) {
    Vector out;
    for (std::size_t i = 0; i < kTogether; ++i) out.of[i] = v.of[i] & kDigitMask;
    return out;
  }
  static Vector carry(const Vector& v) {
    Vector out;
    for (std::size_t i = 0; i < kTogether; ++i) out.of[i] = v.of[i] >> kDigitBits;
    return out;
  }
  static Vector signed_carry(const Vector& v) {
    Vector out;
    for (std::size_t i = 0; i < kTogether; ++i) {
      out.of[i] = static_cast<std::uint64_t>(static_cast<std::int64_t>(v.of[i]) >> kDigitBits);
    }
    return out;
  }
  static Vector choose(const Vector& mask, const Vector& a, const Vector& b) {
    Vector out;
    for (std::size_t i = 0; i < kTogether; ++i) {
      out.of[i] = (a.of[i] & mask.of[i]) | (b.of[i] & ~mask.of[i]);
    }
    return out;
  }
  static Vector window(const Vector& v, unsigned shift, std::uint64_t ones) {
    Vector out;
    for (std::size_t i = 0; i < kTogether; ++i) out.of[i] = (v.of[i] >> shift) & ones;
    return out;
  }
  static Vector equal(const Vector& v, std::uint64_t value) {
    Vector out;
    for (std::size_t i = 0; i < kTogether; ++i) {
      out.of[i] = 0 - static_cast<std::uint64_t>(v.of[i] == value);
    }
    return out;
  }
  [[gnu::noinline]] static Vector or_if(const Vector& v, const Vector& a, const Vector& mask) {
    Vector out;
    for (std::size_t i = 0; i < kTogether; ++i) out.of[i] = v.of[i] | (a.of[i] & mask.of[i]);
    return out;
  }

 private:
  static Wide product(std::uint64_t a, std::uint64_t b) {
    return Wide{a & kDigitMask} * Wide{b & kDigitMask};
  }
};

inline void compute_with_emulation(EightOperations& work) {
  Arithmetic<EmulatedLanes>::compute(work);
}

}  // namespace todoku::mailauth::rsa
