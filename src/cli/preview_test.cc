// SPDX-License-Identifier: Apache-2.0
// todoku preview, todoku lint.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_api.h"

namespace todoku::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kShown =
    R"({"delivery_id":80,"email":"a@b.example","size":321,"headers":[{"name":"Subject",)"
    R"("value":"お知らせ"}],"text_part":"太郎 様\n","html_part":null,"files":[{"file_name":"a.pdf",)"
    R"("mime":"application/pdf"}],"missing_codes":["__code__"]})";

std::string lint_answer(std::string_view outcome) {
  return fmt::format(
      R"({{"outcome":"{}","findings":[{{"code":"link_leads_nowhere","kind":"body","outcome":"{}",)"
      R"("sentence":"The link # leads nowhere."}}]}})",
      outcome, outcome);
}

TEST_F(SenderTest, APreviewShowsTheMailOfARecipient) {
  answer({answered(200, std::string(kShown))});
  ASSERT_EQ(run({"preview", "80", "--email", "a@b.example", "--insert-code", "__name__=太郎"}), 0)
      << err.str();
  const ApiRequest& asked = host.requests.front();
  EXPECT_EQ(asked.method + " " + asked.target, "POST /deliveries/80/preview?email=a%40b.example");
  EXPECT_EQ(asked.body, R"({"insert_code":[{"key":"__name__","value":"太郎"}]})");
  EXPECT_THAT(out.str(), HasSubstr("Subject: お知らせ\n"));
  EXPECT_THAT(out.str(), HasSubstr("太郎 様\n"));
  EXPECT_THAT(out.str(), HasSubstr("__code__ has no value for this recipient: it is sent as it"));
  EXPECT_THAT(out.str(), HasSubstr("a.pdf"));
}

TEST_F(SenderTest, APreviewSaysWhatATemplateWouldRefuse) {
  ApiAnswer shown =
      answered(200, R"({"email":"a@b.example","headers":[],"missing_codes":["{{number}}"]})");
  shown.headers.add("X-Todoku-Unknown-Fields", "to");
  answer({shown});
  ASSERT_EQ(run({"preview", "80", "--data", "name=太郎", "--data", "n=a=b"}), 0) << err.str();
  EXPECT_EQ(host.requests.front().body, R"({"data":{"name":"太郎","n":"a=b"}})");
  EXPECT_THAT(out.str(), HasSubstr("{{number}} has no value for this recipient, and the template "
                                   "no default: a row without it is refused."));
  EXPECT_THAT(out.str(), Not(HasSubstr("as it is written")));
  EXPECT_EQ(err.str(), "Not read, as a preview has no such member: to\n");
  EXPECT_EQ(run({"preview", "80", "--data", "name"}), 2);
  EXPECT_EQ(run({"preview", write("mail.json", "{}"), "--data", "name=x"}), 2);
}

TEST_F(SenderTest, APreviewOfAFileIsOfWhatItSays) {
  answer({answered(200, std::string(kShown))});
  const std::string file = write("mail.json", R"({"subject":"s"})");
  ASSERT_EQ(run({"preview", file}), 0) << err.str();
  EXPECT_EQ(host.requests.front().target, "/deliveries/-/preview");
  EXPECT_EQ(host.requests.front().body, R"({"subject":"s"})");
  host.requests.clear();
  EXPECT_EQ(run({"preview", file, "--insert-code", "__a__=b"}), 2);
  EXPECT_EQ(run({"preview", (folder / "none.json").string()}), 2);
  EXPECT_EQ(run({"lint", write("sjis.json", "\x8E\x52\x93\x63")}), 2);
  EXPECT_TRUE(host.requests.empty());
}

