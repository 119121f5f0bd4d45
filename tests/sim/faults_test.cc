// SPDX-License-Identifier: Apache-2.0
// Faults planted one at a time: the simulation finds each in one of the first worlds, by the
// promise that it breaks. Those of leases are in cluster_test.cc and rivals_test.cc (Safeguards).
#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/scenario.h"
#include "sim/seeds.h"

namespace todoku::sim {
namespace {

// Worlds within which a fault must show.
constexpr std::uint64_t kWorldsEnough = 60;

struct Planted {
  std::string_view name;
  Faults faults;
  // One of these is in what the first world in which a promise is broken says.
  std::vector<std::string_view> said;
  // Where the search begins: at a world that is known to show it, so that those before it are not
  // played for nothing. New odds make it any seed.
  std::uint64_t first = kFirstSeed;
};

void PrintTo(const Planted& planted, std::ostream* out) {
  *out << planted.name;
}

class PlantedFault : public testing::TestWithParam<Planted> {};

TEST_P(PlantedFault, IsFound) {
  const Planted& planted = GetParam();
  const Seeds worlds(kWorldsEnough, [&](std::uint64_t seed, std::size_t story_lines) {
    return play_seed_with(planted.faults, planted.first - kFirstSeed + seed, story_lines);
  });
  Figures before;
  const auto found = worlds.first_broken(before);
  ASSERT_TRUE(found) << kWorldsEnough << " worlds do not find " << planted.name;
  fmt::print("{}: seed {}: {}\n", planted.name, found->seed, found->broken.front());
  const bool is_it = std::ranges::any_of(found->broken, [&](const std::string& broken) {
    return std::ranges::any_of(planted.said,
                               [&](std::string_view said) { return broken.contains(said); });
  });
  EXPECT_TRUE(is_it) << describe(*found);
}

INSTANTIATE_TEST_SUITE_P(
    Sim, PlantedFault,
    testing::Values(
        Planted{"accepts_told_early", {.accepts_told_early = true}, {"was accepted and is lost"}},
        Planted{"outcomes_told_early", {.outcomes_told_early = true}, {"twice", "not settled"}},
        Planted{"accepts_denied", {.accepts_denied = true}, {"was refused and is stored"}},
        Planted{"bounces_as_delivered",
                {.bounces_as_delivered = true},
                {"is delivered, but no receiver said so"}},
        Planted{"deliveries_deferred", {.deliveries_deferred = true}, {"twice"}},
        Planted{"recipients_mixed_up",
                {.recipients_mixed_up = true},
                {"not its own or not whole", "no receiver said so", "nobody refused", "twice"}},
        Planted{"connection_too_many", {.connection_too_many = true}, {"connections at once"}},
        Planted{"pace_too_high", {.pace_too_high = true}, {"mails a second"}, 10},
        Planted{"expiry_ignored", {.expiry_ignored = true}, {"although its life time is over"}},
        Planted{"unrecorded_unbounded",
                {.unrecorded_unbounded = true},
                {"unrecorded outcomes", "unrecorded or in hand"},
                28}),
    [](const auto& planted) { return std::string(planted.param.name); });

}  // namespace
}  // namespace todoku::sim
