// SPDX-License-Identifier: Apache-2.0
// Modular arithmetic on eight numbers of 1,024 bits at once, with AVX-512 IFMA. A number stands in
// 20 digits of 52 bits, which is what the processor's vpmadd52 multiplies; digit d of eight numbers
// lies side by side in one register, so that no instruction ever moves anything between two of
// them. Internal to mailauth/rsa.
//
// Everything here takes the same time and touches the same memory whatever the numbers are: no
// branch and no address depends on a digit.
//
// Multiplication is Montgomery's, without the closing subtraction. With R = 2^1040 and a modulus m
// below 2^1024, factors below 4m give a product below 2m, which may be a factor again
// (C. D. Walter, "Montgomery exponentiation needs no final subtractions", 1999).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace todoku::mailauth::rsa {

inline constexpr std::size_t kTogether = 8;
inline constexpr std::size_t kDigits = 20;
inline constexpr unsigned kDigitBits = 52;
inline constexpr std::size_t kExponentWords = 16;  // of 64 bits

// The same digit, or word, of eight numbers.
struct alignas(64) Column {
  std::array<std::uint64_t, kTogether> of{};
};
using Numbers = std::array<Column, kDigits>;
using WideNumbers = std::array<Column, 2 * kDigits>;
using Exponents = std::array<Column, kExponentWords>;

struct Moduli {
  Numbers value;      // odd, below 2^1024
  Numbers r_squared;  // R^2 mod value
  Column inverse;     // -1 / value, mod 2^52
};

// Whether this processor and its system can run what follows. Everything else here may be called
// only if so.
[[nodiscard]] bool vectors_available();

// out = a * b / R mod m, below 2m; `out` may be a factor.
void multiply(Numbers& out, const Numbers& a, const Numbers& b, const Moduli& m);
// The same with b = a, in three quarters of the time.
void square(Numbers& out, const Numbers& a, const Moduli& m);
// out = base^exponent, base and out in Montgomery form (times R), base below 4m, out below 2m.
void exponentiate(Numbers& out, const Numbers& base, const Exponents& exponents, const Moduli& m);

// wide = low + high * R, below 2^2048; its residue in Montgomery form, below 4m.
void to_residue(Numbers& out, const WideNumbers& wide, const Moduli& m);
// From a Montgomery form, below 2m, to the number itself, below m.
void from_residue(Numbers& out, const Numbers& residue, const Moduli& m);

// RFC 8017 section 5.1.2, Garner's recombination: from the residues x_p (Montgomery form modulo p,
// below 2p) and x_q (the number itself, below q) the number below p*q that has both.
// `q_inverse` = 1/q mod p.
void recombine(WideNumbers& out, const Numbers& x_p, const Numbers& x_q, const Numbers& q_inverse,
               const Moduli& p, const Moduli& q);

}  // namespace todoku::mailauth::rsa
