// SPDX-License-Identifier: Apache-2.0
#include "mailauth/mta_sts/record.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace todoku::mailauth::mta_sts {
namespace {

std::expected<std::string, NoRecord> id_of(std::vector<std::string> texts) {
  return policy_id(texts);
}

TEST(StsRecord, TheIdIsRead) {
  // RFC 8461 section 3.1.
  EXPECT_EQ(id_of({"v=STSv1; id=20160831085700Z;"}), "20160831085700Z");
  EXPECT_EQ(id_of({"v=STSv1;id=1"}), "1");
  EXPECT_EQ(id_of({"v=STSv1 ; id=a1 ; x-more=1/2+3"}), "a1");
  EXPECT_EQ(id_of({"v=STSv1; other=x; id=2"}), "2");
}

TEST(StsRecord, OtherTextsAreDiscarded) {
  EXPECT_EQ(id_of({"v=spf1 -all", "v=STSv1; id=3;", "google-site-verification=x"}), "3");
  EXPECT_EQ(id_of({"v=STSv12; id=9", "v=STSv1; id=3;"}), "3");
  EXPECT_EQ(id_of({}).error(), NoRecord::absent);
  EXPECT_EQ(id_of({"v=spf1 -all"}).error(), NoRecord::absent);
  EXPECT_EQ(id_of({"V=STSV1; id=1"}).error(), NoRecord::absent);
  EXPECT_EQ(id_of({" v=STSv1; id=1"}).error(), NoRecord::absent);
  EXPECT_EQ(id_of({"v=STSv1"}).error(), NoRecord::absent);
}

TEST(StsRecord, TwoAreNone) {
  EXPECT_EQ(id_of({"v=STSv1; id=1;", "v=STSv1; id=1;"}).error(), NoRecord::several);
  EXPECT_EQ(id_of({"v=STSv1; id=1;", "v=STSv1; nothing"}).error(), NoRecord::several);
}

TEST(StsRecord, ABrokenOneIsNone) {
  for (const char* text :
       {"v=STSv1;", "v=STSv1; id=", "v=STSv1; id", "v=STSv1; id=a-b", "v=STSv1; id=1; id=2",
        "v=STSv1; id=1; x=", "v=STSv1; id=1; =y", "v=STSv1; id=1; x=y=z", "v=STSv1;; id=1",
        "v=STSv1; id=123456789012345678901234567890123", "v=STSv1; id=1; a b=c",
        "v=STSv1; id=\xe3\x81\x82"}) {
    EXPECT_EQ(id_of({text}).error(), NoRecord::broken) << text;
  }
  EXPECT_EQ(id_of({"v=STSv1; id=12345678901234567890123456789012"}).value_or("").size(), 32U);
  EXPECT_EQ(id_of({"v=STSv1; id=1; x=" + std::string(5'000, 'y')}).error(), NoRecord::broken);
}

}  // namespace
}  // namespace todoku::mailauth::mta_sts
