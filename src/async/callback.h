// SPDX-License-Identifier: Apache-2.0
// The bridge from callbacks of other threads (store, resolver) to coroutines.
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/task.h"

namespace todoku::async {

template <class T>
using Callback = std::move_only_function<void(T)>;

namespace internal {

// Where the value arrives: in the frame of the coroutine that waits for it.
template <class T>
struct Landing {
  std::optional<T> value;
  std::exception_ptr thrown;
};

// A coroutine that waits for a callback. It is resumed once, by whoever takes it first.
template <class T, class Handler>
class Waiting {
 public:
  Waiting(Handler handler, Landing<T>& landing)
      : handler_(std::move(handler)),
        work_(boost::asio::make_work_guard(boost::asio::get_associated_executor(handler_))),
        landing_(landing) {}

  // True for the first one, who sets the landing and then resumes; for others it is gone.
  [[nodiscard]] bool take() { return !taken_.exchange(true); }
  [[nodiscard]] Landing<T>& landing() { return landing_; }

  static void resume(const std::shared_ptr<Waiting>& self) {
    // Until post() has returned: the coroutine may be done before, and its io_context must not die
    // under the hands of this thread.
    const auto alive = std::move(self->work_);
    // Whoever waits must be told, and a few octets are free again soon.
    constexpr std::chrono::milliseconds kUntilThereIsMemory(1);
    while (true) {
      try {
        boost::asio::post(alive.get_executor(), [self] {
          auto handler = std::move(self->handler_);
          std::move(handler)();
        });
        return;
      } catch (const std::bad_alloc&) {
        std::this_thread::sleep_for(kUntilThereIsMemory);
      }
    }
  }

 private:
  Handler handler_;
  boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> work_;
  Landing<T>& landing_;
  std::atomic<bool> taken_{false};
};

// Suspended already: what is thrown here may not leave, it would end the thread's io_context.
template <class T, class Handler, class Initiate>
void initiate_callback(Handler handler, Initiate initiate, Landing<T>& landing) {
  std::shared_ptr<Waiting<T, Handler>> waiting;
  try {
    waiting = std::make_shared<Waiting<T, Handler>>(std::move(handler), landing);
    initiate(Callback<T>([waiting](T value) {
      if (!waiting->take()) return;
      waiting->landing().value.emplace(std::move(value));
      Waiting<T, Handler>::resume(waiting);
    }));
  } catch (...) {
    if (waiting == nullptr) {  // refused before the handler was moved
      landing.thrown = std::current_exception();
      std::move(handler)();
    } else if (waiting->take()) {
      waiting->landing().thrown = std::current_exception();
      Waiting<T, Handler>::resume(waiting);
    }
  }
}

}  // namespace internal

// Suspends until the Callback<T> given to `initiate` is called, from any thread, once; resumes on
// the awaiting coroutine's executor with the value, or throws there what `initiate` threw before.
// The io_context is kept running until then. Cancellation does not end the wait: who got the
// callback must call it.
template <class T, class Initiate>
Task<T> from_callback(Initiate initiate) {
  constexpr boost::asio::use_awaitable_t<Executor> token;
  internal::Landing<T> landing;
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>, void()>(
      [](auto handler, Initiate start, internal::Landing<T>* at) {
        internal::initiate_callback<T>(std::move(handler), std::move(start), *at);
      },
      token, std::move(initiate), &landing);
  if (landing.thrown) std::rethrow_exception(landing.thrown);
  co_return std::move(*landing.value);
}

}  // namespace todoku::async
