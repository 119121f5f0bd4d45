// SPDX-License-Identifier: Apache-2.0
// The threads that wait for the disk, so that those that carry mail do not: writing, syncing,
// zipping, removing files. Few threads, a bounded queue; full means `unavailable`.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "async/callback.h"
#include "async/task.h"
#include "base/bounded_queue.h"
#include "base/result.h"

namespace todoku::async {

// All members are thread-safe but stop().
class FilePool {
 public:
  struct Options {
    std::size_t threads = 2;  // >= 1
    std::size_t waiting_max = 1'024;
  };

  explicit FilePool(Options options);
  // Stops.
  ~FilePool();
  FilePool(const FilePool&) = delete;
  FilePool& operator=(const FilePool&) = delete;

  // Does `work`, which returns a Result, on a thread of the pool and resumes on the caller's
  // executor. What it throws is thrown here. A cancellation does not end the wait, so `work` may
  // refer to what its caller keeps alive. Errors: unavailable (too much waits, or the pool was
  // stopped; the work was not begun), and those of `work`.
  template <class Work>
  [[nodiscard]] Task<std::invoke_result_t<Work&>> run(Work work) {
    using Value = std::invoke_result_t<Work&>;
    struct Done {
      std::optional<Value> value;
      std::exception_ptr thrown;
    };
    // `work` stays in this frame, which waits.
    const auto initiate = [this, &work](Callback<Done> callback) {
      enqueue([&work, callback = std::move(callback)](bool may_run) mutable {
        Done done;
        try {
          done.value.emplace(may_run ? work() : Value(refusal()));
        } catch (...) {
          done.thrown = std::current_exception();
        }
        callback(std::move(done));
      });
    };
    Done done = co_await from_callback<Done>(initiate);
    if (done.thrown) std::rethrow_exception(done.thrown);
    co_return std::move(*done.value);
  }

  // Does `work`, which throws nothing, soon, for nobody who waits; here and now if too much waits.
  void post(std::move_only_function<void()> work);

  // Does what waits and ends the threads. Blocks.
  void stop();

 private:
  // Called once, on a thread of the pool with true or at once with false.
  using Job = std::move_only_function<void(bool may_run)>;

  [[nodiscard]] static std::unexpected<Error> refusal();
  void enqueue(Job job);
  void work();

  BoundedQueue<Job> queue_;
  std::vector<std::thread> threads_;
};

}  // namespace todoku::async
