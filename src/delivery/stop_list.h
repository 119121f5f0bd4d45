// SPDX-License-Identifier: Apache-2.0
// Suppressions of the last minutes, in memory: a mail may have been claimed before its address came
// onto a list. A connection that draws it asks here, which costs next to nothing; for the few that
// are mentioned the store is asked, because an entry may be gone again. So nothing starts later
// than a second after an entry was committed by any process.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <shared_mutex>
#include <span>
#include <utility>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "delivery/work.h"
#include "mail/suppression.h"
#include "store/store.h"

namespace todoku::delivery {

// Thread-safe.
class StopList {
 public:
  // Longer than a mail waits in memory.
  static constexpr Milliseconds kKept = std::chrono::minutes(15);
  // Of subjects: some 15 MB. Beyond, as of a list that is imported, the newest of the account that
  // has most are kept; what is claimed from then on is asked by the claim anyway.
  static constexpr std::size_t kSubjectsMax = 200'000;
  // Of one question, which others wait for; more only where so many have one instant.
  static constexpr std::int64_t kPage = 2'000;

  explicit StopList(store::Store& store, std::size_t subjects_max = kSubjectsMax)
      : store_(store), subjects_max_(subjects_max), page_(kPage) {}

  // Reads what has come lately, in short questions. False: there is more, and the next look goes on
  // where this one ended. Errors: those of the store; likewise, and what is known stays.
  [[nodiscard]] Task<Result<bool>> look();
  // The same, given. `hash`: the store's, always the same; `now`: by the store's clock.
  void learn(std::span<const store::RecentStop> entries, const store::AddressHash& hash,
             Instant now);

  // Whether the mail's address, or its domain, came onto a list lately.
  [[nodiscard]] bool mentions(const Mail& mail) const;
  // Why it is stopped now; nullopt: it is not.
  [[nodiscard]] Task<Result<std::optional<StopReason>>> ask(const Mail& mail) const;

  [[nodiscard]] std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  // By the hash of its subject: one that was erased since has no other (store/personal_data.h).
  using Key = std::pair<store::AccountKey, std::uint64_t>;
  static constexpr Milliseconds kForgetEvery = std::chrono::seconds(10);
  void forget_locked(Instant now);
  void forget_if_locked(const auto& condition);

  store::Store& store_;
  const std::size_t subjects_max_;
  std::optional<Instant> seen_;  // until when all is known; one look at a time
  std::uint64_t looks_ = 0;
  std::int64_t page_;  // entries that a question asks for
  std::atomic<std::size_t> size_{0};
  mutable std::shared_mutex mutex_;
  std::optional<store::AddressHash> hash_;  // nullopt: nothing was learnt yet
  std::map<Key, Instant> subjects_;         // when each came, or changed
  std::map<store::AccountKey, std::size_t> of_account_;
  Instant forgotten_{};
};

}  // namespace todoku::delivery
