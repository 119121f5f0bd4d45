// SPDX-License-Identifier: Apache-2.0
#include "app/free_memory.h"

#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

namespace todoku::app {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;

std::uint64_t resident() {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST(FreeMemory, IsReturnedWhereThereIsMuch) {
  EXPECT_FALSE(is_worth_returning({.resident = 0, .in_use = 0}));
  EXPECT_FALSE(is_worth_returning({.resident = 100 * kMiB, .in_use = 50 * kMiB}));
  EXPECT_TRUE(is_worth_returning({.resident = 114 * kMiB, .in_use = 50 * kMiB}));
  EXPECT_FALSE(is_worth_returning({.resident = 100 * kMiB, .in_use = 4'000 * kMiB}))
      << "allocated and never written";
}

TEST(FreeMemory, WhatCannotGoBackIsTriedEverMoreSeldom) {
  using namespace std::chrono_literals;
  ReturnPace pace;
  SteadyInstant now{1h};
  EXPECT_TRUE(pace.is_due(now));
  const auto wait_after = [&](std::uint64_t before, std::uint64_t after) {
    pace.note(before, after, now);
    Milliseconds waited{};
    for (; !pace.is_due(now); now += 1s) waited += 1s;
    return waited;
  };
  constexpr std::uint64_t kMuch = 500 * kMiB;
  for (const Milliseconds wait : {20s, 40s, 80s, 160s, 320s, 600s, 600s}) {
    EXPECT_EQ(wait_after(kMuch, kMuch - kMiB), wait) << "it has fallen by next to nothing";
  }
  EXPECT_EQ(wait_after(kMuch, kMuch - 100 * kMiB), 10s);
  EXPECT_EQ(wait_after(kMuch, kMuch + kMiB), 20s) << "others took more meanwhile";
  EXPECT_EQ(wait_after(kMuch, 0), 40s) << "not known";
}

TEST(FreeMemory, WhatLiesBetweenWhatIsInUseGoesBack) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "the allocator is another";
#endif
#endif
  constexpr std::size_t kBlock = 32 << 10;  // below what is mapped by itself
  std::vector<std::unique_ptr<char[]>> kept;
  std::vector<std::unique_ptr<char[]>> freed;
  for (int i = 0; i < 6'000; ++i) {
    freed.push_back(std::make_unique_for_overwrite<char[]>(kBlock));
    std::memset(freed.back().get(), 1, kBlock);
    kept.push_back(std::make_unique_for_overwrite<char[]>(2'000));
  }
  freed.clear();
  const std::uint64_t before = resident();
  ReturnPace pace;
  EXPECT_TRUE(return_free_memory(pace, SteadyInstant{}));
  EXPECT_LT(resident(), before - 100 * kMiB);
}

}  // namespace
}  // namespace todoku::app
