// SPDX-License-Identifier: Apache-2.0
// What single messages look like. Whole messages are compared with tests/corpus/mime/*.eml; run
// with
// TODOKU_REWRITE_GOLDENS=1 to write those anew, and review the difference.
#include "mime/message_template.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "mime/test_reader.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

using Codes = std::vector<InsertCodeView>;

Identity identity(std::uint32_t seq = 7) {
  Identity out;
  out.delivery = 42;
  out.batch = 3;
  out.seq = seq;
  out.message_id_domain = "mail.example.jp";
  for (std::size_t i = 0; i < out.secret.size(); ++i) {
    out.secret[i] = static_cast<std::uint8_t>(i);
  }
  out.date = from_epoch_ms(1'767'225'600'123);  // 2026-01-01T00:00:00.123Z
  return out;
}

Content content() {
  Content out;
  out.from = {"info@example.jp", "届くショップ"};
  out.subject = "__name__様へのお知らせ";
  out.text_part = "__name__様\n\nいつもありがとうございます。\nポイント: %%point%%\n";
  return out;
}

MessageTemplate built(Content content, const MessageOptions& options = {}) {
  auto result = MessageTemplate::build(std::move(content), options);
  EXPECT_TRUE(result) << (result ? "" : result.error().detail);
  return std::move(*result);
}

std::string why_refused(Content content, const MessageOptions& options = {}) {
  const auto result = MessageTemplate::build(std::move(content), options);
  return result ? "accepted" : result.error().detail;
}

std::string whole(const ComposedMessage& message) {
  std::string out(message.head());
  for (const std::string_view piece : message.body()) out += piece;
  EXPECT_EQ(out.size(), message.size());
  EXPECT_EQ(test::form_problem(out, kLineOctetsMax), "");
  return out;
}

const Codes kTaro{{"__name__", "山田太郎"}, {"%%point%%", "1,200"}};

std::string composed(const MessageTemplate& message_template, const Codes& codes = kTaro,
                     std::string_view address = "taro@example.com") {
  ComposedMessage message;
  message_template.compose({address, codes}, identity(), message);
  return whole(message);
}

