// SPDX-License-Identifier: Apache-2.0
// What holds for every message, whatever the content and the insert codes are: form, headers, its
// size, and that a reader gets back what was written. A failure names its seed.
#include <cstdlib>

#include <gtest/gtest.h>

#include "base/random.h"
#include "mime/charset.h"
#include "mime/html_text.h"
#include "mime/inline_parts.h"
#include "mime/made_text.h"
#include "mime/message_template.h"
#include "mime/open_pixel.h"
#include "mime/test_reader.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

constexpr std::array<std::string_view, 5> kKeys{"__a__", "%%b%%", "__name__", "%%x9%%", "__c__"};

class Scribbler {
 public:
  explicit Scribbler(std::uint64_t seed) : random_(seed) {}

  bool chance(std::uint64_t one_in) { return random_.below(one_in) == 0; }
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }

  std::string text(std::size_t pieces_max) {
    static constexpr std::array<std::string_view, 40> kPieces{"__a__",
                                                              "%%b%%",
                                                              "__name__",
                                                              "%%x9%%",
                                                              "__none__",
                                                              "__",
                                                              "%%",
                                                              "a",
                                                              " ",
                                                              "  ",
                                                              "\r\n",
                                                              "\n",
                                                              "\r",
                                                              "\t",
                                                              ".",
                                                              "\n.",
                                                              "From ",
                                                              "日本語",
                                                              "①㈱髙",
                                                              "ｶﾞ",
                                                              "ﾟ",
                                                              "😀",
                                                              "é",
                                                              "〜",
                                                              "=?UTF-8?B?44GC?=",
                                                              "=",
                                                              "--",
                                                              "<b>",
                                                              "\"\\",
                                                              ",;:",
                                                              "\x1B$B",
                                                              "\x0E",
                                                              "\x7F",
                                                              "\u2028",
                                                              "\x80",
                                                              "\xE3\x81",
                                                              "Bcc: x@example.com\r\n",
                                                              "word",
                                                              "あいうえお",
                                                              "%"};
    std::string out;
    for (std::uint64_t i = random_.below(pieces_max + 1); i > 0; --i) {
      if (chance(60)) {
        out += std::string(random_.below(2500), 'x');
      } else if (chance(60)) {
        for (std::uint64_t j = random_.below(1200); j > 0; --j) out += "長";
      } else if (chance(60)) {
        for (std::uint64_t j = random_.below(90); j > 0; --j) out += "一行の文です。Line.\n";
      } else {
        // Half of all texts are of the first, tamer pieces: they stay ASCII or ISO-2022-JP.
        out += kPieces[random_.below(tame_ ? 21 : kPieces.size())];
      }
      if (chance(300)) out += '\0';
    }
    return out;
  }
  void set_tame(bool tame) { tame_ = tame; }

 private:
  SeededRandom random_;
  bool tame_ = false;
};

constexpr std::string_view kPixelUrl = "https://mail.example.jp/__name__/open/";
constexpr std::string_view kToken = "oZ-0_token";
constexpr std::string_view kContentIdTail = ".0f@mail.example.jp";

struct Case {
  Content content;
  std::vector<InsertCode> codes;
  std::string address;
};

Case make_case(Scribbler& scribbler) {
  Case out;
  scribbler.set_tame(scribbler.chance(2));
  Content& content = out.content;
  content.from = {"info@example.jp", scribbler.text(5)};
  if (scribbler.chance(3)) content.reply_to = Mailbox{"r@example.jp", scribbler.text(5)};
  if (scribbler.chance(3)) {
    content.header_to = {"to@example.com"};
    for (std::uint64_t i = scribbler.below(11); i > 0; --i) {
      content.header_cc.push_back("cc" + std::to_string(i) + "@example.com");
    }
  }
  content.subject = scribbler.text(12);
  content.text_part = scribbler.text(40);
  if (scribbler.chance(2)) content.html_part = scribbler.text(40);
  if (scribbler.chance(4)) content.text_part.clear();
  content.text_from_html = !content.text_part.empty() || scribbler.chance(2);
  content.open_tracking = scribbler.chance(2);
  if (scribbler.chance(2)) content.encode = Encoding::iso_2022_jp;
  if (scribbler.chance(2)) content.list_unsubscribe_url = "https://example.jp/" + scribbler.text(6);
  content.list_unsubscribe_one_click = scribbler.chance(2);
  if (scribbler.chance(2)) content.list_unsubscribe_mailto = "mailto:" + scribbler.text(6);
  for (std::uint64_t i = scribbler.chance(3) ? scribbler.below(4) : 0; i > 0; --i) {
    content.attachments.push_back({scribbler.text(8), scribbler.text(2), scribbler.text(20)});
    const std::string id = "id" + std::to_string(i);
    if (scribbler.chance(2)) content.attachments.back().content_id = id;
    if (scribbler.chance(8)) content.attachments.back().content_id = scribbler.text(2);
    if (content.html_part.empty() || scribbler.chance(2)) continue;
    content.html_part.insert(0, "<img src=\"cid:" + id + "\">");
  }
  for (const std::string_view key : kKeys) {
    if (scribbler.chance(2)) out.codes.push_back({std::string(key), scribbler.text(4)});
  }
  out.address = scribbler.chance(3) ? scribbler.text(4) : "taro@example.com";
  return out;
}

