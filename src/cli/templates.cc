// SPDX-License-Identifier: Apache-2.0
// todoku templates list|show|add|change|remove
#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "base/printable.h"
#include "cli/api_session.h"
#include "cli/sender_commands.h"
#include "http/query.h"

namespace todoku::cli {
namespace {

std::string of_template(const std::string& which) {
  return fmt::format("/templates/{}", http::percent_encode(which));
}

// Its fields as the API has them. A text that is given and empty takes the one that is there away.
Result<std::string> body_of_template(const TemplateEdit& edit, std::istream& input,
                                     Language language) {
  const auto parts = read_parts(edit.fields, input);
  if (!parts) return fail(parts.error());
  if (auto checked = check_encoding(edit.fields, *parts, language); !checked) {
    return fail(checked.error());
  }
  http::JsonWriter json;
  json.begin_object();
  if (!edit.name.empty()) json.member("name", edit.name);
  if (auto written = write_fields(json, edit.fields, *parts); !written) {
    return fail(written.error());
  }
  // Given and empty, a text is taken out of the template.
  const bool says_text = edit.fields.text || !edit.fields.text_file.empty();
  if (says_text && parts->text.empty()) json.member("text_part", "");
  if (!edit.fields.html_file.empty() && parts->html.empty()) json.member("html_part", "");
  json.end_object();
  return json.take();
}

void print_template(ApiSession& api, const boost::json::value& shown) {
  std::ostream& out = api.out();
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) fmt::print(out, "{:<15} {}\n", name, printable(value));
  };
  line("template_id", fmt::format("{}", number_of(shown, "template_id")));
  line("name", text_of(shown, "name"));
  line("version", fmt::format("{}", number_of(shown, "version")));
  line("latest_version", fmt::format("{}", number_of(shown, "latest_version")));
  const auto* object = shown.if_object();
  const auto* from = object == nullptr ? nullptr : object->if_contains("from");
  if (from != nullptr) line("from", text_of(*from, "email"));
  line("subject", text_of(shown, "subject"));
  line("escape", text_of(shown, "escape"));
  for (const auto& code : list_of(shown, "codes")) {
    line("code", fmt::format("{}{}", text_of(code, "key"),
                             truth_of(code, "required") ? "" : " (has a default)"));
  }
  for (const std::string_view part : {"text_part", "html_part"}) {
    const std::string text = text_of(shown, part);
    if (text.empty()) continue;
    fmt::print(out, "\n{}:\n", part);
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      std::string_view row = rest.substr(0, end);
      if (row.ends_with('\r')) row.remove_suffix(1);
      fmt::print(out, "{}\n", printable(row));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
}

}  // namespace

int list_templates(Session& session) {
  ApiSession api(session);
  return api.call({.target = "/templates?limit=1000"}, [&](const ReadAnswer& read) {
    std::vector<std::vector<std::string>> rows = {{"ID", session.words({"NAME", "名前"}),
                                                   session.words({"VERSION", "バージョン"}),
                                                   session.words({"CHANGED", "更新日時"})}};
    for (const auto& each : list_of(read.value, "data")) {
      rows.push_back({fmt::format("{}", number_of(each, "template_id")), text_of(each, "name"),
                      fmt::format("{}", number_of(each, "latest_version")),
                      text_of(each, "updated_time")});
    }
    print_table(api.out(), std::move(rows));
  });
}

int show_template(Session& session, const std::string& which, std::optional<std::int64_t> version) {
  ApiSession api(session);
  std::string target = of_template(which);
  if (version) target += fmt::format("?version={}", *version);
  return api.call({.target = target},
                  [&](const ReadAnswer& read) { print_template(api, read.value); });
}

int add_template(Session& session, const TemplateEdit& edit) {
  ApiSession api(session);
  auto body = body_of_template(edit, session.host().input(), session.language());
  if (!body) return api.fail_with(kWrongWords, body.error().detail);
  return api.call({.method = "POST",
                   .target = "/templates",
                   .body = std::move(*body),
                   .idempotency_key = fresh_key(),
                   .answered_with = "template_id"},
                  [&](const ReadAnswer& read) {
                    session.say({"Kept as template {}.", "テンプレート {} として保存しました。"},
                                number_of(read.value, "template_id"));
                  });
}

int change_template(Session& session, const std::string& which, const TemplateEdit& edit) {
  ApiSession api(session);
  auto body = body_of_template(edit, session.host().input(), session.language());
  if (!body) return api.fail_with(kWrongWords, body.error().detail);
  return api.call(
      {.method = "PATCH", .target = of_template(which), .body = std::move(*body)},
      [&](const ReadAnswer& read) {
        session.say(
            {"Template {} has version {} now.", "テンプレート {} はバージョン {} になりました。"},
            number_of(read.value, "template_id"), number_of(read.value, "version"));
      });
}

int remove_template(Session& session, const std::string& which) {
  ApiSession api(session);
  return api.call({.method = "DELETE", .target = of_template(which)},
                  [&](const ReadAnswer&) { session.say({"Removed.", "削除しました。"}); });
}

}  // namespace todoku::cli
