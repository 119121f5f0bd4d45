// SPDX-License-Identifier: Apache-2.0
#include "api/answers.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
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

int status_of(ErrorKind kind) {
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
  const std::string lower = to_ascii_lower(accept_language);
  const std::size_t ja = lower.find("ja");
  return ja != std::string::npos && ja < lower.find("en") ? Language::ja : Language::en;
}

std::string error_body(const intake::Problems& problems, Language language) {
  Node root;
  for (const intake::Problem& problem : problems.list()) {
    Node* node = &root;
    if (problem.path.empty()) {
      node = &root.below["main"];
    } else {
      for (const std::string& step : problem.path) node = &node->below[step];
    }
    node->messages.push_back(language == Language::ja ? problem.text.ja : problem.text.en);
  }
  http::JsonWriter json;
  json.begin_object();
  json.key("error_messages");
  write(root, json);
  json.end_object();
  return json.take();
}

http::Response refused(const intake::Refusal& refusal, Language language) {
  auto response =
      http::Response::json(status_of(refusal.kind), error_body(refusal.problems, language));
  if (response.status == 503) response.headers.set("Retry-After", "5");
  return response;
}

http::Response refused(int status, const intake::Text& text, Language language) {
  intake::Problems problems;
  problems.add({}, text);
  return http::Response::json(status, error_body(problems, language));
}

http::Response container_failure(const http::Failure& failure, const http::Request& request) {
  http::JsonWriter json;
  json.begin_object();
  json.member("status", failure.status);
  json.member("error", http::reason_phrase(failure.status));
  json.member("message", failure.reason);
  json.member("path", request.path);
  json.end_object();
  return http::Response::json(failure.status, json.take());
}

http::Response id_response(int status, std::string_view name, std::int64_t id) {
  http::JsonWriter json;
  json.begin_object();
  json.member(name, id);
  json.end_object();
  return http::Response::json(status, json.take());
}

}  // namespace todoku::api
