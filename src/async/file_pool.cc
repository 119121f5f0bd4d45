// SPDX-License-Identifier: Apache-2.0
#include "async/file_pool.h"

#include <string>

#include <pthread.h>
#include <sys/resource.h>

#include "base/check.h"

namespace todoku::async {

FilePool::FilePool(Options options)
    : queue_({.all = options.waiting_max,
              .of_owner = options.waiting_of_owner_max,
              .at_work_of_owner = options.threads_of_owner}) {
  check(options.threads >= 1, "a file pool has at least one thread");
  try {
    for (std::size_t i = 0; i < options.threads; ++i) {
      threads_.emplace_back([this, nicer = options.niceness] {
        // On Linux of this thread alone, whatever POSIX says of processes.
        if (nicer > 0) (void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + nicer);
        work();
      });
      const std::string name = "todoku-" + std::string(options.name) + '-' + std::to_string(i);
      pthread_setname_np(threads_.back().native_handle(), name.c_str());
    }
  } catch (...) {  // the system refuses one: those that run have to end before they are forgotten
    stop();
    throw;
  }
}

FilePool::~FilePool() {
  stop();
}

void FilePool::post(Owner owner, std::move_only_function<void()> work) {
  Job job([work = std::move(work)](Turn) mutable { work(); });
  // Moved from only if it is taken (base/turn_queue.h).
  // NOLINTNEXTLINE(bugprone-use-after-move)
  if (!queue_.push_beyond_limits(owner, std::move(job))) job(Turn::begins);
}

void FilePool::stop() {
  queue_.close();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::unexpected<Error> FilePool::refusal(Turn turn) {
  if (turn == Turn::dropped) return fail(ErrorKind::cancelled, "nobody waits for it any more");
  return fail(ErrorKind::unavailable, "too much waits for the disk");
}

void FilePool::enqueue(Owner owner, Job job) {
  // Moved from only if it is taken (base/turn_queue.h).
  if (!queue_.try_push(owner, std::move(job))) job(Turn::full);  // NOLINT(bugprone-use-after-move)
}

void FilePool::work() {
  while (auto taken = queue_.pop()) {
    taken->item(Turn::begins);
    queue_.done(taken->owner);
  }
}

}  // namespace todoku::async
