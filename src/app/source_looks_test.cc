// SPDX-License-Identifier: Apache-2.0
#include "app/source_looks.h"

#include <gtest/gtest.h>

#include "support/installation.h"

namespace todoku::app {
namespace {

using doctor::Outcome;
using doctor::SourceCheck;

doctor::SourceLook look_at(std::string source, Outcome ptr, Outcome hello) {
  doctor::SourceLook look;
  look.source = std::move(source);
  look.seen[static_cast<std::size_t>(SourceCheck::ptr)].outcome = ptr;
  look.seen[static_cast<std::size_t>(SourceCheck::hello)].outcome = hello;
  return look;
}

TEST(SourceLooks, WhatIsToldIsHeardWithItsAge) {
  const Instant at = from_epoch_ms(1'780'000'000'000);
  const SteadyInstant steady = SteadyInstant() + std::chrono::hours(50);
  const auto packed = pack_look(look_at("one", Outcome::pass, Outcome::warning), at);
  const auto heard = unpack_look("one", packed, at + std::chrono::minutes(20), steady);
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->source, "one");
  EXPECT_EQ(heard->at, steady - std::chrono::minutes(20));
  EXPECT_TRUE(heard->is_whole);
  EXPECT_TRUE(heard->passed[static_cast<std::size_t>(SourceCheck::ptr)]);
  EXPECT_TRUE(heard->passed[static_cast<std::size_t>(SourceCheck::hello)]);
  EXPECT_FALSE(heard->passed[static_cast<std::size_t>(SourceCheck::port_25)]);
  EXPECT_EQ(unpack_look("one", packed, at - std::chrono::minutes(5), steady)->at, steady)
      << "a clock that was ahead";
  EXPECT_FALSE(
      unpack_look("one", pack_look(look_at("one", Outcome::fail, Outcome::pass), at), at, steady)
          ->is_whole);
  for (const char* other : {"", "x whole", "1780000000000", "1780000000000 resting ptr"}) {
    EXPECT_FALSE(unpack_look("one", other, at, steady)) << other;
  }
}

TEST(SourceLooks, OnlyOfOthersThatLiveAndTold) {
  TestStore installation;
  const std::vector<std::string> sources = {"one", "two", "silent"};
  ASSERT_TRUE(installation.store->write_and_wait(
      store::WritePriority::accept, [&](store::WriteTransaction& t) -> Result<void> {
        const auto node = t.enter_node({.name = "a", .roles = {}, .version = {}, .settings = {}});
        if (!node) return fail(node.error());
        return t.offer_sources(*node, sources);
      }));
  EXPECT_TRUE(
      run(tell_looks(*installation.store, {look_at("one", Outcome::pass, Outcome::pass),
                                           look_at("two", Outcome::pass, Outcome::pass),
                                           look_at("gone", Outcome::pass, Outcome::pass)})));
  const auto heard =
      run(looks_elsewhere(*installation.store, {"one"}, installation.clock.steady_now()));
  ASSERT_TRUE(heard);
  ASSERT_EQ(heard->size(), 1U);
  EXPECT_EQ(heard->at(0).source, "two");
}

}  // namespace
}  // namespace todoku::app
