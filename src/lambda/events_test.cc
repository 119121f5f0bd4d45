// SPDX-License-Identifier: Apache-2.0
#include "lambda/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "lambda/object_store.h"

namespace todoku::lambda {
namespace {

std::string put_event(std::string_view key, std::string_view name = "ObjectCreated:Put") {
  return std::string(R"({"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":)") +
         R"("ap-northeast-1","eventTime":"2026-11-27T00:00:00.000Z","eventName":")" +
         std::string(name) + R"(","s3":{"bucket":{"name":"lists","arn":"arn:aws:s3:::lists"},)" +
         R"("object":{"key":")" + std::string(key) +
         R"(","size":1024,"eTag":"d41d","sequencer":"0A1B2C"}}}]})";
}

TEST(Events, ReadsAnObjectThatWasPut) {
  const auto event = read_event(put_event("mails/1234/6%E6%9C%88+%2B.csv"));
  ASSERT_TRUE(event) << event.error().detail;
  ASSERT_EQ(event->objects.size(), 1U);
  const PutObject& put = event->objects[0];
  EXPECT_EQ(put.region, "ap-northeast-1");
  EXPECT_EQ(put.bucket, "lists");
  EXPECT_EQ(put.key, "mails/1234/6月 +.csv");
  EXPECT_EQ(put.size, 1'024U);
  EXPECT_EQ(put.sequencer, "0A1B2C");
}

TEST(Events, ReadsDeadLetters) {
  const auto event = read_event(
      R"({"Records":[{"messageId":"m1","receiptHandle":"r","body":"hint","attributes":)"
      R"({"ApproximateReceiveCount":"21"},"messageAttributes":{},"eventSource":"aws:sqs",)"
      R"("eventSourceARN":"arn:aws:sqs:ap-northeast-1:123456789012:todoku-dead","awsRegion":"x"}]})");
  ASSERT_TRUE(event) << event.error().detail;
  ASSERT_EQ(event->dead_letters.size(), 1U);
  EXPECT_EQ(event->dead_letters[0].queue, "todoku-dead");
  EXPECT_EQ(event->dead_letters[0].message_id, "m1");
  EXPECT_EQ(event->dead_letters[0].received, "21");
  EXPECT_EQ(event->dead_letters[0].body, "hint");
}

TEST(Events, IgnoresWhatIsNoPut) {
  EXPECT_EQ(read_event(put_event("a/1/b.csv", "ObjectRemoved:Delete"))->ignored, 1U);
  EXPECT_EQ(read_event(R"({"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"})")->ignored,
            1U);
}

TEST(Events, RefusesWhatItCannotBeSureOf) {
  for (const std::string& text :
       {std::string(""), std::string("[]"), std::string("{}"), std::string(R"({"Records":{}})"),
        std::string(R"({"Records":[1]})"), std::string(R"({"Records":[{"eventSource":"aws:x"}]})"),
        std::string(R"({"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put"}]})"),
        put_event("mails/../1/b.csv"), put_event("a%ZZ"), put_event(""), put_event("%FF")}) {
    const auto event = read_event(text);
    EXPECT_FALSE(event) << text;
  }
  std::string wrong_bucket = put_event("1/a.csv");
  wrong_bucket.replace(wrong_bucket.find(R"("lists")"), 7, R"("example.com/x?")");
  EXPECT_FALSE(read_event(wrong_bucket)) << "it would stand in a URL";
  std::string many = R"({"Records":[)";
  for (std::size_t i = 0; i <= kRecordsMax; ++i) {
    many += std::string(i > 0 ? "," : "") + R"({"eventSource":"aws:sqs"})";
  }
  EXPECT_FALSE(read_event(many + "]}"));
}

TEST(Events, FindTheDeliveryInTheKey) {
  EXPECT_EQ(delivery_in("lists/1234/june.csv"), 1'234);
  EXPECT_EQ(delivery_in("1234/june.csv"), 1'234);
  EXPECT_EQ(delivery_in("2026/1234/june.csv"), 1'234) << "the last one";
  EXPECT_EQ(delivery_in("1234/done/june.csv"), 1'234);
  EXPECT_EQ(delivery_in("june.csv"), std::nullopt);
  EXPECT_EQ(delivery_in("1234"), std::nullopt) << "a file, not a folder";
  EXPECT_EQ(delivery_in("/12a/-3/0/june.csv"), std::nullopt);
  EXPECT_EQ(delivery_in("99999999999999999999/a.csv"), std::nullopt);
}

TEST(ObjectPlaces, AreWhereS3LooksForThem) {
  PutObject put{.region = "ap-northeast-1",
                .bucket = "lists",
                .key = "a b/1234/ü.csv",
                .version = {},
                .sequencer = {}};
  EXPECT_EQ(place_of(put, "").url,
            "https://lists.s3.ap-northeast-1.amazonaws.com/a%20b/1234/%C3%BC.csv");
  put.version = "v/1";
  EXPECT_EQ(place_of(put, "http://127.0.0.1:9000").url,
            "http://127.0.0.1:9000/lists/a%20b/1234/%C3%BC.csv?versionId=v%2F1");
  put.bucket = "lists.example.com";
  EXPECT_EQ(place_of(put, "").host, "s3.ap-northeast-1.amazonaws.com");
}

}  // namespace
}  // namespace todoku::lambda
