// SPDX-License-Identifier: Apache-2.0
// Plays scenarios and tells the result in words: for the tests and for bench/run sim.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/checks.h"
#include "sim/scenario.h"

namespace todoku::sim {

struct Played {
  std::uint64_t seed = 0;
  std::string_view again;           // the variable by which its seed is played again
  std::vector<std::string> broken;  // promises; empty if all were kept
  Figures figures;
  std::uint64_t digest = 0;  // of everything that happened
  std::size_t lines = 0;
  Microseconds lasted{};  // simulated time
  std::string story;      // its last lines
};

[[nodiscard]] Played play(Scenario scenario, std::size_t story_lines = 80);
[[nodiscard]] Played play_seed(std::uint64_t seed, std::size_t story_lines = 80);
// The same with a fault in it.
[[nodiscard]] Played play_seed_with(const Faults& faults, std::uint64_t seed,
                                    std::size_t story_lines = 80);
// A seed of clusters, without some of what protects them.
[[nodiscard]] Played play_cluster(std::uint64_t seed, const Safeguards& safeguards = {},
                                  std::size_t story_lines = 80);

[[nodiscard]] std::string describe(const Played& played);
[[nodiscard]] std::string describe(const Figures& figures);

}  // namespace todoku::sim
