// SPDX-License-Identifier: Apache-2.0
#include "net/outbound_rule.h"

#include <string>

#include <gtest/gtest.h>

namespace todoku::net {
namespace {

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

OutboundRule::Permit permit(std::string_view text) {
  return OutboundRule::Permit::parse(text).value();
}

bool allows(const OutboundRule& rule, std::string_view address, std::uint16_t port = 443) {
  return rule.judge({ip(address), port}).has_value();
}

// Each range that is not for outsiders, with its neighbours if they are; nullptr: the neighbour
// belongs to another refused range or there is none.
struct Range {
  const char* before;
  const char* first;
  const char* last;
  const char* after;
};
constexpr Range kRefused[] = {
    {nullptr, "0.0.0.0", "0.255.255.255", "1.0.0.0"},
    {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
    {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
    {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
    {"168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"},
    {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
    {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
    {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
    {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
    {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
    {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
    {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
    {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
    {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
    {"223.255.255.255", "224.0.0.0", "239.255.255.255", nullptr},
    {nullptr, "240.0.0.0", "255.255.255.255", nullptr},
    // Unspecified, loopback, IPv4-compatible (RFC 4291 section 2.5.5.1): nothing of ::/96.
    {nullptr, "::", "::ffff:ffff", nullptr},
    {nullptr, "::8.8.8.8", "::127.0.0.1", nullptr},
    // The local NAT64 prefix (RFC 8215), and all else below 2000::/3.
    {nullptr, "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", nullptr},
    {nullptr, "64:ff9b:2::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"},
    // Teredo, benchmarking, ORCHID and others of 2001::/23 (RFC 2928).
    {"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
     "2001:200::"},
    {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
     "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
    {"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
     "2003::"},
    {"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
     "3fff:1000::"},
    // Not handed out; unique local, link-local, site-local (RFC 3879), multicast.
    {"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
     nullptr},
    {nullptr, "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", nullptr},
    {nullptr, "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", nullptr},
    {nullptr, "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", nullptr},
    {nullptr, "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", nullptr},
};

TEST(OutboundRule, RefusesEveryRangeFromItsFirstToItsLastAddress) {
  const OutboundRule rule;
  for (const Range& range : kRefused) {
    EXPECT_FALSE(allows(rule, range.first)) << range.first;
    EXPECT_FALSE(allows(rule, range.last)) << range.last;
    if (range.before != nullptr) {
      EXPECT_TRUE(allows(rule, range.before)) << range.before;
    }
    if (range.after != nullptr) {
      EXPECT_TRUE(allows(rule, range.after)) << range.after;
    }
  }
}

TEST(OutboundRule, JudgesAnIpv4AddressAlsoInsideAnIpv6One) {
  const OutboundRule rule;
  for (const Range& range : kRefused) {
    if (!ip(range.first).is_v4()) continue;
    for (const std::string_view prefix : {"::ffff:", "64:ff9b::"}) {
      const std::string first = std::string(prefix) + range.first;
      const std::string last = std::string(prefix) + range.last;
      EXPECT_FALSE(allows(rule, first)) << first;
      EXPECT_FALSE(allows(rule, last)) << last;
      if (range.before == nullptr) continue;
      EXPECT_TRUE(allows(rule, std::string(prefix) + range.before)) << prefix << range.before;
    }
  }
}

TEST(OutboundRule, OfAClosedInternetReachesWhatIsPermittedAlone) {
  const OutboundRule rule({OutboundRule::Permit::parse("127.0.0.0/8:*").value()}, {},
                          OutboundRule::Internet::closed);
  EXPECT_TRUE(rule.judge({ip("127.0.0.1"), 8080}));
  EXPECT_FALSE(rule.judge({ip("8.8.8.8"), 443}));
  EXPECT_FALSE(rule.judge({ip("10.0.0.1"), 443}));
}

TEST(OutboundRule, HasThePortsOfTheWeb) {
  const OutboundRule rule;
  EXPECT_TRUE(allows(rule, "8.8.8.8", 80));
  EXPECT_TRUE(allows(rule, "8.8.8.8", 443));
  constexpr std::uint16_t kOthers[] = {0, 1, 22, 25, 79, 81, 442, 444, 8080, 65535};
  for (const std::uint16_t port : kOthers) {
    EXPECT_FALSE(allows(rule, "8.8.8.8", port)) << port;
    EXPECT_FALSE(rule.knows_port(port)) << port;
  }
}

TEST(OutboundRule, KeepsOutsidersFromOurOwnAddresses) {
  const OutboundRule rule({permit("*:8443")}, {ip("8.8.4.4"), ip("2606:4700::64")});
  EXPECT_FALSE(allows(rule, "8.8.4.4"));
  EXPECT_FALSE(allows(rule, "::ffff:8.8.4.4"));
  EXPECT_FALSE(allows(rule, "64:ff9b::8.8.4.4"));
  EXPECT_FALSE(allows(rule, "2606:4700::64", 8443));
  EXPECT_TRUE(allows(rule, "8.8.4.5"));
}

TEST(OutboundRule, AllowsWhatTheOperatorListsAndNoMore) {
  const OutboundRule rule({permit("127.0.0.1:8080"), permit("10.1.0.0/16:443"),
                           permit("[fd00:1::/64]:*"), permit("*:8443")});
  EXPECT_TRUE(allows(rule, "127.0.0.1", 8080));
  EXPECT_TRUE(allows(rule, "::ffff:127.0.0.1", 8080));
  EXPECT_FALSE(allows(rule, "127.0.0.1", 8081));
  EXPECT_FALSE(allows(rule, "127.0.0.1", 443));
  EXPECT_FALSE(allows(rule, "127.0.0.2", 8080));
  EXPECT_TRUE(allows(rule, "10.1.255.255", 443));
  EXPECT_FALSE(allows(rule, "10.1.255.255", 80));
  EXPECT_FALSE(allows(rule, "10.2.0.0", 443));
  EXPECT_FALSE(allows(rule, "64:ff9b::10.1.0.1", 443));
  EXPECT_TRUE(allows(rule, "fd00:1::7", 1));
  EXPECT_FALSE(allows(rule, "fd00:1:0:1::7", 443));
  EXPECT_TRUE(allows(rule, "8.8.8.8", 8443));
  EXPECT_FALSE(allows(rule, "127.0.0.1", 8443));
  EXPECT_FALSE(allows(rule, "8.8.8.8", 8080));
  EXPECT_TRUE(rule.knows_port(8080));
}

TEST(OutboundRule, SaysNothingOfTheInside) {
  const auto refused = OutboundRule().judge({ip("10.77.3.9"), 443});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unauthorized);
  EXPECT_EQ(refused.error().detail.find("10.77"), std::string::npos);
}

TEST(OutboundRule, ReadsPermits) {
  EXPECT_EQ(permit("192.0.2.7:*"), permit("192.0.2.7/32:*"));
  EXPECT_EQ(permit("[2001:db8::1]:443").network, Network::parse("2001:db8::1").value());
  for (const std::string_view text :
       {"", ":", "443", "10.0.0.0/8", "10.0.0.0/8:", "10.0.0.0/8:0", "10.0.0.0/8:65536",
        "10.0.0.0/8:44x", "10.0.0.0/33:443", "2001:db8::1:443", "[2001:db8::1]443", "*", "*:*",
        "*:", "example.jp:443", "[10.0.0.0/8]:443"}) {
    EXPECT_FALSE(OutboundRule::Permit::parse(text)) << text;
  }
}

}  // namespace
}  // namespace todoku::net
