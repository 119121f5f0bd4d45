// SPDX-License-Identifier: Apache-2.0
// Who leads and who sends from what: generated troubles, and each kind alone with what it may cost.
// TODOKU_RIVALS_SEED=n plays one again, and prints its whole story.
#include "sim/rivals.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/seeds.h"

namespace todoku::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using ::testing::IsEmpty;

// A few seconds of one core.
constexpr std::uint64_t kRivalSeeds = SeedCount{.plain = 300, .sanitized = 50}.here();

Seeds rivals(std::uint64_t count, const Safeguards& safeguards = {}) {
  return {count, [safeguards](std::uint64_t seed, std::size_t story_lines) {
            return play_rivals(seed, safeguards, story_lines);
          }};
}

TEST(Rivals, NeverTwoAtOnceInAnyWorld) {
  const auto sum = rivals(kRivalSeeds).expect_kept("TODOKU_RIVALS_SEED");
  if (!sum) return;
  fmt::print("{} reigns, {} ownerships, {} mails\n", sum->reigns, sum->ownerships, sum->taken);
  EXPECT_GT(sum->reigns, 2 * kRivalSeeds);
  EXPECT_GT(sum->ownerships, 4 * kRivalSeeds);
  EXPECT_GT(sum->taken, 100 * kRivalSeeds);
}

TEST(Rivals, TheSameSeedIsTheSameWorld) {
  rivals(5).expect_same_again();
}

// Else these worlds would say nothing about what keeps two apart.
void expect_two_without(const Safeguards& safeguards, std::string_view which) {
  constexpr std::uint64_t kSeedsEnough = 50;
  Figures before;
  const auto found = rivals(kSeedsEnough, safeguards).first_broken(before);
  ASSERT_TRUE(found) << kSeedsEnough << " worlds need no " << which;
  fmt::print("without {}: seed {}: {}\n", which, found->seed, found->broken.front());
}

TEST(Rivals, WithoutRespectForALapseTwoAreAtWork) {
  expect_two_without({.lapse_respected = false}, "respect for a lapse");
}

TEST(Rivals, WhereASourceIsHandedOverEarlyTwoSendFromIt) {
  expect_two_without({.handover_waits = false}, "waiting before a source is handed over");
}

// ---- one kind of trouble each ------------------------------------------------------------------

class RivalsAlone : public ::testing::Test {
 protected:
  static constexpr Microseconds kBefore = seconds(30);  // all is owned by then

  // What happens to one after half a minute, and nothing else.
  template <class... What>
  std::unique_ptr<Rivals> play(Microseconds at, What... what) {
    script_.incidents.clear();
    (script_.incidents.push_back({.at = at, .what = what}), ...);
    auto rivals = std::make_unique<Rivals>(script_);
    rivals->play();
    EXPECT_THAT(rivals->troubles(), IsEmpty()) << rivals->trace().tail();
    return rivals;
  }
  // Who leads when nothing has happened, which is the same with each script.
  [[nodiscard]] std::size_t usual_leader() {
    const auto rivals = play(kBefore, NodeClockLeap{});
    return rivals->at(kBefore).leader.value_or(99);
  }
  [[nodiscard]] std::size_t usual_owner(const std::string& source) {
    const auto rivals = play(kBefore, NodeClockLeap{});
    const auto& owners = rivals->at(kBefore).owners;
    return owners.contains(source) ? owners.at(source) : 99;
  }
  // From then until another leads.
  static Microseconds until_another_leads(const Rivals& rivals, Microseconds from,
                                          std::size_t than) {
    for (const Rivals::Moment& moment : rivals.moments()) {
      if (moment.at > from && moment.leader && *moment.leader != than) return moment.at - from;
    }
    return Microseconds::max();
  }
  // From then until `node` has nothing that is not another's.
  static Microseconds until_others_own_all(const Rivals& rivals, Microseconds from,
                                           std::size_t than, std::size_t sources) {
    for (const Rivals::Moment& moment : rivals.moments()) {
      const bool others = std::ranges::none_of(
          moment.owners, [&](const auto& owner) { return owner.second == than; });
      if (moment.at > from && others && moment.owners.size() == sources) return moment.at - from;
    }
    return Microseconds::max();
  }
  // How many sources each has that has some, fewest first.
  static std::vector<std::size_t> counts_at(const Rivals& rivals, Microseconds when) {
    std::map<std::size_t, std::size_t> by_node;
    for (const auto& [source, node] : rivals.at(when).owners) ++by_node[node];
    std::vector<std::size_t> counts;
    for (const auto& [node, count] : by_node) counts.push_back(count);
    std::ranges::sort(counts);
    return counts;
  }
  // How often each got another owner.
  static std::map<std::string, std::size_t> moves_in(const Rivals& rivals) {
    std::map<std::string, std::size_t> moves;
    std::map<std::string, std::size_t> owner;
    for (const Rivals::Moment& moment : rivals.moments()) {
      for (const auto& [source, node] : moment.owners) {
        const auto [before, is_new] = owner.emplace(source, node);
        if (!is_new && before->second == node) continue;
        before->second = node;
        ++moves[source];
      }
    }
    return moves;
  }
  static bool ever_leads(const Rivals& rivals, std::size_t node) {
    return std::ranges::any_of(rivals.moments(),
                               [&](const auto& moment) { return moment.leader == node; });
  }

