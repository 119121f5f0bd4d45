// SPDX-License-Identifier: Apache-2.0
#include "api/fields.h"

#include <charconv>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/bytes.h"
#include "base/date_time.h"
#include "http/json.h"
#include "intake/from_template.h"
#include "intake/templates.h"
#include "mime/insert_code.h"

namespace todoku::api {
namespace {

std::string to_std(const boost::json::string& text) {
  return {text.data(), text.size()};
}

bool is_text(const boost::json::value& value) {
  return value.is_string() && !http::number_literal(value);
}

}  // namespace

const boost::json::value* Fields::find(std::string_view name) const {
  const boost::json::value* found = object_.if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

intake::Path Fields::path_to(std::string_view name) const {
  intake::Path path = path_;
  path.emplace_back(name);
  return path;
}

void Fields::wrong_type(std::string_view name, std::string_view en, std::string_view ja) const {
  problems_.add(path_to(name), intake::texts::wrong_type(en, ja));
}

std::optional<std::string> Fields::text(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!is_text(*value)) {
    wrong_type(name, "a string", "文字列");
    return std::nullopt;
  }
  return to_std(value->get_string());
}

std::optional<std::string> Fields::scalar(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_bool()) return value->get_bool() ? "true" : "false";
  if (value->is_int64()) return std::to_string(value->get_int64());
  if (value->is_uint64()) return std::to_string(value->get_uint64());
  if (const auto number = http::number_literal(*value)) return std::string(*number);
  if (value->is_string()) return to_std(value->get_string());
  wrong_type(name, "a string, a number or a boolean", "文字列、数値または真偽値");
  return std::nullopt;
}

std::optional<bool> Fields::truth(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_bool()) return value->get_bool();
  if (is_text(*value)) {
    const std::string word = to_ascii_lower(to_std(value->get_string()));
    if (word == "true") return true;
    if (word == "false") return false;
  }
  wrong_type(name, "true or false", "trueまたはfalse");
  return std::nullopt;
}

const boost::json::object* Fields::object(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) {
    wrong_type(name, "an object", "オブジェクト");
    return nullptr;
  }
  return &value->get_object();
}

const boost::json::array* Fields::array(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) {
    wrong_type(name, "an array", "配列");
    return nullptr;
  }
  return &value->get_array();
}

const boost::json::array* Fields::array(std::string_view name, std::size_t max) const {
  const auto* list = array(name);
  if (list == nullptr || list->size() <= max) return list;
  problems_.add(path_to(name), intake::texts::too_many(max));
  return nullptr;
}

std::vector<std::string> Fields::texts(std::string_view name, std::size_t max) const {
  std::vector<std::string> out;
  const auto* list = array(name, max);
  if (list == nullptr) return out;
  for (std::size_t i = 0; i < list->size(); ++i) {
    if (is_text((*list)[i])) {
      out.push_back(to_std((*list)[i].get_string()));
      continue;
    }
    intake::Path path = path_to(name);
    path.push_back(std::to_string(i));
    problems_.add(std::move(path), intake::texts::wrong_type("a string", "文字列"));
    out.emplace_back();
  }
  return out;
}

std::optional<Fields> Fields::fields(std::string_view name) const {
  const auto* members = object(name);
  if (members == nullptr) return std::nullopt;
  return Fields(*members, path_to(name), problems_);
}

std::optional<Mailbox> Fields::mailbox(std::string_view name) const {
  const auto members = fields(name);
  if (!members) return std::nullopt;
  return Mailbox{members->text("email").value_or(""), members->text("name").value_or("")};
}

std::vector<InsertCode> Fields::insert_codes(std::size_t max) const {
  constexpr std::string_view kName = "insert_code";
  std::vector<InsertCode> codes;
  const auto* list = array(kName, max);
  if (list == nullptr) return codes;
  for (std::size_t i = 0; i < list->size(); ++i) {
    intake::Path path = path_to(kName);
    path.push_back(std::to_string(i));
    if (!(*list)[i].is_object()) {
      problems_.add(std::move(path), intake::texts::wrong_type("an object", "オブジェクト"));
      codes.emplace_back();
      continue;
    }
    const Fields code((*list)[i].get_object(), std::move(path), problems_);
    // Absent is another mistake than empty: one client puts the key in the place of its name.
    if (code.find("key") == nullptr) problems_.add(code.path_to("key"), intake::texts::required());
    codes.push_back({code.text("key").value_or(""), code.scalar("value").value_or("")});
  }
  return codes;
}

std::optional<Encoding> Fields::encoding() const {
  const auto given = text("encode");
  if (!given || given->empty()) return std::nullopt;
  if (equals_ignoring_case(*given, "UTF-8")) return Encoding::utf_8;
  if (equals_ignoring_case(*given, "ISO-2022-JP")) return Encoding::iso_2022_jp;
  problems_.add(path_to("encode"), intake::texts::not_one_of(*given, "UTF-8, ISO-2022-JP"));
  return std::nullopt;
}

std::optional<std::vector<ExtraHeader>> Fields::headers(std::size_t max) const {
  constexpr std::string_view kName = "headers";
  const auto* members = object(kName);
  if (members == nullptr) return std::nullopt;
  std::vector<ExtraHeader> headers;
  if (members->size() > max) {
    problems_.add(path_to(kName), intake::texts::too_many(max));
    return headers;
  }
  const Fields fields(*members, path_to(kName), problems_);
  for (const auto& member : *members) {
    const std::string_view name(member.key().data(), member.key().size());
    // Null says, as everywhere, that it was not given.
    if (auto value = fields.text(name)) headers.push_back({std::string(name), std::move(*value)});
  }
  return headers;
}

