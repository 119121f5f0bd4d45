// SPDX-License-Identifier: Apache-2.0
// A bulk of a million in a simulated Japan, by each strategy: bench/run japan [--quick] [--curves].
// Fails if adaptive pacing misses its aims in one of the fresh worlds. --curves adds how many were
// done every five minutes, for bench/japan.py. --training tells of the worlds for tuning instead.
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "sim/japan/aims.h"
#include "sim/japan/frozen.h"
#include "sim/japan/rules.h"
#include "sim/japan/run.h"

namespace {

using namespace todoku::sim::japan;
using todoku::delivery::policy::PaceOptions;
using todoku::delivery::policy::SiteRules;

struct Named {
  std::string name;
  std::unique_ptr<Strategy> strategy;
};

struct Rules {
  SiteRules shipped = shipped_rules(TODOKU_SOURCE_DIR "/rules/sites.toml");
  SiteRules wide = wide_rules(TODOKU_SOURCE_DIR "/rules/sites.toml");
};

// In the order of the table; `adaptive` and the oracle first.
std::vector<Named> strategies(const Rules& rules, bool all) {
  std::vector<Named> made;
  made.push_back({"oracle", oracle()});
  made.push_back({"adaptive", adaptive(rules.wide)});
  made.push_back({"oracle_in_rules", oracle(&rules.shipped)});
  made.push_back({"adaptive_in_rules", adaptive(rules.shipped)});
  if (!all) return made;
  PaceOptions fixed;
  fixed.adaptive = false;
  made.push_back({"fixed_by_rules", adaptive(rules.shipped, fixed)});
  made.push_back({"not_adapting", adaptive(rules.wide, fixed)});
  made.push_back({"postfix", postfix()});
  made.push_back({"postfix_tuned", postfix({.concurrency_limit = 5, .failed_cohort_limit = 10})});
  return made;
}

double in_seconds(todoku::Microseconds time) {
  return std::chrono::duration<double>(time).count();
}

void print_parts(std::string_view name, const Ran& ran) {
  for (const auto& [part, figures] : ran.parts) {
    fmt::print("part\t{}\t{}\t{}\t{:.0f}\t{:.4f}\n", name, part, figures.recipients,
               in_seconds(figures.to_99), 100 * figures.limit_share());
  }
}

void print_curve(std::string_view name, const Ran& ran) {
  constexpr std::size_t kEvery = 5;
  fmt::print("curve\t{}", name);
  for (std::size_t minute = kEvery - 1; minute < ran.done_by_minute.size(); minute += kEvery) {
    fmt::print("\t{}", ran.done_by_minute[minute]);
  }
  fmt::print("\n");
}

// True if the aims are reached.
bool play(const std::string& world_name, std::uint64_t seed, const Rules& rules, bool all,
          bool curves) {
  const World world = draw_world(seed);
  fmt::print("{}_seed\t{}\tseed\n", world_name, seed);
  Ran free;
  Ran bound;
  bool good = true;
  for (const Named& each : strategies(rules, all)) {
    const Ran ran = run(world, *each.strategy);
    const std::string name = world_name + "_" + each.name;
    if (each.name == "oracle") free = ran;
    if (each.name == "oracle_in_rules") bound = ran;
    const bool in_rules = each.name == "adaptive_in_rules";
    const Ran& beside = in_rules ? bound : free;
    fmt::print("{}_to_99\t{:.0f}\ts\n", name, in_seconds(ran.whole.to_99));
    fmt::print("{}_vs_oracle\t{:.3f}\ttimes\n", name, time_beside(ran, beside));
    fmt::print("{}_limit_replies\t{:.3f}\t%\n", name, 100 * ran.whole.limit_share());
    fmt::print("{}_lost\t{}\tmails\n", name,
               world.recipients() - ran.whole.taken - ran.whole.unknown - ran.waiting);
    fmt::print("{}_waiting\t{}\tmails\n", name, ran.waiting);
    if (curves) {
      print_parts(name, ran);
      print_curve(name, ran);
    }
    if (each.name.starts_with("adaptive") && !reaches_aims(ran, beside)) {
      good = false;
      fmt::print(stderr, "{}: {}\n", name, aims_text(ran, beside));
    }
  }
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  const std::set<std::string_view> asked(argv + 1, argv + argc);
  const Rules rules;
  bool good = true;
  int number = 0;
  if (asked.contains("--training")) {
    for (const std::uint64_t seed : kTrainingSeeds) {
      good &= play(fmt::format("training{}", ++number), seed, rules, false, false);
    }
    return good ? 0 : 1;
  }
  if (parameters_text({}) != kFrozen) {
    fmt::print(stderr, "the pace's constants are not those of tests/sim/japan/frozen.h\n");
    return 1;
  }
  for (const std::uint64_t seed : fresh_seeds()) {
    good &= play(fmt::format("world{}", ++number), seed, rules, true, asked.contains("--curves"));
    if (asked.contains("--quick")) break;
  }
  return good ? 0 : 1;
}
