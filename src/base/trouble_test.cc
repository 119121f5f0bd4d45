// SPDX-License-Identifier: Apache-2.0
#include "base/trouble.h"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku {
namespace {

using ::testing::ElementsAre;

struct TroubleTest : testing::Test {
  TroubleTest() {
    log::capture_this_thread([this](log::Level, std::string_view event, log::Fields fields) {
      lines.emplace_back(event);
      for (const log::Field& field : fields) {
        if (field.name == "seconds") seconds = std::get<std::int64_t>(field.value);
      }
    });
  }
  ~TroubleTest() override { log::capture_this_thread({}); }
  void fails() { trouble.failed(clock.steady_now(), {{"reason", "full"}}); }
  void works() { trouble.worked(clock.steady_now()); }

  FakeClock clock;
  Trouble trouble{log::Level::error, "it fails", "it works again"};
  std::vector<std::string> lines;
  std::int64_t seconds = -1;
};

TEST_F(TroubleTest, IsSaidOnceAndOnceThatItIsOver) {
  works();
  for (int i = 0; i < 100; ++i) {
    fails();
    clock.advance(std::chrono::seconds(1));
  }
  EXPECT_THAT(lines, ElementsAre("it fails"));
  clock.advance(Trouble::kQuiet);
  works();
  works();
  EXPECT_THAT(lines, ElementsAre("it fails", "it works again"));
}

TEST_F(TroubleTest, LastsUntilItIsDoneAgainHoweverSeldomItIsTried) {
  fails();
  clock.advance(std::chrono::seconds(60));
  works();
  EXPECT_THAT(lines, ElementsAre("it fails", "it works again"));
  EXPECT_EQ(seconds, 60);
  fails();
  clock.advance(std::chrono::seconds(3));
  works();
  clock.advance(Trouble::kQuiet);
  works();
  EXPECT_EQ(seconds, 3) << "the quiet after it is no part of it";
}

TEST_F(TroubleTest, DoesNotFlapWhileItFailsNowAndThen) {
  for (int i = 0; i < 100; ++i) {
    fails();
    clock.advance(std::chrono::seconds(1));
    works();
  }
  EXPECT_THAT(lines, ElementsAre("it fails"));
  clock.advance(Trouble::kQuiet);
  works();
  fails();
  EXPECT_THAT(lines, ElementsAre("it fails", "it works again", "it fails"));
}

}  // namespace
}  // namespace todoku
