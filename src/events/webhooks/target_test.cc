// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/target.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace todoku::events::webhooks {
namespace {

using namespace std::chrono_literals;

constexpr Instant kNow = from_epoch_ms(1'767'225'600'000);

SecretBox box() {
  return SecretBox(MasterKey::parse(std::string(64, 'a')).value());
}

EndpointTarget target(std::string url = "https://user:pass@hooks.example.com/?token=x") {
  EndpointTarget made;
  made.url = SecretText(std::move(url));
  return made;
}

std::vector<std::string> texts(const std::vector<SigningSecret>& secrets) {
  std::vector<std::string> all;
  for (const SigningSecret& secret : secrets) all.emplace_back(secret.to_text().view());
  return all;
}

void rotate(EndpointTarget& target, Instant now, Milliseconds overlap,
            SecretKind kind = SecretKind::hmac) {
  ASSERT_TRUE(target.rotate(SigningSecret::generate(kind), now, overlap));
}

TEST(EndpointTarget, OpensAsItWasSealedUnderItsNameAlone) {
  const SecretBox keys = box();
  EndpointTarget made = target();
  rotate(made, kNow, 24h);
  rotate(made, kNow, 24h, SecretKind::ed25519);
  const std::string sealed = seal_target(keys, "one", made);
  EXPECT_EQ(sealed.find("hooks.example.com"), std::string::npos);
  const auto opened = open_target(keys, "one", sealed);
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(opened->url, made.url);
  EXPECT_EQ(texts(opened->signing(kNow)), texts(made.signing(kNow)));
  ASSERT_EQ(opened->secrets.size(), 2U);
  EXPECT_FALSE(opened->secrets[0].until);
  EXPECT_EQ(opened->secrets[1].until, kNow + 24h);
  EXPECT_EQ(open_target(keys, "other", sealed).error().kind, ErrorKind::unauthorized);
}

// Its number of secrets is more than a version takes that does not know such forms.
TEST(EndpointTarget, OfAnotherServicesFormIsToldApart) {
  const SecretBox keys = box();
  EndpointTarget made = target();
  made.is_foreign = true;
  rotate(made, kNow, 0ms, SecretKind::ecdsa);
  const auto opened = open_target(keys, "one", seal_target(keys, "one", made));
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_TRUE(opened->is_foreign);
  EXPECT_EQ(texts(opened->signing(kNow)), texts(made.signing(kNow)));
  EXPECT_FALSE(open_target(keys, "one", seal_target(keys, "one", target()))->is_foreign);
}

TEST(EndpointTarget, OfTheContractsFormHasNoSecret) {
  const SecretBox keys = box();
  const auto opened = open_target(keys, "one", seal_target(keys, "one", target()));
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->signing(kNow).empty());
}

TEST(EndpointTarget, WhatWasReplacedSignsBesideTheNewestUntilItsTimeIsOver) {
  EndpointTarget made = target();
  rotate(made, kNow, 24h);
  const std::string first = texts(made.signing(kNow)).at(0);
  rotate(made, kNow, 24h);
  const auto both = texts(made.signing(kNow + 24h - 1ms));
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[1], first);
  EXPECT_NE(both[0], first);
  EXPECT_EQ(texts(made.signing(kNow + 24h)), std::vector{both[0]});
}

TEST(EndpointTarget, AnotherRotationEndsNothingBeforeItWasPromisedTo) {
  EndpointTarget made = target();
  rotate(made, kNow, 24h);
  rotate(made, kNow, 24h);
  rotate(made, kNow + 1h, 1h);
  EXPECT_EQ(made.signing(kNow + 2h).size(), 2U) << "the first, which has until tomorrow";
  EXPECT_EQ(made.signing(kNow + 24h).size(), 1U);
}

TEST(EndpointTarget, AnotherRotationLetsNothingSignLonger) {
  EndpointTarget made = target();
  rotate(made, kNow, 24h);
  rotate(made, kNow, 1h);
  rotate(made, kNow, 24h);
  EXPECT_EQ(made.signing(kNow + 1h - 1ms).size(), 3U);
  EXPECT_EQ(made.signing(kNow + 1h).size(), 2U);
  rotate(made, kNow, 24h);
  ASSERT_EQ(made.secrets.size(), kSecretsMax);
  const auto before = texts(made.signing(kNow));
  const auto refused = made.rotate(SigningSecret::generate(SecretKind::hmac), kNow, 24h);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_EQ(texts(made.signing(kNow)), before) << "none that was promised is dropped";
  rotate(made, kNow, 0h);
  EXPECT_EQ(made.signing(kNow).size(), 1U) << "at once, when a secret has leaked";
}

TEST(EndpointTarget, WhatIsNoTargetIsToldAsSuch) {
  const SecretBox keys = box();
  for (const char* packed : {"",
                             "\x05"
                             "abc",
                             "\x01"
                             "a\x09",
                             "\x01"
                             "a\x01\x01"
                             "b\0\0"}) {
    const auto opened = open_target(keys, "one", keys.seal(packed, "webhook/one"));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::corrupt);
  }
}

}  // namespace
}  // namespace todoku::events::webhooks
