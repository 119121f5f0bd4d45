// SPDX-License-Identifier: Apache-2.0
// Where numbers and public ids come from: reserved in blocks, so that taking one usually writes
// nothing, and never given out twice, whatever is rolled back, crashes or is deleted.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/result.h"
#include "store/sqlite/connection.h"
#include "store/types.h"

namespace todoku::store::sqlite {

enum class IdKind : std::uint8_t { delivery, email, job };

class Counters {
 public:
  explicit Counters(Connection& db) : db_(db) {}

  // The first of `count` consecutive numbers of the line that deliveries and batches share.
  [[nodiscard]] Result<std::int64_t> take_numbers(std::int64_t count);
  // The first of `count` consecutive public ids of an account. not_found without such an account.
  [[nodiscard]] Result<PublicId> take_ids(AccountKey account, IdKind kind, std::int64_t count);

  // After a rollback: what was reserved may not be stored. Ids already taken stay taken.
  void forget_reservations();
  // Writes the exact state, so that an orderly restart leaves no gap.
  [[nodiscard]] Result<void> store_exactly();

 private:
  struct Counter {
    std::int64_t next = 0;
    std::optional<std::int64_t> reserved;  // stored: ids below it may be in use
  };
  [[nodiscard]] Result<std::int64_t> stored(AccountKey account, IdKind kind);
  [[nodiscard]] Result<void> store(AccountKey account, IdKind kind, std::int64_t value);
  [[nodiscard]] Result<void> store_number(std::int64_t value);

  Connection& db_;
  Counter numbers_;
  std::unordered_map<std::int64_t, Counter> ids_;  // by account * 4 + kind
};

}  // namespace todoku::store::sqlite
