// SPDX-License-Identifier: Apache-2.0
// Which addresses of receivers did not serve lately. They are tried last, so that one
// connection after the other does not begin at the same dead hosts, and a living one behind many of
// them is found (RFC 5321 section 5.1: a client tries the addresses until it succeeds).
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace todoku::delivery::policy {

// `address` is any text that tells addresses apart. Not thread-safe.
class DeadHosts {
 public:
  struct Options {
    std::size_t addresses_max = 1'000;  // those that failed longest ago are forgotten first
    // After one failure, then twice as long after each.
    std::chrono::seconds first = std::chrono::minutes(15);
    std::chrono::seconds longest = std::chrono::hours(4);
  };

  DeadHosts() : DeadHosts(Options{}) {}
  explicit DeadHosts(Options options) : options_(options) {}

  // It gave no connection, or did not serve on it.
  void failed(std::string_view address, SteadyInstant now);
  void served(std::string_view address) noexcept {
    if (const auto found = hosts_.find(address); found != hosts_.end()) hosts_.erase(found);
  }
  [[nodiscard]] bool counts_as_dead(std::string_view address, SteadyInstant now) const {
    const auto found = hosts_.find(address);
    return found != hosts_.end() && now < found->second.until;
  }

  // Puts those that count as dead behind the others, the one that failed longest ago first among
  // them. `address_of` gives an item's address as text.
  template <class Item, class AddressOf>
  void order(std::vector<Item>& items, AddressOf address_of, SteadyInstant now) const {
    if (hosts_.empty()) return;
    std::vector<std::pair<SteadyInstant, std::size_t>> order;  // since when dead, place before
    for (std::size_t i = 0; i < items.size(); ++i) {
      const auto found = hosts_.find(address_of(items[i]));
      const bool dead = found != hosts_.end() && now < found->second.until;
      order.emplace_back(dead ? found->second.failed : SteadyInstant::min(), i);
    }
    std::ranges::sort(order);
    std::vector<Item> ordered;
    ordered.reserve(items.size());
    for (const auto& [failed, place] : order) ordered.push_back(std::move(items[place]));
    items = std::move(ordered);
  }
  [[nodiscard]] std::size_t size() const { return hosts_.size(); }

 private:
  struct Host {
    unsigned failures = 0;
    SteadyInstant failed{};
    SteadyInstant until{};
  };

  void make_room(SteadyInstant now);

  const Options options_;
  std::map<std::string, Host, std::less<>> hosts_;
};

}  // namespace todoku::delivery::policy
