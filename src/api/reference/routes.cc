// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <memory>
#include <utility>

#include "api/answers.h"
#include "api/reference/reference.h"

namespace todoku::api::reference {
namespace {

Language language_asked_for(const http::Request& request) {
  const http::Query query = request.query_parameters();
  if (const auto* const asked = query.find("lang"); asked != nullptr) {
    if (const auto language = parse_language(asked->value)) return *language;
  }
  return language_of(request.headers.get("Accept-Language"));
}

Task<http::Response> answer(std::string_view type, std::string_view body) {
  http::Response response;
  response.content_type = type;
  response.body = body;
  response.headers.set("Cache-Control", "no-cache");
  response.headers.set("X-Content-Type-Options", "nosniff");
  // Nothing is fetched, and nothing runs.
  response.headers.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
  co_return response;
}

}  // namespace

void add_routes(http::Router& router) {
  // Made once: the description is part of the program, and so cannot be wrong.
  const auto pages = std::make_shared<std::array<std::string, 2>>(std::array{
      page(openapi(), Language::english).value(), page(openapi(), Language::japanese).value()});
  router.add(http::Method::get, "/docs", [pages](http::Request& request, http::Body&) {
    const bool japanese = language_asked_for(request) == Language::japanese;
    return answer("text/html; charset=utf-8", pages->at(japanese ? 1 : 0));
  });
  router.add(http::Method::get, "/docs/openapi.json",
             [](http::Request&, http::Body&) { return answer("application/json", openapi()); });
}

}  // namespace todoku::api::reference
