// SPDX-License-Identifier: Apache-2.0
#include "base/turn_queue.h"

#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace todoku {
namespace {

std::string all_of(TurnQueue<char>& queue) {
  std::string order;
  while (queue.size() > 0) {
    const auto taken = queue.pop();
    order += taken->item;
    queue.done(taken->owner);
  }
  return order;
}

TEST(TurnQueue, OwnersTakeTurnsAndTheirOwnThingsKeepTheirOrder) {
  TurnQueue<char> queue({.all = 10, .of_owner = 10});
  for (const char c : {'a', 'b', 'c', 'd'}) EXPECT_TRUE(queue.try_push(1, char{c}));
  EXPECT_TRUE(queue.try_push(7, 'x'));
  EXPECT_TRUE(queue.try_push(-3, 'y'));
  EXPECT_EQ(all_of(queue), "axybcd");
}

TEST(TurnQueue, WaitsNoLongerThanItIsToldTo) {
  TurnQueue<char> queue({.all = 2, .of_owner = 2});
  EXPECT_FALSE(queue.pop_within(std::chrono::milliseconds(1)));
  ASSERT_TRUE(queue.try_push(1, 'a'));
  EXPECT_EQ(queue.pop_within(std::chrono::hours(1))->item, 'a');
  queue.done(1);
  queue.close();
  EXPECT_FALSE(queue.pop_within(std::chrono::hours(1)));
}

TEST(TurnQueue, IsBoundedForAllAndForEach) {
  TurnQueue<std::unique_ptr<int>> queue({.all = 3, .of_owner = 2});
  const auto push = [&](std::int64_t owner) {
    auto thing = std::make_unique<int>(1);
    const bool taken = queue.try_push(owner, std::move(thing));
    EXPECT_EQ(thing == nullptr, taken) << "what is not taken is untouched";
    return taken;
  };
  EXPECT_TRUE(push(1));
  EXPECT_TRUE(push(1));
  EXPECT_FALSE(push(1));
  EXPECT_TRUE(push(2));
  EXPECT_FALSE(push(3));
  EXPECT_EQ(queue.size(), 3U);
}

TEST(TurnQueue, WhatMustNotBeRefusedWaitsBeyondTheLimits) {
  TurnQueue<char> queue({.all = 1, .of_owner = 1});
  for (const char c : {'a', 'b', 'c'}) EXPECT_TRUE(queue.push_beyond_limits(1, char{c}));
  EXPECT_FALSE(queue.try_push(2, 'x'));
  EXPECT_EQ(all_of(queue), "abc");
  queue.close();
  EXPECT_FALSE(queue.push_beyond_limits(1, 'd'));
}

TEST(TurnQueue, OfOneOwnerNoMoreAreAtWorkThanMayBe) {
  TurnQueue<char> queue({.all = 10, .of_owner = 10, .at_work_of_owner = 1});
  for (const char c : {'a', 'b'}) EXPECT_TRUE(queue.try_push(1, char{c}));
  EXPECT_TRUE(queue.try_push(2, 'x'));
  EXPECT_EQ(queue.pop()->item, 'a');
  EXPECT_EQ(queue.pop()->item, 'x');
  queue.close();
  std::thread second([&] {
    EXPECT_EQ(queue.pop()->item, 'b');  // once 'a' is done
    EXPECT_FALSE(queue.pop());
  });
  queue.done(1);
  second.join();
  EXPECT_FALSE(queue.try_push(2, 'y'));
}

}  // namespace
}  // namespace todoku
