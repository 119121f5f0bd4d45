// SPDX-License-Identifier: Apache-2.0
#include "api/mail_page.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"

namespace todoku::api {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(MailPage, IsOfNoOriginAndAsksForNothing) {
  const http::Response page = mail_page("<p>text</p>");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  const std::string policy(page.headers.get("Content-Security-Policy"));
  EXPECT_THAT(policy, StartsWith("sandbox; default-src 'none'; img-src data:; "
                                 "style-src 'unsafe-inline'"));
  // What a sandbox is opened by.
  EXPECT_THAT(policy, Not(HasSubstr("allow-")));
  EXPECT_THAT(policy, HasSubstr("frame-ancestors 'self'"));
  EXPECT_EQ(page.headers.get("X-Frame-Options"), "SAMEORIGIN");
  EXPECT_EQ(page.headers.get("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(page.headers.get("Cache-Control"), "no-store");
}

TEST(MailPage, ShowsTheMailAsItIsWritten) {
  constexpr std::string_view kHtml =
      "<html><head><style>p{color:red}</style></head><body><p title='a<b'>件名 &lt;link&gt;</p>";
  EXPECT_THAT(mail_page(kHtml).body, EndsWith(std::string(kHtml)));
  EXPECT_THAT(mail_page("").body, StartsWith("<!doctype html>"));
}

TEST(MailPage, LinksOfTheMailDoNotLeadTheFrameAway) {
  EXPECT_THAT(mail_page("<base target=_self><a href=\"https://example.jp/\">x</a>").body,
              StartsWith("<!doctype html><base target=\"_blank\">"));
}

TEST(MailPage, NothingIsConnectedToAhead) {
  for (const char* html :
       {"<link rel=preconnect href=https://example.com>", "<LINK rel=dns-prefetch href=//a>",
        "<<lInK/rel=preload href=a>", "x<link"}) {
    const std::string page = mail_page(html).body;
    EXPECT_EQ(to_ascii_lower(page).find("<link"), std::string::npos) << html;
    EXPECT_THAT(page, HasSubstr("<x-link")) << html;
  }
}

}  // namespace
}  // namespace todoku::api
