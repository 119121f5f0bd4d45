// SPDX-License-Identifier: Apache-2.0
// The bridge from callbacks of other threads (store, resolver) to coroutines.
#pragma once

#include <functional>
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

// Suspends until the Callback<T> given to `initiate` is called, from any thread, exactly once;
// resumes on the awaiting coroutine's executor with the value. The io_context is kept running
// until then. Cancellation does not end the wait: who got the callback must call it.
template <class T, class Initiate>
Task<T> from_callback(Initiate initiate) {
  constexpr boost::asio::use_awaitable_t<Executor> token;
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>,
                                                 void(T)>(
      [](auto handler, Initiate start) {
        auto executor = boost::asio::get_associated_executor(handler);
        auto work = boost::asio::make_work_guard(executor);
        start(Callback<T>(
            [handler = std::move(handler), executor, work = std::move(work)](T value) mutable {
              // Until post() has returned: the coroutine may be done before, and its io_context
              // must not die under the hands of this thread.
              const auto alive = std::move(work);
              boost::asio::post(executor,
                                [handler = std::move(handler), value = std::move(value)]() mutable {
                                  std::move(handler)(std::move(value));
                                });
            }));
      },
      token, std::move(initiate));
}

}  // namespace todoku::async
