// SPDX-License-Identifier: Apache-2.0
#include "access/totp.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace todoku::access {
namespace {

// RFC 6238 appendix B, for SHA-1.
TEST(Totp, GivesTheCodesOfTheRfc) {
  constexpr std::string_view kSecret = "12345678901234567890";
  const auto code_at = [&](std::uint64_t seconds) { return hotp_code(kSecret, seconds / 30, 8); };
  EXPECT_EQ(code_at(59), "94287082");
  EXPECT_EQ(code_at(1'111'111'109), "07081804");
  EXPECT_EQ(code_at(1'111'111'111), "14050471");
  EXPECT_EQ(code_at(1'234'567'890), "89005924");
  EXPECT_EQ(code_at(2'000'000'000), "69279037");
  EXPECT_EQ(code_at(20'000'000'000), "65353130");
}

// RFC 4226 appendix D.
TEST(Totp, GivesTheCodesOfHotp) {
  constexpr std::string_view kSecret = "12345678901234567890";
  EXPECT_EQ(hotp_code(kSecret, 0), "755224");
  EXPECT_EQ(hotp_code(kSecret, 1), "287082");
  EXPECT_EQ(hotp_code(kSecret, 9), "520489");
}

TEST(Totp, ACodeIsOfOneStepEitherSideAndGoodOnce) {
  constexpr std::string_view kSecret =
      "12345678901234567890";  // no two of whose codes are the same
  const Instant now = from_epoch_ms(1'767'225'615'000);
  const std::int64_t step = 1'767'225'615 / 30;
  const auto code = [&](std::int64_t of) {
    return hotp_code(kSecret, static_cast<std::uint64_t>(of));
  };
  EXPECT_EQ(totp_step(kSecret, code(step), now, 0), step);
  EXPECT_EQ(totp_step(kSecret, code(step - 1), now, 0), step - 1);
  EXPECT_EQ(totp_step(kSecret, code(step + 1), now, 0), step + 1);
  EXPECT_EQ(totp_step(kSecret, code(step), now, step), std::nullopt) << "used";
  EXPECT_EQ(totp_step(kSecret, code(step - 1), now, step), std::nullopt) << "older than the used";
  EXPECT_EQ(totp_step(kSecret, code(step + 1), now, step), step + 1);
  const std::string spaced = code(step).substr(0, 3) + " " + code(step).substr(3);
  EXPECT_EQ(totp_step(kSecret, spaced, now, 0), step);
  for (const std::string& wrong : {std::string(), code(step).substr(1), code(step) + "0"}) {
    EXPECT_EQ(totp_step(kSecret, wrong, now, 0), std::nullopt) << wrong;
  }
}

TEST(Totp, StepsFurtherAwayAreNot) {
  constexpr std::string_view kSecret = "12345678901234567890";  // whose codes are known to differ
  const Instant now = from_epoch_ms(1'767'225'615'000);
  const std::uint64_t step = 1'767'225'615 / 30;
  for (const std::uint64_t far : {step - 2, step + 2, step - 2'880, step + 2'880}) {
    EXPECT_EQ(totp_step(kSecret, hotp_code(kSecret, far), now, 0), std::nullopt);
  }
}

// RFC 4648 section 10.
TEST(Base32, IsAsTheRfcHasItWithoutPadding) {
  EXPECT_EQ(base32(""), "");
  EXPECT_EQ(base32("f"), "MY");
  EXPECT_EQ(base32("fo"), "MZXQ");
  EXPECT_EQ(base32("foo"), "MZXW6");
  EXPECT_EQ(base32("foob"), "MZXW6YQ");
  EXPECT_EQ(base32("fooba"), "MZXW6YTB");
  EXPECT_EQ(base32("foobar"), "MZXW6YTBOI");
}

TEST(TotpUri, IsWhatProgramsRead) {
  EXPECT_EQ(totp_uri("todoku", "owner+a@example.jp", "12345678901234567890").view(),
            "otpauth://totp/todoku:owner%2Ba%40example.jp"
            "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=todoku");
}

TEST(RecoveryCode, IsTypedAsPeopleTypeIt) {
  const SecretText code = new_recovery_code();
  ASSERT_EQ(code.view().size(), 19U) << code.view();
  std::string typed(code.view());
  const std::string hash = recovery_hash(typed);
  for (char& c : typed) c = c == '-' ? ' ' : static_cast<char>(std::tolower(c));
  EXPECT_EQ(recovery_hash(" " + typed), hash);
  EXPECT_EQ(recovery_hash("OIOI-OIOI-OIOI-OIOI"), recovery_hash("0101010101010101"));
  EXPECT_NE(recovery_hash(new_recovery_code()), hash);
}

TEST(Totp, ASecretIsRandom) {
  EXPECT_EQ(new_totp_secret().view().size(), 20U);
  EXPECT_FALSE(new_totp_secret() == new_totp_secret());
}

TEST(RecoveryCode, IsRandom) {
  std::set<std::string> codes;
  for (int i = 0; i < 100; ++i) codes.emplace(new_recovery_code().view());
  EXPECT_EQ(codes.size(), 100U);
}

}  // namespace
}  // namespace todoku::access
