// SPDX-License-Identifier: Apache-2.0
#include "api/doors/ses.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "api/doors/fields.h"
#include "api/doors/members.h"
#include "base/bytes.h"
#include "base/utf8.h"
#include "http/json.h"

namespace todoku::api::doors::ses {
namespace {

constexpr std::size_t kShownOctets = 64;

std::vector<std::string> addresses(const Members& destination, std::string_view name,
                                   Letter& letter) {
  std::vector<std::string> all;
  for (const auto& [text, path] : destination.texts(name)) {
    if (trim(text).empty()) letter.problems.add(path, intake::texts::required());
    for (std::string& each : read_addresses(text, path, letter)) all.push_back(std::move(each));
  }
  return all;
}

void read_destination(const Members& mail, Letter& letter) {
  Recipients recipients;
  if (const auto destination = mail.members("Destination")) {
    recipients.to = addresses(*destination, "ToAddresses", letter);
    recipients.cc = addresses(*destination, "CcAddresses", letter);
    recipients.bcc = addresses(*destination, "BccAddresses", letter);
  }
  address(letter, std::move(recipients));
}

void read_sender(const Members& mail, Letter& letter) {
  const Path path = mail.path_to("FromEmailAddress");
  letter.request.content.from =
      read_mailbox(mail.text("FromEmailAddress").value_or(""), path, letter.problems);
  std::vector<Mailbox> answers;
  for (const auto& [text, place] : mail.texts("ReplyToAddresses")) {
    if (trim(text).empty()) letter.problems.add(place, intake::texts::required());
    answers.push_back(read_mailbox(text, place, letter.problems));
  }
  set_reply_to(letter, answers, mail.path_to("ReplyToAddresses"));
}

void read_tags(const Members& mail, std::string_view name, Letter& letter) {
  mail.each_object(name, SIZE_MAX, [&](const Members& tag) {
    add_tag(letter, tag.text("Name").value_or(""), tag.text("Value").value_or(""));
  });
}

void read_headers(const Members& part, Letter& letter) {
  part.each_object("Headers", SIZE_MAX, [&](const Members& header) {
    add_header(letter, header.text("Name").value_or(""), header.text("Value").value_or(""),
               header.path_to("Value"));
  });
}

void read_files(const Members& part, const intake::Limits& limits, Letter& letter) {
  part.each_object("Attachments", limits.attachments_max, [&](const Members& file) {
    File read{.name = file.text("FileName").value_or(""),
              .type = file.text("ContentType").value_or(""),
              .base64 = file.text("RawContent").value_or("")};
    read.content_id = shown_id(letter,
                               {.given = file.text("ContentDisposition").value_or(""),
                                .path = file.path_to("ContentDisposition"),
                                .attached = "ATTACHMENT",
                                .is_inline = "INLINE"},
                               file.text("ContentId").value_or(""), file.path_to("ContentId"));
    add_file(letter, std::move(read), limits, file.path_to("RawContent"));
  });
}

// {"Data": "...", "Charset": "UTF-8"}: JSON is UTF-8, whatever the charset is called.
std::string data_of(const Members& part, std::string_view name) {
  const auto content = part.members(name);
  return content ? content->text("Data").value_or("") : std::string();
}

std::optional<Failure> missing_set(const Members& mail) {
  const std::string name = mail.text("ConfigurationSetName").value_or("");
  if (name.empty()) return std::nullopt;
  return Failure{Trouble::no_stream, fmt::format("Configuration set <{}> does not exist.",
                                                 utf8_prefix(name, kShownOctets))};
}

// An ARN names what is kept elsewhere.
std::optional<Failure> missing_template(const Members& place) {
  const std::string name = place.text("TemplateArn").value_or("");
  if (name.empty()) return std::nullopt;
  return Failure{Trouble::no_template,
                 fmt::format("Template {} does not exist.", utf8_prefix(name, kShownOctets))};
}

// A JSON object as a text, handed to `take`.
void read_object_in_text(const Members& place, std::string_view name,
                         const std::function<void(const boost::json::object&)>& take) {
  const auto text = place.text(name);
  if (!text || text->empty()) return;
  http::JsonArena arena;
  const auto parsed = http::parse_json(*text, arena, {.keeps_literals = true});
  if (parsed && parsed->is_object()) return take(parsed->get_object());
  place.problems().add(place.path_to(name), {"is no JSON object in a text.",
                                             "JSONオブジェクトの文字列ではありません。"});
}

// Of a template that is kept here.
void read_data(const Members& place, std::string_view name, const intake::Limits& limits,
               Letter& letter) {
  read_object_in_text(place, name, [&](const boost::json::object& data) {
    add_data(letter, data, place.path_to(name), limits);
  });
}

// Of TemplateContent. Later values of a name take the place of earlier ones.
void read_values(const Members& place, std::string_view name, Values& values) {
  read_object_in_text(place, name, [&](const boost::json::object& object) {
    const Members members(object, place.path_to(name), place.problems());
    for (const auto& member : object) {
      const std::string_view key(member.key().data(), member.key().size());
      if (auto value = members.scalar(key)) {
        values.insert_or_assign(std::string(key), std::move(*value));
      }
    }
  });
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#x27;";
        break;
      default:
        out += c;
    }
  }
}

