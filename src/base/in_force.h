// SPDX-License-Identifier: Apache-2.0
// What a process goes by from its start on, for who cannot be handed it. Old ones stay: a thread
// may still read them, and there are as many as there were starts.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace todoku {

template <class T>
class InForce {
 public:
  // nullptr: nothing was put. From any thread, without waiting.
  [[nodiscard]] const T* get() const { return current_.load(std::memory_order_acquire); }
  void put(T next) {
    const std::scoped_lock lock(mutex_);
    kept_.push_back(std::make_unique<const T>(std::move(next)));
    current_.store(kept_.back().get(), std::memory_order_release);
  }

 private:
  std::atomic<const T*> current_ = nullptr;
  std::mutex mutex_;
  std::vector<std::unique_ptr<const T>> kept_;
};

}  // namespace todoku
