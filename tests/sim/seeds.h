// SPDX-License-Identifier: Apache-2.0
// Generated worlds, one seed after the other, as tests look at them.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/checks.h"
#include "sim/play.h"

namespace todoku::sim {

inline constexpr std::uint64_t kFirstSeed = 1;

// How many worlds of a kind are worth playing; with the sanitizers one takes some ten times as
// long.
struct SeedCount {
  std::uint64_t plain = 0;
  std::uint64_t sanitized = 0;

  [[nodiscard]] constexpr std::uint64_t here() const {
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return sanitized;
#else
    return plain;
#endif
  }
};

class Seeds {
 public:
  using Play = std::function<Played(std::uint64_t seed, std::size_t story_lines)>;

  Seeds(std::uint64_t count, Play play) : count_(count), play_(std::move(play)) {}

  // The first world in which a promise is broken; `sum`: of what happened in those before it.
  [[nodiscard]] std::optional<Played> first_broken(Figures& sum) const {
    for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + count_; ++seed) {
      Played played = play_(seed, kStoryLines);
      if (!played.broken.empty()) return played;
      sum += played.figures;
    }
    return std::nullopt;
  }

  // Every promise is kept in every world; what happened in all of them, for questions whether it
  // was enough to prove anything. Where the environment variable `alone` names a seed, that one
  // only, with its whole story; nullopt then, or if a promise was broken.
  [[nodiscard]] std::optional<Figures> expect_kept(const char* alone) const {
    if (const char* seed = std::getenv(alone)) {
      const Played played = play_(std::strtoull(seed, nullptr, 10), kWholeStory);
      fmt::print("{}", played.story);
      EXPECT_TRUE(played.broken.empty()) << describe(played);
      return std::nullopt;
    }
    Figures sum;
    if (const auto broken = first_broken(sum)) {
      ADD_FAILURE() << describe(*broken);
      return std::nullopt;
    }
    fmt::print("{}\n", describe(sum));
    return sum;
  }

  // The same seed is the same world.
  void expect_same_again() const {
    for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + count_; ++seed) {
      const Played once = play_(seed, kStoryLines);
      const Played again = play_(seed, kStoryLines);
      ASSERT_EQ(once.digest, again.digest) << "seed " << seed;
      ASSERT_EQ(once.lines, again.lines) << "seed " << seed;
    }
  }

 private:
  static constexpr std::size_t kStoryLines = 80;
  static constexpr std::size_t kWholeStory = 1'000'000;

  const std::uint64_t count_;
  const Play play_;
};

}  // namespace todoku::sim
