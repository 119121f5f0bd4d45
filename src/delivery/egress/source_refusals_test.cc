// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/source_refusals.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"

namespace todoku::delivery::egress {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct SourceRefusalsTest : testing::Test {
  SourceRefusalsTest() {
    log::capture_this_thread([this](log::Level level, std::string_view event, log::Fields) {
      lines.push_back(fmt::format("{}: {}", level == log::Level::error ? "error" : "info", event));
    });
  }
  ~SourceRefusalsTest() override { log::capture_this_thread({}); }

  SourceRefusals refusals;
  const Reply reply{554, "no"};
  const SteadyInstant now{1h};
  std::vector<std::string> lines;
};

TEST_F(SourceRefusalsTest, AreToldOnceForEachPlaceAndOnceThatTheyAreOver) {
  refusals.mail_taken("ses", "smtp.example", now);
  EXPECT_THAT(lines, IsEmpty());
  refusals.smarthost_refuses("ses", "smtp.example", reply, now);
  refusals.smarthost_refuses("ses", "smtp.example", reply, now + 1s);
  refusals.address_refused("main", "gmail", reply, now + 1s);
  refusals.address_refused("main", "docomo", reply, now + 2s);
  refusals.mail_taken("main", "au", now + 2s);
  refusals.mail_taken("main", "gmail", now + 3s);
  refusals.mail_taken("main", "gmail", now + 4s);
  refusals.mail_taken("ses", "smtp.example", now + 5s);
  EXPECT_THAT(lines, ElementsAre("error: a smarthost refuses this source",
                                 "error: a receiver refuses a source as blocklisted",
                                 "error: a receiver refuses a source as blocklisted",
                                 "info: a receiver takes mail of the source again",
                                 "info: the smarthost takes this source's mail again"));
}

TEST_F(SourceRefusalsTest, OfSendersAreToldOnceAnHour) {
  refusals.sender_refused("ses", "smtp.example", reply, now);
  refusals.mail_taken("ses", "smtp.example", now);
  refusals.sender_refused("ses", "smtp.example", reply, now + 59min);
  EXPECT_EQ(lines.size(), 1U);
  refusals.sender_refused("ses", "smtp.example", reply, now + 1h);
  EXPECT_EQ(lines.size(), 2U);
}

TEST_F(SourceRefusalsTest, AreBounded) {
  for (std::size_t i = 0; i <= SourceRefusals::kMost; ++i) {
    refusals.address_refused("main", fmt::format("site{}", i), reply, now);
  }
  EXPECT_EQ(lines.size(), SourceRefusals::kMost);
  refusals.smarthost_refuses("ses", "smtp.example", reply, now);
  EXPECT_EQ(lines.size(), SourceRefusals::kMost + 1) << "a smarthost is told all the same";
}

TEST_F(SourceRefusalsTest, AreOverWhenNobodyHasSaidSoForADay) {
  constexpr auto kDay = SourceRefusals::kRemembered;
  for (std::size_t i = 0; i < SourceRefusals::kMost; ++i) {
    refusals.address_refused("main", fmt::format("site{}", i), reply, now);
  }
  refusals.address_refused("main", "site7", reply, now + kDay - 1min);
  lines.clear();
  const SteadyInstant later = now + kDay + 10min;
  refusals.address_refused("main", "another", reply, later);
  EXPECT_EQ(std::ranges::count(lines, "info: a source has not been refused for a day"),
            static_cast<std::ptrdiff_t>(SourceRefusals::kMost - 1))
      << "all but the one that was heard of again";
  EXPECT_EQ(lines.back(), "error: a receiver refuses a source as blocklisted");
  lines.clear();
  refusals.address_refused("main", "site7", reply, later);
  EXPECT_THAT(lines, IsEmpty()) << "it is known";
  refusals.address_refused("main", "site8", reply, later);
  EXPECT_THAT(lines, ElementsAre("error: a receiver refuses a source as blocklisted"));
}

TEST_F(SourceRefusalsTest, AreForgottenWhileOthersMailIsTaken) {
  refusals.smarthost_refuses("ses", "smtp.example", reply, now);
  refusals.mail_taken("main", "au", now + SourceRefusals::kRemembered - 1s);
  EXPECT_EQ(lines.size(), 1U);
  refusals.mail_taken("main", "au", now + SourceRefusals::kRemembered + 10min);
  EXPECT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines.back(), "info: a source has not been refused for a day");
}

}  // namespace
}  // namespace todoku::delivery::egress
