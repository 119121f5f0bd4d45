// SPDX-License-Identifier: Apache-2.0
// Who is signed in by which token, for two seconds, so that a page does not cost a read of the
// store for each of its requests. Pure but for its lock; times are given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "people/signed_in.h"

namespace todoku::people {

// Thread-safe.
class Remembered {
 public:
  static constexpr Milliseconds kFor = std::chrono::seconds(2);
  static constexpr std::size_t kMost = 10'000;  // beyond it all are forgotten

  // nullptr: nobody, or too long ago. The number is for put().
  struct Found {
    Who who;
    std::uint64_t forgotten = 0;
  };
  [[nodiscard]] Found find(const std::string& token_sha256, SteadyInstant now);
  // As the store had it after find(): nothing where forget() came in between.
  void put(std::string token_sha256, Who who, std::uint64_t forgotten, SteadyInstant now);
  void forget();

 private:
  struct Known {
    Who who;
    SteadyInstant until{};
  };
  std::mutex mutex_;
  std::unordered_map<std::string, Known> known_;
  std::uint64_t forgotten_ = 0;  // times
};

}  // namespace todoku::people
