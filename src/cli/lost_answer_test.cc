// SPDX-License-Identifier: Apache-2.0
// What is said where the answer to an order is lost: who believes that nothing was done does it
// again.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_api.h"

namespace todoku::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kNotKnown = "It is not known whether that was done";

Result<ApiAnswer> lost() {
  return fail(ErrorKind::timeout, "no answer");
}

class LostAnswerTest : public SenderTest {
 protected:
  // Up to the commit all goes well; then comes what is given.
  int bulk(std::vector<Result<ApiAnswer>> then, const std::string& at = "now") {
    std::vector<Result<ApiAnswer>> answers = {
        answered(201, R"({"delivery_id":7})"), answered(201, R"({"job_id":3})"),
        answered(200, R"({"status":"FINISHED","percentage":100})")};
    answers.insert(answers.end(), then.begin(), then.end());
    answer_or_lose(std::move(answers));
    return run(bulk_words(write("list.csv", "email\na@b.example\n"), at));
  }
  static std::vector<Result<ApiAnswer>> six_times(const Result<ApiAnswer>& answer) {
    return std::vector<Result<ApiAnswer>>(6, answer);
  }
  static std::vector<Result<ApiAnswer>> six_lost_then(
      const std::vector<Result<ApiAnswer>>& answers) {
    auto all = six_times(lost());
    all.insert(all.end(), answers.begin(), answers.end());
    return all;
  }
};

TEST_F(LostAnswerTest, ACommitThatWasDoneIsFoundByItsDelivery) {
  EXPECT_EQ(bulk(six_lost_then({answered(200, R"({"delivery_id":7,"state":"sending"})"),
                                answered(200, R"({"delivery_id":7,"state":"sent","total":1})")})),
            0);
  EXPECT_THAT(err.str(), HasSubstr(kNotKnown));
  EXPECT_THAT(err.str(), HasSubstr("Delivery 7 was committed: sending."));
  EXPECT_THAT(err.str(), Not(HasSubstr("Nothing was sent")));
  EXPECT_THAT(out.str(), HasSubstr("Delivery 7 begins."));
  EXPECT_EQ(host.requests[9].target, "/deliveries/7/progress");
}

TEST_F(LostAnswerTest, ACommitThatIsNotFoundIsNotSaidToBeNone) {
  EXPECT_EQ(bulk(six_lost_then({answered(200, R"({"delivery_id":7,"state":"edit"})")})), 4);
  EXPECT_THAT(err.str(), HasSubstr("Delivery 7 is still a draft, but its commit may be on the"));
  EXPECT_THAT(err.str(), HasSubstr("todoku bulk show 7."));
  EXPECT_THAT(err.str(), HasSubstr("todoku bulk commit 7 --at now sends it, and not twice"));
  EXPECT_THAT(err.str(), Not(HasSubstr("Nothing was sent")));

  EXPECT_EQ(bulk(six_times(lost()), "2026-12-01T09:00"), 4) << "nor can it be looked at";
  EXPECT_THAT(err.str(), HasSubstr("todoku bulk commit 7 --at 2026-12-01T09:00 sends it"));
  EXPECT_THAT(err.str(), Not(HasSubstr("Nothing was sent")));
  EXPECT_EQ(bulk(six_times(answered(500, ""))), 4) << "who fails may have done it before";
  EXPECT_THAT(err.str(), HasSubstr(kNotKnown));
}

TEST_F(LostAnswerTest, WhoStopsACommitIsToldWhatBecameOfIt) {
  host.patience = 1;  // the first wait is for nothing
  EXPECT_EQ(bulk({lost(), answered(200, R"({"state":"wait"})")}), 130);
  EXPECT_THAT(err.str(), HasSubstr("Delivery 7 was committed: wait."));
  EXPECT_THAT(err.str(), HasSubstr("todoku bulk stop 7"));
  EXPECT_EQ(bulk({lost()}), 130);
  EXPECT_THAT(err.str(), HasSubstr("another bulk send would be another mailing"));
  EXPECT_THAT(err.str(), Not(HasSubstr("Nothing was sent")));
  EXPECT_EQ(bulk({answered_later(429, "7")}), 130) << "that was refused, and is known";
  EXPECT_THAT(err.str(), HasSubstr("Nothing was sent. Delivery 7 is a draft"));
}

