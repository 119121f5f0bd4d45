// SPDX-License-Identifier: Apache-2.0
// Bells as rows.
#include <algorithm>
#include <map>

#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const BellChannel kMain{"main", TrafficClass::bulk};
const BellChannel kUrgent{"main", TrafficClass::transactional};
const BellChannel kOther{"other", TrafficClass::bulk};
constexpr Milliseconds kHidden = 30s;

Bell bell(const BellChannel& channel, std::int64_t delivery, std::uint32_t batch = 1) {
  return {channel, {DeliveryKey{delivery}, batch}};
}

// One process's way with bells.
class Ears {
 public:
  explicit Ears(Store& store) : store_(store) {}

  void ring(std::vector<Bell> bells) { (void)perform({.rung = std::move(bells)}); }
  std::vector<HeldBell> hear(const BellChannel& channel, std::int64_t most = 100) {
    return hear_all({{channel, most}});
  }
  std::vector<HeldBell> hear_all(std::vector<BellsWanted> wanted) {
    return perform({.wanted = std::move(wanted)});
  }
  void acknowledge(std::vector<HeldBell> held) { (void)perform({.acknowledged = std::move(held)}); }
  void give_back(const HeldBell& held, Milliseconds delay = {}) {
    (void)perform({.given_back = {{held, delay}}});
  }
  std::vector<HeldBell> perform(BellWork work) {
    work.visibility = kHidden;
    work.reception = ++receptions_;
    const auto heard = must(store_.perform_and_wait(std::move(work)));
    forgotten = heard.forgotten;
    std::vector<HeldBell> held;
    for (const HeardBell& one : heard.bells) {
      held.push_back({one.bell, receptions_});
      times[one.bell] = one.times;
    }
    return held;
  }
  BellDepth depth(const BellChannel& channel) {
    return must(store_.read_and_wait([&](ReadTransaction& t) { return t.bell_depth(channel); }));
  }

  std::map<Bell, std::uint32_t> times;
  std::int64_t forgotten = 0;

 private:
  Store& store_;
  std::uint64_t receptions_ = 0;
};

std::vector<Bell> bells_of(const std::vector<HeldBell>& held) {
  std::vector<Bell> bells;
  for (const HeldBell& one : held) bells.push_back(one.bell);
  std::ranges::sort(bells);
  return bells;
}

TEST_P(StoreSuite, ABellIsHeardOnItsChannelOnly) {
  Ears ears(*store_);
  ears.ring({bell(kMain, 1000), bell(kUrgent, 2000), bell(kOther, 3000), bell(kMain, 1000, 2)});
  EXPECT_THAT(bells_of(ears.hear(kUrgent)), ElementsAre(bell(kUrgent, 2000)));
  EXPECT_THAT(bells_of(ears.hear_all({{kMain, 10}, {kOther, 10}, {kUrgent, 10}})),
              UnorderedElementsAre(bell(kMain, 1000), bell(kMain, 1000, 2), bell(kOther, 3000)));
  EXPECT_THAT(ears.hear_all({{kMain, 10}, {kOther, 10}, {kUrgent, 10}}), IsEmpty());
}

TEST_P(StoreSuite, RingingTwiceIsRingingOnce) {
  Ears ears(*store_);
  ears.ring({bell(kMain, 1000), bell(kMain, 1000), bell(kMain, 2000)});
  ears.ring({bell(kMain, 1000)});
  EXPECT_THAT(ears.hear(kMain), SizeIs(2));
  EXPECT_THAT(ears.hear(kMain), IsEmpty());
}

TEST_P(StoreSuite, OfBellsThoseThatAreReadyForLongestAreHeardFirst) {
  Ears ears(*store_);
  for (const std::int64_t delivery : {3000, 1000, 2000}) {
    ears.ring({bell(kMain, delivery)});
    clock_.advance(1s);
  }
  ears.ring({bell(kMain, 3000)});  // leaves it where it is
  EXPECT_THAT(bells_of(ears.hear(kMain, 1)), ElementsAre(bell(kMain, 3000)));
  EXPECT_THAT(bells_of(ears.hear(kMain, 2)), ElementsAre(bell(kMain, 1000), bell(kMain, 2000)));
}

