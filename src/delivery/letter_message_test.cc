// SPDX-License-Identifier: Apache-2.0
// Both kinds of messages, asked in the same way.
#include "delivery/letter_message.h"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/installation.h"

namespace todoku::delivery {
namespace {

std::string octets_of(const OutgoingMessage& message) {
  std::string all(message.head());
  for (const std::string_view piece : message.body()) all += piece;
  EXPECT_EQ(all.size(), message.size());
  return all;
}

std::string fields_of(const OutgoingMessage& message) {
  std::string all;
  for (const HeaderField& field : message.headers()) all += field.raw;
  return all;
}

std::string names_of(const OutgoingMessage& message) {
  std::string all;
  for (const HeaderField& field : message.headers()) all += std::string(field.name) + ' ';
  return all;
}

mime::MessageTemplate make_template(std::string text) {
  Content content;
  content.from.address = "news@example.com";
  content.subject = "Hello";
  content.text_part = std::move(text);
  return mime::MessageTemplate::build(std::move(content), {}).value();
}

const std::vector<InsertCode> kCodes = {{.key = "__name__", .value = "Taro"}};
const CopyFor kCopy{.address = "b@example.jp",
                    .insert_codes = kCodes,
                    .identity = {.delivery = 5, .message_id_domain = "example.com"}};

TEST(LetterMessage, AComposedOneIsWhatItsTemplateMakes) {
  const auto same = make_template("Dear __name__,\n.dot");
  std::vector<mime::InsertCodeView> views;
  mime::ComposedMessage expected;
  same.compose({kCopy.address, mime::view_codes(kCodes, views)}, kCopy.identity, expected);

  const LetterMessage letter(make_template("Dear __name__,\n.dot"));
  OutgoingMessage message;
  letter.begin(kCopy, message);
  std::string all(expected.head());
  for (const std::string_view piece : expected.body()) all += piece;
  EXPECT_EQ(octets_of(message), all);
  EXPECT_TRUE(all.contains("Dear Taro")) << all;
  EXPECT_EQ(fields_of(message) + "\r\n", message.head());
  EXPECT_TRUE(message.has_leading_dot());
  EXPECT_FALSE(message.is_eight_bit());
  EXPECT_GE(letter.memory_octets(), same.memory_octets());
}

TEST(LetterMessage, EachCopySaysInItsPixelWhoseItIs) {
  constexpr std::array<std::uint8_t, 16> kKey{7};
  const auto tokens = std::make_shared<const OpenTokens>(kKey);
  Content content;
  content.from.address = "news@example.com";
  content.subject = "Hello";
  content.html_part = "<p>x</p>";
  content.text_from_html = false;
  content.open_tracking = true;
  LetterMessage letter(
      mime::MessageTemplate::build(std::move(content), {.pixel_url = "https://example.com/open/"})
          .value());
  letter.set_tokens(
      {.account = store::AccountKey{3}, .list_id = {}, .opens = tokens, .unsubscribes = {}});
  CopyFor copy = kCopy;
  OutgoingMessage message;
  for (const std::uint32_t seq : {0U, 1U, 0U}) {
    copy.identity.batch = 2;
    copy.identity.seq = seq;
    letter.begin(copy, message);
    const std::string all = octets_of(message);
    const std::size_t begin = all.find("/open/") + 6;
    ASSERT_GT(begin, 6U) << all;
    const std::string token = all.substr(begin, all.find('"', begin) - begin);
    EXPECT_EQ(tokens->read(token), (OpenToken{3, 5, 2, seq})) << token;
  }
}

TEST(LetterMessage, EachCopySaysInItsLinkWhoLeavesWhat) {
  constexpr std::array<std::uint8_t, 16> kKey{7};
  const auto tokens = std::make_shared<const UnsubscribeTokens>(kKey);
  Content content;
  content.from.address = "news@example.com";
  content.subject = "Hello";
  content.text_part = "x";
  LetterMessage letter(
      mime::MessageTemplate::build(std::move(content),
                                   {.unsubscribe_url = "https://example.com/unsubscribe/"})
          .value());
  letter.set_tokens(
      {.account = store::AccountKey{3}, .list_id = "weekly", .opens = {}, .unsubscribes = tokens});
  OutgoingMessage message;
  letter.begin(kCopy, message);
  const std::string first = octets_of(message);
  const std::size_t begin = first.find("/unsubscribe/") + 13;
  const auto token = tokens->read(first.substr(begin, first.find('>', begin) - begin));
  ASSERT_TRUE(token) << first;
  EXPECT_EQ(token->account, 3);
  EXPECT_EQ(token->list_id, "weekly");
  EXPECT_EQ(token->address, kCopy.address);
  EXPECT_TRUE(first.contains("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
  letter.begin(kCopy, message);
  EXPECT_EQ(octets_of(message), first) << "a retry has the same octets";
}

const std::string kRaw =
    "From: a@example.com\r\nsubject: x\r\n folded\r\nmessage-id: <1@example.com>\r\n\r\nbody\r\n";

LetterMessage relayed(std::string octets, const RelayedMessage::Options& options = {}) {
  auto built = RelayedMessage::build(std::move(octets), options);
  EXPECT_TRUE(built) << built.error().detail;
  return std::move(*built);
}

TEST(LetterMessage, ARelayedOneGoesOnAsItCame) {
  const LetterMessage letter = relayed(kRaw);
  OutgoingMessage message;
  letter.begin(kCopy, message);
  EXPECT_EQ(octets_of(message), kRaw);
  EXPECT_EQ(names_of(message), "From subject message-id ");
  EXPECT_FALSE(message.has_leading_dot());
  EXPECT_FALSE(message.is_eight_bit());
  EXPECT_FALSE(message.charset_fell_back());
}

TEST(LetterMessage, ARelayedOneGetsFieldsThatAreMissingInFront) {
  const RelayedMessage::Options options{
      .added = {{.name = "Received", .value = "from a\r\n by b; Thu, 01 Jan 2026 09:00:00 +0900"},
                {.name = "Message-ID", .value = "<2@example.com>", .only_if_missing = true},
                {.name = "Date",
                 .value = "Thu, 01 Jan 2026 09:00:00 +0900",
                 .only_if_missing = true}},
      .smtputf8 = true};
  const LetterMessage letter = relayed("Received: before\r\n" + kRaw, options);
  OutgoingMessage message;
  letter.begin(kCopy, message);
  EXPECT_EQ(octets_of(message),
            "Received: from a\r\n by b; Thu, 01 Jan 2026 09:00:00 +0900\r\n"
            "Date: Thu, 01 Jan 2026 09:00:00 +0900\r\nReceived: before\r\n" +
                kRaw);
  EXPECT_EQ(names_of(message), "Received Date Received From subject message-id ");
  EXPECT_TRUE(message.needs_smtputf8());
}

TEST(LetterMessage, ARelayedOneSaysWhatItNeeds) {
  OutgoingMessage message;
  const LetterMessage dotted = relayed("Subject: x\r\n\r\na\r\n.\r\n");
  dotted.begin(kCopy, message);
  EXPECT_TRUE(message.has_leading_dot());
  const LetterMessage first = relayed("Subject: x\r\n\r\n.a\r\n");
  first.begin(kCopy, message);
  EXPECT_TRUE(message.has_leading_dot());
  const LetterMessage eight_bit = relayed("Subject: x\r\n\r\n\xE5\xB1\x8A\r\n");
  eight_bit.begin(kCopy, message);
  EXPECT_TRUE(message.is_eight_bit());
  EXPECT_FALSE(message.needs_smtputf8());
}

TEST(LetterMessage, ARelayedOneIsConvertedOnlyForWhoDoesNotTakeIt) {
  using enum mime::WireOctets;
  EXPECT_EQ(LetterMessage(make_template("届く")).must_become(seven_bit), std::nullopt);
  EXPECT_EQ(relayed(kRaw).must_become(seven_bit), std::nullopt);
  const LetterMessage wide = relayed("Subject: x\r\n\r\n届く\r\n");
  EXPECT_EQ(wide.must_become(seven_bit), seven_bit);
  EXPECT_EQ(wide.must_become(eight_bit), std::nullopt);
  const std::string line(999, 'x');
  const LetterMessage tall = relayed("Subject: x\r\n\r\n" + line + "\r\n");
  EXPECT_EQ(tall.must_become(seven_bit), seven_bit);
  EXPECT_EQ(tall.must_become(eight_bit), seven_bit) << "one form serves all";
  const LetterMessage both = relayed("Subject: 届く\r\n\r\n" + line + "\r\n");
  EXPECT_EQ(both.must_become(seven_bit), seven_bit);
  EXPECT_EQ(both.must_become(eight_bit), eight_bit);

  const auto made = run(both.converted(eight_bit)).value();
  ASSERT_TRUE(made.message) << made.why_not;
  EXPECT_EQ(run(both.converted(eight_bit))->message, made.message) << "it is made once";
  OutgoingMessage message;
  made.message->begin(kCopy, message);
  EXPECT_TRUE(octets_of(message).starts_with("Subject: 届く\r\nMIME-Version: 1.0\r\n"));
  EXPECT_TRUE(message.is_eight_bit());
  EXPECT_EQ(made.message->must_become(eight_bit), std::nullopt);
  const auto refused = run(both.converted(seven_bit)).value();
  EXPECT_FALSE(refused.message);
  EXPECT_TRUE(refused.why_not.starts_with("has header fields that are 8-bit"));
}

TEST(LetterMessage, OneMemoryServesBothKindsInTurn) {
  const LetterMessage composed(make_template("Dear __name__"));
  const LetterMessage raw = relayed(kRaw);
  OutgoingMessage message;
  composed.begin(kCopy, message);
  const std::string once = octets_of(message);
  raw.begin(kCopy, message);
  EXPECT_EQ(octets_of(message), kRaw);
  message.trim(0);
  EXPECT_EQ(octets_of(message), "");
  composed.begin(kCopy, message);
  EXPECT_EQ(octets_of(message), once);
}

TEST(LetterMessage, MayBeMovedAfterItWasBuilt) {
  LetterMessage letter = relayed("Subject: x\r\n\r\nshort\r\n");
  const LetterMessage moved = std::move(letter);
  OutgoingMessage message;
  moved.begin(kCopy, message);
  EXPECT_EQ(octets_of(message), "Subject: x\r\n\r\nshort\r\n");
}

TEST(RelayedMessage, RefusesWhatReceiversReadInDifferentWays) {
  for (const std::string& octets :
       {std::string("Subject: x\n\r\n"), std::string("Subject: x\r\n\r\na\n.\r\nMAIL"),
        std::string("Subject: x\r\n\r\na\r.\r\n"), std::string("Subject: x\r\n\r\na\r"),
        std::string("Subject: x\r\n\r\n\0\r\n", 17), std::string(" folded: x\r\n\r\n")}) {
    const auto built = RelayedMessage::build(octets, {});
    ASSERT_FALSE(built) << octets;
    EXPECT_EQ(built.error().kind, ErrorKind::invalid_input);
  }
}

TEST(RelayedMessage, AddsFieldsOnly) {
  for (const AddedField& added :
       {AddedField{"Received", "x\r\nBcc: y"}, AddedField{"Received", "x\r\n\r\nbody"},
        AddedField{"Received", "x\ny"}, AddedField{"", "x"}, AddedField{"A b", "x"},
        AddedField{"Received", "\xE5\xB1\x8A"}}) {
    EXPECT_FALSE(RelayedMessage::build(kRaw, {.added = {added}})) << added.value;
  }
}

TEST(RelayedMessage, OddOnesPassAsTheyAre) {
  for (const std::string& octets :
       {std::string(), std::string("\r\n"), std::string("\r\nbody only"), std::string("no field"),
        std::string("Subject: x"), std::string("Subject: x\r\n")}) {
    const LetterMessage letter = relayed(octets, {.added = {{.name = "Received", .value = "x"}}});
    OutgoingMessage message;
    letter.begin(kCopy, message);
    EXPECT_EQ(octets_of(message), "Received: x\r\n" + octets);
  }
}

}  // namespace
}  // namespace todoku::delivery
