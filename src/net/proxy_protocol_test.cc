// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_protocol.h"

#include <gtest/gtest.h>

namespace todoku::net {
namespace {

// What comes of the octets; what is left of them is put into `rest`.
Result<bool> parse(std::string_view octets, ProxyHeader& header, std::string_view& rest) {
  ProxyProtocolParser parser;
  rest = octets;
  auto whole = parser.take(rest);
  if (whole && *whole) header = parser.header();
  return whole;
}

ProxyHeader parsed(std::string_view octets) {
  ProxyHeader header;
  std::string_view rest;
  const auto whole = parse(octets, header, rest);
  EXPECT_TRUE(whole) << whole.error().detail;
  EXPECT_TRUE(whole && *whole);
  EXPECT_EQ(rest, "");
  return header;
}

std::string why(std::string_view octets) {
  ProxyHeader header;
  std::string_view rest;
  const auto whole = parse(octets, header, rest);
  return whole ? "(not broken)" : whole.error().detail;
}

// A header of version 2 with `body` after the prefix.
std::string binary(char command, char family, std::string_view body) {
  std::string octets("\r\n\r\n\0\r\nQUIT\n", 12);
  octets += command;
  octets += family;
  octets += static_cast<char>(body.size() >> 8U);
  octets += static_cast<char>(body.size() & 0xFFU);
  return octets.append(body);
}

constexpr std::string_view kV4("\xC0\x00\x02\x01\xC6\x33\x64\x02\xDC\x04\x01\xD1", 12);
const ProxyHeader kClient{.source = Endpoint::parse("192.0.2.1:56324").value(),
                          .destination = Endpoint::parse("198.51.100.2:465").value()};

TEST(ProxyProtocol, LinesNameTheClient) {
  EXPECT_EQ(parsed("PROXY TCP4 192.0.2.1 198.51.100.2 56324 465\r\n"), kClient);
  const ProxyHeader v6 = parsed("PROXY TCP6 2001:DB8::1 2001:db8::2 65535 0\r\n");
  EXPECT_EQ(v6.source.to_string(), "[2001:db8::1]:65535");
  EXPECT_EQ(v6.destination.to_string(), "[2001:db8::2]:0");
}

TEST(ProxyProtocol, AMappedAddressIsOneOfIpv4) {
  EXPECT_EQ(parsed("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 56324 465\r\n"), kClient);
}

TEST(ProxyProtocol, UnknownClientsLeaveTheConnectionsEnds) {
  EXPECT_EQ(parsed("PROXY UNKNOWN\r\n"), ProxyHeader{.local = true});
  EXPECT_EQ(parsed("PROXY UNKNOWN what ever 1 2 3\r\n"), ProxyHeader{.local = true});
  EXPECT_EQ(parsed(binary('\x20', '\x00', "")), ProxyHeader{.local = true});
  EXPECT_EQ(parsed(binary('\x20', '\xFF', "junk")), ProxyHeader{.local = true});
  EXPECT_EQ(parsed(binary('\x21', '\x00', "junk")), ProxyHeader{.local = true});
  EXPECT_EQ(parsed(binary('\x21', '\x31', std::string(216, 'x'))), ProxyHeader{.local = true});
}

TEST(ProxyProtocol, BinaryHeadersNameTheClient) {
  EXPECT_EQ(parsed(binary('\x21', '\x11', kV4)), kClient);
  std::string v6(10, '\0');
  v6 += "\xFF\xFF";
  v6 += kV4.substr(0, 4);
  v6 += std::string(15, '\0') + '\x01';
  v6 += kV4.substr(8);
  const ProxyHeader header = parsed(binary('\x21', '\x21', v6));
  EXPECT_EQ(header.source, kClient.source);
  EXPECT_EQ(header.destination.to_string(), "[::1]:465");
}

TEST(ProxyProtocol, WhatFollowsIsTheClients) {
  ProxyHeader header;
  std::string_view rest;
  const std::string octets = binary('\x21', '\x11', kV4) + "EHLO x\r\n";
  EXPECT_TRUE(parse(octets, header, rest).value());
  EXPECT_EQ(rest, "EHLO x\r\n");
  EXPECT_TRUE(parse("PROXY UNKNOWN\r\nEHLO x\r\n", header, rest).value());
  EXPECT_EQ(rest, "EHLO x\r\n");
}

// Who reads as much as is wanted never reads an octet of the client.
TEST(ProxyProtocol, WantsNoMoreThanTheHeader) {
  for (const std::string& octets :
       {std::string("PROXY UNKNOWN\r\n"),
        std::string("PROXY TCP4 192.0.2.1 198.51.100.2 56324 465\r\n"), binary('\x20', '\x00', ""),
        binary('\x21', '\x11', std::string(kV4) + std::string("\x04\x00\x02..", 5))}) {
    ProxyProtocolParser parser;
    std::size_t at = 0;
    while (parser.wanted() > 0) {
      ASSERT_LE(at + parser.wanted(), octets.size());
      std::string_view piece = std::string_view(octets).substr(at, parser.wanted());
      at += piece.size();
      ASSERT_TRUE(parser.take(piece));
      EXPECT_EQ(piece, "");
    }
    EXPECT_EQ(at, octets.size());
  }
}

// The sum was computed by another implementation of CRC-32C.
TEST(ProxyProtocol, AChecksumMustBeRight) {
  const std::string body = std::string(kV4) + std::string("\x03\x00\x04", 3) + "SUM!";
  const std::string_view right("\xE7\xAF\xC5\x76", 4);
  std::string octets = binary('\x21', '\x11', body);
  EXPECT_EQ(why(octets), "PROXY header: the checksum is another");
  octets.replace(octets.size() - 4, 4, right);
  EXPECT_EQ(parsed(octets), kClient);
  octets[20] = static_cast<char>(octets[20] ^ 1);
  EXPECT_EQ(why(octets), "PROXY header: the checksum is another");
}

TEST(ProxyProtocol, RefusesWhatIsNoHeader) {
  EXPECT_EQ(why("EHLO x\r\n"), "PROXY header: the connection does not begin with one");
  EXPECT_EQ(why("P"), "(not broken)");
  EXPECT_EQ(why("\r\nEHLO"), "PROXY header: the connection does not begin with one");
  EXPECT_EQ(why("PROXY TCP4 192.0.2.1 198.51.100.2 56324 465\n"),
            "PROXY header: the line has CR or LF alone");
  EXPECT_EQ(why("PROXY UNKNOWN\rx"), "PROXY header: the line has CR or LF alone");
  EXPECT_EQ(why("PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n"),
            "PROXY header: neither TCP4 nor TCP6");
  EXPECT_EQ(why("PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n"),
            "PROXY header: the addresses are not of the family");
  for (const char* rest : {"192.0.2.1 198.51.100.2 1", "192.0.2.1 198.51.100.2 01 2",
                           "192.0.2.1 198.51.100.2 1 65536", "192.0.2.1 198.51.100.2 1 2 ",
                           "192.0.2.1  198.51.100.2 1 2", "192.0.2.01 198.51.100.2 1 2", ""}) {
    EXPECT_EQ(why(std::string("PROXY TCP4 ") + rest + "\r\n"),
              "PROXY header: two addresses and two ports are needed")
        << rest;
  }
  EXPECT_EQ(why("PROXY UNKNOWN " + std::string(200, 'x')),
            "PROXY header: the line has more than 107 octets");
  EXPECT_EQ(why(binary('\x11', '\x11', kV4)), "PROXY header: the binary version is not 2");
  EXPECT_EQ(why(binary('\x22', '\x11', kV4)), "PROXY header: neither LOCAL nor PROXY");
  EXPECT_EQ(why(binary('\x21', '\x41', kV4)),
            "PROXY header: neither family nor transport is known");
  EXPECT_EQ(why(binary('\x21', '\x12', kV4)), "PROXY header: datagrams carry no mail");
  EXPECT_EQ(why(binary('\x21', '\x21', kV4)), "PROXY header: the addresses are cut off");
  EXPECT_EQ(why(binary('\x21', '\x11', std::string(kV4) + "ab")),
            "PROXY header: a vector is cut off");
  EXPECT_EQ(why(binary('\x21', '\x11', std::string(kV4) + std::string("\x04\x00\x02.", 4))),
            "PROXY header: a vector is longer than the header");
  EXPECT_EQ(why(binary('\x21', '\x11', std::string(2049, 'x')).substr(0, 16)),
            "PROXY header: 2049 octets, more than 2048");
}

TEST(ProxyProtocol, TheLongestLineIsTaken) {
  std::string line = "PROXY UNKNOWN ";
  line += std::string(ProxyProtocolParser::kLineMax - line.size() - 2, 'f') + "\r\n";
  EXPECT_TRUE(parsed(line).local);
}

TEST(ProxyProtocol, StaysBroken) {
  ProxyProtocolParser parser;
  std::string_view bad = "GET / HTTP/1.1\r\n";
  EXPECT_FALSE(parser.take(bad));
  std::string_view good = "PROXY UNKNOWN\r\n";
  const auto again = parser.take(good);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::corrupt);
  EXPECT_EQ(parser.wanted(), 0U);
}

}  // namespace
}  // namespace todoku::net