// The values as they stand in a text that is made from HTML.
std::vector<InsertCode> plain_codes(std::vector<InsertCode> codes) {
  for (InsertCode& code : codes) {
    if (may_have_markup(code.value)) code.value = html_to_text(body_text(code.value));
  }
  return codes;
}

using Clean = void (*)(std::string&, std::string_view);

// Substitution in its plainest form, with text and values made clean as `clean` does.
std::string substituted(std::string_view text, const std::vector<InsertCode>& codes, Clean clean) {
  std::string cleaned;
  clean(cleaned, text);
  std::string out;
  for (std::string_view rest = cleaned; !rest.empty();) {
    const auto hit = std::ranges::find_if(
        codes, [&](const InsertCode& code) { return rest.starts_with(code.key); });
    if (hit == codes.end()) {
      out += rest.front();
      rest.remove_prefix(1);
    } else {
      clean(out, hit->value);
      rest.remove_prefix(hit->key.size());
    }
  }
  return out;
}

// As ISO-2022-JP says it: widened, and with one code point where there are equivalents.
std::string in_charset(const std::string& text, Encoding charset) {
  if (charset == Encoding::utf_8) return text;
  std::string encoded;
  EXPECT_TRUE(append_iso_2022_jp(encoded, text));
  return test::from_iso_2022_jp(encoded).value_or("unreadable");
}

std::string whole_of(const ComposedMessage& message) {
  std::string out(message.head());
  for (const std::string_view piece : message.body()) out += piece;
  EXPECT_EQ(out.size(), message.size());
  return out;
}

void expect_text(const test::Entity& part, const std::string& expected, bool whole_body) {
  auto text = test::read_content(part);
  ASSERT_TRUE(text);
  // A body of lines must end in CRLF, even if its text does not.
  const bool ended = whole_body && !expected.ends_with("\r\n") && !expected.empty() &&
                     part.field("Content-Transfer-Encoding") != "base64";
  ASSERT_TRUE(*text == expected + (ended ? "\r\n" : ""));
}

// What `entity` begins with, which has these files behind it.
void take_files(test::Entity& entity, const std::vector<Attachment>& files) {
  auto parts = test::read_parts(entity);
  ASSERT_EQ(parts.size(), 1 + files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    ASSERT_TRUE(test::read_content(parts[i + 1]) == files[i].data);
  }
  entity = std::move(parts[0]);
}

void expect_parts(const Case& given, const test::Entity& entity, Encoding charset) {
  std::vector<test::Entity> texts{entity};
  std::vector<Attachment> attached;
  std::vector<Attachment> inline_parts;
  for (const Attachment& file : given.content.attachments) {
    const bool shown = !given.content.html_part.empty() && is_content_id(file.content_id);
    (shown ? inline_parts : attached).push_back(file);
  }
  if (!attached.empty()) {
    ASSERT_NO_FATAL_FAILURE(take_files(texts[0], attached));
  }
  std::vector<std::string> expected;
  const auto add = [&](const std::string& text) {
    expected.push_back(in_charset(substituted(text, given.codes, append_body_text), charset));
  };
  const std::string made = made_text(given.content);
  if (!given.content.text_part.empty() || given.content.html_part.empty()) {
    add(given.content.text_part);
  } else if (!made.empty()) {
    expected.push_back(
        in_charset(substituted(made, plain_codes(given.codes), append_body_text), charset));
  }
  if (!given.content.html_part.empty()) {
    // No key spans the place of the pixel.
    const std::string html = body_text(
        with_whole_ids(given.content.html_part, given.content.attachments, kContentIdTail));
    const std::size_t place = given.content.open_tracking ? pixel_place(html) : html.size();
    const std::string pixel =
        given.content.open_tracking
            ? pixel_markup(kPixelUrl).before + std::string(kToken) + pixel_markup(kPixelUrl).after
            : "";
    expected.push_back(
        in_charset(substituted(html.substr(0, place), given.codes, append_body_text) + pixel +
                       substituted(html.substr(place), given.codes, append_body_text),
                   charset));
  }
  if (expected.size() > 1) texts = test::read_parts(texts[0]);
  ASSERT_EQ(texts.size(), expected.size());
  if (!inline_parts.empty()) {
    ASSERT_NO_FATAL_FAILURE(take_files(texts.back(), inline_parts));
  }
  const bool whole_body = expected.size() == 1 && given.content.attachments.empty();
  for (std::size_t i = 0; i < texts.size(); ++i) expect_text(texts[i], expected[i], whole_body);
}

// The display name of a mailbox field.
std::optional<std::string> display_name(const std::string& value) {
  const std::size_t address = value.rfind('<');
  if (address == std::string::npos) return "";
  const std::string_view name = std::string_view(value).substr(0, address - 1);
  if (!name.starts_with('"')) return test::read_words(name);
  std::string out;
  for (std::size_t i = 1; i + 1 < name.size(); ++i) {
    if (name[i] == '\\') ++i;
    out += name[i];
  }
  return out;
}

