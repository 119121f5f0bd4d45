// SPDX-License-Identifier: Apache-2.0
// Against what the evaluators really say, so that a word changed there is missed here.
#include "doctor/reason_words.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mailauth/dkim/key_record.h"
#include "mailauth/spf/check_host.h"
#include "mailauth/spf/record.h"

namespace todoku::doctor {
namespace {

using mailauth::DnsFact;
using mailauth::DnsFacts;
using mailauth::FactType;

// Neither clauses nor words of English, but for what is between quotation marks and tags.
bool is_japanese(std::string_view said) {
  return std::ranges::any_of(said, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

TEST(ReasonWords, OfTermsOfSpf) {
  for (const std::string_view term :
       {"ipv4:192.0.2.1", "ip4:192.0.2.256", "ip6:x", "ip4", "include", "all:x", "ip4:192.0.2.1/99",
        "ip4:192.0.2.1/x", "a:example.com redirect=a.example redirect=b.example"}) {
    const auto record = mailauth::spf::parse_record("v=spf1 " + std::string(term));
    ASSERT_FALSE(record) << term;
    EXPECT_TRUE(is_japanese(reason_in_japanese(record.error().detail))) << record.error().detail;
  }
  EXPECT_EQ(reason_in_japanese("\"ip4:192.0.2.256\": holds no IPv4 address"),
            "\"ip4:192.0.2.256\": IPv4 アドレスではありません");
  EXPECT_EQ(
      reason_in_japanese("the record of example.jp: \"ip4:192.0.2.256\": holds no IPv4 address"),
      "example.jp のレコード: \"ip4:192.0.2.256\": IPv4 アドレスではありません");
}

TEST(ReasonWords, OfAnEvaluationOfSpf) {
  const auto problem = [](std::vector<std::string> texts) {
    DnsFacts facts;
    facts.learn({FactType::txt, "example.jp"},
                {.status = texts.empty() ? DnsFact::Status::absent : DnsFact::Status::found,
                 .values = std::move(texts),
                 .reason = {}});
    return mailauth::spf::check_host(
               {.ip = std::string(4, '\1'), .mail_from = "a@example.jp", .helo = "example.jp"},
               facts)
        .problem;
  };
  for (const std::vector<std::string>& texts : {std::vector<std::string>{},
                                                {"something else"},
                                                {"v=spf1 -all", "v=spf1 -all"},
                                                {"v=spf1 nonsense"}}) {
    const std::string said = problem(texts);
    ASSERT_FALSE(said.empty());
    EXPECT_TRUE(is_japanese(reason_in_japanese(said))) << said;
  }
  EXPECT_EQ(reason_in_japanese(problem({"something else"})),
            "example.jp に SPF レコードがありません");
  EXPECT_EQ(reason_in_japanese("more than 10 terms that ask the DNS"),
            "DNS を参照する指定が 10 個を超えています");
}

TEST(ReasonWords, OfKeyRecords) {
  for (const std::string_view text : {"hello", "v=DKIM; p=AAAA", "v=DKIM1; k=x; p=AAAA", "v=DKIM1",
                                      "v=DKIM1; p=????", "v=DKIM1; p=AAAA", "p=; p="}) {
    const auto record = mailauth::dkim::parse_key_record(text);
    ASSERT_FALSE(record) << text;
    EXPECT_TRUE(is_japanese(reason_in_japanese(record.error().detail))) << record.error().detail;
  }
}

TEST(ReasonWords, WhatIsNotKnownStays) {
  EXPECT_EQ(reason_in_japanese("it answers: SERVFAIL"), "it answers: SERVFAIL");
  EXPECT_EQ(reason_in_japanese("2001:db8::1"), "2001:db8::1");
}

}  // namespace
}  // namespace todoku::doctor
