// SPDX-License-Identifier: Apache-2.0
// Whatever the door accepts can be composed, within the limit of a mail's size, whatever it is made
// of. A failure names its seed.
#include <array>

#include <gtest/gtest.h>

#include "base/random.h"
#include "intake/check.h"
#include "mime/message_template.h"

namespace todoku::intake {
namespace {

constexpr std::array<std::string_view, 3> kKeys{"__a__", "%%b%%", "__name__"};

class Scribbler {
 public:
  explicit Scribbler(std::uint64_t seed) : random_(seed) {}

  bool chance(std::uint64_t one_in) { return random_.below(one_in) == 0; }
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }

  std::string text(std::size_t pieces_max) {
    using namespace std::string_view_literals;
    static constexpr std::array kPieces{
        "__a__"sv, "%%b%%"sv, "__name__"sv, "word "sv, "日本語"sv, "①"sv,      "😀"sv,
        "é"sv,     "="sv,     "\n"sv,       "\r\n"sv,  ".\n"sv,    "\u200B"sv, "ｶﾞ"sv,
        "\t"sv,    "\"\\"sv,  "<>,;:"sv,    "\0"sv,    "\xFF"sv,   "\x1B"sv,   "=?UTF-8?B?44?="sv};
    std::string out;
    for (std::uint64_t i = below(pieces_max + 1); i > 0; --i) {
      // The last ones make most fields refused: only some cases have them at all.
      out += kPieces[below(rough_ ? kPieces.size() : 9)];
    }
    if (chance(4)) {
      const std::string once = out;
      for (std::uint64_t i = below(400); i > 0; --i) out += once;
    }
    return out;
  }

  std::string address() {
    static constexpr std::array<std::string_view, 22> kPieces{
        "a",           "order",    ".",  "..",   "@",      "@shop.example",
        "shop",        ".example", "届", "日本", "\u200B", "\u3000",
        "\u0085",      "\"",       "\\", " ",    "<",      ",",
        "[192.0.2.1]", "\xFF",     "-",  "_"};
    std::string out = chance(9) ? "" : "user";
    for (std::uint64_t i = chance(2) ? 0 : below(4); i > 0; --i)
      out += kPieces[below(kPieces.size())];
    if (!chance(30)) out += "@shop.example";
    if (chance(30)) out.insert(0, std::string(below(100), 'x'));
    if (chance(8)) out.insert(0, "\uFEFF ");
    return out;
  }

  TransactionRequest request() {
    rough_ = chance(4);
    TransactionRequest out;
    Content& content = out.content;
    content.from = {address(), text(3)};
    if (chance(3)) content.reply_to = Mailbox{address(), text(3)};
    content.subject = "s" + (rough_ ? text(5) : std::string(kKeys[below(3)]));
    content.text_part = "t" + text(60);
    if (chance(2)) content.html_part = text(90);
    if (!content.html_part.empty() && chance(2)) content.text_part.clear();
    if (chance(3)) content.encode = Encoding::iso_2022_jp;
    if (chance(3))
      content.list_unsubscribe_url = "https://shop.example/" + std::string(kKeys[below(3)]);
    if (chance(4)) content.list_unsubscribe_mailto = "mailto:" + address();
    if (chance(4)) content.attachments.push_back({"a" + text(3), text(2), text(9)});
    out.to = address();
    for (std::uint64_t i = below(3); i > 0; --i) out.cc.push_back(address());
    for (std::uint64_t i = below(3); i > 0; --i) out.bcc.push_back(address());
    for (const std::string_view key : kKeys) {
      if (chance(2)) out.insert_codes.push_back({std::string(key), text(chance(9) ? 900 : 4)});
    }
    return out;
  }

 private:
  SeededRandom random_;
  bool rough_ = false;
};

// Composes for everybody, as a transaction and as a bulk.
void expect_composable(const TransactionRequest& request,
                       const std::vector<store::NewRecipient>& recipients, const Limits& limits) {
  Content bulk = request.content;
  bulk.header_to.clear();
  bulk.header_cc.clear();
  mime::ComposedMessage message;
  std::vector<mime::InsertCodeView> views;
  for (const Content& content : {request.content, bulk}) {
    const auto message_template = mime::MessageTemplate::build(content, {});
    ASSERT_TRUE(message_template) << message_template.error().detail;
    for (const store::NewRecipient& recipient : recipients) {
      const auto codes = mime::view_codes(recipient.insert_codes, views);
      ASSERT_LE(message_template->expanded_octets(codes), limits.message_octets_max);
      message_template->compose({recipient.address, codes}, {}, message);
      ASSERT_LE(message.size(), limits.message_octets_max);
      ASSERT_FALSE(message.head().contains("undisclosed-recipients")) << recipient.address;
      const auto again = parse_address(recipient.address);
      ASSERT_TRUE(again) << recipient.address;
      ASSERT_EQ(again->to_string(), recipient.address) << "it is in the form of the wire";
    }
  }
}

TEST(WhatTheDoorAccepts, CanBeComposed) {
  Limits limits;
  limits.message_octets_max = 200'000;
  limits.text_part_characters_max = 100'000;  // so that sizes matter, too
  int accepted = 0;
  int too_big = 0;
  for (std::uint64_t seed = 1; seed <= 6'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TransactionRequest request = Scribbler(seed).request();
    Problems problems;
    const auto recipients = check_transaction(request, limits, problems);
    for (const Problem& problem : problems.list()) {
      too_big += problem.text.en.contains("a mail of") ? 1 : 0;
    }
    if (!problems.empty()) continue;
    ++accepted;
    ASSERT_NO_FATAL_FAILURE(expect_composable(request, recipients, limits));
  }
  EXPECT_GT(accepted, 300);
  EXPECT_GT(too_big, 10);
}

}  // namespace
}  // namespace todoku::intake
