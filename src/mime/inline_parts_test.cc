// SPDX-License-Identifier: Apache-2.0
#include "mime/inline_parts.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mime/message_template.h"
#include "mime/test_reader.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kTail = ".0f@mail.example.jp";

std::vector<std::string> ids_in(std::string_view html) {
  std::vector<std::string> ids;
  for (const ContentReference& reference : content_references(html)) ids.push_back(reference.id);
  return ids;
}

TEST(ContentId, IsWhatAMessageIdMayBeMadeOf) {
  for (const char* good : {"logo", "logo.png", "a-b_c+d", "l@e", "logo.1@mail.example.jp", "1"}) {
    EXPECT_TRUE(is_content_id(good)) << good;
  }
  for (const char* bad : {"",      ".",    ".a",  "a.",   "a..b",        "a@",     "@a",
                          "a@b@c", "a@.b", "a b", "<a>",  "a\r\nBcc: x", "ロゴ",   "a%b",
                          "a/b",   "a&b",  "a'b", "a\"b", "__logo__",    "a.__b__"}) {
    EXPECT_FALSE(is_content_id(bad)) << bad;
  }
  EXPECT_TRUE(is_content_id(std::string(128, 'a')));
  EXPECT_FALSE(is_content_id(std::string(129, 'a')));
  EXPECT_EQ(whole_content_id("logo", kTail), "logo.0f@mail.example.jp");
  EXPECT_EQ(whole_content_id("logo@example.jp", kTail), "logo@example.jp");
}

TEST(ContentReferences, AreFoundWhereMailProgramsLook) {
  EXPECT_THAT(ids_in(R"html(<img src="cid:logo">)html"), ElementsAre("logo"));
  EXPECT_THAT(ids_in("<img src='CID:logo.png'><td background=cid:a>"),
              ElementsAre("logo.png", "a"));
  EXPECT_THAT(
      ids_in(R"html(<div style="background:url(cid:a)"><p style="b:url(&quot;cid:b&quot;)">)html"),
      ElementsAre("a", "b"));
  EXPECT_THAT(ids_in(R"html(<img srcset="cid:small 1x, cid:large 2x">)html"),
              ElementsAre("small", "large"));
  EXPECT_THAT(ids_in("<style>p { background: url('cid:bg') }</style>"), ElementsAre("bg"));
  EXPECT_THAT(ids_in("<!--[if mso]><v:fill src=\"cid:wide\"/><![endif]-->"), ElementsAre("wide"));
  EXPECT_THAT(ids_in(R"html(<img src="cid:logo%40example.jp">)html"),
              ElementsAre("logo@example.jp"));
  EXPECT_THAT(ids_in(R"html(<img src="cid:100%">)html"), ElementsAre("100%"));
  EXPECT_THAT(ids_in(R"html(<img src="cid:cid:a">)html"), ElementsAre("cid:a"));
}

