// SPDX-License-Identifier: Apache-2.0
#include "async/file_pool.h"

#include <string>

#include <pthread.h>

#include "base/check.h"

namespace todoku::async {

FilePool::FilePool(Options options) : queue_(options.waiting_max) {
  check(options.threads >= 1, "a file pool has at least one thread");
  try {
    for (std::size_t i = 0; i < options.threads; ++i) {
      threads_.emplace_back([this] { work(); });
      const std::string name = "todoku-file-" + std::to_string(i);
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

void FilePool::post(std::move_only_function<void()> work) {
  enqueue([work = std::move(work)](bool) mutable { work(); });
}

void FilePool::stop() {
  queue_.close();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::unexpected<Error> FilePool::refusal() {
  return fail(ErrorKind::unavailable, "too much waits for the disk");
}

void FilePool::enqueue(Job job) {
  // Moved from only if it is taken (base/bounded_queue.h).
  if (!queue_.try_push(std::move(job))) job(false);  // NOLINT(bugprone-use-after-move)
}

void FilePool::work() {
  while (auto job = queue_.pop()) (*job)(true);
}

}  // namespace todoku::async
