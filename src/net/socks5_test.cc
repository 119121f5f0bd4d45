// SPDX-License-Identifier: Apache-2.0
#include "net/socks5.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/proxy_protocol.h"

namespace todoku::net {
namespace {

using testing::HasSubstr;
using namespace std::string_view_literals;

const Endpoint kMx = *Endpoint::parse("192.0.2.1:25");

// What it says to a proxy that says `octets`, and how it ends.
std::string talk(std::string_view octets, const Endpoint& remote = kMx,
                 const ClientLogin* login = nullptr) {
  Socks5Handshake handshake(remote, login);
  std::string said;
  while (!handshake.is_connected()) {
    said += handshake.output();
    handshake.written();
    const std::string_view piece = octets.substr(0, handshake.wanted());
    octets.remove_prefix(piece.size());
    if (piece.empty()) return said + "|waits";
    const auto taken = handshake.take(piece);
    if (!taken) return said + "|" + taken.error().detail;
  }
  return said + "|connected, left: " + std::string(octets);
}

TEST(Socks5, ConnectsToAnAddressAndReadsNoFurther) {
  EXPECT_EQ(talk("\5\0\5\0\0\1\300\0\2\11\4\70"
                 "220 mx"sv),
            "\5\1\0\5\1\0\1\300\0\2\1\0\31|connected, left: 220 mx"sv);
  EXPECT_EQ(talk("\5\0\5\0\0\3\5proxy\4\70x"sv),
            "\5\1\0\5\1\0\1\300\0\2\1\0\31|connected, left: x"sv);
  const std::string v6 = talk("\5\0\5\0\0\4"sv, *Endpoint::parse("[2001:db8::1]:587"));
  EXPECT_THAT(v6, testing::EndsWith("\0\1\2\113|waits"sv));
}

TEST(Socks5, LogsInOnlyWhereItHasALogin) {
  const ClientLogin login{.user = "me", .password = SecretText("pencil")};
  EXPECT_EQ(talk("\5\2\1\0"sv, kMx, &login), "\5\1\2\1\2me\6pencil\5\1\0\1\300\0\2\1\0\31|waits"sv);
  EXPECT_THAT(talk("\5\2\1\1"sv, kMx, &login), HasSubstr("does not let us log in"));
  EXPECT_THAT(talk("\5\0"sv, kMx, &login), HasSubstr("takes no user name"));
  EXPECT_THAT(talk("\5\377"sv), HasSubstr("wants a login"));
}

TEST(Socks5, TellsItsOwnTroubleFromTheOtherEnds) {
  const auto kind = [](std::string_view reply) {
    Socks5Handshake handshake(kMx, nullptr);
    handshake.written();
    (void)handshake.take("\5\0"sv);
    handshake.written();
    return handshake.take(reply).error().kind;
  };
  EXPECT_EQ(kind("\5\5\0\1\0"sv), ErrorKind::closed);
  EXPECT_EQ(kind("\5\4\0\1\0"sv), ErrorKind::io);
  EXPECT_EQ(kind("\5\6\0\1\0"sv), ErrorKind::io) << "no time has run out";
  EXPECT_EQ(kind("\5\1\0\1\0"sv), ErrorKind::unavailable);
  EXPECT_EQ(kind("\5\2\0\1\0"sv), ErrorKind::unavailable);
  EXPECT_EQ(kind("HTTP/"sv), ErrorKind::unavailable);
}

TEST(ProxyHeader, IsReadAsItIsWritten) {
  for (const auto& [source, destination] :
       {std::pair("192.0.2.7:0", "198.51.100.1:25"),
        std::pair("[2001:db8::7]:4000", "[2001:db8:1::1]:587")}) {
    const std::string header =
        proxy_header(*Endpoint::parse(source), *Endpoint::parse(destination));
    std::string_view rest = header;
    ProxyProtocolParser parser;
    ASSERT_TRUE(parser.take(rest).value());
    EXPECT_EQ(parser.header().source, *Endpoint::parse(source));
    EXPECT_EQ(parser.header().destination, *Endpoint::parse(destination));
  }
}

}  // namespace
}  // namespace todoku::net
