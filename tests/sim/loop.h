// SPDX-License-Identifier: Apache-2.0
// Drives every io_context of the simulation on one thread: does what can be done now, in an order
// that the seed chooses, then moves the clock to the next timer. Time passes only here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/random.h"
#include "sim/clock.h"

namespace todoku::sim {

class Loop {
 public:
  Loop(SimClock& clock, std::uint64_t seed) : clock_(clock), random_(seed) {}

  void add(boost::asio::io_context& context) { contexts_.push_back(&context); }
  void remove(boost::asio::io_context& context) { std::erase(contexts_, &context); }

  enum class End : std::uint8_t {
    done,
    stuck,     // nothing can happen any more
    overtime,  // `limit` has passed
    livelock,  // things go on happening without any time passing
  };
  // Everything that waits must begin to do so in here: the thread's time is simulated only
  // meanwhile.
  [[nodiscard]] End run(const std::function<bool()>& done, SteadyInstant limit);

 private:
  // False if that never comes to an end.
  [[nodiscard]] bool run_ready();

  SimClock& clock_;
  SeededRandom random_;
  std::vector<boost::asio::io_context*> contexts_;
};

}  // namespace todoku::sim
