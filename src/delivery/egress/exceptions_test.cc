// SPDX-License-Identifier: Apache-2.0
// The n-th call of what lanes lean on - time, the dialler, the recorder of outcomes, memory for a
// large mail - throws, for n = 1, 2, 3, ... until a run passes untouched; or some in a row from the
// n-th on, so that each is among them once. Each time every place is free afterwards, every mail is
// settled or parked, once, and one that has arrived is delivered or in doubt.
#include <atomic>
#include <tuple>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "delivery/egress/lane_test_world.h"
#include "support/asked_for_memory.h"

namespace todoku::delivery::egress {
namespace {

std::atomic<Fault*> the_fault{nullptr};

}  // namespace
}  // namespace todoku::delivery::egress

void todoku::before_memory_is_given(std::size_t octets) {
  using namespace todoku::delivery::egress;
  if (octets < kLarge || !of_the_engine()) return;
  if (Fault* fault = the_fault.load()) fault->point(Seam::memory);
}

namespace todoku::delivery::egress {
namespace {

// False once there was no n-th call.
bool throw_at(unsigned seams, std::int64_t n, std::int64_t count, std::size_t places,
              bool adaptive) {
  SCOPED_TRACE(fmt::format("{} calls from the {}th on, {} places", count, n, places));
  Fault fault{.seams = seams, .at = n, .count = count};
  const std::size_t thrown_before = async::unhandled_exceptions();
  const SteadyInstant began = SystemClock().steady_now();
  LaneTestWorld world(fault, places);
  if (adaptive) world.adapt();
  the_fault = &fault;
  world.send();
  world.tidy_until_all_is_told();
  world.drain();
  const bool hit = fault.hit();
  EXPECT_EQ(async::unhandled_exceptions() > thrown_before, hit) << "it is told";
  // What a connection gives back does not wait until an idle one has had enough; who is not woken
  // for want of memory finds its room when its patience ends (composing_memory.cc).
  const policy::SiteLimits usual;
  const Milliseconds patience =
      (seams & Seam::memory) != 0 ? delivery::Options().composing_patience : Milliseconds(0);
  EXPECT_LT(SystemClock().steady_now() - began, Microseconds(usual.idle + patience));
  the_fault = nullptr;
  fault.seams = 0;
  world.tidy_and_wait();  // the last rounds may be among those that failed
  world.check_that_all_is_free();
  world.check_mails();
  return hit;
}

class LaneExceptions : public ::testing::TestWithParam<std::tuple<Seam, int, std::size_t, bool>> {};

TEST_P(LaneExceptions, LeakNeitherPlacesNorMails) {
  const auto [seam, count, places, adaptive] = GetParam();
#ifdef TODOKU_MEMORY_IS_NEVER_REFUSED
  if (seam == Seam::memory) GTEST_SKIP();
#endif
  std::int64_t n = 1;
  while (n < 2'000 && throw_at(seam, n, count, places, adaptive) && !HasFailure()) n += count;
  fmt::print("{} calls threw in turn\n", n - 1);
  EXPECT_GT(n, 1);
}

INSTANTIATE_TEST_SUITE_P(Seams, LaneExceptions,
                         ::testing::Values(std::tuple{Seam::time_of_day, 1, 2U, false},
                                           std::tuple{Seam::time_of_day, 3, 8U, false},
                                           std::tuple{Seam::dialler, 1, 1U, false},
                                           std::tuple{Seam::dialler, 2, 2U, false},
                                           std::tuple{Seam::recorder, 1, 1U, false},
                                           std::tuple{Seam::recorder, 4, 8U, false},
                                           std::tuple{Seam::memory, 1, 2U, false},
                                           std::tuple{Seam::memory, 2, 1U, false},
                                           std::tuple{Seam::every, 5, 2U, false},
                                           std::tuple{Seam::every, 25, 2U, true}));

}  // namespace
}  // namespace todoku::delivery::egress
