// SPDX-License-Identifier: Apache-2.0
#include "queue/sqs/messages.h"

#include <gtest/gtest.h>

#include "queue/breaker.h"
#include "queue/sqs/credentials.h"
#include "queue/sqs/instants.h"

namespace todoku::queue::sqs {
namespace {

using namespace std::chrono_literals;

TEST(MessagesTest, WritesWhatSqsReads) {
  const std::vector<Bell> bells = {{.delivery = 7, .batch = 3}};
  EXPECT_EQ(write_send("https://q/1", bells),
            R"({"QueueUrl":"https://q/1","Entries":[{"Id":"0","MessageBody":)"
            R"("{\"v\":1,\"delivery\":7,\"batch\":3}"}]})");
  EXPECT_EQ(write_receive("u", {.max = 10, .wait = 20s, .visibility = 30s}),
            R"({"QueueUrl":"u","MaxNumberOfMessages":10,"WaitTimeSeconds":20,)"
            R"("VisibilityTimeout":30,)"
            R"("AttributeNames":["ApproximateReceiveCount","SentTimestamp"]})");
  const std::vector<Receipt> receipts = {{"a\"b"}};
  EXPECT_EQ(write_change_visibility("u", receipts, 5s),
            R"({"QueueUrl":"u","Entries":[{"Id":"0","ReceiptHandle":"a\"b",)"
            R"("VisibilityTimeout":5}]})");
  EXPECT_EQ(write_create_queue("q", 30s),
            R"({"QueueName":"q","Attributes":{"MessageRetentionPeriod":"3600",)"
            R"("VisibilityTimeout":"30","ReceiveMessageWaitTimeSeconds":"20"}})");
}

TEST(MessagesTest, ABellComesBackAsItWasSent) {
  const Bell bell{.delivery = 9'007'199'254'740'993, .batch = 4'294'967'295};
  EXPECT_EQ(read_bell(write_bell(bell)), bell);
  EXPECT_EQ(read_bell(R"({"v":1,"delivery":1,"batch":2,"later":[]})"), (Bell{1, 2}));
}

TEST(MessagesTest, WhatIsNoBellIsNone) {
  for (const std::string_view body :
       {"", "x", "[]", "{}", R"({"v":2,"delivery":1,"batch":2})", R"({"v":1,"delivery":1})",
        R"({"v":1,"delivery":-1,"batch":2})", R"({"v":1,"delivery":1,"batch":4294967296})",
        R"({"v":1,"delivery":1.5,"batch":2})", R"({"v":1,"delivery":"1","batch":2})"}) {
    EXPECT_EQ(read_bell(body), std::nullopt) << body;
  }
}

