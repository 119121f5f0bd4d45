// SPDX-License-Identifier: Apache-2.0
#include "mime/composable.h"

#include <gtest/gtest.h>
#include <unicode/uchar.h>

#include "mail/invisible.h"
#include "mime/message_template.h"

namespace todoku::mime {
namespace {

Content plain_content() {
  Content out;
  out.from = {"order@shop.example", "Shop"};
  out.subject = "s";
  out.text_part = "t";
  return out;
}

std::string found(const Content& content) {
  std::string out;
  for (const Unwritable& unwritable : check_composable(content)) {
    out += std::string(to_string(unwritable.field)) + " " + std::to_string(unwritable.index) +
           ": " + unwritable.reason + "\n";
  }
  return out;
}

TEST(CheckComposable, NamesEveryAddressThatCannotBeWritten) {
  Content given = plain_content();
  EXPECT_EQ(found(given), "");
  given.from.address = "order\u200B@shop.example";
  given.reply_to = Mailbox{"届く@shop.example", ""};
  given.header_to = {"a@example.com", "b"};
  given.header_cc = {"c@example.com", "届く@example.com", "d@e"};
  EXPECT_EQ(found(given),
            "From 0: has the invisible character U+200B ZERO WIDTH SPACE at character 6\n"
            "Reply-To 0: has a local part beyond ASCII, which no sender may have\n"
            "To 1: has no @\n"
            "Cc 2: has a domain without a dot\n");
}

TEST(CheckComposable, IsWhatBuildingRefuses) {
  for (const std::string address :
       {"order@shop.example", "order\u200B@shop.example", "届く@shop.example",
        "\"a b\"@shop.example", "a..b@shop.example", "a@日本語.example", "a@[192.0.2.1]", "a@[届]",
        "", "@", "a@b", "<a@b.c>", "a\u3000b@shop.example", "a@shop.example\n",
        "\x80@shop.example"}) {
    for (const int field : {0, 1, 2, 3}) {
      Content given = plain_content();
      if (field == 0) given.from.address = address;
      if (field == 1) given.reply_to = Mailbox{address, ""};
      if (field == 2) given.header_to = {address};
      if (field == 3) given.header_cc = {address};
      EXPECT_EQ(check_composable(given).empty(), MessageTemplate::build(given, {}).has_value())
          << address << " in field " << field;
    }
  }
}

// Here because ICU is at hand.
TEST(Invisible, KnowsWhatUnicodeSays) {
  for (UChar32 c = 0; c <= 0x10FFFF; ++c) {
    if (U_IS_SURROGATE(c)) continue;
    constexpr std::uint32_t kSeparatorsAndFormats =
        U_GC_ZS_MASK | U_GC_ZL_MASK | U_GC_ZP_MASK | U_GC_CF_MASK;
    const bool control = (c >= '\t' && c <= '\r') || (c >= 0x80 && c < 0xA0);
    const bool invisible = control || c == 0x2800 || U_IS_UNICODE_NONCHAR(c) ||
                           (U_GET_GC_MASK(c) & kSeparatorsAndFormats) != 0 ||
                           u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0;
    ASSERT_EQ(is_invisible(static_cast<char32_t>(c)), invisible) << std::hex << c;
  }
}

}  // namespace
}  // namespace todoku::mime
