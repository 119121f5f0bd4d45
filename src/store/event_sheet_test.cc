// SPDX-License-Identifier: Apache-2.0
#include "store/event_sheet.h"

#include <limits>

#include <gtest/gtest.h>

#include "store/codec.h"

namespace todoku::store {
namespace {

constexpr Instant kCommitted = from_epoch_ms(1'790'000'000'123);

SheetEntry sent(std::int64_t delivery, std::uint32_t seq, PublicId log_id) {
  return {.kind = EventKind::sent,
          .at = kCommitted - Milliseconds(7),
          .delivery = DeliveryKey{delivery},
          .batch = 3,
          .seq = seq,
          .log_id = log_id,
          .attempt = 1,
          .code = 250};
}

TEST(EventSheet, TellsWhatWasPacked) {
  const std::vector<SheetEntry> entries{
      sent(12'000'000, 0, 900),
      // Of a batch whose number is lower than its delivery's (store/numbers.h).
      {.kind = EventKind::hard_error,
       .at = kCommitted + Milliseconds(5),
       .delivery = DeliveryKey{11'000'000},
       .batch = static_cast<std::uint32_t>(-40),
       .seq = 499,
       .log_id = std::numeric_limits<PublicId>::max(),
       .attempt = 65'535,
       .code = 550,
       .cause = Cause::mailbox},
      {.kind = EventKind::import_ended,
       .at = kCommitted,
       .delivery = DeliveryKey{std::numeric_limits<std::int64_t>::max()},
       .job = 77,
       .recipients = 10'000'000},
      {.kind = EventKind::accepted, .at = kCommitted, .delivery = DeliveryKey{1}},
  };
  const auto read = unpack_sheet(pack_sheet(kCommitted, entries));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, entries);
}

TEST(EventSheet, MayBeEmptyButHasItsInstant) {
  EXPECT_TRUE(unpack_sheet(pack_sheet(kCommitted, {})));
  EXPECT_FALSE(unpack_sheet(""));
}

TEST(EventSheet, ACutOneIsCorrupt) {
  const std::string whole = pack_sheet(kCommitted, {sent(1'000, 7, 1)});
  const std::size_t head = pack_sheet(kCommitted, {}).size();
  for (std::size_t size = head + 1; size < whole.size(); ++size) {
    const auto read = unpack_sheet(std::string_view(whole).substr(0, size));
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().kind, ErrorKind::corrupt);
  }
}

// What does not fit is not cut down to another recipient or another answer.
TEST(EventSheet, ANumberThatIsTooLargeIsCorrupt) {
  for (const std::size_t large : {0U, 1U, 3U, 4U, 5U, 6U}) {  // 6: none
    const auto value = [&](std::size_t field) {
      return field == large ? std::uint64_t{1} << 33U : 1U;
    };
    std::string sheet = pack_sheet(kCommitted, {});
    sheet.push_back(static_cast<char>(EventKind::sent));
    put_zigzag(sheet, 0);
    put_zigzag(sheet, 1'000);
    put_zigzag(sheet, static_cast<std::int64_t>(value(0)));  // batch
    put_varint(sheet, value(1));                             // seq
    put_zigzag(sheet, 1);                                    // log id
    for (const std::size_t field : {3U, 4U, 5U}) put_varint(sheet, value(field));
    EXPECT_EQ(unpack_sheet(sheet).has_value(), large == 6) << large;
  }
}

TEST(EventSheet, AnUnknownKindIsCorrupt) {
  for (const int number : {0, 11, 13, 31, 39, 255}) {
    std::string sheet = pack_sheet(kCommitted, {sent(1'000, 7, 1)});
    sheet[pack_sheet(kCommitted, {}).size()] = static_cast<char>(number);
    EXPECT_FALSE(unpack_sheet(sheet)) << number;
  }
}

// The next recipient of a batch costs what it has of its own: 120 octets a typical story.
TEST(EventSheet, IsSmall) {
  std::vector<SheetEntry> entries;
  for (std::uint32_t seq = 0; seq < 500; ++seq) entries.push_back(sent(12'000'000, seq, 900 + seq));
  EXPECT_LE(pack_sheet(kCommitted, entries).size(), 500U * 11);
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
  EXPECT_EQ(known, 17);
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

}  // namespace
}  // namespace todoku::store
