// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/signer.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "mailauth/dkim/tag_list.h"
#include "mailauth/dkim/verifier.h"

namespace todoku::mailauth::dkim {
namespace {

const Instant kStart = from_epoch_ms(1'767'225'600'999);

const SigningKey& rsa_key() {
  static const SigningKey key = SigningKey::generate(KeyAlgorithm::rsa).value();
  return key;
}
const SigningKey& ed25519_key() {
  static const SigningKey key = SigningKey::generate(KeyAlgorithm::ed25519).value();
  return key;
}

Signer make_signer() {
  return Signer::create(
             {{.name = KeyName::parse("example.jp", "r1").value(), .key = rsa_key()},
              {.name = KeyName::parse("example.jp", "e1").value(), .key = ed25519_key()}})
      .value();
}

constexpr std::string_view kMessage =
    "From: =?UTF-8?B?5bGK44GP?= <news@example.jp>\r\n"
    "To: Suzuki <suzuki@example.com>\r\n"
    "Subject: =?UTF-8?B?44GK5b6F44Gf44Gb?=\r\n"
    " =?UTF-8?B?44GX44G+44GX44Gf?=\r\n"
    "Date: Thu, 1 Jan 2026 09:00:00 +0900\r\n"
    "Message-ID: <1@example.jp>\r\n"
    "Received: from a\r\n"
    "Content-Type: text/plain;\r\n\tcharset=UTF-8\r\n"
    "\r\n"
    "Hello  there \r\n"
    "\r\n"
    "bye\r\n"
    "\r\n";

// The message with its signatures before it.
std::string sign_with(const Signer& signer, SigningContext& context, std::string_view text) {
  const MessageView message = split_message(text);
  std::string out;
  const auto result = signer.sign(context,
                                  {.headers = message.fields,
                                   .body_hash = context.body_hash({&message.body, 1}),
                                   .signed_at = kStart},
                                  out);
  EXPECT_TRUE(result) << result.error().detail;
  return out.append(text);
}

std::vector<Verdict> verdicts(std::string_view text) {
  const MessageView message = split_message(text);
  std::vector<Verdict> verdicts;
  for (const Signature& signature : parse_signatures(message)) {
    const SigningKey& key = signature.selector == "r1" ? rsa_key() : ed25519_key();
    verdicts.push_back(verify(message, signature, KeyAnswer::from_texts({key_record_text(key)}),
                              {.now = kStart, .accept_partial_body = false})
                           .verdict);
  }
  return verdicts;
}

std::vector<std::string> signed_names(std::string_view text) {
  return parse_signatures(split_message(text)).front().signed_names;
}

const std::vector<Verdict> kBothPass{Verdict::pass, Verdict::pass};
const std::vector<Verdict> kBothFail{Verdict::fail, Verdict::fail};

TEST(Signer, SignsWithBothKeysAtOnce) {
  SigningContext context;
  const std::string text = sign_with(make_signer(), context, kMessage);
  EXPECT_EQ(verdicts(text), kBothPass);
  const auto signatures = parse_signatures(split_message(text));
  EXPECT_EQ(signatures[0].algorithm, KeyAlgorithm::rsa);
  EXPECT_EQ(signatures[1].algorithm, KeyAlgorithm::ed25519);
  EXPECT_EQ(signatures[0].signed_at, 1'767'225'600);
  EXPECT_EQ(signatures[0].header_form, Canonicalization::relaxed);
  EXPECT_EQ(signatures[0].body_form, Canonicalization::relaxed);
}

TEST(Signer, ARetryGivesTheSameOctets) {
  const Signer signer = make_signer();
  SigningContext first;
  SigningContext second;
  const std::string once = sign_with(signer, first, kMessage);
  EXPECT_EQ(sign_with(signer, first, kMessage), once);
  EXPECT_EQ(sign_with(make_signer(), second, kMessage), once);
}

TEST(Signer, SealsWhatRecipientsSee) {
  SigningContext context;
  const std::string text = sign_with(make_signer(), context, kMessage);
  const std::vector<std::string> expected{"from",
                                          "from",
                                          "to",
                                          "to",
                                          "cc",
                                          "reply-to",
                                          "subject",
                                          "subject",
                                          "date",
                                          "date",
                                          "message-id",
                                          "message-id",
                                          "mime-version",
                                          "content-type",
                                          "content-type",
                                          "list-unsubscribe",
                                          "list-unsubscribe-post"};
  EXPECT_EQ(signed_names(text), expected);
  for (const char* added :
       {"From: x@example.com", "Subject: x", "Cc: x@example.com", "Reply-To: x@example.com",
        "Content-Type: text/html", "List-Unsubscribe: <https://example.com/>", "Date: x", "To: x",
        "Message-ID: x", "MIME-Version: 1.0", "List-Unsubscribe-Post: x"}) {
    EXPECT_EQ(verdicts(std::string(added) + "\r\n" + text), kBothFail) << added;
  }
  EXPECT_EQ(verdicts("Received: from b\r\n" + text), kBothPass);
}

TEST(Signer, SignsOptionalFieldsOnlyWhereTheyStand) {
  SigningContext context;
  const std::string with_feedback =
      "Feedback-ID: a:b\r\nContent-Transfer-Encoding: 7bit\r\n" + std::string(kMessage);
  const std::string text = sign_with(make_signer(), context, with_feedback);
  const auto names = signed_names(text);
  EXPECT_EQ(std::ranges::count(names, "feedback-id"), 1);
  EXPECT_EQ(std::ranges::count(names, "content-transfer-encoding"), 1);
  EXPECT_EQ(verdicts(text), kBothPass);
}

TEST(Signer, RepeatedFieldsAreSignedFromTheBottomUp) {
  SigningContext context;
  const std::string text =
      sign_with(make_signer(), context, "To: first@example.com\r\n" + std::string(kMessage));
  EXPECT_EQ(std::ranges::count(signed_names(text), "to"), 3);
  EXPECT_EQ(verdicts(text), kBothPass);
}

TEST(Signer, AnyChangeBreaksTheSignatures) {
  SigningContext context;
  const std::string text = sign_with(make_signer(), context, kMessage);
  for (const char* part : {"suzuki@", "news@", "5bGK", "bye", "09:00"}) {
    std::string changed = text;
    changed[changed.rfind(part)] ^= 1;
    EXPECT_EQ(verdicts(changed), kBothFail) << part;
  }
  EXPECT_EQ(verdicts(text + "more\r\n"), kBothFail);
}

TEST(Signer, WhatTheWayMayDoToWhiteSpaceIsForgiven) {
  SigningContext context;
  std::string text = sign_with(make_signer(), context, kMessage);
  text.replace(text.find("=?UTF-8?B?44GX"), 0, " \t ");
  text.replace(text.find("Hello  there \r\n"), 15, "Hello\tthere\r\n");
  EXPECT_EQ(verdicts(text + "\r\n\r\n"), kBothPass);
}

TEST(Signer, LinesOfTheFieldAreShort) {
  SigningContext context;
  const std::string text = sign_with(make_signer(), context, kMessage);
  std::string_view rest = text;
  for (int lines = 0; !rest.starts_with("From:"); ++lines) {
    const std::size_t end = rest.find("\r\n");
    ASSERT_LE(end, 78U);
    ASSERT_GT(end, 1U);
    rest.remove_prefix(end + 2);
    ASSERT_LT(lines, 40);
  }
}

TEST(Signer, AMessageWithoutFromIsNotSigned) {
  SigningContext context;
  const MessageView message = split_message("To: a@example.com\r\n\r\nx\r\n");
  std::string out = "kept";
  const auto result =
      make_signer().sign(context, {.headers = message.fields, .signed_at = kStart}, out);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::invalid_input);
  EXPECT_EQ(out, "kept");
}

TEST(Signer, NeedsOneToFourIdentitiesWithDifferentNames) {
  EXPECT_FALSE(Signer::create({}));
  const SigningIdentity identity{.name = KeyName::parse("example.jp", "r1").value(),
                                 .key = rsa_key()};
  EXPECT_FALSE(Signer::create({identity, identity}));
  EXPECT_TRUE(Signer::create({identity}));
  std::vector<SigningIdentity> many(5, identity);
  for (std::size_t i = 0; i < many.size(); ++i) many[i].name.selector = "s" + std::to_string(i);
  EXPECT_FALSE(Signer::create(many));
}

TEST(Signer, AnySplittingOfTheBodyGivesTheSameSignature) {
  constexpr std::uint64_t kSeed = 5;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  SeededRandom random(kSeed);
  SigningContext context;
  const MessageView message = split_message(kMessage);
  const BodyHash whole = context.body_hash({&message.body, 1});
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string_view> pieces;
    for (std::string_view rest = message.body; !rest.empty();) {
      pieces.push_back(rest.substr(0, random.below(8)));
      rest.remove_prefix(pieces.back().size());
    }
    ASSERT_EQ(context.body_hash(pieces), whole) << "round " << round;
  }
}

TEST(SigningContext, ServesMoreKeysThanItKeeps) {
  SigningContext context;
  std::vector<Signer> signers;
  std::vector<SigningKey> keys;
  for (std::size_t i = 0; i < SigningContext::kKeysMax + 3; ++i) {
    keys.push_back(SigningKey::generate(KeyAlgorithm::ed25519).value());
    signers.push_back(
        Signer::create({{.name = KeyName::parse("example.jp", "e1").value(), .key = keys.back()}})
            .value());
  }
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < signers.size(); ++i) {
      const std::string text = sign_with(signers[i], context, kMessage);
      const MessageView message = split_message(text);
      const auto signature = parse_signatures(message).front();
      ASSERT_EQ(verify(message, signature, KeyAnswer::from_texts({key_record_text(keys[i])}),
                       {.now = kStart})
                    .verdict,
                Verdict::pass);
    }
  }
}

}  // namespace
}  // namespace todoku::mailauth::dkim
