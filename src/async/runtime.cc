// SPDX-License-Identifier: Apache-2.0
#include "async/runtime.h"

#include <exception>
#include <string>

#include <pthread.h>

#include "base/check.h"

namespace todoku::async {

Runtime::Runtime(std::size_t threads) {
  check(threads >= 1, "a runtime has at least one thread");
  for (std::size_t i = 0; i < threads; ++i) {
    // Hint 1: one thread runs it, others may post to it.
    contexts_.push_back(std::make_unique<boost::asio::io_context>(1));
    guards_.push_back(boost::asio::make_work_guard(contexts_.back()->get_executor()));
  }
}

Runtime::~Runtime() {
  guards_.clear();
  for (const auto& context : contexts_) context->stop();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Runtime::start() {
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    threads_.emplace_back([context = contexts_[i].get()] { context->run(); });
    const std::string name = "todoku-io-" + std::to_string(i);
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
}

void Runtime::join() {
  guards_.clear();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void run_to_completion(Task<void> task) {
  boost::asio::io_context context(1);
  std::exception_ptr thrown;
  boost::asio::co_spawn(context.get_executor(), std::move(task),
                        [&thrown](const std::exception_ptr& e) { thrown = e; });
  context.run();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace todoku::async
