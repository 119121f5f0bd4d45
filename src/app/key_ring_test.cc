// SPDX-License-Identifier: Apache-2.0
#include "app/key_ring.h"

#include <gtest/gtest.h>

#include "operate/operations.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

using mailauth::dkim::KeyAlgorithm;
using mailauth::dkim::SigningKey;

constexpr store::AccountKey kShop{1};
constexpr store::AccountKey kOther{2};

class KeyRingTest : public testing::Test {
 protected:
  store::DkimKey key(store::AccountKey account, std::string domain, std::string selector, int day,
                     KeyAlgorithm algorithm = KeyAlgorithm::ed25519) {
    store::DkimKey stored{.account = account,
                          .domain = std::move(domain),
                          .selector = std::move(selector),
                          .algorithm = {},
                          .sealed_private_key = {},
                          .dns_record = {},
                          .created = Instant(std::chrono::days(day))};
    stored.sealed_private_key =
        box.seal(SigningKey::generate(algorithm)->to_pem(), operate::dkim_seal_context(stored));
    return stored;
  }

  SecretBox box{MasterKey::generate()};
  StoredKeyRing ring{box};
};

TEST_F(KeyRingTest, SignsForADomainAndThoseBelowIt) {
  ASSERT_TRUE(ring.load({key(kShop, "example.jp", "s1", 1)}));
  EXPECT_EQ(ring.current(kShop, "example.jp").pinned, "example.jp:s1");
  EXPECT_EQ(ring.current(kShop, "mail.shop.example.jp").pinned, "example.jp:s1");
  EXPECT_EQ(ring.current(kShop, "example.com").signer, nullptr);
  EXPECT_EQ(ring.current(kShop, "notexample.jp").signer, nullptr);
  EXPECT_EQ(ring.current(kOther, "example.jp").signer, nullptr) << "keys belong to one account";
}

TEST_F(KeyRingTest, PrefersTheNearestDomain) {
  ASSERT_TRUE(
      ring.load({key(kShop, "example.jp", "s1", 2), key(kShop, "news.example.jp", "s2", 1)}));
  EXPECT_EQ(ring.current(kShop, "news.example.jp").pinned, "news.example.jp:s2");
  EXPECT_EQ(ring.current(kShop, "a.news.example.jp").pinned, "news.example.jp:s2");
  EXPECT_EQ(ring.current(kShop, "shop.example.jp").pinned, "example.jp:s1");
}

TEST_F(KeyRingTest, SignsWithTheNewestKeyOfEachAlgorithmRsaFirst) {
  ASSERT_TRUE(ring.load({key(kShop, "example.jp", "old", 1), key(kShop, "example.jp", "new", 2),
                         key(kShop, "example.jp", "rsa", 1, KeyAlgorithm::rsa)}));
  const auto current = ring.current(kShop, "example.jp");
  EXPECT_EQ(current.pinned, "example.jp:rsa,new");
  ASSERT_EQ(current.signer->identities().size(), 2U);
  EXPECT_EQ(current.signer->identities()[0].key.algorithm(), KeyAlgorithm::rsa);
}

TEST_F(KeyRingTest, KeepsAPinnedKeyWorkingAfterANewOneTookOver) {
  const auto old_key = key(kShop, "example.jp", "old", 1);
  ASSERT_TRUE(ring.load({old_key}));
  const std::string pinned = ring.current(kShop, "example.jp").pinned;
  ASSERT_TRUE(ring.load({old_key, key(kShop, "example.jp", "new", 2)}));
  EXPECT_EQ(ring.current(kShop, "example.jp").pinned, "example.jp:new");
  const auto signing = ring.pinned(kShop, pinned);
  ASSERT_TRUE(signing) << signing.error().detail;
  EXPECT_EQ(signing->pinned, pinned);
  EXPECT_EQ(signing->signer->identities()[0].name.selector, "old");
}

TEST_F(KeyRingTest, SaysWhichPinnedKeyIsGone) {
  ASSERT_TRUE(ring.load({key(kShop, "example.jp", "s1", 1)}));
  EXPECT_EQ(ring.pinned(kShop, "example.jp:s1,s9").error().kind, ErrorKind::not_found);
  EXPECT_EQ(ring.pinned(kShop, "example.com:s1").error().kind, ErrorKind::not_found);
  EXPECT_EQ(ring.pinned(kOther, "example.jp:s1").error().kind, ErrorKind::not_found);
  const auto unsigned_mail = ring.pinned(kShop, "");
  ASSERT_TRUE(unsigned_mail);
  EXPECT_EQ(unsigned_mail->signer, nullptr);
}

TEST_F(KeyRingTest, RefusesAKeySealedForAnotherPlaceAndStaysAsItWas) {
  ASSERT_TRUE(ring.load({key(kShop, "example.jp", "s1", 1)}));
  auto moved = key(kOther, "example.jp", "s1", 1);
  moved.account = kShop;
  const auto loaded = ring.load({moved});
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().detail.find("the DKIM key s1 of example.jp"), std::string::npos);
  EXPECT_EQ(ring.current(kShop, "example.jp").pinned, "example.jp:s1");
}

}  // namespace
}  // namespace todoku::app
