// SPDX-License-Identifier: Apache-2.0
#include "queue/store/poll_pace.h"

#include <gtest/gtest.h>

namespace todoku::queue {
namespace {

using namespace std::chrono_literals;

class PollPaceTest : public testing::Test {
 protected:
  // Until the store is asked again after this answer at once when it was time.
  Microseconds answered(bool had_bells) {
    now_ = std::max(now_, pace_.next());
    pace_.answered(had_bells, now_, random_);
    return std::chrono::duration_cast<Microseconds>(pace_.next() - now_);
  }

  SeededRandom random_{7};
  PollPace pace_{PollPace::Bounds{}};
  SteadyInstant now_{};
};

TEST_F(PollPaceTest, AsksSoonAgainWhileThereAreBells) {
  for (int i = 0; i < 100; ++i) {
    const Microseconds wait = answered(true);
    EXPECT_GE(wait, 20ms);
    EXPECT_LE(wait, 30ms);
  }
}

TEST_F(PollPaceTest, BacksOffWhileThereAreNoneAndComesBackAtOnce) {
  (void)answered(true);
  EXPECT_LE(answered(false), 60ms);
  EXPECT_GE(answered(false), 80ms);
  for (int i = 0; i < 3; ++i) (void)answered(false);
  for (int i = 0; i < 100; ++i) {
    const Microseconds wait = answered(false);
    EXPECT_GE(wait, 250ms);
    EXPECT_LE(wait, 375ms);
  }
  EXPECT_LE(answered(true), 30ms);
}

TEST_F(PollPaceTest, ProcessesThatStartTogetherDoNotAskTogether) {
  PollPace other{PollPace::Bounds{}};
  SeededRandom its{8};
  (void)answered(false);
  other.answered(false, SteadyInstant{}, its);
  EXPECT_NE(other.next(), pace_.next());
}

}  // namespace
}  // namespace todoku::queue
