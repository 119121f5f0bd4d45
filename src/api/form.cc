// SPDX-License-Identifier: Apache-2.0
#include "api/form.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "async/yield.h"
#include "base/bytes.h"
#include "base/utf8.h"
#include "http/header_value.h"
#include "http/multipart.h"
#include "intake/inline_parts.h"

namespace todoku::api {
namespace {

constexpr std::size_t kParametersOctetsMax = 1024;  // of a part's media type
// What is read of a body at a time: a fraction of a millisecond.
constexpr std::size_t kReadOctets = std::size_t{64} * 1024;
// Parts that are neither data nor a file.
constexpr std::size_t kOtherPartsMax = 155;

intake::Text not_an_object() {
  return {"the request cannot be read: a JSON object is expected.",
          "リクエストの本文にはJSONオブジェクトを指定してください。"};
}

http::Response bad_field(const Call& call, std::string_view field, intake::Text text) {
  intake::Problems problems;
  problems.add({std::string(field)}, std::move(text));
  return invalid(problems, call.language);
}

Task<std::optional<http::Response>> parse_object(const Call& call, http::JsonLimits limits,
                                                 std::string_view text, bool may_be_empty,
                                                 Form& form) {
  const std::string_view trimmed = trim(text);
  if (may_be_empty && (trimmed.empty() || trimmed == "null")) {
    form.json.emplace(boost::json::object());
    co_return std::nullopt;
  }
  const auto fault = co_await read_value(text, limits, form);
  if (fault) co_return refused(400, *fault, call.language);
  if (!form.json->is_object()) co_return refused(400, not_an_object(), call.language);
  co_return std::nullopt;
}

// The media type with its parameters as they are written; they are read when the mail is composed
// (mime/media_type.h). What is no UTF-8 no store can keep.
std::string declared_type(const http::Part& part) {
  const std::string_view written = part.headers.get("Content-Type");
  const std::size_t semicolon = written.find(';');
  if (part.media_type.empty() || semicolon == std::string_view::npos) return part.media_type;
  const std::string_view parameters = written.substr(semicolon);
  if (!is_utf8(parameters) || parameters.contains('\0')) return part.media_type;
  if (parameters.size() > kParametersOctetsMax) return part.media_type;
  return part.media_type + std::string(parameters);
}

// Takes the parts of a form as they are read.
class Parts {
 public:
  Parts(std::string_view boundary, std::size_t attachments_max)
      : parser_(boundary, {.parts_max = attachments_max + 1 + kOtherPartsMax}),
        attachments_max_(attachments_max) {}

  void push(std::string_view piece) { parser_.push(piece); }
  // Takes what there is so far. True at the end of the form.
  [[nodiscard]] Result<bool> take() {
    while (true) {
      const auto event = parser_.next();
      if (!event) return fail(event.error());
      switch (event->kind) {
        case http::MultipartEvent::Kind::need_more:
          return false;
        case http::MultipartEvent::Kind::part_begin:
          begin(parser_.part());
          break;
        case http::MultipartEvent::Kind::data:
          if (target_ != nullptr) target_->append(event->data);
          break;
        case http::MultipartEvent::Kind::part_end:
          break;
        case http::MultipartEvent::Kind::finished:
          return true;
      }
    }
  }
  [[nodiscard]] Result<bool> end() {
    parser_.end_of_input();
    return take();
  }

  std::optional<std::string> data;
  bool data_twice = false;
  std::vector<Attachment> attachments;
  // The name of a part that brings a file and is not read: to ignore it would lose an attachment
  // behind a 201.
  std::optional<std::string> stray;
  bool nameless = false;  // some part is, though each must have one (RFC 7578 section 4.2)

 private:
  void begin(const http::Part& part) {
    target_ = nullptr;
    if (part.name == "data") {
      data_twice = data.has_value();
      target_ = &data.emplace();
    } else if (part.name == "file" && attachments.size() <= attachments_max_) {
      attachments.push_back({part.file_name.value_or(""), declared_type(part), ""});
      target_ = &attachments.back().data;
    } else if (part.name == "inline" && attachments.size() <= attachments_max_) {
      add_inline(part);
    } else if (part.name.empty()) {
      nameless = true;
    } else if (brings_file(part) && part.name != "inline" && part.name != "file" && !stray) {
      constexpr std::size_t kShown = 64;
      stray = is_utf8(part.name) ? std::string(utf8_prefix(part.name, kShown)) : "file";
    }
  }

  // Fields that clients add are text; what says that it is something else may be a file.
  static bool brings_file(const http::Part& part) {
    const bool is_text = part.media_type.empty() || part.media_type == "text/plain";
    return part.file_name || !is_text || part.headers.count("Content-ID") > 0;
  }

  // Its id is the one in its header, else its file name, which some other services take for it.
  void add_inline(const http::Part& part) {
    const std::string name = part.file_name.value_or("");
    std::string id = intake::bare_content_id(part.headers.get("Content-ID"));
    if (id.empty()) id = name;
    if (id.empty()) id = "?";  // none: it is refused as what it is
    attachments.push_back({name.empty() ? id : name, declared_type(part), "", id});
    target_ = &attachments.back().data;
  }

