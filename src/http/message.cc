// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include <array>
#include <utility>

#include "http/json.h"

namespace todoku::http {
namespace {

constexpr std::array<std::string_view, 8> kMethodNames = {"GET",   "HEAD",   "POST",    "PUT",
                                                          "PATCH", "DELETE", "OPTIONS", "OTHER"};

}  // namespace

std::string_view to_string(Method method) {
  return kMethodNames[static_cast<std::size_t>(method)];
}

Method parse_method(std::string_view text) {
  for (std::size_t i = 0; i + 1 < kMethodNames.size(); ++i) {
    if (kMethodNames[i] == text) return static_cast<Method>(i);
  }
  return Method::other;
}

std::string_view reason_phrase(int status) {
  struct Phrase {
    int status;
    std::string_view text;
  };
  static constexpr Phrase kPhrases[] = {
      {100, "Continue"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {207, "Multi-Status"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {416, "Range Not Satisfiable"},
      {417, "Expectation Failed"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Content"},
      {423, "Locked"},
      {428, "Precondition Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
      {507, "Insufficient Storage"},
  };
  for (const Phrase& phrase : kPhrases) {
    if (phrase.status == status) return phrase.text;
  }
  return "Unknown";
}

std::string_view PathParameters::get(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.name == name) return entry.value;
  }
  return {};
}

void Request::clear() {
  method = Method::get;
  method_name.clear();
  target.clear();
  path.clear();
  raw_path.clear();
  query.clear();
  is_http_1_1 = true;
  headers.clear();
  parameters.clear();
  id.clear();
}

Task<Result<std::string>> Body::read_all(std::size_t limit) {
  std::string all;
  for (;;) {
    const Result<std::string_view> piece = co_await read();
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) co_return all;
    if (piece->size() > limit - all.size()) {
      co_return fail(ErrorKind::limit_exceeded,
                     "the body is longer than " + std::to_string(limit) + " octets");
    }
    all += *piece;
  }
}

Task<Result<std::string_view>> TextBody::read() {
  if (std::exchange(taken_, true)) co_return std::string_view();
  co_return text_;
}

Response Response::json(int status, std::string body) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

Response Response::text(int status, std::string body) {
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(body);
  return response;
}

Response plain_failure(const Failure& failure, const Request& /*request*/) {
  JsonWriter json;
  json.begin_object();
  json.member("status", failure.status);
  json.member("error", reason_phrase(failure.status));
  json.member("message", failure.reason);
  json.end_object();
  return Response::json(failure.status, json.take());
}

}  // namespace todoku::http
