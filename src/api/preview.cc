// SPDX-License-Identifier: Apache-2.0
// A mail before it is sent: as a recipient would get it, and what is wrong with it
// (docs/preview.md). Not in the contract.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "api/api.h"
#include "api/findings.h"
#include "api/mail_page.h"
#include "api/preview_request.h"
#include "doctor/preflight_texts.h"
#include "http/json.h"
#include "mime/shown_mail.h"

namespace todoku::api {
namespace {

constexpr store::Scopes kContentOpens = static_cast<store::Scopes>(store::Scope::content);

http::Response no_place(const Call& call) {
  return refused(503, intake::texts::busy("too many messages are being made"), call.language);
}

void delivery_or_null(http::JsonWriter& json, const std::optional<store::PublicId>& delivery) {
  json.key("delivery_id");
  if (delivery) {
    json.value(*delivery);
  } else {
    json.null();
  }
}

void text_member(http::JsonWriter& json, std::string_view name, const mime::ShownText& text) {
  json.key(name);
  if (text.is_there) {
    json.value(text.text);
  } else {
    json.null();
  }
}

void part_members(http::JsonWriter& json, const mime::ShownMail& shown) {
  json.key("headers");
  json.begin_array();
  for (const mime::ShownField& field : shown.fields) {
    json.begin_object();
    json.member("name", field.name);
    json.member("value", field.value);
    json.end_object();
  }
  json.end_array();
  text_member(json, "text_part", shown.text);
  text_member(json, "html_part", shown.html);
  const mime::ShownText& charset_of = shown.text.is_there ? shown.text : shown.html;
  text_or_null(json, "charset", charset_of.charset);
  json.key("files");
  json.begin_array();
  for (const mime::ShownFile& file : shown.files) {
    json.begin_object();
    json.member("file_name", file.name);
    json.member("mime", file.type);
    text_or_null(json, "content_id", file.content_id);
    json.member("encoded_size", static_cast<std::int64_t>(file.octets));
    json.end_object();
  }
  json.end_array();
  text_or_null(json, "not_read_because", shown.trouble);
}

std::string preview_json(const Preview& preview, const std::optional<store::PublicId>& delivery) {
  const mime::ShownMail shown = mime::shown_mail(preview.octets);
  http::JsonWriter json;
  json.begin_object();
  delivery_or_null(json, delivery);
  json.member("email", preview.email);
  json.member("is_recipient", preview.is_recipient);
  json.member("mail_from", preview.mail_from);
  json.member("size", static_cast<std::int64_t>(preview.octets.size()));
  json.member("subject", shown.first("Subject"));
  part_members(json, shown);
  json.member("charset_fell_back", preview.charset_fell_back);
  json.key("missing_codes");
  json.begin_array();
  for (const std::string& code : preview.missing_codes) json.value(code);
  json.end_array();
  json.end_object();
  return json.take();
}

enum class Format : std::uint8_t { json, eml, html };

// As what it is wanted; nullopt: as something that there is not.
std::optional<Format> wanted_format(const Call& call) {
  const http::Query query = call.request.query_parameters();
  const auto* format = query.find("format");
  if (format == nullptr || format->value == "json") return Format::json;
  if (format->value == "eml") return Format::eml;
  if (format->value == "html") return Format::html;
  return std::nullopt;
}

http::Response no_such_format(const Call& call) {
  const http::Query query = call.request.query_parameters();
  intake::Problems problems;
  problems.add({"format"},
               intake::texts::not_one_of(query.find("format")->value, "json, eml, html"));
  return invalid(problems, call.language);
}

// The HTML alone, for a frame.
http::Response as_page(std::string_view octets, const Call& call) {
  const mime::ShownMail shown = mime::shown_mail(octets);
  if (shown.html.is_there) return mail_page(shown.html.text);
  return refused(404, {"this mail has no HTML.", "このメールにHTMLパートはありません。"},
                 call.language);
}

http::Response as_message(std::string octets, const std::optional<store::PublicId>& delivery) {
  http::Response response;
  response.content_type = "message/rfc822";
  response.body = std::move(octets);
  const std::string name = delivery ? fmt::format("preview_{}", *delivery) : "preview";
  response.headers.set("Content-Disposition", fmt::format("attachment; filename=\"{}.eml\"", name));
  return response;
}

Task<http::Response> answer_preview(Api& api, Call& call, std::optional<store::PublicId> delivery) {
  if (api.previews() == nullptr) co_return no_data_found(call);
  const auto place = api.message_places().take(call.account.key);
  if (!place) co_return no_place(call);
  const auto format = wanted_format(call);
  if (!format) co_return no_such_format(call);
  auto wish = co_await read_preview(api, call, delivery);
  if (!wish) co_return std::move(wish.error());
  auto preview = co_await api.previews()->preview(call.account, std::move(*wish));
  if (!preview) co_return not_composed(preview.error(), call.language);
  // Of what the request brought alone nothing that is stored is shown.
  if (delivery) {
    auto unnoted = co_await note_view(
        api, call, {.what = "preview", .delivery = *delivery, .address = preview->email});
    if (unnoted) co_return std::move(*unnoted);
  }
  if (*format == Format::eml) co_return as_message(std::move(preview->octets), delivery);
  if (*format == Format::html) co_return as_page(preview->octets, call);
  co_return http::Response::json(200, preview_json(*preview, delivery));
}

Task<http::Response> preview_stored(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  co_return co_await answer_preview(api, call, id);
}

Task<http::Response> preview_given(Api& api, Call& call) {
  co_return co_await answer_preview(api, call, std::nullopt);
}

// ---- lint --------------------------------------------------------------------------------------

std::string lint_json(const doctor::PreflightReport& report,
                      const std::optional<store::PublicId>& delivery, const Call& call,
                      bool with_content) {
  http::JsonWriter json;
  json.begin_object();
  delivery_or_null(json, delivery);
  json.member("outcome", doctor::to_string(doctor::worst_of(report.findings)));
  json.key("coverage");
  json.begin_object();
  json.member("recipients", report.coverage.recipients);
  json.member("sampled", report.coverage.sampled);
  json.member("composed", report.coverage.composed);
  json.end_object();
  add_findings(json, report.findings, with_content, call.language);
  json.end_object();
  return json.take();
}

Task<http::Response> answer_lint(Api& api, Call& call, std::optional<store::PublicId> delivery) {
  if (api.previews() == nullptr) co_return no_data_found(call);
  const auto place = api.message_places().take(call.account.key);
  if (!place) co_return no_place(call);
  auto wish = co_await read_preview(api, call, delivery);
  if (!wish) co_return std::move(wish.error());
  // Of what the request brought nothing is withheld.
  const bool with_content = !delivery || has(call.scopes, store::Scope::content);
  if (delivery && with_content) {
    auto unnoted = co_await note_view(api, call, {.what = "content", .delivery = *delivery});
    if (unnoted) co_return std::move(*unnoted);
  }
  const auto report = co_await api.previews()->lint(call.account, std::move(*wish));
  if (!report) co_return not_composed(report.error(), call.language);
  auto response = http::Response::json(200, lint_json(*report, delivery, call, with_content));
  if (!with_content) response.headers.set(kWithheldHeader, "subject, sentence, found");
  co_return response;
}

Task<http::Response> lint_stored(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  co_return co_await answer_lint(api, call, id);
}

Task<http::Response> lint_given(Api& api, Call& call) {
  co_return co_await answer_lint(api, call, std::nullopt);
}

}  // namespace

void add_preview_routes(Api& api, http::Router& router) {
  using enum http::Method;
  const http::RouteOptions form{.body_max = api.form_octets_max()};
  api.add(router, get, "/deliveries/{delivery_id}/preview", kContentOpens, &preview_stored);
  api.add(router, post, "/deliveries/{delivery_id}/preview", kContentOpens, form, &preview_stored);
  api.add(router, post, "/deliveries/-/preview", kContentOpens, form, &preview_given);
  api.add(router, post, "/deliveries/{delivery_id}/lint", kRead, form, &lint_stored);
  api.add(router, post, "/deliveries/-/lint", kRead, form, &lint_given);
}

}  // namespace todoku::api
