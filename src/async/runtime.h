// SPDX-License-Identifier: Apache-2.0
// The threads of the engine: one single-threaded io_context each. What belongs together lives on
// one of them; between them only posted messages.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/task.h"

namespace todoku::async {

class Runtime {
 public:
  // `threads` >= 1 io_contexts; nothing runs before start().
  explicit Runtime(std::size_t threads);
  // Stops what still runs (unfinished tasks are destroyed) and joins.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  void start();
  // Lets every io_context end when its last work ends, and joins the threads.
  void join();

  [[nodiscard]] std::size_t size() const { return contexts_.size(); }
  [[nodiscard]] Executor executor(std::size_t index) const {
    return contexts_[index % contexts_.size()]->get_executor();
  }
  [[nodiscard]] boost::asio::io_context& context(std::size_t index) {
    return *contexts_[index % contexts_.size()];
  }

 private:
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts_;
  std::vector<boost::asio::executor_work_guard<Executor>> guards_;
  std::vector<std::thread> threads_;
};

// Runs `task` on an io_context of its own on this thread until it is done: for command-line tools
// and tests.
void run_to_completion(Task<void> task);

// `task` in which a cancellation ends what it waits for instead of throwing at the next co_await.
template <class T>
Task<T> without_throwing(Task<T> task) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_return co_await std::move(task);
}

// Suspends the calling task, runs `task` on `executor` (usually another thread's), and returns its
// value on the calling task's executor. Exceptions travel along.
template <class T>
Task<T> run_on(Executor executor, Task<T> task) {
  co_return co_await boost::asio::co_spawn(executor, without_throwing(std::move(task)),
                                           boost::asio::use_awaitable_t<Executor>());
}

}  // namespace todoku::async
