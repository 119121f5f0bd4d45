// SPDX-License-Identifier: Apache-2.0
// Mails whose content is not in memory as a whole: what the receiver gets is, octet for octet, what
// it gets of the same content in memory, and a read that fails is nobody's fault but ours.
#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "delivery/egress/lane_test_world.h"
#include "mailauth/dkim/dns_record.h"
#include "mailauth/dkim/verifier.h"
#include "mime/line_scan.h"
#include "support/installation.h"

namespace todoku::delivery::egress {
namespace {

using Taken = std::map<std::string, std::string>;  // by recipient
using Offers = std::vector<std::string>;

const mailauth::dkim::SigningKey& signing_key() {
  static const auto key =
      mailauth::dkim::SigningKey::generate(mailauth::dkim::KeyAlgorithm::ed25519).value();
  return key;
}

std::shared_ptr<const mailauth::dkim::Signer> signer() {
  auto name = mailauth::dkim::KeyName::parse("example.com", "s1").value();
  return std::make_shared<const mailauth::dkim::Signer>(
      mailauth::dkim::Signer::create({{std::move(name), signing_key()}}).value());
}

std::string some_octets(std::size_t count) {
  SeededRandom random(count);
  std::string octets;
  for (std::size_t i = 0; i < count; ++i) octets += static_cast<char>(random.below(256));
  return octets;
}

// Parts in memory, of which the n-th read fails.
class TestSource final : public ContentSource {
 public:
  explicit TestSource(std::vector<std::string> parts) : parts_(std::move(parts)) {}
  Task<Result<std::string>> read(std::size_t part, std::uint64_t offset,
                                 std::size_t octets) const override {
    if (at_read) at_read();
    if (++reads == fails_at) co_return fail(kind, "the disk is broken");
    co_return parts_.at(part).substr(offset, octets);
  }
  mutable std::atomic<int> reads{0};
  int fails_at = 0;
  std::function<void()> at_read;
  ErrorKind kind = ErrorKind::io;

 private:
  const std::vector<std::string> parts_;
};

// Gives other octets from some read on.
class ChangingSource final : public ContentSource {
 public:
  ChangingSource(std::string before, std::string after)
      : before_(std::move(before)), after_(std::move(after)) {}
  Task<Result<std::string>> read(std::size_t, std::uint64_t offset,
                                 std::size_t octets) const override {
    co_return (++reads > changes_at ? after_ : before_).substr(offset, octets);
  }
  mutable std::atomic<int> reads{0};
  int changes_at = 1'000'000;

