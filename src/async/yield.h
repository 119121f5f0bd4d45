// SPDX-License-Identifier: Apache-2.0
// How a task that computes for long gives way.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/task.h"

namespace todoku::async {

// Goes on after whatever else is ready on this thread. To be called every few hundred microseconds.
inline Task<void> give_way() {
  const Executor executor = co_await boost::asio::this_coro::executor;
  co_await boost::asio::post(executor, boost::asio::use_awaitable_t<Executor>());
}

}  // namespace todoku::async
