// SPDX-License-Identifier: Apache-2.0
// How many connections are open with each credential, of each account, at each listener.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace todoku::relay {

// Thread-safe. Holds no more names than there are connections.
class NameCounts {
 public:
  // One connection with a name, as long as it lives.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept
        : counts_(std::exchange(other.counts_, nullptr)), name_(std::move(other.name_)) {}
    Place& operator=(Place&& other) noexcept {
      if (this != &other) {
        leave();
        counts_ = std::exchange(other.counts_, nullptr);
        name_ = std::move(other.name_);
      }
      return *this;
    }
    ~Place() { leave(); }
    [[nodiscard]] explicit operator bool() const { return counts_ != nullptr; }

   private:
    friend class NameCounts;
    Place(NameCounts& counts, std::string name) : counts_(&counts), name_(std::move(name)) {}
    void leave() {
      if (counts_ != nullptr) counts_->leave(name_);
      counts_ = nullptr;
    }
    NameCounts* counts_ = nullptr;
    std::string name_;
  };

  // Empty: there are `most` already. `most` 0: no limit.
  [[nodiscard]] Place enter(std::string name, std::int64_t most) {
    const std::lock_guard lock(mutex_);
    std::int64_t& open = open_[name];
    if (most > 0 && open >= most) return {};
    ++open;
    return Place(*this, std::move(name));
  }

 private:
  void leave(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(name);
    if (--found->second == 0) open_.erase(found);
  }

  std::mutex mutex_;
  std::unordered_map<std::string, std::int64_t> open_;
};

}  // namespace todoku::relay
