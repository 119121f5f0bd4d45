// SPDX-License-Identifier: Apache-2.0
// A mail that processes died with until it was set aside (store/work.h).
#pragma once

#include <stdexcept>
#include <string>

#include "store/store.h"

namespace todoku {

template <class T>
T kept(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().detail);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// One process that takes the batch, begins its mail if it is a suspect, and dies.
inline void die_with(store::Store& store, const store::BatchKey& batch) {
  using store::WritePriority;
  const auto enter = [](store::WriteTransaction& transaction) {
    return transaction.enter_node({.name = "mortal", .roles = "", .version = ""});
  };
  const store::NodeKey node = kept(store.write_and_wait(WritePriority::claims, enter));
  auto claimed = kept(store.perform_and_wait(store::Claim{.node = node, .batches = {batch}}));
  const store::LeasedBatch lease = kept(std::move(claimed.batches.at(0)));
  if (lease.suspect) {
    kept(store.write_and_wait(WritePriority::claims, [&](store::WriteTransaction& transaction) {
      return transaction.mark_begun(lease.held(), true);
    }));
  }
  kept(store.write_and_wait(WritePriority::claims, enter));  // its successor
  kept(store.write_and_wait(WritePriority::claims, [&](store::WriteTransaction& transaction) {
    return transaction.offer_again(node, 10);
  }));
}

// A transaction to `address` that is set aside. Nothing else may be due.
inline store::Delivery add_set_aside(store::Store& store, store::AccountKey account,
                                     const std::string& address) {
  store::Accept accept{.life_time = std::chrono::hours(24)};
  accept.delivery.account = account;
  accept.delivery.content.from.address = "shop@example.com";
  accept.delivery.content.subject = "Hello";
  accept.delivery.content.text_part = "text";
  accept.recipients = {
      {.address = address, .domain = address.substr(address.find('@') + 1), .insert_codes = {}}};
  auto accepted = kept(store.perform_and_wait(std::move(accept)));
  const auto due = kept(store.perform_and_wait(store::Due{}));
  const store::BatchKey batch = due.domains.at(0).batches.at(0).key;
  constexpr auto kDeaths = store::kLossesToSuspect + store::kDeathsToSetAside;
  for (std::int64_t death = 0; death < kDeaths; ++death) die_with(store, batch);
  return std::move(accepted.delivery);
}

}  // namespace todoku
