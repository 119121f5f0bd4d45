// SPDX-License-Identifier: Apache-2.0
// What other threads bring to a lane, in the order in which they bring it. Whoever brings something
// allocates its node beforehand, so that handing it over cannot fail: a mail or a connection's seat
// is never lost because memory was short at that moment.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace todoku::delivery::egress {

// `Node` has a member `std::unique_ptr<Node> next`, which is ours while a node is here.
// Thread-safe.
template <class Node>
class LaneInbox {
 public:
  LaneInbox() = default;
  LaneInbox(const LaneInbox&) = delete;
  LaneInbox& operator=(const LaneInbox&) = delete;
  // One by one: a chain of a thousand must not be a recursion of a thousand.
  ~LaneInbox() {
    while (take() != nullptr) {
    }
  }

  void put(std::unique_ptr<Node> node) noexcept {
    const std::lock_guard lock(mutex_);
    Node* const added = node.get();
    (last_ != nullptr ? last_->next : first_) = std::move(node);
    last_ = added;
  }
  // The first; nullptr if there is none.
  [[nodiscard]] std::unique_ptr<Node> take() noexcept {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<Node> node = std::move(first_);
    if (node == nullptr) return node;
    first_ = std::move(node->next);
    if (first_ == nullptr) last_ = nullptr;
    return node;
  }
  [[nodiscard]] bool empty() const noexcept {
    const std::lock_guard lock(mutex_);
    return first_ == nullptr;
  }

 private:
  mutable std::mutex mutex_;
  std::unique_ptr<Node> first_;
  Node* last_ = nullptr;
};

}  // namespace todoku::delivery::egress