  http::MultipartParser parser_;
  const std::size_t attachments_max_;
  std::string* target_ = nullptr;
};

Task<Result<void>> read_parts(Parts& parts, std::string_view body) {
  bool finished = false;
  while (!finished && !body.empty()) {
    const std::string_view piece = body.substr(0, kReadOctets);
    body.remove_prefix(piece.size());
    parts.push(piece);
    const auto taken = parts.take();
    if (!taken) co_return fail(taken.error());
    finished = *taken;
    if (!finished && !body.empty()) co_await async::give_way();
  }
  if (!finished) {
    const auto ended = parts.end();
    if (!ended) co_return fail(ended.error());
  }
  co_return Result<void>{};
}

Task<std::optional<http::Response>> read_multipart(const Api& api, const Call& call,
                                                   std::string boundary, bool may_be_empty,
                                                   Form& form) {
  Parts parts(boundary, api.intake().limits().attachments_max);
  const auto read = co_await read_parts(parts, call.body.text());
  if (!read) co_return refused(400, unreadable_parts(read.error()), call.language);
  form.attachments = std::move(parts.attachments);
  if (!parts.data) co_return bad_field(call, "data", intake::texts::required());
  if (parts.stray) co_return bad_field(call, *parts.stray, intake::texts::no_part_for_files());
  if (parts.nameless) {
    co_return bad_field(call, "Content-Disposition", intake::texts::no_name_of_part());
  }
  if (parts.data_twice) co_return bad_field(call, "data", intake::texts::given_twice());
  co_return co_await parse_object(call, api.json_limits(), *parts.data, may_be_empty, form);
}

}  // namespace

Task<std::optional<intake::Text>> read_value(std::string_view text, http::JsonLimits limits,
                                             Form& form) {
  http::JsonReader reader(text, form.arena, limits);
  while (true) {
    const auto done = reader.read_on(kReadOctets);
    if (!done) co_return unreadable_json(reader.fault());
    if (*done) break;
    co_await async::give_way();
  }
  // Moved, not assigned: that would copy it out of the arena.
  form.json.emplace(reader.take());
  co_return std::nullopt;
}

// What clients send as anything else, or without a type, may be JSON.
bool is_no_json(std::string_view media_type) {
  return media_type == "application/x-www-form-urlencoded" ||
         media_type.starts_with("multipart/") || media_type == "application/xml" ||
         media_type == "text/xml";
}

intake::Text unreadable_json(const http::JsonFault& fault) {
  using Kind = http::JsonFault::Kind;
  const std::string place = fmt::format("{}行目の{}バイト目", fault.line, fault.column);
  std::string ja;
  switch (fault.kind) {
    case Kind::too_long:
      ja = "JSONが長すぎます。";
      break;
    case Kind::empty:
      ja = "リクエストの本文が空です。JSONオブジェクトを指定してください。";
      break;
    case Kind::syntax:
      ja = fmt::format("JSONに誤りがあります ({})。", place);
      break;
    case Kind::ends_early:
      ja = fmt::format("JSONが途中で終わっています ({})。", place);
      break;
    case Kind::too_deep:
      ja = "JSONの入れ子が深すぎます。";
      break;
    case Kind::not_utf8:
      ja = fmt::format("JSONにUTF-8として不正なバイトがあります (先頭から{}バイト、{})。",
                       fault.offset, place);
      break;
    case Kind::repeated_member:
      ja = fmt::format("JSONの1つのオブジェクトに「{}」が2回あります ({})。", fault.member, place);
      break;
    case Kind::too_many_members:
      ja = fmt::format("JSONのオブジェクトの項目が多すぎます ({})。", place);
      break;
  }
  return {fmt::format("the request cannot be read: {}.", fault.error.detail), std::move(ja)};
}

intake::Text unreadable_parts(const Error& error) {
  return {fmt::format("the request cannot be read: {}.", error.detail),
          "リクエストの本文をmultipart/form-dataとして読み取れません。"};
}

Task<std::optional<http::Response>> read_form(const Api& api, const Call& call, bool may_be_empty,
                                              Form& form) {
  const std::string_view content_type = call.request.headers.get("Content-Type");
  const std::string type = http::media_type(content_type);
  if (type == "multipart/form-data") {
    auto boundary = http::multipart_boundary(content_type);
    if (!boundary) co_return refused(400, unreadable_parts(boundary.error()), call.language);
    co_return co_await read_multipart(api, call, std::move(*boundary), may_be_empty, form);
  }
  if (is_no_json(type)) {
    co_return container_failure(
        415,
        {fmt::format("Content type '{}' not supported: send application/json or "
                     "multipart/form-data",
                     type),
         fmt::format("Content-Type「{}」には対応していません。application/jsonまたは"
                     "multipart/form-dataで送信してください。",
                     type)},
        call.request);
  }
  co_return co_await parse_object(call, api.json_limits(), call.body.text(), may_be_empty, form);
}

Task<std::optional<http::Response>> read_object(const Call& call, http::JsonLimits limits,
                                                Form& form) {
  const std::string type = http::media_type(call.request.headers.get("Content-Type"));
  if (is_no_json(type)) {
    co_return container_failure(
        415,
        {fmt::format("Content type '{}' not supported here: send application/json", type),
         fmt::format("ここではContent-Type「{}」は使えません。application/jsonで送信して"
                     "ください。",
                     type)},
        call.request);
  }
  co_return co_await parse_object(call, limits, call.body.text(), false, form);
}

}  // namespace todoku::api
