// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/warm_up.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace todoku::delivery::policy {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Day kFirst = 20'000;

WarmUpPlan plan() {
  return {.first_day = kFirst, .volumes = {100, 200, 400}};
}

TEST(WarmUp, ReadsDates) {
  EXPECT_EQ(parse_day("1970-01-02"), 1);
  EXPECT_EQ(parse_day("2026-12-01"), 20'788);
  for (const std::string wrong :
       {"", "2026-02-29", "2026-13-01", "2026-1-01", "26-12-01x", "2026-12-0a"}) {
    EXPECT_EQ(parse_day(wrong), std::nullopt) << wrong;
  }
}

TEST(WarmUp, DaysBeginAtLocalMidnight) {
  const Instant midnight = Instant(hours(24 * 10)) - minutes(540);  // in Japan
  EXPECT_EQ(day_of(midnight, minutes(540)), 10);
  EXPECT_EQ(day_of(midnight - Milliseconds(1), minutes(540)), 9);
  EXPECT_EQ(next_day(midnight - Milliseconds(1), minutes(540)), midnight);
  EXPECT_EQ(next_day(midnight, minutes(540)), midnight + hours(24));
}

TEST(WarmUp, TheNextVolumeComesWhenTheOneBeforeWasSent) {
  const auto volume = [](Day today, std::vector<SentOnDay> before) {
    return volume_of_day(plan(), today, before);
  };
  EXPECT_EQ(volume(kFirst - 1, {}), 0) << "not before its first day";
  EXPECT_EQ(volume(kFirst, {}), 100);
  EXPECT_EQ(volume(kFirst + 9, {}), 100) << "nothing went: receivers know it no better";
  EXPECT_EQ(volume(kFirst + 1, {{kFirst, 89}}), 100);
  EXPECT_EQ(volume(kFirst + 1, {{kFirst, 90}}), 200);
  EXPECT_EQ(volume(kFirst, {{kFirst, 90}}), 100) << "today does not count";
  EXPECT_EQ(volume(kFirst + 3, {{kFirst + 2, 180}, {kFirst, 100}}), 400);
  EXPECT_EQ(volume(kFirst + 9, {{kFirst, 100}, {kFirst + 1, 200}, {kFirst + 5, 400}}), std::nullopt)
      << "over";
}

TEST(WarmUp, ByTheCalendarEachDayBringsTheNextVolume) {
  WarmUpPlan daily = plan();
  daily.waits_for_volume = false;
  EXPECT_EQ(volume_of_day(daily, kFirst + 2, {}), 400);
  EXPECT_EQ(volume_of_day(daily, kFirst + 3, {}), std::nullopt);
}

TEST(WarmUp, OneReceiverGetsAShare) {
  EXPECT_EQ(site_volume(plan(), 100), 50);
  EXPECT_EQ(site_volume(plan(), 1), 1);
  EXPECT_EQ(site_volume(plan(), 0), 0);
}

TEST(WarmUpPurse, APurseIsOfOneDay) {
  WarmUpPurse purse;
  purse.put_in(5, "gmail", 10);
  EXPECT_EQ(purse.take(5, "gmail", 4), 4);
  EXPECT_EQ(purse.take(5, "docomo", 4), 0);
  EXPECT_EQ(purse.take(6, "gmail", 4), 0) << "what was taken for yesterday is not today's";
  purse.put_in(6, "gmail", 3);
  purse.give_back(5, "gmail", 4);
  purse.put_in(5, "gmail", 4);
  EXPECT_EQ(purse.take(6, "gmail", 100), 3);
}

// The counts of all, as store/warm_up.h keeps them.
struct Counts {
  std::map<std::pair<Day, std::string>, std::int64_t> taken;

  std::int64_t take(Day day, const std::string& site, std::int64_t want, const WarmUpPlan& plan,
                    std::int64_t volume) {
    std::int64_t granted = std::min(want, volume - taken[{day, ""}]);
    if (!site.empty()) granted = std::min(granted, site_volume(plan, volume) - taken[{day, site}]);
    if (granted <= 0) return 0;
    taken[{day, ""}] += granted;
    if (!site.empty()) taken[{day, site}] += granted;
    return granted;
  }
};

// Processes that share a source come and go, with and without a word, over the end of days, while
// mails are begun and given back: what goes out never passes a day's volume.
TEST(WarmUpPurse, NoInterleavingPassesTheVolumeOfTheDay) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    const auto below = [&](std::uint64_t n) { return random.next() % n; };
    const WarmUpPlan plan{.first_day = kFirst, .volumes = {37, 120, 333}, .site_percent = 40};
    Counts counts;
    std::vector<WarmUpPurse> processes(3);
    std::map<std::pair<Day, std::string>, std::int64_t> sent;
    std::vector<SentOnDay> before;
    for (Day today = kFirst; today < kFirst + 5; ++today) {
      const auto volume = volume_of_day(plan, today, before);
      if (!volume) break;
      for (int step = 0; step < 400; ++step) {
        WarmUpPurse& process = processes[below(processes.size())];
        const std::string site = std::vector<std::string>{"", "gmail", "docomo"}[below(3)];
        const auto want = static_cast<std::int64_t>(1 + below(20));
        switch (below(20)) {
          case 0:
            process = WarmUpPurse();  // killed
            break;
          case 1:
            for (const auto& left : process.take_all()) {
              counts.taken[{left.day, ""}] -= left.count;
              if (!left.site.empty()) counts.taken[{left.day, left.site}] -= left.count;
            }
            break;
          default:
            break;
        }
        std::int64_t permits = process.take(today, site, want);
        if (permits == 0) {
          const auto block = std::min(want, block_of(*volume));
          process.put_in(today, site, counts.take(today, site, block, plan, *volume));
          permits = process.take(today, site, want);
        }
        const auto begun =
            static_cast<std::int64_t>(below(static_cast<std::uint64_t>(permits) + 1));
        process.give_back(below(50) == 0 ? today - 1 : today, site, permits - begun);
        sent[{today, ""}] += begun;
        if (!site.empty()) sent[{today, site}] += begun;
      }
      ASSERT_LE((sent[{today, ""}]), *volume) << seed;
      ASSERT_LE((sent[{today, "gmail"}]), site_volume(plan, *volume)) << seed;
      ASSERT_LE((sent[{today, "docomo"}]), site_volume(plan, *volume)) << seed;
      before.push_back({today, counts.taken[{today, ""}]});
    }
  }
}

}  // namespace
}  // namespace todoku::delivery::policy
