// SPDX-License-Identifier: Apache-2.0
// Any content for any recipient. The input is fields separated by the octet 1F, in the order of
// read_case() below. Oracles: 7-bit lines within the limit, each header field once, not larger than
// was told, a retry repeats every octet, and a strict reader gets back the subject, the texts and
// the attachment.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "mime/charset.h"
#include "mime/inline_parts.h"
#include "mime/message_template.h"
#include "mime/test_reader.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

constexpr std::string_view kContentIdTail = ".0f@mail.example.jp";
constexpr std::array<std::string_view, 3> kKeys{"__a__", "%%b%%", "__name__"};

struct Case {
  Content content;
  std::string address;
  std::vector<InsertCodeView> codes;
};

class Fields {
 public:
  explicit Fields(std::string_view rest) : rest_(rest) {}
  std::optional<std::string_view> next() {
    if (!rest_) return std::nullopt;
    const std::size_t end = rest_->find('\x1F');
    const std::string_view field = rest_->substr(0, end);
    if (end == std::string_view::npos) {
      rest_.reset();
    } else {
      rest_->remove_prefix(end + 1);
    }
    return field;
  }
  std::string text() { return std::string(next().value_or("")); }

 private:
  std::optional<std::string_view> rest_;
};

Case read_case(std::string_view input) {
  Fields fields(input);
  Case out;
  Content& content = out.content;
  const std::string flags = fields.text();
  if (flags.contains('j')) content.encode = Encoding::iso_2022_jp;
  if (flags.contains('t')) content.header_to = {"to@example.com"};
  content.from = {"info@example.jp", fields.text()};
  content.subject = fields.text();
  content.text_part = fields.text();
  content.html_part = fields.text();
  content.list_unsubscribe_url = fields.text();
  content.list_unsubscribe_mailto = fields.text();
  out.address = fields.text();
  content.text_from_html = flags.contains('h');
  if (flags.contains('x')) {
    const std::string name = fields.text();
    content.headers = {
        {name, fields.text()}, {"X-Given", fields.text()}, {"References", fields.text()}};
  }
  if (flags.contains('r')) content.reply_to = Mailbox{"reply@example.jp", fields.text()};
  if (flags.contains('a')) {
    content.attachments.push_back({fields.text(), fields.text(), fields.text()});
    if (flags.contains('i')) content.attachments.back().content_id = fields.text();
  }
  for (const std::string_view key : kKeys) {
    if (const auto value = fields.next()) out.codes.push_back({key, *value});
  }
  return out;
}

using Clean = void (*)(std::string&, std::string_view);

std::string substituted(const Case& given, std::string_view text, Clean clean) {
  std::string cleaned;
  clean(cleaned, text);
  std::string out;
  for (std::string_view rest = cleaned; !rest.empty();) {
    const InsertCodeView* hit = nullptr;
    for (const InsertCodeView& code : given.codes) {
      if (rest.starts_with(code.key)) hit = &code;
    }
    if (hit == nullptr) {
      out += rest.front();
      rest.remove_prefix(1);
    } else {
      clean(out, hit->value);
      rest.remove_prefix(hit->key.size());
    }
  }
  return out;
}

std::string in_charset(const std::string& text, Encoding charset) {
  if (charset == Encoding::utf_8) return text;
  std::string encoded;
  check(append_iso_2022_jp(encoded, text).has_value(), "what was sent can be said");
  const auto read = test::from_iso_2022_jp(encoded);
  check(read.has_value(), "ISO-2022-JP follows its rules");
  return *read;
}

std::string whole(const ComposedMessage& message) {
  std::string out(message.head());
  for (const std::string_view piece : message.body()) out += piece;
  check(out.size() == message.size(), "the size is the size");
  return out;
}

void check_text(const test::Entity& part, const std::string& expected) {
  const auto text = test::read_content(part);
  // A body of lines must end in CRLF, even if its text does not.
  check(text && (*text == expected || *text == expected + "\r\n"), "a text is read as written");
}

// What stands before the file that the content has.
test::Entity before_file(const Case& given, const test::Entity& entity) {
  auto parts = test::read_parts(entity);
  check(parts.size() == 2, "a text and a file");
  check(test::read_content(parts[1]) == given.content.attachments[0].data,
        "a file is read as written");
  return std::move(parts[0]);
}

void check_content(const Case& given, const test::Entity& entity, Encoding charset) {
  test::Entity texts = entity;
  const auto& files = given.content.attachments;
  const bool is_inline =
      !files.empty() && !given.content.html_part.empty() && is_content_id(files[0].content_id);
  if (!files.empty() && !is_inline) texts = before_file(given, entity);
  const auto expected = [&](const std::string& text) {
    return in_charset(substituted(given, text, append_body_text), charset);
  };
  if (given.content.html_part.empty()) return check_text(texts, expected(given.content.text_part));
  const std::string html = expected(with_whole_ids(given.content.html_part, files, kContentIdTail));
  const auto check_html = [&](const test::Entity& part) {
    check_text(is_inline ? before_file(given, part) : part, html);
  };
  // A text that is made of the HTML is beside it (html_text_fuzz.cc).
  const bool is_alternative = texts.field("Content-Type").starts_with("multipart/alternative");
  if (!is_alternative) {
    check(given.content.text_part.empty(), "the text is there");
    return check_html(texts);
  }
  const auto parts = test::read_parts(texts);
  check(parts.size() == 2, "text and html");
  if (!given.content.text_part.empty()) check_text(parts[0], expected(given.content.text_part));
  check_html(parts[1]);
}

void run(std::string_view input) {
  const Case given = read_case(input);
  const auto message_template =
      MessageTemplate::build(given.content, {.content_id_tail = std::string(kContentIdTail)});
  check(message_template.has_value(), "its addresses are right");
  Identity identity;
  identity.delivery = 1;
  identity.message_id_domain = "example.jp";
  ComposedMessage message;
  message_template->compose({given.address, given.codes}, identity, message);
  const std::string text = whole(message);
  check(text.size() <= message_template->expanded_octets(given.codes), "not larger than was told");
  check(test::form_problem(text, kLineOctetsMax).empty(), "lines are 7-bit and short enough");
  check(message.has_leading_dot() == text.contains("\n."), "dots are told");
  const Encoding charset = message.charset_fell_back() ? Encoding::utf_8 : given.content.encode;
  const test::Entity entity = test::read_entity(text);
  for (const test::Field& field : entity.fields) {
    check(entity.count(field.name) == 1, "each field stands once");
  }
  check(entity.fields.size() == message.headers().size(), "nothing adds a field");
  const std::string subject = substituted(given, given.content.subject, append_header_text);
  check(test::read_words(entity.field("Subject")) == in_charset(subject, charset),
        "the subject is read as written");
  check_content(given, entity, charset);
  message_template->compose({given.address, given.codes}, identity, message);
  check(whole(message) == text, "a retry repeats every octet");
}

}  // namespace
}  // namespace todoku::mime

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::mime::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
