// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dane/tlsa.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/bytes.h"

namespace todoku::mailauth::dane {
namespace {

// A digest of `octets` octets that `name` tells from others.
TlsaRecord digest(std::uint8_t usage, std::uint8_t selector, std::uint8_t matching, char name) {
  const std::size_t octets = matching == 2 ? 64 : 32;
  return {usage, selector, matching, std::string(octets, name)};
}

std::string a_public_key() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  unsigned char* der = nullptr;
  const int octets = i2d_PUBKEY(key, &der);
  std::string data(reinterpret_cast<const char*>(der), static_cast<std::size_t>(octets));
  OPENSSL_free(der);
  EVP_PKEY_free(key);
  return data;
}

std::vector<TlsaRecord> kept(std::vector<TlsaRecord> records) {
  const Demand demand = demand_of(std::move(records));
  EXPECT_EQ(demand.demand == DaneDemand::proof, !demand.records.empty());
  return demand.records;
}

TEST(Tlsa, ReadsNumbersAndData) {
  const std::string rdata("\x03\x01\x01\x00\xFFz", 6);
  const auto record = parse_tlsa(as_octets(rdata));
  ASSERT_TRUE(record);
  EXPECT_EQ(*record, (TlsaRecord{3, 1, 1, std::string("\x00\xFFz", 3)}));
  EXPECT_EQ(parse_tlsa(as_octets("\x03\x01\x01")).error().kind, ErrorKind::corrupt);
  EXPECT_FALSE(parse_tlsa({}));
}

TEST(Tlsa, KnowsWhatSmtpCanUse) {
  EXPECT_EQ(why_unusable(digest(3, 1, 1, 'a')), "");
  EXPECT_EQ(why_unusable(digest(2, 0, 2, 'a')), "");
  EXPECT_EQ(why_unusable(digest(0, 0, 1, 'a')), "usage 0 is not used in SMTP");
  EXPECT_EQ(why_unusable(digest(1, 1, 1, 'a')), "usage 1 is not used in SMTP");
  EXPECT_EQ(why_unusable(digest(4, 1, 1, 'a')), "usage 4 is not known");
  EXPECT_EQ(why_unusable(digest(255, 1, 1, 'a')), "usage 255 is not known");
  EXPECT_EQ(why_unusable(digest(3, 2, 1, 'a')), "selector 2 is not known");
  EXPECT_EQ(why_unusable(digest(3, 1, 3, 'a')), "matching type 3 is not known");
  EXPECT_EQ(why_unusable({3, 1, 1, "short"}), "its digest has 5 octets instead of 32");
  EXPECT_EQ(why_unusable({3, 1, 2, std::string(32, 'a')}),
            "its digest has 32 octets instead of 64");
}

TEST(Tlsa, ReadsAKeyThatStandsInTheRecord) {
  const std::string key = a_public_key();
  EXPECT_EQ(why_unusable({3, 1, 0, key}), "");
  EXPECT_EQ(why_unusable({3, 1, 0, key + "x"}), "its data is no public key");
  EXPECT_EQ(why_unusable({3, 0, 0, key}), "its data is no certificate");
  EXPECT_EQ(why_unusable({2, 1, 0, "\x30"}), "its data is no public key");
  EXPECT_EQ(why_unusable({3, 1, 0, std::string(kDataMax + 1, 'a')}),
            "its data has 8193 octets, more than 8192");
}

TEST(Tlsa, NoRecordsAskForNothing) {
  EXPECT_EQ(demand_of({}).demand, DaneDemand::nothing);
}

TEST(Tlsa, RecordsThatCannotBeUsedStillAskForEncryption) {
  const Demand demand = demand_of({digest(1, 0, 1, 'a'), {3, 1, 1, "cut"}});
  EXPECT_EQ(demand.demand, DaneDemand::encryption);
  EXPECT_TRUE(demand.records.empty());
}

TEST(Tlsa, KeepsThoseThatCanBeUsedOnce) {
  const TlsaRecord good = digest(3, 1, 1, 'a');
  EXPECT_EQ(kept({digest(0, 0, 1, 'z'), good, good}), std::vector{good});
}

// RFC 7671 section 9.
TEST(Tlsa, TakesTheStrongestDigestOfAUsageAndSelector) {
  const TlsaRecord key256 = digest(3, 1, 1, 'a');
  const TlsaRecord key512 = digest(3, 1, 2, 'b');
  const TlsaRecord whole256 = digest(3, 0, 1, 'c');
  const TlsaRecord authority256 = digest(2, 1, 1, 'd');
  const TlsaRecord itself{3, 1, 0, a_public_key()};
  EXPECT_EQ(kept({key256, key512}), std::vector{key512});
  EXPECT_EQ(kept({key256, key512, whole256, authority256, itself}),
            (std::vector{authority256, whole256, itself, key512}));
  // One that cannot be used outdoes nothing.
  EXPECT_EQ(kept({key256, {3, 1, 2, "cut"}}), std::vector{key256});
}

TEST(Tlsa, LooksAtABoundedNumber) {
  std::vector<TlsaRecord> many;
  for (int i = 0; i < 200; ++i) many.push_back(digest(3, 1, 1, static_cast<char>(i)));
  EXPECT_EQ(kept(many).size(), kRecordsMax);
}

TEST(Tlsa, AuthoritiesWantAName) {
  EXPECT_TRUE(wants_name(std::vector{digest(3, 1, 1, 'a'), digest(2, 0, 1, 'b')}));
  EXPECT_FALSE(wants_name(std::vector{digest(3, 1, 1, 'a')}));
  EXPECT_FALSE(wants_name({}));
}

}  // namespace
}  // namespace todoku::mailauth::dane
