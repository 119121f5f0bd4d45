// SPDX-License-Identifier: Apache-2.0
#include "store/event_sheet.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "store/codec.h"
#include "store/event_sieve.h"

namespace todoku::store {
namespace {

constexpr Instant kCommitted = from_epoch_ms(1'790'000'000'123);

SheetEntry sent(std::int64_t delivery, std::uint32_t seq) {
  return {.kind = EventKind::sent,
          .at = kCommitted - Milliseconds(7),
          .delivery = DeliveryKey{delivery},
          .batch = 3,
          .seq = seq,
          .attempt = 1,
          .code = 250};
}

TEST(EventSheet, TellsWhatWasPacked) {
  const std::vector<SheetEntry> entries{
      sent(12'000'000, 0),
      // Of a batch whose number is lower than its delivery's (store/numbers.h).
      {.kind = EventKind::hard_error,
       .at = kCommitted + Milliseconds(5),
       .delivery = DeliveryKey{11'000'000},
       .batch = static_cast<std::uint32_t>(-40),
       .seq = 499,
       .attempt = 65'535,
       .code = 550,
       .cause = Cause::mailbox},
      {.kind = EventKind::import_ended,
       .at = kCommitted,
       .delivery = DeliveryKey{std::numeric_limits<std::int64_t>::max()},
       .job = 77,
       .recipients = 10'000'000},
      event_of_recipient(EventKind::complained, DeliveryKey{12'000'000}, 3, 17, kCommitted),
      event_of_recipient(EventKind::unsubscribed, DeliveryKey{12'000'000}, 0, 18, kCommitted),
      {.kind = EventKind::opened,
       .at = kCommitted,
       .delivery = DeliveryKey{1},
       .seq = 2,
       .opened_by = OpenedBy::prefetch},
      event_of_credential(EventKind::credential_held, "shop", "much mail", kCommitted),
      event_of_credential(EventKind::credential_released, "shop", "", kCommitted),
      {.kind = EventKind::accepted, .at = kCommitted, .delivery = DeliveryKey{1}, .seq = 3},
      {.kind = EventKind::accepted, .at = kCommitted, .delivery = DeliveryKey{1}, .seq = 4},
  };
  const auto read = unpack_sheet(kCommitted, pack_sheet(kCommitted, entries));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, entries);
}

TEST(EventSheet, SheetsOfOneCommitAreOne) {
  const std::vector<SheetEntry> one{sent(1'000, 7), sent(1'000, 8)};
  const std::vector<SheetEntry> other{sent(1'000, 9), sent(2'000, 0)};
  const auto read =
      unpack_sheet(kCommitted, pack_sheet(kCommitted, one) + pack_sheet(kCommitted, other));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (std::vector<SheetEntry>{one[0], one[1], other[0], other[1]}));
  EXPECT_TRUE(unpack_sheet(kCommitted, ""));
}

