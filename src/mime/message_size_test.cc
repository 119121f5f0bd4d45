// SPDX-License-Identifier: Apache-2.0
// What is told of a message's size, beside the messages that are really made.
#include "mime/message_size.h"

#include <algorithm>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "mime/message_template.h"

namespace todoku::mime {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

Content content_of(std::string text, std::string html = {}) {
  Content out;
  out.from = {"shop@shop.example", "届くショップ"};
  out.subject = "お知らせ";
  out.text_part = std::move(text);
  out.html_part = std::move(html);
  return out;
}

using Codes = std::vector<InsertCodeView>;

struct Sizes {
  std::uint64_t told = 0;
  std::uint64_t made = 0;
  std::uint64_t memory = 0;
};

Sizes sizes(Content given, const Codes& codes) {
  const auto message_template = MessageTemplate::build(std::move(given), {});
  EXPECT_TRUE(message_template);
  Identity identity;
  identity.message_id_domain = "mail.example.jp";
  ComposedMessage message;
  message_template->compose({"taro@example.com", codes}, identity, message);
  return {message_template->expanded_octets(codes), message.size(), message.memory_octets()};
}

void expect_bound(const Sizes& sizes, double factor, const std::string& what) {
  constexpr std::uint64_t kFrame = 12'000;
  EXPECT_LE(sizes.made, sizes.told) << what;
  EXPECT_LE(static_cast<double>(sizes.told),
            factor * static_cast<double>(sizes.made) + static_cast<double>(kFrame))
      << what;
  // A buffer of the text, one of its encoded form, and values made fit, each perhaps half empty.
  EXPECT_LE(sizes.memory, 6 * sizes.told) << what;
}

TEST(MessageSize, IsToldCloselyForEveryEncoding) {
  const std::string key = "__a__";
  const auto try_one = [&](const std::string& name, std::string_view literal,
                           std::string_view value, double factor) {
    Content given = content_of(repeated(literal, 300) + repeated(key + std::string(literal), 300));
    const std::string longer = repeated(value, 20);
    expect_bound(sizes(given, {{key, longer}}), factor, name);
    given.encode = Encoding::iso_2022_jp;
    // ASCII that will be 7bit is told as if it became base64.
    expect_bound(sizes(given, {{key, longer}}), std::max(factor, 1.6), name);
  };
  try_one("7bit", "Plain words.\n", "value", 1.3);
  try_one("base64", "日本語の文。\n", "値", 1.1);
  try_one("ASCII with a value beyond it", "Plain words.\n", "値", 1.1);
  try_one("lines too long for 7bit", "Plain words. ", "value", 1.1);
  try_one("quoted", "=\x0E=\x0E ", "====", 1.1);
  try_one("dots at line starts", ".\n", "x", 1.3);
  try_one("spaces at line ends", "  \n", " ", 1.3);
  // Every line might begin and end with something that takes three octets; these do not.
  try_one("nothing but line ends", "\n", "\n", 3.3);
}

TEST(MessageSize, CountsTheEscapesOfIso2022Jp) {
  Content given = content_of(repeated("aあ", 3000) + "__a__");
  given.encode = Encoding::iso_2022_jp;
  expect_bound(sizes(given, {{"__a__", repeated("§b", 3000)}}), 1.1, "in lines too long for 7bit");
  given.text_part = repeated("aあ\n", 3000) + "__a__";
  expect_bound(sizes(given, {{"__a__", repeated("§b\n", 3000)}}), 1.5, "7bit");
}

TEST(MessageSize, CountsAttachmentsAndHeaders) {
  Content given = content_of("__a__");
  given.attachments = {{repeated("請求書", 60), "application/pdf", std::string(1'000'000, 'x')},
                       {"b.bin", "", std::string(1, 'x')}};
  expect_bound(sizes(given, {}), 1.1, "attachments");
  given.attachments.clear();
  given.subject = repeated("__a__", 50);
  given.list_unsubscribe_url = "https://shop.example/" + repeated("__a__", 80);
  given.list_unsubscribe_mailto = "mailto:" + repeated("__a__", 80);
  const std::string value = repeated("値", 4096);
  expect_bound(sizes(given, {{"__a__", value}}), 1.5, "headers of values beyond ASCII");
  expect_bound(sizes(given, {{"__a__", "値"}}), 1.5, "URIs that stand on one line");
}

TEST(MessageSize, CountsATextThatIsMade) {
  const auto made = [&](std::string_view html, std::string_view value, double factor) {
    const Content given = content_of("", repeated(html, 300) + "__a__");
    expect_bound(sizes(given, {{"__a__", repeated(value, 50)}}), factor, std::string(html));
  };
  made("<p>日本語の文。</p>\n", "値", 1.3);
  made("<p>plain words</p>", "value", 1.5);
  // References and markup of a value may become any text.
  made("<p>plain words</p>", "&hearts;", 4);
  made("=\x0E=", "<p>=</p>", 4);
  made("<br>", "<br>", 4);
}

TEST(MessageSize, OneSmallRequestCannotHideHundredsOfMegabytes) {
  // 20,480 uses of one value of 4,096 characters, said in two small texts.
  const Content given = content_of(repeated("%%a%%", 6'144), repeated("%%a%%", 14'336));
  const std::string value(4096, 'x');
  const Codes codes{{"%%a%%", value}};
  const auto message_template = MessageTemplate::build(given, {});
  ASSERT_TRUE(message_template);
  EXPECT_GT(message_template->expanded_octets(codes), 83'000'000U);
  EXPECT_LT(message_template->expanded_octets({}), 200'000U);
  const MessageSize size(given);
  EXPECT_EQ(size.uses("%%a%%"), 20'480U);
  EXPECT_EQ(size.uses("%%b%%"), 0U);
  EXPECT_EQ(size.octets(codes), message_template->expanded_octets(codes));
}

TEST(MessageSize, SaturatesInsteadOfOverflowing) {
  MessageSize size(content_of("x"));
  size.add_attachment(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(size.octets({}), std::numeric_limits<std::uint64_t>::max());
  TextCost cost = text_cost("abc");
  cost.add(text_cost("abc"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(cost.octets, std::numeric_limits<std::uint64_t>::max());
}

TEST(MessageSize, KeysThatNoTextUsesCostNothing) {
  const MessageSize size(content_of("__a__"));
  const std::string big(1'000'000, 'x');
  EXPECT_EQ(size.octets(Codes{{"__b__", big}}), size.octets({}));
}

}  // namespace
}  // namespace todoku::mime
