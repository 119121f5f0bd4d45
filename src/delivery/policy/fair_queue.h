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
#include <iterator>
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

// Not thread-safe. push and pop are O(1). A push that throws has changed nothing; pop does not
// throw if moving an item does not.
template <class Item>
class FairQueue {
 public:
  void push(const Flow& flow, Item item) { ring(flow.traffic).push(flow, std::move(item)); }

  // Takes out all items of every delivery for whose first item `over` holds: what it asks is the
  // same for all items of a delivery. `taken` is called for each; if that throws, this item and
  // those after it stay.
  template <class Over, class Taken>
  void remove_deliveries_if(Over over, Taken taken) {
    for (Ring& each : rings_) each.remove_deliveries_if(over, taken);
  }

  // The next item, or nullopt if nothing waits.
  std::optional<Item> pop() noexcept {
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
      const auto [found, new_account] = accounts_.try_emplace(flow.account);
      Account& account = found->second;
      bool new_delivery = false;
      try {
        if (new_account) order_.push_back(flow.account);
        auto& items = account.items[flow.delivery];
        if (items.empty()) account.order.push_back(flow.delivery);
        new_delivery = items.empty();
        items.push_back(std::move(item));
      } catch (...) {
        if (new_delivery) account.order.pop_back();
        const auto items = account.items.find(flow.delivery);
        if (items != account.items.end() && items->second.empty()) account.items.erase(items);
        if (new_account) forget(found);
        throw;
      }
      if (new_account) account.picks_left = flow.weight;
      account.weight = flow.weight;
      ++size_;
    }

    std::optional<Item> pop() noexcept {
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
        to_the_end(order_);
      }
      return item;
    }

    template <class Over, class Taken>
    void remove_deliveries_if(Over& over, Taken& taken) {
      for (auto found = accounts_.begin(); found != accounts_.end();) {
        Account& account = found->second;
        for (auto delivery = account.order.begin(); delivery != account.order.end();) {
          std::deque<Item>& items = account.items.find(*delivery)->second;
          if (!over(items.front())) {
            ++delivery;
            continue;
          }
          for (bool more = true; more; --size_) {
            taken(std::as_const(items.front()));
            more = items.size() > 1;
            items.pop_front();
          }
          account.items.erase(*delivery);
          delivery = account.order.erase(delivery);
        }
        const auto next = std::next(found);
        if (account.order.empty()) forget(found);
        found = next;
      }
    }

    [[nodiscard]] std::size_t size() const { return size_; }

   private:
    struct Account {
      std::uint32_t weight = 1;
      std::uint32_t picks_left = 1;
      std::list<std::int64_t> order;  // deliveries with items
      std::unordered_map<std::int64_t, std::deque<Item>> items;
    };

    static std::optional<Item> take_from(Account& account) noexcept {
      const auto found = account.items.find(account.order.front());
      std::optional<Item> item(std::move(found->second.front()));
      found->second.pop_front();
      if (found->second.empty()) {
        account.items.erase(found);
        account.order.pop_front();
      } else {
        to_the_end(account.order);
      }
      return item;
    }

    static void to_the_end(std::list<std::int64_t>& order) noexcept {
      order.splice(order.end(), order, order.begin());
    }
    void forget(typename std::unordered_map<std::int64_t, Account>::iterator account) noexcept {
      order_.remove(account->first);
      accounts_.erase(account);
    }

    std::size_t size_ = 0;
    std::list<std::int64_t> order_;
    std::unordered_map<std::int64_t, Account> accounts_;
  };

  Ring& ring(TrafficClass traffic) { return rings_[static_cast<std::size_t>(traffic)]; }

  Ring rings_[2];
  unsigned overtakes_ = 0;
};

}  // namespace todoku::delivery::policy
