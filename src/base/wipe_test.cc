// SPDX-License-Identifier: Apache-2.0
#include "base/wipe.h"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

namespace todoku {
namespace {

// Whether there is a mark of a secret at these places: several octets of it, since a single one may
// be a part of an address.
bool is_marked(const char* at, std::size_t size) {
  return std::search_n(at, at + size, 4, '#') != at + size;
}

TEST(Wipe, EmptiesATextAndAllOfItsMemory) {
  for (const std::size_t size : {std::size_t{5}, std::size_t{500}}) {
    std::string text(size, '#');
    const std::size_t capacity = text.capacity();
    text.resize(2);
    wipe(text);
    EXPECT_TRUE(text.empty());
    ASSERT_EQ(text.capacity(), capacity);
    text.resize(capacity, ' ');
    EXPECT_FALSE(is_marked(text.data(), capacity));
  }
}

TEST(Wipe, OverwritesMemoryAsItIs) {
  std::array<char, 9> memory{};
  memory.fill('#');
  wipe({memory.data() + 1, 7});
  EXPECT_FALSE(is_marked(memory.data() + 1, 7));
  EXPECT_EQ(std::ranges::count(memory, '#'), 2);
  EXPECT_EQ(memory.front(), '#');
  EXPECT_EQ(memory.back(), '#');
  wipe(std::span<char>());
}

TEST(Wipe, ASecretTextLeavesNothingWhereItCameFrom) {
  std::string given(10, '#');  // short: copied, not handed over
  SecretText first(std::move(given));
  EXPECT_TRUE(given.empty());  // NOLINT(bugprone-use-after-move): that is the question
  EXPECT_FALSE(is_marked(given.data(), 10));
  const char* const there = first.view().data();
  SecretText second(std::move(first));
  EXPECT_EQ(second, std::string(10, '#'));
  EXPECT_FALSE(is_marked(there, 10));
}

TEST(Wipe, ASecretTextIsWipedWhenItGoes) {
  alignas(SecretText) std::array<std::byte, sizeof(SecretText)> place{};
  auto* const secret = new (place.data()) SecretText(std::string(10, '#'));
  const auto* const octets = reinterpret_cast<const char*>(place.data());
  ASSERT_TRUE(is_marked(octets, place.size()));
  secret->~SecretText();
  EXPECT_FALSE(is_marked(octets, place.size()));
}

}  // namespace
}  // namespace todoku
