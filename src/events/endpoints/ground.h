// SPDX-License-Identifier: Apache-2.0
// What those who tell endpoints stand on, and the counts that they share.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

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
  // Octets of events in memory, of all endpoints together, and at least for each.
  std::size_t window_octets_all = std::size_t{32} << 20U;
  std::size_t window_octets_min = std::size_t{64} << 10U;
  Milliseconds look_every{10'000};  // for endpoints that nobody tells
  Milliseconds poll_every{500};     // for new events
  // Everybody looks at his place again, though nothing happened to him: it stands still meanwhile,
  // and what it stands at is deleted one day.
  Milliseconds all_look_every{std::chrono::minutes(1)};
  // Whose endpoints, if it has any, are told nothing: in its mail are links by which people sign in
  // (console.mail_account). Empty: there is none.
  std::string closed_account = {};
  // Of a stop: how long calls that are under way may take to be answered.
  Milliseconds stop_patience{5'000};
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
  Counter& reads;
  Gauge& active;
  Gauge& failing;
};

}  // namespace todoku::events::endpoints
