// SPDX-License-Identifier: Apache-2.0
#include "sts/fetch_queue.h"

#include <string>

#include <gtest/gtest.h>

namespace todoku::sts {
namespace {

TEST(FetchQueue, NamesBelowOneDomainHaveFewOfThePlaces) {
  FetchQueue queue(8, 2);
  for (int i = 0; i < 100; ++i) queue.add("a" + std::to_string(i) + ".example.co.jp");
  queue.add("sample.co.jp");
  int of_many = 0;
  int of_one = 0;
  while (const auto domain = queue.next()) ++(*domain == "sample.co.jp" ? of_one : of_many);
  EXPECT_EQ(of_many, 2);
  EXPECT_EQ(of_one, 1);
  EXPECT_EQ(queue.waiting(), 98U);
  queue.done("sample.co.jp");
  EXPECT_FALSE(queue.next());
  queue.done("a0.example.co.jp");
  EXPECT_EQ(queue.next(), "a2.example.co.jp") << "in the order of arrival";
}

TEST(FetchQueue, DomainsTakeTurnsForThePlacesThatThereAre) {
  FetchQueue queue(1, 2);
  queue.add("a1.example.com");
  queue.add("a2.example.com");
  queue.add("example.jp");
  EXPECT_EQ(queue.next(), "a1.example.com");
  EXPECT_FALSE(queue.next());
  queue.done("a1.example.com");
  EXPECT_EQ(queue.next(), "example.jp");
  queue.done("example.jp");
  EXPECT_EQ(queue.next(), "a2.example.com");
  queue.done("a2.example.com");
  EXPECT_FALSE(queue.next());
}

TEST(FetchQueue, WhoLeavesIsNotFetched) {
  FetchQueue queue(2, 2);
  queue.add("a.example.com");
  queue.add("b.example.com");
  queue.remove("a.example.com");
  queue.remove("c.example.com");
  EXPECT_EQ(queue.waiting(), 1U);
  EXPECT_EQ(queue.next(), "b.example.com");
  EXPECT_EQ(queue.waiting(), 0U);
}

}  // namespace
}  // namespace todoku::sts