  RivalScript script_{.seed = 7, .nodes = 2, .sources = 3};
};

TEST_F(RivalsAlone, BothHaveSomeAndOneLeads) {
  const auto rivals = play(kBefore, NodeClockLeap{.by = minutes(10), .node = 0});
  const Rivals::Moment& before = rivals->at(seconds(5));
  EXPECT_TRUE(before.leader);
  EXPECT_EQ(before.owners.size(), 3U) << "within five seconds";
  EXPECT_EQ(rivals->at(seconds(80)).owners, before.owners)
      << "the time of day of a node is nobody's business";
}

TEST_F(RivalsAlone, AKilledLeaderIsFollowedWithinTenSeconds) {
  const std::size_t leader = usual_leader();
  Microseconds longest{};
  for (Microseconds when = kBefore; when < kBefore + seconds(3); when += milliseconds(250)) {
    const auto rivals = play(when, Crash{.down = seconds(60), .node = leader});
    const Microseconds took = until_another_leads(*rivals, when, leader);
    EXPECT_LE(took, seconds(10));
    EXPECT_GE(took, seconds(6)) << "it may have been at work";
    longest = std::max(longest, took);
  }
  fmt::print("taken over after {} ms at most\n", longest.count() / 1000);
}

TEST_F(RivalsAlone, AKilledOwnersSourcesAreTakenWhenItsLeaseWasWaitedOut) {
  const std::size_t owner = usual_owner("source0");
  const auto rivals = play(kBefore, Crash{.down = seconds(90), .node = owner});
  const Microseconds took = until_others_own_all(*rivals, kBefore, owner, 3);
  EXPECT_GE(took, seconds(12));
  EXPECT_LE(took, seconds(35)) << "where the leader died, too";
}

TEST_F(RivalsAlone, WhoIsKilledAndComesBackToItsPlaceGoesOnAtOnce) {
  const std::size_t owner = usual_owner("source0");
  const auto rivals = play(kBefore, Crash{.down = milliseconds(500), .node = owner});
  EXPECT_EQ(rivals->at(kBefore + seconds(5)).owners.size(), 3U);
  EXPECT_TRUE(rivals->at(kBefore + seconds(5)).leader);
}

TEST_F(RivalsAlone, WhoIsStoppedInOrderIsFollowedAtOnce) {
  for (std::size_t node = 0; node < 2; ++node) {
    const auto rivals = play(kBefore, Restart{.grace = {}, .down = seconds(60), .node = node});
    // Its mails end within ten seconds; a second or two is what the others need to look.
    EXPECT_LE(until_another_leads(*rivals, kBefore, node), seconds(12));
    EXPECT_LE(until_others_own_all(*rivals, kBefore, node, 3), seconds(14));
  }
}

TEST_F(RivalsAlone, ALeapOfTheStoresClockMovesNothing) {
  for (const Milliseconds by : {Milliseconds(minutes(10)), Milliseconds(-minutes(10))}) {
    const auto rivals = play(kBefore, ClockLeap{by});
    const Rivals::Moment before = rivals->at(kBefore - seconds(1));
    for (const Rivals::Moment& moment : rivals->moments()) {
      if (moment.at < kBefore || moment.at > kBefore + seconds(59)) continue;
      EXPECT_EQ(moment.leader, before.leader) << moment.at.count();
      EXPECT_EQ(moment.owners, before.owners) << moment.at.count();
    }
  }
}

TEST_F(RivalsAlone, AfterALeapADeathIsWaitedOutAsBefore) {
  const std::size_t leader = usual_leader();
  for (const Milliseconds by : {Milliseconds(minutes(10)), Milliseconds(-minutes(10))}) {
    const auto rivals = play(kBefore, ClockLeap{by}, Crash{.down = seconds(60), .node = leader});
    const Microseconds took = until_another_leads(*rivals, kBefore, leader);
    EXPECT_GE(took, seconds(6));
    EXPECT_LE(took, seconds(10));
  }
}

// By the new server's clock its lease is over at once, by its own it is at work for 13 s.
TEST_F(RivalsAlone, WhoDoesNotSeeAFailOverIsWaitedOutByItsOwnClock) {
  for (Microseconds when = kBefore; when < kBefore + seconds(6); when += milliseconds(200)) {
    for (std::size_t node = 0; node < 2; ++node) {
      (void)play(when, StoreAway{.lasts = seconds(40), .node = node}, ClockLeap{minutes(10)});
    }
  }
}