// An answer with 200 says nothing about its entries; one that is not named was lost.
TEST(MessagesTest, TellsTheFateOfEachEntry) {
  const auto fared = read_batch(
      R"({"Successful":[{"Id":"0"}],"Failed":[{"Id":"1","Code":"InternalError","SenderFault":false},)"
      R"({"Id":"2","Code":"ReceiptHandleIsInvalid","SenderFault":true},{"Id":"99"}]})",
      4);
  ASSERT_TRUE(fared);
  EXPECT_EQ(fared->again, (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(fared->refused, (std::vector<std::size_t>{2}));
  EXPECT_FALSE(read_batch("[]", 1));
}

TEST(MessagesTest, ReadsMessages) {
  const auto messages = read_messages(
      R"({"Messages":[{"ReceiptHandle":"r","Body":"b","Attributes":)"
      R"({"ApproximateReceiveCount":"3","SentTimestamp":"1795738282000"}},{"Body":"lost"}]})");
  ASSERT_TRUE(messages && messages->size() == 1);
  EXPECT_EQ(messages->front().receipt, "r");
  EXPECT_EQ(messages->front().times, 3U);
  EXPECT_EQ(messages->front().sent, from_epoch_ms(1'795'738'282'000));
  // Nothing is there: seen in all three forms.
  for (const std::string_view none : {"", "{}", R"({"Messages":[]})"}) {
    const auto read = read_messages(none);
    EXPECT_TRUE(read && read->empty()) << none;
  }
  EXPECT_FALSE(read_messages("<html>"));
}

TEST(MessagesTest, ReadsAttributesAndRefusals) {
  const auto attributes = read_attributes(
      R"({"Attributes":{"FifoQueue":"true","MessageRetentionPeriod":"345600",)"
      R"("ApproximateNumberOfMessages":"5","ApproximateNumberOfMessagesNotVisible":"2"}})");
  ASSERT_TRUE(attributes);
  EXPECT_TRUE(attributes->fifo);
  EXPECT_EQ(attributes->retention, 96h);
  EXPECT_EQ(attributes->depth.ready, 5U);
  EXPECT_EQ(attributes->depth.held, 2U);
  const Refusal named = read_refusal(
      400, R"({"__type":"com.amazon.coral.service#ExpiredTokenException","Message":"too\nold"})");
  EXPECT_EQ(named.code, "ExpiredTokenException");
  EXPECT_EQ(named.message, "too?old");
  EXPECT_EQ(read_refusal(502, "<html>").code, "HTTP 502");
}

TEST(CredentialsTest, AreReadWithTheirEnd) {
  const auto read = read_credentials(
      R"({"AccessKeyId":"AKIDEXAMPLE","SecretAccessKey":"s3cret","Token":"t","Expiration":)"
      R"("2026-11-27T00:11:22.5Z"})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->expires, from_epoch_ms(1'795'738'282'000));
  for (const std::string_view bad :
       {"", "{}",
        R"({"AccessKeyId":"a\nb","SecretAccessKey":"s3cret","Token":"",)"
        R"("Expiration":"2026-11-27T00:11:22Z"})",
        R"({"AccessKeyId":"a","SecretAccessKey":"s3cret","Expiration":"soon"})"}) {
    const auto none = read_credentials(bad);
    ASSERT_FALSE(none) << bad;
    EXPECT_EQ(none.error().detail.find("s3cret"), std::string::npos);
  }
}

TEST(CredentialsTest, AreAskedOnlyWhereTheyMayBe) {
  for (const std::string_view good :
       {"https://example.com/x", "http://127.0.0.1:8080/x", "http://localhost/",
        "http://169.254.170.2/v2", "http://169.254.170.23/v1", "http://[fd00:ec2::23]/v1",
        "http://[::1]:80/"}) {
    EXPECT_TRUE(may_ask(good)) << good;
  }
  for (const std::string_view bad : {"", "http://", "http://[", "http://[]", "http://example.com/",
                                     "http://127.0.0.1@example.com/", "http://192.0.2.1/",
                                     "ftp://127.0.0.1/", "http://localhost.example.com/"}) {
    EXPECT_FALSE(may_ask(bad)) << bad;
  }
  EXPECT_EQ(read_role("todoku-mta\n"), "todoku-mta");
  EXPECT_EQ(read_role("<!DOCTYPE html>"), "");
}

TEST(InstantsTest, ReadBothForms) {
  const Instant at = from_epoch_ms(1'795'738'282'000);
  EXPECT_EQ(read_http_date("Fri, 27 Nov 2026 00:11:22 GMT"), at);
  EXPECT_EQ(read_timestamp("2026-11-27T00:11:22Z"), at);
  for (const std::string_view bad :
       {"", "Fri, 31 Feb 2026 00:11:22 GMT", "Fri, 27 Nov 2026 24:11:22 GMT",
        "Fri, 27 Now 2026 00:11:22 GMT", "Fri, 27 Nov 2026 00-11-22 GMT"}) {
    EXPECT_EQ(read_http_date(bad), std::nullopt) << bad;
  }
  for (const std::string_view bad : {"", "2026-11-27T00:11:22", "2026-11-27 00:11:22Z",
                                     "2026-13-27T00:11:22Z", "2026-11-27T00:11:22.Z"}) {
    EXPECT_EQ(read_timestamp(bad), std::nullopt) << bad;
  }
}

TEST(BreakerTest, WaitsLongerAfterEachFailureAndNotAtAllAfterSuccess) {
  SeededRandom random(1);
  Breaker breaker({.first = 1s, .longest = 4s});
  SteadyInstant now{};
  EXPECT_TRUE(breaker.lets_through(now));
  Microseconds least = 500ms;
  for (int i = 0; i < 5; ++i) {
    breaker.failed(now, random);
    EXPECT_FALSE(breaker.lets_through(now));
    EXPECT_GE(breaker.closed_until() - now, least);
    EXPECT_LE(breaker.closed_until() - now, std::min<Microseconds>(least * 2, 4s));
    least = std::min<Microseconds>(least * 2, 2s);
    now = breaker.closed_until();
    EXPECT_TRUE(breaker.lets_through(now));
  }
  breaker.failed(now, random);
  breaker.worked();
  EXPECT_TRUE(breaker.lets_through(now));
}

}  // namespace
}  // namespace todoku::queue::sqs
