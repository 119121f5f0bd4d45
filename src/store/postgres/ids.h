// SPDX-License-Identifier: Apache-2.0
// Where keys and public ids come from without a lock for each: in blocks, per process, reserved in
// a short transaction of their own before what needs them begins. What is left of a block when the
// process ends, or was taken by what failed, is a gap.
//
// The log is ordered by email id, newest first (store/logs.h). So that this is the order of time
// with several processes, too, each works on a block of email ids for kEmailBlockLife and then
// takes another, unless nobody has taken any since.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "base/clock.h"
#include "base/result.h"
#include "store/keys.h"
#include "store/postgres/link.h"

namespace todoku::store::postgres {

enum class IdKind : std::uint8_t { delivery, email, job };
inline constexpr std::size_t kIdKinds = 3;
inline constexpr Milliseconds kEmailBlockLife = std::chrono::seconds(10);

// How much is needed: public ids of each kind by account, and numbers of the line that deliveries
// and batches share.
struct IdNeeds {
  std::map<AccountKey, std::array<std::int64_t, kIdKinds>> ids;
  std::int64_t numbers = 0;
  void add(AccountKey account, IdKind kind, std::int64_t count) {
    ids[account].at(static_cast<std::size_t>(kind)) += count;
  }
};

// What was taken for one piece of work, given out in order.
class TakenIds {
 public:
  // The first of `count`, which follow each other. nullopt: there is no such account.
  [[nodiscard]] std::optional<PublicId> take(AccountKey account, IdKind kind, std::int64_t count);
  [[nodiscard]] std::int64_t take_numbers(std::int64_t count);

 private:
  friend class Ids;
  std::map<AccountKey, std::array<std::int64_t, kIdKinds>> next_;
  std::int64_t next_number_ = 0;
};

// Thread-safe. One a process.
class Ids {
 public:
  // `clock` must outlive it.
  explicit Ids(const Clock& clock) : clock_(clock) {}

  // Asks the database only when a block is used up: then one flight, for all accounts at once.
  [[nodiscard]] Result<TakenIds> take(Link& link, const IdNeeds& needs, Milliseconds most);

  // For functions, which run in a transaction already and may be run again: only what is there.
  // nullopt: provide() it outside of the transaction.
  [[nodiscard]] std::optional<PublicId> take_present(AccountKey account, IdKind kind,
                                                     std::int64_t count);
  // What was taken by a function that came to nothing is given out again, unless more was taken
  // since.
  void undo(AccountKey account, IdKind kind, PublicId first, std::int64_t count);
  [[nodiscard]] std::optional<std::int64_t> take_present_numbers(std::int64_t count);
  // Sees to it that so much is there. The accounts that are not.
  [[nodiscard]] Result<std::set<AccountKey>> provide(Link& link, const IdNeeds& needs,
                                                     Milliseconds most);
  // What is left of the public ids, where nobody else has reserved any since: an orderly restart of
  // a single process leaves no gap. What cannot be given back is one.
  void give_back(Link& link, Milliseconds most);

 private:
  struct Block {
    std::int64_t next = 0;
    std::int64_t end = 0;
    std::int64_t size = 0;  // grows with what is used
    std::int64_t from = 0;  // where it began to be used, at:
    SteadyInstant since{};
  };
  using Account = std::array<Block, kIdKinds>;
  [[nodiscard]] bool is_old(const Block& block, std::size_t kind) const;
  static void extend(Block& block, std::int64_t end, std::int64_t count);
  [[nodiscard]] Result<void> fill(Link& link, const IdNeeds& needs, Milliseconds most);
  // The account's blocks if they have what is needed; else it is not there.
  [[nodiscard]] Account* filled(AccountKey key, const std::array<std::int64_t, kIdKinds>& counts);

  const Clock& clock_;
  std::mutex mutex_;
  std::map<AccountKey, Account> accounts_;
  Block numbers_;
};

}  // namespace todoku::store::postgres