TEST_F(RivalsAlone, WhoStandsStillIsFollowedAndFindsThatOut) {
  const std::size_t leader = usual_leader();
  const auto rivals = play(kBefore, Stall{.lasts = seconds(45), .node = leader});
  EXPECT_LE(until_another_leads(*rivals, kBefore, leader), seconds(10));
  EXPECT_LE(until_others_own_all(*rivals, kBefore, leader, 3), seconds(35));
  EXPECT_NE(rivals->at(kBefore + seconds(50)).leader, leader);
}

TEST_F(RivalsAlone, WhoDoesNotReachTheStoreStopsByItself) {
  const std::size_t leader = usual_leader();
  const auto rivals = play(kBefore, StoreAway{.lasts = seconds(45), .node = leader});
  EXPECT_NE(rivals->at(kBefore + milliseconds(6'100)).leader, leader);
  for (const auto& [source, node] : rivals->at(kBefore + milliseconds(13'100)).owners) {
    EXPECT_NE(node, leader) << source;
  }
}

TEST_F(RivalsAlone, ASourceGoesWhereItsAddressIs) {
  const std::size_t owner = usual_owner("source1");
  const auto rivals = play(kBefore, AddressAway{.lasts = seconds(40), .node = owner, .source = 1});
  const auto& later = rivals->at(kBefore + seconds(20)).owners;
  ASSERT_TRUE(later.contains("source1"));
  EXPECT_NE(later.at("source1"), owner);
  EXPECT_EQ(rivals->at(kBefore + seconds(39)).owners.at("source1"), later.at("source1"))
      << "and stays there, whatever evens out";
  EXPECT_EQ(counts_at(*rivals, kBefore + seconds(95)), (std::vector<std::size_t>{1, 2}));
}

TEST_F(RivalsAlone, WhoComesBackIsHandedItsShare) {
  script_.nodes = 3;
  script_.sources = 6;
  const auto rivals = play(kBefore, Crash{.down = seconds(60), .node = 1});
  EXPECT_EQ(counts_at(*rivals, kBefore - seconds(1)), (std::vector<std::size_t>{2, 2, 2}));
  EXPECT_EQ(counts_at(*rivals, kBefore + seconds(59)), (std::vector<std::size_t>{3, 3}));
  EXPECT_EQ(counts_at(*rivals, kBefore + seconds(60 + 55)), (std::vector<std::size_t>{2, 2, 2}));
  // At first, after the death, to who came back.
  for (const auto& [source, moves] : moves_in(*rivals)) EXPECT_LE(moves, 3U) << source;
}

// As in a rolling update that is repeated: what moves is what whoever stops had, and its share when
// it is back.
TEST_F(RivalsAlone, SourcesDoNotFlapWhenCouriersComeAndGo) {
  script_.nodes = 3;
  script_.sources = 6;
  constexpr std::size_t kRestarts = 9;
  script_.incidents.clear();
  for (std::size_t i = 0; i < kRestarts; ++i) {
    script_.incidents.push_back({.at = kBefore + i * minutes(2),
                                 .what = Restart{.grace = {}, .down = seconds(20), .node = i % 3}});
  }
  Rivals rivals(script_);
  rivals.play();
  EXPECT_THAT(rivals.troubles(), IsEmpty()) << rivals.trace().tail();
  for (std::size_t i = 0; i < kRestarts; ++i) {
    const Microseconds settled = kBefore + i * minutes(2) + seconds(19);
    EXPECT_EQ(counts_at(rivals, settled), (std::vector<std::size_t>{3, 3})) << i;
    if (i + 1 == kRestarts) break;
    EXPECT_EQ(counts_at(rivals, settled + seconds(95)), (std::vector<std::size_t>{2, 2, 2})) << i;
  }
  std::size_t all = 0;
  for (const auto& [source, moves] : moves_in(rivals)) all += moves;
  EXPECT_LE(all, script_.sources + kRestarts * 4);
  fmt::print("{} sources moved {} times in {} restarts\n", script_.sources, all, kRestarts);
}

TEST_F(RivalsAlone, OfTwoCouriersForOneSourceOneStandsBy) {
  script_.sources = 1;
  const std::size_t owner = usual_owner("source0");
  const auto rivals = play(kBefore, Restart{.grace = {}, .down = seconds(30), .node = owner});
  EXPECT_EQ(rivals->at(kBefore - seconds(1)).owners.size(), 1U);
  EXPECT_EQ(rivals->at(kBefore + seconds(25)).owners.at("source0"), 1 - owner);
  EXPECT_EQ(rivals->at(kBefore + seconds(80)).owners.at("source0"), 1 - owner);
}

}  // namespace
}  // namespace todoku::sim
