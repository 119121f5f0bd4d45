// SPDX-License-Identifier: Apache-2.0
#include "api/mail_page.h"

#include "base/bytes.h"

namespace todoku::api {
namespace {

// Links of the mail lead nowhere from a frame that may open nothing; without a target they would
// lead the frame itself away. The first <base> is the one that counts (HTML, section 4.2.3).
constexpr std::string_view kBeginning = "<!doctype html><base target=\"_blank\">";
constexpr std::string_view kLink = "<link";
constexpr std::string_view kNoElement = "<x-link";

// A tag begins with these octets or is none of that name (HTML, section 13.2.5.6): in a text they
// would be written as a reference.
void append_without_links(std::string& page, std::string_view html) {
  std::size_t at = 0;
  while (true) {
    const std::size_t begin = html.find('<', at);
    page += html.substr(at, begin == std::string_view::npos ? begin : begin - at);
    if (begin == std::string_view::npos) return;
    const bool is_link = equals_ignoring_case(html.substr(begin, kLink.size()), kLink);
    page += is_link ? kNoElement : html.substr(begin, 1);
    at = begin + (is_link ? kLink.size() : 1);
  }
}

}  // namespace

http::Response mail_page(std::string_view html) {
  http::Response response;
  response.content_type = "text/html; charset=utf-8";
  response.body = kBeginning;
  append_without_links(response.body, html);
  response.headers.set("Content-Security-Policy", kMailPagePolicy);
  response.headers.set("X-Frame-Options", "SAMEORIGIN");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("X-DNS-Prefetch-Control", "off");
  response.headers.set("Referrer-Policy", "no-referrer");
  response.headers.set("Cache-Control", "no-store");
  return response;
}

}  // namespace todoku::api
