// SPDX-License-Identifier: Apache-2.0
// What all mails on their way in may hold in memory together.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace todoku::inbound {

// Thread-safe.
class Room {
 public:
  explicit Room(std::size_t octets_max) : octets_max_(octets_max) {}

  // Of one mail; gives back what it took.
  class Share {
   public:
    explicit Share(Room& room) : room_(&room) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { give_back(); }

    // False: there is no room for so much more.
    [[nodiscard]] bool take(std::size_t octets) {
      if (room_->used_.fetch_add(octets) + octets > room_->octets_max_) {
        room_->used_.fetch_sub(octets);
        return false;
      }
      octets_ += octets;
      return true;
    }
    void give_back() { room_->used_.fetch_sub(std::exchange(octets_, 0)); }

   private:
    Room* room_;
    std::size_t octets_ = 0;
  };

  [[nodiscard]] std::size_t used() const { return used_.load(); }

 private:
  const std::size_t octets_max_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace todoku::inbound
