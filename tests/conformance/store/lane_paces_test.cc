// SPDX-License-Identifier: Apache-2.0
// How lanes fare, as it is kept (store/lane_paces.h).
#include <algorithm>
#include <vector>

#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

LanePace lane(std::string source, std::string site, Instant noted) {
  return {.source = std::move(source),
          .site = std::move(site),
          .noted = noted,
          .kept_until = noted + 1h,
          .pace = 20'000,
          .connections = 5,
          .limit = 30'000,
          .reason = 4,
          .latency_floor_us = 90'000,
          .latency_us = 120'000,
          .since = noted - 10s,
          .rests_until = noted + 30s,
          .ceiling = 100'000,
          .connections_open = 3,
          .connections_max = 10,
          .waiting = 77};
}

std::vector<LanePace> noted(Store& store, const LanePaceQuestion& question = {}) {
  return must(store.read_and_wait([&](ReadTransaction& t) { return t.lane_paces(question); }));
}

void note(Store& store, const std::vector<LanePace>& paces) {
  must(store.write_and_wait(WritePriority::retention,
                            [&](WriteTransaction& t) { return t.note_lane_paces(paces); }));
}

TEST_P(StoreSuite, PacesAreKeptByLaneAndToldBySourceAndSite) {
  EXPECT_THAT(noted(*store_), IsEmpty());
  const LanePace one = lane("s2", "a.example", now());
  LanePace two = lane("s1", "b.example", now());
  two.rests_until = std::nullopt;
  two.eases_at = now() + 5min;
  const LanePace three = lane("s1", "a.example", now());
  note(*store_, {one, two, three});
  EXPECT_THAT(noted(*store_), ElementsAre(three, two, one));
  EXPECT_THAT(noted(*store_, {.source = "s1"}), ElementsAre(three, two));
  EXPECT_THAT(noted(*store_, {.site = "a.example"}), ElementsAre(three, one));
  EXPECT_THAT(noted(*store_, {.source = "s2", .site = "a.example"}), ElementsAre(one));
  EXPECT_THAT(noted(*store_, {.source = "s3"}), IsEmpty());
}

TEST_P(StoreSuite, ThePaceNotedLaterHolds) {
  const LanePace first = lane("s", "a.example", now());
  LanePace second = first;
  second.noted += 5s;
  second.pace = 7;
  second.rests_until = std::nullopt;
  note(*store_, {first});
  note(*store_, {second});
  EXPECT_THAT(noted(*store_), ElementsAre(second));
  note(*store_, {first});  // by a process that was slow
  EXPECT_THAT(noted(*store_), ElementsAre(second));
}

TEST_P(StoreSuite, TheLatestPacesAreToldAndOldOnesGo) {
  std::vector<LanePace> paces;
  for (int i = 0; i < 5; ++i) {
    paces.push_back(lane("s", "site" + std::to_string(i), now() + std::chrono::seconds(i)));
  }
  note(*store_, paces);
  EXPECT_THAT(noted(*store_, {.limit = 2}), ElementsAre(paces[3], paces[4]));
  EXPECT_THAT(noted(*store_, {.noted_since = paces[4].noted}), ElementsAre(paces[4]));
  LanePace over = lane("s", "over.example", now() - 2h);
  note(*store_, {over});
  note(*store_, {});
  EXPECT_THAT(noted(*store_, {.site = "over.example"}), IsEmpty());
  EXPECT_THAT(noted(*store_), SizeIs(5));
}

}  // namespace
}  // namespace todoku::store
