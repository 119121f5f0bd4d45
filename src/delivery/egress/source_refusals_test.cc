// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/source_refusals.h"

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
}

}  // namespace
}  // namespace todoku::delivery::egress
