// SPDX-License-Identifier: Apache-2.0
#include "sim/japan/world.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>

#include "base/random.h"
#include "sim/dice.h"

namespace todoku::sim::japan {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr hours kDrawnFor{72};

struct Range {
  double least;
  double most;
};

// Receivers of one kind, before chance makes one of it.
struct Kind {
  const char* site;
  double share;  // of recipients, before chance
  Range rate;    // messages a second of one source
  Range connections;
  Range per_connection;
  Range round_trip_ms;
  Range service_ms;
};

// Large receivers. Rates lie on both sides of what rules/sites.toml allows: nobody knows them.
// Messages per connection are never below the rules', most of which are published or in wide use.
constexpr std::array kLarge = {
    Kind{"docomo", 0.18, {4, 24}, {3, 10}, {50, 200}, {8, 20}, {150, 350}},
    Kind{"au", 0.13, {3, 16}, {2, 8}, {50, 120}, {8, 20}, {200, 450}},
    Kind{"softbank", 0.11, {3, 16}, {2, 8}, {50, 120}, {8, 20}, {150, 400}},
    Kind{"google", 0.30, {10, 60}, {5, 20}, {50, 200}, {20, 50}, {200, 500}},
    Kind{"yahoo_japan", 0.10, {4, 20}, {2, 8}, {20, 60}, {8, 20}, {80, 250}},
    Kind{"outlook", 0.05, {3, 15}, {4, 12}, {50, 100}, {30, 90}, {250, 600}},
    Kind{"apple", 0.04, {3, 15}, {4, 12}, {5, 30}, {30, 110}, {150, 400}},
};
// Companies, schools, hosting: servers that were set up once and hardly changed since.
constexpr Kind kSmall = {"", 0.09, {1, 20}, {2, 20}, {100, 400}, {5, 60}, {60, 900}};

class Draw : Dice {
 public:
  Draw(std::uint64_t seed, const WorldSize& size) : Dice(seed, 31), size_(size) {
    world_.seed = seed;
    world_.sources = size.sources;
  }

  World made() {
    world_.begins = SteadyInstant(between(hours(9), hours(15)));
    std::vector<double> shares;
    for (const Kind& kind : kLarge) shares.push_back(kind.share * in({0.7, 1.3}));
    shares.push_back(kSmall.share * in({0.7, 1.3}));
    const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    std::uint32_t left = size_.recipients;
    for (std::size_t i = 0; i < kLarge.size(); ++i) {
      const auto count = static_cast<std::uint32_t>(size_.recipients * shares[i] / sum);
      left -= count;
      world_.receivers.push_back(receiver(kLarge[i], count));
    }
    add_small_hosts(left);
    return std::move(world_);
  }

 private:
  double in(Range range) { return range.least + share(range.most - range.least); }
  // Evenly by order of magnitude.
  double scaled(Range range) { return range.least * std::pow(range.most / range.least, share(1)); }
  std::uint32_t whole(Range range) {
    return static_cast<std::uint32_t>(std::lround(scaled(range)));
  }
  Microseconds ms(Range range) {
    return Microseconds(static_cast<std::int64_t>(1000 * scaled(range)));
  }

  Receiver receiver(const Kind& kind, std::uint32_t recipients) {
    Receiver made;
    made.site = kind.site;
    made.recipients = recipients;
    made.round_trip = ms(kind.round_trip_ms);
    made.service = ms(kind.service_ms);
    made.unknown = in({0.002, 0.02});
    made.penalties = {.refusals = in({40, 200}),
                      .suspension = between(minutes(1), minutes(6)),
                      .knocks = in({40, 200}),
                      .block = between(minutes(10), minutes(30))};
    Limits usual;
    usual.connections = whole(kind.connections);
    usual.messages_per_connection = whole(kind.per_connection);
    usual.messages_per_second = scaled(kind.rate);
    usual.burst = std::max(5.0, usual.messages_per_second * in({1, 8}));
    usual.capacity = size_.sources * usual.messages_per_second * in({0.9, 2.5});
    made.day = day_of(usual);
    return made;
  }

  // A new stretch every 10 to 60 minutes: the hour of the day, and the receiver's mood, which at
  // times allows less than half of before, at once.
  std::vector<Limits> day_of(const Limits& usual) {
    std::vector<Limits> day;
    const double lunch = in({0.6, 1.0});
    const double evening = in({0.5, 0.9});
    for (SteadyInstant at{}; at < SteadyInstant(kDrawnFor);
         at += between(minutes(10), minutes(60))) {
      const auto hour = std::chrono::floor<hours>(at.time_since_epoch()).count() % 24;
      double factor = hour == 12 ? lunch : hour >= 19 && hour < 23 ? evening : 1.0;
      factor *= one_in(6) ? in({0.35, 0.6}) : in({0.75, 1.25});
      Limits now = usual;
      now.from = at;
      now.messages_per_second *= factor;
      now.burst = std::max(5.0, now.burst * factor);
      now.capacity *= factor * in({0.8, 1.2});
      now.connections = std::max(
          1U, static_cast<std::uint32_t>(std::lround(usual.connections * std::min(1.0, factor))));
      day.push_back(now);
    }
    return day;
  }

  // A few hosts have thousands of recipients, most have some (Zipf).
  void add_small_hosts(std::uint32_t recipients) {
    double sum = 0;
    for (std::uint32_t rank = 1; rank <= size_.small_hosts; ++rank) sum += 1.0 / (rank + 10.0);
    std::uint32_t left = recipients;
    for (std::uint32_t rank = 1; rank <= size_.small_hosts && left > 0; ++rank) {
      const double exact = recipients / (rank + 10.0) / sum;
      const auto count = rank == size_.small_hosts
                             ? left
                             : std::min(left, std::max(1U, static_cast<std::uint32_t>(exact)));
      left -= count;
      world_.receivers.push_back(receiver(kSmall, count));
    }
  }

  const WorldSize size_;
  World world_;
};

}  // namespace

std::uint64_t World::recipients() const {
  std::uint64_t sum = 0;
  for (const Receiver& receiver : receivers) sum += receiver.recipients;
  return sum;
}

World draw_world(std::uint64_t seed, const WorldSize& size) {
  return Draw(seed, size).made();
}

}  // namespace todoku::sim::japan