TEST(EventSheet, ACutOneIsCorrupt) {
  const std::string news = pack_sheet(
      kCommitted,
      std::vector{event_of_credential(EventKind::credential_held, "shop", "why", kCommitted)});
  for (std::size_t size = 1; size < news.size(); ++size) {
    EXPECT_FALSE(unpack_sheet(kCommitted, std::string_view(news).substr(0, size))) << size;
  }
  const std::string whole = pack_sheet(kCommitted, std::vector{sent(1'000, 7)});
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto read = unpack_sheet(kCommitted, std::string_view(whole).substr(0, size));
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().kind, ErrorKind::corrupt);
  }
}

// Nobody would know whose it is.
TEST(EventSheet, TheFirstEntryNamesItsDelivery) {
  std::string sheet = pack_sheet(kCommitted, std::vector{sent(1'000, 7), sent(1'000, 8)});
  sheet.erase(0, pack_sheet(kCommitted, std::vector{sent(1'000, 7)}).size());
  EXPECT_FALSE(unpack_sheet(kCommitted, sheet));
}

// What does not fit is not cut down to another recipient or another answer.
TEST(EventSheet, ANumberThatIsTooLargeIsCorrupt) {
  for (const std::size_t large : {0U, 1U, 2U, 3U, 4U, 5U}) {  // 5: none
    const auto value = [&](std::size_t field) {
      return field == large ? std::uint64_t{1} << 33U : 1U;
    };
    std::string sheet;
    sheet.push_back(static_cast<char>(EventKind::sent));
    put_zigzag(sheet, 0);
    put_varint(sheet, 1'000);
    put_zigzag(sheet, static_cast<std::int64_t>(value(0)));  // batch
    for (const std::size_t field : {1U, 2U, 3U, 4U}) put_varint(sheet, value(field));
    EXPECT_EQ(unpack_sheet(kCommitted, sheet).has_value(), large == 5) << large;
  }
}

// Otherwise the processes of this version would stand still while a later one works beside them.
TEST(EventSheet, AKindOfALaterVersionIsReadByItsRange) {
  const auto later_than = [](const SheetEntry& known, int number) {
    SheetEntry later = known;
    later.kind = EventKind{static_cast<std::uint8_t>(number)};
    return later;
  };
  const std::vector<SheetEntry> entries{
      later_than(sent(1'000, 7), 31), sent(1'000, 8),
      later_than(event_of_many(EventKind::import_ended, DeliveryKey{1'000}, 12, kCommitted, 3), 63),
      later_than(event_of_credential(EventKind::credential_held, "shop", "why", kCommitted), 127),
      sent(1'000, 9)};
  const auto read = unpack_sheet(kCommitted, pack_sheet(kCommitted, entries));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, entries);
  for (const std::size_t later : {0U, 2U, 3U}) EXPECT_FALSE(is_known((*read)[later].kind));
  EXPECT_TRUE(is_known((*read)[1].kind));
  std::string none = pack_sheet(kCommitted, std::vector{sent(1'000, 7)});
  none[0] = 0;
  EXPECT_FALSE(unpack_sheet(kCommitted, none));
}

TEST(EventSieve, PassesOverWhatOnlyALaterVersionKnows) {
  SheetEntry later = sent(1'000, 7);
  later.kind = EventKind{31};
  const EventQuestion all;
  EventSieve sieve(all, 0);
  const std::string packed = pack_sheet(kCommitted, std::vector{later, sent(1'000, 8)});
  ASSERT_TRUE(
      sieve.take({.place = 5, .account = AccountKey{1}, .at = kCommitted, .entries = packed}));
  const EventPage page = sieve.page(true, {});
  ASSERT_EQ(page.events.size(), 1U);
  EXPECT_EQ(page.events[0].entry, sent(1'000, 8));
  EXPECT_EQ(page.events[0].place.entry, 1U) << "its place counts what was passed over";
  EXPECT_EQ(page.unknown, 1);
}

// The next recipient of a batch costs what it has of its own: 120 octets a typical story.
TEST(EventSheet, IsSmall) {
  std::vector<SheetEntry> entries;
  for (std::uint32_t seq = 0; seq < 500; ++seq) entries.push_back(sent(12'000'000, seq));
  EXPECT_LE(pack_sheet(kCommitted, entries).size(), 500U * 9);
}

TEST(CommitEvents, MakesASheetForEachAccountInTheOrderOfWhatHappened) {
  constexpr AccountKey kOne{4};
  constexpr AccountKey kOther{9};
  const auto of_many = [](EventKind kind) {
    return SheetEntry{.kind = kind, .at = kCommitted, .delivery = DeliveryKey{5}};
  };
  CommitEvents events;
  events.add(kOther, of_many(EventKind::delivery_finished));
  events.add(kOne, sent(1'000, 1));
  events.add(kOther, sent(1'000, 2));
  events.add(kOther, of_many(EventKind::delivery_started));
  events.add(kOther, sent(1'000, 3));
  const std::size_t mark = events.mark();
  events.add(kOne, sent(1'000, 4));
  events.undo(mark);
  const auto sheets = events.sheets(kCommitted);
  ASSERT_EQ(sheets.size(), 2U);
  EXPECT_EQ(sheets[0].first, kOne);
  EXPECT_EQ(*unpack_sheet(kCommitted, sheets[0].second), (std::vector{sent(1'000, 1)}));
  EXPECT_EQ(sheets[1].first, kOther);
  EXPECT_EQ(*unpack_sheet(kCommitted, sheets[1].second),
            (std::vector{of_many(EventKind::delivery_started), sent(1'000, 2), sent(1'000, 3),
                         of_many(EventKind::delivery_finished)}));
}

TEST(EventPlace, IsOneNumberWhereItIsStored) {
  std::int64_t before = -1;
  for (const EventPlace& place : std::vector<EventPlace>{{0, 0, 0},
                                                         {0, 7, 0},
                                                         {0, (std::uint64_t{1} << 48U) - 1, 0},
                                                         {1, 0, 0},
                                                         {32'767, 9, 0}}) {
    const std::int64_t stored = sheet_place(place);
    EXPECT_LT(before, stored);
    EXPECT_EQ(event_place_of(stored, 0), place);
    before = stored;
  }
  // Of a cursor that somebody made up.
  EXPECT_EQ(sheet_place({1U << 15U, 0, 0}), INT64_MAX);
  EXPECT_LT(sheet_place({3, UINT64_MAX, 0}), sheet_place({4, 0, 0}));
}

TEST(EventKind, HasOneWordAndOneNumber) {
  int known = 0;
  for (int number = 0; number < 256; ++number) {
    const auto kind = event_kind(static_cast<std::uint8_t>(number));
    if (!kind) continue;
    ++known;
    EXPECT_EQ(static_cast<int>(*kind), number);
    EXPECT_EQ(event_kind(to_string(*kind)), kind);
  }
  EXPECT_EQ(known, 28);
  EXPECT_FALSE(event_kind("delivered"));
  EXPECT_FALSE(event_kind(""));
}

TEST(EventId, SaysItsPlaceAndSortsLikeIt) {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  const std::vector<EventPlace> places{{},
                                       {0, 0, 1},
                                       {0, 0, 31},
                                       {0, 0, 32},
                                       {0, 9, 4'294'967'295},
                                       {0, 10, 0},
                                       {0, kMax, 0},
                                       {7, 1, 0},
                                       {kMax, kMax, 4'294'967'295}};
  std::string before;
  for (const EventPlace& place : places) {
    const std::string id = event_id(place);
    const auto read = event_place(id);
    ASSERT_TRUE(read) << id;
    EXPECT_EQ(*read, place);
    EXPECT_LT(before, id);
    before = id;
  }
}

TEST(EventId, OneIsWrittenInOneWayOnly) {
  const std::string id = event_id({7, 123'456, 3});
  std::string upper = event_id({7, 123'456, 10});
  upper.back() = 'A';
  for (const std::string& wrong :
       {std::string(), id + "0", id.substr(1), upper, std::string(33, 'v'), std::string(33, '-'),
        std::string(33, '\0')}) {
    const auto read = event_place(wrong);
    ASSERT_FALSE(read) << wrong;
    EXPECT_EQ(read.error().kind, ErrorKind::invalid_input);
  }
}

// What a database writes itself reads like what is packed here.
TEST(EventSheet, EntriesArePackedInPiecesToo) {
  const Instant now = from_epoch_ms(1'800'000'000'000);
  const DeliveryKey delivery{123'456};
  for (const std::int64_t batch : {0, 1, -3}) {
    const SheetEntry dropped{.kind = EventKind::dropped,
                             .at = now,
                             .delivery = delivery,
                             .batch = static_cast<std::uint32_t>(batch),
                             .seq = 300,
                             .attempt = 2,
                             .code = 554,
                             .cause = Cause::suppressed};
    std::string pieces = entry_before_seq(EventKind::dropped, delivery, dropped.batch);
    put_varint(pieces, dropped.seq);
    put_varint(pieces, dropped.attempt);
    pieces += entry_after_attempt(dropped.code, dropped.cause);
    EXPECT_EQ(pieces, pack_sheet(now, std::span(&dropped, 1)));
  }
  const SheetEntry end = event_of_many(EventKind::delivery_finished, delivery, 70'000, now);
  std::string pieces = entry_before_recipients(EventKind::delivery_finished, delivery);
  put_varint(pieces, 70'000);
  EXPECT_EQ(pieces, pack_sheet(now, std::span(&end, 1)));
}

}  // namespace
}  // namespace todoku::store
