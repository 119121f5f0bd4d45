// SPDX-License-Identifier: Apache-2.0
// The bell that tells couriers which batches wait for them.
//
// A bell carries the key of a batch, never a body or a recipient. The store is the truth: what a
// bell says is checked against it (a claim takes only what is due and free), so a bell may
// be lost, come twice, late or in any order without losing or repeating mail. A lost one is rung
// again by the scheduler, which offers whatever the store says is due.
//
//   send ──> ready ──receive──> held ──acknowledge──> gone
//              ^                 │  │
//              │<──visibility ends  └─release(delay)──> delayed ──┐
//              └──────────────────────────────────────────────────┘
//
// Guarantees, for every back end (tests/conformance/queue):
//   - at least once, in no order: a bell comes again until it is acknowledged;
//   - a received bell is hidden from other receivers until its visibility time-out; then it is
//   ready
//     again. Nobody keeps one for long: it is acknowledged when its batch has been claimed;
//   - no guarantee that it was not received by two at once: back ends may rarely do so;
//   - a bell that is rung again while it is ready may come once or twice. One that is rung again
//     while somebody holds it comes again.
//
// A queue is one channel: one egress source and one traffic class, because only the courier that
// has the source can send from it, and transactional bells must not stand behind bulk ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "mail/states.h"

namespace todoku::queue {

struct Bell {
  std::int64_t delivery = 0;  // the store's key of the delivery
  std::uint32_t batch = 0;    // its batch
  friend auto operator<=>(const Bell&, const Bell&) = default;
};

// What names one reception of one bell. Opaque, valid for the queue that gave it.
struct Receipt {
  std::string handle;
  friend bool operator==(const Receipt&, const Receipt&) = default;
};

struct ReceivedBell {
  Bell bell;
  Receipt receipt;
  std::uint32_t times = 1;  // how often it was received, this time included; may be approximate
};

// For metrics. Numbers of remote back ends are approximate.
struct Depth {
  std::size_t ready = 0;
  std::size_t held = 0;     // received and not yet acknowledged
  std::size_t delayed = 0;  // released with a delay that has not passed
  std::optional<Milliseconds> oldest_ready_age;
};

// The most that every back end can do (Amazon SQS sets these limits); larger arguments count as
// these.
inline constexpr Milliseconds kWaitMax = std::chrono::seconds(20);
inline constexpr Milliseconds kVisibilityMax = std::chrono::hours(12);
inline constexpr Milliseconds kDelayMax = std::chrono::hours(12);

// Thread-safe: any member from any thread's task; each resumes on its caller's executor.
//
// Errors of all members: unavailable (the back end cannot be reached, or is full), closed (the
// queue was closed), cancelled (the calling task was).
class Queue {
 public:
  virtual ~Queue() = default;

  // Rings. On an error some of the bells may have been taken: ring them again, repeats are
  // harmless. unavailable if a bounded queue has no room for all of them: ring later.
  virtual Task<Result<void>> send(std::vector<Bell> bells) = 0;

  // Between 1 and `max` bells as soon as there are any; none after `wait` (0: at once). May return
  // fewer than are ready.
  virtual Task<Result<std::vector<ReceivedBell>>> receive(std::size_t max, Milliseconds wait) = 0;

  // The bells never come again. Succeeds as well for what is gone already, and for a receipt whose
  // bell somebody else has received since, who keeps it.
  virtual Task<Result<void>> acknowledge(std::vector<Receipt> receipts) = 0;

  // Gives the bells back, ready for anybody after `delay`. Without effect on those that a receipt
  // no longer holds.
  virtual Task<Result<void>> release(std::vector<Receipt> receipts, Milliseconds delay) = 0;

  virtual Task<Result<Depth>> depth() = 0;
};

struct Channel {
  std::string source;  // name of the egress source
  TrafficClass traffic = TrafficClass::bulk;
  friend auto operator<=>(const Channel&, const Channel&) = default;
};

// A back end: the queues of all channels.
class Queues {
 public:
  virtual ~Queues() = default;
  // The queue of a channel, made at its first use; the same for the same channel. Thread-safe.
  // Errors: unavailable, not_found (the back end does not make queues by itself).
  virtual Task<Result<std::shared_ptr<Queue>>> open(Channel channel) = 0;
};

}  // namespace todoku::queue
