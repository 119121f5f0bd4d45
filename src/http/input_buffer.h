// SPDX-License-Identifier: Apache-2.0
// The octets of a connection between the socket and the parser: one block, read at the end,
// consumed at the front. It grows only when asked and shrinks when it is empty. What it has given
// away can be wiped.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "base/wipe.h"

namespace todoku::http {

class InputBuffer {
 public:
  static constexpr std::size_t kSmall = std::size_t{8} * 1024;
  static constexpr std::size_t kLarge = std::size_t{64} * 1024;

  [[nodiscard]] std::string_view view() const { return {block_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }

  // Never moves what is left.
  void consume(std::size_t octets) { begin_ += octets; }

  // Room to read into; moves what is left, so views end. `wanted`: how large the block should be.
  [[nodiscard]] std::span<char> space(std::size_t wanted = kSmall) {
    if (empty()) begin_ = end_ = 0;
    if (capacity_ < wanted)
      resize(wanted);
    else if (end_ == capacity_ && begin_ == 0)
      resize(2 * capacity_);
    else if (begin_ > 0)
      compact();
    return {block_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t octets) { end_ += octets; }

  // From now on no memory is given back before it is wiped; until wipe_used(false).
  void hold_secrets() { holds_secrets_ = true; }
  // Wipes all but what is still to be consumed. `more`: secrets may follow.
  void wipe_used(bool more) {
    holds_secrets_ = more;
    wipe({block_.get(), begin_});
    wipe({block_.get() + end_, capacity_ - end_});
  }

  // Gives a large block back, if nothing is in it.
  void shrink() {
    if (!empty() || capacity_ <= kSmall) return;
    block_.reset();
    begin_ = end_ = capacity_ = 0;
  }

 private:
  void compact() {
    std::memmove(block_.get(), block_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  void resize(std::size_t capacity) {
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (!empty()) std::memcpy(larger.get(), block_.get() + begin_, end_ - begin_);
    if (holds_secrets_) wipe({block_.get(), capacity_});
    end_ -= begin_;
    begin_ = 0;
    block_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> block_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool holds_secrets_ = false;
};

}  // namespace todoku::http
