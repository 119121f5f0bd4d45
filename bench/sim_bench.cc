// SPDX-License-Identifier: Apache-2.0
// Thousands of simulated worlds: bench/run sim [FIRST_SEED [COUNT]]. Prints every broken promise
// with its seed and fails if there is one; with what is printed before it, as TODOKU_SEED=n,
// todoku_sim_test tells that seed's story.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

#include "base/clock.h"
#include "sim/play.h"
#include "sim/rivals.h"

namespace {

// Of eight worlds two are clusters and one has rivals.
todoku::sim::Played play(std::uint64_t seed) {
  if (seed % 4 == 0) return todoku::sim::play_cluster(seed, {}, 1);
  if (seed % 8 == 1) return todoku::sim::play_rivals(seed, {}, 1);
  return todoku::sim::play_seed(seed, 1);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace todoku;
  std::uint64_t first = 1'000;
  std::uint64_t count = 5'000;
  if (argc > 1 && std::string_view(argv[1]) == "--quick") {
    count = 500;
  } else {
    if (argc > 1) first = std::strtoull(argv[1], nullptr, 10);
    if (argc > 2) count = std::strtoull(argv[2], nullptr, 10);
  }
  const SystemClock clock;
  const SteadyInstant began = clock.steady_now();
  sim::Figures figures;
  Microseconds simulated{};
  std::uint64_t broken = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const sim::Played played = play(seed);
    figures += played.figures;
    simulated += played.lasted;
    if (played.broken.empty()) continue;
    ++broken;
    for (const std::string& promise : played.broken) {
      fmt::print(stderr, "{}={}: {}\n", played.again, seed, promise);
    }
  }
  const double seconds = std::chrono::duration<double>(clock.steady_now() - began).count();
  fmt::print(stderr, "seeds {} to {}: {}\n", first, first + count - 1, sim::describe(figures));
  fmt::print("sim_seeds\t{}\tworlds\n", count);
  fmt::print("sim_broken\t{}\tworlds\n", broken);
  fmt::print("sim_rate\t{:.1f}\tworlds/s\n", static_cast<double>(count) / seconds);
  fmt::print("sim_simulated\t{:.1f}\thours\n",
             std::chrono::duration<double, std::ratio<3600>>(simulated).count());
  return broken == 0 ? 0 : 1;
}
