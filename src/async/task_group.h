// SPDX-License-Identifier: Apache-2.0
// TaskGroup: background tasks of one owner on one thread, stopped and awaited together.
//
// Declare it as the last member of the owner, so that nothing its tasks use dies before it.
// Wrong: a group in a base class, or tasks that capture a member declared after the group.
#pragma once

#include <cstddef>
#include <exception>
#include <list>
#include <string_view>

#include <boost/asio/cancellation_signal.hpp>

#include "async/task.h"
#include "async/timer.h"

namespace todoku::async {

class TaskGroup {
 public:
  explicit TaskGroup(Executor executor) : executor_(executor), finished_(executor) {}
  // The group must be empty: stop() was awaited, or no task was ever spawned.
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts `task` on the group's executor. An exception that leaves the task is logged under
  // `name` and counted (unhandled_exceptions()); it ends this task only. Same thread as stop().
  void spawn(std::string_view name, Task<void> task);

  // Asks every task to end (terminal cancellation of what it waits for) and returns when none
  // runs. Tasks spawned while stopping are cancelled at once.
  Task<void> stop();

  // Returns when no task runs, without cancelling any.
  Task<void> wait_empty();
  // The same, at `deadline` at the latest; false if tasks still run then.
  Task<bool> wait_empty_until(SteadyInstant deadline);

  // Emits terminal cancellation to all present tasks without waiting.
  void cancel();

  [[nodiscard]] std::size_t size() const { return running_.size(); }
  [[nodiscard]] const Executor& executor() const { return executor_; }

 private:
  Executor executor_;
  std::list<boost::asio::cancellation_signal> running_;
  bool stopping_ = false;
  Signal finished_;
};

// Logs and counts an exception that was caught at the edge of something that goes on without it.
void report_exception(std::string_view task, const std::exception_ptr& thrown) noexcept;

// Exceptions that left any task of this process since its start, or were reported: a bug each.
// Tests assert zero.
[[nodiscard]] std::size_t unhandled_exceptions();

}  // namespace todoku::async
