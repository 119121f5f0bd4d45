// SPDX-License-Identifier: Apache-2.0
// A queue between threads, with fixed bounds, in which owners take turns: whoever has put in a
// thousand things holds up another's by one of them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace todoku {

// Many producers, many consumers. All members are thread-safe.
template <class T>
class TurnQueue {
 public:
  // Whose a thing is, e.g. an account's key as a number.
  using Owner = std::int64_t;
  struct Limits {
    std::size_t all;       // things that wait
    std::size_t of_owner;  // of them, one owner's
    // Given out by pop() and not yet done(), of one owner: what consumers there are beyond that are
    // for others.
    std::size_t at_work_of_owner = SIZE_MAX;
  };
  struct Taken {
    Owner owner;
    T item;
  };

  explicit TurnQueue(Limits limits) : limits_(limits) {}

  // False if the queue or the owner's part of it is full, or closed; then `item` is untouched.
  [[nodiscard]] bool try_push(Owner owner, T&& item) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || waiting_ >= limits_.all) return false;
      Line& line = lines_[owner];
      if (line.items.size() >= limits_.of_owner) return false;
      line.items.push_back(std::move(item));
      ++waiting_;
    }
    changed_.notify_one();
    return true;
  }

  // In spite of the limits, for what must not be refused; its number is bounded by whoever calls.
  // False if the queue is closed; then `item` is untouched.
  [[nodiscard]] bool push_beyond_limits(Owner owner, T&& item) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return false;
      lines_[owner].items.push_back(std::move(item));
      ++waiting_;
    }
    changed_.notify_one();
    return true;
  }

  // Waits for an item whose owner may have one more at work, that of the owner who follows the one
  // served last; nullopt once the queue is closed and empty. done() belongs to each.
  [[nodiscard]] std::optional<Taken> pop() {
    std::unique_lock lock(mutex_);
    auto next = lines_.end();
    changed_.wait(lock, [&] { return may_end(next); });
    return take(next);
  }
  // The same, but nullopt too when nothing has come for so long.
  template <class Rep, class Period>
  [[nodiscard]] std::optional<Taken> pop_within(std::chrono::duration<Rep, Period> most) {
    std::unique_lock lock(mutex_);
    auto next = lines_.end();
    (void)changed_.wait_for(lock, most, [&] { return may_end(next); });
    return take(next);
  }
  // What pop() gave is done.
  void done(Owner owner) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = lines_.find(owner);
      --found->second.at_work;
      if (found->second.at_work == 0 && found->second.items.empty()) lines_.erase(found);
    }
    changed_.notify_one();
  }

  // No push succeeds afterwards; consumers get what is left and then nullopt.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }

 private:
  struct Line {
    std::deque<T> items;
    std::size_t at_work = 0;
  };
  using Lines = std::map<Owner, Line>;

  [[nodiscard]] typename Lines::iterator next_line() {
    auto line = lines_.upper_bound(last_);
    for (std::size_t looked_at = 0; looked_at < lines_.size(); ++looked_at) {
      if (line == lines_.end()) line = lines_.begin();
      if (!line->second.items.empty() && line->second.at_work < limits_.at_work_of_owner) {
        return line;
      }
      ++line;
    }
    return lines_.end();
  }

  // The wait for `next` is over.
  [[nodiscard]] bool may_end(typename Lines::iterator& next) {
    next = next_line();
    return next != lines_.end() || (closed_ && waiting_ == 0);
  }
  [[nodiscard]] std::optional<Taken> take(typename Lines::iterator next) {
    if (next == lines_.end()) return std::nullopt;
    Line& line = next->second;
    std::optional<Taken> taken(Taken{next->first, std::move(line.items.front())});
    line.items.pop_front();
    ++line.at_work;
    last_ = next->first;
    --waiting_;
    if (closed_ && waiting_ == 0) changed_.notify_all();
    return taken;
  }

  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Lines lines_;  // of owners that have something waiting or at work
  Owner last_ = 0;
  std::size_t waiting_ = 0;
  bool closed_ = false;
};

}  // namespace todoku
