// SPDX-License-Identifier: Apache-2.0
// Any octets as what an HTTP client says. Oracles: nothing dies; requests do not depend on how the
// octets come in pieces; what a handler would see keeps its promises.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "http/request_parser.h"
#include "http/router.h"

namespace todoku::http {
namespace {

constexpr std::size_t kHeadMax = 1024;

struct Parsed {
  std::vector<std::string> requests;  // everything of a complete request, in one string
  bool refused = false;
};

void check_head(const Request& request) {
  check(!request.method_name.empty(), "a request has a method");
  check(request.raw_path == "*" || request.raw_path.starts_with('/'), "a path begins with a slash");
  check(!request.path.contains('\0'), "a path holds no NUL");
  check(!request.is_http_1_1 || request.headers.count("Host") == 1, "there is one Host");
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const Headers::Field field = request.headers[i];
    check(!field.name.empty(), "a field has a name");
    check(field.value.find_first_of("\r\n") == std::string_view::npos, "a value is one line");
  }
}

const Router& router() {
  static const Router made = [] {
    Router router;
    const Handler none = [](Request&, Body&) -> Task<Response> { co_return Response(); };
    router.add(Method::get, "/a/{x}/b", none);
    router.add(Method::get, "/a/-/{rest...}", none);
    router.add(Method::post, "/{x}/{y}", none);
    return router;
  }();
  return made;
}

std::string to_text(Request& request, std::string_view body) {
  std::string text = request.method_name + "\n" + request.path + "\n" + request.query + "\n";
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const Headers::Field field = request.headers[i];
    text.append(field.name).append(":").append(field.value).append("\n");
  }
  for (const Query::Parameter& parameter : request.query_parameters().parameters()) {
    check(parameter.value.size() == parameter.literal.size(), "'+' is one octet either way");
  }
  const auto match = router().find(request.method, request.raw_path, request.parameters);
  check((match.route != nullptr) == (match.status == 200), "a match has a route");
  check((match.status == 405) == !match.allow.empty(), "405 says what is allowed");
  return text.append("\n").append(body);
}

Parsed parse(std::string_view octets, Random& random, std::size_t piece_max) {
  Parsed parsed;
  Request request;
  RequestParser parser(kHeadMax);
  parser.start(request);
  std::string pending;
  std::string body;
  while (!octets.empty()) {
    const std::size_t size =
        piece_max == 0 ? octets.size()
                       : std::min<std::size_t>(1 + random.below(piece_max), octets.size());
    pending += octets.substr(0, size);
    octets.remove_prefix(size);
    for (;;) {
      const auto step = parser.step(pending);
      if (!step) {
        check(step.error().status >= 400 && step.error().status <= 505, "a refusal has a status");
        parsed.refused = true;
        return parsed;
      }
      body += step->piece;
      check(step->consumed <= pending.size(), "only what is there is consumed");
      pending.erase(0, step->consumed);
      if (step->event == RequestParser::Event::need_more) break;
      if (step->event == RequestParser::Event::head) check_head(request);
      if (step->event != RequestParser::Event::end) continue;
      parsed.requests.push_back(to_text(request, body));
      body.clear();
      parser.start(request);
    }
    check(pending.size() <= kHeadMax, "little waits for more");
  }
  return parsed;
}

}  // namespace
}  // namespace todoku::http

// The first octet seeds how the rest comes in pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  if (size == 0) return 0;
  SeededRandom random(data[0]);
  const std::string_view octets(reinterpret_cast<const char*>(data + 1), size - 1);
  const http::Parsed whole = http::parse(octets, random, 0);
  const http::Parsed pieces = http::parse(octets, random, 1 + data[0] % 32);
  check(whole.requests == pieces.requests, "pieces do not matter");
  // In pieces a mistake may go unseen until the head is complete.
  check(whole.refused || !pieces.refused, "pieces are not refused where the whole is not");
  return 0;
}
