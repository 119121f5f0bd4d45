// SPDX-License-Identifier: Apache-2.0
#include "mail/pace.h"

#include <deque>

#include <gmock/gmock.h>

namespace todoku {
namespace {

using namespace std::chrono_literals;

TEST(Pace, IsReadAsItIsWritten) {
  EXPECT_EQ(parse_pace("600/minute"), (Pace{600, 1min}));
  EXPECT_EQ(parse_pace("1000000/hour"), (Pace{1'000'000, 60min}));
  EXPECT_EQ(to_string(Pace{600, 1min}), "600/minute");
  EXPECT_EQ(to_string(Pace{5, 60min}), "5/hour");
  for (const std::string_view wrong : {"", "600", "/minute", "0/minute", "-1/minute", "1.5/hour",
                                       "1000001/hour", "600/day", "600/", "600/minute "}) {
    EXPECT_EQ(parse_pace(wrong), std::nullopt) << wrong;
  }
}

// Whoever asks as often as he likes never has more than the pace in any of its periods, and little
// less.
TEST(Pace, HoldsInEveryPeriodWhereverItBegins) {
  for (const Pace pace : {Pace{1, 1min}, Pace{7, 1min}, Pace{60, 1min}, Pace{600, 1min},
                          Pace{1, 60min}, Pace{1'000, 60min}, Pace{100'000, 60min}}) {
    Instant now = from_epoch_ms(1'767'225'600'000);
    Microseconds used_to{};
    std::deque<std::pair<Instant, std::int64_t>> recent;
    std::int64_t in_period = 0;
    std::int64_t in_all = 0;
    const Milliseconds step = 17ms * (pace.per / 1min);
    const int steps = 20'000;
    for (int i = 0; i < steps; ++i, now += step) {
      // Idle for a while, once: what was not used then is not kept.
      if (i == steps / 2) now += pace.per * 3;
      const PaceTaken taken = take_of(pace, used_to, now, 1'000'000);
      used_to = taken.used_to;
      while (!recent.empty() && recent.front().first <= now - pace.per) {
        in_period -= recent.front().second;
        recent.pop_front();
      }
      recent.emplace_back(now, taken.granted);
      in_period += taken.granted;
      in_all += taken.granted;
      ASSERT_LE(in_period, pace.mails) << to_string(pace);
      ASSERT_LE(taken.granted, block_of(pace)) << to_string(pace);
    }
    const double periods = static_cast<double>((step * steps).count()) /
                           static_cast<double>(Milliseconds(pace.per).count());
    EXPECT_GT(static_cast<double>(in_all), periods * static_cast<double>(pace.mails) * 0.9 - 2)
        << to_string(pace);
  }
}

TEST(Pace, TellsWhenTheNextBlockIsThere) {
  const Pace pace{600, 1min};
  const Instant now = from_epoch_ms(1'767'225'600'000);
  const PaceTaken first = take_of(pace, Microseconds(0), now, 1'000);
  EXPECT_EQ(first.granted, block_of(pace));
  EXPECT_GT(first.next_in, 2s);
  EXPECT_EQ(take_of(pace, first.used_to, now, 1'000).granted, 0);
  EXPECT_GT(waits(pace, first.used_to, now), 0ms);
  const PaceTaken second = take_of(pace, first.used_to, now + first.next_in, 1'000);
  EXPECT_EQ(second.granted, block_of(pace));
  EXPECT_EQ(take_of(pace, first.used_to, now + first.next_in, 3).granted, 3);
  EXPECT_EQ(waits(pace, first.used_to, now + first.next_in), 0ms);
}

TEST(Pace, DoesNotWaitForAClockThatWasSetBack) {
  const Pace pace{600, 1min};
  const Instant now = from_epoch_ms(1'767'225'600'000);
  const Microseconds ahead = Microseconds(now.time_since_epoch()) + 24h;
  EXPECT_LE(waits(pace, ahead, now), 4s);
}

TEST(Pace, TellsWhatItLeavesOver) {
  const Instant now = from_epoch_ms(1'767'225'600'000);  // midnight, UTC
  const Pace slow{1, 60min};
  EXPECT_EQ(left_over(slow, std::nullopt, 400, now, now + 24h), 376);
  EXPECT_EQ(left_over(slow, std::nullopt, 24, now, now + 24h), 0);
  EXPECT_EQ(left_over(slow, std::nullopt, 400, now, now - 1h), 400);
  const QuietHours night{.from = 21h, .until = 8h, .zone = "UTC"};
  EXPECT_EQ(left_over(slow, night, 400, now, now + 24h), 387);
  EXPECT_EQ(left_over(slow, night, 400, now, now + 34h), 385);
  EXPECT_EQ(left_over(slow, night, 400, now + 22h, now + 24h), 400);
  EXPECT_EQ(left_over(slow, night, 400, now + 20h, now + 21h), 399);
}

}  // namespace
}  // namespace todoku
