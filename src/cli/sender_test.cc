// SPDX-License-Identifier: Apache-2.0
// The commands of senders, against an API that answers as it is told.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/date_time.h"
#include "cli/fake_api.h"

namespace todoku::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST_F(SenderTest, AMailIsTheFieldsOfTheApi) {
  ApiAnswer taken = answered(201, R"({"delivery_id":12})");
  taken.headers.add("X-Todoku-Message-ID", "<1@example.jp>");
  answer({taken});
  ASSERT_EQ(send({"--cc", "c@b.example", "--header", "X-Order: 4:7", "--tag", "x", "--expires-in",
                  "600", "--insert-code", "__name__=a=b", "--idempotency-key", "order-1",
                  "--reference", "4711"}),
            0)
      << err.str();
  EXPECT_EQ(out.str(), "Accepted as delivery 12, Message-ID <1@example.jp>.\n");
  ASSERT_EQ(host.requests.size(), 1U);
  const ApiRequest& asked = host.requests.front();
  EXPECT_EQ(asked.method + " " + asked.target, "POST /deliveries/transaction");
  EXPECT_EQ(asked.idempotency_key, "order-1");
  EXPECT_EQ(
      asked.body,
      R"({"from":{"email":"shop@example.jp","name":"Shop"},"subject":"hi","text_part":"t",)"
      R"("tags":["x"],"headers":{"X-Order":"4:7"},"to":"a@b.example","cc":["c@b.example"],)"
      R"("insert_code":[{"key":"__name__","value":"a=b"}],"expires_in":600,"reference":"4711"})");
  EXPECT_EQ(host.its_address.url, "http://127.0.0.1:8025");
  EXPECT_EQ(host.its_address.account + host.its_address.key, "shopk");
}

TEST_F(SenderTest, FilesTravelAsAForm) {
  answer({answered(201, R"({"delivery_id":12})")});
  const std::string file = write("a \"b\".txt", "octets");
  host.its_input.str("from standard input");
  ASSERT_EQ(run({"send", "--from", "a@example.jp", "--to", "b@example.jp", "--subject", "s",
                 "--text-file", "-", "--attach", file}),
            0);
  const ApiRequest& asked = host.requests.front();
  ASSERT_TRUE(asked.content_type.starts_with("multipart/form-data; boundary="));
  const std::string boundary = asked.content_type.substr(asked.content_type.find('=') + 1);
  EXPECT_THAT(asked.body, HasSubstr(R"("text_part":"from standard input")"));
  EXPECT_THAT(asked.body, HasSubstr("name=\"file\"; filename=\"a %22b%22.txt\"\r\nContent-Type: "
                                    "text/plain\r\n\r\noctets\r\n--" +
                                    boundary + "--\r\n"));
}

