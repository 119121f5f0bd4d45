// SPDX-License-Identifier: Apache-2.0
#include "sim/play.h"

#include <utility>

#include <fmt/format.h>

#include "sim/world.h"

namespace todoku::sim {

Played play_seed(std::uint64_t seed, std::size_t story_lines) {
  return play(generate(seed), story_lines);
}

Played play_seed_with(const Faults& faults, std::uint64_t seed, std::size_t story_lines) {
  Scenario scenario = generate(seed);
  scenario.faults = faults;
  return play(std::move(scenario), story_lines);
}

Played play_cluster(std::uint64_t seed, const Safeguards& safeguards, std::size_t story_lines) {
  Scenario scenario = generate_cluster(seed);
  scenario.safeguards = safeguards;
  return play(std::move(scenario), story_lines);
}

Played play(Scenario scenario, std::size_t story_lines) {
  World world(std::move(scenario), story_lines);
  world.play();
  Findings findings = check_promises(world);
  return {.seed = world.scenario().seed,
          .again = world.scenario().nodes > 1 ? "TODOKU_CLUSTER_SEED" : "TODOKU_SEED",
          .broken = std::move(findings.broken),
          .figures = findings.figures,
          .digest = world.trace().digest(),
          .lines = world.trace().lines(),
          .lasted = world.clock().elapsed(),
          .story = world.trace().tail()};
}

std::string describe(const Played& played) {
  std::string text = played.story + "\n";
  for (const std::string& promise : played.broken) text += "BROKEN: " + promise + "\n";
  text += fmt::format("seed {}; again with {}={}\n", played.seed, played.again, played.seed);
  return text;
}

std::string describe(const Figures& figures) {
  return fmt::format(
      "{} recipients: {} delivered, {} bounced, {} expired, {} unknown; {} mails taken, {} repeats "
      "in doubt; {} crashes, after which {} mails of at most {} went twice; {} lapses, with {} "
      "repeats",
      figures.recipients, figures.delivered, figures.bounced, figures.expired, figures.unknown,
      figures.taken, figures.repeats_in_doubt, figures.crashes, figures.repeats_after_crash,
      figures.crash_allowance, figures.lapses, figures.repeats_after_lapse);
}

}  // namespace todoku::sim
