// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/bodies.h"

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "events/webhooks/call_answer.h"
#include "events/webhooks/challenge.h"
#include "events/webhooks/key_set.h"

namespace todoku::events::webhooks {
namespace {

using namespace std::chrono_literals;

constexpr Instant kAt = from_epoch_ms(1'775'001'600'123);  // 2026-04-01T09:00:00+09:00

std::shared_ptr<const store::EventDelivery> delivery(std::string subject = "春の\"お知らせ\"",
                                                     DeliveryType type = DeliveryType::bulk,
                                                     std::vector<std::string> tags = {"spring",
                                                                                      "東京"}) {
  return std::make_shared<const store::EventDelivery>(
      store::EventDelivery{.id = 12,
                           .type = type,
                           .subject = std::move(subject),
                           .labels = {std::move(tags), "news", Purpose::by_type}});
}

ToldEvent hard_error() {
  return {.id = "evt_1",
          .kind = ToldKind::hard_error,
          .at = kAt,
          .delivery = delivery(),
          .email = "reader@example.jp",
          .email_id = 34,
          .maillog_id = 56,
          .attempt = 1,
          .code = 550,
          .message = "5.1.1 User unknown",
          .explanation = "宛先のメールアドレスがありません。",
          .cause = Cause::mailbox};
}

// The events of one page, in a body.
class Written {
 public:
  Written(store::WebhookForm form, const std::vector<ToldEvent>& events) {
    EventWriter writer(form);
    for (const ToldEvent& event : events) written_.push_back(writer.write(event));
    for (const WrittenEvent& event : written_) events_.push_back(&event);
  }
  [[nodiscard]] std::span<const WrittenEvent* const> events() const { return events_; }

 private:
  std::vector<WrittenEvent> written_;
  std::vector<const WrittenEvent*> events_;
};

std::string contract(const std::vector<ToldEvent>& events) {
  return contract_body(Written(store::WebhookForm::contract, events).events());
}
std::string as_signed(const std::vector<ToldEvent>& events) {
  return signed_body(Written(store::WebhookForm::standard, events).events());
}

TEST(ContractBody, HasTheShapeOfTheContract) {
  EXPECT_EQ(contract({hard_error()}),
            R"({"events":[{"event":{"type":"HARDERROR","datetime":"2026-04-01T09:00:00+09:00",)"
            R"("detail":{"mailaddress":"reader@example.jp","subject":"春の\"お知らせ\"",)"
            R"("error_code":"550","error_message":"宛先のメールアドレスがありません。",)"
            R"("delivery_id":12}}}]})");
}

TEST(ContractBody, HoldsABatch) {
  ToldEvent drop = hard_error();
  drop.kind = ToldKind::dropped;
  drop.code = 0;
  drop.insert_codes = {{"__name__", "山田"}};
  ToldEvent soft = hard_error();
  soft.kind = ToldKind::soft_error;
  soft.code = 0;
  soft.explanation.clear();
  soft.message = "connection timed out";
  EXPECT_EQ(contract({drop, soft}),
            R"({"events":[{"event":{"type":"DROP","datetime":"2026-04-01T09:00:00+09:00",)"
            R"("detail":{"mailaddress":"reader@example.jp","subject":"春の\"お知らせ\"",)"
            R"x("error_code":"554(errors)","error_message":"宛先のメールアドレスがありません。",)x"
            R"("delivery_id":12,"insert_codes":[{"key":"__name__","value":"山田"}]}}},)"
            R"({"event":{"type":"SOFTERROR","datetime":"2026-04-01T09:00:00+09:00",)"
            R"("detail":{"mailaddress":"reader@example.jp","subject":"春の\"お知らせ\"",)"
            R"("error_code":"451","error_message":"connection timed out","delivery_id":12}}}]})");
}

TEST(ContractBody, TellsWhatTheContractTells) {
  const std::pair<ToldKind, const char*> table[] = {
      {ToldKind::hard_error, "HARDERROR"}, {ToldKind::soft_error, "SOFTERROR"},
      {ToldKind::expired, "SOFTERROR"},    {ToldKind::dropped, "DROP"},
      {ToldKind::sent, nullptr},           {ToldKind::deferred, nullptr},
      {ToldKind::opened, nullptr},         {ToldKind::cancelled, nullptr},
      {ToldKind::complained, nullptr},     {ToldKind::unsubscribed, nullptr},
      {ToldKind::delivery_failed, nullptr}};
  for (const auto& [kind, word] : table) {
    ToldEvent event = hard_error();
    event.kind = kind;
    const auto type = contract_type(event);
    EXPECT_EQ(type.has_value(), word != nullptr) << type_of(kind);
    if (type) {
      EXPECT_EQ(*type, word);
    }
    event.delivery = delivery("x", DeliveryType::smtp);
    EXPECT_FALSE(contract_type(event)) << type_of(kind);
  }
}