TEST_F(SenderTest, AMessageGoesIntoAFileAsItIs) {
  ApiAnswer message = answered(200, "Subject: \x1b$B%5\x1b(B\r\n\r\n");
  message.headers.add("Content-Type", "message/rfc822");
  answer({message});
  const std::string file = (folder / "mail.eml").string();
  ASSERT_EQ(run({"preview", "80", "--eml", file}), 0) << err.str();
  EXPECT_EQ(host.requests.front().target, "/deliveries/80/preview?format=eml");
  std::ifstream written(file, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(written), {}), message.body);
  testing::internal::CaptureStdout();
  const int status = run({"preview", "80", "--eml", "-"});
  EXPECT_EQ(testing::internal::GetCapturedStdout(), message.body);
  EXPECT_EQ(status, 0) << err.str();
  EXPECT_FALSE(std::filesystem::exists("-"));
  answer({answered(200, std::string(kShown))});
  EXPECT_EQ(run({"preview", "80", "--eml", file}), 4) << "no message";
}

TEST_F(SenderTest, WhatWasCaughtIsListedAndShown) {
  ApiAnswer message = answered(200,
                               "From: =?UTF-8?B?5bqX?= <shop@example.jp>\r\n"
                               "To: a@b.example\r\nSubject: =?UTF-8?B?5rOo5paH?=\r\n"
                               "DKIM-Signature: v=1\r\nContent-Type: text/plain; charset=utf-8\r\n"
                               "Content-Transfer-Encoding: base64\r\n\r\n5bGK44GN44G+44GZ\r\n");
  message.headers.add("Content-Type", "message/rfc822");
  const ApiAnswer log = answered(
      200, R"({"data":[{"maillog_id":2,"email":"a@b.example","status":"SENT","updated_time":"t"},)"
           R"({"maillog_id":1,"email":"dropped@b.example","status":"DROP"}]})");
  const ApiAnswer none = answered(410, R"({"error_messages":{"main":["none was made."]}})");
  answer({log, message, none, message});
  ASSERT_EQ(run({"dev", "list", "--limit", "2"}), 0) << err.str();
  EXPECT_EQ(host.requests[0].target, "/logs/mails/results?count=2");
  EXPECT_EQ(host.requests[1].target, "/deliveries/-/emails/2/message.eml");
  EXPECT_THAT(out.str(), HasSubstr("店 <shop@example.jp>"));
  EXPECT_THAT(out.str(), HasSubstr("注文"));
  EXPECT_THAT(out.str(), HasSubstr("dropped@b.example"));
  EXPECT_EQ(err.str(), "") << "one that was not made is no failure";

  ASSERT_EQ(run({"dev", "show", "2"}), 0) << err.str();
  EXPECT_EQ(out.str(),
            "From: 店 <shop@example.jp>\nTo: a@b.example\nSubject: 注文\n\n--- text\n届きます\n");
  ASSERT_EQ(run({"dev", "show", "2", "--json"}), 0);
  EXPECT_THAT(out.str(), HasSubstr(R"({"name":"DKIM-Signature","value":"v=1"})"));
  EXPECT_THAT(out.str(), HasSubstr(R"("text_part":"届きます)"));
  const std::string file = (folder / "mail.eml").string();
  ASSERT_EQ(run({"dev", "show", "2", "--eml", file}), 0) << err.str();
  std::ifstream written(file, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(written), {}), message.body);
  answer({none});
  EXPECT_EQ(run({"dev", "show", "1"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("none was made."));
}

TEST_F(SenderTest, LintEndsWithWhatItFound) {
  answer({answered(200, lint_answer("warning"))});
  EXPECT_EQ(run({"lint", "80"}), 0);
  EXPECT_EQ(host.requests.front().target, "/deliveries/80/lint");
  EXPECT_THAT(out.str(), HasSubstr("The link # leads nowhere."));
  answer({answered(200, lint_answer("fail"))});
  EXPECT_EQ(run({"lint", "80"}), 1);
  answer({answered(200, lint_answer("fail"))});
  EXPECT_EQ(run({"--json", "lint", "80"}), 1);
  EXPECT_THAT(out.str(), HasSubstr("link_leads_nowhere"));
  answer({answered(404, R"({"error_messages":{"main":["no data found."]}})")});
  EXPECT_EQ(run({"lint", "80"}), 5);
}

}  // namespace
}  // namespace todoku::cli
