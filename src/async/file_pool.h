// SPDX-License-Identifier: Apache-2.0
// The threads that wait for the disk, so that those that carry mail do not: reading, writing,
// syncing, removing files. Few threads, a bounded queue in which accounts take turns, and for none
// of them all threads; full means `unavailable`. A piece of work is a slice of a file, not a file.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>

#include "async/callback.h"
#include "async/task.h"
#include "base/result.h"
#include "base/turn_queue.h"

namespace todoku::async {

// All members are thread-safe but stop().
class FilePool {
 public:
  // Who is to have a turn, e.g. an account's key as a number.
  using Owner = TurnQueue<int>::Owner;
  struct Options {
    std::size_t threads = 4;           // >= 1
    std::size_t threads_of_owner = 2;  // at work for one owner at once
    std::size_t waiting_max = 1'024;
    std::size_t waiting_of_owner_max = 256;
    std::string_view name = "file";  // of the threads, for whoever looks at them; at most 8 octets
    int niceness = 0;  // added to the process's own (setpriority(2)), of work that can wait
  };

  explicit FilePool(Options options);
  // Stops.
  ~FilePool();
  FilePool(const FilePool&) = delete;
  FilePool& operator=(const FilePool&) = delete;

  // Does `work`, which returns a Result, on a thread of the pool and resumes on the caller's
  // executor. What it throws is thrown here. A cancellation does not end the wait, so `work` may
  // refer to what its caller keeps alive; but work that was not begun is not done any more. Errors:
  // unavailable (too much waits, or the pool was stopped; the work was not begun), cancelled
  // (likewise), and those of `work`.
  template <class Work>
  [[nodiscard]] Task<std::invoke_result_t<Work&>> run(Owner owner, Work work) {
    using Value = std::invoke_result_t<Work&>;
    struct Done {
      std::optional<Value> value;
      std::exception_ptr thrown;
    };
    const auto dropped = std::make_shared<std::atomic<bool>>(false);
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    auto slot = state.slot();
    if (slot.is_connected()) {
      slot.assign([dropped](boost::asio::cancellation_type) { dropped->store(true); });
    }
    // `work` stays in this frame, which waits.
    const auto initiate = [this, owner, &work, &dropped](Callback<Done> callback) {
      enqueue(owner, [&work, dropped, callback = std::move(callback)](Turn turn) mutable {
        if (turn == Turn::begins && dropped->load()) turn = Turn::dropped;
        Done done;
        try {
          done.value.emplace(turn == Turn::begins ? work() : Value(refusal(turn)));
        } catch (...) {
          done.thrown = std::current_exception();
        }
        callback(std::move(done));
      });
    };
    Done done = co_await from_callback<Done>(initiate);
    if (slot.is_connected()) slot.clear();
    if (done.thrown) std::rethrow_exception(done.thrown);
    co_return std::move(*done.value);
  }

  // Does `work`, which throws nothing, soon, for nobody who waits: it stands in its owner's line
  // however long that is, because whoever posts must not wait for the disk, and lets go of an open
  // file, of which there are so many and no more. Here and now only after stop(), when no mail is
  // carried any more and what it refers to may not live for long.
  void post(Owner owner, std::move_only_function<void()> work);

  // Does what waits and ends the threads. Blocks.
  void stop();

 private:
  enum class Turn : std::uint8_t { begins, full, dropped };
  // Called once, on a thread of the pool, or at once with `full`.
  using Job = std::move_only_function<void(Turn turn)>;

  [[nodiscard]] static std::unexpected<Error> refusal(Turn turn);
  void enqueue(Owner owner, Job job);
  void work();

  TurnQueue<Job> queue_;
  std::vector<std::thread> threads_;
};

}  // namespace todoku::async
