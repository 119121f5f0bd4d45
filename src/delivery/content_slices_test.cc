// SPDX-License-Identifier: Apache-2.0
// Content in slices against the same content in memory, and what it takes of memory.
#include "delivery/content_slices.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>
#include <optional>
#include <utility>

#include <gtest/gtest.h>
#include <malloc.h>

#include "base/random.h"
#include "delivery/letter.h"
#include "delivery/letter_message.h"
#include "delivery/stored_content.h"
#include "support/failing_store.h"
#include "support/installation.h"

namespace todoku::delivery {
namespace {

std::atomic<std::size_t> in_use{0};
std::atomic<std::size_t> most_in_use{0};

[[maybe_unused]] void count(void* given) {
  const std::size_t now = in_use += ::malloc_usable_size(given);
  if (now > most_in_use) most_in_use = now;
}

}  // namespace
}  // namespace todoku::delivery

// TSan has these for itself.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TODOKU_MEMORY_IS_NOT_COUNTED
#endif
#endif
#ifndef TODOKU_MEMORY_IS_NOT_COUNTED
void* operator new(std::size_t size) {
  void* given = std::malloc(size);
  if (given == nullptr) throw std::bad_alloc();
  todoku::delivery::count(given);
  return given;
}
void operator delete(void* given) noexcept {
  if (given != nullptr) todoku::delivery::in_use -= ::malloc_usable_size(given);
  std::free(given);
}
void operator delete(void* given, std::size_t) noexcept {
  operator delete(given);
}
#endif

