// SPDX-License-Identifier: Apache-2.0
// Where numbers and public ids come from: reserved in blocks, so that taking one usually writes
// nothing, and never given out twice, whatever crashes or is deleted. What a piece of work took
// that is undone is given out again: nobody has heard of it.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "store/keys.h"
#include "store/sqlite/connection.h"

namespace todoku::store::sqlite {

enum class IdKind : std::uint8_t { delivery, email, job };

class Counters {
 public:
  explicit Counters(Connection& db) : db_(db) {}

  // The first of `count` consecutive numbers of the line that deliveries, batches, people and
  // sign-ins share.
  [[nodiscard]] Result<std::int64_t> take_numbers(std::int64_t count);
  // The first of `count` consecutive public ids of an account. not_found without such an account.
  [[nodiscard]] Result<PublicId> take_ids(AccountKey account, IdKind kind, std::int64_t count);

  // A point to which takings can be undone, together with the rows written since.
  [[nodiscard]] std::size_t mark() const { return taken_.size(); }
  void undo(std::size_t mark);
  // What was taken stays taken.
  void committed() { taken_.clear(); }
  // It is not known whether what was taken is stored: it is not given out again, and what is
  // reserved is read anew.
  void doubt();
  // Writes the exact state, so that an orderly restart leaves no gap.
  [[nodiscard]] Result<void> store_exactly();

 private:
  struct Counter {
    std::int64_t next = 0;
    std::optional<std::int64_t> reserved;  // stored: ids below it may be in use
  };
  // A counter before something was taken from it; slot -1: the line of numbers.
  struct Taken {
    std::int64_t slot = 0;
    Counter before;
  };
  [[nodiscard]] Counter& counter(std::int64_t slot) { return slot < 0 ? numbers_ : ids_[slot]; }
  void forget_reservations();
  [[nodiscard]] Result<std::int64_t> stored(AccountKey account, IdKind kind);
  [[nodiscard]] Result<void> store(AccountKey account, IdKind kind, std::int64_t value);
  [[nodiscard]] Result<void> store_number(std::int64_t value);

  Connection& db_;
  Counter numbers_;
  std::unordered_map<std::int64_t, Counter> ids_;  // by account * 4 + kind
  std::vector<Taken> taken_;                       // since the last commit, oldest first
};

}  // namespace todoku::store::sqlite
