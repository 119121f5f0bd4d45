// SPDX-License-Identifier: Apache-2.0
#include "async/task_group.h"

#include <atomic>
#include <exception>
#include <string>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/check.h"
#include "base/log.h"

namespace todoku::async {
namespace {

std::atomic<std::size_t> exceptions{0};

// Counts first: what follows needs memory.
void count_and_log(std::string_view task, const std::exception_ptr& thrown) {
  exceptions.fetch_add(1);
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    log::error("unhandled exception", {{"task", task}, {"what", e.what()}});
  } catch (...) {
    log::error("unhandled exception", {{"task", task}});
  }
}

// Asio's default makes every co_await after a cancellation throw; ours end with an error instead,
// so that a cancelled task can still say goodbye and tidy up.
Task<void> run(Task<void> task) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_await std::move(task);
}

}  // namespace

void report_exception(std::string_view task, const std::exception_ptr& thrown) noexcept {
  try {
    count_and_log(task, thrown);
  } catch (...) {
    return;  // it is counted; there is no memory for words
  }
}

std::size_t unhandled_exceptions() {
  return exceptions.load();
}

TaskGroup::~TaskGroup() {
  check(running_.empty(), "a task group is stopped before it dies");
}

void TaskGroup::spawn(std::string_view name, Task<void> task) {
  running_.emplace_back();
  const auto entry = std::prev(running_.end());
  try {
    auto done = [this, entry, name = std::string(name)](const std::exception_ptr& thrown) {
      if (thrown) report_exception(name, thrown);
      running_.erase(entry);
      if (running_.empty()) finished_.notify();
    };
    boost::asio::co_spawn(executor_, run(std::move(task)),
                          boost::asio::bind_cancellation_slot(entry->slot(), std::move(done)));
  } catch (...) {
    // Not started: nobody would ever be told that it has ended.
    running_.erase(entry);
    throw;
  }
  if (stopping_) entry->emit(boost::asio::cancellation_type::terminal);
}

void TaskGroup::cancel() {
  // Emitting may end a task and so erase its entry: advance before.
  for (auto entry = running_.begin(); entry != running_.end();) {
    const auto current = entry++;
    current->emit(boost::asio::cancellation_type::terminal);
  }
}

Task<void> TaskGroup::wait_empty() {
  while (!running_.empty()) co_await finished_.wait();
}

Task<bool> TaskGroup::wait_empty_until(SteadyInstant deadline) {
  while (!running_.empty()) {
    const bool notified = co_await finished_.wait_until(deadline);
    if (!notified) co_return running_.empty();
  }
  co_return true;
}

Task<void> TaskGroup::stop() {
  stopping_ = true;
  // A task that misses one cancellation (it waited for a callback) gets the next.
  while (!running_.empty()) {
    cancel();
    const auto soon = std::chrono::time_point_cast<Microseconds>(TimerClock::now()) +
                      std::chrono::milliseconds(20);
    co_await finished_.wait_until(soon);
  }
}

}  // namespace todoku::async
