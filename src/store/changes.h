// SPDX-License-Identifier: Apache-2.0
// What processes keep in memory of the store, and whether it has changed there: a number for each
// topic, which every change of it increases in its own transaction. Who reads a number, and then
// what it is about, has at least all that had been changed by then. Numbers of one moment are
// compared with those of another only for whether they are the same: a fail-over may lose some.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace todoku::store {

// Stored as these numbers: never renumber.
enum class Topic : std::uint8_t {
  accounts = 0,
  api_keys = 1,
  dkim_keys = 2,
  domains = 3,
  held = 4,
  webhooks = 5,
  smtp_credentials = 6
};
inline constexpr std::size_t kTopics = 7;

class ChangeNumbers {
 public:
  [[nodiscard]] std::int64_t of(Topic topic) const {
    return numbers_[static_cast<std::size_t>(topic)];
  }
  // Of a topic that a later version has: nothing.
  void set(std::int64_t topic, std::int64_t number) {
    if (topic >= 0 && topic < static_cast<std::int64_t>(kTopics)) {
      numbers_[static_cast<std::size_t>(topic)] = number;
    }
  }

 private:
  std::array<std::int64_t, kTopics> numbers_{};
};

class ChangeReads {
 public:
  virtual ~ChangeReads() = default;
  // Of all topics, in one short question.
  [[nodiscard]] virtual Result<ChangeNumbers> change_numbers() = 0;
};

}  // namespace todoku::store
