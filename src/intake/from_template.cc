// SPDX-License-Identifier: Apache-2.0
#include "intake/from_template.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"
#include "http/json.h"
#include "mail/invisible.h"
#include "mime/insert_code.h"
#include "mime/made_text.h"

namespace todoku::intake {
namespace {

// Where a template without a sender of its own gets one for its check.
constexpr std::string_view kSomeSender = "sender@example.com";
constexpr std::size_t kTemplateShownOctets = 64;

std::string shown_name_part(std::string_view name) {
  return std::string(utf8_prefix(name, kTemplateShownOctets));
}

void check_brace_codes(std::string_view text, const Path& path, Problems& problems) {
  if (const std::string_view found = mime::unreadable_braces(text); !found.empty()) {
    problems.add(path, {fmt::format("has {}, which is no insert code: {{{{name}}}} or "
                                    "{{{{name|default}}}} is one, and there is no logic.",
                                    found),
                        fmt::format("{}は差し込みコードではありません。{{{{name}}}}または"
                                    "{{{{name|既定値}}}}と書きます。条件や繰り返しはありません。",
                                    found)});
  }
  if (const std::string_view found = mime::code_in_default(text); !found.empty()) {
    problems.add(path, {fmt::format("has {}, whose default has a code of its own: nothing is put "
                                    "into a default.",
                                    found),
                        fmt::format("{}の既定値に差し込みコードがあります。既定値の中には"
                                    "差し込めません。",
                                    found)});
  }
}

// A sender is the same for all: nothing is put in there, and a code would be sent as it is written.
void check_template_sender(const Mailbox& from, Problems& problems) {
  const Text text{"has an insert code, but nothing is put into a sender.",
                  "差し込みコードがあります。差出人には差し込めません。"};
  if (mime::has_code(from.name)) problems.add({"from", "name"}, text);
  if (mime::has_code(from.address)) problems.add({"from", "email"}, text);
}

Text stands_in_template() {
  return {"stands in the template: leave it out, or send without template.",
          "テンプレートで決まります。省略するか、templateを使わずに送ってください。"};
}

// Strings, numbers and booleans as text.
std::optional<std::string> value_text(const boost::json::value& value) {
  if (value.is_bool()) return value.get_bool() ? "true" : "false";
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_uint64()) return std::to_string(value.get_uint64());
  if (const auto number = http::number_literal(value)) return std::string(*number);
  if (!value.is_string()) return std::nullopt;
  return std::string(value.get_string().data(), value.get_string().size());
}

class DataReader {
 public:
  DataReader(std::size_t max, std::vector<InsertCode>& codes, Problems& problems)
      : max_(max), codes_(codes), problems_(problems) {}

  // Returns false when there are too many. As deep as JSON may be.
  bool read(const boost::json::object& object, const std::string& prefix, const Path& path) {
    for (const auto& member : object) {
      const std::string_view name(member.key().data(), member.key().size());
      const boost::json::value& value = member.value();
      Path at = path;
      at.emplace_back(name);
      const std::string whole = prefix + std::string(name);
      if (value.is_null()) continue;
      if (value.is_object()) {
        if (!read(value.get_object(), whole + '.', at)) return false;
        continue;
      }
      if (codes_.size() >= max_) {
        problems_.add(path, texts::too_many(max_));
        return false;
      }
      take(value, whole, std::move(at));
    }
    return true;
  }

 private:
  void take(const boost::json::value& value, const std::string& name, Path at) {
    auto text = value_text(value);
    std::string key = mime::brace_key(name);
    if (!text) {
      problems_.add(std::move(at), {"is a list; templates have no logic, only values are put in.",
                                    "配列は使えません。テンプレートには値だけを差し込めます。"});
    } else if (key.empty()) {
      problems_.add(
          std::move(at),
          {fmt::format("\"{}\" is no name: 1 to {} letters, digits, points, - and _, the first one "
                       "a letter or a digit, and not \"else\".",
                       shown_name_part(name), mime::kBraceNameOctetsMax),
           fmt::format("「{}」は名前に使えません。英数字で始まる英数字・ピリオド・-・_の1～{}文字"
                       "(elseを除く) です。",
                       shown_name_part(name), mime::kBraceNameOctetsMax)});
    } else {
      codes_.push_back({std::move(key), std::move(*text)});
    }
  }

  std::size_t max_;
  std::vector<InsertCode>& codes_;
  Problems& problems_;
};

}  // namespace

std::vector<mime::CodeUse> code_uses_of(const Content& content, std::size_t most) {
  std::vector<mime::CodeUse> uses;
  for (const std::string* text : {&content.subject, &content.text_part, &content.html_part}) {
    mime::add_code_uses(*text, mime::KeyForms::with_braces, uses, most);
  }
  return uses;
}

