// SPDX-License-Identifier: Apache-2.0
// A country of receivers as plain data: who has how many recipients, and what each receiver allows
// one source at which time of the day. Nobody but the receiver (receiver.h) and the oracle reads
// these limits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace todoku::sim::japan {

// What a receiver allows from an instant on. Rates are messages a second.
struct Limits {
  SteadyInstant from{};
  std::uint32_t connections = 1;              // open at once, of one source
  std::uint32_t messages_per_connection = 1;  // the one after them is refused with 421
  double messages_per_second = 1;             // of one source, by a token bucket
  double burst = 1;                           // its tokens at most
  double capacity = 1;                        // of all our sources: answers become slow near it
};

// What becomes of a source that does not listen.
struct Penalties {
  double refusals = 30;       // within about a minute: suspended, every answer is 421
  Microseconds suspension{};  // for so long
  double knocks = 30;         // attempts during a suspension: blocked, every answer is 554
  Microseconds block{};       // for so long, then twice and four times as long
};

struct Receiver {
  std::string site;  // its name in rules/sites.toml; small hosts have none of these
  std::uint32_t recipients = 0;
  Microseconds round_trip{};
  Microseconds service{};  // for one message, while little is to do
  double unknown = 0;      // share of recipients that do not exist
  Penalties penalties;
  std::vector<Limits> day;  // by time, the first from 0; the last stays in force
};

struct World {
  std::uint64_t seed = 0;
  unsigned sources = 1;    // of ours, each with the same standing
  SteadyInstant begins{};  // of the bulk; 0 is midnight
  std::vector<Receiver> receivers;

  [[nodiscard]] std::uint64_t recipients() const;
};

struct WorldSize {
  std::uint32_t recipients = 1'000'000;
  std::uint32_t small_hosts = 4'000;
  unsigned sources = 4;
};

// The same seed and size are the same world.
[[nodiscard]] World draw_world(std::uint64_t seed, const WorldSize& size = {});

}  // namespace todoku::sim::japan
