// SPDX-License-Identifier: Apache-2.0
// The connection of one thread: made when it is needed, made anew when it is lost or has lived long
// enough.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "store/postgres/dialer.h"

namespace todoku::store::postgres {

// Tells threads that wait that the store is closing. Thread-safe.
class Closing {
 public:
  void close();
  // False at once, and from then on, when the store is closing.
  [[nodiscard]] bool wait(Milliseconds time);

 private:
  std::mutex mutex_;
  std::condition_variable closed_;
  bool closing_ = false;
};

// One thread's.
class OwnConnection {
 public:
  // `dialer` must outlive it. `life`: more or less, so that not all end at once.
  OwnConnection(Dialer& dialer, Milliseconds life, std::uint64_t seed)
      : dialer_(dialer), life_(life), random_(seed) {}

  // unavailable at once, while a failure is too young to try again.
  [[nodiscard]] Result<Link*> get();
  [[nodiscard]] bool connected() const { return link_ != nullptr && link_->usable(); }
  // Before the same is tried again for the nth time.
  [[nodiscard]] Milliseconds pause(int tries) { return wait_before_dialing(tries, random_.unit()); }
  // Of a transaction: what is open is rolled back, whoever left it.
  void drop() { link_.reset(); }

 private:
  Dialer& dialer_;
  const Milliseconds life_;
  SeededRandom random_;
  std::unique_ptr<Link> link_;
  SteadyInstant ends_{};
  int failures_ = 0;
  SteadyInstant next_try_{};
  Error last_{ErrorKind::unavailable, "there is no connection to the database"};
};

}  // namespace todoku::store::postgres
