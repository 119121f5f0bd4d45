// SPDX-License-Identifier: Apache-2.0
#include "net/endpoint.h"

#include <gtest/gtest.h>

namespace todoku::net {
namespace {

TEST(IpAddress, ReadsAndWritesBothFamilies) {
  for (const char* text : {"192.0.2.1", "255.255.255.255", "0.0.0.0", "2001:db8::1", "::", "::1",
                           "::ffff:192.0.2.1", "2001:db8:1:2:3:4:5:6"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
  EXPECT_EQ(IpAddress::parse("2001:DB8:0:0::0001")->to_string(), "2001:db8::1");
}

TEST(IpAddress, RefusesWhatIsNone) {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv, "localhost"sv, "192.0.2"sv, "192.0.2.256"sv, "192.0.2.1 "sv, " 192.0.2.1"sv,
        "192.0.2.1.5"sv, "[::1]"sv, "fe80::1%eth0"sv, "1::2::3"sv, "192.0.2.1\0x"sv,
        "2001:db8:1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16"sv, "0x7f.1"sv, "127.1"sv}) {
    const auto address = IpAddress::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().kind, ErrorKind::invalid_input);
  }
}

TEST(IpAddress, KnowsWhatIsNotTheInternet) {
  using enum AddressScope;
  const std::pair<const char*, AddressScope> table[] = {
      {"8.8.8.8", global},
      {"126.255.255.255", global},
      {"127.0.0.1", loopback},
      {"127.255.255.254", loopback},
      {"128.0.0.1", global},
      {"10.1.2.3", private_use},
      {"172.15.255.255", global},
      {"172.16.0.1", private_use},
      {"172.31.255.255", private_use},
      {"172.32.0.0", global},
      {"192.168.1.1", private_use},
      {"100.63.255.255", global},
      {"100.64.0.1", private_use},
      {"100.127.255.255", private_use},
      {"100.128.0.0", global},
      {"169.254.1.1", link_local},
      {"0.0.0.0", reserved},
      {"192.0.2.1", reserved},
      {"198.51.100.7", reserved},
      {"203.0.113.9", reserved},
      {"198.18.0.1", reserved},
      {"198.19.255.255", reserved},
      {"198.20.0.0", global},
      {"224.0.0.1", multicast},
      {"240.0.0.1", reserved},
      {"255.255.255.255", reserved},
      {"::1", loopback},
      {"::", reserved},
      {"2606:4700::1111", global},
      {"2001:db8::1", reserved},
      {"2001::1", reserved},
      {"2001:200::1", global},
      {"2002:c000:204::1", reserved},
      {"fc00::1", private_use},
      {"fdff::1", private_use},
      {"fe80::1", link_local},
      {"fec0::1", reserved},
      {"ff02::1", multicast},
      {"100::1", reserved},
      {"4000::1", reserved},
      {"::ffff:127.0.0.1", loopback},
      {"::ffff:10.0.0.1", private_use},
      {"::ffff:8.8.8.8", global},
      {"64:ff9b::127.0.0.1", loopback},
      {"64:ff9b::8.8.8.8", global},
      {"64:ff9b:1::1", private_use},
      {"::127.0.0.1", reserved},
  };
  for (const auto& [text, scope] : table) {
    EXPECT_EQ(to_string(IpAddress::parse(text).value().scope()), to_string(scope)) << text;
  }
}

TEST(Endpoint, ReadsAndWritesAddressAndPort) {
  EXPECT_EQ(Endpoint::parse("192.0.2.1:25")->to_string(), "192.0.2.1:25");
  EXPECT_EQ(Endpoint::parse("[2001:db8::1]:2525")->to_string(), "[2001:db8::1]:2525");
  EXPECT_EQ(Endpoint::parse("192.0.2.1", 25)->to_string(), "192.0.2.1:25");
  EXPECT_EQ(Endpoint::parse("2001:db8::1", 25)->to_string(), "[2001:db8::1]:25");
  EXPECT_EQ(Endpoint::parse("[2001:db8::1]", 25)->to_string(), "[2001:db8::1]:25");
  EXPECT_EQ(Endpoint::parse("192.0.2.1:587", 25)->port, 587);
}

TEST(Endpoint, KnowsNamesOfTheLoopback) {
  for (const char* text :
       {"localhost", "localhost:2580", "127.0.0.1:1", "127.1.2.3", "[::1]:25", "[::1]"}) {
    EXPECT_TRUE(names_loopback(text)) << text;
  }
  for (const char* text : {"", "localhost.example", "192.0.2.1:25", "[2001:db8::1]", "[::1", "a"}) {
    EXPECT_FALSE(names_loopback(text)) << text;
  }
}

TEST(Endpoint, RefusesWhatIsNone) {
  for (const char* text : {"192.0.2.1", "2001:db8::1", "192.0.2.1:", "192.0.2.1:65536",
                           "192.0.2.1:-1", "192.0.2.1:25x", "[2001:db8::1", "[2001:db8::1]25",
                           "[2001:db8::1]:", "localhost:25", ":25", "192.0.2.1: 25"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
  EXPECT_FALSE(Endpoint::parse("192.0.2.1:x", 25));
}

}  // namespace
}  // namespace todoku::net
