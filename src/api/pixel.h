// SPDX-License-Identifier: Apache-2.0
// The image in a mail by whose loading it is told that the mail was opened (docs/adr/0025). Public:
// no key, no cookie, no limit of an account; the answer is the same whatever is asked for, so that
// it tells nobody anything.
#pragma once

#include "base/clock.h"
#include "base/metrics.h"
#include "events/opens/seen_opens.h"
#include "http/router.h"
#include "mail/open_token.h"

namespace todoku::api {

// Below the public URL, before the token.
inline constexpr std::string_view kPixelPath = "/open/";

class Pixel {
 public:
  // All given outlives it, and it the router.
  Pixel(const OpenTokens& tokens, events::opens::SeenOpens& seen, const Clock& clock,
        Metrics& metrics);

  void add_route(http::Router& router);

 private:
  Task<http::Response> serve(const http::Request& request);
  void note(const http::Request& request);

  const OpenTokens& tokens_;
  events::opens::SeenOpens& seen_;
  const Clock& clock_;
  Counter& dropped_;
  Counter& repeated_;
  Counter& foreign_;
};

}  // namespace todoku::api
