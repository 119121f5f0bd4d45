// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "mail/address.h"
#include "mail/attempt.h"
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
  EXPECT_EQ(why_refused("a b@example.jp"), "has a character that an address cannot hold");
  EXPECT_EQ(why_refused("a@b,c@example.jp"), "has a character that an address cannot hold");
  EXPECT_EQ(why_refused("a\r\nRCPT@example.jp"), "has a control character");
  EXPECT_EQ(why_refused("<a@example.jp>"), "has a character that an address cannot hold");
  EXPECT_EQ(why_refused(std::string(65, 'a') + "@example.jp"),
            "has more than 64 octets before the @");
  EXPECT_EQ(why_refused("a@" + std::string(250, 'b') + ".jp"), "is longer than 254 octets");
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
