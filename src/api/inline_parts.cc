// SPDX-License-Identifier: Apache-2.0
#include "api/inline_parts.h"

#include <algorithm>
#include <string>
#include <utility>

#include <boost/json/array.hpp>

#include "base/bytes.h"
#include "http/json.h"
#include "intake/inline_parts.h"

namespace todoku::api {
namespace {

constexpr std::string_view kMember = "inline_parts";
// An id that is not there: the part is inline all the same, and its problem has been told.
constexpr std::string_view kNoId = "?";

// What base64 is at least, however short its lines are.
std::size_t decoded_least(std::string_view text) {
  constexpr std::size_t kPaddingMost = 2;
  const auto characters =
      static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return c > ' '; }));
  const std::size_t octets = characters / 4 * 3;
  return octets - std::min(octets, kPaddingMost);
}

// One part. `octets`: of all so far; what goes beyond the limit is not decoded.
Attachment read_part(const Fields& part, std::size_t& octets, const intake::Limits& limits,
                     intake::Problems& problems) {
  Attachment read;
  read.content_id = intake::bare_content_id(part.text("content_id").value_or(""));
  if (read.content_id.empty()) {
    problems.add(part.path_to("content_id"), intake::texts::required());
    read.content_id = kNoId;
  }
  read.file_name = part.text("file_name").value_or("");
  if (read.file_name.empty()) read.file_name = read.content_id;
  read.mime_type = part.text("mime").value_or("");
  const auto content = part.text("content");
  if (!content) return read;
  octets += decoded_least(*content);
  if (octets > limits.attachments_octets_max) return read;
  if (content->starts_with("data:")) {
    problems.add(part.path_to("content"), intake::texts::data_url());
  } else if (auto data = from_base64(*content)) {
    read.data = std::move(*data);
  } else {
    problems.add(part.path_to("content"), intake::texts::not_base64());
  }
  return read;
}

// Of its own: the contract's detail has its keys and no others.
std::string parts_json(const store::Delivery& delivery, bool with_content) {
  const auto look = intake::look_at_inline_parts(delivery);
  http::JsonWriter json;
  json.begin_object();
  json.member("delivery_id", delivery.id);
  json.key(kMember);
  json.begin_array();
  std::size_t place = 0;
  for (const store::AttachmentRecord& file : delivery.attachments) {
    if (file.content_id.empty()) continue;
    json.begin_object();
    json.member("delivery_attach_id", file.id);
    json.member("content_id", file.content_id);
    json.member("file_name", file.file_name);
    json.member("mime", std::string_view(file.mime_type).substr(0, file.mime_type.find(';')));
    json.member("size", file.size);
    json.member("in_html", static_cast<bool>(look.used[place++]));
    json.end_object();
  }
  json.end_array();
  json.key("missing");
  json.begin_array();
  for (const std::string& id : look.missing) {
    if (with_content) json.value(id);
  }
  json.end_array();
  json.end_object();
  return json.take();
}

Task<http::Response> inline_parts_of(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  const auto delivery = co_await api.store().read(
      [account = call.account.key, id = *id](store::ReadTransaction& reader) {
        return reader.delivery(account, id);
      });
  if (!delivery) co_return refused(intake::refusal_of(delivery.error()), call.language);
  const bool with_content = has(call.scopes, store::Scope::content);
  auto response = http::Response::json(200, parts_json(*delivery, with_content));
  if (!with_content) response.headers.set(kWithheldHeader, "missing");
  co_return response;
}

}  // namespace

std::optional<std::vector<Attachment>> read_inline_parts(const Fields& fields,
                                                         const intake::Limits& limits) {
  if (!fields.is_given(kMember)) return std::nullopt;
  std::vector<Attachment> parts;
  const auto* const list = fields.array(kMember, limits.attachments_max);
  if (list == nullptr) return parts;
  std::size_t octets = 0;
  for (std::size_t i = 0; i < list->size(); ++i) {
    intake::Path path = fields.path_to(kMember);
    path.push_back(std::to_string(i));
    if (!(*list)[i].is_object()) {
      fields.problems().add(std::move(path),
                            intake::texts::wrong_type("an object", "オブジェクト"));
      continue;
    }
    const Fields part((*list)[i].get_object(), std::move(path), fields.problems());
    parts.push_back(read_part(part, octets, limits, fields.problems()));
  }
  if (octets > limits.attachments_octets_max) {
    fields.problems().add(fields.path_to(kMember), intake::texts::attachments_too_big(
                                                       octets, limits.attachments_octets_max));
  }
  return parts;
}

Task<void> warn_of_changed_parts(Api& api, Call& call, store::PublicId id) {
  const auto changed =
      co_await api.store().read([account = call.account.key, id](store::ReadTransaction& t) {
        return t.delivery(account, id);
      });
  if (changed) add_warning(call, intake::inline_warning(*changed));
}

void add_inline_part_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::get, "/deliveries/{delivery_id}/inline_parts", kRead,
          &inline_parts_of);
}

}  // namespace todoku::api
