// SPDX-License-Identifier: Apache-2.0
#include "dns/rdata.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace todoku::dns {
namespace {

using namespace std::string_literals;

TEST(Rdata, ReadsAnMxRecordInLowerCase) {
  const auto mx =
      parse_mx(as_octets("\x00\x0a\x02MX\x07"s
                         "Example\x02jp\x00"s));
  ASSERT_TRUE(mx) << mx.error().detail;
  EXPECT_EQ(*mx, (MxRecord{.preference = 10, .host = "mx.example.jp"}));
}

TEST(Rdata, ReadsANullMxAsAnEmptyHost) {
  const auto mx = parse_mx(as_octets("\x00\x00\x00"s));
  ASSERT_TRUE(mx);
  EXPECT_EQ(mx->host, "");
}

TEST(Rdata, EscapesWhatDoesNotBelongIntoANameOfText) {
  const auto name =
      parse_ptr(as_octets("\x05"
                          "a.b\\c\x03\r\n\xff\x00"s));
  ASSERT_TRUE(name) << name.error().detail;
  EXPECT_EQ(*name, R"(a\046b\092c.\013\010\255)");
}

TEST(Rdata, RefusesBrokenNames) {
  EXPECT_FALSE(parse_ptr(as_octets("")));  // nothing
  EXPECT_FALSE(
      parse_ptr(as_octets("\x02"
                          "jp"s)));  // does not end
  EXPECT_FALSE(
      parse_ptr(as_octets("\x05"
                          "jp\x00"s)));             // label cut off
  EXPECT_FALSE(parse_ptr(as_octets("\xc0\x0c"s)));  // compressed
  EXPECT_FALSE(
      parse_ptr(as_octets("\x02"
                          "jp\x00x"s)));           // more behind it
  EXPECT_FALSE(parse_mx(as_octets("\x00\x0a"s)));  // no name
  std::string long_name;
  for (int i = 0; i < 128; ++i)
    long_name +=
        "\x01"s
        "a";
  EXPECT_FALSE(parse_ptr(as_octets(long_name + "\x00"s)));  // 257 octets
  EXPECT_TRUE(parse_ptr(as_octets(long_name.substr(2) + "\x00"s)));
}

TEST(Rdata, JoinsTheStringsOfATxtRecord) {
  const auto text = parse_txt(as_octets("\x07v=spf1 \x04-all\x00"s));
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "v=spf1 -all");
  EXPECT_FALSE(parse_txt(as_octets("")));
  EXPECT_FALSE(
      parse_txt(as_octets("\x05"
                          "abc"s)));
}

TEST(Rdata, ReadsAddressesOfTheRightLengthOnly) {
  EXPECT_EQ(parse_a(as_octets("\xc0\x00\x02\x01"s))->to_string(), "192.0.2.1");
  EXPECT_FALSE(parse_a(as_octets("\xc0\x00\x02"s)));
  EXPECT_FALSE(parse_aaaa(as_octets("\xc0\x00\x02\x01"s)));
  EXPECT_EQ(
      parse_aaaa(as_octets("\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"))->to_string(),
      "2001:db8::1");
}

TEST(Rdata, ReadsATlsaRecord) {
  const auto tlsa =
      parse_tlsa(as_octets("\x03\x01\x01"
                           "abc"s));
  ASSERT_TRUE(tlsa);
  EXPECT_EQ(*tlsa, (TlsaRecord{.usage = 3, .selector = 1, .matching = 1, .data = "abc"}));
  EXPECT_FALSE(parse_tlsa(as_octets("\x03\x01\x01"s)));
}

TEST(Rdata, NamesTheReverseZoneOfAnAddress) {
  EXPECT_EQ(reverse_name(*net::IpAddress::parse("192.0.2.1")), "1.2.0.192.in-addr.arpa");
  EXPECT_EQ(reverse_name(*net::IpAddress::parse("2001:db8::a1")),
            "1.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

}  // namespace
}  // namespace todoku::dns