namespace todoku::delivery {
namespace {

// Parts that are made up when they are asked for.
class MadeUp final : public ContentSource {
 public:
  Task<Result<std::string>> read(std::size_t part, std::uint64_t offset,
                                 std::size_t octets) const override {
    ++reads;
    if (fails) co_return fail(ErrorKind::io, "the disk is broken");
    std::string made(octets - (falls_short ? 1 : 0), ' ');
    for (std::size_t i = 0; i < made.size(); ++i) {
      made[i] = static_cast<char>((offset + i) * 31 + part);
    }
    co_return made;
  }
  mutable int reads = 0;
  bool fails = false;
  bool falls_short = false;
};

constexpr std::size_t kSlice = 3'400 * kBase64LineOctets;

Content content_of(const std::vector<std::string>& files) {
  Content content;
  content.from.address = "news@example.com";
  content.text_part = ".Dear __name__";
  content.html_part = "<p>__name__</p>";
  for (const std::string& file : files) content.attachments.push_back({"a", "text/plain", file});
  return content;
}

LetterMessage in_slices(const std::shared_ptr<const MadeUp>& source,
                        const std::vector<std::uint64_t>& sizes, Content content) {
  OutsideContent outside{.source = source, .parts = {}};
  for (const std::uint64_t size : sizes) {
    outside.parts.push_back({.number = outside.parts.size(), .octets = size, .in_base64 = true});
  }
  for (Attachment& attachment : content.attachments) attachment.data.clear();
  mime::MessageOptions options;
  options.data_outside = sizes;
  return {mime::MessageTemplate::build(std::move(content), options).value(), std::move(outside)};
}

struct Copies {
  std::vector<InsertCode> codes = {{.key = "__name__", .value = "Taro"}};
  std::string address = "b@example.jp";
  std::uint32_t seq = 1;
  void begin(const LetterMessage& letter, OutgoingMessage& out) const {
    letter.begin({.address = address,
                  .insert_codes = codes,
                  .identity = {.delivery = 5, .seq = seq, .message_id_domain = "example.com"}},
                 out);
  }
};

Task<Result<std::string>> all_of(const LetterMessage& letter, const OutgoingMessage& copy) {
  const std::array<std::string_view, 1> front{copy.head()};
  SliceReader reader = letter.slices(front, copy);
  // As when the content is sent anew after a part of it.
  for (int i = 0; i < 3; ++i) (void)co_await reader.next();
  reader.begin();
  std::string all;
  while (true) {
    const auto pieces = co_await reader.next();
    if (!pieces) co_return fail(pieces.error());
    if (pieces->empty()) co_return all;
    for (const std::string_view piece : *pieces) all += piece;
  }
}

TEST(ContentSlices, AreTheSameOctetsAndTheSameHashAsTheWhole) {
  for (const std::vector<std::uint64_t>& sizes : {std::vector<std::uint64_t>{0},
                                                  {1},
                                                  {57, 58, 0, 56},
                                                  {kSlice},
                                                  {kSlice - 1, kSlice + 1},
                                                  {0, 5 * kSlice + 12'345, 0}}) {
    const auto source = std::make_shared<MadeUp>();
    std::vector<std::string> files;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      files.push_back(run(source->read(i, 0, sizes[i])).value());
    }
    const LetterMessage whole(mime::MessageTemplate::build(content_of(files), {}).value());
    const LetterMessage sliced = in_slices(source, sizes, content_of(files));
    const Copies copies;
    OutgoingMessage expected;
    OutgoingMessage copy;
    copies.begin(whole, expected);
    copies.begin(sliced, copy);
    std::string all(expected.head());
    for (const std::string_view piece : expected.body()) all += piece;
    EXPECT_EQ(copy.size(), all.size());
    EXPECT_EQ(copy.has_leading_dot(), expected.has_leading_dot());
    EXPECT_TRUE(run(all_of(sliced, copy)).value() == all);
    mailauth::dkim::SigningContext context;
    EXPECT_EQ(run(sliced.body_hash(copy)).value(), context.body_hash(expected.body()));
    // What intake lets through is not too large here.
    EXPECT_EQ(sliced.octets_of(copies.codes, copy), whole.octets_of(copies.codes, expected));
  }
}

TEST(ContentSlices, AreHashedOnceForCopiesWithTheSameBody) {
  const auto source = std::make_shared<MadeUp>();
  Content content = content_of({"x"});
  content.header_to = {"b@example.jp", "c@example.jp"};  // all its copies are one message
  const LetterMessage letter = in_slices(source, {3 * kSlice}, std::move(content));
  OutgoingMessage copy;
  const Copies first;
  first.begin(letter, copy);
  const auto hash = run(letter.body_hash(copy)).value();
  EXPECT_EQ(source->reads, 3);
  Copies second{.seq = 2};
  second.begin(letter, copy);
  EXPECT_EQ(run(letter.body_hash(copy)).value(), hash);
  EXPECT_EQ(source->reads, 3);
  second.codes[0].value = "Hanako";
  second.begin(letter, copy);
  EXPECT_NE(run(letter.body_hash(copy)).value(), hash);
  EXPECT_EQ(source->reads, 6);
}

TEST(ContentSlices, WhatCannotBeReadIsAnError) {
  const auto source = std::make_shared<MadeUp>();
  const LetterMessage letter = in_slices(source, {3 * kSlice}, content_of({"x"}));
  OutgoingMessage copy;
  Copies().begin(letter, copy);
  source->fails = true;
  EXPECT_EQ(run(letter.body_hash(copy)).error().kind, ErrorKind::io);
  EXPECT_EQ(run(all_of(letter, copy)).error().kind, ErrorKind::io);
  source->fails = false;
  source->falls_short = true;
  EXPECT_EQ(run(all_of(letter, copy)).error().kind, ErrorKind::corrupt);
  source->falls_short = false;
  EXPECT_TRUE(run(letter.body_hash(copy)));
}

// Some connections at once, each in the middle of its content.
Task<std::uint64_t> read_by_turns(const LetterMessage& letter, std::size_t connections) {
  std::vector<std::unique_ptr<OutgoingMessage>> copies;
  std::vector<SliceReader> readers;
  for (std::size_t i = 0; i < connections; ++i) {
    copies.push_back(std::make_unique<OutgoingMessage>());
    Copies{.seq = static_cast<std::uint32_t>(i)}.begin(letter, *copies.back());
    readers.push_back(letter.slices({}, *copies.back()));
  }
  std::uint64_t octets = 0;
  for (bool more = true; more;) {
    more = false;
    for (SliceReader& reader : readers) {
      const auto pieces = co_await reader.next();
      for (const std::string_view piece : pieces.value()) octets += piece.size();
      more |= !pieces->empty();
    }
  }
  co_return octets;
}

TEST(ContentSlices, TakeASliceOfMemoryForEachConnection) {
#ifdef TODOKU_MEMORY_IS_NOT_COUNTED
  GTEST_SKIP();
#endif
  constexpr std::uint64_t kContent = 100UL << 20U;  // more than the cache of 64 MiB
  constexpr std::size_t kConnections = 8;
  const auto source = std::make_shared<MadeUp>();
  const LetterMessage letter = in_slices(source, {kContent}, content_of({"x"}));
  const std::size_t before = in_use;
  most_in_use = before;
  EXPECT_GT(run(read_by_turns(letter, kConnections)), kConnections * kContent);
  EXPECT_LT(most_in_use - before, kConnections * SliceReader::kMemoryOctets);
  EXPECT_GT(most_in_use - before, kConnections * kSlice) << "it is counted";
  EXPECT_LT(letter.memory_octets(), 64UL * 1024);
}

// A text with the longest lines there are, of which every eighth triples when it is encoded.
class LongLines final : public ContentSource {
 public:
  static constexpr std::uint64_t kLine = 64UL * 1024 + 2;
  Task<Result<std::string>> read(std::size_t, std::uint64_t offset,
                                 std::size_t octets) const override {
    std::string made(octets, 'x');
    for (std::size_t i = 0; i < octets; ++i) {
      const std::uint64_t in_line = (offset + i) % kLine;
      if ((offset + i) / kLine % 8 == 0) made[i] = '\xE5';
      if (in_line >= kLine - 2) made[i] = in_line == kLine - 1 ? '\n' : '\r';
    }
    co_return made;
  }
};

TEST(ContentSlices, ThatAreConvertedTakeNotMuchMore) {
#ifdef TODOKU_MEMORY_IS_NOT_COUNTED
  GTEST_SKIP();
#endif
  constexpr std::uint64_t kContent = 400 * LongLines::kLine;
  constexpr std::size_t kConnections = 4;
  auto head = RelayedMessage::of_head(
      "MIME-Version: 1.0\r\n\r\n",
      {.outside = kContent, .is_eight_bit = true, .has_long_line = true}, {});
  const LetterMessage letter(
      std::move(*head), {.source = std::make_shared<LongLines>(), .parts = {{.octets = kContent}}});
  const std::size_t before = in_use;
  most_in_use = before;
  const auto made = run(letter.converted(mime::WireOctets::seven_bit)).value();
  ASSERT_TRUE(made.message) << made.why_not;
  EXPECT_LT(most_in_use - before, SliceReader::kMemoryOctets + 512UL * 1024) << "to find it out";
  const std::uint64_t octets = run(read_by_turns(*made.message, kConnections));
  EXPECT_GT(octets, kConnections * kContent * 5 / 4);
  EXPECT_LT(most_in_use - before, kConnections * SliceReader::kConvertingOctets);
  EXPECT_GT(most_in_use - before, kConnections * made.message->slice_octets() / 8)
      << "it is counted";
}

class NoKeys final : public KeyRing {
 public:
  Signing current(store::AccountKey, std::string_view) override { return {}; }
  Result<Signing> pinned(store::AccountKey, std::string_view) override { return Signing{}; }
};

TEST(ContentSlices, AreReadFromTheStoreEachByAQuestionOfItsOwn) {
  TestStore installation;
  FailingStore counted(*installation.store);
  const std::string file = run(MadeUp().read(0, 0, 4 * kSlice)).value();
  const auto made = installation.store->write_and_wait(
      store::WritePriority::accept, [&](store::WriteTransaction& t) -> Result<store::Delivery> {
        const auto account = t.create_account("acme");
        if (!account) return fail(account.error());
        return t.create_draft({.account = account->key, .content = content_of({"x", file})}, 9);
      });
  ASSERT_TRUE(made);
  NoKeys keys;
  Options options;
  options.content_cache_bytes = 64 * file.size();  // the other one makes it too large
  const auto letter = make_letter(*made, LetterContent::of(content_of({"x", file}), options), {},
                                  keys, options, counted);
  ASSERT_TRUE(letter);
  ASSERT_TRUE((*letter)->message.is_in_slices());
  EXPECT_LT((*letter)->bytes, 64UL * 1024);
  OutgoingMessage copy;
  Copies().begin((*letter)->message, copy);
  const LetterMessage whole(mime::MessageTemplate::build(content_of({"x", file}), {}).value());
  OutgoingMessage expected;
  Copies().begin(whole, expected);
  std::string all(expected.head());
  for (const std::string_view piece : expected.body()) all += piece;
  EXPECT_TRUE(run(all_of((*letter)->message, copy)).value() == all);
  EXPECT_EQ(counted.calls(), 5 + 1);

  options.content_cache_bytes = 64 * (file.size() + 1);
  EXPECT_TRUE(LetterContent::of(content_of({"x", file}), options).data_outside.empty());
}

}  // namespace
}  // namespace todoku::delivery
