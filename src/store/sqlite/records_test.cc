// SPDX-License-Identifier: Apache-2.0
#include "store/records.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "store/codec.h"
#include "store/sqlite/dictionary.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/schema.h"

namespace todoku::store::sqlite {
namespace {

std::unique_ptr<Connection> memory() {
  auto db = Connection::open({.path = ":memory:", .vfs = "", .create = true});
  EXPECT_TRUE(db);
  EXPECT_TRUE(prepare_schema(**db));
  return std::move(*db);
}

TEST(Codec, NumbersOfEverySizeComeBack) {
  std::string octets;
  std::vector<std::uint64_t> numbers{0, 127, 128, 16'383, 16'384, ~0ULL, 1ULL << 63U};
  for (const std::uint64_t number : numbers) {
    put_varint(octets, number);
    put_zigzag(octets, static_cast<std::int64_t>(number));
    put_zigzag(octets, -static_cast<std::int64_t>(number & 0xFFFF));
  }
  BlobReader in(octets);
  for (const std::uint64_t number : numbers) {
    EXPECT_EQ(in.varint(), number);
    EXPECT_EQ(in.zigzag(), static_cast<std::int64_t>(number));
    EXPECT_EQ(in.zigzag(), -static_cast<std::int64_t>(number & 0xFFFF));
  }
  EXPECT_TRUE(in.at_end());
  EXPECT_FALSE(in.failed());
}

TEST(Codec, WhatIsCutOffOrTooLongFails) {
  BlobReader cut("\x80");
  EXPECT_EQ(cut.varint(), 0U);
  EXPECT_TRUE(cut.failed());
  BlobReader endless("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
  EXPECT_EQ(endless.varint(), 0U);
  EXPECT_TRUE(endless.failed());
  BlobReader longer(
      "\x05"
      "ab");
  EXPECT_EQ(longer.text(), "");
  EXPECT_TRUE(longer.failed());
}

TEST(Keys, BatchesAndSeqsComeBackFromRows) {
  const DeliveryKey delivery{1'234'567'890'123};
  const RecipientKey key{delivery, 4'000'000'000U, 499};
  const std::int64_t row = recipient_row(key);
  EXPECT_EQ(seq_of(row), 499U);
  EXPECT_EQ(batch_key(number_of(delivery), batch_of(row)), (BatchKey{delivery, 4'000'000'000U}));
  EXPECT_LE(first_row(batch_of(row)), row);
  EXPECT_GE(last_row(batch_of(row)), row);
  EXPECT_EQ(last_row(7) + 1, first_row(8));
}

TEST(Records, AnAddressIsStoredWithoutTheDomainOfItsBatch) {
  const auto round_trip = [](std::string_view address, std::string_view domain) {
    const std::string_view stored = stored_address(address, domain);
    EXPECT_EQ(full_address(stored, domain), address);
    return stored.size();
  };
  EXPECT_EQ(round_trip("taro@example.jp", "example.jp"), 5U);
  EXPECT_EQ(round_trip("taro@example.jp", ""), 15U);
  EXPECT_EQ(round_trip("taro@sub.example.jp", "example.jp"), 19U);
  EXPECT_EQ(round_trip("taro@Example.jp", "example.jp"), 15U);
  EXPECT_EQ(round_trip("\"a@b\"@example.jp", "example.jp"), 6U);
  EXPECT_EQ(round_trip("x@[192.0.2.1]", "[192.0.2.1]"), 2U);
}

TEST(Records, KeysOfInsertCodesAreStoredOnce) {
  const auto db = memory();
  Dictionary dictionary(*db);
  const std::vector<InsertCode> codes{{"__name__", "Taro"}, {"%%city%%", ""}, {"__name__", "x"}};
  std::string packed;
  ASSERT_TRUE(pack_codes(dictionary, codes, packed));
  EXPECT_LT(packed.size(), 12U);
  EXPECT_EQ(unpack_codes(dictionary, packed), codes);
  Dictionary other(*db);  // as another connection would
  EXPECT_EQ(unpack_codes(other, packed), codes);
  EXPECT_EQ(db->integer("SELECT count(*) FROM dictionary"), 2);
}

TEST(Records, AReplyIsSharedFromItsSecondAppearanceOn) {
  const auto db = memory();
  Dictionary dictionary(*db);
  Outcome outcome;
  outcome.reply = {550, "5.1.1 <taro@example.jp>: Recipient address rejected"};
  const Path path;
  const HistoryEntry entry{.state = RecipientState::bounced, .outcome = outcome, .path = path};
  std::string history;
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 4; ++i) {
    const std::size_t before = history.size();
    ASSERT_TRUE(append_history(dictionary, entry, history));
    sizes.push_back(history.size() - before);
  }
  EXPECT_GT(sizes[0], outcome.reply.text.size());
  EXPECT_LT(sizes[3], 14U);
  const auto attempts = unpack_history(dictionary, history);
  ASSERT_TRUE(attempts);
  ASSERT_EQ(attempts->size(), 4U);
  for (const Attempt& attempt : *attempts) EXPECT_EQ(attempt.outcome.reply, outcome.reply);
}

TEST(Records, ACauseIsKeptAndAnEntryWithoutOneReadsAsNone) {
  const auto db = memory();
  Dictionary dictionary(*db);
  const Path path;
  std::string history;
  for (const Cause cause : kCauses) {
    const Outcome outcome{
        .reply = {550, ""}, .charset_fell_back = cause == Cause::size, .cause = cause};
    ASSERT_TRUE(append_history(dictionary, {.outcome = outcome, .path = path}, history));
  }
  const auto attempts = unpack_history(dictionary, history);
  ASSERT_TRUE(attempts);
  ASSERT_EQ(attempts->size(), kCauses.size());
  for (std::size_t i = 0; i < kCauses.size(); ++i) {
    const Outcome& outcome = (*attempts)[i].outcome;
    EXPECT_EQ(outcome.cause, kCauses[i]);
    EXPECT_EQ(outcome.reply.code, 550);
    EXPECT_EQ(outcome.charset_fell_back, kCauses[i] == Cause::size);
  }
}

// Octets of an entry that was written before there were causes: deferred at RCPT, 1 s, 450, charset
// fallen back, "later", no path.
TEST(Records, AnEntryOfAnOlderVersionIsRead) {
  const auto db = memory();
  Dictionary dictionary(*db);
  std::string old;
  old.push_back(static_cast<char>((8U << 4U) | 8U | 1U));
  put_zigzag(old, 0);
  put_varint(old, 1'000);
  put_varint(old, 450 + 1'024);
  put_varint(old, 0);
  put_text(old, "later");
  put_varint(old, 0);
  const auto attempts = unpack_history(dictionary, old);
  ASSERT_TRUE(attempts);
  ASSERT_EQ(attempts->size(), 1U);
  EXPECT_EQ((*attempts)[0].outcome.cause, Cause::none);
  EXPECT_EQ((*attempts)[0].outcome.reply, (Reply{450, "later"}));
  EXPECT_TRUE((*attempts)[0].outcome.charset_fell_back);
  // A success without a cause takes no more room than it did.
  std::string now;
  const Outcome outcome{.state = RecipientState::deferred,
                        .stage = Stage::rcpt_to,
                        .reply = {450, "later"},
                        .charset_fell_back = true};
  const Path path;
  ASSERT_TRUE(append_history(dictionary,
                             {.at = from_epoch_ms(1'735'689'600'000),
                              .duration = Milliseconds(1'000),
                              .state = RecipientState::deferred,
                              .outcome = outcome,
                              .path = path},
                             now));
  EXPECT_EQ(now, old);
}

TEST(Records, ThatASenderIsToBeToldStandsBesideEveryCause) {
  const auto db = memory();
  Dictionary dictionary(*db);
  const Outcome outcome{.state = RecipientState::delivered,
                        .stage = Stage::accepted,
                        .reply = {250, "2.0.0 Ok"},
                        .charset_fell_back = true,
                        .sender_to_tell = true,
                        .cause = Cause{255}};
  std::string history;
  ASSERT_TRUE(append_history(
      dictionary, {.state = outcome.state, .outcome = outcome, .path = Path{}}, history));
  const auto attempts = unpack_history(dictionary, history);
  ASSERT_TRUE(attempts);
  const Outcome& back = attempts->at(0).outcome;
  EXPECT_TRUE(back.sender_to_tell);
  EXPECT_TRUE(back.charset_fell_back);
  EXPECT_EQ(back.cause, outcome.cause);
  EXPECT_EQ(back.reply, outcome.reply);
}

TEST(Records, DamagedBlobsAreErrorsAndNothingWorse) {
  const auto db = memory();
  Dictionary dictionary(*db);
  Outcome outcome;
  outcome.reply = {451, "4.7.1 try again"};
  const Path path{"mx.example.jp", "192.0.2.1", "a", TlsUse::none, ""};
  std::string history;
  ASSERT_TRUE(append_history(dictionary, {.outcome = outcome, .path = path}, history));
  std::string codes;
  ASSERT_TRUE(pack_codes(dictionary, {{"__a__", "b"}, {"__c__", "d"}}, codes));
  constexpr std::uint64_t kSeed = 77;
  SeededRandom random(kSeed);
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string broken = round % 2 == 0 ? history : codes;
    for (std::uint64_t i = 1 + random.below(3); i > 0; --i) {
      broken[random.below(broken.size())] = static_cast<char>(random.below(256));
    }
    if (random.below(3) == 0) broken.resize(random.below(broken.size()));
    const auto attempts = unpack_history(dictionary, broken);
    const auto unpacked = unpack_codes(dictionary, broken);
    const auto list = unpack_list(broken);
    if (!attempts || !unpacked || !list) ++refused;
    if (!attempts) {
      ASSERT_EQ(attempts.error().kind, ErrorKind::corrupt) << "seed " << kSeed;
    }
  }
  EXPECT_GT(refused, 1'000);
}

TEST(Dictionary, ForgetsWhatWasRolledBack) {
  const auto db = memory();
  Dictionary dictionary(*db);
  ASSERT_TRUE(db->execute("BEGIN"));
  const auto lost = dictionary.number(DictionaryKind::path, "lost");
  ASSERT_TRUE(lost && *lost);
  ASSERT_TRUE(db->execute("ROLLBACK"));
  dictionary.forget();
  const auto kept = dictionary.number(DictionaryKind::path, "kept");
  ASSERT_TRUE(kept && *kept);
  EXPECT_EQ(dictionary.value(**kept), "kept");
  EXPECT_EQ(dictionary.number(DictionaryKind::path, "kept"), kept);
  EXPECT_NE(dictionary.number(DictionaryKind::reply, "kept"), kept) << "kinds are apart";
}

}  // namespace
}  // namespace todoku::store::sqlite
