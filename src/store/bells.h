// SPDX-License-Identifier: Apache-2.0
// Bells (queue/queue.h) as rows, for a queue that several processes share. A row is a hint that a
// batch waits: it may be lost, come twice or late without losing or repeating mail. So nothing here
// waits for a disk, and what becomes of a call that is not answered is not found out.
//
// A bell belongs to a channel: a source and a class of traffic. There is one row for each channel
// and batch, so ringing twice is ringing once:
//
//   ring ──> ready ──hear──> held ──acknowledge──> gone
//              ^               │ │
//              │<─visibility───┘ └─give back, ready after a delay──┐
//              └───────────────────────────────────────────────────┘
//
// Ringing for a bell that is held or delayed makes it ready at once, and whoever holds it holds it
// no more: what it was received for is over, and the batch waits again.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/states.h"
#include "store/keys.h"

namespace todoku::store {

struct BellChannel {
  std::string source;
  TrafficClass traffic = TrafficClass::bulk;
  friend auto operator<=>(const BellChannel&, const BellChannel&) = default;
};

struct Bell {
  BellChannel channel;
  BatchKey batch;
  friend auto operator<=>(const Bell&, const Bell&) = default;
};

// A bell as whoever received it knows it.
struct HeldBell {
  Bell bell;
  std::uint64_t reception = 0;  // BellWork::reception
};

struct GivenBack {
  HeldBell held;
  Milliseconds delay{};
};

struct HeardBell {
  Bell bell;
  std::uint32_t times = 1;  // since it was rung, this time included
};

struct BellsHeard {
  std::vector<HeardBell> bells;  // of each channel those first that are ready for longest
  std::int64_t forgotten = 0;    // old ones that were removed
};

struct BellsWanted {
  BellChannel channel;
  std::int64_t most = 0;
};

// Bells that nobody acknowledges are removed after so long: their batches were rung again since.
inline constexpr Milliseconds kBellLife = std::chrono::hours(1);

// Everything that a process has to do with bells at a time, in the order of the members: what it
// rings it may hear. A few statements, whatever the number; none for what is empty. Without effect
// for bells that have been received by somebody else, or rung again, since they were received; and
// perhaps for those that somebody else has in hand at this moment: they come again. An error: some
// of it may have been done; bells that were taken out so are ready again after `visibility`.
struct BellWork {
  using Answer = BellsHeard;
  std::vector<Bell> rung = {};
  std::vector<HeldBell> acknowledged = {};
  std::vector<GivenBack> given_back = {};
  std::vector<BellsWanted> wanted = {};  // a channel at most once
  Milliseconds visibility{};             // of what is heard
  std::uint64_t reception = 0;           // names what is heard now: a number never used before
  std::int64_t forget = 0;               // at most so many old bells, of whatever channel
};

struct BellDepth {
  std::int64_t ready = 0;
  std::int64_t held = 0;
  std::int64_t delayed = 0;
  std::optional<Milliseconds> oldest_ready_age;
};

// Of a channel so many bells are counted.
inline constexpr std::int64_t kBellsCounted = 10'000;

class BellReads {
 public:
  virtual ~BellReads() = default;
  [[nodiscard]] virtual Result<BellDepth> bell_depth(const BellChannel& channel) = 0;
};

}  // namespace todoku::store
