// SPDX-License-Identifier: Apache-2.0
#include "alarms/alarmer.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "alarms/letter.h"
#include "async/runtime.h"
#include "base/bytes.h"
#include "base/log.h"

namespace todoku::alarms {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct AlarmerTest : ::testing::Test {
  AlarmerTest() {
    world.ways.push_back({.name = "mail", .tell = [this](const Report& report, const auto&) {
                            mailed.push_back(subject_of(report, "mail1"));
                            return Result<std::vector<std::string>>(missed);
                          }});
    world.ways.push_back({.name = "webhook", .tell = [this](const Report& report, const auto&) {
                            return call(report);
                          }});
  }
  Result<std::vector<std::string>> call(const Report& report) {
    if (closed) return fail(ErrorKind::unavailable, "closed");
    called.push_back(alarm_json(report, "mail1"));
    return std::vector<std::string>();
  }
  Task<void> begin_and_end() {
    Alarmer alarmer(world, {.digest = {}, .warnings = {"probe missed"}},
                    co_await boost::asio::this_coro::executor);
    alarmer.hear(log::Level::warning, "of no interest", {});
    alarmer.hear(log::Level::info, "nothing", {{"ends", "of no interest"}});
    alarmer.hear(log::Level::error, "commits fail", {{"reason", "disk full"}, {"store", 7}});
    alarmer.hear(log::Level::info, "probe missed", {{"mailbox", "not worth a word"}});
    alarmer.hear(log::Level::warning, "probe missed", {{"mailbox", "yahoo"}});
    alarmer.hear(log::Level::warning, "probe missed", {{"mailbox", "gmail"}});
    clock.advance(30s);
    const int first = co_await alarmer.look();
    EXPECT_EQ(first, 1);
    alarmer.hear(log::Level::info, "commits succeed again", {{"ends", "commits fail"}});
    clock.advance(15min);
    closed = false;
    const int second = co_await alarmer.look();
    EXPECT_EQ(second, 2);
  }

  Task<void> gather_and_end() {
    Alarmer alarmer(world, {.digest = {}, .warnings = {}},
                    co_await boost::asio::this_coro::executor);
    alarmer.hear(log::Level::error, "step fails", {{"about", "one"}, {"reason", "x"}});
    alarmer.hear(log::Level::error, "step fails", {{"about", "two"}, {"reason", "x"}});
    alarmer.hear(log::Level::info, "step works", {{"about", "one"}, {"ends", "step fails"}});
    const int early = co_await alarmer.look();
    EXPECT_EQ(early, 0);
    const int last = co_await alarmer.last_look();
    EXPECT_EQ(last, 1) << "the other way is closed";
    const int again = co_await alarmer.last_look();
    EXPECT_EQ(again, 0);
  }

  Task<void> begin_and_be_refused() {
    Alarmer alarmer(world, {.digest = {}, .warnings = {}},
                    co_await boost::asio::this_coro::executor);
    for (int i = 0; i < 2; ++i) {
      alarmer.hear(log::Level::error, "commits fail", {});
      clock.advance(15min);
      const int told = co_await alarmer.look();
      EXPECT_EQ(told, 2) << "for the others it is told";
    }
  }

  FakeClock clock;
  Metrics metrics;
  Alarmer::World world{.clock = clock, .metrics = metrics, .ways = {}};
  std::vector<std::string> missed;
  std::vector<std::string> mailed;
  std::vector<std::string> called;
  bool closed = true;
};

TEST_F(AlarmerTest, TellsErrorsChosenWarningsAndTheirEndByEachWay) {
  async::run_to_completion(begin_and_end());
  EXPECT_THAT(mailed, ElementsAre("todoku on mail1: 2 alarms", "todoku on mail1: 1 over"));
  ASSERT_EQ(called.size(), 1U);
  EXPECT_THAT(called[0],
              HasSubstr(R"("detail":"mailbox=gmail","earlier":["mailbox=yahoo"],"count":2)"));
  EXPECT_THAT(called[0], HasSubstr(R"("detail":"reason=disk full store=7")"));
}

TEST_F(AlarmerTest, ThatAnAddressIsRefusedIsAWarningWithItsNameAndNoRepeat) {
  std::vector<std::string> lines;
  log::capture_this_thread([&](log::Level level, std::string_view event, log::Fields fields) {
    lines.push_back(fmt::format("{} {}", level == log::Level::warning, event));
    for (const log::Field& field : fields) {
      if (const auto* text = std::get_if<std::string_view>(&field.value)) {
        lines.back() += fmt::format(" {}={}", field.name, *text);
      }
    }
  });
  missed = {"left@example.com: 550 5.1.1 nobody"};
  closed = false;
  async::run_to_completion(begin_and_be_refused());
  log::capture_this_thread({});
  EXPECT_THAT(mailed, ElementsAre("todoku on mail1: 1 alarm", "todoku on mail1: 1 alarm"));
  EXPECT_THAT(lines, ElementsAre("true an address is not told of alarms way=mail "
                                 "refused=left@example.com: 550 5.1.1 nobody"));
}

TEST_F(AlarmerTest, WhatIsGatheredIsToldAtTheEndEachByWhatItIsAbout) {
  async::run_to_completion(gather_and_end());
  EXPECT_THAT(mailed, ElementsAre("todoku on mail1: 1 alarm, 1 over"));
}

TEST(AlarmMail, IsOneThatEveryServerTakes) {
  Report report;
  report.alarms.push_back({.event = "commits fail",
                           .detail = "理由=" + std::string(300, 'x'),
                           .count = 2,
                           .first = from_epoch_ms(0),
                           .last = from_epoch_ms(60'000)});
  report.others = 3;
  const std::string mail = alarm_mail(report,
                                      {.host = "mail1",
                                       .from = "todoku@example.jp",
                                       .to = {"a@example.com", "b@example.com"},
                                       .message_id = "x@mail1"},
                                      from_epoch_ms(1'767'225'600'000));
  EXPECT_TRUE(is_ascii(mail));
  EXPECT_THAT(mail, HasSubstr("Subject: todoku on mail1: 2 alarms\r\n"));
  EXPECT_THAT(mail, HasSubstr("To: <a@example.com>,\r\n <b@example.com>\r\n"));
  EXPECT_THAT(mail, HasSubstr("Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"));
  EXPECT_THAT(mail, HasSubstr("Auto-Submitted: auto-generated\r\n"));
  std::string_view rest = mail;
  while (!rest.empty()) {
    const std::size_t end = rest.find("\r\n");
    ASSERT_NE(end, std::string_view::npos) << "each line ends as lines of mail do";
    EXPECT_LE(end, 78U);
    EXPECT_THAT(std::string(rest.substr(0, end)), Not(HasSubstr("\n")));
    rest.remove_prefix(end + 2);
  }
}

}  // namespace
}  // namespace todoku::alarms
