// SPDX-License-Identifier: Apache-2.0
// The arithmetic's own source, computing not with numbers but with all that they can be: each
// vector is the smallest and the largest value that any of its words can have. So no sum can be
// forgotten, as in a reckoning beside the source it could.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mailauth/rsa/arithmetic.h"

namespace todoku::mailauth::rsa {
namespace {

__extension__ using Wide = __int128;
constexpr Wide kOne = 1;
constexpr Wide kWordEnd = kOne << 64U;
constexpr Wide kSignedEnd = kOne << 63U;
constexpr Wide kDigitEnd = kOne << kDigitBits;

struct Interval {
  Wide low = 0;
  Wide high = 0;
};

struct IntervalLanes {
  using Column = Interval;
  using Vector = Interval;

  static inline std::vector<std::string> faults;
  static inline Wide highest = 0;  // of all sums

  static void require(bool holds, const char* what) {
    if (!holds && faults.size() < 20) faults.emplace_back(what);
  }
  static Vector sum(Vector v) {
    require(v.high < kWordEnd, "a sum does not fit a word");
    require(v.low >= -kSignedEnd, "a negative sum does not fit a word");
    require(v.low >= 0 || v.high < kSignedEnd, "a sum is negative or huge, and nobody can tell");
    highest = std::max(highest, v.high);
    return v;
  }

  static Vector load(const Column& column) { return column; }
  static void store(Column& column, Vector v) { column = v; }
  static Vector constant(std::uint64_t value) { return {Wide{value}, Wide{value}}; }
  static Vector add(Vector a, Vector b) { return sum({a.low + b.low, a.high + b.high}); }
  static Vector subtract(Vector a, Vector b) { return sum({a.low - b.high, a.high - b.low}); }
  static void require_digits(Vector a, Vector b) {
    require(a.low >= 0 && a.high < kDigitEnd, "a factor is no digit");
    require(b.low >= 0 && b.high < kDigitEnd, "a factor is no digit");
  }
  static Vector add_low(Vector s, Vector a, Vector b) {
    require_digits(a, b);
    return sum({s.low, s.high + std::min(a.high * b.high, kDigitEnd - 1)});
  }
  static Vector add_high(Vector s, Vector a, Vector b) {
    require_digits(a, b);
    return sum({s.low, s.high + ((a.high * b.high) >> kDigitBits)});
  }
  static Vector low_product(Vector, Vector b) {
    require_digits(b, b);
    return {0, kDigitEnd - 1};
  }
  static Vector digit(Vector) { return {0, kDigitEnd - 1}; }
  static Vector carry(Vector v) {
    require(v.low >= 0, "a carry without sign of a negative sum");
    return {v.low >> kDigitBits, v.high >> kDigitBits};
  }
  static Vector signed_carry(Vector v) {
    require(v.high < kSignedEnd, "a carry with sign of a huge sum");
    return {v.low >> kDigitBits, v.high >> kDigitBits};
  }
  static Vector either(Vector a, Vector b) {
    return {std::min(a.low, b.low), std::max(a.high, b.high)};
  }
  static Vector choose(Vector, Vector a, Vector b) { return either(a, b); }
  static Vector window(Vector, unsigned, std::uint64_t ones) { return {0, Wide{ones}}; }
  static Vector equal(Vector, std::uint64_t) { return {0, kWordEnd - 1}; }
  // Of all that are joined one is let through.
  static Vector or_if(Vector v, Vector a, Vector) { return either(v, a); }
};

using Checked = Arithmetic<IntervalLanes>;

class RsaBounds : public testing::Test {
 protected:
  void SetUp() override {
    IntervalLanes::faults.clear();
    IntervalLanes::highest = 0;
  }
  static std::string first_fault() {
    return IntervalLanes::faults.empty() ? "" : IntervalLanes::faults.front();
  }

  static constexpr Interval kAnyDigit{0, kDigitEnd - 1};
  static constexpr Interval kAnyWord{0, kWordEnd - 1};
};

void fill(Checked::Work::Prime& prime, Interval digit, Interval word) {
  prime.modulus.value.fill(digit);
  prime.modulus.r_squared.fill(digit);
  prime.modulus.inverse = digit;
  prime.exponents.fill(word);
  prime.blind.fill(digit);
  prime.unblind.fill(digit);
}

TEST_F(RsaBounds, NoSumOverflowsWhateverTheDigitsAre) {
  const auto work = std::make_unique<Checked::Work>();
  fill(work->p, kAnyDigit, kAnyWord);
  fill(work->q, kAnyDigit, kAnyWord);
  work->q_inverse.fill(kAnyDigit);
  work->input.fill(kAnyDigit);
  Checked::compute(*work);
  EXPECT_EQ(first_fault(), "");
  // 4 * 20 products below 2^52 each and a carry: 59 bits, and 32 times as much would still fit.
  EXPECT_LT(IntervalLanes::highest, kOne << 59U);
  EXPECT_GT(IntervalLanes::highest, kOne << 57U) << "the sums were looked at";
  for (const Interval& digit : work->output) EXPECT_LT(digit.high, kDigitEnd);
}

// The check itself: it sees what does not fit.
TEST_F(RsaBounds, FactorsThatAreNoDigitsAreSeen) {
  Checked::Numbers a;
  Checked::Numbers out;
  Checked::Moduli m{};
  a.fill({0, kDigitEnd});
  m.value.fill(kAnyDigit);
  m.inverse = kAnyDigit;
  Checked::multiply(out, a, a, m);
  EXPECT_EQ(first_fault(), "a factor is no digit");
}

TEST_F(RsaBounds, SumsThatOverflowAreSeen) {
  Interval large{0, kWordEnd - 1};
  (void)IntervalLanes::add_low(large, kAnyDigit, kAnyDigit);
  EXPECT_EQ(first_fault(), "a sum does not fit a word");
  IntervalLanes::faults.clear();
  (void)IntervalLanes::signed_carry(large);
  EXPECT_EQ(first_fault(), "a carry with sign of a huge sum");
}

// What the digits alone do not show: that a product is below twice the modulus, so that the highest
// digit has no carry. For factors below 4m: (16 m^2 + m R) / R < 2m, as 16 m < R.
static_assert(1024 + 4 < kDigits * kDigitBits);

}  // namespace
}  // namespace todoku::mailauth::rsa