std::optional<Instant> Fields::date(std::string_view name) const {
  const auto given = text(name);
  if (!given || given->empty()) return std::nullopt;
  const auto instant = parse_date_time(*given);
  if (!instant) problems_.add(path_to(name), intake::texts::invalid_date(*given));
  return instant;
}

std::optional<Milliseconds> Fields::seconds(std::string_view name) const {
  // A hundred years: what is too long for this delivery is told where that is known.
  constexpr std::int64_t kMax = 3'155'760'000;
  const auto given = scalar(name);
  if (!given || given->empty()) return std::nullopt;
  std::int64_t value = 0;
  const char* const end = given->data() + given->size();
  const auto read = std::from_chars(given->data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || value < 0 || value > kMax) {
    wrong_type(name, "a whole number of seconds", "秒数 (整数)");
    return std::nullopt;
  }
  return std::chrono::seconds(value);
}

void Fields::refuse_empty(std::string_view name) const {
  const boost::json::value* const value = find(name);
  if (value == nullptr || !value->is_string() || !value->get_string().empty()) return;
  problems_.add(path_to(name), {"is empty; give a value, or leave it out.",
                                "空です。値を指定するか、項目自体を省略してください。"});
}

std::optional<bool> Fields::at_most_once() const {
  const auto given = text("duplicate_policy");
  if (!given || given->empty()) return std::nullopt;
  if (*given == "at_least_once") return false;
  if (*given == "at_most_once") return true;
  problems_.add(path_to("duplicate_policy"),
                intake::texts::not_one_of(*given, "at_least_once, at_most_once"));
  return std::nullopt;
}

intake::LabelsRequest Fields::labels() const {
  intake::LabelsRequest labels{.tags = {}, .list_id = text("list_id"), .purpose = text("purpose")};
  if (find("tags") != nullptr) labels.tags = texts("tags", kTagsMax);
  return labels;
}

std::optional<Escape> Fields::escape() const {
  const auto given = text("escape");
  if (!given || given->empty()) return std::nullopt;
  if (*given == "html") return Escape::html;
  if (*given == "none") return Escape::none;
  problems_.add(path_to("escape"), intake::texts::not_one_of(*given, "html, none"));
  return std::nullopt;
}

std::optional<intake::TemplateRequest> Fields::from_template(std::optional<Escape> escape) const {
  const auto given = scalar("template");
  const auto version = scalar("template_version");
  if (!given) {
    if (version) {
      problems_.add(path_to("template_version"),
                    {"is of a template, and none is named.", "templateの指定がありません。"});
    }
    return std::nullopt;
  }
  if (given->empty()) problems_.add(path_to("template"), intake::texts::required());
  if (!is_utf8(*given) || given->find('\0') != std::string::npos) {
    problems_.add(path_to("template"), intake::texts::invalid_format(""));
    return std::nullopt;
  }
  std::int64_t number = 0;
  if (version) {
    const char* const end = version->data() + version->size();
    const auto read = std::from_chars(version->data(), end, number);
    if (read.ec != std::errc() || read.ptr != end || number < 1) {
      wrong_type("template_version", "a number of a version, from 1 on", "1以上のバージョン番号");
    }
  }
  return intake::TemplateRequest{.choice = intake::template_choice(*given, number),
                                 .escape = escape};
}

std::vector<InsertCode> Fields::codes_and_data(std::size_t max) const {
  auto codes = insert_codes(max);
  // Values of templates come by their names, in data.
  std::size_t place = 0;
  std::erase_if(codes, [&](const InsertCode& code) {
    const std::size_t which = place++;
    if (!mime::is_brace_key(code.key)) return false;
    intake::Path path = path_to("insert_code");
    path.push_back(std::to_string(which));
    path.emplace_back("key");
    problems_.add(std::move(path), intake::texts::invalid_format(code.key));
    return true;
  });
  if (const auto* const data = object("data")) {
    intake::read_template_data(*data, path_to("data"), max, codes, problems_);
  }
  return codes;
}

intake::RecipientRequest Fields::recipient(std::size_t codes_max) const {
  return {text("email").value_or(""), codes_and_data(codes_max), attached()};
}

Attached Fields::attached() const {
  constexpr std::string_view kMetadata = "metadata";
  Attached attached{.reference = scalar("reference").value_or("")};
  const auto* members = object(kMetadata);
  if (members == nullptr) return attached;
  if (members->size() > kMetadataMembersMax) {
    problems_.add(path_to(kMetadata), intake::texts::too_many(kMetadataMembersMax));
    return attached;
  }
  const Fields fields(*members, path_to(kMetadata), problems_);
  for (const auto& member : *members) {
    const std::string_view name(member.key().data(), member.key().size());
    if (auto value = fields.text(name)) {
      attached.metadata.push_back({std::string(name), std::move(*value)});
    }
  }
  return attached;
}

Content read_content(const Fields& fields) {
  Content content;
  content.from = fields.mailbox("from").value_or(Mailbox{});
  if (auto reply_to = fields.mailbox("reply_to"); reply_to && !reply_to->address.empty()) {
    content.reply_to = std::move(*reply_to);
  }
  content.subject = fields.text("subject").value_or("");
  content.text_part = fields.text("text_part").value_or("");
  content.html_part = fields.text("html_part").value_or("");
  content.encode = fields.encoding().value_or(Encoding::utf_8);
  if (const auto unsubscribe = fields.fields("list_unsubscribe")) {
    content.list_unsubscribe_mailto = unsubscribe->text("mailto").value_or("");
    content.list_unsubscribe_url = unsubscribe->text("url").value_or("");
    content.list_unsubscribe_one_click = unsubscribe->truth("one_click").value_or(false);
  }
  content.headers = fields.headers(intake::kHeadersMax).value_or(std::vector<ExtraHeader>());
  return content;
}

}  // namespace todoku::api
