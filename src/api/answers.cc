// SPDX-License-Identifier: Apache-2.0
#include "api/answers.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/date_time.h"
#include "base/printable.h"
#include "http/json.h"

namespace todoku::api {
namespace {

// A node is either messages or a level of names. A field that has both says its own under "main".
struct Node {
  std::vector<std::string_view> messages;
  std::map<std::string_view, Node> below;
};

void write(const Node& node, http::JsonWriter& json) {
  if (node.below.empty()) {
    json.begin_array();
    for (const std::string_view message : node.messages) json.value(message);
    json.end_array();
    return;
  }
  json.begin_object();
  if (!node.messages.empty()) {
    json.key("main");
    json.begin_array();
    for (const std::string_view message : node.messages) json.value(message);
    json.end_array();
  }
  for (const auto& [name, child] : node.below) {
    json.key(name);
    write(child, json);
  }
  json.end_object();
}

// RFC 9110 section 12.4.2; 0 for what is no weight.
double weight_of(std::string_view range) {
  const std::size_t parameter = range.find(';');
  if (parameter == std::string_view::npos) return 1;
  const std::string_view given = trim(range.substr(parameter + 1));
  if (given.size() < 3 || ascii_lower(given[0]) != 'q' || given[1] != '=') return 1;
  const std::string_view digits = given.substr(2);
  double weight = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), weight);
  return read.ec == std::errc() ? weight : 0;
}

std::string_view failure_in_japanese(int status) {
  switch (status) {
    case 404:
      return "このパスには何もありません。URLを確認してください。";
    case 405:
      return "このパスではこのメソッドを使用できません。";
    case 408:
      return "リクエストが時間内に届きませんでした。";
    case 413:
      return "リクエストの本文が大きすぎます。";
    case 414:
    case 431:
      return "リクエストのURLまたはヘッダーが大きすぎます。";
    case 415:
      return "このContent-Typeには対応していません。application/jsonまたはmultipart/form-dataで送信"
             "してください。";
    case 500:
      return "内部エラーのため処理できませんでした。";
    case 503:
      return "接続が混み合っています。しばらくして再度実行してください。";
    default:
      return "リクエストを読み取れません。";
  }
}

int status_of_kind(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_input:
    case ErrorKind::conflict:
    case ErrorKind::limit_exceeded:
      return 400;
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::unauthorized:
      return 423;
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
    case ErrorKind::closed:
    case ErrorKind::io:
    case ErrorKind::corrupt:
    case ErrorKind::unsupported:
    case ErrorKind::cancelled:
      return 503;
  }
  return 503;
}

}  // namespace

Language language_of(std::string_view accept_language) {
  Language preferred = Language::english;
  double weight = 0;
  for (std::string_view rest = accept_language; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    const std::string_view range = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    const std::string tag = to_ascii_lower(trim(range.substr(0, range.find(';'))));
    const std::string_view primary = std::string_view(tag).substr(0, tag.find('-'));
    if (primary != "ja" && primary != "en") continue;
    const double given = weight_of(range);
    if (given <= weight) continue;
    weight = given;
    preferred = primary == "ja" ? Language::japanese : Language::english;
  }
  return preferred;
}

int status_of(const intake::Refusal& refusal) {
  constexpr int kTooManyRequests = 429;
  constexpr int kConflict = 409;
  if (refusal.retry_after) return kTooManyRequests;
  return refusal.key == intake::Refusal::Key::no_trouble ? status_of_kind(refusal.kind) : kConflict;
}

void add_error_messages(http::JsonWriter& json, const intake::Problems& problems,
                        Language language) {
  Node root;
  for (const intake::Problem& problem : problems.list()) {
    Node* node = &root;
    if (problem.path.empty()) {
      node = &root.below["main"];
    } else {
      for (const std::string& step : problem.path) node = &node->below[step];
    }
    node->messages.push_back(problem.text.in(language));
  }
  intake::Text more;  // outlives the view of it
  if (problems.untold() > 0) {
    more = intake::texts::more_problems(problems.untold());
    root.below["main"].messages.push_back(more.in(language));
  }
  json.key("error_messages");
  write(root, json);
}

std::string error_body(const intake::Problems& problems, Language language) {
  http::JsonWriter json;
  json.begin_object();
  add_error_messages(json, problems, language);
  json.end_object();
  return json.take();
}

http::Response refused(const intake::Refusal& refusal, Language language) {
  auto response = http::Response::json(status_of(refusal), error_body(refusal.problems, language));
  if (refusal.key == intake::Refusal::Key::in_progress)
    response.headers.set("Retry-After", kInProgressSeconds);
  if (refusal.retry_after) say_when_free(response, *refusal.retry_after, refusal.limit);
  return response;
}

void say_when_free(http::Response& response, std::chrono::seconds free_in, std::string_view limit) {
  const std::string seconds = std::to_string(std::max<std::int64_t>(1, free_in.count()));
  response.headers.set("X-Rate-Limit-Retry-After-Seconds", seconds);
  response.headers.set("Retry-After", seconds);
  response.headers.set(kLimitHeader, std::string(limit));
}

http::Response invalid(const intake::Problems& problems, Language language) {
  return http::Response::json(400, error_body(problems, language));
}

http::Response refused(int status, const intake::Text& text, Language language) {
  intake::Problems problems;
  problems.add({}, text);
  return http::Response::json(status, error_body(problems, language));
}

http::Response container_failure(const http::Failure& failure, const http::Request& request) {
  return container_failure(
      failure.status, {failure.reason, std::string(failure_in_japanese(failure.status))}, request);
}

http::Response container_failure(int status, const intake::Text& reason,
                                 const http::Request& request) {
  const auto told = reason.in(language_of(request.headers.get("Accept-Language")));
  http::JsonWriter json;
  json.begin_object();
  json.member("status", status);
  json.member("error", http::reason_phrase(status));
  json.member("message", told);
  json.member("path", printable(request.path));
  json.key("error_messages");
  json.begin_object();
  json.key("main");
  json.begin_array();
  json.value(told);
  json.end_array();
  json.end_object();
  json.end_object();
  return http::Response::json(status, json.take());
}

void attached_members(http::JsonWriter& json, const Attached& attached) {
  if (!attached.reference.empty()) json.member("reference", attached.reference);
  if (attached.metadata.empty()) return;
  json.key("metadata");
  write_metadata(json, attached.metadata);
}

void text_or_null(http::JsonWriter& json, std::string_view name, std::string_view text) {
  if (text.empty()) {
    json.null_member(name);
  } else {
    json.member(name, text);
  }
}

void date_or_null(http::JsonWriter& json, std::string_view name, std::optional<Instant> instant) {
  if (instant) {
    json.member(name, format_date_time(*instant));
  } else {
    json.null_member(name);
  }
}

http::Response id_response(int status, std::string_view name, std::int64_t id) {
  http::JsonWriter json;
  json.begin_object();
  json.member(name, id);
  json.end_object();
  return http::Response::json(status, json.take());
}

}  // namespace todoku::api
