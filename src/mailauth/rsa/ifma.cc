// SPDX-License-Identifier: Apache-2.0
// tests/toolchain/object_code.py reads what the compiler makes of this file: no word of a secret
// reaches a general register, and so no branch and no address.
#include "mailauth/rsa/ifma.h"

#if defined(__x86_64__)
#include <immintrin.h>

// Functions only: the rest of the program must run on processors without these instructions.
#pragma clang attribute push(__attribute__((target("avx512f,avx512ifma"))), apply_to = function)
#include "mailauth/rsa/arithmetic.h"

namespace todoku::mailauth::rsa {
namespace {

struct IfmaLanes {
  using Column = WordColumn;
  using Vector = __m512i;

  static Vector load(const Column& column) { return _mm512_load_si512(&column); }
  static void store(Column& column, Vector vector) { _mm512_store_si512(&column, vector); }
  static Vector constant(std::uint64_t value) {
    return _mm512_set1_epi64(static_cast<std::int64_t>(value));
  }
  static Vector add(Vector a, Vector b) { return _mm512_add_epi64(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm512_sub_epi64(a, b); }
  static Vector add_low(Vector sum, Vector a, Vector b) { return _mm512_madd52lo_epu64(sum, a, b); }
  static Vector add_high(Vector sum, Vector a, Vector b) {
    return _mm512_madd52hi_epu64(sum, a, b);
  }
  static Vector low_product(Vector a, Vector b) {
    return _mm512_madd52lo_epu64(_mm512_setzero_si512(), a, b);
  }
  static Vector digit(Vector v) { return _mm512_and_si512(v, constant(kDigitMask)); }
  static Vector carry(Vector v) { return _mm512_srli_epi64(v, kDigitBits); }
  static Vector signed_carry(Vector v) { return _mm512_srai_epi64(v, kDigitBits); }
  // (a & mask) | (b & ~mask)
  static Vector choose(Vector mask, Vector a, Vector b) {
    return _mm512_ternarylogic_epi64(mask, a, b, 0xCA);
  }
  static Vector window(Vector v, unsigned shift, std::uint64_t ones) {
    return _mm512_and_si512(_mm512_srl_epi64(v, _mm_cvtsi32_si128(static_cast<int>(shift))),
                            constant(ones));
  }
  static Vector equal(Vector v, std::uint64_t value) {
    return _mm512_maskz_set1_epi64(_mm512_cmpeq_epi64_mask(v, constant(value)), -1);
  }
  // v | (a & mask)
  static Vector or_if(Vector v, Vector a, Vector mask) {
    return _mm512_ternarylogic_epi64(v, a, mask, 0xF8);
  }
};

// vzeroall would leave the upper sixteen. Those of the kernel's that hold saved registers are
// overwritten by the next switch.
void forget_registers() {
  asm volatile(
      "vzeroall\n\t"
      "vpxorq %%zmm16, %%zmm16, %%zmm16\n\tvpxorq %%zmm17, %%zmm17, %%zmm17\n\t"
      "vpxorq %%zmm18, %%zmm18, %%zmm18\n\tvpxorq %%zmm19, %%zmm19, %%zmm19\n\t"
      "vpxorq %%zmm20, %%zmm20, %%zmm20\n\tvpxorq %%zmm21, %%zmm21, %%zmm21\n\t"
      "vpxorq %%zmm22, %%zmm22, %%zmm22\n\tvpxorq %%zmm23, %%zmm23, %%zmm23\n\t"
      "vpxorq %%zmm24, %%zmm24, %%zmm24\n\tvpxorq %%zmm25, %%zmm25, %%zmm25\n\t"
      "vpxorq %%zmm26, %%zmm26, %%zmm26\n\tvpxorq %%zmm27, %%zmm27, %%zmm27\n\t"
      "vpxorq %%zmm28, %%zmm28, %%zmm28\n\tvpxorq %%zmm29, %%zmm29, %%zmm29\n\t"
      "vpxorq %%zmm30, %%zmm30, %%zmm30\n\tvpxorq %%zmm31, %%zmm31, %%zmm31\n\t"
      "kxorw %%k1, %%k1, %%k1\n\tkxorw %%k2, %%k2, %%k2\n\tkxorw %%k3, %%k3, %%k3\n\t"
      "kxorw %%k4, %%k4, %%k4\n\tkxorw %%k5, %%k5, %%k5\n\tkxorw %%k6, %%k6, %%k6\n\t"
      "kxorw %%k7, %%k7, %%k7\n\tkxorw %%k0, %%k0, %%k0"
      :
      :
      : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20",
        "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30",
        "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "memory");
}

}  // namespace

void compute_with_ifma(EightOperations& work) {
  Arithmetic<IfmaLanes>::compute(work);
  forget_registers();
}

}  // namespace todoku::mailauth::rsa

#pragma clang attribute pop

#else

#include "base/check.h"

namespace todoku::mailauth::rsa {

void compute_with_ifma(EightOperations&) {
  check_failed("fastest() was asked first", std::source_location::current());
}

}  // namespace todoku::mailauth::rsa

#endif
