// SPDX-License-Identifier: Apache-2.0
#include "api/form.h"

#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "http/header_value.h"
#include "http/multipart.h"

namespace todoku::api {
namespace {

http::Response bad_request(const Call& call, std::string_view what) {
  return refused(400,
                 {fmt::format("the request cannot be read: {}.", what),
                  fmt::format("リクエストを読み取れません: {}", what)},
                 call.language);
}

std::optional<http::Response> parse_object(const Call& call, std::string_view text,
                                           bool may_be_empty, Form& form) {
  const std::string_view trimmed = trim(text);
  if (may_be_empty && (trimmed.empty() || trimmed == "null")) {
    form.json = boost::json::object();
    return std::nullopt;
  }
  auto value = http::parse_json(text, form.arena, {.octets_max = text.size()});
  if (!value) return bad_request(call, value.error().detail);
  if (!value->is_object()) return bad_request(call, "a JSON object is expected");
  form.json = std::move(*value);
  return std::nullopt;
}

// Reads every part; `data_part` gets the part named "data", if there is one.
Result<void> read_parts(std::string_view boundary, std::string_view body,
                        std::optional<std::string>& data_part,
                        std::vector<Attachment>& attachments) {
  http::MultipartParser parser(boundary);
  parser.push(body);
  std::string* target = nullptr;
  while (true) {
    const auto event = parser.next();
    if (!event) return fail(event.error());
    switch (event->kind) {
      case http::MultipartEvent::Kind::need_more:
        parser.end_of_input();
        break;
      case http::MultipartEvent::Kind::part_begin:
        target = nullptr;
        if (parser.part().name == "data") {
          target = &data_part.emplace();
        } else if (parser.part().name == "file") {
          attachments.push_back(
              {parser.part().file_name.value_or(""), parser.part().media_type, ""});
          target = &attachments.back().data;
        }
        break;
      case http::MultipartEvent::Kind::data:
        if (target != nullptr) target->append(event->data);
        break;
      case http::MultipartEvent::Kind::part_end:
        break;
      case http::MultipartEvent::Kind::finished:
        return {};
    }
  }
}

}  // namespace

std::optional<http::Response> read_form(const Call& call, bool may_be_empty, Form& form) {
  const std::string_view content_type = call.request.headers.get("Content-Type");
  const std::string type = http::media_type(content_type);
  if (type == "multipart/form-data") {
    const auto boundary = http::multipart_boundary(content_type);
    if (!boundary) return bad_request(call, boundary.error().detail);
    std::optional<std::string> data;
    const auto read = read_parts(*boundary, call.body.text(), data, form.attachments);
    if (!read) return bad_request(call, read.error().detail);
    if (!data) {
      intake::Problems problems;
      problems.add({"data"}, intake::texts::required());
      return http::Response::json(400, error_body(problems, call.language));
    }
    return parse_object(call, *data, may_be_empty, form);
  }
  if (type == "application/x-www-form-urlencoded" || type.starts_with("multipart/") ||
      type == "application/xml" || type == "text/xml") {
    return container_failure(
        {.status = 415, .reason = fmt::format("Content type '{}' not supported", type)},
        call.request);
  }
  return parse_object(call, call.body.text(), may_be_empty, form);
}

}  // namespace todoku::api
