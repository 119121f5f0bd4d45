// SPDX-License-Identifier: Apache-2.0
#include "cli/request.h"

#include <fmt/format.h>

#include "http/json.h"
#include "http/query.h"

namespace todoku::cli {
namespace {

using operate::Argument;
using operate::Given;

// In a path or a query.
std::string written(const Given& given, const Argument& argument) {
  switch (argument.kind) {
    case Argument::Kind::text:
    case Argument::Kind::words:
    case Argument::Kind::secret:  // which stands in bodies only
      return http::percent_encode(given.text(argument.name));
    case Argument::Kind::number:
      return fmt::format("{}", given.number(argument.name).value_or(0));
    case Argument::Kind::truth:
      return given.truth(argument.name).value_or(false) ? "true" : "false";
  }
  return {};
}

void add_member(http::JsonWriter& json, const Given& given, const Argument& argument) {
  switch (argument.kind) {
    case Argument::Kind::text:
    case Argument::Kind::words:
      return json.member(argument.name, given.text(argument.name));
    case Argument::Kind::secret:
      return json.member(argument.name, given.secret(argument.name));
    case Argument::Kind::number:
      return json.member(argument.name, given.number(argument.name).value_or(0));
    case Argument::Kind::truth:
      return json.member(argument.name, given.truth(argument.name).value_or(false));
  }
}

std::string_view method_of(operate::Verb verb) {
  switch (verb) {
    case operate::Verb::get:
      return "GET";
    case operate::Verb::post:
      return "POST";
    case operate::Verb::patch:
      return "PATCH";
    case operate::Verb::remove:
      return "DELETE";
  }
  return "GET";
}

std::string path_of(const Given& given) {
  std::string path;
  std::string_view rest = given.call().path;
  for (std::size_t open = rest.find('{'); open != std::string_view::npos; open = rest.find('{')) {
    const std::size_t close = rest.find('}', open);
    path += rest.substr(0, open);
    path += written(given, *given.call().find(rest.substr(open + 1, close - open - 1)));
    rest.remove_prefix(close + 1);
  }
  return path += rest;
}

bool stands_in_path(const operate::Call& call, const Argument& argument) {
  return call.path.contains(fmt::format("{{{}}}", argument.name));
}

}  // namespace

AdminRequest request_of(const Given& given) {
  const operate::Call& call = given.call();
  AdminRequest request{
      .method = std::string(method_of(call.verb)), .target = path_of(given), .body = {}};
  http::JsonWriter json;
  json.begin_object();
  char mark = '?';
  bool empty = true;
  for (const Argument& argument : call.arguments) {
    if (given.find(argument.name) == nullptr || stands_in_path(call, argument)) continue;
    if (argument.name == call.raw) {
      request.body = given.text(argument.name);
    } else if (call.has_body() && call.raw.empty()) {
      empty = false;
      add_member(json, given, argument);
    } else {
      request.target += fmt::format("{}{}={}", mark, argument.name, written(given, argument));
      mark = '&';
    }
  }
  json.end_object();
  if (!empty) request.body = json.take();
  return request;
}

}  // namespace todoku::cli