TEST(SignedBody, IsThePayloadOfTheSpecification) {
  EXPECT_EQ(as_signed({hard_error()}),
            R"({"type":"recipient.hard_error","timestamp":"2026-04-01T00:00:00.123Z","data":{)"
            R"("delivery_id":12,"delivery_type":"BULK","subject":"春の\"お知らせ\"",)"
            R"("purpose":"advertisement","list_id":"news","tags":["spring","東京"],)"
            R"("email":"reader@example.jp",)"
            R"("email_id":34,"maillog_id":56,"attempt":1,"code":550,)"
            R"("message":"5.1.1 User unknown","cause":"mailbox"}})");
}

TEST(SignedBody, TellsCountsOfMany) {
  ToldEvent finished{.id = "evt_2",
                     .kind = ToldKind::delivery_finished,
                     .at = kAt,
                     .delivery = delivery("", DeliveryType::bulk, {})};
  finished.counts = store::DeliveryCounts{.total = 10, .delivered = 7, .bounced = 3};
  EXPECT_EQ(
      as_signed({finished}),
      R"({"type":"delivery.finished","timestamp":"2026-04-01T00:00:00.123Z","data":{)"
      R"("delivery_id":12,"delivery_type":"BULK","subject":"","purpose":"advertisement","list_id":"news","tags":[],"counts":{"total":10,)"
      R"("sent":7,"hard_error":3,"dropped":0,"expired":0,"cancelled":0,"unknown":0,)"
      R"("deferred":0}}})");
}

TEST(SignedBody, HoldsABatchWhoseEventsHaveTheirIds) {
  ToldEvent second = hard_error();
  second.id = "evt_2";
  const std::string body = as_signed({hard_error(), second});
  EXPECT_TRUE(body.starts_with(
      R"({"type":"events.batch","timestamp":"2026-04-01T00:00:00.123Z","data":{"events":[)"
      R"({"id":"evt_1","type":"recipient.hard_error",)"))
      << body;
  EXPECT_TRUE(body.contains(R"(,{"id":"evt_2","type":"recipient.hard_error",)")) << body;
}

