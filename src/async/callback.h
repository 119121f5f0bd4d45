// SPDX-License-Identifier: Apache-2.0
// The bridge from callbacks of other threads (store, resolver) to coroutines.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "async/task.h"

namespace todoku::async {

template <class T>
using Callback = std::move_only_function<void(T)>;

namespace internal {

// A coroutine that waits for a callback. It is resumed once, by whoever takes it first. What it is
// made of is compiled once, in callback.cc: there are as many kinds of callbacks as calls.
class Waiting {
 public:
  virtual ~Waiting() = default;

  // True for the first one, who sets the landing and then resumes; for others it is gone.
  [[nodiscard]] bool take() { return !taken_.exchange(true); }
  [[nodiscard]] void* landing() const { return landing_; }

  // From any thread, by who took it.
  virtual void resume(std::shared_ptr<Waiting> self) = 0;

 protected:
  explicit Waiting(void* landing) : landing_(landing) {}

 private:
  void* const landing_;
  std::atomic<bool> taken_{false};
};

// Calls `start(initiate, waiting)` once the coroutine is suspended; `waiting->landing()` is
// `landing`. What `start` throws is set as `thrown` if nobody took it before. Both pointers belong
// to a frame that waits.
using Start = void (*)(void* initiate, std::shared_ptr<Waiting> waiting);
[[nodiscard]] Task<void> suspend(Start start, void* initiate, void* landing,
                                 std::exception_ptr* thrown);

}  // namespace internal

// Suspends until the Callback<T> given to `initiate` is called, from any thread, once; resumes on
// the awaiting coroutine's executor with the value, or throws there what `initiate` threw before.
// The io_context is kept running until then. Cancellation does not end the wait: who got the
// callback must call it.
template <class T, class Initiate>
Task<T> from_callback(Initiate initiate) {
  std::optional<T> landing;  // where the value arrives
  std::exception_ptr thrown;
  co_await internal::suspend(
      [](void* given, std::shared_ptr<internal::Waiting> waiting) {
        // Out of the frame: who is called back at once may have ended it before this returns.
        auto start = std::move(*static_cast<Initiate*>(given));
        start(Callback<T>([waiting = std::move(waiting)](T value) {
          if (!waiting->take()) return;
          static_cast<std::optional<T>*>(waiting->landing())->emplace(std::move(value));
          waiting->resume(waiting);
        }));
      },
      &initiate, &landing, &thrown);
  if (thrown) std::rethrow_exception(thrown);
  co_return std::move(*landing);
}

}  // namespace todoku::async