// A text of a template, what it is called there, and what becomes of it.
struct TemplateText {
  std::string& text;
  std::string_view name;
  Rendering rendering;
};
std::array<TemplateText, 3> texts_of(Content& content, const intake::Limits& limits) {
  return {{{content.subject, "Subject", {false, limits.subject_characters_max}},
           {content.text_part, "Text", {false, limits.text_part_characters_max}},
           {content.html_part, "Html", {true, limits.html_part_characters_max}}}};
}

Path path_below(Path path, std::string_view name) {
  path.emplace_back(name);
  return path;
}

bool is_too_long(std::string_view text, const Rendering& rendering, const Path& path,
                 intake::Problems& problems) {
  if (text.size() <= octets_of(rendering.characters_max)) return false;
  problems.add(path, intake::texts::length(0, rendering.characters_max));
  return true;
}

// Nothing is put in where something is wrong already: it is refused in any case.
void render(Letter& letter, const Values& values, const intake::Limits& limits, const Path& path) {
  for (const TemplateText& each : texts_of(letter.request.content, limits)) {
    if (!letter.problems.empty()) return;
    each.text =
        rendered(each.text, values, each.rendering, path_below(path, each.name), letter.problems);
  }
}

// {Subject, Text, Html} that a request brings instead of a template's name.
void read_template(const Members& place, const intake::Limits& limits, Letter& letter) {
  set_template(letter, place.text("TemplateName").value_or(""));
  if (const auto content = place.members("TemplateContent")) {
    letter.request.content.subject = content->text("Subject").value_or("");
    letter.request.content.text_part = content->text("Text").value_or("");
    letter.request.content.html_part = content->text("Html").value_or("");
  }
  read_headers(place, letter);
  read_files(place, limits, letter);
}

void read_simple(const Members& message, const intake::Limits& limits, Letter& letter) {
  Content& content = letter.request.content;
  content.subject = data_of(message, "Subject");
  if (const auto body = message.members("Body")) {
    content.text_part = data_of(*body, "Text");
    content.html_part = data_of(*body, "Html");
  }
  read_headers(message, letter);
  read_files(message, limits, letter);
}

// Clients write their messages with the line ends of their systems; a mail has CRLF (RFC 5321
// section 2.3.8).
std::string with_crlf(std::string_view message) {
  std::string out;
  out.reserve(message.size() + message.size() / 32);
  for (std::size_t i = 0; i < message.size(); ++i) {
    if (message[i] == '\n' && (i == 0 || message[i - 1] != '\r')) out += '\r';
    out += message[i];
  }
  return out;
}