test::Entity read(const std::string& message) {
  return test::read_entity(message);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

void expect_golden(const std::string& name, const std::string& message) {
  const std::string path = std::string(TODOKU_SOURCE_DIR) + "/tests/corpus/mime/" + name + ".eml";
  if (std::getenv("TODOKU_REWRITE_GOLDENS") != nullptr) {
    std::ofstream(path, std::ios::binary) << message;
  }
  EXPECT_EQ(message, read_file(path)) << path;
}

// ---- what the sender adds ----------------------------------------------------------------------

test::Entity with_headers(std::vector<ExtraHeader> headers, Encoding encode = Encoding::utf_8) {
  Content given = content();
  given.encode = encode;
  given.headers = std::move(headers);
  return read(composed(built(std::move(given))));
}

TEST(MessageTemplate, FieldsThatTheSenderAddsStandInTheHeader) {
  const auto mail = with_headers({{"In-Reply-To", "<1@example.com>"},
                                  {"references", "<1@example.com> <2@example.com>"},
                                  {"Auto-Submitted", "auto-generated"},
                                  {"X-Order", "__name__ 42"}});
  EXPECT_EQ(mail.field("In-Reply-To"), "<1@example.com>");
  EXPECT_EQ(mail.field("references"), "<1@example.com> <2@example.com>");
  EXPECT_EQ(mail.field("Auto-Submitted"), "auto-generated");
  EXPECT_EQ(test::read_words(mail.field("X-Order")), "山田太郎 42");
}

TEST(MessageTemplate, LongReferencesAreFoldedBetweenIds) {
  std::string ids;
  while (ids.size() < 900)
    ids += (ids.empty() ? "<" : " <") + std::string(40, 'i') + "@example.com>";
  const std::string mail = [&] {
    Content given = content();
    given.headers = {{"References", ids}};
    return composed(built(std::move(given)));
  }();
  EXPECT_EQ(read(mail).field("References"), ids);
  const std::size_t begin = mail.find("References:");
  EXPECT_LT(mail.find("\r\n", begin) - begin, 80U);
}

TEST(MessageTemplate, WhatCannotBeAFieldIsLeftOut) {
  const std::string id = "<" + std::string(2000, 'a') + "@example.com>";
  const auto mail = with_headers({{"From", "evil@example.com"},
                                  {"X-A\r\nBcc", "x"},
                                  {"X-Todoku-A", "x"},
                                  {"References", "no id"},
                                  {"In-Reply-To", id},
                                  {"Importance", "high\r\nBcc: evil@example.com"},
                                  {"X-Twice", "first"},
                                  {"x-twice", "second"},
                                  {"X-Line", "a\r\nBcc: evil@example.com"}});
  EXPECT_EQ(mail.count("From"), 1U);
  for (const auto* name :
       {"Bcc", "X-Todoku-A", "References", "In-Reply-To", "Importance", "x-twice"}) {
    if (std::string_view(name) == "x-twice") continue;
    EXPECT_EQ(mail.count(name), 0U) << name;
  }
  EXPECT_EQ(mail.field("X-Twice"), "first");
  EXPECT_EQ(mail.field("X-Line"), "a Bcc: evil@example.com");
}

TEST(MessageTemplate, AFieldThatItsCharsetCannotSayDoesNotChangeTheMail) {
  const auto mail = with_headers({{"X-Mood", "😀"}, {"X-Name", "__name__"}}, Encoding::iso_2022_jp);
  EXPECT_EQ(test::read_words(mail.field("X-Mood")), "😀");
  EXPECT_TRUE(mail.field("X-Name").starts_with("=?ISO-2022-JP?"));
  EXPECT_TRUE(mail.field("Content-Type").contains("ISO-2022-JP"));
}

TEST(MessageTemplate, TheMessageIdIsKnownBeforeTheMailIsMade) {
  std::string id;
  append_message_id(id, identity(), false);
  EXPECT_EQ(read(composed(built(content()))).field("Message-ID"), id);
  Content one = content();
  one.header_to = {"taro@example.com"};
  id.clear();
  append_message_id(id, identity(99), true);
  EXPECT_EQ(read(composed(built(std::move(one)))).field("Message-ID"), id);
}

// ---- whole messages ----------------------------------------------------------------------------

TEST(GoldenMessage, TextInAscii) {
  Content given = content();
  given.from = {"info@example.jp", "Example, Inc."};
  given.subject = "Your order __name__";
  given.text_part = "Dear __name__,\nThank you.\n.\nExample";
  expect_golden("text_ascii", composed(built(given), {{"__name__", "Taro"}}));
}

TEST(GoldenMessage, TextInUtf8) {
  expect_golden("text_utf8", composed(built(content())));
}

TEST(GoldenMessage, TextAndHtmlWithListUnsubscribe) {
  Content given = content();
  given.html_part = "<html><body><p>__name__様</p>\n<p>ポイント: %%point%%</p></body></html>";
  given.list_unsubscribe_url = "https://example.jp/u?id=%%point%%&n=__name__";
  given.list_unsubscribe_one_click = true;
  given.list_unsubscribe_mailto = "mailto:unsubscribe@example.jp?subject=%%point%%";
  expect_golden("alternative_utf8",
                composed(built(given, {.feedback_id = {"42", "shop", "bulk", "todoku"}})));
}

TEST(GoldenMessage, TransactionWithCcAndAttachments) {
  Content given = content();
  given.reply_to = Mailbox{"support@example.jp", "サポート窓口"};
  given.header_to = {"taro@example.com"};
  given.header_cc = {"hanako@example.com", "jiro@example.com"};
  given.html_part = "<p>__name__様</p>";
  given.attachments = {{"請求書.pdf", "application/pdf", "%PDF-1.4 not really"},
                       {"terms.txt", "text/plain; charset=UTF-8", "規約\n"}};
  expect_golden("transaction_mixed", composed(built(given)));
}

TEST(GoldenMessage, EverythingInIso2022Jp) {
  Content given = content();
  given.encode = Encoding::iso_2022_jp;
  given.from.name = "㈱髙島屋ｼｮｯﾌﾟ";
  given.html_part = "<p>__name__様 ①②③ ﾎﾟｲﾝﾄ: %%point%%</p>\n";
  given.attachments = {{"見積書.xlsx", "application/vnd.ms-excel", "x"}};
  expect_golden("iso_2022_jp", composed(built(given)));
}

TEST(MessageTemplate, TheLinkInTheTextsIsThatOfTheHeader) {
  const MessageOptions ours{.unsubscribe_url = "https://mail.example.jp/unsubscribe/"};
  Content given = content();
  given.text_part = "__unsubscribe_url__ (__name__)\n__unsubscribe_url____name__";
  given.html_part = "<a href=\"__unsubscribe_url__\">out</a>";
  ComposedMessage message;
  const auto text_with = [&](const MessageOptions& options, std::string_view token) {
    MessageTemplate::build(given, options)
        ->compose({"a@example.com", {}, {}, token}, identity(), message);
    return whole(message);
  };
  const std::string link = "https://mail.example.jp/unsubscribe/token";
  // The header's, two in the text, one in the HTML.
  std::string octets = text_with(ours, "token");
  for (std::size_t at = octets.find("=\r\n"); at != std::string::npos; at = octets.find("=\r\n")) {
    octets.erase(at, 3);
  }
  std::size_t links = 0;
  for (auto at = octets.find(link); at != std::string::npos; at = octets.find(link, at + 1)) {
    ++links;
  }
  EXPECT_EQ(links, 4U) << octets;
  EXPECT_FALSE(octets.contains("__unsubscribe_url__"));

  given.list_unsubscribe_url = "https://example.jp/out";
  EXPECT_TRUE(MessageTemplate::build(given, ours)->may_link_to_us()) << "its texts want a token";
  const auto own = read(text_with(ours, "token"));
  EXPECT_EQ(own.field("List-Unsubscribe"), "<https://example.jp/out>");
  EXPECT_FALSE(text_with({}, "token").contains("/unsubscribe/")) << "there is none";
  EXPECT_FALSE(text_with(ours, "").contains("/unsubscribe/"));
}

// ---- header fields -----------------------------------------------------------------------------

TEST(MessageTemplate, WritesItsFieldsInAFixedOrder) {
  Content given = content();
  given.reply_to = Mailbox{"reply@example.jp", ""};
  given.header_to = {"a@example.com"};
  given.header_cc = {"b@example.com"};
  given.list_unsubscribe_url = "https://example.jp/u";
  given.list_unsubscribe_one_click = true;
  const auto message_template = built(given, {.feedback_id = {"a", "b"}});
  ComposedMessage message;
  message_template.compose({"a@example.com", kTaro}, identity(), message);
  std::vector<std::string_view> names;
  std::string joined;
  for (const HeaderField& field : message.headers()) {
    names.push_back(field.name);
    EXPECT_TRUE(field.raw.starts_with(std::string(field.name) + ":"));
    joined += field.raw;
  }
  EXPECT_EQ(names, (std::vector<std::string_view>{"Date", "From", "To", "Cc", "Reply-To", "Subject",
                                                  "Message-ID", "MIME-Version", "Content-Type",
                                                  "Content-Transfer-Encoding", "List-Unsubscribe",
                                                  "List-Unsubscribe-Post", "Feedback-ID"}));
  EXPECT_EQ(joined + "\r\n", message.head());
}

TEST(MessageTemplate, BulkCopiesGoToTheirRecipientAndAreTheirOwn) {
  const auto bulk = built(content());
  ComposedMessage first;
  ComposedMessage second;
  bulk.compose({"a@example.com", kTaro}, identity(1), first);
  bulk.compose({"b@example.com", kTaro}, identity(2), second);
  EXPECT_EQ(read(whole(first)).field("To"), "a@example.com");
  EXPECT_EQ(read(whole(second)).field("To"), "b@example.com");
  EXPECT_NE(first.message_id(), second.message_id());
}

TEST(MessageTemplate, CopiesOfATransactionAreIdentical) {
  Content given = content();
  given.header_to = {"a@example.com"};
  given.header_cc = {"届く@example.com"};
  const auto transaction = built(given);
  ComposedMessage to;
  ComposedMessage bcc;
  transaction.compose({"a@example.com", kTaro}, identity(0), to);
  transaction.compose({"hidden@example.com", kTaro}, identity(1), bcc);
  EXPECT_EQ(whole(to), whole(bcc));
  EXPECT_FALSE(whole(bcc).contains("hidden@example.com"));
}

TEST(MessageTemplate, MessageIdDependsOnEverythingInItsIdentity) {
  const auto bulk = built(content());
  const auto id = [&](const Identity& who) {
    ComposedMessage message;
    bulk.compose({"a@example.com", kTaro}, who, message);
    EXPECT_TRUE(message.message_id().ends_with("@mail.example.jp>"));
    EXPECT_EQ(read(whole(message)).field("Message-ID"), message.message_id());
    return std::string(message.message_id());
  };
  Identity other = identity();
  EXPECT_EQ(id(other), id(identity()));
  other.delivery++;
  EXPECT_NE(id(other), id(identity()));
  other = identity();
  other.batch++;
  EXPECT_NE(id(other), id(identity()));
  other = identity();
  other.secret[15]++;
  EXPECT_NE(id(other), id(identity()));
}

TEST(MessageTemplate, DateIsWrittenInTheConfiguredZone) {
  EXPECT_EQ(read(composed(built(content()))).field("Date"), "Thu, 01 Jan 2026 09:00:00 +0900");
  EXPECT_EQ(read(composed(built(content(), {.date_offset_minutes = -210}))).field("Date"),
            "Wed, 31 Dec 2025 20:30:00 -0330");
  EXPECT_EQ(read(composed(built(content(), {.date_offset_minutes = 0}))).field("Date"),
            "Thu, 01 Jan 2026 00:00:00 +0000");
}

TEST(MessageTemplate, ValuesCannotAddHeaderFields) {
  constexpr std::string_view evil("x\r\nBcc: y@example.com\r\n\r\nbody\0\x1B$B", 33);
  Content given = content();
  given.list_unsubscribe_url = "https://example.jp/__name__";
  given.list_unsubscribe_one_click = true;
  const std::string message = composed(built(given), {{"__name__", evil}});
  const auto entity = read(message);
  EXPECT_EQ(entity.count("Bcc"), 0U);
  EXPECT_EQ(entity.fields.size(), 10U);
  EXPECT_EQ(test::read_words(entity.field("Subject")),
            "x Bcc: y@example.com  body$B様へのお知らせ");
  EXPECT_EQ(entity.field("List-Unsubscribe"),
            "<https://example.jp/x%20Bcc:%20y@example.com%20%20body$B>");
}

TEST(MessageTemplate, TheMessageIdDomainCannotAddHeaderFieldsEither) {
  Identity who = identity();
  who.message_id_domain = "Example.jp>\r\nBcc: x";
  ComposedMessage message;
  built(content()).compose({"a@example.com", kTaro}, who, message);
  EXPECT_TRUE(message.message_id().ends_with("@example.jpbccx>"));
  who.message_id_domain = "";
  built(content()).compose({"a@example.com", kTaro}, who, message);
  EXPECT_TRUE(message.message_id().ends_with("@localhost.invalid>"));
}

TEST(MessageTemplate, OneClickIsOfferedForHttpsOnly) {
  Content given = content();
  given.list_unsubscribe_url = "http://example.jp/u";
  given.list_unsubscribe_one_click = true;
  EXPECT_EQ(read(composed(built(given))).count("List-Unsubscribe-Post"), 0U);
  given.list_unsubscribe_one_click = false;
  given.list_unsubscribe_url = "HTTPS://example.jp/u";
  EXPECT_EQ(read(composed(built(given))).count("List-Unsubscribe-Post"), 0U)
      << "only the sender knows what its page does";
  given.list_unsubscribe_one_click = true;
  EXPECT_EQ(read(composed(built(given))).field("List-Unsubscribe-Post"),
            "List-Unsubscribe=One-Click");
}

TEST(MessageTemplate, BesideALinkOfOursStandsAnAddressOfOurs) {
  const MessageOptions ours{.unsubscribe_url = "https://mail.example.jp/unsubscribe/",
                            .unsubscribe_mailto = "mailto:out@back.example.jp?subject="};
  const auto unsubscribe = [&](Content given) {
    const auto made = MessageTemplate::build(std::move(given), ours);
    EXPECT_TRUE(made);
    ComposedMessage message;
    made->compose({"a@example.com", {}, {}, "token"}, identity(), message);
    return read(whole(message)).field("List-Unsubscribe");
  };
  EXPECT_EQ(unsubscribe(content()),
            "<https://mail.example.jp/unsubscribe/token>,"
            " <mailto:out@back.example.jp?subject=token>");
  Content given = content();
  given.list_unsubscribe_mailto = "mailto:out@example.jp";
  EXPECT_EQ(unsubscribe(given),
            "<https://mail.example.jp/unsubscribe/token>, <mailto:out@example.jp>");
  given = content();
  given.list_unsubscribe_url = "https://example.jp/out";
  EXPECT_EQ(unsubscribe(given), "<https://example.jp/out>")
      << "whoever has the page takes the mail";
}

TEST(MessageTemplate, WhereTheSenderHasNoPageOfItsOwnTheLinkIsOurs) {
  const MessageOptions ours{.unsubscribe_url = "https://mail.example.jp/unsubscribe/"};
  const auto fields_with = [&](Content given, std::vector<InsertCodeView> codes,
                               std::string_view token) {
    const auto made = MessageTemplate::build(std::move(given), ours);
    EXPECT_TRUE(made && made->may_link_to_us());
    ComposedMessage message;
    made->compose({"a@example.com", codes, {}, token}, identity(), message);
    return read(whole(message));
  };
  const auto plain = fields_with(content(), {}, "token");
  EXPECT_EQ(plain.field("List-Unsubscribe"), "<https://mail.example.jp/unsubscribe/token>");
  EXPECT_EQ(plain.field("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");

  Content given = content();
  given.list_unsubscribe_mailto = "mailto:out@example.jp";
  EXPECT_EQ(fields_with(given, {}, "token").field("List-Unsubscribe"),
            "<https://mail.example.jp/unsubscribe/token>, <mailto:out@example.jp>");
  given.list_unsubscribe_url = "https://example.jp/__name__";
  EXPECT_EQ(fields_with(given, {{"__name__", "x"}}, "token").field("List-Unsubscribe"),
            "<https://example.jp/x>, <mailto:out@example.jp>");
  const std::string too_long(900, 'x');
  EXPECT_EQ(fields_with(given, {{"__name__", too_long}}, "token").field("List-Unsubscribe"),
            "<https://mail.example.jp/unsubscribe/token>, <mailto:out@example.jp>");

  given.list_unsubscribe_url = "https://example.jp/out";
  EXPECT_FALSE(MessageTemplate::build(given, ours)->may_link_to_us()) << "no copy needs a token";

  EXPECT_EQ(fields_with(content(), {}, "").count("List-Unsubscribe"), 0U);
  const std::string longest(kUnsubscribeTokenOctetsMax, 'x');
  EXPECT_EQ(fields_with(content(), {}, longest).count("List-Unsubscribe"), 1U);
  EXPECT_EQ(fields_with(content(), {}, longest + "x").count("List-Unsubscribe"), 0U);
  EXPECT_FALSE(MessageTemplate::build(
      content(), {.unsubscribe_url = "https://" + std::string(100, 'x') + "/"}));
}

TEST(MessageTemplate, AnUnsubscribeUriIsValidWithTheValuesInIt) {
  Content given = content();
  given.list_unsubscribe_url = "https://日本語.jp/50% off?n=__name__,%%no%%";
  given.list_unsubscribe_mailto = "mailto:u@日本語.jp?subject=__name__";
  const auto message_template = built(given);
  EXPECT_EQ(read(composed(message_template, {{"__name__", "<a,b>"}, {"%%no%%", "100%"}}))
                .field("List-Unsubscribe"),
            "<https://xn--wgv71a119e.jp/50%25%20off?n=%3Ca%2Cb%3E%2C100%25>,"
            " <mailto:u@xn--wgv71a119e.jp?subject=%3Ca%2Cb%3E>");
  // Too long for a line: no link, and no promise of one click.
  const std::string value(900, 'x');
  const auto entity = read(composed(message_template, {{"__name__", value}}));
  EXPECT_EQ(entity.count("List-Unsubscribe"), 0U);
  EXPECT_EQ(entity.count("List-Unsubscribe-Post"), 0U);
}

TEST(MessageTemplate, NoBodyLineBeginsWithFrom) {
  for (const Encoding encode : {Encoding::utf_8, Encoding::iso_2022_jp}) {
    for (const std::string_view value : {"From here", "x\r\nFrom there", "From"}) {
      Content given = content();
      given.encode = encode;
      given.subject = "s";
      given.text_part = "From the start\n__name__\n%%point%% on\n From\n";
      const std::string message =
          composed(built(given), {{"__name__", value}, {"%%point%%", "From"}});
      EXPECT_FALSE(message.contains("\nFrom ")) << message;
      EXPECT_EQ(test::read_content(read(message)),
                "From the start\r\n" + std::string(value) + "\r\nFrom on\r\n From\r\n");
    }
  }
}

TEST(MessageTemplate, AListUnsubscribeThatIsNoUriForThisRecipientIsLeftOut) {
  Content given = content();
  given.list_unsubscribe_url = "__url__";
  given.list_unsubscribe_mailto = "mailto:u@example.jp";
  const auto message_template = built(given);
  EXPECT_EQ(read(composed(message_template, {})).field("List-Unsubscribe"),
            "<mailto:u@example.jp>");
  EXPECT_EQ(read(composed(message_template, {{"__url__", "https://example.jp/u"}}))
                .field("List-Unsubscribe"),
            "<https://example.jp/u>, <mailto:u@example.jp>");
}

// ---- bodies ------------------------------------------------------------------------------------

struct BodyCase {
  std::string text;
  Encoding encode = Encoding::utf_8;
  std::string transfer_encoding;
  std::string charset;
};

TEST(MessageTemplate, ChoosesTheEncodingThatTheTextNeeds) {
  const std::string long_ascii(2000, 'x');
  std::string long_japanese;
  for (int i = 0; i < 600; ++i) long_japanese += "長";
  for (const BodyCase& one : {
           BodyCase{"plain\n", Encoding::utf_8, "7bit", "UTF-8"},
           BodyCase{"日本\n", Encoding::utf_8, "base64", "UTF-8"},
           BodyCase{long_ascii, Encoding::utf_8, "quoted-printable", "UTF-8"},
           BodyCase{"form\x0C"
                    "feed",
                    Encoding::utf_8, "quoted-printable", "UTF-8"},
           BodyCase{"日本\n", Encoding::iso_2022_jp, "7bit", "ISO-2022-JP"},
           BodyCase{long_japanese, Encoding::iso_2022_jp, "base64", "ISO-2022-JP"},
           BodyCase{"絵文字😀\n", Encoding::iso_2022_jp, "base64", "UTF-8"},
       }) {
    for (const std::string prefix : {"", "__name__"}) {
      Content given = content();
      given.encode = one.encode;
      given.text_part = prefix + one.text;
      const auto entity = read(composed(built(given), {{"__name__", "Taro"}}));
      const std::string expected = (prefix.empty() ? "" : "Taro") + body_text(one.text);
      SCOPED_TRACE(one.text.substr(0, 20) + " " + prefix);
      EXPECT_EQ(entity.field("Content-Transfer-Encoding"), one.transfer_encoding);
      EXPECT_EQ(test::parameter(entity.field("Content-Type"), "charset"), one.charset);
      EXPECT_TRUE(test::read_content(entity).value_or("unreadable").starts_with(expected));
    }
  }
}

TEST(MessageTemplate, AValueBeyondAsciiChangesOnlyTheMessageItIsIn) {
  Content given = content();
  given.text_part = "Dear __name__,\nhello\n";
  const auto message_template = built(given);
  EXPECT_EQ(
      read(composed(message_template, {{"__name__", "Taro"}})).field("Content-Transfer-Encoding"),
      "7bit");
  const auto entity = read(composed(message_template, {{"__name__", "太郎"}}));
  EXPECT_EQ(entity.field("Content-Transfer-Encoding"), "base64");
  EXPECT_EQ(test::read_content(entity), "Dear 太郎,\r\nhello\r\n");
}

TEST(MessageTemplate, AValueThatIso2022JpCannotSayMakesThatOneMessageUtf8) {
  Content given = content();
  given.encode = Encoding::iso_2022_jp;
  const auto message_template = built(given);
  ComposedMessage message;
  message_template.compose({"a@example.com", kTaro}, identity(), message);
  EXPECT_FALSE(message.charset_fell_back());
  const std::string before = whole(message);
  EXPECT_TRUE(before.contains("ISO-2022-JP") && !before.contains("UTF-8"));

  const Codes emoji{{"__name__", "太郎😀"}, {"%%point%%", "1"}};
  message_template.compose({"a@example.com", emoji}, identity(), message);
  EXPECT_TRUE(message.charset_fell_back());
  const std::string fallen = whole(message);
  EXPECT_FALSE(fallen.contains("ISO-2022-JP"));
  EXPECT_EQ(test::read_words(read(fallen).field("Subject")), "太郎😀様へのお知らせ");
  EXPECT_EQ(test::read_words(read(fallen).field("From")), "届くショップ <info@example.jp>");
  EXPECT_TRUE(test::read_content(read(fallen)).value_or("").starts_with("太郎😀様\r\n"));

  message_template.compose({"a@example.com", kTaro}, identity(), message);
  EXPECT_FALSE(message.charset_fell_back());
  EXPECT_EQ(whole(message), before);
}

TEST(MessageTemplate, ContentThatIso2022JpCannotSayIsUtf8ForAll) {
  Content given = content();
  given.encode = Encoding::iso_2022_jp;
  given.from.name = "ショップ😀";
  const auto message_template = built(given);
  ComposedMessage message;
  message_template.compose({"a@example.com", kTaro}, identity(), message);
  EXPECT_TRUE(message.charset_fell_back());
  EXPECT_EQ(test::read_words(read(whole(message)).field("From")), "ショップ😀 <info@example.jp>");
}

TEST(MessageTemplate, PartsWithoutInsertCodesAreSharedAndNotCopied) {
  Content given = content();
  given.html_part = "<p>同じ</p>" + std::string(10'000, 'x');
  given.attachments = {{"a.bin", "application/octet-stream", std::string(100'000, 'y')}};
  const auto message_template = built(given);
  ComposedMessage first;
  ComposedMessage second;
  message_template.compose({"a@example.com", kTaro}, identity(1), first);
  message_template.compose({"b@example.com", kTaro}, identity(2), second);
  std::size_t shared = 0;
  for (std::size_t i = 0; i < first.body().size(); ++i) {
    if (first.body()[i].data() == second.body()[i].data()) shared += first.body()[i].size();
  }
  EXPECT_GT(shared, 150'000U);
  EXPECT_LT(first.memory_octets(), 8'000U);
}

TEST(MessageTemplate, LongStretchesBetweenInsertCodesAreSharedInEachEncoding) {
  std::string japanese;
  for (int i = 0; i < 1000; ++i) japanese += "いつもご利用ありがとうございます。\n";
  std::string ascii;
  for (int i = 0; i < 1000; ++i) ascii += "Thank you for your order.\n";
  for (const auto& [text, encode] :
       {std::pair(japanese, Encoding::utf_8), std::pair(japanese, Encoding::iso_2022_jp),
        std::pair(ascii, Encoding::utf_8)}) {
    Content given = content();
    given.encode = encode;
    given.text_part = "__name__\n" + text + "%%point%%\n" + text + "__name__ %%point%%\n" + text;
    const auto message_template = built(given);
    for (const std::string_view name : {"A", "Bo", "Tom", ""}) {
      ComposedMessage message;
      const Codes codes{{"__name__", name}, {"%%point%%", "1"}};
      message_template.compose({"a@example.com", codes}, identity(), message);
      EXPECT_LT(message.memory_octets(), 6'000U);
      const std::string lines = body_text(text);
      EXPECT_EQ(test::read_content(read(whole(message))), std::string(name) + "\r\n" + lines +
                                                              "1\r\n" + lines + std::string(name) +
                                                              " 1\r\n" + lines);
    }
  }
}

TEST(MessageTemplate, AllFormsOfLinesEndInCrlfOnceMore) {
  Content given = content();
  given.text_part = "no line end";
  EXPECT_TRUE(composed(built(given)).ends_with("\r\n\r\nno line end\r\n"));
  given.text_part = "line end\n";
  EXPECT_TRUE(composed(built(given)).ends_with("\r\n\r\nline end\r\n"));
  given.html_part = "<p>";
  const auto parts = test::read_parts(read(composed(built(given))));
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(test::read_content(parts[0]), "line end\r\n");
  EXPECT_EQ(test::read_content(parts[1]), "<p>");
}

TEST(MessageTemplate, ATextThatKnowsTheBoundaryCannotEndItsPart) {
  Content given = content();
  given.html_part = "<p>";
  const std::string type = read(composed(built(given))).field("Content-Type");
  const std::string delimiter = "--" + test::parameter(type, "boundary");
  for (const Encoding encode : {Encoding::utf_8, Encoding::iso_2022_jp}) {
    given.encode = encode;
    given.text_part = "a\n" + delimiter + "--\n__name__";
    auto parts = test::read_parts(read(composed(built(given))));
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_EQ(test::read_content(parts[0]), "a\r\n" + delimiter + "--\r\n山田太郎");
    given.text_part = "a __name__";
    const std::string value = "\n" + delimiter + "\n";
    parts = test::read_parts(read(composed(built(given), {{"__name__", value}})));
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_EQ(test::read_content(parts[0]), "a \r\n" + delimiter + "\r\n");
  }
}

TEST(MessageTemplate, HtmlAloneGetsATextThatIsMadeFromIt) {
  Content given = content();
  given.text_part = "";
  given.html_part =
      "<h1>__name__様</h1><p><a href=\"https://example.jp/?id=%%point%%\">届く</a>&copy;</p>";
  const auto parts = test::read_parts(read(composed(built(given))));
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].field("Content-Type"), "text/plain; charset=UTF-8");
  EXPECT_EQ(test::read_content(parts[0]), "山田太郎様\r\n\r\n届く <https://example.jp/?id=1,200>©");
  given.encode = Encoding::iso_2022_jp;
  const auto in_jis = test::read_parts(read(composed(built(given))));
  ASSERT_EQ(in_jis.size(), 2U);
  EXPECT_EQ(in_jis[0].field("Content-Type"), "text/plain; charset=ISO-2022-JP");
  EXPECT_EQ(test::read_content(in_jis[0]),
            "山田太郎様\r\n\r\n届く <https://example.jp/?id=1,200>(C)");
}

TEST(MessageTemplate, MarkupOfValuesIsReadInAMadeText) {
  Content given = content();
  given.text_part = "";
  given.subject = "s";
  given.html_part = "<div>__name__</div>";
  const auto message_template = built(given);
  const auto text_of = [&](std::string_view value) {
    return test::read_content(
        test::read_parts(read(composed(message_template, {{"__name__", value}})))[0]);
  };
  EXPECT_EQ(text_of("<p>A&amp;B</p><p>C</p>"), "A&B\r\n\r\nC");
  EXPECT_EQ(text_of("R&D <3\nx"), "R&D <3 x");
  EXPECT_EQ(text_of("a\n  b"), "a\r\n  b");
  EXPECT_EQ(text_of("&hearts;"), "♥");
}

TEST(MessageTemplate, HtmlAloneHasNoEmptyTextBesideIt) {
  Content given = content();
  given.text_part = "";
  given.html_part = "<img src=\"https://example.jp/a.png\">";
  EXPECT_EQ(read(composed(built(given))).field("Content-Type"), "text/html; charset=UTF-8");
  given.html_part = "<p>届く</p>";
  given.text_from_html = false;
  EXPECT_EQ(read(composed(built(given))).field("Content-Type"), "text/html; charset=UTF-8");
}

TEST(MessageTemplate, TellsWhetherALineBeginsWithADot) {
  Content given = content();
  ComposedMessage message;
  const auto has_dot = [&](std::string text, Encoding encode, std::string_view value) {
    given.text_part = std::move(text);
    given.encode = encode;
    const auto message_template = built(given);
    const Codes codes{{"__name__", value}};
    message_template.compose({"a@example.com", codes}, identity(), message);
    EXPECT_EQ(message.has_leading_dot(), whole(message).contains("\n."));
    return message.has_leading_dot();
  };
  EXPECT_TRUE(has_dot("a\n.b\n", Encoding::utf_8, ""));
  EXPECT_FALSE(has_dot("a.\nb\n", Encoding::utf_8, ""));
  EXPECT_TRUE(has_dot("a\n__name__\n", Encoding::utf_8, ".x"));
  EXPECT_FALSE(has_dot("a\n__name__\n", Encoding::utf_8, "x."));
  EXPECT_FALSE(has_dot(".日本\n", Encoding::utf_8, ""));
  EXPECT_TRUE(has_dot(".日本\n", Encoding::iso_2022_jp, ""));
  EXPECT_TRUE(has_dot("__name__日本\n", Encoding::iso_2022_jp, "\n."));
  EXPECT_FALSE(has_dot("。日本\n", Encoding::iso_2022_jp, ""));
}

// ---- life of the objects -----------------------------------------------------------------------

TEST(ComposedMessage, GivesItsMemoryBackWhenToldTo) {
  Content given = content();
  given.text_part = std::string(200, '\n') + "__name__";
  const auto message_template = built(given);
  ComposedMessage message;
  const std::string big(500'000, 'x');
  const Codes codes{{"__name__", big}};
  message_template.compose({"a@example.com", codes}, identity(), message);
  EXPECT_GT(message.memory_octets(), 500'000U);
  message.trim(65'536);
  EXPECT_LT(message.memory_octets(), 65'536U);
  EXPECT_EQ(message.size(), 0U);
  message_template.compose({"a@example.com", kTaro}, identity(), message);
  EXPECT_EQ(whole(message), composed(message_template, kTaro, "a@example.com"));
}

TEST(MessageTemplate, RefusesWhatItCannotSayWithTheFieldsName) {
  Content given = content();
  EXPECT_EQ(why_refused(given), "accepted");
  given.from.address = "nobody";
  EXPECT_EQ(why_refused(given), "From: has no @");
  given = content();
  given.reply_to = Mailbox{"届く@example.jp", ""};
  EXPECT_TRUE(why_refused(given).starts_with("Reply-To: has a local part beyond ASCII"));
  given = content();
  given.header_cc = {"a@example.com", "b"};
  EXPECT_EQ(why_refused(given), "Cc: has no @");
  given = content();
  EXPECT_TRUE(why_refused(given, {.feedback_id = {"a", "b:c"}}).starts_with("Feedback-ID: a part"));
  EXPECT_TRUE(why_refused(given, {.feedback_id = {"a", "b", "c", "d", "e"}})
                  .starts_with("Feedback-ID: has more than four"));
  EXPECT_NE(why_refused(given, {.date_offset_minutes = 1440}), "accepted");
}

// ---- from a template ---------------------------------------------------------------------------

Content template_content() {
  Content out;
  out.from = {"info@example.jp", "Shop"};
  out.subject = "{{first_name|お客様}}へ";
  out.html_part = "<p>{{first_name|お客様}} __no__ {{note|&amp;}}</p>";
  out.escape = Escape::html;
  out.from_template = TemplatePin{1, 1};
  return out;
}

TEST(MessageTemplate, CodesInBracesHaveValuesDefaultsAndReferencesInHtml) {
  const Codes codes{{"{{first_name}}", "<A&B>"}, {"__no__", "7"}};
  for (const Encoding encode : {Encoding::utf_8, Encoding::iso_2022_jp}) {
    Content given = template_content();
    given.encode = encode;
    const auto with = read(composed(built(given), codes));
    EXPECT_EQ(test::read_words(with.field("Subject")), "<A&B>へ");
    const auto parts = test::read_parts(with);
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_EQ(test::read_content(parts[0]), "<A&B> 7 &") << "no value has markup to be read there";
    EXPECT_EQ(test::read_content(parts[1]), "<p>&lt;A&amp;B&gt; 7 &amp;</p>");
    const auto without = read(composed(built(given), Codes{{"__no__", "7"}}));
    EXPECT_EQ(test::read_words(without.field("Subject")), "お客様へ");
    EXPECT_EQ(test::read_content(test::read_parts(without)[1]), "<p>お客様 7 &amp;</p>");
  }
}

TEST(MessageTemplate, WithoutATemplateBracesAreText) {
  Content given = template_content();
  given.from_template.reset();
  const auto mail = read(composed(built(given), Codes{{"{{first_name}}", "x"}}));
  EXPECT_EQ(test::read_words(mail.field("Subject")), "{{first_name|お客様}}へ");
}

TEST(MessageTemplate, WhatEscapingAddsIsCounted) {
  const MessageTemplate made = built(template_content());
  const std::string quotes(5'000, '"');
  const Codes codes{{"{{first_name}}", quotes}};
  ComposedMessage message;
  made.compose({"a@example.com", codes}, identity(), message);
  EXPECT_GE(made.expanded_octets(codes), message.size());
  EXPECT_GE(message.size(), 6 * quotes.size());
}

}  // namespace
}  // namespace todoku::mime
