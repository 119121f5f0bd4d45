// SPDX-License-Identifier: Apache-2.0
// Walks: questions about more than one short look at the store may take. Each step is a question of
// its own, from a snapshot of its own, so that nobody who asks for much keeps the write-ahead log
// from beginning anew, or others waiting.
//
//   DeliveryList list(filter);
//   const auto walked = co_await walk(store, list);     // or walk_and_wait()
//   if (walked) use(list.take());
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/store.h"

namespace todoku::store {

// The page of an account's deliveries that a filter asks for, without texts and attachments.
class DeliveryList {
 public:
  explicit DeliveryList(DeliveryFilter filter);

  // True when there is nothing left to do. limit_exceeded: the question is about more deliveries
  // than can be gone through for one list.
  [[nodiscard]] Result<bool> step(ReadTransaction& transaction);
  [[nodiscard]] std::vector<Delivery> take() { return std::move(deliveries_); }

 private:
  [[nodiscard]] Result<void> match(ReadTransaction& transaction);
  void sort_matches();
  [[nodiscard]] Result<void> read_page(ReadTransaction& transaction);

  const DeliveryFilter filter_;
  DeliveryOrder order_ = DeliveryOrder::newest_first;
  bool sorts_ = false;  // no order that the store knows is the one that is asked for
  std::vector<DeliveryMatch> matches_;
  std::optional<DeliveryPlace> place_;
  bool matched_ = false;
  std::int64_t effort_ = 0;
  std::vector<Delivery> deliveries_;
};

// The newest stories of an address, or of a mark.
class StorySearch {
 public:
  StorySearch(std::string address, std::optional<AccountKey> account, std::int64_t limit)
      : address_(std::move(address)), account_(account), limit_(limit) {}
  StorySearch(Mark mark, std::optional<AccountKey> account, std::int64_t limit)
      : mark_(std::move(mark)), account_(account), limit_(limit) {}

  [[nodiscard]] Result<bool> step(ReadTransaction& transaction);
  [[nodiscard]] std::vector<Story> take() { return std::move(stories_); }

 private:
  const std::string address_;
  const std::optional<Mark> mark_;
  const std::optional<AccountKey> account_;
  const std::int64_t limit_;
  std::optional<std::int64_t> place_;
  std::vector<Story> stories_;
};

// All DKIM keys.
class DkimList {
 public:
  [[nodiscard]] Result<bool> step(ReadTransaction& transaction);
  [[nodiscard]] std::vector<DkimKey> take() { return std::move(keys_); }

 private:
  std::vector<DkimKey> keys_;
};

// Which accounts are for trials, and whether there are several others.
class AccountKinds {
 public:
  [[nodiscard]] Result<bool> step(ReadTransaction& transaction);
  [[nodiscard]] bool several() const { return others_ > 1; }
  [[nodiscard]] std::set<AccountKey> take_sandboxes() { return std::move(sandboxes_); }

 private:
  AccountKey last_{};
  std::int64_t others_ = 0;
  std::set<AccountKey> sandboxes_;
};

// All claims of domains that are proven.
class ProvenDomains {
 public:
  [[nodiscard]] Result<bool> step(ReadTransaction& transaction);
  [[nodiscard]] std::vector<Domain> take() { return std::move(domains_); }

 private:
  std::vector<Domain> domains_;
};

// Takes steps until the walk is done. `walk` must outlive the task.
template <class Walk>
Task<Result<void>> walk(Store& store, Walk& walk) {
  while (true) {
    const auto done = co_await store.read(
        [&walk](ReadTransaction& transaction) { return walk.step(transaction); });
    if (!done) co_return fail(done.error());
    if (*done) co_return Result<void>{};
  }
}

// The same for threads that may wait.
template <class Walk>
Result<void> walk_and_wait(Store& store, Walk& walk) {
  while (true) {
    const auto done = store.read_and_wait(
        [&walk](ReadTransaction& transaction) { return walk.step(transaction); });
    if (!done) return fail(done.error());
    if (*done) return {};
  }
}

}  // namespace todoku::store
