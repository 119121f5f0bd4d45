// SPDX-License-Identifier: Apache-2.0
// The connections to receivers that may be open at once, of all lanes together: each is a file and
// some memory, and a bulk to a hundred thousand sites would like that many. Who finds no place
// stands in line. Some places are kept for transactional mail, and idle connections may only have
// a part of them, none while somebody waits.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "mail/states.h"

namespace todoku::delivery::egress {

// Thread-safe.
class ConnectionPlaces {
 public:
  // Called without a lock and by whoever gives a place back, on any thread: the place is the
  // callee's now. False: it has no use for it any more, and the next in line is asked. Who gives a
  // place back may be tidying up after an exception, so nothing may be thrown.
  using Granted = std::move_only_function<bool() noexcept>;

  // `places` >= 1.
  explicit ConnectionPlaces(std::size_t places);
  ConnectionPlaces(const ConnectionPlaces&) = delete;
  ConnectionPlaces& operator=(const ConnectionPlaces&) = delete;

  // True: a place is taken. False: `granted` stands in line.
  [[nodiscard]] bool take(TrafficClass traffic, Granted granted);
  void give_back() noexcept;

  // Whether a connection may stay open without work; if so until end_idle().
  [[nodiscard]] bool begin_idle();
  void end_idle() noexcept;

  // To be said now and then while anything moves: a place was taken or given back, a mail settled.
  void progressed(SteadyInstant now) noexcept {
    progressed_at_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  // For how long nothing has moved although somebody stands in line, once that is longer than a
  // receiver may take for any one answer (kStalledAfter): nothing can be sent any more.
  [[nodiscard]] std::optional<Microseconds> stalled(SteadyInstant now) const;
  // RFC 5321 section 4.5.3.2.6 grants ten minutes for the answer to a mail.
  static constexpr Microseconds kStalledAfter = std::chrono::minutes(15);

 private:
  // The first in line whom a place can be given to; the place is taken then.
  [[nodiscard]] Granted next() noexcept;

  const std::size_t places_;
  const std::size_t places_for_bulk_;
  const std::size_t idle_max_;
  mutable std::mutex mutex_;
  std::size_t taken_ = 0;
  std::size_t idle_ = 0;
  std::deque<Granted> urgent_line_;
  std::deque<Granted> bulk_line_;
  std::atomic<Microseconds::rep> progressed_at_{0};
};

}  // namespace todoku::delivery::egress
