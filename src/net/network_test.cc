// SPDX-License-Identifier: Apache-2.0
#include "net/network.h"

#include <gtest/gtest.h>

namespace todoku::net {
namespace {

bool contains(std::string_view network, std::string_view address) {
  return Network::parse(network).value().contains(IpAddress::parse(address).value());
}

TEST(Network, HoldsTheAddressesOfItsPrefix) {
  EXPECT_TRUE(contains("192.0.2.0/24", "192.0.2.255"));
  EXPECT_FALSE(contains("192.0.2.0/24", "192.0.3.0"));
  EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.200"));
  EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(contains("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(contains("192.0.2.7", "192.0.2.6"));
  EXPECT_TRUE(contains("0.0.0.0/0", "198.51.100.1"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(contains("::/0", "2001:db8::1"));
}

TEST(Network, IsOfOneFamily) {
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_FALSE(contains("::/0", "127.0.0.1"));
}

TEST(Network, IgnoresTheBitsBeyondItsPrefix) {
  EXPECT_EQ(Network::parse("192.0.2.77/24").value(), Network::parse("192.0.2.0/24").value());
  EXPECT_EQ(Network::parse("192.0.2.77/24").value().to_string(), "192.0.2.0/24");
  EXPECT_EQ(Network(IpAddress::parse("2001:db8::1:2:3:4").value(), 64).to_string(),
            "2001:db8::/64");
}

TEST(Network, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "/", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/8x", "192.0.2/24",
        "2001:db8::/129", "example.jp/24", "192.0.2.0/24/24"}) {
    EXPECT_EQ(Network::parse(text).error().kind, ErrorKind::invalid_input) << text;
  }
}

TEST(Network, KnowsItsLastAddress) {
  const auto last = [](std::string_view text) {
    return Network::parse(text).value().last().to_string();
  };
  EXPECT_EQ(last("192.0.2.0/24"), "192.0.2.255");
  EXPECT_EQ(last("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(last("10.0.0.0/7"), "11.255.255.255");
  EXPECT_EQ(last("0.0.0.0/0"), "255.255.255.255");
  EXPECT_EQ(last("2001:db8::/127"), "2001:db8::1");
}

}  // namespace
}  // namespace todoku::net