TEST_F(LostAnswerTest, ARefusedCommitLeavesADraft) {
  const ApiAnswer refused = answered(400, R"({"error_messages":{"main":["no."]}})");
  EXPECT_EQ(bulk({refused}), 1);
  EXPECT_THAT(err.str(), HasSubstr("Nothing was sent. Delivery 7 is a draft"));
  EXPECT_THAT(err.str(), Not(HasSubstr(kNotKnown)));
  EXPECT_EQ(bulk({lost(), refused}), 1) << "had the first been done, that would be its answer";
  EXPECT_THAT(err.str(), HasSubstr("Nothing was sent"));
  EXPECT_EQ(bulk({fail(ErrorKind::unavailable, "refused")}), 3) << "nobody was there";
  EXPECT_THAT(err.str(), HasSubstr("Nothing was sent"));
}

TEST_F(LostAnswerTest, EveryStepOfAMailingHasAKeyOfItsOneKey) {
  EXPECT_EQ(bulk({answered(400, "")}), 1);
  const std::string begun = host.requests[0].idempotency_key;
  ASSERT_TRUE(begun.ends_with("-begin"));
  const std::string key = begun.substr(0, begun.size() - 6);
  EXPECT_EQ(host.requests[1].idempotency_key, key + "-import");
  EXPECT_EQ(host.requests[3].idempotency_key, key + "-commit");
}

TEST_F(LostAnswerTest, ADraftThatMayHaveBeenMadeIsSpokenOf) {
  answer_or_lose({lost()});
  EXPECT_EQ(run(bulk_words(write("list.csv", "email\n"), "now")), 4);
  EXPECT_THAT(err.str(), HasSubstr("a draft may have been made: todoku bulk list"));
  answer({answered(201, R"({"delivery_id":null})")});
  EXPECT_EQ(run(bulk_words(write("list.csv", "email\n"), "now")), 4) << "an answer that is none";
  EXPECT_THAT(err.str(), HasSubstr("not as todoku's API does"));
}

TEST_F(LostAnswerTest, AMailCanBeSentAgainByItsKey) {
  answer_or_lose({lost()});
  EXPECT_EQ(send(), 4);
  EXPECT_THAT(err.str(), HasSubstr(kNotKnown));
  EXPECT_THAT(err.str(), HasSubstr("--idempotency-key " + host.requests[0].idempotency_key));
  EXPECT_EQ(send({"--to", "c@b.example", "--idempotency-key", "order-1"}), 4);
  EXPECT_THAT(err.str(), HasSubstr("--idempotency-key order-1"));
  answer_or_lose({answered_later(409, "1")});
  EXPECT_EQ(send(), 4) << "the first with this key is still in progress";
  EXPECT_THAT(err.str(), HasSubstr(kNotKnown));
  for (const int status : {400, 401, 429}) {
    answer({answered(status, "")});
    EXPECT_NE(send(), 0);
    EXPECT_THAT(err.str(), Not(HasSubstr(kNotKnown))) << status;
  }
}

TEST_F(LostAnswerTest, EveryOrderIsInDoubtAndNoQuestionIs) {
  answer_or_lose({lost()});
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"bulk", "commit", "7", "--at", "now"},
           {"bulk", "stop", "7"},
           {"bulk", "delete", "7"},
           {"webhook", "test", "wh_1"},
           {"webhook", "remove", "wh_1"},
           {"webhook", "disable", "wh_1"},
           {"suppression", "add", "a@b.example", "--url", "https://a.example"},
           {"domain", "remove", "shop", "example.jp", "--url", "https://a.example"}}) {
    EXPECT_EQ(run(words), 4) << words[1];
    EXPECT_THAT(err.str(), HasSubstr(kNotKnown)) << words[1];
  }
  EXPECT_EQ(run({"deliveries"}), 4);
  EXPECT_THAT(err.str(), Not(HasSubstr(kNotKnown)));
}

TEST_F(LostAnswerTest, SoItIsOverTheAdminSocket) {
  host.answer = [](const AdminRequest&) { return fail(ErrorKind::timeout, "no answer"); };
  EXPECT_EQ(run({"key", "revoke", "shop", "3"}), 1);
  EXPECT_THAT(err.str(), HasSubstr(kNotKnown));
  EXPECT_EQ(run({"key", "list", "shop"}), 1);
  EXPECT_THAT(err.str(), Not(HasSubstr(kNotKnown)));
  host.answer = [](const AdminRequest&) { return fail(ErrorKind::unavailable, "not there"); };
  EXPECT_EQ(run({"key", "revoke", "shop", "3"}), 1);
  EXPECT_THAT(err.str(), Not(HasSubstr(kNotKnown)));
}

}  // namespace
}  // namespace todoku::cli
