// SPDX-License-Identifier: Apache-2.0
// The dictionary (store/dictionary.h) as a table, with what one connection remembers of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "store/dictionary.h"
#include "store/sqlite/connection.h"

namespace todoku::store::sqlite {

// The dictionary as one connection sees it; numbers are for the writer only.
class Dictionary final : public store::Dictionary {
 public:
  explicit Dictionary(Connection& db) : db_(db) {}

  Result<std::optional<std::int64_t>> number(DictionaryKind kind, std::string_view value) override;
  bool repeats(std::string_view reply) override;
  Result<std::string_view> value(std::int64_t number) override;
  // Another value under a number, where the one that was there is to be erased. What it has cached
  // is forgotten; those of other connections forget when they are told (LiveFigures, queries.h).
  [[nodiscard]] Result<void> replace(std::int64_t number, DictionaryKind kind,
                                     std::string_view value);
  // Forgets what it has cached, after a transaction that may have added values was rolled back, and
  // where another connection has replaced one.
  void forget();

 private:
  [[nodiscard]] Result<std::int64_t> count(DictionaryKind kind);

  Connection& db_;
  std::unordered_map<std::string, std::int64_t> numbers_;  // by kind octet + value
  std::unordered_map<std::int64_t, std::string> values_;
  std::array<std::optional<std::int64_t>, 3> counts_;
  std::array<std::uint64_t, 1024> seen_{};
  std::string wanted_;
};

}  // namespace todoku::store::sqlite