TEST(ContentReferences, BeginAUrlAndAreNoPartOfOne) {
  EXPECT_THAT(ids_in(R"html(<a href="https://x.example/?q=cid:logo">)html"), IsEmpty());
  EXPECT_THAT(ids_in(R"html(<a href="https://x.example/cid:logo">)html"), IsEmpty());
  EXPECT_THAT(ids_in("<a href=https://x.example/?q=cid:logo>"), IsEmpty());
  EXPECT_THAT(ids_in("<a href='?a=b&q=cid:logo'>"), IsEmpty());
  EXPECT_THAT(ids_in("<img alt='x'src=cid:a><v:fill o:href=cid:b><img\nsrc =cid:c>"),
              ElementsAre("a", "b", "c"));
}

TEST(ContentReferences, AreNotFoundInTextThatIsRead) {
  EXPECT_THAT(ids_in("<p>write cid:logo here</p>cid:logo"), IsEmpty());
  EXPECT_THAT(ids_in(R"html(<p>cid:no<img src="cid:yes">cid:no</p>)html"), ElementsAre("yes"));
  EXPECT_THAT(
      ids_in(R"html(<a href="acid:x" title="x-cid:y"><img src="cid:"><img src="id:z">)html"),
      IsEmpty());
}

TEST(WithWholeIds, ChangesWhatRefersToAPartAndNothingElse) {
  const std::vector<Attachment> files{{"logo.png", "image/png", "x", "logo"},
                                      {"b.png", "image/png", "x", "b@example.jp"},
                                      {"a.pdf", "application/pdf", "x"}};
  EXPECT_EQ(
      with_whole_ids(R"html(<p>cid:logo</p><img src="cid:logo"><img src="cid:b%40example.jp">)html"
                     R"html(<img src="cid:logos"><img src="cid:other"><img src="CID:lo%67o">)html",
                     files, kTail),
      R"html(<p>cid:logo</p><img src="cid:logo.0f@mail.example.jp"><img src="cid:b@example.jp">)html"
      R"html(<img src="cid:logos"><img src="cid:other">)html"
      R"html(<img src="CID:logo.0f@mail.example.jp">)html");
  EXPECT_EQ(with_whole_ids("<img src=cid:logo>", {}, kTail), "<img src=cid:logo>");
}

TEST(LookAtReferences, TellsWhatIsUsedAndWhatIsMissing) {
  const std::vector<std::string_view> ids{"logo", "unused"};
  const auto look =
      look_at_references("<img src=cid:logo><img src=cid:x><img src=cid:x><img src=cid:y>", ids);
  EXPECT_THAT(look.used, ElementsAre(true, false));
  EXPECT_THAT(look.missing, ElementsAre("x", "y"));
  EXPECT_FALSE(look.by_insert_code);
  EXPECT_TRUE(look_at_references("<img src=cid:__pic__>", ids).by_insert_code);
  EXPECT_TRUE(look_at_references("<img src=\"cid:%%pic%%\">", ids).by_insert_code);
  std::string many;
  for (int i = 0; i < 50; ++i) many += "<img src=cid:x" + std::to_string(i) + ">";
  EXPECT_EQ(look_at_references(many, ids).missing.size(), kMissingIdsMax);
}

// ---- messages ----------------------------------------------------------------------------------

Content mail_with_parts() {
  Content out;
  out.from = {"info@example.jp", "お店"};
  out.subject = "News";
  out.text_part = "text of __name__\n";
  out.html_part = "<p>__name__</p><img src=\"cid:logo\"><img src=\"cid:m@example.jp\">\n";
  out.attachments = {{"ロゴ.png", "image/png", std::string(100, '\xFF'), "logo"},
                     {"請求書.pdf", "application/pdf", "pdf"},
                     {"map.gif", "image/gif", "gif", "m@example.jp"}};
  return out;
}

Identity parts_identity(std::int64_t delivery = 42) {
  Identity out;
  out.delivery = delivery;
  out.batch = 3;
  out.seq = 7;
  out.message_id_domain = "mail.example.jp";
  return out;
}

MessageTemplate built_parts(Content given, std::vector<std::uint64_t> data_outside = {}) {
  auto made = MessageTemplate::build(std::move(given),
                                     {.data_outside = std::move(data_outside),
                                      .content_id_tail = content_id_tail(parts_identity())});
  EXPECT_TRUE(made) << (made ? "" : made.error().detail);
  return std::move(*made);
}

test::Entity composed_parts(const MessageTemplate& message_template) {
  constexpr std::array<InsertCodeView, 1> kCodes{{{"__name__", "山田"}}};
  ComposedMessage message;
  message_template.compose({"taro@example.com", kCodes, {}}, parts_identity(), message);
  std::string whole(message.head());
  for (const std::string_view piece : message.body()) whole += piece;
  EXPECT_EQ(whole.size(), message.size());
  EXPECT_LE(whole.size(), message_template.expanded_octets(kCodes));
  EXPECT_EQ(test::form_problem(whole, kLineOctetsMax), "");
  return test::read_entity(whole);
}

std::string type_of_part(const test::Entity& entity) {
  const std::string field = entity.field("Content-Type");
  return field.substr(0, field.find(';'));
}

void expect_related(const test::Entity& related) {
  EXPECT_EQ(type_of_part(related), "multipart/related");
  EXPECT_EQ(test::parameter(related.field("Content-Type"), "type"), "text/html");
  const auto parts = test::read_parts(related);
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(type_of_part(parts[0]), "text/html");
  const std::string html = test::read_content(parts[0]).value_or("");
  const std::string id = parts[1].field("Content-ID");
  ASSERT_TRUE(id.starts_with("<logo.") && id.ends_with("@mail.example.jp>")) << id;
  EXPECT_THAT(html, HasSubstr("\"cid:" + id.substr(1, id.size() - 2) + "\""));
  EXPECT_THAT(html, HasSubstr("\"cid:m@example.jp\""));
  EXPECT_EQ(parts[2].field("Content-ID"), "<m@example.jp>");
  EXPECT_TRUE(parts[1].field("Content-Disposition").starts_with("inline;"));
  EXPECT_EQ(test::read_words(test::parameter(parts[1].field("Content-Type"), "name")), "ロゴ.png");
  EXPECT_EQ(parts[2].field("Content-Disposition"), "inline; filename=\"map.gif\"");
  EXPECT_EQ(test::read_content(parts[1]), std::string(100, '\xFF'));
  EXPECT_EQ(test::read_content(parts[2]), "gif");
}

TEST(InlineParts, StandBesideTheHtmlThatShowsThem) {
  const auto mail = composed_parts(built_parts(mail_with_parts()));
  EXPECT_EQ(type_of_part(mail), "multipart/mixed");
  const auto mixed = test::read_parts(mail);
  ASSERT_EQ(mixed.size(), 2U);
  EXPECT_EQ(mixed[1].count("Content-ID"), 0U);
  EXPECT_EQ(test::read_content(mixed[1]), "pdf");
  EXPECT_EQ(type_of_part(mixed[0]), "multipart/alternative");
  const auto texts = test::read_parts(mixed[0]);
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(test::read_content(texts[0]), "text of 山田\r\n");
  expect_related(texts[1]);
}

TEST(InlineParts, WithoutTextOrAttachmentsThereIsNothingAroundThem) {
  Content given = mail_with_parts();
  given.attachments.erase(given.attachments.begin() + 1);
  const auto alternative = composed_parts(built_parts(given));
  EXPECT_EQ(type_of_part(alternative), "multipart/alternative");
  expect_related(test::read_parts(alternative).at(1));
  given.text_part.clear();
  given.text_from_html = false;
  expect_related(composed_parts(built_parts(given)));
  given.attachments.push_back({"a.txt", "text/plain", "x"});
  const auto mixed = composed_parts(built_parts(given));
  EXPECT_EQ(type_of_part(mixed), "multipart/mixed");
  expect_related(test::read_parts(mixed).at(0));
}

TEST(InlineParts, WithoutHtmlAreAttached) {
  Content given = mail_with_parts();
  given.html_part.clear();
  const auto parts = test::read_parts(composed_parts(built_parts(given)));
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_TRUE(parts[1].field("Content-Disposition").starts_with("attachment"));
  EXPECT_EQ(parts[1].count("Content-ID"), 0U);
}

TEST(InlineParts, AnIdThatCannotBeWrittenAddsNothingToTheHeader) {
  Content given = mail_with_parts();
  given.attachments[0].content_id = "x>\r\nBcc: y";
  const auto mixed = test::read_parts(composed_parts(built_parts(given)));
  ASSERT_EQ(mixed.size(), 3U);
  EXPECT_TRUE(mixed[1].field("Content-Disposition").starts_with("attachment"));
  EXPECT_EQ(mixed[1].count("Bcc"), 0U);
}

TEST(InlineParts, IdsAreTheDeliverysOwnAndLongOnesStillFit) {
  EXPECT_EQ(content_id_tail(parts_identity(1)), content_id_tail(parts_identity(1)));
  EXPECT_NE(content_id_tail(parts_identity(1)), content_id_tail(parts_identity(2)));
  Content given = mail_with_parts();
  given.attachments[0].content_id = std::string(128, 'a');
  for (int i = 0; i < 500; ++i) given.html_part += "<img src=cid:" + std::string(128, 'a') + ">\n";
  composed_parts(built_parts(given));
}

TEST(InlineParts, WhereTheirDataIsOutsideEachHasAGapOfItsOwn) {
  const Content given = mail_with_parts();
  Content without = given;
  std::vector<std::uint64_t> octets;
  for (Attachment& file : without.attachments) {
    octets.push_back(file.data.size());
    file.data.clear();
  }
  const auto message_template = built_parts(without, octets);
  ComposedMessage message;
  message_template.compose({"taro@example.com", {}, {}}, parts_identity(), message);
  std::vector<std::size_t> order;
  std::string whole(message.head());
  std::size_t piece = 0;
  for (const auto& gap : message.gaps()) {
    while (piece < gap.before_piece) whole += message.body()[piece++];
    append_base64_lines(whole, given.attachments[gap.attachment].data);
    order.push_back(gap.attachment);
  }
  while (piece < message.body().size()) whole += message.body()[piece++];
  EXPECT_THAT(order, ElementsAre(0, 2, 1));
  EXPECT_EQ(whole.size(), message.size());
  ComposedMessage in_memory;
  const auto with_data = built_parts(given);
  with_data.compose({"taro@example.com", {}, {}}, parts_identity(), in_memory);
  std::string expected(in_memory.head());
  for (const std::string_view one : in_memory.body()) expected += one;
  EXPECT_EQ(whole, expected);
}

}  // namespace
}  // namespace todoku::mime
