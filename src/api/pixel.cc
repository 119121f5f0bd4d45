// SPDX-License-Identifier: Apache-2.0
#include "api/pixel.h"

#include <string>

#include <fmt/format.h>

#include "events/opens/readers.h"

namespace todoku::api {
namespace {

// One transparent point (GIF89a).
constexpr std::string_view kImage(
    "GIF89a\x01\x00\x01\x00\x80\x00\x00"
    "\x00\x00\x00\xff\xff\xff"
    "!\xf9\x04\x01\x00\x00\x00\x00"
    ",\x00\x00\x00\x00\x01\x00\x01\x00\x00"
    "\x02\x02\x44\x01\x00;",
    43);

std::string_view purpose_of(const http::Request& request) {
  for (const std::string_view name : {"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"}) {
    if (const auto value = request.headers.get(name); !value.empty()) return value;
  }
  return {};
}

constexpr std::string_view kOpensName = "todoku_opens_total";
constexpr std::string_view kOpensHelp = "Requests for the image of a mail, by what became of them.";

}  // namespace

Pixel::Pixel(const OpenTokens& tokens, events::opens::SeenOpens& seen, const Clock& clock,
             Metrics& metrics)
    : tokens_(tokens),
      seen_(seen),
      clock_(clock),
      dropped_(metrics.counter(kOpensName, kOpensHelp, {{"result", "dropped"}})),
      repeated_(metrics.counter(kOpensName, kOpensHelp, {{"result", "repeated"}})),
      foreign_(metrics.counter(kOpensName, kOpensHelp, {{"result", "foreign"}})) {}

void Pixel::add_route(http::Router& router) {
  // After the head: no body is wanted.
  router.add(http::Method::get, fmt::format("{}{{token...}}", kPixelPath),
             {.body_max = 0, .streaming = true},
             [this](http::Request& request, http::Body&) { return serve(request); });
}

void Pixel::note(const http::Request& request) {
  // HEAD shows nobody anything.
  if (request.method != http::Method::get) return;
  const auto token = tokens_.read(request.parameters.get("token"));
  if (!token) return foreign_.add(1);
  const auto taken = seen_.add(
      {.account = store::AccountKey{token->account},
       .recipient = {store::DeliveryKey{token->delivery}, token->batch, token->seq},
       .by = events::opens::opened_by(request.headers.get("User-Agent"), purpose_of(request))},
      clock_.steady_now());
  using Opens = events::opens::SeenOpens;
  if (taken == Opens::Taken::dropped) dropped_.add(1);
  if (taken == Opens::Taken::repeated) repeated_.add(1);
}

Task<http::Response> Pixel::serve(const http::Request& request) {
  note(request);
  http::Response response;
  response.content_type = "image/gif";
  response.body = std::string(kImage);
  response.headers.set("Cache-Control", "no-store");
  co_return response;
}

}  // namespace todoku::api
