// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "mail/address.h"
#include "mail/attempt.h"
#include "mail/invisible.h"
#include "mail/reply.h"
#include "mail/states.h"

namespace todoku {
namespace {

std::string why_refused(std::string_view text) {
  const auto address = parse_address(text);
  return address ? "accepted" : address.error().detail;
}

TEST(Address, KeepsTheOldCarrierFormsAndQuotesThemOnTheWire) {
  const auto address = parse_address("a..b.@docomo.ne.jp");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->local, "a..b.");
  EXPECT_EQ(address->to_string(), R"("a..b."@docomo.ne.jp)");
  EXPECT_EQ(parse_address(R"("a..b."@docomo.ne.jp)"), *address);
}

TEST(Address, DomainsAreLowerCaseALabels) {
  EXPECT_EQ(parse_address("x@Example.JP")->domain, "example.jp");
  EXPECT_EQ(parse_address("x@日本語.jp")->domain, "xn--wgv71a119e.jp");
  EXPECT_TRUE(parse_address("届く@example.jp")->needs_smtputf8());
}

TEST(Address, RefusesWithAReason) {
  EXPECT_EQ(why_refused(""), "is empty");
  EXPECT_EQ(why_refused("plain"), "has no @");
  EXPECT_EQ(why_refused("@example.jp"), "has nothing before the @");
  EXPECT_EQ(why_refused("a@"), "has no domain");
  EXPECT_EQ(why_refused("a@-x.jp"), "has an invalid domain");
  EXPECT_EQ(why_refused("a@localhost"), "has a domain without a dot");
  EXPECT_EQ(why_refused("a b@example.jp"), "has a space, which an address cannot hold");
  EXPECT_EQ(why_refused("a(b@example.jp"), "has \"(\", which an address cannot hold");
  EXPECT_EQ(why_refused("a\"b@example.jp"), "has a quotation mark, which an address cannot hold");
  EXPECT_EQ(why_refused("a@example.jp,"), "has \",\", which an address cannot hold");
  EXPECT_EQ(why_refused("a@exam ple.jp"), "has a space, which an address cannot hold");
  EXPECT_EQ(why_refused("a@日本(語.jp"), "has \"(\", which an address cannot hold");
  EXPECT_EQ(why_refused("a@x..jp"), "has two dots in a row after the @, or one at once");
  EXPECT_EQ(why_refused("a@.x.jp"), "has two dots in a row after the @, or one at once");
  EXPECT_EQ(why_refused("a\r\nRCPT@example.jp"), "has a control character");
  EXPECT_EQ(why_refused(std::string(65, 'a') + "@example.jp"),
            "has more than 64 octets before the @");
  EXPECT_EQ(why_refused("a@" + std::string(250, 'b') + ".jp"), "is longer than 254 octets");
}

// What is in a list and means an address.
TEST(Address, SaysWhatToWriteInstead) {
  for (const char* named : {"花子 <h@example.jp>", "<h@example.jp>", "\"H, N\" <h@example.jp>"}) {
    EXPECT_EQ(why_refused(named), "has < and > around the address, write the address alone")
        << named;
  }
  for (const char* two :
       {"x@a.example;y@b.example", "x@a.example, y@b.example", "x@a.example y@b.example",
        "x@a.example\ny@b.example", "x@a.example、y@b.example", "x@a.example\u3000y@b.example",
        "X <x@a.example>, Y <y@b.example>", "x@a.example/y@b.example"}) {
    EXPECT_EQ(why_refused(two), "has more than one address, write one") << two;
  }
  EXPECT_EQ(why_refused("x@@a.example"), "has more than one @");
  EXPECT_EQ(why_refused("x@a@b.example"), "has more than one @");
  EXPECT_EQ(why_refused("MAILTO:x@a.example"), "begins with mailto:, write the address alone");
  // What has a quotation mark may have anything in it.
  EXPECT_EQ(why_refused("\"x@a\"@b.example"), "accepted");
}

TEST(Address, TakesTheFullStopsOfItsScriptInADomain) {
  // RFC 3490 section 3.1: U+3002, U+FF0E and U+FF61 are dots there.
  for (const char* dotted : {"x@good。example", "x@good．example", "x@good｡example"}) {
    EXPECT_EQ(parse_address(dotted)->domain, "good.example") << dotted;
  }
  EXPECT_EQ(parse_address("x@ｇｏｏｄ.example")->domain, "good.example");
}

TEST(Address, NamesTheCharacterThatNobodySees) {
  EXPECT_EQ(why_refused("order\u200B@shop.example"),
            "has the invisible character U+200B ZERO WIDTH SPACE at character 6");
  EXPECT_EQ(why_refused("a@sh\u00ADop.example"),
            "has the invisible character U+00AD SOFT HYPHEN at character 5");
  EXPECT_EQ(why_refused("届\u3000b@shop.example"),
            "has the invisible character U+3000 IDEOGRAPHIC SPACE at character 2");
  EXPECT_EQ(why_refused("\uFEFFa@shop.example"),
            "has the invisible character U+FEFF ZERO WIDTH NO-BREAK SPACE at character 1");
  EXPECT_EQ(why_refused("a\u0085b@shop.example"),
            "has the invisible character U+0085 at character 2");
  EXPECT_EQ(why_refused("a@shop.example\U000E0001"),
            "has the invisible character U+E0001 LANGUAGE TAG at character 15");
  for (const char* hidden : {"\u2800", "\u3164", "\uFFA0", "\u115F", "\uFFFE", "\uFDD0",
                             "\U0001FFFF", "\u2028", "\u2029", "\u202E", "\u2066", "\u061C"}) {
    const std::string inside = "a" + std::string(hidden) + "b@shop.example";
    EXPECT_TRUE(why_refused(inside).starts_with("has the invisible character")) << inside;
    EXPECT_EQ(trim_invisible(hidden + std::string("a@shop.example") + hidden), "a@shop.example");
  }
  EXPECT_EQ(why_refused("\"a b\"@shop.example"), "accepted") << "a space that quotes show";
}

TEST(Address, HoldsNoEncodedWord) {
  EXPECT_EQ(why_refused("=?utf-8?q?ceo=40bank.example?=@shop.example"),
            "has an encoded-word (=?...?=) before the @");
  EXPECT_EQ(why_refused("\"x =?utf-8?b?eA==?=\"@shop.example"),
            "has an encoded-word (=?...?=) before the @");
  EXPECT_EQ(why_refused("srs0=x?=y=z@shop.example"), "accepted");
  EXPECT_EQ(why_refused("!#$%&'*+-/=?^_`{|}~@shop.example"), "accepted");
}

TEST(Labels, LoseWhatMakesThemShowAsOthers) {
  std::string name = "shop\u202Egpj\u2066.exe\u2069\u200E\u2800\uFFFF\u2028届 く\t";
  strip_misleading(name);
  EXPECT_EQ(name, "shopgpj.exe届 く\t");
}

TEST(Address, FitsTheWireInTheFormOfTheWire) {
  // 254 octets as given, more with the quotes.
  const std::string domain =
      std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c') + ".example";
  const std::string local = std::string(254 - 1 - domain.size() - 2, 'x') + "..";
  ASSERT_EQ((local + "@" + domain).size(), 254U);
  EXPECT_EQ(why_refused(local + "@" + domain),
            "is longer than 254 octets as mail servers write it");
  EXPECT_EQ(why_refused(local.substr(2) + "@" + domain), "accepted");
  std::string label;
  for (int i = 0; i < 40; ++i) label += "\u5C4A\u304F";
  EXPECT_EQ(why_refused("a@" + label + ".example"), "has an invalid internationalised domain");
  EXPECT_EQ(why_refused("a@[\u5C4A]"), "has an invalid domain");
  EXPECT_EQ(why_refused("a@[192.0.2.1]"), "accepted");
}

TEST(Invisible, IsTrimmedAtTheEndsOnly) {
  EXPECT_EQ(trim_invisible("\u3000\uFEFF a@shop.example\t\u200B\u00A0\r\n"), "a@shop.example");
  EXPECT_EQ(trim_invisible("a\u200Bb"), "a\u200Bb");
  EXPECT_EQ(trim_invisible("\u200B \u2028"), "");
  EXPECT_EQ(trim_invisible("\x01x\x7F"), "\x01x\x7F");
  EXPECT_EQ(trim_invisible("\xE2\x80"), "\xE2\x80") << "no character at all";
  EXPECT_EQ(trim_invisible("x\x8B\x80"), "x\x8B\x80");
  EXPECT_EQ(trim_invisible("届\u200D"), "届");
}

TEST(Reply, ReadsEnhancedStatusOnlyWhereItIsOne) {
  EXPECT_EQ(parse_enhanced_status("5.1.1 no such user"), (EnhancedStatus{5, 1, 1}));
  EXPECT_EQ(parse_enhanced_status("4.7.650"), (EnhancedStatus{4, 7, 650}));
  EXPECT_EQ(parse_enhanced_status("5.1.1234 x"), std::nullopt);
  EXPECT_EQ(parse_enhanced_status("1.1.1 x"), std::nullopt);
  EXPECT_EQ(parse_enhanced_status("5.1 x"), std::nullopt);
  EXPECT_EQ(parse_enhanced_status("192.0.2.1 blocked"), std::nullopt);
}

TEST(RecipientState, TerminalStatesDoNotChangeButDeliveredMayBounce) {
  EXPECT_TRUE(may_change(RecipientState::pending, RecipientState::delivered));
  EXPECT_TRUE(may_change(RecipientState::deferred, RecipientState::deferred));
  EXPECT_TRUE(may_change(RecipientState::delivered, RecipientState::bounced));
  EXPECT_FALSE(may_change(RecipientState::bounced, RecipientState::delivered));
  EXPECT_FALSE(may_change(RecipientState::delivered, RecipientState::deferred));
  EXPECT_FALSE(may_change(RecipientState::deferred, RecipientState::pending));
}

TEST(DeliveryStatus, ContractWordsRoundTrip) {
  for (int value = 1; value <= 7; ++value) {
    const auto status = static_cast<DeliveryStatus>(value);
    EXPECT_EQ(delivery_status_from_contract(contract_word(status)), status);
  }
  EXPECT_EQ(delivery_status_from_contract("NONSENSE"), std::nullopt);
}

}  // namespace
}  // namespace todoku
