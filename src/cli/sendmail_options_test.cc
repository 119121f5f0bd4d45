// SPDX-License-Identifier: Apache-2.0
#include "cli/sendmail_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Work = SendmailCommand::Work;

SendmailCommand parsed(const std::vector<std::string>& words) {
  auto command = parse_sendmail(words);
  EXPECT_TRUE(command) << command.error().en;
  return command ? std::move(*command) : SendmailCommand{};
}
std::string refused(const std::vector<std::string>& words) {
  const auto command = parse_sendmail(words);
  return command ? "taken" : command.error().en;
}

TEST(SendmailOptions, ThoseOfPhpAndCronAreTaken) {
  const auto php = parsed({"-t", "-i", "-fshop@example.jp"});
  EXPECT_TRUE(php.reads_recipients);
  EXPECT_FALSE(php.dot_ends);
  EXPECT_EQ(php.sender, "shop@example.jp");
  const auto cron = parsed({"-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"});
  EXPECT_EQ(cron.name, "CronDaemon");
  EXPECT_THAT(cron.recipients, ElementsAre("root"));
  EXPECT_FALSE(cron.dot_ends);
}

TEST(SendmailOptions, LettersStandTogetherAndValuesApart) {
  const auto both = parsed({"-ti", "-f", "a@example.jp", "-F", "A B", "-r", ""});
  EXPECT_TRUE(both.reads_recipients);
  EXPECT_FALSE(both.dot_ends);
  EXPECT_EQ(both.name, "A B");
  EXPECT_EQ(both.sender, "") << "-r is -f, and the null path is one";
  EXPECT_EQ(parsed({"-vfa@example.jp"}).sender, "a@example.jp");
}

TEST(SendmailOptions, RecipientsMayStandBeforeOptionsAndBehindADoubleDash) {
  const auto mixed = parsed({"a@example.jp", "-oi", "b@example.jp", "--", "-t", "--"});
  EXPECT_THAT(mixed.recipients, ElementsAre("a@example.jp", "b@example.jp", "-t", "--"));
  EXPECT_FALSE(mixed.dot_ends);
  EXPECT_FALSE(mixed.reads_recipients);
  EXPECT_THAT(parsed({"-"}).recipients, ElementsAre("-"));
}

TEST(SendmailOptions, DotsEndAMessageUnlessSaidOtherwise) {
  EXPECT_TRUE(parsed({"a"}).dot_ends);
  EXPECT_TRUE(parsed({"-oem", "-odb", "-om", "-o7", "a"}).dot_ends);
  EXPECT_FALSE(parsed({"-o", "i", "a"}).dot_ends);
  EXPECT_FALSE(parsed({"-O", "ignoredots=true", "a"}).dot_ends);
}

TEST(SendmailOptions, WhatHasNoEffectIsTaken) {
  const auto quiet = parsed({"-G", "-U", "-n", "-m", "-A", "c", "-L", "tag", "-h", "3", "-p",
                             "ESMTP:host", "-X", "log", "-O", "Timeout=1", "-d0.1", "-em", "-bm"});
  EXPECT_EQ(quiet.work, Work::send);
  EXPECT_THAT(quiet.recipients, IsEmpty());
}

TEST(SendmailOptions, ReportsAreWishedFor) {
  const auto told = parsed({"-N", "success,delay", "-R", "hdrs", "-V", "order-1", "a"});
  EXPECT_EQ(told.notify.to_string(), "SUCCESS,DELAY");
  EXPECT_EQ(told.returned, DsnReturn::hdrs);
  EXPECT_EQ(told.envelope_id, "order-1");
  EXPECT_EQ(refused({"-N", "never,delay"}), "the value never,delay of -N is none that it can have");
  EXPECT_EQ(refused({"-R", "all"}), "the value all of -R is none that it can have");
}

TEST(SendmailOptions, OtherTasksAreKnown) {
  EXPECT_EQ(parsed({"-bs"}).work, Work::speak_smtp);
  EXPECT_EQ(parsed({"-bp"}).work, Work::show_queue);
  EXPECT_EQ(parsed({"-bi"}).work, Work::nothing);
  EXPECT_EQ(parsed({"-q30m"}).work, Work::nothing);
  EXPECT_EQ(parsed({"-q"}).work, Work::nothing);
  EXPECT_EQ(refused({"-bd"}), "the value d of -b is none that it can have");
}

TEST(SendmailOptions, OthersAreWrong) {
  EXPECT_EQ(refused({"-Z"}), "there is no option -Z");
  EXPECT_EQ(refused({"-tZ"}), "there is no option -Z");
  EXPECT_EQ(refused({"-f"}), "-f needs a value");
  EXPECT_EQ(refused({"--wrong"}), "there is no option --");
}

TEST(SendmailOptions, TheProgramIsWhatItIsCalled) {
  EXPECT_THAT(words_as_called("/usr/sbin/sendmail", {"-t"}), ElementsAre("sendmail", "-t"));
  EXPECT_THAT(words_as_called("mailq", {}), ElementsAre("sendmail", "-bp"));
  EXPECT_THAT(words_as_called("/usr/bin/newaliases", {}), ElementsAre("sendmail", "-bi"));
  EXPECT_THAT(words_as_called("/usr/bin/todoku", {"serve"}), ElementsAre("serve"));
  EXPECT_THAT(words_as_called("", {}), IsEmpty());
}

TEST(SendmailOptions, EveryOneThatIsShownIsExplainedInBothLanguages) {
  char last = 0;
  for (const SendmailOption& option : sendmail_options()) {
    EXPECT_GT(option.letter, last) << "they are in the order of their letters";
    last = option.letter;
    EXPECT_EQ(option.help.en.empty(), option.help.ja.empty()) << option.letter;
    if (!option.help.en.empty() && option.value != SendmailOption::Value::none) {
      EXPECT_FALSE(option.value_name.empty()) << option.letter;
    }
  }
}

}  // namespace
}  // namespace todoku::cli
