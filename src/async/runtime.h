// SPDX-License-Identifier: Apache-2.0
// The threads of the engine: one single-threaded io_context each. What belongs together lives on
// one of them; between them only posted messages.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
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

namespace internal {

// Takes a cancellation over to where the task runs. Asio's own way there, which is to give co_spawn
// the awaiting handler, leaves the signal with the handler: when the task ends while a cancellation
// is on its way, it arrives at a signal that is gone.
template <class Handler>
std::shared_ptr<boost::asio::cancellation_signal> cancel_there(const Handler& handler,
                                                               const Executor& there) {
  auto signal = std::make_shared<boost::asio::cancellation_signal>();
  const auto slot = boost::asio::get_associated_cancellation_slot(handler);
  if (slot.is_connected()) {
    auto forward = [signal, there](boost::asio::cancellation_type type) {
      boost::asio::post(there, [signal, type] { signal->emit(type); });
    };
    boost::asio::cancellation_slot(slot).assign(std::move(forward));
  }
  return signal;
}

// Starts `task` there; `handler` is called where it belongs.
template <class Handler, class T>
void start_there(Handler handler, const Executor& there, Task<T> task) {
  const auto here = boost::asio::get_associated_executor(handler);
  auto signal = cancel_there(handler, there);
  const auto slot = signal->slot();
  auto done = [handler = std::move(handler), here, work = boost::asio::make_work_guard(here),
               signal = std::move(signal)](const std::exception_ptr& thrown,
                                           auto... value) mutable {
    // Until post() has returned: see from_callback().
    const auto alive = std::move(work);
    boost::asio::post(
        here, [handler = std::move(handler), thrown, ... value = std::move(value)]() mutable {
          auto came_from = boost::asio::get_associated_cancellation_slot(handler);
          if (came_from.is_connected()) came_from.clear();
          std::move(handler)(thrown, std::move(value)...);
        });
  };
  boost::asio::co_spawn(there, without_throwing(std::move(task)),
                        boost::asio::bind_cancellation_slot(slot, std::move(done)));
}

template <class T>
struct RunOnSignature {
  using Type = void(std::exception_ptr, T);
};
template <>
struct RunOnSignature<void> {
  using Type = void(std::exception_ptr);
};

}  // namespace internal

// Suspends the calling task, runs `task` on `executor` (usually another thread's), and returns its
// value on the calling task's executor. Exceptions and cancellation travel along.
template <class T>
Task<T> run_on(Executor executor, Task<T> task) {
  constexpr boost::asio::use_awaitable_t<Executor> token;
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>,
                                                 typename internal::RunOnSignature<T>::Type>(
      [](auto handler, const Executor& there, Task<T> started) {
        internal::start_there(std::move(handler), there, std::move(started));
      },
      token, executor, std::move(task));
}

}  // namespace todoku::async