TEST_P(StoreSuite, ABellComesAgainUntilItIsAcknowledged) {
  Ears ears(*store_);
  ears.ring({bell(kMain, 1000), bell(kMain, 2000)});
  const auto held = ears.hear(kMain);
  ears.acknowledge({held.at(0)});
  clock_.advance(kHidden - 1ms);
  EXPECT_THAT(ears.hear(kMain), IsEmpty());
  clock_.advance(1ms);
  const auto again = ears.hear(kMain);
  EXPECT_THAT(bells_of(again), ElementsAre(held.at(1).bell));
  EXPECT_EQ(ears.times[held.at(1).bell], 2U);
  ears.acknowledge({held.at(1)});  // too late: it is somebody else's
  clock_.advance(kHidden);
  EXPECT_THAT(ears.hear(kMain), SizeIs(1));
}

TEST_P(StoreSuite, ABellThatIsGivenBackIsReadyAfterItsDelay) {
  Ears ears(*store_);
  ears.ring({bell(kMain, 1000)});
  ears.give_back(ears.hear(kMain).at(0));
  const auto held = ears.hear(kMain).at(0);
  EXPECT_EQ(ears.times[held.bell], 2U);
  ears.give_back(held, 2h);
  clock_.advance(2h - 1ms);
  EXPECT_THAT(ears.hear(kMain), IsEmpty());
  EXPECT_EQ(ears.depth(kMain).delayed, 1);
  (void)ears.perform({.forget = 100});
  EXPECT_EQ(ears.forgotten, 0) << "it is not old";
  clock_.advance(1ms);
  EXPECT_THAT(ears.hear(kMain), SizeIs(1));
}

// Its batch waits again: an acknowledgement that is late must not take the new bell with it.
TEST_P(StoreSuite, ABellThatIsRungAgainIsNoMoreThatOfItsHolder) {
  Ears ears(*store_);
  ears.ring({bell(kMain, 1000), bell(kMain, 2000)});
  const auto held = ears.hear(kMain);
  ears.give_back(held.at(1), 1h);
  ears.ring(bells_of(held));
  ears.acknowledge(held);
  ears.give_back(held.at(0), 1h);
  EXPECT_THAT(ears.hear(kMain), SizeIs(2));
  EXPECT_EQ(ears.times[held.at(0).bell], 1U);
}

TEST_P(StoreSuite, WhatIsRungIsHeardInTheSamePieceOfWork) {
  Ears ears(*store_);
  ears.ring({bell(kMain, 1000)});
  const auto held = ears.hear(kMain);
  const auto heard =
      ears.perform({.rung = {bell(kMain, 2000)}, .acknowledged = held, .wanted = {{kMain, 10}}});
  EXPECT_THAT(bells_of(heard), ElementsAre(bell(kMain, 2000)));
}

TEST_P(StoreSuite, OldBellsAreForgottenInPieces) {
  Ears ears(*store_);
  for (std::uint32_t batch = 1; batch <= 3; ++batch) {
    ears.ring({bell(kMain, 1000, batch), bell(kUrgent, 1000, batch), bell(kOther, 1000, batch)});
  }
  (void)ears.hear(kOther);
  clock_.advance(kBellLife + 1ms);
  ears.ring({bell(kMain, 9000)});
  (void)ears.perform({.forget = 5});
  EXPECT_EQ(ears.forgotten, 5);
  const auto heard = ears.perform({.wanted = {{kMain, 10}}, .forget = 100});
  EXPECT_THAT(heard, Not(IsEmpty()));
  EXPECT_EQ(ears.forgotten + 5, 9);
  EXPECT_THAT(ears.hear_all({{kUrgent, 10}, {kOther, 10}}), IsEmpty());
}

TEST_P(StoreSuite, TheDepthOfAChannelIsTold) {
  Ears ears(*store_);
  EXPECT_FALSE(ears.depth(kMain).oldest_ready_age);
  ears.ring({bell(kMain, 1000), bell(kMain, 2000), bell(kMain, 3000), bell(kOther, 1000)});
  clock_.advance(2s);
  const auto held = ears.hear(kMain, 2);
  ears.give_back(held.at(0), 10s);
  const BellDepth depth = ears.depth(kMain);
  EXPECT_EQ(depth.ready, 1);
  EXPECT_EQ(depth.held, 1);
  EXPECT_EQ(depth.delayed, 1);
  EXPECT_EQ(depth.oldest_ready_age, 2s);
  EXPECT_EQ(ears.depth(kUrgent).ready, 0);
}

TEST_P(StoreSuite, ASourceThatNoDatabaseCanHoldIsRefused) {
  BellWork work;
  work.rung = {bell({std::string("ma\0in", 5), TrafficClass::bulk}, 1000)};
  EXPECT_EQ(error_of(store_->perform_and_wait(std::move(work))), "invalid_input");
  EXPECT_EQ(error_of(store_->perform_and_wait(BellWork())), "none") << "nothing to do is done";
}

}  // namespace
}  // namespace todoku::store
