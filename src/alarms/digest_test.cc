// SPDX-License-Identifier: Apache-2.0
#include "alarms/digest.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace todoku::alarms {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class DigestTest : public ::testing::Test {
 protected:
  void happened(std::string_view event, std::string detail = "reason=x") {
    happened(AlarmName{.event = event}, std::move(detail));
  }
  void happened(AlarmName name, std::string detail = "reason=x") {
    digest_.happened(clock_.now(), clock_.steady_now(), name, std::move(detail));
  }
  void ended(std::string_view event) { ended(AlarmName{.event = event}); }
  void ended(AlarmName name) { digest_.ended(clock_.now(), clock_.steady_now(), name); }
  std::optional<Report> due() { return digest_.due(clock_.steady_now()); }
  // What is told now.
  Report told() {
    const auto report = due();
    EXPECT_TRUE(report);
    if (!report) return {};
    digest_.told(clock_.steady_now(), *report);
    return *report;
  }

  FakeClock clock_;
  Digest digest_{DigestOptions{.gather = 30s, .every = 15min}};
};

TEST_F(DigestTest, WhatComesTogetherIsToldTogetherAndThenNoMoreOftenThanWished) {
  EXPECT_FALSE(due());
  happened("commits fail");
  EXPECT_FALSE(due()) << "what belongs to it may follow";
  clock_.advance(20s);
  happened("lease not renewed");
  clock_.advance(9s);
  EXPECT_FALSE(due());
  clock_.advance(1s);
  EXPECT_THAT(told().alarms, ElementsAre(Field(&Alarm::event, "commits fail"),
                                         Field(&Alarm::event, "lease not renewed")));
  EXPECT_FALSE(due());
  clock_.advance(1h);
  EXPECT_FALSE(due()) << "nothing is new";
  happened("commits fail");
  clock_.advance(30s);
  EXPECT_THAT(told().alarms, SizeIs(1)) << "nothing was told for long";
  happened("commits fail", "reason=full");
  happened("commits fail", "reason=empty");
  clock_.advance(14min);
  EXPECT_FALSE(due());
  clock_.advance(1min);
  const Report report = told();
  ASSERT_THAT(report.alarms, SizeIs(1));
  EXPECT_EQ(report.alarms[0].count, 2);
  EXPECT_EQ(report.alarms[0].detail, "reason=empty");
}

TEST_F(DigestTest, DetailsThatDifferAreToldTogether) {
  happened("probe missed", "mailbox=a");
  happened("probe missed", "mailbox=b");
  happened("probe missed", "mailbox=a");
  happened("probe missed", "mailbox=c");
  clock_.advance(30s);
  Report report = told();
  ASSERT_THAT(report.alarms, SizeIs(1));
  EXPECT_EQ(report.alarms[0].detail, "mailbox=c");
  EXPECT_THAT(report.alarms[0].earlier, ElementsAre("mailbox=b", "mailbox=a"));
  for (int i = 0; i < 10; ++i) happened("probe missed", fmt::format("mailbox={}", i));
  clock_.advance(15min);
  report = told();
  ASSERT_THAT(report.alarms, SizeIs(1));
  EXPECT_EQ(report.alarms[0].detail, "mailbox=9");
  EXPECT_THAT(report.alarms[0].earlier,
              ElementsAre("mailbox=5", "mailbox=6", "mailbox=7", "mailbox=8"));
}

TEST_F(DigestTest, ThatItIsOverIsToldOnce) {
  ended("never began");
  clock_.advance(1min);
  EXPECT_FALSE(due());
  happened("commits fail");
  clock_.advance(30s);
  (void)told();
  clock_.advance(1h);
  ended("commits fail");
  ended("commits fail");
  clock_.advance(30s);
  Report report = told();
  EXPECT_THAT(report.alarms, IsEmpty());
  EXPECT_THAT(report.over, ElementsAre(Field(&Alarm::event, "commits fail")));
  clock_.advance(1h);
  EXPECT_FALSE(due());
  ended("commits fail");
  clock_.advance(1h);
  EXPECT_FALSE(due());
}

TEST_F(DigestTest, OfSeveralOfAKindOneMayBeOverWhileAnotherLasts) {
  const AlarmName cleaning{.event = "step fails", .about = "cleaning"};
  const AlarmName counting{.event = "step fails", .about = "counting"};
  happened(cleaning);
  happened(counting);
  clock_.advance(30s);
  EXPECT_THAT(told().alarms,
              ElementsAre(Field(&Alarm::about, "cleaning"), Field(&Alarm::about, "counting")));
  ended(cleaning);
  clock_.advance(15min);
  const Report report = told();
  EXPECT_THAT(report.alarms, IsEmpty());
  EXPECT_THAT(report.over, ElementsAre(Field(&Alarm::about, "cleaning")));
  ended(counting);
  clock_.advance(15min);
  EXPECT_THAT(told().over, ElementsAre(Field(&Alarm::about, "counting")));
}

TEST_F(DigestTest, WhatIsNotDueYetIsUntold) {
  EXPECT_FALSE(digest_.untold());
  happened("commits fail");
  EXPECT_FALSE(due());
  const auto report = digest_.untold();
  ASSERT_TRUE(report);
  EXPECT_THAT(report->alarms, ElementsAre(Field(&Alarm::event, "commits fail")));
  digest_.told(clock_.steady_now(), *report);
  EXPECT_FALSE(digest_.untold());
}

TEST_F(DigestTest, WhatBeginsAnewWhileItsEndIsToldIsAnAlarm) {
  happened("commits fail");
  ended("commits fail");
  clock_.advance(30s);
  const auto report = due();
  ASSERT_TRUE(report);
  EXPECT_THAT(report->over, SizeIs(1));
  happened("commits fail");
  digest_.told(clock_.steady_now(), *report);
  clock_.advance(15min);
  EXPECT_THAT(told().alarms, SizeIs(1));
}

TEST_F(DigestTest, AReportThatFailsIsTriedAgainEverLaterAndLosesNothing) {
  happened("commits fail");
  clock_.advance(30s);
  for (const auto wait : {1min, 2min, 4min, 8min, 16min, 16min}) {
    ASSERT_TRUE(due());
    digest_.failed(clock_.steady_now());
    happened("commits fail");
    clock_.advance(wait - 1s);
    EXPECT_FALSE(due());
    clock_.advance(1s);
  }
  EXPECT_EQ(told().alarms.at(0).count, 7);
}

TEST_F(DigestTest, IsBoundedWhateverHappens) {
  for (int i = 0; i < 1'000; ++i) happened(fmt::format("event {}", i), std::string(10'000, 'x'));
  clock_.advance(30s);
  const Report report = told();
  EXPECT_THAT(report.alarms, SizeIs(kAlarmsMax));
  EXPECT_EQ(report.others, 1'000 - static_cast<std::int64_t>(kAlarmsMax));
  EXPECT_EQ(report.alarms[0].detail.size(), kDetailOctetsMax);
  clock_.advance(1h);
  EXPECT_FALSE(due());
}

}  // namespace
}  // namespace todoku::alarms