void check_template_name(std::string_view name, Problems& problems) {
  check_label(name, 1, store::kTemplateNameMax, {"name"}, problems);
  const bool is_number =
      !name.empty() && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
  if (is_number) {
    problems.add({"name"}, {"is made of digits alone, as an id is.",
                            "数字だけの名前は使えません (IDと区別できません)。"});
  }
}

void check_template(store::NewTemplate& wanted, const Limits& limits, Problems& problems) {
  check_template_name(wanted.name, problems);
  Content& content = wanted.content;
  const bool has_sender = !content.from.address.empty();
  if (!has_sender && !content.from.name.empty()) {
    problems.add({"from", "email"}, texts::required());
  }
  if (!has_sender) content.from = {std::string(kSomeSender), ""};
  check_content(content, limits, problems);
  if (!has_sender) content.from = {};
  check_template_sender(content.from, problems);
  check_brace_codes(content.subject, {"subject"}, problems);
  check_brace_codes(content.text_part, {"text_part"}, problems);
  check_brace_codes(content.html_part, {"html_part"}, problems);
  // A default may have markup that becomes a line end where a text is made of it.
  if (problems.empty()) check_brace_codes(mime::made_text(content), {"html_part"}, problems);
  const std::size_t most = limits.insert_codes_max;
  if (code_uses_of(content, most + 1).size() > most) {
    problems.add({},
                 {fmt::format("has more than {} insert codes, which no recipient may have.", most),
                  fmt::format("差し込みコードが{}種類を超えています。", most)});
  }
}

void put_template(const store::Template& from, const TemplateRequest& wanted, Content& content,
                  Problems& problems) {
  if (!content.subject.empty()) problems.add({"subject"}, stands_in_template());
  if (!content.text_part.empty()) problems.add({"text_part"}, stands_in_template());
  if (!content.html_part.empty()) problems.add({"html_part"}, stands_in_template());
  if (content.from.address.empty() && content.from.name.empty()) content.from = from.content.from;
  content.subject = from.content.subject;
  content.text_part = from.content.text_part;
  content.html_part = from.content.html_part;
  content.escape = wanted.escape.value_or(from.content.escape);
  content.from_template = TemplatePin{from.head.id, from.version};
}

Text no_such_template(const store::TemplateChoice& choice) {
  const std::string name =
      choice.id != 0 ? std::to_string(choice.id) : shown_name_part(choice.name);
  if (choice.version == 0) {
    return {fmt::format("There is no template {}.", name),
            fmt::format("テンプレート{}はありません。", name)};
  }
  return {
      fmt::format("There is no template {}, or its version {} is not kept.", name, choice.version),
      fmt::format("テンプレート{}がないか、そのバージョン{}は残っていません。", name,
                  choice.version)};
}

void refuse_change_of_texts(const TextsChanged& changed, const Content& draft, Problems& problems) {
  if (!draft.from_template) return;
  if (changed.subject) problems.add({"subject"}, stands_in_template());
  if (changed.text_part) problems.add({"text_part"}, stands_in_template());
  if (changed.html_part) problems.add({"html_part"}, stands_in_template());
}

CodesWanted::CodesWanted(const Content& content) : from_template_(content.from_template) {
  if (!from_template_) return;
  for (mime::CodeUse& use : code_uses_of(content, SIZE_MAX)) {
    if (!use.has_default) keys_.push_back(std::move(use.key));
  }
}

void CodesWanted::check(std::span<const InsertCode> codes, const Path& path,
                        Problems& problems) const {
  const auto at = [&](std::string_view key) {
    Path place = path;
    if (mime::is_brace_key(key)) {
      place.emplace_back("data");
      place.emplace_back(key.substr(2, key.size() - 4));
    } else {
      place.emplace_back("insert_code");
    }
    return place;
  };
  for (const std::string& key : keys_) {
    const auto given = std::ranges::find(codes, key, &InsertCode::key);
    if (given == codes.end()) {
      problems.add(at(key),
                   {fmt::format("has no value for {}, which the template puts in and has "
                                "no default for.",
                                key),
                    fmt::format("テンプレートに差し込む{}の値がなく、既定値もありません。", key)});
    } else if (trim_invisible(given->value).empty()) {
      problems.add(
          at(key),
          {fmt::format("has an empty or blank value for {}, which the template puts in "
                       "and has no default for.",
                       key),
           fmt::format("テンプレートに差し込む{}の値が空か空白だけで、既定値もありません。", key)});
    }
  }
  if (from_template_) return;
  for (const InsertCode& code : codes) {
    if (!mime::is_brace_key(code.key)) continue;
    problems.add(
        at(code.key),
        {"is a code of templates, and this delivery has none: use __name__ or %%name%%.",
         "テンプレート用の差し込みコードです。この配信では__name__か%%name%%を使います。"});
  }
}

void read_template_data(const boost::json::object& data, const Path& path, std::size_t max,
                        std::vector<InsertCode>& codes, Problems& problems) {
  DataReader(max, codes, problems).read(data, "", path);
}

}  // namespace todoku::intake
