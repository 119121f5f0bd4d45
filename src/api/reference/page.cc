// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "api/html_text.h"
#include "api/reference/reference.h"
#include "http/json.h"

namespace todoku::api::reference {
namespace {

namespace json = boost::json;

constexpr int kDepthMax = 8;  // of schemas that are shown

constexpr std::string_view kStyle =
    "body{font:16px/1.6 "
    "system-ui,sans-serif;max-width:60rem;margin:auto;padding:1rem;color:#1a1a1a;"
    "background:#fff}"
    "code,pre{font:14px/1.5 ui-monospace,monospace}pre{background:#f4f4f2;padding:.7rem;"
    "overflow-x:auto}"
    "table{border-collapse:collapse;width:100%;font-size:14px}td,th{border-bottom:1px solid #ddd;"
    "padding:.3rem .5rem;text-align:left;vertical-align:top}"
    "h2{border-top:2px solid #1a1a1a;padding-top:.7rem;margin-top:2.5rem;font-size:1.1rem}"
    "h3{font-size:1rem}.m{display:inline-block;min-width:4.2rem;font-weight:700}"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#e8e8e8}"
    "pre{background:#242424}td,th{border-color:#444}h2{border-color:#e8e8e8}a{color:#8ab4f8}}";

struct Words {
  Language language;
  [[nodiscard]] std::string_view operator()(std::string_view en, std::string_view ja) const {
    return language == Language::japanese ? ja : en;
  }
};

const json::value* find(const json::value& of, std::string_view name) {
  const json::object* const object = of.if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

std::string_view text(const json::value& of, std::string_view name) {
  const json::value* const found = find(of, name);
  if (found == nullptr || !found->is_string()) return {};
  return found->get_string();
}

class Page {
 public:
  Page(const json::value& document, Language language) : document_(document), say_{language} {}

  std::string take() {
    head();
    contents();
    each_operation([this](std::string_view method, std::string_view path, const json::value& one) {
      operation(method, path, one);
    });
    out_ += "</main></body></html>\n";
    return std::move(out_);
  }

 private:
  // What a reference within the document stands for; `value` itself if it is none.
  const json::value& resolved(const json::value& value) const {
    const json::value* at = &value;
    for (int hops = 0; hops < kDepthMax; ++hops) {
      const std::string_view to = text(*at, "$ref");
      if (!to.starts_with('#')) return *at;
      boost::system::error_code error;
      const json::value* const next = document_.find_pointer(to.substr(1), error);
      if (next == nullptr) return *at;
      at = next;
    }
    return *at;
  }

  // `name` in the page's language.
  [[nodiscard]] std::string words(const json::value& of, std::string_view name) const {
    if (say_.language == Language::japanese) {
      if (const json::value* const ja = find(of, "x-ja");
          ja != nullptr && !text(*ja, name).empty()) {
        return escaped_html(text(*ja, name));
      }
    }
    return escaped_html(text(of, name));
  }

  template <class Do>
  void each_operation(Do&& then) const {
    const json::value* const paths = find(document_, "paths");
    if (paths == nullptr || !paths->is_object()) return;
    for (const auto& [path, item] : paths->get_object()) {
      if (!item.is_object()) continue;
      for (const auto& [method, one] : item.get_object()) then(method, path, one);
    }
  }

  static std::string anchor(std::string_view method, std::string_view path) {
    std::string name(method);
    for (const char c : path) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
      name += plain ? c : '_';
    }
    return name;
  }
  static std::string upper(std::string_view method) {
    std::string name(method);
    for (char& c : name) c = static_cast<char>(c - 'a' + 'A');
    return name;
  }

  void head() {
    const json::value* const info = find(document_, "info");
    const json::value none;
    const json::value& about = info == nullptr ? none : *info;
    out_ += fmt::format(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><title>{} API</title><style>{}</style></head><body><main>"
        "<h1>{} API</h1><p>{}</p><p>{}</p><p><a href=\"/docs?lang=en\">English</a> · "
        "<a href=\"/docs?lang=ja\">日本語</a> · <a "
        "href=\"/docs/openapi.json\">openapi.json</a></p>",
        say_("en", "ja"), escaped_html(text(about, "title")), kStyle,
        escaped_html(text(about, "title")), words(about, "summary"), words(about, "description"));
  }

  void contents() {
    out_ += "<nav><table>";
    each_operation([this](std::string_view method, std::string_view path, const json::value& one) {
      out_ += fmt::format(
          "<tr><td><a href=\"#{}\"><code><span "
          "class=\"m\">{}</span>{}</code></a></td><td>{}</td></tr>",
          anchor(method, path), upper(method), escaped_html(path), words(one, "summary"));
    });
    out_ += "</table></nav>";
  }

  void operation(std::string_view method, std::string_view path, const json::value& one) {
    out_ +=
        fmt::format("<h2 id=\"{}\"><code><span class=\"m\">{}</span>{}</code></h2><p>{}</p>",
                    anchor(method, path), upper(method), escaped_html(path), words(one, "summary"));
    if (!text(one, "description").empty()) {
      out_ += fmt::format("<p>{}</p>", words(one, "description"));
    }
    if (const auto scope = text(one, "x-todoku-scope"); !scope.empty()) {
      out_ +=
          fmt::format("<p>{} <code>{}</code></p>", say_("Scope", "スコープ"), escaped_html(scope));
    }
    parameters(one);
    if (const json::value* const body = find(one, "requestBody"); body != nullptr) {
      out_ += fmt::format("<h3>{}</h3>", say_("Request", "リクエスト"));
      content(resolved(*body));
    }
    responses(one);
  }

  void parameters(const json::value& one) {
    const json::value* const list = find(one, "parameters");
    if (list == nullptr || !list->is_array() || list->get_array().empty()) return;
    out_ += fmt::format("<h3>{}</h3><table>", say_("Parameters", "パラメーター"));
    for (const json::value& each : list->get_array()) {
      const json::value& parameter = resolved(each);
      const json::value* const schema = find(parameter, "schema");
      row(text(parameter, "name"), text(parameter, "in"),
          schema == nullptr ? "" : rule(resolved(*schema)), words(parameter, "description"));
    }
    out_ += "</table>";
  }

  void content(const json::value& of) {
    const json::value* const types = find(of, "content");
    if (types == nullptr || !types->is_object()) return;
    for (const auto& [type, media] : types->get_object()) {
      out_ += fmt::format("<p><code>{}</code></p>", escaped_html(type));
      if (const json::value* const schema = find(media, "schema"); schema != nullptr) {
        out_ += "<table>";
        members("", resolved(*schema), 0);
        out_ += "</table>";
      }
      if (const json::value* const example = find(media, "example"); example != nullptr) {
        out_ += fmt::format("<pre>{}</pre>", escaped_html(json::serialize(*example)));
      }
    }
  }

  void responses(const json::value& one) {
    const json::value* const all = find(one, "responses");
    if (all == nullptr || !all->is_object()) return;
    out_ += fmt::format("<h3>{}</h3>", say_("Answers", "レスポンス"));
    for (const auto& [status, given] : all->get_object()) {
      const json::value& response = resolved(given);
      const bool good = status.starts_with('2');
      out_ +=
          fmt::format("<p><b>{}</b> {}</p>", escaped_html(status), words(response, "description"));
      if (good) content(response);
    }
  }

  // The members of an object, those of objects within it too, each a row.
  void members(const std::string& prefix, const json::value& schema, int depth) {
    if (depth == kDepthMax) return;
    if (const json::value* const items = find(schema, "items"); items != nullptr) {
      members(prefix + "[]", resolved(*items), depth + 1);
      return;
    }
    const json::value* const properties = find(schema, "properties");
    if (properties == nullptr || !properties->is_object()) return;
    for (const auto& [name, given] : properties->get_object()) {
      const json::value& member = resolved(given);
      const std::string full =
          prefix.empty() ? std::string(name) : fmt::format("{}.{}", prefix, name);
      row(full, is_required(schema, name) ? say_("required", "必須") : "", rule(member),
          words(member, "description"));
      members(full, member, depth + 1);
    }
  }

  static bool is_required(const json::value& schema, std::string_view name) {
    const json::value* const list = find(schema, "required");
    if (list == nullptr || !list->is_array()) return false;
    for (const json::value& each : list->get_array()) {
      if (each.is_string() && each.get_string() == name) return true;
    }
    return false;
  }

  // Type and limits in one line.
  [[nodiscard]] std::string rule(const json::value& schema) const {
    std::string line;
    const auto add = [&line](std::string_view piece) {
      if (!line.empty()) line += ", ";
      line += piece;
    };
    if (const json::value* const type = find(schema, "type"); type != nullptr) {
      add(type->is_string() ? std::string_view(type->get_string()) : json::serialize(*type));
    }
    for (const auto& [key, en, ja] : kLimits) {
      if (const json::value* const limit = find(schema, key); limit != nullptr) {
        add(fmt::format("{} {}", say_(en, ja), json::serialize(*limit)));
      }
    }
    if (const json::value* const one_of = find(schema, "oneOf");
        one_of != nullptr && one_of->is_array()) {
      for (const json::value& each : one_of->get_array()) add(rule(resolved(each)));
    }
    return escaped_html(line);
  }

  struct Limit {
    std::string_view key;
    std::string_view en;
    std::string_view ja;
  };
  static constexpr std::array kLimits{
      Limit{"format", "", ""},
      Limit{"enum", "one of", "次のいずれか"},
      Limit{"minLength", "at least", "最短"},
      Limit{"maxLength", "at most", "最長"},
      Limit{"minItems", "at least", "最少"},
      Limit{"maxItems", "at most", "最多"},
      Limit{"minimum", "from", "最小"},
      Limit{"maximum", "to", "最大"},
      Limit{"pattern", "like", "形式"},
      Limit{"default", "default", "既定値"},
  };

  void row(std::string_view name, std::string_view where, std::string_view rules,
           std::string_view about) {
    out_ += fmt::format("<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
                        escaped_html(name), where, rules, about);
  }

  const json::value& document_;
  const Words say_;
  std::string out_;
};

}  // namespace

Result<std::string> page(std::string_view openapi, Language language) {
  http::JsonArena arena;
  const auto document = http::parse_json(openapi, arena);
  if (!document) return fail(document.error());
  return Page(*document, language).take();
}

}  // namespace todoku::api::reference
