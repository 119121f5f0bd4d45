// SPDX-License-Identifier: Apache-2.0
// Values that repeat in millions of rows (paths, replies, keys of insert codes): a back end may
// keep them once and name them by a number. Values are never removed, and changed only
// where they quote the whole address of somebody who is erased (personal_data.h); numbers are never
// used again.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace todoku::store {

// Stored as these numbers: never renumber.
enum class DictionaryKind : std::uint8_t { insert_key = 0, path = 1, reply = 2 };

class Dictionary {
 public:
  virtual ~Dictionary() = default;
  // The number of a value, which is added if it is new. nullopt if this one is not kept, or there
  // are too many of its kind already: then the caller stores it in place.
  [[nodiscard]] virtual Result<std::optional<std::int64_t>> number(DictionaryKind kind,
                                                                   std::string_view value) = 0;
  // True from the second time on that a reply is seen within a while: one that repeats is worth a
  // number, one with a queue id in it is not.
  [[nodiscard]] virtual bool repeats(std::string_view reply) = 0;
  // The value of a number; the view is valid until the next call. corrupt if there is none.
  [[nodiscard]] virtual Result<std::string_view> value(std::int64_t number) = 0;
};

// Everything is stored in place.
class NoDictionary final : public Dictionary {
 public:
  Result<std::optional<std::int64_t>> number(DictionaryKind, std::string_view) override {
    return std::nullopt;
  }
  bool repeats(std::string_view) override { return false; }
  Result<std::string_view> value(std::int64_t) override {
    return fail(ErrorKind::corrupt, "a stored value refers to a dictionary, and there is none");
  }
};

}  // namespace todoku::store
