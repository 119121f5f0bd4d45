// SPDX-License-Identifier: Apache-2.0
#include "events/reports/reader_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace todoku::events::reports {
namespace {

using namespace std::chrono_literals;
using ::testing::SizeIs;

constexpr Instant kStart = from_epoch_ms(1'780'000'000'000);
constexpr store::DeliveryKey kMail{7};

Concerned recipient(std::uint32_t seq) {
  return {.batch = seq / 500, .seq = seq % 500, .delayed = {}};
}

TEST(ReportSchedule, TellsOfASingleFailureAtOnceAndOnce) {
  ReportSchedule schedule;
  schedule.note(kMail, recipient(3), kStart);
  schedule.note(kMail, recipient(3), kStart + 1s);
  EXPECT_FALSE(schedule.next(kStart + 1s));
  const auto due = schedule.next(kStart + kFirstWhile);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->delivery, kMail);
  EXPECT_THAT(due->recipients, ::testing::ElementsAre(recipient(3)));
  schedule.done(*due, kStart + kFirstWhile);
  EXPECT_EQ(schedule.waiting(), 0U);
  EXPECT_FALSE(schedule.next(kStart + 1h));
}

// A thousand that fail one after the other, one each second.
TEST(ReportSchedule, GathersWhatFailsOneAfterTheOther) {
  ReportSchedule schedule;
  int reports = 0;
  std::size_t told = 0;
  Milliseconds longest{0};
  for (std::uint32_t second = 0; second < 1'400; ++second) {
    const Instant now = kStart + std::chrono::seconds(second);
    if (second < 1'000) schedule.note(kMail, recipient(second), now);
    while (const auto due = schedule.next(now)) {
      EXPECT_LE(due->recipients.size(), kToldAtOnceMax);
      const Concerned& first = due->recipients.front();
      longest = std::max<Milliseconds>(
          longest, now - (kStart + std::chrono::seconds(first.batch * 500 + first.seq)));
      schedule.done(*due, now);
      told += due->recipients.size();
      ++reports;
    }
    schedule.forget(now);
  }
  EXPECT_EQ(told, 1'000U);
  EXPECT_LT(reports, 25);
  EXPECT_LE(longest, kLongestWhile + 1s);
}

TEST(ReportSchedule, ManyAtOnceAreToldInReportsOfAHundred) {
  ReportSchedule schedule;
  for (std::uint32_t seq = 0; seq < 250; ++seq) schedule.note(kMail, recipient(seq), kStart);
  std::vector<std::size_t> sizes;
  while (const auto due = schedule.next(kStart + kFirstWhile)) {
    sizes.push_back(due->recipients.size());
    schedule.done(*due, kStart + kFirstWhile);
  }
  EXPECT_THAT(sizes, ::testing::ElementsAre(100, 100, 50));
}

TEST(ReportSchedule, ForgetsWhoWasQuietAndThenTellsAtOnceAgain) {
  ReportSchedule schedule;
  schedule.note(kMail, recipient(1), kStart);
  schedule.done(*schedule.next(kStart + 2s), kStart + 2s);
  schedule.note(kMail, recipient(2), kStart + 3s);
  EXPECT_FALSE(schedule.next(kStart + 5s)) << "they are near each other";
  ASSERT_TRUE(schedule.next(kStart + 6s));
  schedule.done(*schedule.next(kStart + 6s), kStart + 6s);
  schedule.forget(kStart + 1h);
  EXPECT_EQ(schedule, ReportSchedule());
  schedule.note(kMail, recipient(3), kStart + 1h);
  EXPECT_TRUE(schedule.next(kStart + 1h + 2s));
}

TEST(ReportSchedule, TellsEarlyWhenItIsFull) {
  ReportSchedule schedule;
  for (std::uint32_t i = 0; !schedule.is_full(); ++i) {
    schedule.note(store::DeliveryKey{i}, recipient(i), kStart);
  }
  EXPECT_EQ(schedule.waiting(), kWaitingMax);
  ASSERT_TRUE(schedule.next(kStart));
  std::string packed;
  schedule.pack(packed);
  EXPECT_LT(packed.size(), std::size_t{200} * 1024) << "it has room in its row";
}

TEST(ReaderState, ComesBackAndDamageIsAnError) {
  ReaderState state;
  state.after = {.generation = 1, .commit = 123'456, .entry = UINT32_MAX};
  state.after_account = store::AccountKey{INT64_MAX};
  state.schedule.note(kMail, recipient(3), kStart);
  state.schedule.note(kMail, {.batch = 1, .seq = 2, .delayed = kStart - 4h}, kStart);
  state.schedule.note(store::DeliveryKey{9}, recipient(700), kStart);
  state.schedule.done(*state.schedule.next(kStart + 3s), kStart + 3s);
  const std::string packed = pack(state);
  const auto back = unpack_reader_state(packed);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, state);

  constexpr std::uint64_t kSeed = 5;
  SeededRandom random(kSeed);
  for (int round = 0; round < 20'000; ++round) {
    std::string broken = packed;
    broken[random.below(broken.size())] = static_cast<char>(random.below(256));
    if (random.below(2) == 0) broken.resize(random.below(broken.size()));
    const auto read = unpack_reader_state(broken);
    if (!read) {
      ASSERT_EQ(read.error().kind, ErrorKind::corrupt) << "seed " << kSeed;
    }
  }
  EXPECT_FALSE(unpack_reader_state(""));
}

}  // namespace
}  // namespace todoku::events::reports
