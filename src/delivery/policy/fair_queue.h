// SPDX-License-Identifier: Apache-2.0
// Who is next: transactional before bulk, then deficit round robin over accounts by weight, then
// round robin over an account's deliveries, then first come, first served.
//
// Intuition: every account with something waiting sits in a ring. A turn gives it `weight` picks;
// inside, its deliveries take turns. So a campaign of a million cannot hold up another account's
// single mail longer than one turn of the ring, whatever its size. Transactional traffic overtakes,
// but of every ten picks one is bulk's while bulk waits (DESIGN, promise 5: bulk keeps 10 %).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "mail/states.h"

namespace todoku::delivery::policy {

// What an item belongs to.
struct Flow {
  TrafficClass traffic = TrafficClass::bulk;
  std::int64_t account = 0;
  std::int64_t delivery = 0;
  std::uint32_t weight = 1;  // of the account, >= 1
};

// Not thread-safe. push and pop are O(1).
template <class Item>
class FairQueue {
 public:
  void push(const Flow& flow, Item item) { ring(flow.traffic).push(flow, std::move(item)); }

  // The next item, or nullopt if nothing waits.
  std::optional<Item> pop() {
    Ring& urgent = ring(TrafficClass::transactional);
    Ring& bulk = ring(TrafficClass::bulk);
    const bool bulk_turn = urgent.size() == 0 || (bulk.size() > 0 && overtakes_ >= kOvertakesMax);
    if (bulk_turn) {
      overtakes_ = 0;
      return bulk.pop();
    }
    overtakes_ = bulk.size() > 0 ? overtakes_ + 1 : 0;
    return urgent.pop();
  }

  [[nodiscard]] std::size_t size() const { return rings_[0].size() + rings_[1].size(); }
  [[nodiscard]] std::size_t size(TrafficClass traffic) const {
    return rings_[static_cast<std::size_t>(traffic)].size();
  }
  [[nodiscard]] bool empty() const { return size() == 0; }

 private:
  // Nine transactional picks in a row leave one of ten to waiting bulk.
  static constexpr unsigned kOvertakesMax = 9;

  class Ring {
   public:
    void push(const Flow& flow, Item item) {
      auto found = accounts_.find(flow.account);
      if (found == accounts_.end()) {
        order_.push_back(flow.account);
        found = accounts_.try_emplace(flow.account).first;
        found->second.picks_left = flow.weight;
      }
      Account& account = found->second;
      account.weight = flow.weight;
      auto& items = account.items[flow.delivery];
      if (items.empty()) account.order.push_back(flow.delivery);
      items.push_back(std::move(item));
      ++size_;
    }

    std::optional<Item> pop() {
      if (size_ == 0) return std::nullopt;
      const auto found = accounts_.find(order_.front());
      check(found != accounts_.end(), "every account in the ring has items");
      Account& account = found->second;
      std::optional<Item> item = take_from(account);
      --size_;
      if (account.order.empty()) {
        accounts_.erase(found);
        order_.pop_front();
      } else if (--account.picks_left == 0) {
        account.picks_left = account.weight;
        order_.push_back(order_.front());
        order_.pop_front();
      }
      return item;
    }

    [[nodiscard]] std::size_t size() const { return size_; }

   private:
    struct Account {
      std::uint32_t weight = 1;
      std::uint32_t picks_left = 1;
      std::deque<std::int64_t> order;  // deliveries with items
      std::unordered_map<std::int64_t, std::deque<Item>> items;
    };

    static std::optional<Item> take_from(Account& account) {
      const std::int64_t delivery = account.order.front();
      account.order.pop_front();
      const auto found = account.items.find(delivery);
      std::optional<Item> item(std::move(found->second.front()));
      found->second.pop_front();
      if (found->second.empty()) {
        account.items.erase(found);
      } else {
        account.order.push_back(delivery);
      }
      return item;
    }

    std::size_t size_ = 0;
    std::deque<std::int64_t> order_;
    std::unordered_map<std::int64_t, Account> accounts_;
  };

  Ring& ring(TrafficClass traffic) { return rings_[static_cast<std::size_t>(traffic)]; }

  Ring rings_[2];
  unsigned overtakes_ = 0;
};

}  // namespace todoku::delivery::policy
