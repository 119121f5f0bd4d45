// SPDX-License-Identifier: Apache-2.0
// What happens when the arithmetic is wrong: no wrong signature leaves, and nobody asks it again.
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/log.h"
#include "base/random.h"
#include "mailauth/dkim/signing_test_world.h"

namespace todoku::mailauth::dkim {
namespace {

// The emulation with one bit wrong in the result of one instruction.
struct FaultyLanes : rsa::EmulatedLanes {
  static inline std::uint64_t instructions_left = 0;
  static inline std::size_t lane = 0;
  static inline unsigned bit = 0;

  [[gnu::noinline]] static Vector spoilt(Vector v) {
    if (instructions_left-- == 0) v.of[lane] ^= std::uint64_t{1} << bit;
    return v;
  }
  [[gnu::noinline]] static Vector load(const Column& column) {
    return spoilt(EmulatedLanes::load(column));
  }
  [[gnu::noinline]] static Vector add(const Vector& a, const Vector& b) {
    return spoilt(EmulatedLanes::add(a, b));
  }
  [[gnu::noinline]] static Vector add_low(const Vector& sum, const Vector& a, const Vector& b) {
    return spoilt(EmulatedLanes::add_low(sum, a, b));
  }
  [[gnu::noinline]] static Vector add_high(const Vector& sum, const Vector& a, const Vector& b) {
    return spoilt(EmulatedLanes::add_high(sum, a, b));
  }
  [[gnu::noinline]] static Vector digit(const Vector& v) { return spoilt(EmulatedLanes::digit(v)); }
  [[gnu::noinline]] static Vector or_if(const Vector& v, const Vector& a, const Vector& mask) {
    return spoilt(EmulatedLanes::or_if(v, a, mask));
  }
};
void compute_with_a_fault(rsa::EightOperations& work) {
  rsa::Arithmetic<FaultyLanes>::compute(work);
}

int computations = 0;
// Right but for the fourth result.
void compute_the_fourth_wrong(rsa::EightOperations& work) {
  ++computations;
  rsa::compute_with_emulation(work);
  work.output[7].of[3] ^= 1;
}

struct Told {
  std::vector<std::string> keys;
  Told() {
    log::capture_this_thread([this](log::Level level, std::string_view, log::Fields fields) {
      if (level != log::Level::error) return;
      for (const log::Field& field : fields) {
        if (field.name == "key") keys.emplace_back(std::get<std::string_view>(field.value));
      }
    });
  }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;
  ~Told() { log::capture_this_thread({}); }
};

std::vector<Signer> four_signers() {
  std::vector<Signer> signers;
  for (const char* selector : {"r1", "r2", "r3", "r4"}) {
    signers.push_back(signer_with(SigningKey::generate(KeyAlgorithm::rsa).value(), selector));
  }
  return signers;
}

TEST(SigningFaults, AWrongSignatureDoesNotLeaveAndTheArithmeticRestsForTheWholeProcess) {
  const std::vector<Signer> signers = four_signers();
  const ByEight by_eight(compute_the_fourth_wrong);
  SigningContext openssl;
  const auto expected = one_by_one(openssl, signers, 8);
  const Told told;
  computations = 0;
  {
    SigningContext first(by_eight.made());
    EXPECT_TRUE(signers[0].gains_from_company(first));
    EXPECT_EQ(together(first, signers, 8), expected);
    EXPECT_EQ(together(first, signers, 8), expected);
    EXPECT_FALSE(signers[0].gains_from_company(first));
  }
  EXPECT_EQ(computations, 1);
  EXPECT_EQ(by_eight.wrong_total(), 1U);
  EXPECT_EQ(told.keys, std::vector<std::string>{"r4._domainkey.example.jp"});
  // A thread that has never seen the key.
  SigningContext second(by_eight.made());
  EXPECT_EQ(together(second, signers, 8), expected);
  EXPECT_EQ(computations, 1) << "another context asked again";
}

TEST(SigningFaults, ABitThatFlipsAnywhereSpoilsNoSignature) {
  const char* const given = std::getenv("TODOKU_SEED");
  const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device{}();
  SCOPED_TRACE(seed);
  SeededRandom random(seed);
  const std::vector<Signer> signers = four_signers();
  SigningContext openssl;
  const auto expected = one_by_one(openssl, signers, 8);
  constexpr std::uint64_t kNever = ~std::uint64_t{0};
  FaultyLanes::instructions_left = kNever;
  {
    const ByEight by_eight(compute_with_a_fault);
    SigningContext context(by_eight.made());
    EXPECT_EQ(together(context, signers, 8), expected);
    EXPECT_EQ(by_eight.wrong_total(), 0U) << "no fault yet";
  }
  const std::uint64_t instructions = kNever - FaultyLanes::instructions_left;
  ASSERT_GT(instructions, 1'000'000U);
  const Told told;
  constexpr std::uint64_t kRounds = 8;
  std::uint64_t seen = 0;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    FaultyLanes::instructions_left = random.below(instructions);
    FaultyLanes::lane = static_cast<std::size_t>(random.below(rsa::kTogether));
    FaultyLanes::bit = static_cast<unsigned>(random.below(rsa::kDigitBits));
    const ByEight by_eight(compute_with_a_fault);
    SigningContext context(by_eight.made());
    EXPECT_EQ(together(context, signers, 8), expected) << round;
    EXPECT_EQ(by_eight.made()->is_on(), by_eight.wrong_total() == 0);
    seen += by_eight.wrong_total();
  }
  EXPECT_GT(seen, kRounds / 2) << "most bits matter";
  EXPECT_EQ(told.keys.size(), seen);
}

}  // namespace
}  // namespace todoku::mailauth::dkim
