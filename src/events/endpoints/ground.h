// SPDX-License-Identifier: Apache-2.0
// What those who tell endpoints stand on, and what they share: counts, and the places that
// endpoints may hold of which nobody knows whether they answer.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>

#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/secret_box.h"
#include "events/endpoints/reading.h"
#include "http/guarded/guarded_client.h"
#include "store/store.h"

namespace todoku::events::endpoints {

// Of http::GuardedClient, or in its place.
using Send = std::function<Task<http::GuardedAnswer>(http::GuardedRequest)>;

// Everything referred to outlives who stands on it.
struct Ground {
  store::Store& store;
  const SecretBox& box;
  const Clock& clock;
  Random& random;
  Metrics& metrics;
  Send send;
  std::function<store::NodeKey()> node;  // this process
  std::function<bool()> holds;           // its lease; without it nothing is told
  Explain explain;
};

struct Options {
  // Of calls to endpoints whose last call was not accepted, all of them together: what those who
  // hang hold of the client's places (http::GuardedOptions::requests_max) leaves room for others.
  std::size_t suspects_max = 128;
  // Octets of events in memory, of all endpoints together, and at least for each.
  std::size_t window_octets_all = std::size_t{32} << 20U;
  std::size_t window_octets_min = std::size_t{64} << 10U;
  Milliseconds look_every{10'000};  // for endpoints that nobody tells
  Milliseconds poll_every{500};     // for new events
  // Of a stop: how long calls that are under way may take to be answered.
  Milliseconds stop_patience{5'000};
};

// Shared by all that are told by a process; of one thread.
class Places {
 public:
  explicit Places(std::size_t suspects_max) : suspects_max_(suspects_max) {}

  // A place that is taken; it is given back when this goes.
  class Place {
   public:
    explicit Place(std::size_t& taken) : taken_(&taken) { ++taken; }
    Place(Place&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (taken_ != nullptr) --*taken_;
    }

   private:
    std::size_t* taken_;
  };
  // nullopt: too many of them are asked already.
  [[nodiscard]] std::optional<Place> take_suspect() {
    if (suspects_ >= suspects_max_) return std::nullopt;
    return Place(suspects_);
  }

 private:
  const std::size_t suspects_max_;
  std::size_t suspects_ = 0;
};

struct Figures {
  explicit Figures(Metrics& metrics);
  Counter& accepted;
  Counter& refused;
  Counter& throttled;
  Counter& busy;
  Counter& gone;
  Counter& events;
  Counter& set_aside;
  Gauge& active;
  Gauge& failing;
};

}  // namespace todoku::events::endpoints
