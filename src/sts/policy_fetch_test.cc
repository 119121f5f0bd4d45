// SPDX-License-Identifier: Apache-2.0
#include "sts/policy_fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::sts {
namespace {

using mailauth::mta_sts::Fault;
using mailauth::mta_sts::Mode;
using testing::HasSubstr;

constexpr std::string_view kPolicy =
    "version: STSv1\r\nmode: enforce\r\nmx: mx.example.jp\r\nmax_age: 86400\r\n";

http::GuardedAnswer answered(int status, std::string_view type, std::string_view body) {
  http::ClientResponse response{.status = status, .headers = {}, .body = std::string(body)};
  if (!type.empty()) response.headers.add("content-type", type);
  return {.response = std::move(response), .cut = false, .peer = {}, .took = {}};
}

http::GuardedAnswer failed(ErrorKind kind, bool connected) {
  http::GuardedAnswer answer{.response = fail(kind, "why"), .cut = false, .peer = {}, .took = {}};
  if (connected) answer.peer = net::Endpoint{};
  return answer;
}

TEST(StsPolicyFetch, AnAnswerOf200AsPlainTextIsThePolicy) {
  for (const char* type : {"text/plain", "Text/Plain; charset=utf-8", "text/plain;"}) {
    const auto fetched = judge_answer(answered(200, type, kPolicy));
    ASSERT_TRUE(fetched) << type << ": " << fetched.error().reason;
    EXPECT_EQ(fetched->mode, Mode::enforce);
  }
}

TEST(StsPolicyFetch, AnythingElseIsToldByItsKind) {
  const struct {
    http::GuardedAnswer answer;
    Fault fault;
    const char* reason;
  } cases[] = {
      {answered(404, "text/plain", "no"), Fault::policy_fetch_error, "status 404"},
      // RFC 8461 section 3.3: redirects MUST NOT be followed.
      {answered(301, "text/plain", kPolicy), Fault::policy_fetch_error, "status 301"},
      {answered(200, "text/html", kPolicy), Fault::policy_invalid, "text/plain"},
      {answered(200, "", kPolicy), Fault::policy_invalid, "text/plain"},
      {answered(200, "text/plain", "mode: enforce"), Fault::policy_invalid, "no version"},
      {failed(ErrorKind::timeout, true), Fault::policy_fetch_error, "why"},
      {failed(ErrorKind::unauthorized, true), Fault::webpki_invalid, "why"},
      {failed(ErrorKind::unauthorized, false), Fault::policy_fetch_error, "why"},
  };
  for (const auto& each : cases) {
    const auto fetched = judge_answer(each.answer);
    ASSERT_FALSE(fetched) << each.reason;
    EXPECT_EQ(fetched.error().fault, each.fault) << each.reason;
    EXPECT_THAT(fetched.error().reason, HasSubstr(each.reason));
  }
  const auto busy = judge_answer(failed(ErrorKind::limit_exceeded, false));
  ASSERT_FALSE(busy);
  EXPECT_TRUE(busy.error().is_busy) << "nobody was asked: it says nothing of the domain";
  http::GuardedAnswer cut = answered(200, "text/plain", kPolicy);
  cut.cut = true;
  EXPECT_THAT(judge_answer(cut).error().reason, HasSubstr("65536 octets"));
}

}  // namespace
}  // namespace todoku::sts
