// SPDX-License-Identifier: Apache-2.0
#include "http/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(PercentEncoding, GoesBothWays) {
  EXPECT_EQ(percent_encode("a b/届.~-_"), "a%20b%2F%E5%B1%8A.~-_");
  EXPECT_EQ(percent_decode("a%20b%2f%E5%B1%8A"), "a b/届");
  EXPECT_EQ(percent_decode(""), "");
}

TEST(PercentEncoding, RefusesHalfDigitsAndNul) {
  EXPECT_EQ(percent_decode("%"), std::nullopt);
  EXPECT_EQ(percent_decode("%4"), std::nullopt);
  EXPECT_EQ(percent_decode("%zz"), std::nullopt);
  EXPECT_EQ(percent_decode("a%00b"), std::nullopt);
}

TEST(Query, ReadsEveryWayOfWritingAnArray) {
  const Query query = Query::parse("status[]=A&status%5B%5D=B&status=C&status[0]=D&status[12]=E");
  EXPECT_THAT(query.all("status"), ElementsAre("A", "B", "C", "D", "E"));
}

TEST(Query, LeavesOtherBracketsInTheName) {
  const Query query = Query::parse("a[x]=1&[]=2&a]=3");
  EXPECT_THAT(query.all("a[x]"), ElementsAre("1"));
  EXPECT_THAT(query.all("[]"), ElementsAre("2"));
  EXPECT_THAT(query.all("a]"), ElementsAre("3"));
}

TEST(Query, KeepsThePlusThatAnOffsetNeeds) {
  const Query query = Query::parse("delivery_start=2026-01-02T03:04:05+09:00&subject=a+b%2Bc");
  ASSERT_NE(query.find("delivery_start"), nullptr);
  EXPECT_EQ(query.find("delivery_start")->value, "2026-01-02T03:04:05 09:00");
  EXPECT_EQ(query.find("delivery_start")->literal, "2026-01-02T03:04:05+09:00");
  EXPECT_EQ(query.find("subject")->value, "a b+c");
}

TEST(Query, GivesThePythonListAsItIs) {
  const Query query = Query::parse("status=%5B%27EDIT%27%2C+%27SENT%27%5D");
  EXPECT_THAT(query.all("status"), ElementsAre("['EDIT', 'SENT']"));
}

TEST(Query, TakesEmptyPartsAndWrongEncodingsForWhatTheyAre) {
  EXPECT_THAT(Query::parse("").parameters(), IsEmpty());
  EXPECT_THAT(Query::parse("&&").parameters(), IsEmpty());
  const Query query = Query::parse("a&b=&=c&d=100%&e=%zz&f=x=y");
  EXPECT_EQ(query.find("a")->value, "");
  EXPECT_EQ(query.find("b")->value, "");
  EXPECT_EQ(query.find("")->value, "c");
  EXPECT_EQ(query.find("d")->value, "100%");
  EXPECT_EQ(query.find("e")->value, "%zz");
  EXPECT_EQ(query.find("f")->value, "x=y");
  EXPECT_EQ(query.find("g"), nullptr);
}

}  // namespace
}  // namespace todoku::http
