// SPDX-License-Identifier: Apache-2.0
// The parts of the client session: capabilities, envelopes, dot-stuffing.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "smtp/protocol/capabilities.h"
#include "smtp/protocol/client_envelope.h"
#include "smtp/protocol/dot_stuffing.h"

namespace todoku::smtp {
namespace {

TEST(Capabilities, ReadsWhatIsOffered) {
  const auto capabilities = Capabilities::from_ehlo(
      {250,
       "mx.example.jp at your service, [192.0.2.1]\nSIZE 157286400\n8BITMIME\nSTARTTLS\n"
       "ENHANCEDSTATUSCODES\nPIPELINING\nCHUNKING\nSMTPUTF8\nX-UNKNOWN 1 2"});
  EXPECT_TRUE(capabilities.size);
  EXPECT_EQ(capabilities.size_max, 157'286'400U);
  EXPECT_TRUE(capabilities.eight_bit_mime);
  EXPECT_TRUE(capabilities.starttls);
  EXPECT_TRUE(capabilities.enhanced_status_codes);
  EXPECT_TRUE(capabilities.pipelining);
  EXPECT_TRUE(capabilities.chunking);
  EXPECT_TRUE(capabilities.smtputf8);
  EXPECT_TRUE(capabilities.auth.empty());
}

TEST(Capabilities, IsNotFooledByTheFirstLineOrByParts) {
  EXPECT_EQ(Capabilities::from_ehlo({250, "PIPELINING"}), Capabilities());
  EXPECT_EQ(Capabilities::from_ehlo({250, "x\nXPIPELINING\nCHUNKINGS\n\n "}), Capabilities());
}

TEST(Capabilities, ReadsSizeWithCare) {
  EXPECT_EQ(Capabilities::from_ehlo({250, "x\nSIZE"}).size_max, 0U);
  EXPECT_EQ(Capabilities::from_ehlo({250, "x\nSIZE 0"}).size_max, 0U);
  EXPECT_EQ(Capabilities::from_ehlo({250, "x\nsize  1000 "}).size_max, 1'000U);
  EXPECT_EQ(Capabilities::from_ehlo({250, "x\nSIZE many"}).size_max, 0U);
  EXPECT_EQ(Capabilities::from_ehlo({250, "x\nSIZE 99999999999999999999999"}).size_max, 0U);
  EXPECT_TRUE(Capabilities::from_ehlo({250, "x\nSIZE many"}).size);
}

TEST(Capabilities, ReadsBothFormsOfAuth) {
  const auto capabilities =
      Capabilities::from_ehlo({250, "x\nauth plain LOGIN\nAUTH=LOGIN xoauth2"});
  EXPECT_EQ(capabilities.auth, (std::vector<std::string>{"PLAIN", "LOGIN", "XOAUTH2"}));
}

TEST(ClientEnvelope, TakesAddressesThatAreSafe) {
  for (const char* address : {"a@example.jp", "a..b.@docomo.ne.jp", "\"a b\"@example.jp",
                              "\"a>b\\\"c\"@example.jp", "a@[192.0.2.1]"}) {
    const auto envelope = ClientEnvelope::make("", {address});
    ASSERT_TRUE(envelope) << address;
    EXPECT_FALSE(envelope->needs().smtputf8);
  }
  EXPECT_TRUE(ClientEnvelope::make("", {"\xe5\xb1\x8a@example.jp"})->needs().smtputf8);
  EXPECT_TRUE(ClientEnvelope::make("\xe5\xb1\x8a@example.jp", {"a@b.jp"})->needs().smtputf8);
}

TEST(ClientEnvelope, RefusesWhatCouldBreakOutOfACommand) {
  using namespace std::string_literals;
  for (const std::string& address :
       {"a@b\r\nRSET"s, "a\n@b"s, "a\r@b"s, "a\0b@c"s, "a@b>"s, "a> SIZE=1@b"s, "<a@b"s, "a b@c"s,
        "\"a@b"s, "\"a\\"s, "\"a\\\r\"@b"s, "a\x7f@b"s, "caf\xe9@b"s, std::string(255, 'a')}) {
    const auto as_recipient = ClientEnvelope::make("ok@example.jp", {address});
    ASSERT_FALSE(as_recipient) << address;
    EXPECT_EQ(as_recipient.error().kind, ErrorKind::invalid_input);
    EXPECT_FALSE(ClientEnvelope::make(address, {"ok@example.jp"})) << address;
  }
  EXPECT_FALSE(ClientEnvelope::make("a@example.jp", {}));
  EXPECT_FALSE(ClientEnvelope::make("a@example.jp", {""}));
}

std::string stuffed(const std::vector<std::string_view>& pieces, bool look = true) {
  std::vector<std::string_view> out;
  append_stuffed(out, pieces, look);
  std::string text;
  for (const std::string_view view : out) text += view;
  return text;
}

TEST(DotStuffing, DoublesDotsAtLineStartsOnly) {
  EXPECT_EQ(stuffed({"a.b\r\n.c\r\n..d\r\n. \r\n"}), "a.b\r\n..c\r\n...d\r\n.. \r\n.\r\n");
  EXPECT_EQ(stuffed({".first\r\n"}), "..first\r\n.\r\n");
  EXPECT_EQ(stuffed({".\r\n"}), "..\r\n.\r\n");
}

TEST(DotStuffing, SeesLineStartsAcrossPieces) {
  EXPECT_EQ(stuffed({"a\r\n", ".b\r\n"}), "a\r\n..b\r\n.\r\n");
  EXPECT_EQ(stuffed({"a\r", "\n", "", ".b\r\n"}), "a\r\n..b\r\n.\r\n");
  EXPECT_EQ(stuffed({"a", ".b\r", "\n"}), "a.b\r\n.\r\n");
}

TEST(DotStuffing, EndsTheMessageOnALineOfItsOwn) {
  EXPECT_EQ(stuffed({}), ".\r\n");
  EXPECT_EQ(stuffed({"", ""}), ".\r\n");
  EXPECT_EQ(stuffed({"a"}), "a\r\n.\r\n");
  EXPECT_EQ(stuffed({"a\n"}), "a\n\r\n.\r\n");
  EXPECT_EQ(stuffed({"a\r", "\n"}), "a\r\n.\r\n");
  EXPECT_EQ(stuffed({"a\r\n"}, false), "a\r\n.\r\n");
}

TEST(DotStuffing, LeavesNoEarlyEndForAnyIdeaOfLines) {
  EXPECT_EQ(stuffed({"a\n.\r\nMAIL FROM:<b>\r\n"}), "a\n..\r\nMAIL FROM:<b>\r\n.\r\n");
  EXPECT_EQ(stuffed({"a\r.\r\n"}), "a\r..\r\n.\r\n");
  EXPECT_EQ(stuffed({"a\n", ".\n"}), "a\n..\n\r\n.\r\n");
}

// The same by a plain loop over single octets.
std::string stuffed_slowly(std::string_view text) {
  std::string out;
  char before = '\n';
  for (const char c : text) {
    if (c == '.' && (before == '\n' || before == '\r')) out += '.';
    out += c;
    before = c;
  }
  return out + (text.empty() || text.ends_with("\r\n") ? ".\r\n" : "\r\n.\r\n");
}

TEST(DotStuffing, GivesTheSameForAnyPieces) {
  SeededRandom random(20260101);
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    for (std::uint64_t i = random.below(40); i > 0; --i) text += "\r\n.a"[random.below(4)];
    std::vector<std::string_view> pieces;
    for (std::string_view rest = text; !rest.empty();) {
      pieces.push_back(rest.substr(0, random.below(5)));
      rest.remove_prefix(pieces.back().size());
    }
    ASSERT_EQ(stuffed(pieces), stuffed_slowly(text));
  }
}

}  // namespace
}  // namespace todoku::smtp
