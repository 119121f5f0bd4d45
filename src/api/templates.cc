// SPDX-License-Identifier: Apache-2.0
// Stored contents with insert codes and versions, a resource of our own (docs/templates.md).
#include "intake/templates.h"

#include <utility>

#include "api/api.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/idempotency.h"
#include "api/list_query.h"
#include "api/members.h"
#include "base/bytes.h"
#include "base/date_time.h"
#include "http/json.h"

namespace todoku::api {
namespace {

constexpr std::size_t kTemplateNameOctetsMax = 4 * store::kTemplateNameMax;

// nullopt: none has such a name, and stores take no octets that are no text.
std::optional<store::TemplateChoice> template_of_path(const Call& call, std::int64_t version = 0) {
  const std::string_view word = call.request.parameters.get("template");
  if (word.empty() || word.size() > kTemplateNameOctetsMax || !is_utf8(word) ||
      word.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  return intake::template_choice(word, version);
}

intake::TemplateFields read_template_fields(const Fields& fields) {
  intake::TemplateFields read{.name = fields.text("name"),
                              .from = fields.mailbox("from"),
                              .subject = fields.text("subject"),
                              .text_part = fields.text("text_part"),
                              .html_part = fields.text("html_part"),
                              .escape = fields.escape()};
  if (const auto from = fields.fields("from"); from && from->text("email").value_or("").empty()) {
    fields.problems().add({"from", "email"}, intake::texts::required());
  }
  return read;
}

void write_head(http::JsonWriter& json, const store::TemplateHead& head) {
  json.member("template_id", head.id);
  json.member("name", head.name);
  json.member("latest_version", head.latest);
  json.member("created_time", format_date_time(head.created));
  json.member("updated_time", format_date_time(head.updated));
}

void write_codes(http::JsonWriter& json, const std::vector<intake::TemplateCode>& codes) {
  json.key("codes");
  json.begin_array();
  for (const intake::TemplateCode& code : codes) {
    json.begin_object();
    json.member("key", code.key);
    json.member("required", code.required);
    json.end_object();
  }
  json.end_array();
}

// Texts are content: without the scope they are there and empty, as elsewhere.
std::string template_json(const intake::ShownTemplate& found, bool with_content) {
  const store::Template& shown = found.shown;
  const Content& content = shown.content;
  http::JsonWriter json;
  json.begin_object();
  write_head(json, shown.head);
  json.member("version", shown.version);
  if (content.from.address.empty()) {
    json.null_member("from");
  } else {
    json.key("from");
    json.begin_object();
    json.member("email", content.from.address);
    json.member("name", content.from.name);
    json.end_object();
  }
  json.member("subject", content.subject);
  json.member("text_part", with_content ? std::string_view(content.text_part) : std::string_view());
  json.member("html_part", with_content ? std::string_view(content.html_part) : std::string_view());
  json.member("escape", content.escape == Escape::html ? "html" : "none");
  write_codes(json, found.codes);
  json.key("versions");
  json.begin_array();
  for (const store::TemplateVersionHead& version : found.versions) {
    json.begin_object();
    json.member("version", version.version);
    json.member("created_time", format_date_time(version.made));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

Task<http::Response> list_templates(Api& api, Call& call) {
  intake::Problems problems;
  const http::Query query = call.request.query_parameters();
  const ListQuery reader(query, problems);
  const store::PublicId after = reader.id("after_id").value_or(0);
  const std::int64_t limit = reader.number("limit", 100);
  call.unknown = reader.unread();
  if (!problems.empty()) co_return invalid(problems, call.language);
  intake::Templates templates(api.store(), api.intake().limits());
  const auto heads = co_await templates.list(call.account.key, after, limit);
  if (!heads) co_return refused(heads.error(), call.language);
  http::JsonWriter json;
  json.begin_object();
  json.key("data");
  json.begin_array();
  for (const store::TemplateHead& head : *heads) {
    json.begin_object();
    write_head(json, head);
    json.end_object();
  }
  json.end_array();
  if (static_cast<std::int64_t>(heads->size()) < limit) {
    json.null_member("next");
  } else {
    json.member("next", heads->back().id);
  }
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> create_template(Api& api, Call& call) {
  auto key = key_of_request(call, store::KeyedRoute::content_template);
  if (!key) co_return std::move(key.error());
  Form form;
  if (auto bad = co_await read_form(api, call, false, form)) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kTemplate);
  intake::Problems problems;
  auto fields = read_template_fields(Fields(form.object(), {}, problems));
  if (!problems.empty()) co_return invalid(problems, call.language);
  intake::Repeatable repeatable;
  if (*key) repeatable = {.key = **key, .fingerprint = intake::fingerprint_of(fields)};
  intake::Templates templates(api.store(), api.intake().limits());
  const auto make = [&](intake::Repeatable its) {
    return templates.create(call.account, std::move(fields), its);
  };
  const auto made = co_await api.intake().repeats().once(repeatable, make);
  co_return made_response(call, made, 201, "template_id");
}

Task<http::Response> show_template(Api& api, Call& call) {
  intake::Problems problems;
  const http::Query query = call.request.query_parameters();
  const ListQuery reader(query, problems);
  const store::PublicId version = reader.id("version").value_or(0);
  call.unknown = reader.unread();
  if (!problems.empty()) co_return invalid(problems, call.language);
  const auto which = template_of_path(call, version);
  if (!which) co_return no_data_found(call);
  intake::Templates templates(api.store(), api.intake().limits());
  const auto found = co_await templates.show(call.account.key, *which);
  if (!found) co_return refused(found.error(), call.language);
  const bool with_content = has(call.scopes, store::Scope::content);
  auto response = http::Response::json(200, template_json(*found, with_content));
  if (!with_content) response.headers.set(kWithheldHeader, "text_part, html_part");
  co_return response;
}

Task<http::Response> change_template(Api& api, Call& call) {
  const auto which = template_of_path(call);
  if (!which) co_return no_data_found(call);
  Form form;
  if (auto bad = co_await read_form(api, call, false, form)) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kTemplate);
  intake::Problems problems;
  auto fields = read_template_fields(Fields(form.object(), {}, problems));
  if (!problems.empty()) co_return invalid(problems, call.language);
  intake::Templates templates(api.store(), api.intake().limits());
  const auto changed = co_await templates.change(call.account, *which, std::move(fields));
  if (!changed) co_return refused(changed.error(), call.language);
  http::JsonWriter json;
  json.begin_object();
  json.member("template_id", changed->head.id);
  json.member("version", changed->version);
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> remove_template(Api& api, Call& call) {
  const auto which = template_of_path(call);
  if (!which) co_return no_data_found(call);
  intake::Templates templates(api.store(), api.intake().limits());
  const auto removed = co_await templates.remove(call.account.key, *which);
  if (!removed) co_return refused(removed.error(), call.language);
  http::JsonWriter json;
  json.begin_object();
  if (which->id != 0) {
    json.member("template_id", which->id);
  } else {
    json.member("name", which->name);
  }
  json.end_object();
  co_return http::Response::json(200, json.take());
}

}  // namespace

void add_template_routes(Api& api, http::Router& router) {
  using enum http::Method;
  const http::RouteOptions form{.body_max = api.form_octets_max()};
  api.add(router, get, "/templates", kRead | kSend, &list_templates);
  api.add(router, post, "/templates", kSend, form, &create_template);
  api.add(router, get, "/templates/{template}", kRead | kSend, &show_template);
  api.add(router, patch, "/templates/{template}", kSend, form, &change_template);
  api.add(router, delete_, "/templates/{template}", kSend, &remove_template);
}

}  // namespace todoku::api
