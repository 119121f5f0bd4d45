// SPDX-License-Identifier: Apache-2.0
#include "mime/open_pixel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mime/message_template.h"
#include "mime/test_reader.h"

namespace todoku::mime {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kUrl = "https://mail.example.jp/open/";

Content mail_of(std::string html) {
  Content out;
  out.from = {"info@example.jp", ""};
  out.subject = "News";
  out.html_part = std::move(html);
  out.open_tracking = true;
  return out;
}

struct Copy {
  std::string message;
  std::size_t shared = 0;  // octets of the body that are the template's
};

Copy copy_of(const MessageTemplate& message_template, std::string_view token,
             std::span<const InsertCodeView> codes = {}) {
  Identity identity;
  identity.delivery = 1;
  identity.message_id_domain = "mail.example.jp";
  ComposedMessage message;
  message_template.compose({"taro@example.com", codes, token}, identity, message);
  EXPECT_LE(message.size(), message_template.expanded_octets(codes));
  Copy copy{.message = std::string(message.head())};
  std::size_t longest = 0;
  for (const std::string_view piece : message.body()) {
    copy.message += piece;
    longest = std::max(longest, piece.size());
  }
  copy.shared = longest;
  return copy;
}

// Of a message with text and HTML.
std::string html_of(const std::string& message) {
  const auto parts = test::read_parts(test::read_entity(message));
  return parts.size() < 2 ? "" : test::read_content(parts[1]).value_or("");
}
std::string text_of(const std::string& message) {
  const auto parts = test::read_parts(test::read_entity(message));
  return parts.empty() ? "" : test::read_content(parts[0]).value_or("");
}

MessageTemplate tracked(Content given) {
  auto made = MessageTemplate::build(std::move(given), {.pixel_url = std::string(kUrl)});
  EXPECT_TRUE(made) << (made ? "" : made.error().detail);
  return std::move(*made);
}

std::string before_place(std::string_view html) {
  return std::string(html.substr(0, pixel_place(html)));
}

TEST(PixelPlace, IsBeforeTheEndOfTheBodyThatReadersSee) {
  EXPECT_EQ(before_place("<html><body><p>x</p></body></html>"), "<html><body><p>x</p>");
  EXPECT_EQ(before_place("<p>x</p></BODY \n></HTML>"), "<p>x</p>");
  EXPECT_EQ(before_place("<p>x</p></html>"), "<p>x</p>");
  EXPECT_EQ(before_place("<p>x</p>"), "<p>x</p>");
  EXPECT_EQ(before_place(""), "");
  EXPECT_EQ(before_place("a</body>b</body>c"), "a</body>b") << "browsers go on in the first";
  EXPECT_EQ(before_place("<p>x</p></body><!-- not </body> here --></html>"), "<p>x</p>");
  EXPECT_EQ(before_place("<p>x</p><script>'</body>'</script></body>"),
            "<p>x</p><script>'</body>'</script>");
  EXPECT_EQ(before_place("x</bodyguard></body/>"), "x</bodyguard>");
}

TEST(OpenPixel, StandsInTheHtmlOnlyAndEachCopyHasItsOwn) {
  const auto news = tracked(mail_of("<html><body><p>Hello &amp; welcome</p></body></html>"));
  EXPECT_TRUE(news.has_pixel());
  const std::string message = copy_of(news, "tokenOne").message;
  EXPECT_EQ(html_of(message),
            "<html><body><p>Hello &amp; welcome</p>"
            "<img src=\"https://mail.example.jp/open/tokenOne\" width=\"1\" height=\"1\" alt=\"\" "
            "border=\"0\">\r\n</body></html>");
  EXPECT_THAT(text_of(message), Not(HasSubstr("open")));
  EXPECT_THAT(html_of(copy_of(news, "tokenTwo").message), HasSubstr("/open/tokenTwo\""));
  EXPECT_EQ(copy_of(news, "tokenOne").message, message) << "a retry repeats every octet";
}

TEST(OpenPixel, IsInNoOtherMail) {
  Content off = mail_of("<p>x</p>");
  off.open_tracking = false;
  Content text = mail_of("");
  text.text_part = "only text";
  for (const Content& given : {off, text}) {
    const auto made = tracked(given);
    EXPECT_FALSE(made.has_pixel());
    EXPECT_THAT(copy_of(made, "token").message, Not(HasSubstr("token")));
  }
  const auto nowhere = MessageTemplate::build(mail_of("<p>x</p>"), {});
  ASSERT_TRUE(nowhere);
  EXPECT_FALSE(nowhere->has_pixel());
  EXPECT_FALSE(MessageTemplate::build(mail_of("<p>x</p>"),
                                      {.pixel_url = "https://" + std::string(300, 'x') + "/"}));
}

TEST(OpenPixel, LeavesInsertCodesAloneAndTakesNoneOfItsUrlForOne) {
  Content given = mail_of("<p>__name__</p></body>__name__");
  auto made = MessageTemplate::build(
      given, {.pixel_url = "https://mail.example.jp/__name__/\"><b>&/open/"});
  ASSERT_TRUE(made);
  const std::vector<InsertCodeView> codes{{"__name__", "Taro"}, {"pixel", "forged"}};
  EXPECT_EQ(
      html_of(copy_of(*made, "token", codes).message),
      "<p>Taro</p><img src=\"https://mail.example.jp/__name__/&quot;>&lt;b>&amp;/open/token\" "
      "width=\"1\" height=\"1\" alt=\"\" border=\"0\">\r\n</body>Taro");
}

TEST(OpenPixel, WhatIsTheSameForAllStaysShared) {
  for (const std::string_view line : {std::string_view("<p>One line of a long letter.</p>\r\n"),
                                      std::string_view("<p>長い手紙</p>\r\n")}) {
    std::string html;
    while (html.size() < 60'000) html += line;
    const Copy copy = copy_of(tracked(mail_of(html + "</body>")), "token");
    EXPECT_GT(copy.shared, 55'000U);
    EXPECT_THAT(html_of(copy.message), EndsWith("</body>"));
    EXPECT_THAT(html_of(copy.message), HasSubstr("/open/token\""));
  }
}

}  // namespace
}  // namespace todoku::mime
