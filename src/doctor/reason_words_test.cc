// SPDX-License-Identifier: Apache-2.0
// Against what the evaluators really say, so that a word changed there is missed here.
#include "doctor/reason_words.h"

#include <algorithm>
#include <fstream>
#include <iterator>

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

// What a source file says of what it refuses: literals in calls of these.
std::vector<std::string> said_in(const std::string& file) {
  std::ifstream in(std::string(TODOKU_SOURCE_DIR) + "/src/mailauth/" + file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_FALSE(text.empty()) << file;
  std::vector<std::string> said;
  for (const std::string_view call : {"permerror(\"", "neutral(\"", "invalid(\"", "warn(\"",
                                      "invalid_input, \"", "reason = \""}) {
    for (std::size_t at = text.find(call); at != text.npos; at = text.find(call, at + 1)) {
      const std::size_t begin = at + call.size();
      std::string sentence = text.substr(begin, text.find_first_of("\"\\", begin) - begin);
      for (std::size_t place = sentence.find("{}"); place != sentence.npos;
           place = sentence.find("{}")) {
        sentence.replace(place, 2, "x");
      }
      said.push_back(std::move(sentence));
    }
  }
  return said;
}

TEST(ReasonWords, OfWhateverVerifiersRefuse) {
  std::size_t sentences = 0;
  for (const std::string file :
       {"dkim/verifier.cc", "dkim/signature.cc", "dkim/key_record.cc", "spf/record.cc",
        "spf/evaluation.cc", "dmarc/evaluation.cc", "dmarc/record.cc"}) {
    for (const std::string& said : said_in(file)) {
      if (said.ends_with(' ') || !said.contains(' ')) continue;  // goes on in another literal
      EXPECT_TRUE(is_japanese(reason_in_japanese(said))) << file << ": " << said;
      ++sentences;
    }
  }
  EXPECT_GE(sentences, 35U);
}

TEST(ReasonWords, OfResolversThatFail) {
  EXPECT_EQ(
      reason_in_japanese("include:a.example: TXT b.example cannot be asked: the name servers "
                         "answered SERVFAIL for TXT b.example"),
      "include:a.example: TXT b.example を引けません: b.example の TXT に対して DNS サーバーが "
      "SERVFAIL を返しました");
  EXPECT_EQ(
      reason_in_japanese("the name server 192.0.2.1:53 denies names that exist (NXDOMAIN for "
                         "the NS of jp); the name server 192.0.2.2:53 denies names that exist "
                         "(no records for the NS of jp)"),
      "DNS サーバー 192.0.2.1:53 が実在する名前を「ない」と答えます（jp の NS: NXDOMAIN）; DNS "
      "サーバー 192.0.2.2:53 が実在する名前を「ない」と答えます（jp の NS: レコードなし）");
  EXPECT_TRUE(is_japanese(reason_in_japanese("no answer for example.jp within 2000 ms")));
  EXPECT_TRUE(
      is_japanese(reason_in_japanese("neither example.test nor a domain above it has name "
                                     "servers")));
}

TEST(ReasonWords, WhatIsNotKnownStays) {
  EXPECT_EQ(reason_in_japanese("it answers: SERVFAIL"), "it answers: SERVFAIL");
  EXPECT_EQ(reason_in_japanese("2001:db8::1"), "2001:db8::1");
}

}  // namespace
}  // namespace todoku::doctor
