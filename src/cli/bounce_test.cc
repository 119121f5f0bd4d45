// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_host.h"

namespace todoku::cli {
namespace {

using testing::HasSubstr;

struct Said {
  int status = 0;
  std::string out;
  std::string err;
};

Said classify(const std::vector<std::string>& words, std::string_view input = "") {
  FakeHost host;
  host.its_input.str(std::string(input));
  std::vector<std::string> arguments{"bounce", "classify"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  std::ostringstream out;
  std::ostringstream err;
  const int status = run(arguments, host, out, err);
  return {.status = status, .out = out.str(), .err = err.str()};
}

constexpr std::string_view kMail =
    "From: MAILER-DAEMON@mx.example.jp\nTo: shop@sender.example\nSubject: failure notice\n\n"
    "<taro@example.jp>:\n550 5.1.1 User unknown\n\n<hanako@example.jp>:\n552 5.2.2 full\n";

TEST(BounceClassify, TellsWhatAReplyMeans) {
  EXPECT_EQ(classify({"--json", "--reply", "550 5.1.1 User unknown"}).out,
            "{\"recipient\":null,\"class\":\"mailbox\",\"permanent\":true,\"suppress\":true,"
            "\"status\":\"5.1.1\",\"reply\":\"550 5.1.1 User unknown\",\"rule\":\"mailbox-x1.1-"
            "words: user unknown\"}\n");
  for (const char* taken :
       {"250 ok", "250", "250 2.0.0 Ok: 512 bytes queued", "250 2.0.0 OK 1700000000 450 - gsmtp"}) {
    EXPECT_THAT(classify({"--reply", taken}).out, HasSubstr("class      delivered")) << taken;
  }
}

TEST(BounceClassify, TellsOfEachRecipientOfAMail) {
  const Said said = classify({"-"}, kMail);
  EXPECT_EQ(said.status, 0);
  EXPECT_THAT(said.out, HasSubstr("taro@example.jp"));
  EXPECT_THAT(said.out, HasSubstr("mailbox_full"));
}

TEST(BounceClassify, AnswersCasesLineByLine) {
  const Said said =
      classify({"--batch"},
               "{\"id\": 7, \"reply\": \"452 4.2.2 mailbox full\", \"site\": \"x\"}\n\n"
               "nonsense\n{\"id\": \"b\"}\n{\"id\":\"c\",\"file\":\"/nowhere\"}\n"
               "{\"id\": \"d\", \"reply\": \"250 ok\"}");
  EXPECT_EQ(said.status, 2) << "some could not be read";
  EXPECT_THAT(
      said.out,
      HasSubstr("{\"id\":7,\"recipient\":null,\"class\":\"mailbox_full\",\"permanent\":false"));
  EXPECT_THAT(said.out, HasSubstr("{\"id\":null,\"error\":"));
  EXPECT_THAT(said.out,
              HasSubstr("{\"id\":\"b\",\"error\":\"a case has either file or reply\"}\n"));
  EXPECT_THAT(said.out, HasSubstr("{\"id\":\"c\",\"error\":"));
  EXPECT_THAT(said.out, HasSubstr("{\"id\":\"d\",\"recipient\":null,\"class\":\"delivered\""));
}

TEST(BounceClassify, EndsWithTwoForWhatCannotBeRead) {
  EXPECT_EQ(classify({"/nowhere"}).status, 2);
  EXPECT_EQ(classify({"-"}, "no mail").status, 2);
  EXPECT_EQ(classify({}).status, 2) << "nothing to classify";
  EXPECT_EQ(classify({"--batch", "--reply", "550 x"}).status, 2);
  const Said long_line =
      classify({"--batch"}, std::string(2'000'000, 'x') + "\n{\"id\":1,\"reply\":\"250 ok\"}\n");
  EXPECT_EQ(long_line.status, 2);
  EXPECT_THAT(long_line.out, HasSubstr("{\"id\":1,")) << "the next line is a case of its own";
}

}  // namespace
}  // namespace todoku::cli
