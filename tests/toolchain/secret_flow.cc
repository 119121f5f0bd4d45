// SPDX-License-Identifier: Apache-2.0
// MemorySanitizer follows what is not initialised, and stops where a branch or an address depends
// on it. Here that is the key: the whole of eight private operations runs on words that the
// sanitizer holds for unknown (the idea is A. Langley's ctgrind, 2010). With the emulation, because
// the sanitizer does not know the processor's instructions; object_code.py looks at those.
//
// `secret_flow leaks` does what must not be done, and so must fail: else nothing is looked at.
#include <cstdio>
#include <string_view>

#include <sanitizer/msan_interface.h>

#include "mailauth/rsa/emulation.h"

namespace todoku::mailauth::rsa {
namespace {

// The sanitizer takes the upper half of a product, and the bits that a sum carries into, for known:
// here a result is unknown altogether if anything of its operands is.
struct TaintedLanes : EmulatedLanes {
  template <class... Operands>
  static Vector of(Vector out, const Operands&... operands) {
    if (((__msan_test_shadow(&operands, sizeof operands) >= 0) || ...)) {
      __msan_poison(&out, sizeof out);
    }
    return out;
  }
  [[gnu::noinline]] static Vector add(const Vector& a, const Vector& b) {
    return of(EmulatedLanes::add(a, b), a, b);
  }
  [[gnu::noinline]] static Vector subtract(const Vector& a, const Vector& b) {
    return of(EmulatedLanes::subtract(a, b), a, b);
  }
  [[gnu::noinline]] static Vector add_low(const Vector& sum, const Vector& a, const Vector& b) {
    return of(EmulatedLanes::add_low(sum, a, b), sum, a, b);
  }
  [[gnu::noinline]] static Vector add_high(const Vector& sum, const Vector& a, const Vector& b) {
    return of(EmulatedLanes::add_high(sum, a, b), sum, a, b);
  }
  [[gnu::noinline]] static Vector low_product(const Vector& a, const Vector& b) {
    return of(EmulatedLanes::low_product(a, b), a, b);
  }
  static Vector carry(const Vector& v) { return of(EmulatedLanes::carry(v), v); }
  static Vector signed_carry(const Vector& v) { return of(EmulatedLanes::signed_carry(v), v); }
};

// The window's power by a branch instead of a mask.
struct LeakingLanes : TaintedLanes {
  static Vector equal(const Vector& v, std::uint64_t value) {
    Vector out;
    for (std::size_t i = 0; i < kTogether; ++i) {
      if (v.of[i] == value) {
        out.of[i] = ~std::uint64_t{0};
        std::fputc('.', stderr);
      }
    }
    return out;
  }
};

EightOperations work;

}  // namespace
}  // namespace todoku::mailauth::rsa

int main(int argc, char** argv) {
  using namespace todoku::mailauth::rsa;
  __msan_poison(&work, sizeof work);
  if (argc > 1 && std::string_view(argv[1]) == "leaks") {
    Arithmetic<LeakingLanes>::compute(work);
  } else {
    Arithmetic<TaintedLanes>::compute(work);
  }
  for (const WordColumn& column : work.output) {
    if (__msan_test_shadow(&column, sizeof column) < 0) {
      std::fputs("a digit of the result is known without the key\n", stderr);
      return 1;
    }
  }
  return 0;
}
