// SPDX-License-Identifier: Apache-2.0
// What mails on their way in may hold in memory together, and of that those from one network (an
// IPv4 address or the /64 of an IPv6 one).
//
//   octets_max = reserve (an eighth) + the rest
//
// A network goes on taking as long as it holds no more than it leaves of the rest: one alone has
// half, the next half of what is left, and so on, so that however greedy they are, and however
// many, there is something left for the next. Into the reserve come those alone that hold next to
// nothing: who is new there gets a mail in that bears on anything but attachments.
#pragma once

#include <cstddef>
#include <mutex>
#include <unordered_map>

#include "net/client_counts.h"

namespace todoku::inbound {

// Thread-safe. Knows no more networks than there are mails.
class Room {
 public:
  // Of a network, whatever others hold, while anything is left.
  static constexpr std::size_t kNewcomerOctets = std::size_t{64} << 10U;

  explicit Room(std::size_t octets_max) : octets_max_(octets_max) {}
  // So large that one mail of so many octets gets in when nothing else is there.
  [[nodiscard]] static constexpr std::size_t enough_for(std::size_t mail_octets) {
    return mail_octets * 16 / 7 + 8;
  }

  // Of one mail from `client`; gives back what it took.
  class Share {
   public:
    Share(Room& room, const net::IpAddress& client)
        : room_(&room), network_(net::client_of(client)) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { give_back(); }

    // False: there is no room for so much more, or none for its network.
    [[nodiscard]] bool take(std::size_t octets) {
      if (!room_->take(network_, octets)) return false;
      octets_ += octets;
      return true;
    }
    void give_back() {
      if (octets_ == 0) return;
      room_->give_back(network_, octets_);
      octets_ = 0;
    }

   private:
    Room* room_;
    net::IpAddress network_;
    std::size_t octets_ = 0;
  };

  [[nodiscard]] std::size_t used() const {
    const std::lock_guard lock(mutex_);
    return used_;
  }
  [[nodiscard]] std::size_t networks() const {
    const std::lock_guard lock(mutex_);
    return of_networks_.size();
  }

 private:
  [[nodiscard]] bool take(const net::IpAddress& network, std::size_t octets) {
    if (octets == 0) return true;
    const std::lock_guard lock(mutex_);
    if (octets > octets_max_ - used_) return false;
    const auto found = of_networks_.find(network);
    const std::size_t holds = octets + (found == of_networks_.end() ? 0 : found->second);
    const std::size_t left = octets_max_ - used_ - octets;
    const std::size_t reserve = octets_max_ / 8;
    if (holds > kNewcomerOctets && (left < reserve || holds > left - reserve)) return false;
    of_networks_[network] = holds;
    used_ += octets;
    return true;
  }
  void give_back(const net::IpAddress& network, std::size_t octets) {
    const std::lock_guard lock(mutex_);
    used_ -= octets;
    const auto found = of_networks_.find(network);
    found->second -= octets;
    if (found->second == 0) of_networks_.erase(found);
  }

  const std::size_t octets_max_;
  mutable std::mutex mutex_;
  std::size_t used_ = 0;                                         // under mutex_
  std::unordered_map<net::IpAddress, std::size_t> of_networks_;  // under mutex_
};

// The rooms of a server: returned mail has one of its own, which nobody gets into without the
// return path of a mail that was sent, so that what else comes in shuts it out of none.
struct Rooms {
  // Together `octets_max`, or what they need: a quarter is for returned mail, of which one is kept
  // up to `returned_octets_max`; of all else one mail has up to `mail_octets_max`.
  Rooms(std::size_t octets_max, std::size_t returned_octets_max, std::size_t mail_octets_max)
      : returned(at_least(octets_max / 4, Room::enough_for(returned_octets_max))),
        others(at_least(octets_max - octets_max / 4, Room::enough_for(mail_octets_max))) {}

  Room returned;
  Room others;

 private:
  static std::size_t at_least(std::size_t octets, std::size_t least) {
    return octets < least ? least : octets;
  }
};

}  // namespace todoku::inbound