void read_raw(const Members& mail, const Members& raw, const intake::Limits& limits, Email& read) {
  intake::Problems& problems = read.letter.problems;
  if (!mail.texts("ReplyToAddresses").empty()) {
    problems.add(mail.path_to("ReplyToAddresses"),
                 {"has no place in a message that is whole: it has a field Reply-To.",
                  "完成したメッセージには指定できません。Reply-Toヘッダーに書いてください。"});
  }
  const Path path = raw.path_to("Data");
  const std::string base64 = raw.text("Data").value_or("");
  const std::size_t max = raw_octets_max(limits);
  constexpr std::size_t kWhiteSpace = 2;  // lines of base64 may be short
  if (trim(base64).empty()) return problems.add(path, intake::texts::required());
  if (base64.size() / 4 * 3 > kWhiteSpace * max) {
    return problems.add(path, intake::texts::too_large(max));
  }
  const auto message = from_base64(base64);
  if (!message) return problems.add(path, intake::texts::not_base64());
  if (message->size() > max) return problems.add(path, intake::texts::too_large(max));
  read.raw = with_crlf(*message);
}

// Of what a content may be there is one.
void check_forms(const boost::json::object& content, intake::Problems& problems) {
  std::size_t forms = 0;
  for (const std::string_view name : {"Simple", "Raw", "Template"}) {
    const auto* const form = content.if_contains(name);
    if (form != nullptr && !form->is_null()) ++forms;
  }
  if (forms == 1) return;
  problems.add({"Content"}, {"has to have one of Simple, Raw and Template, and no other beside it.",
                             "Simple・Raw・Templateのうち1つだけを指定してください。"});
}

}  // namespace

std::string rendered(std::string_view text, const Values& values, const Rendering& rendering,
                     const Path& path, intake::Problems& problems) {
  std::string out;
  if (is_too_long(text, rendering, path, problems)) return out;
  while (true) {
    const std::size_t begin = text.find("{{");
    out += text.substr(0, begin);
    if (is_too_long(out, rendering, path, problems)) return {};
    if (begin == std::string_view::npos) return out;
    text.remove_prefix(begin + 2);
    const bool is_raw = text.starts_with('{');
    if (is_raw) text.remove_prefix(1);
    const std::size_t end = text.find(is_raw ? "}}}" : "}}");
    const std::string_view name = trim(text.substr(0, end));
    const bool is_name = !name.empty() && std::ranges::all_of(name, [](char c) {
      return is_ascii_alphanumeric(c) || c == '_' || c == '-' ||
             static_cast<unsigned char>(c) >= 0x80;
    });
    const auto value = values.find(name);
    const std::string shown(utf8_prefix(name, kShownOctets));
    if (end == std::string_view::npos || !is_name) {
      problems.add(path,
                   {fmt::format("has {{{{{}}}}}, but only names of values are put in here.", shown),
                    fmt::format("{{{{{}}}}}は使えません。値の名前だけを差し込めます。", shown)});
      return out;
    }
    if (value == values.end()) {
      problems.add(path, {fmt::format("has {{{{{}}}}}, of which there is no value.", shown),
                          fmt::format("{{{{{}}}}}の値がありません。", shown)});
      return out;
    }
    if (rendering.is_html && !is_raw) {
      append_escaped(out, value->second);
    } else {
      out += value->second;
    }
    text.remove_prefix(end + (is_raw ? 3 : 2));
  }
}

