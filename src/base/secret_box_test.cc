// SPDX-License-Identifier: Apache-2.0
#include "base/secret_box.h"

#include <string>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace todoku {
namespace {

constexpr std::string_view kHexKey =
    "fbffbf00000000000000000000000000000000000000000000000000000000ff";

SecretBox box_of(std::string_view key) {
  return SecretBox(MasterKey::parse(key).value());
}

TEST(MasterKey, IsReadFromHexAndBase64) {
  const std::string base64 = to_base64(from_hex(kHexKey).value());  // holds '+' and '/'
  const std::string unpadded = base64.substr(0, base64.size() - 1);
  const std::string url_safe = to_base64url(from_hex(kHexKey).value());
  for (const std::string& text :
       {std::string(kHexKey), base64, unpadded, url_safe, " " + base64 + "\r\n"}) {
    const auto key = MasterKey::parse(text);
    ASSERT_TRUE(key) << text;
    EXPECT_EQ(key->to_base64(), base64);
  }
}

TEST(MasterKey, RefusesEverythingElseWithoutRepeatingIt) {
  for (const std::string& text :
       {std::string(), std::string("secret"), std::string(kHexKey.substr(2)),
        std::string(kHexKey) + "00", std::string(64, 'g'), std::string(43, '*')}) {
    const auto key = MasterKey::parse(text);
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(key.error().kind, ErrorKind::invalid_input);
    if (!text.empty()) {
      EXPECT_EQ(key.error().detail.find(text), std::string::npos);
    }
  }
}

TEST(MasterKey, GeneratedOnesDifferAndCanBeReadBack) {
  const MasterKey one = MasterKey::generate();
  const MasterKey two = MasterKey::generate();
  EXPECT_NE(one.to_base64(), two.to_base64());
  EXPECT_EQ(MasterKey::parse(one.to_base64())->to_base64(), one.to_base64());
}

TEST(SecretBox, OpensWhatItSealed) {
  const SecretBox box = box_of(kHexKey);
  for (const std::string& plaintext : {std::string(), std::string("x"), std::string(5000, '\0')}) {
    const std::string sealed = box.seal(plaintext, "dkim-key/1");
    EXPECT_EQ(box.open(sealed, "dkim-key/1"), plaintext);
    EXPECT_EQ(box_of(kHexKey).open(sealed, "dkim-key/1"), plaintext);
    EXPECT_NE(box.seal(plaintext, "dkim-key/1"), sealed);
  }
}

TEST(SecretBox, HidesThePlaintext) {
  const std::string sealed = box_of(kHexKey).seal("a plain secret", "c");
  EXPECT_EQ(sealed.find("plain"), std::string::npos);
}

TEST(SecretBox, AWrongKeyContextOrOctetDoesNotOpen) {
  const SecretBox box = box_of(kHexKey);
  const std::string sealed = box.seal("secret", "dkim-key/1");
  const SecretBox other(MasterKey::generate());
  EXPECT_EQ(other.open(sealed, "dkim-key/1").error().kind, ErrorKind::unauthorized);
  EXPECT_EQ(box.open(sealed, "dkim-key/2").error().kind, ErrorKind::unauthorized);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] ^= 1;
    const auto opened = box.open(changed, "dkim-key/1");
    ASSERT_FALSE(opened) << "octet " << i;
    EXPECT_EQ(opened.error().kind, i == 0 ? ErrorKind::corrupt : ErrorKind::unauthorized);
  }
  EXPECT_EQ(box.open(sealed.substr(0, 40), "dkim-key/1").error().kind, ErrorKind::corrupt);
  EXPECT_EQ(box.open("", "dkim-key/1").error().kind, ErrorKind::corrupt);
}

TEST(SecretBox, AWrongMasterKeyIsFoundBeforeAnythingIsOpened) {
  const std::string stored = box_of(kHexKey).key_check_value();
  EXPECT_EQ(stored.size(), 16U);
  EXPECT_TRUE(box_of(kHexKey).verify_key(stored));
  const SecretBox other(MasterKey::generate());
  ASSERT_FALSE(other.verify_key(stored));
  EXPECT_EQ(other.verify_key(stored).error().kind, ErrorKind::unauthorized);
  EXPECT_FALSE(box_of(kHexKey).verify_key(""));
}

TEST(SecretBox, DerivesTheSameOfTheSameMasterKeyAndPurpose) {
  const SecretBox box = box_of(kHexKey);
  EXPECT_EQ(box.derive("a").view().size(), 32U);
  EXPECT_EQ(box.derive("a"), box_of(kHexKey).derive("a"));
  EXPECT_NE(box.derive("a").view(), box.derive("b").view());
  EXPECT_NE(box.derive("a").view(), SecretBox(MasterKey::generate()).derive("a").view());
}

TEST(SecretBox, TheFormatOnDiskStaysTheSame) {
  // Made once and checked with another implementation of BLAKE2b and XChaCha20-Poly1305.
  const std::string sealed = from_hex(
                                 "01b7b5bb2534b4dbafb1645218d70657d4f590cbeab02841e72d217cd93c"
                                 "ba92b53a61df72162e9ab56db4821dc7ca")
                                 .value();
  const SecretBox box = box_of(kHexKey);
  EXPECT_EQ(box.open(sealed, "dkim-key/1"), "secret");
  EXPECT_EQ(box.key_check_value(), "f380a106cf7b514c");
}

}  // namespace
}  // namespace todoku
