// SPDX-License-Identifier: Apache-2.0
#include "delivery/letter_shelf.h"

#include <memory>
#include <utility>

#include <gtest/gtest.h>

namespace todoku::delivery {
namespace {

std::shared_ptr<const Letter> letter(std::int64_t delivery, std::size_t bytes) {
  Content content;
  content.from.address = "news@example.com";
  return std::make_shared<const Letter>(
      Letter{.delivery = store::DeliveryKey{delivery},
             .message = mime::MessageTemplate::build(std::move(content), {}).value(),
             .bytes = bytes});
}

bool is_at_hand(LetterShelf& shelf, std::int64_t delivery) {
  return shelf.find(store::DeliveryKey{delivery}) != nullptr;
}

TEST(LetterShelf, KeepsWhatWasUsedLast) {
  LetterShelf shelf(100);
  for (const int delivery : {1, 2, 3, 4}) (void)shelf.keep(letter(delivery, 25), 0);
  EXPECT_TRUE(is_at_hand(shelf, 1));
  (void)shelf.keep(letter(5, 20), 0);
  EXPECT_TRUE(is_at_hand(shelf, 1));
  EXPECT_FALSE(is_at_hand(shelf, 2));
  EXPECT_TRUE(is_at_hand(shelf, 5));
  EXPECT_EQ(shelf.bytes(), 95U);
}

TEST(LetterShelf, OneLargeLetterPushesNobodyOut) {
  LetterShelf shelf(100);
  for (const int delivery : {1, 2, 3, 4}) (void)shelf.keep(letter(delivery, 25), 0);
  (void)shelf.keep(letter(5, 1'000), 0);
  for (const int delivery : {1, 2, 3, 4}) EXPECT_TRUE(is_at_hand(shelf, delivery)) << delivery;
  EXPECT_EQ(shelf.bytes(), 100U);
}

TEST(LetterShelf, ALargeLetterIsSharedWhileItIsInUse) {
  LetterShelf shelf(100);
  auto used = shelf.keep(letter(1, 26), 0);
  EXPECT_EQ(shelf.find(store::DeliveryKey{1}), used);
  EXPECT_EQ(shelf.keep(letter(1, 26), 0), used) << "no second copy";
  used.reset();
  EXPECT_FALSE(is_at_hand(shelf, 1));
  used = shelf.keep(letter(1, 26), 0);
  EXPECT_TRUE(is_at_hand(shelf, 1));
}

TEST(LetterShelf, WhatIsMadeOfWhatWasBeforeIsNotKeptOnceItIsCleared) {
  LetterShelf shelf(100);
  (void)shelf.keep(letter(1, 10), 0);
  const auto large = shelf.keep(letter(2, 1'000), 0);
  shelf.clear();
  EXPECT_FALSE(is_at_hand(shelf, 1));
  EXPECT_FALSE(is_at_hand(shelf, 2)) << "though it is in use";
  EXPECT_EQ(shelf.bytes(), 0U);
  EXPECT_NE(shelf.keep(letter(1, 10), 0), nullptr);
  EXPECT_FALSE(is_at_hand(shelf, 1)) << "begun before";
  (void)shelf.keep(letter(1, 10), shelf.cleared());
  EXPECT_TRUE(is_at_hand(shelf, 1));
}

TEST(LetterShelf, TheFirstOfTwoThatAreMadeAtOnceIsUsed) {
  LetterShelf shelf(100);
  const auto first = shelf.keep(letter(1, 10), 0);
  EXPECT_EQ(shelf.keep(letter(1, 10), 0), first);
  EXPECT_EQ(shelf.bytes(), 10U);
}

}  // namespace
}  // namespace todoku::delivery