Email read_email(const boost::json::object& object, const intake::Limits& limits) {
  Email read;
  Letter& letter = read.letter;
  check_fields(object, fields_of(Service::ses), letter.problems);
  const Members mail(object, {}, letter.problems);
  read_sender(mail, letter);
  read_destination(mail, letter);
  read_tags(mail, "EmailTags", letter);
  read.missing = missing_set(mail);
  const auto content = mail.members("Content");
  if (!content) {
    if (letter.problems.empty()) letter.problems.add({"Content"}, intake::texts::required());
    return read;
  }
  if (letter.problems.empty()) check_forms(*mail.object("Content"), letter.problems);
  if (const auto raw = content->members("Raw")) {
    read_raw(mail, *raw, limits, read);
  } else if (const auto message = content->members("Simple")) {
    read_simple(*message, limits, letter);
  } else if (const auto place = content->members("Template")) {
    if (auto none = missing_template(*place)) read.missing = std::move(none);
    read_template(*place, limits, letter);
    if (letter.request.from_template) {
      read_data(*place, "TemplateData", limits, letter);
    } else {
      Values values;
      read_values(*place, "TemplateData", values);
      render(letter, values, limits, place->path_to("TemplateContent"));
    }
  }
  return read;
}

Bulk::Bulk(const boost::json::object& object, const intake::Limits& limits)
    : object_(object), limits_(limits) {
  check_fields(object, fields_of_bulk(), common_.problems);
  const Members mail(object, {}, common_.problems);
  read_sender(mail, common_);
  read_tags(mail, "DefaultEmailTags", common_);
  missing_ = missing_set(mail);
  read_content();
  const boost::json::array* const entries = mail.array("BulkEmailEntries");
  const std::size_t size = entries == nullptr ? 0 : entries->size();
  if (size == 0) common_.problems.add({"BulkEmailEntries"}, intake::texts::required());
  if (size > kEntriesMax) {
    common_.problems.add({"BulkEmailEntries"}, intake::texts::too_many(kEntriesMax));
  }
  if (common_.problems.empty()) size_ = size;
}

void Bulk::read_content() {
  const Members mail(object_, {}, common_.problems);
  const auto content = mail.members("DefaultContent");
  const auto place = content ? content->members("Template") : std::nullopt;
  if (!place) {
    common_.problems.add({"DefaultContent", "Template"}, intake::texts::required());
    return;
  }
  if (auto none = missing_template(*place)) missing_ = std::move(none);
  read_template(*place, limits_, common_);
  if (common_.request.from_template) {
    read_data(*place, "TemplateData", limits_, common_);
  } else {
    read_values(*place, "TemplateData", defaults_);
  }
  // Here, before it is copied for each entry.
  for (const TemplateText& each : texts_of(common_.request.content, limits_)) {
    (void)is_too_long(each.text, each.rendering,
                      path_below(place->path_to("TemplateContent"), each.name), common_.problems);
  }
}

Letter Bulk::mail(std::size_t place) const {
  Letter letter = common_;
  const boost::json::value& value = object_.at("BulkEmailEntries").get_array()[place];
  const Path path{"BulkEmailEntries", std::to_string(place)};
  if (!value.is_object()) {
    letter.problems.add(path, intake::texts::wrong_type("an object", "オブジェクト"));
    return letter;
  }
  const Members entry(value.get_object(), path, letter.problems);
  read_destination(entry, letter);
  if (entry.array("ReplacementTags") != nullptr) {
    letter.request.labels.tags.reset();
    read_tags(entry, "ReplacementTags", letter);
  }
  entry.each_object("ReplacementHeaders", SIZE_MAX, [&](const Members& header) {
    const std::string name = header.text("Name").value_or("");
    std::erase_if(letter.request.content.headers, [&name](const ExtraHeader& each) {
      return equals_ignoring_case(each.name, name);
    });
    add_header(letter, name, header.text("Value").value_or(""), header.path_to("Value"));
  });
  Values values = defaults_;
  const bool is_kept = letter.request.from_template.has_value();
  if (const auto content = entry.members("ReplacementEmailContent")) {
    if (const auto replacement = content->members("ReplacementTemplate")) {
      constexpr std::string_view kData = "ReplacementTemplateData";
      if (is_kept) {
        read_data(*replacement, kData, limits_, letter);
      } else {
        read_values(*replacement, kData, values);
      }
    }
  }
  if (is_kept) return letter;
  render(letter, values, limits_, {"DefaultContent", "Template", "TemplateContent"});
  return letter;
}

}  // namespace todoku::api::doors::ses