TEST_F(SenderTest, TextThatIsNoUtf8IsNotSent) {
  answer({answered(201, R"({"delivery_id":12})")});
  const std::string text = write("letter.txt", "\x8E\x52\x93\x63\n");
  const std::string html = write("letter.html", "\xFF\xFE<\x71");
  const auto run_with = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"send", "--from", "a@example.jp", "--to", "b@example.jp"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  EXPECT_EQ(run_with({"--subject", "s", "--text-file", text}), 2);
  EXPECT_EQ(err.str(),
            "todoku: --text-file " + text + ": it looks like Shift_JIS; save it as UTF-8\n");
  EXPECT_EQ(run_with({"--subject", "s", "--html-file", html, "--lang", "ja"}), 2);
  EXPECT_THAT(err.str(), HasSubstr(html + ": UTF-16のようです。UTF-8で保存してください"));
  EXPECT_EQ(run_with({"--subject", "\x8E\x52\x93\x63", "--text", "t"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--subject: it looks like Shift_JIS"));
  EXPECT_EQ(send({"--insert-code", "__name__=\x8E\x52\x93\x63"}), 2);
  const std::string csv = write("list.csv", "email\na@b.example\n");
  EXPECT_EQ(run({"bulk", "send", "--from", "a@example.jp", "--subject", "s", "--text-file", text,
                 "--csv", csv, "--at", "now"}),
            2);
  EXPECT_TRUE(host.requests.empty());
}

TEST_F(SenderTest, AnAnswerSaysWhichTimeWasUnderstood) {
  answer({answered(201, R"({"delivery_id":12})")});
  EXPECT_EQ(send({"--send-at", "2026-12-01"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("To be sent at 2026-12-01T00:00:00+09:00.\n"));
  answer({answered(201, R"({"data":[{"status":201,"delivery_id":1,"message_id":"<1@x>"},)"
                        R"({"status":201,"delivery_id":2,"message_id":"<2@x>"}]})")});
  EXPECT_EQ(send({"--to", "b@b.example", "--send-at", "2026-12-01T00:00Z"}), 0);
  EXPECT_TRUE(out.str().ends_with("To be sent at 2026-12-01T09:00:00+09:00.\n")) << out.str();
}

// A portal, a proxy's page, or a URL that is not the API's.
TEST_F(SenderTest, WhatAnswersLikeNoApiHasDoneNothingThatCanBeSaid) {
  for (const std::string_view body :
       {"<html>log in</html>", "", "null", "[]", "{}", R"({"ok":true})", "[[[[",
        R"({"delivery_id":{"a":[1]}})", R"({"delivery_id":1e400})", R"({"delivery_id":"7"})",
        R"({"delivery_id":0})"}) {
    answer({answered(200, std::string(body))});
    EXPECT_EQ(send({}), 4) << body;
    EXPECT_EQ(out.str(), "") << body;
    EXPECT_THAT(err.str(), HasSubstr("not as todoku's API does")) << body;
    answer({answered(200, std::string(body))});
    EXPECT_EQ(run({"bulk", "stop", "7"}), 4) << body;
    answer({answered(200, std::string(body))});
    EXPECT_EQ(run({"logs"}), 4) << body;
    answer({answered(200, std::string(body))});
    EXPECT_EQ(run({"deliveries"}), 4) << body;
    EXPECT_EQ(out.str(), "") << body;
  }
}

TEST_F(SenderTest, SeveralRecipientsGetAMailEach) {
  answer({answered(207, R"({"data":[{"status":201,"delivery_id":1,"message_id":"<1@x>"},)"
                        R"({"status":400,"error_messages":{"to":["is wrong."]}}]})")});
  EXPECT_EQ(send({"--to", "wrong"}), 1);
  EXPECT_EQ(host.requests.front().target, "/deliveries/transaction/batch");
  EXPECT_EQ(out.str(), "a@b.example: accepted as delivery 1, Message-ID <1@x>.\n");
  EXPECT_EQ(err.str(), "todoku: wrong: to: is wrong.\n");
  EXPECT_EQ(send({"--to", "b@b.example", "--cc", "c@b.example"}), 2);
}

TEST_F(SenderTest, AllSentencesOfARefusalAreTold) {
  answer(
      {answered(400, R"({"error_messages":{"main":["no."],"to":{"0":{"email":["a.","b."]}}}})")});
  EXPECT_EQ(send(), 1);
  EXPECT_EQ(err.str(), "todoku: no.\ntodoku: to.0.email: a.\ntodoku: to.0.email: b.\n");
}

TEST_F(SenderTest, EndsWithAStatusForEachKindOfFailure) {
  for (const auto& [status, exit] : std::vector<std::pair<int, int>>{
           {400, 1}, {409, 1}, {401, 6}, {403, 6}, {404, 5}, {500, 4}}) {
    answer({answered(status, "no json")});
    EXPECT_EQ(send(), exit) << status;
    EXPECT_THAT(err.str(), HasSubstr(std::to_string(status)));
    EXPECT_EQ(host.requests.size(), 1U) << status;
  }
  host.api_answer = [](const ApiRequest&) { return fail(ErrorKind::unavailable, "refused"); };
  EXPECT_EQ(send(), 3);
  EXPECT_EQ(err.str(), "todoku: http://127.0.0.1:8025: refused\n");
  EXPECT_EQ(send({"--expires-in", "soon"}), 2);
}

TEST_F(SenderTest, WaitsAsLongAsItIsTold) {
  answer(
      {answered_later(429, "7"), answered_later(503, "2"), answered(201, R"({"delivery_id":12})")});
  EXPECT_EQ(send(), 0);
  EXPECT_THAT(host.waits, ElementsAre(std::chrono::seconds(7), std::chrono::seconds(2)));
  ASSERT_EQ(host.requests.size(), 3U);
  EXPECT_EQ(host.requests[0].idempotency_key, host.requests[2].idempotency_key);
  EXPECT_FALSE(host.requests[0].idempotency_key.empty());

  answer({answered_later(503, "1")});
  EXPECT_EQ(send(), 4);
  EXPECT_EQ(host.requests.size(), 6U) << "five repeats";
  answer({answered_later(429, "3600")});
  EXPECT_EQ(send(), 4);
  EXPECT_EQ(host.requests.size(), 1U) << "nobody waits for an hour";
  EXPECT_THAT(err.str(), HasSubstr("try again in 3600 s"));
  answer({answered_later(503, "1")});
  EXPECT_EQ(run({"webhook", "test", "wh_1"}), 4);
  EXPECT_EQ(host.requests.size(), 1U) << "a second test would be another one";
}

TEST_F(SenderTest, AnEndIsHeard) {
  answer({answered_later(429, "7")});
  host.patience = 0;
  EXPECT_EQ(send(), 130);
  EXPECT_EQ(host.requests.size(), 1U);
}

TEST_F(SenderTest, AskedForJsonItPrintsTheAnswer) {
  answer({answered(201, R"({"delivery_id":12})")});
  EXPECT_EQ(send({"--json"}), 0);
  EXPECT_EQ(out.str(), "{\"delivery_id\":12}\n");
}

TEST_F(SenderTest, HowABulkIsToGoIsSaidAndTakenAway) {
  const ApiAnswer taken = answered(200, R"({"delivery_id":12})");
  const std::string progress =
      R"({"delivery_id":12,"state":"edit","total":400,"expires":null,)"
      R"("pace":{"mails":1,"per":"hour"},"quiet_hours":null,)"
      R"("expected_to_expire":{"mails":376,"at":"2027-01-02T09:00:00+09:00"}})";
  answer({taken, answered(200, progress), taken, taken, taken});
  EXPECT_EQ(run({"bulk", "pace", "12", "1/hour"}), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("But at this pace about 376 of 400 mails are not begun before "
                                   "2027-01-02T09:00:00+09:00"));
  EXPECT_EQ(run({"bulk", "pace", "12", "none"}), 0);
  EXPECT_EQ(run({"bulk", "quiet-hours", "12", "21:00-08:00"}), 0) << err.str();
  EXPECT_EQ(run({"bulk", "quiet-hours", "12", "none"}), 0);
  std::vector<std::string> asked;
  for (const ApiRequest& request : host.requests) {
    asked.push_back(request.method + " " + request.target + " " + request.body);
  }
  EXPECT_THAT(asked,
              ElementsAre(R"(PUT /deliveries/12/pace {"mails":1,"per":"hour"})",
                          "GET /deliveries/12/progress ", "DELETE /deliveries/12/pace ",
                          R"(PUT /deliveries/12/quiet_hours {"from":"21:00","until":"08:00",)"
                          R"("time_zone":"Asia/Tokyo"})",
                          "DELETE /deliveries/12/quiet_hours "));
  for (const auto& wrong : {std::vector<std::string>{"bulk", "pace", "12", "600"},
                            {"bulk", "pace", "12", "0/hour"},
                            {"bulk", "quiet-hours", "12", "21-8"},
                            {"bulk", "quiet-hours", "12", "21:00-08:00", "--zone", "Tokyo"}}) {
    EXPECT_NE(run(wrong), 0) << wrong[3];
  }
  EXPECT_EQ(host.requests.size(), 5U) << "what is wrong is not asked for";
}

TEST_F(SenderTest, ATextThatIsGivenAndEmptyIsTakenOutOfATemplate) {
  answer({answered(200, R"({"template_id":3,"version":2})")});
  EXPECT_EQ(run({"templates", "change", "news", "--text", ""}), 0) << err.str();
  EXPECT_EQ(run({"templates", "change", "news", "--html-file", write("none.html", "")}), 0);
  EXPECT_EQ(run({"templates", "change", "news", "--subject", "s"}), 0);
  ASSERT_EQ(host.requests.size(), 3U);
  EXPECT_EQ(host.requests[0].body, R"({"text_part":""})");
  EXPECT_EQ(host.requests[1].body, R"({"html_part":""})");
  EXPECT_EQ(host.requests[2].body, R"({"subject":"s"})");
}

TEST_F(SenderTest, AMailIsSentOnceMoreToTheAddressThatWasMeant) {
  answer({answered(201, R"({"delivery_id":13})"), answered(201, R"({"delivery_id":14})")});
  EXPECT_EQ(run({"resend", "7", "--to", "taro@example.jp", "--idempotency-key", "again"}), 0)
      << err.str();
  EXPECT_EQ(out.str(), "Mail 7 is sent once more, as delivery 13.\n");
  EXPECT_EQ(run({"resend", "7"}), 0);
  ASSERT_EQ(host.requests.size(), 2U);
  EXPECT_EQ(host.requests[0].method + " " + host.requests[0].target,
            "POST /deliveries/-/emails/7/resend");
  EXPECT_EQ(host.requests[0].body, R"({"to":"taro@example.jp"})");
  EXPECT_EQ(host.requests[0].idempotency_key, "again");
  EXPECT_EQ(host.requests[1].body, "{}");
}

TEST_F(SenderTest, ABulkIsBegunFilledCommittedAndWatched) {
  const std::string csv = write("list.csv", "email\na@b.example\n");
  answer(
      {answered(201, R"({"delivery_id":7})"), answered(201, R"({"job_id":3})"),
       answered(200, R"({"status":"IMPORTING","percentage":40})"),
       answered(200, R"({"status":"FINISHED","percentage":100})"),
       answered(200, R"({"delivery_id":7})"),
       answered(200, R"({"delivery_id":7,"state":"sending","total":10,"pending":5})"),
       answered(200, R"({"delivery_id":7,"state":"sent","total":10,"delivered":9,"bounced":1})")});
  ASSERT_EQ(run(bulk_words(csv, "now")), 0) << err.str();
  std::vector<std::string> asked;
  for (const ApiRequest& each : host.requests) asked.push_back(each.method + " " + each.target);
  EXPECT_THAT(asked,
              ElementsAre("POST /deliveries/bulk/begin", "POST /deliveries/7/emails/import",
                          "GET /deliveries/-/emails/import/3", "GET /deliveries/-/emails/import/3",
                          "PATCH /deliveries/bulk/commit/7/immediate", "GET /deliveries/7/progress",
                          "GET /deliveries/7/progress"));
  EXPECT_THAT(host.requests[1].body, HasSubstr("filename=\"list.csv\""));
  EXPECT_EQ(err.str(),
            "import  40%  40/100\nimport  100%  100/100\nsending  50%  5/10\n"
            "sent  100%  10/10  delivered 9 bounced 1\n");
  EXPECT_THAT(out.str(), HasSubstr("Delivery 7 begins.\n"));
  EXPECT_THAT(out.str(), HasSubstr("bounced      1\n"));
}

TEST_F(SenderTest, ABulkCanBeLookedAtBeforeItGoes) {
  const std::string csv = write("list.csv", "email\na@b.example\n");
  const std::vector<std::string> words = {"bulk", "send",   "--from", "a@example.jp", "--subject",
                                          "s",    "--text", "t",      "--csv",        csv};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), words.begin(), words.end());
    return more;
  };
  answer({answered(201, R"({"delivery_id":7})"), answered(201, R"({"job_id":3})"),
          answered(200, R"({"status":"FINISHED","percentage":100})")});
  ASSERT_EQ(run(with({"--draft", "--pace", "600/minute", "--quiet-hours", "21:00-08:00"})), 0)
      << err.str();
  ASSERT_EQ(host.requests.size(), 3U) << "nothing is committed";
  EXPECT_THAT(host.requests[0].body,
              HasSubstr(R"("pace":{"mails":600,"per":"minute"},"quiet_hours":{"from":"21:00",)"
                        R"("until":"08:00","time_zone":"Asia/Tokyo"}})"));
  EXPECT_THAT(out.str(), HasSubstr("todoku preview 7"));
  EXPECT_THAT(out.str(), HasSubstr("todoku bulk commit 7 --at now"));
  host.requests.clear();
  EXPECT_EQ(run(words), 2);
  EXPECT_THAT(err.str(), HasSubstr("--at or --draft"));
  EXPECT_EQ(run(with({"--draft", "--at", "now"})), 2);
  EXPECT_EQ(run(with({"--draft", "--pace", "600"})), 2);
  EXPECT_EQ(run(with({"--draft", "--quiet-hours", "21-8"})), 2);
  EXPECT_TRUE(host.requests.empty()) << "what is wrong is not asked for";
}

TEST_F(SenderTest, WhatPreflightFoundIsToldAtTheCommit) {
  ApiAnswer committed = answered(200, R"({"delivery_id":7})");
  committed.headers.add("X-Todoku-Preflight", "fail; signature_missing, html_clipped");
  answer({committed});
  EXPECT_EQ(run({"bulk", "commit", "7", "--at", "now"}), 0);
  EXPECT_EQ(err.str(),
            "Preflight: fail; signature_missing, html_clipped. What that means: todoku deliveries "
            "preflight 7\n");
  committed.headers.set("X-Todoku-Preflight", "pass");
  answer({committed});
  EXPECT_EQ(run({"bulk", "commit", "7", "--at", "now"}), 0);
  EXPECT_EQ(err.str(), "");
}

TEST_F(SenderTest, OfADeliveryThatIsHeldItIsToldWhyAndHowItGoesOn) {
  answer({answered(
      200, R"({"delivery_id":16,"state":"sending","total":300,"pending":287,"holds":[)"
           R"({"receiver":"docomo","because":"unknown users: 22 of 109; the limit is 5 %"},)"
           R"({"receiver":null,"because":"hard bounces: 612 of 5000"}]})")});
  ASSERT_EQ(run({"bulk", "show", "16"}), 0) << err.str();
  EXPECT_THAT(out.str(),
              HasSubstr("held         at docomo (unknown users: 22 of 109; the limit is 5 %)\n"
                        "held         all of it (hard bounces: 612 of 5000)\n"
                        "To let it go on: todoku bulk resume 16\n"));
}

TEST_F(SenderTest, AReservationIsNotWaitedFor) {
  const std::string csv = write("list.csv", "email\na@b.example\n");
  answer({answered(201, R"({"delivery_id":7})"), answered(201, R"({"job_id":3})"),
          answered(200, R"({"status":"FINISHED","percentage":100})"),
          answered(200, R"({"delivery_id":7})")});
  ASSERT_EQ(run(bulk_words(csv, "2026-12-01T09:00")), 0);
  EXPECT_EQ(host.requests.back().body, R"({"reservation_time":"2026-12-01T09:00"})");
  EXPECT_THAT(out.str(), HasSubstr("reserved for 2026-12-01T09:00:00+09:00; todoku bulk cancel 7"));
}

TEST_F(SenderTest, OfAListThatIsRefusedNoDraftIsLeft) {
  const std::string csv = write("list.csv", "x\n");
  const ApiAnswer refused = answered(400, R"({"error_messages":{"file":["no."]}})");
  answer({answered(201, R"({"delivery_id":7})"), refused, answered(200, R"({"delivery_id":7})")});
  EXPECT_EQ(run(bulk_words(csv, "now")), 1);
  ASSERT_EQ(host.requests.size(), 3U);
  EXPECT_EQ(host.requests[2].method + host.requests[2].target, "DELETE/deliveries/7");
  EXPECT_THAT(err.str(), HasSubstr("the draft is removed again"));
  EXPECT_THAT(err.str(), Not(HasSubstr("bulk delete")));
  // One whose removal is refused is left, and told.
  answer({answered(201, R"({"delivery_id":7})"), refused, refused});
  EXPECT_EQ(run(bulk_words(csv, "now")), 1);
  EXPECT_THAT(err.str(), HasSubstr("todoku bulk delete 7"));
  // By a key of its own the command goes on with it.
  auto keyed = bulk_words(csv, "now");
  keyed.insert(keyed.end(), {"--idempotency-key", "mine"});
  answer({answered(201, R"({"delivery_id":7})"), refused});
  host.requests.clear();
  EXPECT_EQ(run(keyed), 1);
  EXPECT_EQ(host.requests.size(), 2U);
}

TEST_F(SenderTest, AListThatIsRefusedAndNotToldLeavesADraftAndSaysSo) {
  const std::string csv = write("list.csv", "x\n");
  answer({answered(201, R"({"delivery_id":7})"), answered(201, R"({"job_id":3})"),
          answered(200, R"({"status":"FAILED","percentage":100,"failed_count":2,)"
                        R"("error_file_url":"http://x/errors"})")});
  EXPECT_EQ(run(bulk_words(csv, "now")), 1);
  EXPECT_EQ(host.requests.size(), 4U) << "nothing is committed, but the errors are asked for";
  EXPECT_THAT(err.str(), HasSubstr("refused rows: 2. http://x/errors"));
  EXPECT_THAT(err.str(), HasSubstr("todoku bulk delete 7"));
  EXPECT_THAT(err.str(), HasSubstr("run todoku bulk send again"));
  EXPECT_THAT(err.str(), Not(HasSubstr("bulk commit")));
}

TEST_F(SenderTest, AStartThatCannotBeLeavesNoDraft) {
  const std::string csv = write("list.csv", "email\na@b.example\n");
  answer({answered(201, R"({"delivery_id":7})")});
  EXPECT_EQ(run(bulk_words(csv, "soon")), 2);
  EXPECT_THAT(err.str(), HasSubstr("--at soon: now, or a time such as"));
  EXPECT_EQ(run(bulk_words(csv, "2025-12-31")), 2);
  EXPECT_THAT(err.str(), HasSubstr("2025-12-31T00:00:00+09:00 is in the past"));
  EXPECT_TRUE(host.requests.empty());
}

TEST_F(SenderTest, WhoStopsWatchingLeavesTheDelivery) {
  answer({answered(200, R"({"delivery_id":7,"state":"sending","total":4,"pending":3})")});
  host.watched = true;
  host.patience = 1;
  EXPECT_EQ(run({"bulk", "show", "7", "--follow"}), 130);
  EXPECT_EQ(host.requests.size(), 2U);
  EXPECT_THAT(err.str(), HasSubstr("todoku bulk show 7 --follow"));
  EXPECT_THAT(host.its_terminal.str(),
              HasSubstr("\rsending  [#######.......................]  25%  1/4"));
  EXPECT_TRUE(host.its_terminal.str().ends_with("\n"));
}

TEST_F(SenderTest, EventsGoOnWhereTheyWereLeft) {
  const std::string cursor = (folder / "cursor").string();
  answer({answered(200, R"({"data":[{"event_id":"1","kind":"sent","timestamp":"t","delivery_id":5,)"
                        R"("email":"a@b.example","code":250}],"next_cursor":"1","has_more":true})"),
          answered(200, R"({"data":[],"next_cursor":"1","has_more":false})")});
  ASSERT_EQ(run({"events", "--kind", "sent,opened", "--cursor-file", cursor}), 0);
  EXPECT_EQ(host.requests[0].target, "/events?kind%5B%5D=sent&kind%5B%5D=opened&count=1000");
  EXPECT_THAT(host.requests[1].target, HasSubstr("cursor=1&"));
  EXPECT_EQ(out.str(), "t  sent                5  a@b.example  250\n");
  answer({answered(200, R"({"data":[{"event_id":"2"}],"next_cursor":"2","has_more":false})")});
  ASSERT_EQ(run({"events", "--json", "--cursor-file", cursor}), 0);
  EXPECT_THAT(host.requests[0].target, HasSubstr("cursor=1&"));
  EXPECT_EQ(out.str(), "{\"event_id\":\"2\"}\n");
}

// One connection after the other; the latest pieces of the last one are followed by the user's end.
class FollowTest : public SenderTest {
 protected:
  struct Heard {
    std::string text;
    Result<ApiAnswer> ends;
  };
  int follow(std::vector<Heard> connections, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"events", "--follow", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return follow_by(words, std::move(connections));
  }
  int follow_by(const std::vector<std::string>& words, std::vector<Heard> connections) {
    host.requests.clear();
    host.waits.clear();
    ids.clear();
    host.stream_answer = [this, connections = std::move(connections),
                          i = std::size_t{0}](const ApiStream& stream) mutable {
      ids.push_back(stream.last_event_id);
      Heard& now = connections.at(i++);
      if (i == connections.size()) host.patience = 0;
      const bool goes_on = now.text.empty() || stream.take(now.text);
      if (goes_on && i == connections.size()) host.wait(std::chrono::milliseconds(1));
      return goes_on ? now.ends : fail(ErrorKind::cancelled, "enough");
    };
    return run(words);
  }
  static Result<ApiAnswer> lost() { return fail(ErrorKind::closed, "it hung up"); }

  std::vector<std::string> ids;
};

TEST_F(FollowTest, ALostStreamGoesOnAfterTheLatestEvent) {
  const std::string cursor = (folder / "cursor").string();
  ASSERT_EQ(
      follow({{"retry: 3000\nid: 1\n\nid: 2\ndata: {\"event_id\":\"2\"}\n\nid: 3\ndata: {\"ev",
               lost()},
              {"", fail(ErrorKind::unavailable, "refused")},
              {"", answered(502, "a proxy")},
              {"event: lost\ndata: {}\n\nid: 3\ndata: {\"event_id\":\"3\"}\n\n", lost()}},
             {"--cursor-file", cursor, "--email", "a@b.example"}),
      0);
  EXPECT_EQ(ids, (std::vector<std::string>{"", "2", "2", "2"}));
  EXPECT_EQ(host.requests[0].target, "/events?email=a%40b.example");
  EXPECT_EQ(out.str(), "{\"event_id\":\"2\"}\n{\"event_id\":\"3\"}\n");
  EXPECT_THAT(err.str(), HasSubstr("does not answer: refused"));
  EXPECT_THAT(err.str(), HasSubstr("are lost"));
  using std::chrono::seconds;
  EXPECT_EQ(std::vector(host.waits.begin(), host.waits.begin() + 3),
            (std::vector<std::chrono::milliseconds>{seconds(3), seconds(6), seconds(12)}));
  std::ifstream kept(cursor);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(kept), {}), "3\n");
}

TEST_F(FollowTest, EndsWithItsLimitOrARefusal) {
  EXPECT_EQ(follow({{"id: 7\ndata: {\"a\":1}\n\nid: 8\ndata: {}\n\n", lost()}},
                   {"--limit", "1", "--cursor", "6"}),
            0);
  EXPECT_EQ(ids, std::vector<std::string>{"6"});
  EXPECT_EQ(out.str(), "{\"a\":1}\n");
  host.patience = 1'000;
  EXPECT_EQ(follow({{"id: 7\n\n", lost()}, {"", answered(401, "{}")}, {"", lost()}}), 6)
      << "the key was revoked meanwhile";
  EXPECT_EQ(follow({{"", fail(ErrorKind::unavailable, "refused")}, {"", lost()}}), 3)
      << "nobody has ever answered";
  EXPECT_EQ(follow({{"", fail(ErrorKind::corrupt, "no stream")}, {"", lost()}}), 4);
  EXPECT_THAT(err.str(), HasSubstr("is it the right URL?"));
}

TEST_F(FollowTest, ADeliveryIsWatchedUntilItsEnd) {
  const std::string going =
      R"(event: progress)"
      "\ndata: "
      R"({"time":"t","delivery_id":7,"state":"sending","total":1000,"pending":500,"deferred":20,)"
      R"("delivered":480,"speed":{"mails_per_minute":96.5,"over_seconds":60},"seconds_left":720,)"
      R"("sites":[{"site":"docomo","seconds_left":720},{"site":null,"seconds_left":30}]})"
      "\n\n";
  const std::string sent =
      "event: progress\ndata: "
      R"({"delivery_id":7,"state":"sent","total":1000,"pending":0,"deferred":0,"delivered":990,)"
      R"("bounced":10,"speed":null,"seconds_left":0,"sites":[]})"
      "\n\n";
  const std::vector<std::string> words{"deliveries", "watch", "7"};
  // The engine is started anew between the two.
  const std::vector<Heard> heard{{"retry: 2000\nid: 3\n\n" + going, lost()},
                                 {"", fail(ErrorKind::unavailable, "refused")},
                                 {"id: 3\n\n" + sent, lost()}};
  EXPECT_EQ(follow_by(words, heard), 0) << err.str();
  EXPECT_EQ(ids, (std::vector<std::string>{"", "3", "3"}));
  EXPECT_EQ(host.requests[0].target,
            "/events?delivery_id=7&kind%5B%5D=delivery_finished&progress=true");
  EXPECT_THAT(err.str(), HasSubstr("sending  48%  480/1000  96/min  about 12 min left (docomo)  "
                                   "deferred 20 delivered 480\n"));
  EXPECT_EQ(out.str(), "Delivery 7: sent. delivered 990 bounced 10\n");

  host.patience = 1'000;
  std::vector<std::string> in_json = words;
  in_json.emplace_back("--json");
  EXPECT_EQ(follow_by(in_json, heard), 0);
  EXPECT_THAT(out.str(), testing::MatchesRegex("\\{.*\"sending\".*\\}\n\\{.*\"sent\".*\\}\n"));

  host.patience = 1'000;
  host.watched = true;
  EXPECT_EQ(follow_by(words, heard), 0);
  EXPECT_THAT(host.its_terminal.str(),
              HasSubstr("\rsending  [####......]  48%  480/1000  96/min  about 12 min left"));
  EXPECT_THAT(err.str(), Not(HasSubstr("48%")));
}

TEST_F(FollowTest, HowAWatchedDeliveryEndedIsTheExitStatus) {
  const auto ends = [&](const std::string& state) {
    host.patience = 1'000;
    const std::string told =
        fmt::format("event: progress\ndata: {{\"delivery_id\":7,\"state\":\"{}\"}}\n\n", state);
    return follow_by({"deliveries", "watch", "7"}, {{told, lost()}});
  };
  EXPECT_EQ(ends("sent"), 0);
  EXPECT_EQ(ends("failed"), 1);
  EXPECT_EQ(ends("stopped"), 1);
  EXPECT_EQ(ends("deleted"), 5);
  EXPECT_EQ(ends("paused"), 130) << "its watcher left";
  EXPECT_THAT(err.str(), HasSubstr("To look again: todoku deliveries watch 7"));
  host.patience = 1'000;
  EXPECT_EQ(follow_by({"deliveries", "watch", "7"}, {{"", answered(404, "{}")}, {"", lost()}}), 5);
}

TEST_F(SenderTest, WhatAReceiverSaidStaysOnItsLine) {
  answer({answered(200,
                   R"({"data":[{"timestamp":"t","kind":"sent","message":"ok\nt2  sent\u001b[2J"}],)"
                   R"("next_cursor":"1","has_more":false})")});
  ASSERT_EQ(run({"events"}), 0);
  EXPECT_EQ(out.str(), "t  sent                ok?t2  sent?[2J\n");
  answer({answered(400, R"({"error_messages":{"main":["no.\ntodoku: yes."]}})")});
  EXPECT_EQ(send(), 1);
  EXPECT_EQ(err.str(), "todoku: no.?todoku: yes.\n");
}

TEST_F(SenderTest, LogsComeInPagesUntilThereAreEnough) {
  std::string rows;
  for (int i = 0; i < 1'000; ++i) {
    rows += fmt::format(R"({}{{"maillog_id":{}}})", i == 0 ? "" : ",", 2'000 - i);
  }
  answer({answered(200, "{\"data\":[" + rows + "]}"),
          answered(200, R"({"data":[{"maillog_id":9}]})")});
  ASSERT_EQ(run({"logs", "--limit", "1500", "--status", "SENT", "--json"}), 0);
  ASSERT_EQ(host.requests.size(), 2U);
  EXPECT_EQ(host.requests[1].target, "/logs/mails/results?anchor=1001&count=500&status%5B%5D=SENT");
}

TEST_F(SenderTest, LogsAreFoundByTheirReferenceAndShowIt) {
  answer({answered(200, R"({"data":[{"maillog_id":9,"email":"a@b.example","reference":"4711/a"},)"
                        R"({"maillog_id":8,"email":"c@b.example"}]})")});
  ASSERT_EQ(run({"logs", "--reference", "4711/a"}), 0) << err.str();
  EXPECT_EQ(host.requests[0].target, "/logs/mails/results?count=100&reference=4711%2Fa");
  EXPECT_THAT(out.str(), HasSubstr("REFERENCE"));
  EXPECT_THAT(out.str(), HasSubstr("a@b.example  4711/a"));
  answer({answered(200, R"({"data":[{"maillog_id":8,"email":"c@b.example"}]})")});
  ASSERT_EQ(run({"logs"}), 0);
  EXPECT_THAT(out.str(), Not(HasSubstr("REFERENCE")));
}

TEST_F(SenderTest, AnEmptyTextTakesTheOneOfATemplateAway) {
  answer({answered(200, R"({"template_id":3,"version":2})")});
  ASSERT_EQ(run({"templates", "change", "news", "--text", ""}), 0) << err.str();
  EXPECT_EQ(host.requests[0].body, R"({"text_part":""})");
  ASSERT_EQ(run({"templates", "change", "news", "--html-file", write("none.html", "")}), 0);
  EXPECT_EQ(host.requests[1].body, R"({"html_part":""})");
  ASSERT_EQ(run({"templates", "change", "news", "--subject", "s"}), 0);
  EXPECT_EQ(host.requests[2].body, R"({"subject":"s"})");
}

TEST_F(SenderTest, UsageTellsLimitsAndTheDaysThatHaveMails) {
  answer({answered(200, R"({"data":[{"day":"2026-04-02","accepted":0},)"
                        R"({"day":"2026-04-01","accepted":812}],"limits":[{"limit":)"
                        R"("mails_per_day","most":1000,"used":812,"remaining":188,)"
                        R"("resets_in":25260}]})"),
          answered(200, R"({"data":[{"month":202604,"current":790}]})")});
  ASSERT_EQ(run({"usage", "--days", "2", "--months", "1"}), 0) << err.str();
  ASSERT_EQ(host.requests.size(), 2U);
  EXPECT_EQ(host.requests[0].target, "/usages/days?days=2");
  EXPECT_EQ(host.requests[1].target, "/usages?month_ago=1");
  for (const char* words : {"mails_per_day", "188", "7:01", "2026-04-01", "812", "202604", "790"}) {
    EXPECT_THAT(out.str(), HasSubstr(words));
  }
  EXPECT_THAT(out.str(), Not(HasSubstr("2026-04-02")));
  EXPECT_EQ(run({"usage", "--days", "63"}), 2);
}

TEST_F(SenderTest, AFilterThatIsNoneIsRefusedWithThoseThatThereAre) {
  answer({answered(200, R"({"data":[]})")});
  EXPECT_EQ(run({"logs", "--status", "SENT,SENTT"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("SENTT not in {SENT,RETRY,HARDERROR,SOFTERROR,DROP,ALL}"));
  EXPECT_EQ(run({"logs", "--type", "BLUK"}), 2);
  EXPECT_EQ(run({"deliveries", "--type", "BLUK"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("TRANSACTION,BULK,SMTP,ALL"));
  EXPECT_EQ(run({"bulk", "list", "--status", "RETRY"}), 2);
  EXPECT_TRUE(host.requests.empty());
  EXPECT_EQ(run({"deliveries", "--type", "BULK,SMTP", "--status", "SENT"}), 0) << err.str();
}

TEST_F(SenderTest, AProfileIsKeptForItsUserAlone) {
  host.variables.clear();
  host.its_input.str(" the-key \n");
  ASSERT_EQ(run({"profile", "set", "--url", "https://mail.example.jp/api/v1/", "--account", "shop",
                 "--key-file", "-"}),
            0)
      << err.str();
  struct stat facts{};
  ASSERT_EQ(::stat(host.profiles.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_EQ(send(), 0);
  EXPECT_EQ(host.its_address.url, "https://mail.example.jp");
  EXPECT_EQ(host.its_address.key, "the-key");
  EXPECT_EQ(run({"profile", "list"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("kept"));
  EXPECT_THAT(out.str(), Not(HasSubstr("the-key")));

  ::chmod(host.profiles.c_str(), 0640);
  EXPECT_EQ(send(), 2);
  EXPECT_THAT(err.str(), HasSubstr("nobody else may read"));
}

TEST_F(SenderTest, AProfileIsSetUnderTheNameThatIsGiven) {
  host.variables.clear();
  ASSERT_EQ(run({"--profile", "staging", "profile", "set", "--account", "shop"}), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("Profile staging"));
  EXPECT_EQ(run({"--profile", "staging", "profile", "set", "other", "--account", "x"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("other"));
  EXPECT_EQ(run({"--profile", "other", "profile", "set", "other", "--account", "x"}), 0);
  EXPECT_EQ(run({"profile", "list"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("staging"));
  EXPECT_THAT(out.str(), HasSubstr("other"));
  EXPECT_THAT(out.str(), Not(HasSubstr("default")));
}

TEST_F(SenderTest, AKeyGoesOnlyWhereItBelongs) {
  host.variables.clear();
  write("profile.toml",
        "[default]\nurl = \"https://a.example\"\naccount = \"shop\"\nkey = \"k\"\n");
  EXPECT_EQ(send({"--url", "https://b.example"}), 2);
  EXPECT_TRUE(host.requests.empty());
  EXPECT_THAT(err.str(), HasSubstr("no API key of account shop for https://b.example"));
  EXPECT_EQ(send({"--account", "other"}), 2);
  EXPECT_EQ(send({"--url", "https://a.example/"}), 0);
  EXPECT_EQ(send({"--profile", "nobody"}), 2);
}

TEST_F(SenderTest, WhatIsNotEncryptedIsWarnedOf) {
  EXPECT_EQ(send({"--url", "http://mail.example.jp"}), 0);
  EXPECT_THAT(err.str(), HasSubstr("WARNING"));
  EXPECT_EQ(send({"--url", "http://127.0.0.1:1"}), 0);
  EXPECT_EQ(err.str(), "");
}

TEST_F(SenderTest, OperatorsCommandsSpeakToTheApiWhereItIsNamed) {
  answer({answered(200, R"({"data":[{"email":"a@b.example","reason":"manual","scope":"all",)"
                        R"("created_time":"then"}],"next":null})")});
  ASSERT_EQ(run({"suppression", "list", "--account", "shop", "--url", "https://a.example"}), 0);
  EXPECT_EQ(host.requests[0].target, "/suppressions");
  EXPECT_THAT(out.str(), HasSubstr("a@b.example  manual  all    then"));
  EXPECT_EQ(host.its_address.account, "shop");
  EXPECT_TRUE(host.asked.empty()) << "the admin port";
  answer({answered(200, R"({"state":"proven"})")});
  EXPECT_EQ(run({"domain", "verify", "other", "example.jp", "--url", "https://a.example"}), 0);
  EXPECT_EQ(host.requests[0].target, "/domains/example.jp/verify");
  EXPECT_EQ(host.its_address.account, "other");
  answer({answered(200, R"({"removed":[{},{}]})")});
  EXPECT_EQ(
      run({"suppression", "remove", "a@b.example", "--why", "w", "--url", "https://a.example"}), 0);
  EXPECT_EQ(host.requests[0].method, "DELETE");
  EXPECT_EQ(host.requests[0].target, "/suppressions?email=a%40b.example&why=w");
  EXPECT_EQ(out.str(), "Entries removed: 2.\n");
  answer({answered(200, "<html>log in</html>")});
  EXPECT_EQ(run({"suppression", "export", "--url", "https://a.example"}), 4) << "of a portal";
  ApiAnswer list = answered(200, "email\r\na@b.example\r\n");
  list.headers.add("Content-Type", "text/csv; charset=utf-8");
  answer({list});
  ASSERT_EQ(run({"suppression", "export", "--url", "https://a.example"}), 0);
  EXPECT_EQ(out.str(), "email\na@b.example\n");
  answer({answered(404, R"({"error_messages":{"main":["no data found."]}})")});
  EXPECT_EQ(run({"domain", "remove", "shop", "example.jp", "--url", "https://a.example"}), 5);
  EXPECT_EQ(err.str(), "todoku: no data found.\n");
  EXPECT_EQ(run({"explain", "a@b.example", "--url", "https://a.example"}), 2);
}

TEST_F(SenderTest, AnAccountAsksForTheDataOfAPersonOverTheApi) {
  answer({answered(200, R"({"email":"a+1@b.example","mails":[{"n":1}],"next":"m7"})"),
          answered(200, R"({"email":"a+1@b.example","mails":[{"n":2}],"next":""})")});
  ASSERT_EQ(run({"personal-data", "export", "a+1@b.example", "--account", "shop", "--url",
                 "https://a.example"}),
            0)
      << err.str();
  ASSERT_EQ(host.requests.size(), 2U);
  EXPECT_EQ(host.requests[0].method, "GET");
  EXPECT_EQ(host.requests[0].target, "/personal-data?email=a%2B1%40b.example");
  EXPECT_EQ(host.requests[1].target, "/personal-data?email=a%2B1%40b.example&after=m7");
  EXPECT_EQ(host.its_address.account, "shop");
  EXPECT_TRUE(host.asked.empty()) << "the admin port";
  EXPECT_THAT(out.str(), HasSubstr("{\"n\":1},\n{\"n\":2}"));
  answer({answered(200, R"({"email":"a@b.example","erased":3,"on_their_way":[],"next":""})")});
  ASSERT_EQ(run({"personal-data", "delete", "a@b.example", "--stop", "--yes", "--account", "shop",
                 "--url", "https://a.example"}),
            0)
      << err.str();
  EXPECT_EQ(host.requests[0].method, "DELETE");
  EXPECT_EQ(host.requests[0].target, "/personal-data?email=a%40b.example&stop=true");
  EXPECT_THAT(out.str(), HasSubstr("erased: 3."));
  answer({answered(403, R"({"error_messages":{"main":["the key has no scope admin."]}})")});
  EXPECT_NE(run({"personal-data", "delete", "a@b.example", "--yes", "--account", "shop", "--url",
                 "https://a.example"}),
            0);
}

TEST_F(SenderTest, AnEndpointsSecretIsReplacedAndItsEventsAreToldAgain) {
  answer({answered(201, R"({"webhook":"wh_1","secret":"whsec_x"})")});
  EXPECT_EQ(run({"webhook", "rotate", "wh_1", "--overlap-hours", "0"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("whsec_x"));
  EXPECT_EQ(host.requests[0].target, "/webhooks/wh_1/rotate");
  EXPECT_EQ(host.requests[0].body, R"({"overlap_hours":0})");
  EXPECT_FALSE(host.requests[0].idempotency_key.empty());
  answer({answered(202, R"({"events":2})")});
  EXPECT_EQ(run({"webhook", "replay", "wh_1", "--event", "a", "--event", "b"}), 0);
  EXPECT_EQ(out.str(), "2 events are told again.\n");
  EXPECT_EQ(host.requests[0].body, R"({"events":["a","b"]})");
  EXPECT_FALSE(host.requests[0].idempotency_key.empty());
  answer({answered(202, R"({"events":null})")});
  EXPECT_EQ(run({"webhook", "replay", "wh_1", "--from", "2026-04-01", "--delivery", "7"}), 0);
  EXPECT_EQ(host.requests[0].body, R"({"from":"2026-04-01","delivery_id":7})");
  answer({answered(200, R"({"webhook":"wh_1","status":"disabled"})")});
  EXPECT_EQ(run({"webhook", "disable", "wh_1"}), 0);
  EXPECT_EQ(host.requests[0].method, "PATCH");
  EXPECT_EQ(host.requests[0].body, R"({"enabled":false})");
}

TEST_F(SenderTest, WhatBecameOfMailIsToldByTag) {
  answer({answered(200, R"({"days":3,"from":"t","data":[{"tag":"order","answered":5,"delivered":4,)"
                        R"("hard_bounces":1,"unknown_users":1,"complaints":0}],)"
                        R"("others":{"answered":2,"delivered":2}})"),
          answered(200, R"({"days":14,"from":"t","data":[],"others":null})")});
  ASSERT_EQ(run({"tags", "--days", "3"}), 0) << err.str();
  EXPECT_EQ(host.requests[0].target, "/tags?days=3");
  EXPECT_THAT(out.str(), testing::ContainsRegex("order +5 +4 +1 +1 +0"));
  EXPECT_THAT(out.str(), testing::ContainsRegex("\\(others\\) +2 +2 +0"));
  ASSERT_EQ(run({"tags", "--days", "14"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("No mail with a tag"));
  EXPECT_EQ(run({"tags", "--days", "15"}), 2);
}

TEST_F(SenderTest, SpeaksJapanese) {
  answer({answered(404, "")});
  EXPECT_EQ(run({"delivery", "9", "--lang", "ja"}), 5);
  EXPECT_THAT(err.str(), HasSubstr("ステータス 404"));
  EXPECT_EQ(host.its_address.language, Language::japanese);
}

TEST_F(SenderTest, ShellsCompleteEveryCommand) {
  ASSERT_EQ(run({"completion", "bash"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("'bulk send') echo '"));
  EXPECT_THAT(out.str(), HasSubstr("--idempotency-key"));
  EXPECT_EQ(run({"completion", "fish"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("-n '__todoku_at bulk' -a send"));
  EXPECT_EQ(run({"completion", "zsh"}), 0);
  EXPECT_TRUE(out.str().starts_with("autoload"));
  EXPECT_EQ(run({"completion", "csh"}), 2);
}

TEST_F(SenderTest, ManPagesAreMadeOfTheTree) {
  ASSERT_EQ(run({"man", "bulk", "send"}), 0);
  EXPECT_TRUE(out.str().starts_with(".TH TODOKU\\-BULK\\-SEND 1"));
  EXPECT_THAT(out.str(), HasSubstr("\\fB\\-\\-csv\\fR"));
  ASSERT_EQ(run({"man"}), 0);
  EXPECT_THAT(out.str(), HasSubstr(".SS \"todoku bulk send\"\n"));
  EXPECT_EQ(run({"man", "bulk", "sent"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("did you mean send?"));
}

}  // namespace
}  // namespace todoku::cli