TEST(Bodies, AreBounded) {
  ToldEvent event = hard_error();
  // Six octets each, in JSON.
  event.delivery = delivery(std::string(100'000, '\1'), DeliveryType::bulk,
                            std::vector<std::string>(1'000, std::string(64, '\1')));
  event.message.assign(100'000, '\1');
  event.explanation.assign(100'000, '\1');
  event.insert_codes.assign(90, {"__key__", std::string(80, '\1')});
  for (const std::string& body : {contract({event}), as_signed({event})}) {
    EXPECT_LT(body.size(), kEventOctetsMax);
    EXPECT_TRUE(body.contains("insert_codes"));
  }
  // Half a set of insert codes would be read as a whole one.
  event.insert_codes.assign(200, {"__key__", std::string(80, 'x')});
  EXPECT_FALSE(contract({event}).contains("insert_codes"));
  // Texts are cut between characters.
  ToldEvent japanese = hard_error();
  std::string subject;
  for (int i = 0; i < 500; ++i) subject += "件";
  japanese.delivery = delivery(std::move(subject));
  EXPECT_FALSE(contract({japanese}).contains("\xEF\xBF\xBD"));
}

TEST(SignedBody, ThePurposeIsTheSendersWord) {
  store::EventDelivery sent = *delivery("", DeliveryType::transaction);
  sent.labels.purpose = Purpose::notice;
  ToldEvent event = hard_error();
  event.delivery = std::make_shared<const store::EventDelivery>(sent);
  EXPECT_TRUE(as_signed({event}).contains(R"("purpose":"notice")"));
  event.delivery = delivery("", DeliveryType::transaction);
  EXPECT_TRUE(as_signed({event}).contains(R"("purpose":"transactional")"));
}

// Each is its own delivery's, whichever stood before it.
TEST(SignedBody, TellsOfEachEventItsDelivery) {
  ToldEvent other = hard_error();
  other.delivery = delivery("Autumn", DeliveryType::transaction, {"autumn"});
  ToldEvent of_none = hard_error();
  of_none.delivery = store::EventRecord::no_delivery();
  const std::string both = as_signed({hard_error(), other, of_none, hard_error()});
  const auto at = [&](std::string_view text) { return both.find(text); };
  EXPECT_LT(at(R"("delivery_type":"BULK")"), at(R"("subject":"Autumn","purpose":"transactional")"));
  EXPECT_LT(at(R"("tags":["autumn"])"), at(R"("data":{"email":)"));
  EXPECT_LT(at(R"("data":{"email":)"), both.rfind(R"("tags":["spring","東京"])"));
}

TEST(CallId, IsTheSameForTheSameEvents) {
  ToldEvent second = hard_error();
  second.id = "evt_2";
  const auto id = [](const std::vector<ToldEvent>& events) {
    return call_id(Written(store::WebhookForm::standard, events).events());
  };
  EXPECT_EQ(id({hard_error()}), "evt_1");
  EXPECT_EQ(id({hard_error(), second}), id({hard_error(), second}));
  EXPECT_NE(id({hard_error(), second}), id({second, hard_error()}));
  EXPECT_FALSE(id({hard_error(), second}).contains('.'));
}

TEST(KeySet, KnowsWhatWasInsertedWhereverItWouldLie) {
  KeySet keys(100);
  for (std::uint64_t key = 1; key <= 50; ++key) {
    for (const std::uint64_t each :
         {key << 40U, (key << 40U) + 1}) {  // all would lie at two places
      EXPECT_FALSE(keys.contains(each));
      EXPECT_TRUE(keys.insert(each));
      EXPECT_FALSE(keys.insert(each));
      EXPECT_TRUE(keys.contains(each));
    }
  }
  EXPECT_FALSE(keys.contains(51ULL << 40U));
}

TEST(ToldKind, HasAWordForEach) {
  for (int kind = 0; kind <= static_cast<int>(ToldKind::test); ++kind) {
    EXPECT_EQ(kind_of(type_of(static_cast<ToldKind>(kind))), static_cast<ToldKind>(kind));
  }
  EXPECT_FALSE(kind_of("recipient.read"));
}

TEST(Challenge, IsAnsweredByWhatItAsksFor) {
  const Challenge challenge = make_challenge();
  EXPECT_NE(make_challenge().token, challenge.token);
  EXPECT_EQ(challenge_body(challenge, kAt),
            R"({"type":"endpoint.challenge","timestamp":"2026-04-01T00:00:00.123Z",)"
            R"("data":{"challenge":")" +
                challenge.token + R"("}})");
  const auto passes = [&](int status, std::string body) {
    http::ClientResponse answer;
    answer.status = status;
    answer.body = std::move(body);
    return check_challenge(challenge, answer).has_value();
  };
  EXPECT_TRUE(passes(200, R"({"challenge": ")" + challenge.token + R"("})"));
  EXPECT_TRUE(passes(202, challenge.token + "\n"));
  EXPECT_FALSE(passes(302, challenge.token));
  EXPECT_FALSE(passes(500, challenge.token));
  EXPECT_FALSE(passes(200, ""));
  EXPECT_FALSE(passes(200, "{}"));
  EXPECT_FALSE(passes(200, R"({"challenge": 1})"));
  EXPECT_FALSE(passes(200, R"({"challenge": ")" + make_challenge().token + R"("})"));
  // Whoever sends back all that came has not read it.
  EXPECT_FALSE(passes(200, challenge_body(challenge, kAt)));
}

// What neighbours share is written once: never where they differ in it.
TEST(Bodies, OneWriterWritesWhatAnotherWouldWriteOfEachAlone) {
  const auto first = delivery("one");
  const auto second = delivery("two");
  const auto none = store::EventRecord::no_delivery();
  EventWriter writer(store::WebhookForm::standard);
  for (const auto& whose : {first, first, second, none, first, none, second, second}) {
    for (const ToldKind kind : {ToldKind::sent, ToldKind::sent, ToldKind::hard_error}) {
      for (const Milliseconds later : {0ms, 0ms, 1ms}) {
        const ToldEvent event{
            .kind = kind, .at = kAt + later, .delivery = whose, .email = "a@example.jp"};
        EXPECT_EQ(writer.write(event).text,
                  EventWriter(store::WebhookForm::standard).write(event).text);
      }
    }
  }
}

std::string judged(int status, std::string_view after = "") {
  http::ClientResponse response;
  response.status = status;
  if (!after.empty()) response.headers.add("Retry-After", after);
  const CallAnswer answer = judge_answer(response);
  constexpr std::string_view kWords[] = {"accepted", "refused", "throttled", "busy", "gone"};
  std::string word(kWords[static_cast<std::size_t>(answer.how)]);
  if (answer.retry_after) word += " " + std::to_string(answer.retry_after->count());
  return word;
}

TEST(CallAnswer, FollowsTheSpecification) {
  EXPECT_EQ(judged(200), "accepted");
  EXPECT_EQ(judged(299), "accepted");
  EXPECT_EQ(judged(302), "refused");
  EXPECT_EQ(judged(404), "refused");
  EXPECT_EQ(judged(410), "gone");
  EXPECT_EQ(judged(429), "throttled");
  EXPECT_EQ(judged(429, "120"), "throttled 120000");
  EXPECT_EQ(judged(429, "Fri, 31 Dec 1999 23:59:59 GMT"), "throttled");
  EXPECT_EQ(judged(503), "refused");
  EXPECT_EQ(judged(503, "1"), "throttled 1000");
  EXPECT_EQ(judge_answer(fail(ErrorKind::timeout, "")).how, CallAnswer::How::refused);
  EXPECT_EQ(judge_answer(fail(ErrorKind::limit_exceeded, "")).how, CallAnswer::How::busy);
}

}  // namespace
}  // namespace todoku::events::webhooks
