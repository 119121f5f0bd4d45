// SPDX-License-Identifier: Apache-2.0
// By which pool a transaction goes that was just accepted (policy/pools.h): whoever hands it over
// or rings for it may not wait for the store, so names of accounts are remembered.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "delivery/policy/pools.h"
#include "store/store.h"

namespace todoku::delivery {

// Thread-safe.
class PoolChoice {
 public:
  // Accounts whose names are remembered; beyond, they are read again.
  static constexpr std::size_t kNamesMax = 100'000;

  // Reads on `executor`. Everything given outlives it.
  PoolChoice(const policy::Pools& pools, store::Store& store, async::Executor executor);
  // No reading runs any more. On its executor.
  Task<void> stop() { return tasks_.stop(); }

  // `head` with its From. nullopt: the account's name matters and is not known yet; it is being
  // read, and the scheduler finds the mail meanwhile.
  [[nodiscard]] std::optional<policy::Pools::Place> of(const store::Delivery& head,
                                                       const Mailbox& from);

 private:
  [[nodiscard]] std::optional<std::string> name_of(store::AccountKey account);
  Task<void> read_name(store::AccountKey account);

  const policy::Pools& pools_;
  store::Store& store_;
  std::mutex mutex_;  // guards what follows, up to the blank line
  std::map<store::AccountKey, std::string> names_;
  std::set<store::AccountKey> asked_;

  async::Executor executor_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::delivery
