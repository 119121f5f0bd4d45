// SPDX-License-Identifier: Apache-2.0
// From a thread outside the runtime into it and back.
#pragma once

#include <exception>
#include <future>
#include <type_traits>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "async/task.h"

namespace todoku::async {

// Runs `task` on `executor`'s thread, which must run, and waits for it on this one, which must be
// another. Exceptions travel along.
template <class T>
T run_blocking(Executor executor, Task<T> task) {
  std::promise<T> promise;
  std::future<T> future = promise.get_future();
  const auto settle = [&promise](const std::exception_ptr& thrown, auto... value) {
    if (thrown) {
      promise.set_exception(thrown);
    } else {
      promise.set_value(std::move(value)...);
    }
  };
  boost::asio::co_spawn(executor, std::move(task), settle);
  return future.get();
}

}  // namespace todoku::async