 private:
  const std::string before_;
  const std::string after_;
};

const std::vector<std::string> kFiles{some_octets(450'000), "", some_octets(3'400UL * 57), "x"};

LetterMessage composed(const std::shared_ptr<const TestSource>& source) {
  Content content;
  content.from = {"news@example.com", ""};
  content.subject = "x";
  content.text_part = ".__large__";
  mime::MessageOptions options;
  OutsideContent outside{.source = source, .parts = {}};
  for (const std::string& file : kFiles) {
    content.attachments.push_back({"a.pdf", "application/pdf", source ? "" : file});
    if (!source) continue;
    options.data_outside.push_back(file.size());
    outside.parts.push_back(
        {.number = outside.parts.size(), .octets = file.size(), .in_base64 = true});
  }
  auto message = mime::MessageTemplate::build(std::move(content), options).value();
  return source ? LetterMessage(std::move(message), std::move(outside))
                : LetterMessage(std::move(message));
}

std::shared_ptr<const Letter> letter_with(LetterMessage message, bool at_most_once = false) {
  return std::make_shared<const Letter>(Letter{.delivery = store::DeliveryKey{1},
                                               .at_most_once = at_most_once,
                                               .started = from_epoch_ms(1'767'225'600'000),
                                               .signer = signer(),
                                               .message = std::move(message)});
}

Taken receive(const std::shared_ptr<const Letter>& letter, const Offers& offers) {
  Fault none;
  LaneTestWorld world(none, 8, "220 mx.example.jp ESMTP\r\n", offers);
  world.send(batch_of_mails(24h, world.recorder, letter));
  world.tidy_until_all_is_told();
  world.drain();
  world.check_that_all_is_free();
  world.check_mails();
  Taken taken;
  for (const auto& mail : world.taken()) taken[mail.recipients.at(0)] = mail.content;
  EXPECT_EQ(taken.size(), kMails);
  return taken;
}

void expect_verified(const std::string& mail) {
  const auto message = mailauth::dkim::split_message(mail);
  const auto signatures = mailauth::dkim::parse_signatures(message);
  ASSERT_EQ(signatures.size(), 1U);
  const auto key =
      mailauth::dkim::KeyAnswer::from_texts({mailauth::dkim::key_record_text(signing_key())});
  const auto result = mailauth::dkim::verify(message, signatures[0], key,
                                             {.now = from_epoch_ms(1'767'225'600'000)});
  EXPECT_EQ(result.verdict, mailauth::dkim::Verdict::pass) << result.reason;
}

const std::vector<Offers> kOffers{{"PIPELINING", "CHUNKING", "8BITMIME"}, {"8BITMIME"}};

TEST(Slices, AComposedMailIsTheSame) {
  for (const Offers& offers : kOffers) {
    const auto source = std::make_shared<TestSource>(kFiles);
    const Taken whole = receive(letter_with(composed(nullptr)), offers);
    const Taken sliced = receive(letter_with(composed(source)), offers);
    EXPECT_TRUE(sliced == whole);
    for (const auto& [address, mail] : sliced) expect_verified(mail);
    // Three slices, one and one; for the signature, and then for the receiver.
    EXPECT_EQ(source->reads, 2 * 5 * static_cast<int>(kMails));
  }
}

TEST(Slices, ARelayedMailIsTheSameAndIsHashedOnce) {
  std::string raw = "From: news@example.com\r\nSubject: x\r\n\r\n";
  SeededRandom random(7);
  while (raw.size() < 600'000) {
    constexpr std::array<std::string_view, 6> kWords{".", "..", "\r\n", "a", "\r\n.", " "};
    raw += kWords[random.below(kWords.size())];
  }
  for (const Offers& offers : kOffers) {
    const auto source = std::make_shared<TestSource>(std::vector<std::string>{raw});
    const RelayedMessage::Options options{.added = {{.name = "Received", .value = "from x"}}};
    const Taken whole = receive(letter_with(RelayedMessage::build(raw, options).value()), offers);
    auto message = run(LetterMessage::relay_in_slices(source, raw.size(), options)).value();
    const int looking = source->reads;
    const Taken sliced = receive(letter_with(std::move(message)), offers);
    EXPECT_TRUE(sliced == whole);
    for (const auto& [address, mail] : sliced) expect_verified(mail);
    // Connections that begin at the same time may each go through it.
    EXPECT_GE(source->reads - looking, (1 + static_cast<int>(kMails)) * 4);
    EXPECT_LE(source->reads - looking, 2 * static_cast<int>(kMails) * 4);
  }
}

std::string eight_bit_of(std::size_t octets, std::string_view in_header) {
  std::string raw = "From: news@example.com\r\n" + std::string(in_header) +
                    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
                    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
  SeededRandom random(9);
  const auto fill = [&](std::size_t until, std::span<const std::string_view> words) {
    while (raw.size() < until) raw += words[random.below(words.size())];
  };
  constexpr std::array<std::string_view, 6> kText{"届いた", ".", "\r\n", "letters ", "\r\n.", " "};
  fill(octets / 2, kText);
  raw += "\r\n--b\r\nContent-Type: application/pdf\r\n\r\n" + std::string(70'000, '\xFF');
  constexpr std::array<std::string_view, 4> kOctets{"\xFE\x80", "\r\n", "abc", "\x01"};
  fill(octets, kOctets);
  return raw + "\r\n--b--\r\n";
}

// Converted for who does not take 8-bit, and signed as it is sent (RFC 6376 section 5.3).
TEST(Slices, ARelayedMailIsConvertedAsOneInMemory) {
  const std::string raw = eight_bit_of(600'000, "");
  for (const Offers& offers : std::vector<Offers>{{"PIPELINING", "CHUNKING"}, {"PIPELINING"}}) {
    const auto source = std::make_shared<TestSource>(std::vector<std::string>{raw});
    const Taken whole = receive(letter_with(RelayedMessage::build(raw, {}).value()), offers);
    auto message = run(LetterMessage::relay_in_slices(source, raw.size(), {})).value();
    const Taken sliced = receive(letter_with(std::move(message)), offers);
    EXPECT_TRUE(sliced == whole);
    for (const auto& [address, mail] : sliced) {
      expect_verified(mail);
      mime::LineScan lines;
      EXPECT_TRUE(lines.update(mail) && lines.finish());
      EXPECT_FALSE(lines.is_eight_bit() || lines.has_long_line());
    }
  }
}

// Its lines are too long for any receiver.
TEST(Slices, ARelayedMailKeepsItsOctetsWhereItsLinesAreShort) {
  const std::string raw = eight_bit_of(600'000, "Subject: 届く\r\n");
  const auto source = std::make_shared<TestSource>(std::vector<std::string>{raw});
  auto message = run(LetterMessage::relay_in_slices(source, raw.size(), {})).value();
  for (const auto& [address, mail] : receive(letter_with(std::move(message)), {"8BITMIME"})) {
    expect_verified(mail);
    mime::LineScan lines;
    EXPECT_TRUE(lines.update(mail) && lines.finish());
    EXPECT_TRUE(lines.is_eight_bit());
    EXPECT_FALSE(lines.has_long_line());
    EXPECT_TRUE(mail.contains("Subject: 届く\r\n"));
    EXPECT_TRUE(mail.contains("届いた"));
  }
}

TEST(Slices, WhatCannotBeConvertedIsToldWithoutAWordToTheReceiver) {
  struct Case {
    std::string fields;
    std::string body;
    Offers offers;
    Cause cause;
    std::string words;
  };
  const std::string signed_by = "DKIM-Signature: v=1\r\n";
  const std::vector<Case> cases{
      {signed_by, "\xE5\xB1\x8A", {}, Cause::no_8bitmime, "5.6.3 "},
      {signed_by, std::string(999, 'x'), {"8BITMIME"}, Cause::long_lines, "5.6.1 "},
      {"", "\xE5\xB1\x8A", {"8BITMIME"}, Cause::none, ""},
      {signed_by, "\xE5\xB1\x8A", {"8BITMIME"}, Cause::none, ""}};
  for (const Case& each : cases) {
    const std::string raw = "From: news@example.com\r\n" + each.fields +
                            "MIME-Version: 1.0\r\n\r\n" + each.body + "\r\n";
    for (const bool in_slices : {false, true}) {
      Fault none;
      LaneTestWorld world(none, 1, "220 mx.example.jp ESMTP\r\n", each.offers);
      const auto source = std::make_shared<TestSource>(std::vector<std::string>{raw});
      LetterMessage message =
          in_slices ? run(LetterMessage::relay_in_slices(source, raw.size(), {})).value()
                    : LetterMessage(RelayedMessage::build(raw, {}).value());
      world.send(batch_of_mails(24h, world.recorder, letter_with(std::move(message))));
      world.tidy_until_all_is_told();
      world.drain();
      world.check_that_all_is_free();
      world.check_mails();
      const bool goes = each.cause == Cause::none;
      EXPECT_EQ(world.taken().size(), goes ? kMails : 0);
      for (const auto& [address, told] : world.recorder.told()) {
        EXPECT_EQ(told.outcome.cause, each.cause);
        EXPECT_EQ(told.outcome.state, goes ? RecipientState::delivered : RecipientState::bounced);
        if (goes) continue;
        EXPECT_TRUE(told.outcome.reply.text.starts_with(each.words)) << told.outcome.reply.text;
        EXPECT_TRUE(told.outcome.reply.text.ends_with("that another encoding would break"));
      }
    }
  }
}

// What was found out of it is not asked again of a store that gives something else.
TEST(Slices, AContentThatBecomesAnotherIsNotSent) {
  const std::string raw = eight_bit_of(600'000, "");
  std::string other = raw;
  other.replace(other.find("--b\r\nContent-Type: app"), 3, "--c");
  const auto source = std::make_shared<ChangingSource>(raw, other);
  auto message = run(LetterMessage::relay_in_slices(source, raw.size(), {})).value();
  EXPECT_TRUE(run(message.converted(mime::WireOctets::seven_bit))->message);
  source->changes_at = source->reads;
  Fault none;
  LaneTestWorld world(none, 1, "220 mx.example.jp ESMTP\r\n", {"CHUNKING"});
  world.send(batch_of_mails(24h, world.recorder, letter_with(std::move(message))));
  world.tidy_until_all_is_told();
  world.drain();
  EXPECT_TRUE(world.taken().empty());
  for (const auto& [address, told] : world.recorder.told()) {
    EXPECT_EQ(told.outcome.cause, Cause::content_unreadable) << told.outcome.reply.text;
  }
}

TEST(Slices, AReadThatFailsIsNoAttemptAndNoFaultOfTheSite) {
  constexpr int kReads = 2 * 5 * static_cast<int>(kMails);
  for (const Offers& offers : kOffers) {
    for (int n = 1; n <= kReads; ++n) {
      const auto source = std::make_shared<TestSource>(kFiles);
      source->fails_at = n;
      source->kind = n % 2 == 0 ? ErrorKind::io : ErrorKind::unavailable;
      Fault none;
      LaneTestWorld world(none, 8, "220 mx.example.jp ESMTP\r\n", offers);
      world.send(batch_of_mails(24h, world.recorder, letter_with(composed(source))));
      world.tidy_until_all_is_told();
      world.drain();
      world.check_that_all_is_free();
      world.check_mails();
      EXPECT_EQ(world.feedback.count.load(), 0);
      EXPECT_EQ(world.taken().size(), kMails - 1) << "the " << n << "th read failed";
      int failed = 0;
      for (const auto& [address, told] : world.recorder.told()) {
        if (told.parked) ++failed;
        if (told.parked || told.outcome.state == RecipientState::delivered) continue;
        ++failed;
        EXPECT_FALSE(told.outcome.is_attempt);
        EXPECT_EQ(told.outcome.cause, Cause::content_unreadable);
      }
      EXPECT_EQ(failed, 1);
    }
  }
}

// It is not parked as if nothing had happened.
TEST(Slices, WhatMayHaveArrivedIsToldThoughTheStoreIsAway) {
  const auto source = std::make_shared<TestSource>(kFiles);
  source->fails_at = 1;
  source->kind = ErrorKind::unavailable;
  Fault none;
  LaneTestWorld world(none, 1);
  const auto batch = batch_of_mails(24h, world.recorder, letter_with(composed(source)));
  batch->doubt(0, {.words = "it hung up at BDAT", .path = {}});
  world.send(batch);
  world.tidy_until_all_is_told();
  world.drain();
  const auto told = world.recorder.told().at("r0@example.jp");
  EXPECT_FALSE(told.parked);
  EXPECT_EQ(told.outcome.cause, Cause::in_doubt);
  EXPECT_EQ(told.outcome.reply.text, "it hung up at BDAT");
}

// The store learns of it with the mail's return.
TEST(Slices, AMailAtMostOnceWhoseReadFailedGoesBackWithItsMark) {
  constexpr int kReads = 2 * 5;
  const auto source = std::make_shared<TestSource>(kFiles);
  source->fails_at = kReads;
  source->kind = ErrorKind::unavailable;
  Fault none;
  LaneTestWorld world(none, 1);
  world.send(batch_of_mails(24h, world.recorder, letter_with(composed(source), true)));
  world.tidy_until_all_is_told();
  world.drain();
  const auto told = world.recorder.told();
  EXPECT_TRUE(told.at("r0@example.jp").parked);
  EXPECT_TRUE(told.at("r0@example.jp").marked) << "whoever records it takes the mark away";
  EXPECT_EQ(told.at("r1@example.jp").outcome.state, RecipientState::delivered);
}

TEST(Slices, WhatIsLostWhileItIsHashedIsNotBegun) {
  const auto source = std::make_shared<TestSource>(kFiles);
  Fault none;
  LaneTestWorld world(none, 8);
  const auto batch = batch_of_mails(24h, world.recorder, letter_with(composed(source)));
  source->at_read = [&batch] { batch->lose(); };
  world.send(batch);
  world.tidy_until_all_is_told();
  world.drain();
  world.check_that_all_is_free();
  EXPECT_TRUE(world.taken().empty());
  for (const auto& [address, told] : world.recorder.told()) EXPECT_TRUE(told.parked) << address;
}

}  // namespace
}  // namespace todoku::delivery::egress
