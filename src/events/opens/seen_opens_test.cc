// SPDX-License-Identifier: Apache-2.0
#include "events/opens/seen_opens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::events::opens {
namespace {

using store::OpenedBy;
using store::OpenRecorded;
using testing::SizeIs;
using Taken = SeenOpens::Taken;
using namespace std::chrono_literals;

Sighting of(std::uint32_t seq, OpenedBy by = OpenedBy::reader, std::int64_t account = 1) {
  return {.account = store::AccountKey{account},
          .recipient = {store::DeliveryKey{100 * account}, 0, seq},
          .by = by};
}

const SteadyInstant kBegin{24h};

void settle_all(SeenOpens& seen, OpenRecorded answer, SteadyInstant now) {
  const auto waiting = seen.waiting(1'000, now);
  seen.settle(waiting, std::vector<OpenRecorded>(waiting.size(), answer), now);
}

TEST(SeenOpens, TellsOfARecipientOnceAnHour) {
  SeenOpens seen;
  EXPECT_EQ(seen.add(of(1), kBegin), Taken::waits);
  EXPECT_EQ(seen.add(of(1), kBegin), Taken::repeated);
  settle_all(seen, OpenRecorded::recorded, kBegin + 1s);
  EXPECT_EQ(seen.size(), 0U);
  EXPECT_EQ(seen.add(of(1), kBegin + 59min), Taken::repeated);
  EXPECT_EQ(seen.add(of(2), kBegin + 59min), Taken::waits) << "another recipient";
  EXPECT_EQ(seen.add(of(1), kBegin + 60min), Taken::waits);
}

TEST(SeenOpens, KeepsReadersAndPrefetchersApart) {
  SeenOpens seen;
  EXPECT_EQ(seen.add(of(1, OpenedBy::prefetch), kBegin), Taken::waits);
  EXPECT_EQ(seen.add(of(1, OpenedBy::image_proxy), kBegin), Taken::waits);
  EXPECT_EQ(seen.add(of(1, OpenedBy::reader), kBegin), Taken::repeated) << "also a reader";
  EXPECT_THAT(seen.waiting(10, kBegin), SizeIs(2));
}

TEST(SeenOpens, SaysHowLongAgoEachWas) {
  SeenOpens seen;
  seen.add(of(1), kBegin);
  seen.add(of(2), kBegin + 3s);
  const auto waiting = seen.waiting(10, kBegin + 5s);
  ASSERT_THAT(waiting, SizeIs(2));
  EXPECT_EQ(waiting[0].age, 5s);
  EXPECT_EQ(waiting[1].age, 2s);
  EXPECT_THAT(seen.waiting(1, kBegin + 5s), SizeIs(1));
  EXPECT_EQ(seen.size(), 2U) << "nothing is taken away before the store has answered";
}

TEST(SeenOpens, AsksAgainSoonWhereAnotherProcessBeganTheHour) {
  SeenOpens seen;
  seen.add(of(1), kBegin);
  settle_all(seen, OpenRecorded::repeated, kBegin);
  EXPECT_EQ(seen.add(of(1), kBegin + 59s), Taken::repeated);
  EXPECT_EQ(seen.add(of(1), kBegin + 60s), Taken::waits);
}

TEST(SeenOpens, DropsWhatFindsNoRoomAndOneAccountLeavesSomeForOthers) {
  SeenOpens seen({.waiting_max = 10, .quiet_max = 4});
  int taken = 0;
  for (std::uint32_t i = 0; i < 100; ++i) {
    if (seen.add(of(i), kBegin) == Taken::waits) ++taken;
  }
  EXPECT_EQ(taken, 5);
  EXPECT_EQ(seen.add(of(1, OpenedBy::reader, 2), kBegin), Taken::waits);
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    seen.add(of(i, OpenedBy::reader, 3 + i), kBegin);
  }
  EXPECT_EQ(seen.size(), 10U);
  settle_all(seen, OpenRecorded::recorded, kBegin);
  EXPECT_EQ(seen.add(of(50), kBegin), Taken::waits) << "there is room again";
}

}  // namespace
}  // namespace todoku::events::opens
