// SPDX-License-Identifier: Apache-2.0
#include "async/callback.h"

#include <chrono>
#include <new>
#include <thread>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace todoku::async::internal {
namespace {

template <class Handler>
class Suspended final : public Waiting {
 public:
  Suspended(Handler handler, void* landing)
      : Waiting(landing),
        handler_(std::move(handler)),
        work_(boost::asio::make_work_guard(boost::asio::get_associated_executor(handler_))) {}

  void resume(std::shared_ptr<Waiting> self) override {
    // Until post() has returned: the coroutine may be done before, and its io_context must not die
    // under the hands of this thread.
    const auto alive = std::move(work_);
    // Whoever waits must be told, and a few octets are free again soon.
    constexpr std::chrono::milliseconds kUntilThereIsMemory(1);
    while (true) {
      try {
        boost::asio::post(alive.get_executor(), [this, self] {
          auto handler = std::move(handler_);
          std::move(handler)();
        });
        return;
      } catch (const std::bad_alloc&) {
        std::this_thread::sleep_for(kUntilThereIsMemory);
      }
    }
  }

 private:
  Handler handler_;
  boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> work_;
};

// Suspended already: what is thrown here may not leave, it would end the thread's io_context.
template <class Handler>
void begin(Handler handler, Start start, void* initiate, void* landing,
           std::exception_ptr* thrown) {
  std::shared_ptr<Waiting> waiting;
  try {
    waiting = std::make_shared<Suspended<Handler>>(std::move(handler), landing);
    start(initiate, waiting);
  } catch (...) {
    if (waiting == nullptr) {  // refused before the handler was moved
      *thrown = std::current_exception();
      std::move(handler)();
    } else if (waiting->take()) {
      *thrown = std::current_exception();
      waiting->resume(waiting);
    }
  }
}

}  // namespace

Task<void> suspend(Start start, void* initiate, void* landing, std::exception_ptr* thrown) {
  constexpr boost::asio::use_awaitable_t<Executor> token;
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>, void()>(
      [](auto handler, Start then, void* given, void* at, std::exception_ptr* failed) {
        begin(std::move(handler), then, given, at, failed);
      },
      token, start, initiate, landing, thrown);
}

}  // namespace todoku::async::internal