void expect_headers(const Case& given, const test::Entity& entity, Encoding charset) {
  for (const test::Field& field : entity.fields) {
    ASSERT_EQ(entity.count(field.name), 1U) << field.name;
  }
  ASSERT_EQ(entity.count("Bcc"), 0U);
  const std::string subject = substituted(given.content.subject, given.codes, append_header_text);
  ASSERT_TRUE(test::read_words(entity.field("Subject")) == in_charset(subject, charset));
  const std::string name = in_charset(header_text(given.content.from.name), charset);
  ASSERT_TRUE(display_name(entity.field("From")) == name) << name.substr(0, 200);
}

bool needs_utf8(const Case& given) {
  const auto fits = [&](std::string_view text, Clean clean) {
    return fits_iso_2022_jp(substituted(text, given.codes, clean));
  };
  const Content& content = given.content;
  return !fits_iso_2022_jp(header_text(content.from.name)) ||
         (content.reply_to && !fits_iso_2022_jp(header_text(content.reply_to->name))) ||
         !fits(content.subject, append_header_text) || !fits(content.text_part, append_body_text) ||
         !fits_iso_2022_jp(
             substituted(made_text(content), plain_codes(given.codes), append_body_text)) ||
         !fits(content.html_part, append_body_text);
}

void expect_all(const Case& given, const ComposedMessage& message) {
  const std::string text = whole_of(message);
  ASSERT_EQ(test::form_problem(text, kLineOctetsMax), "");
  ASSERT_EQ(message.has_leading_dot(), text.contains("\n."));
  const bool asked_for_jis = given.content.encode == Encoding::iso_2022_jp;
  ASSERT_EQ(message.charset_fell_back(), asked_for_jis && needs_utf8(given));
  const Encoding charset = message.charset_fell_back() ? Encoding::utf_8 : given.content.encode;
  const test::Entity entity = test::read_entity(text);
  expect_headers(given, entity, charset);
  expect_parts(given, entity, charset);
}

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// TODOKU_SEED repeats one case, TODOKU_ROUNDS asks for more of them.
TEST(AnyMessage, IsWellFormedAndReadsAsItWasWritten) {
  const std::uint64_t first = number_from_environment("TODOKU_SEED", 1);
  const std::uint64_t rounds =
      number_from_environment("TODOKU_ROUNDS", std::getenv("TODOKU_SEED") == nullptr ? 1500 : 1);
  ComposedMessage reused;
  int fallbacks = 0;
  for (std::uint64_t seed = first; seed < first + rounds; ++seed) {
    SCOPED_TRACE("TODOKU_SEED=" + std::to_string(seed));
    Scribbler scribbler(seed);
    const Case given = make_case(scribbler);
    const MessageOptions options{.pixel_url = std::string(kPixelUrl),
                                 .content_id_tail = std::string(kContentIdTail)};
    const auto message_template = MessageTemplate::build(given.content, options);
    ASSERT_TRUE(message_template) << message_template.error().detail;
    Identity identity;
    identity.delivery = static_cast<std::int64_t>(seed);
    identity.message_id_domain = "example.jp";
    std::vector<InsertCodeView> views;
    const RecipientFields recipient{given.address, view_codes(given.codes, views), kToken};
    message_template->compose(recipient, identity, reused);
    ASSERT_LE(reused.size(), message_template->expanded_octets(recipient.codes));
    ASSERT_NO_FATAL_FAILURE(expect_all(given, reused));
    // A retry, by another connection and perhaps another process, repeats every octet.
    const auto again = MessageTemplate::build(given.content, options);
    ComposedMessage fresh;
    again->compose(recipient, identity, fresh);
    ASSERT_TRUE(whole_of(fresh) == whole_of(reused));
    fallbacks += reused.charset_fell_back() ? 1 : 0;
    // With the longest link of ours the size that is told holds, and every line.
    MessageOptions linked = options;
    linked.unsubscribe_url = "https://" + std::string(kUnsubscribeUrlOctetsMax - 9, 'u') + "/";
    linked.unsubscribe_mailto = "mailto:" + std::string(kUnsubscribeUrlOctetsMax - 7, 'm');
    const auto advertisement = MessageTemplate::build(given.content, linked);
    RecipientFields leaver = recipient;
    const std::string token(kUnsubscribeTokenOctetsMax, 't');
    leaver.unsubscribe_token = token;
    advertisement->compose(leaver, identity, fresh);
    ASSERT_LE(fresh.size(), advertisement->expanded_octets(recipient.codes));
    const std::string lines(fresh.head());
    for (std::size_t at = 0, end = 0; (end = lines.find("\r\n", at)) != std::string::npos;
         at = end + 2) {
      ASSERT_LE(end - at, 998U);
    }
  }
  if (rounds >= 1000) {
    EXPECT_GT(fallbacks, 50);
  }
}

}  // namespace
}  // namespace todoku::mime
