// SPDX-License-Identifier: Apache-2.0
// Values that repeat in millions of rows (paths, replies, keys of insert codes) are stored once and
// named by a small number. Values are never changed or removed, and numbers never used again.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "store/sqlite/connection.h"

namespace todoku::store::sqlite {

// Stored as these numbers: never renumber.
enum class DictionaryKind : std::uint8_t { insert_key = 0, path = 1, reply = 2 };

// The dictionary as one connection sees it.
class Dictionary {
 public:
  explicit Dictionary(Connection& db) : db_(db) {}

  // The number of a value, which is added if it is new. nullopt if there are too many values of
  // this kind already: then the caller stores it in place. Writer only.
  [[nodiscard]] Result<std::optional<std::int64_t>> number(DictionaryKind kind,
                                                           std::string_view value);
  // True from the second time on that a reply is seen within a while: one that repeats is worth a
  // number, one with a queue id in it is not.
  [[nodiscard]] bool repeats(std::string_view reply);
  // The value of a number; the view is valid until the next call. corrupt if there is none.
  [[nodiscard]] Result<std::string_view> value(std::int64_t number);
  // Forgets what it has cached, after a transaction that may have added values was rolled back.
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
