// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_host.h"

namespace todoku::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

doctor::Finding of_source(std::string_view code, doctor::Outcome outcome) {
  return {.code = code,
          .outcome = outcome,
          .subject = "tokyo1",
          .minded_by = {doctor::Receiver::gmail, doctor::Receiver::docomo},
          .sentence = {"192.0.2.4 has no name", "192.0.2.4 に逆引きがない"},
          .why = {"mail is refused", "拒否される"},
          .found = "nothing",
          .expected = "mx1.example.jp",
          .paste = "4.2.0.192.in-addr.arpa. IN PTR mx1.example.jp.\n",
          .advice = {"ask the provider", "提供元に頼む"}};
}

TEST_F(CommandLineTest, DoctorTellsWhatIsWrongAndWhatToDo) {
  host.findings = {of_source("ptr_missing", doctor::Outcome::fail)};
  EXPECT_EQ(run({"doctor", "--source", "tokyo1", "--resolver", "192.0.2.53"}), 1);
  EXPECT_EQ(host.its_examination.source, "tokyo1");
  EXPECT_EQ(host.its_examination.resolver, "192.0.2.53");
  EXPECT_EQ(out.str(),
            "tokyo1\n  [FAIL] 192.0.2.4 has no name\n      why: mail is refused\n"
            "      who minds: Gmail, docomo\n      found: nothing\n"
            "      expected: mx1.example.jp\n      do: ask the provider\n"
            "4.2.0.192.in-addr.arpa. IN PTR mx1.example.jp.\n"
            "1 fail, 0 not determined, 0 warnings, 0 pass\n");
  EXPECT_EQ(run({"doctor", "--lang", "ja"}), 1);
  EXPECT_THAT(out.str(), HasSubstr("[不合格] 192.0.2.4 に逆引きがない"));
  EXPECT_THAT(out.str(), HasSubstr("ドコモ"));
  EXPECT_EQ(run({"--json", "doctor"}), 1);
  EXPECT_THAT(out.str(), HasSubstr(R"("outcome":"fail","findings":[{"code":"ptr_missing")"));
  EXPECT_THAT(out.str(), HasSubstr(R"("minded_by":["gmail","docomo"])"));
}

TEST_F(CommandLineTest, DoctorEndsWithTheWorst) {
  host.findings = {of_source("ptr_present", doctor::Outcome::pass)};
  EXPECT_EQ(run({"doctor"}), 0);
  EXPECT_THAT(out.str(), Not(HasSubstr("why"))) << "what is good needs no reasons";
  host.findings.push_back(of_source("ptr_generic", doctor::Outcome::warning));
  EXPECT_EQ(run({"doctor"}), 0);
  host.findings.push_back(of_source("hello_unanswered", doctor::Outcome::not_determined));
  EXPECT_EQ(run({"doctor"}), 2);
  host.findings.push_back(of_source("port_25_closed", doctor::Outcome::fail));
  EXPECT_EQ(run({"doctor"}), 1);
  EXPECT_EQ(run({"doctor", "--source", "nobody"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("there is no source nobody"));
}

TEST_F(CommandLineTest, AlarmsAreTriedAndSayWhatHappened) {
  EXPECT_EQ(run({"alarms", "test"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("nobody is told of alarms"));
  host.findings = {of_source("alarm_told", doctor::Outcome::pass)};
  EXPECT_EQ(run({"alarms", "test"}), 0);
  host.findings.push_back(of_source("alarm_address_refused", doctor::Outcome::fail));
  EXPECT_EQ(run({"--json", "alarms", "test"}), 1);
  EXPECT_THAT(out.str(), HasSubstr("alarm_address_refused"));
}

}  // namespace
}  // namespace todoku::cli
