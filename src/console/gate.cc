// SPDX-License-Identifier: Apache-2.0
#include "console/gate.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "net/endpoint.h"
#include "people/people.h"

namespace todoku::console {
namespace {

constexpr std::string_view kSecureName = "__Host-todoku";
constexpr std::string_view kPlainName = "todoku-console";
// As long as a sign-in lasts at most.
constexpr auto kCookieSeconds = std::chrono::floor<std::chrono::seconds>(people::kLife).count();

// The only sources are files of ours: nothing is run or shown that came in with data. A frame shows
// the preview of a mail, which has a policy of its own.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'";
constexpr std::string_view kPermissions =
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()";

// "host" or "host:port" in lower case, without the scheme's own port; empty: it is none.
std::string authority_of(std::string_view text, bool is_secure) {
  const bool is_bracketed = text.starts_with('[');
  const std::size_t end = is_bracketed ? text.find(']') : text.find(':');
  if (is_bracketed && end == std::string_view::npos) return {};
  const std::size_t host_end =
      end == std::string_view::npos ? text.size() : end + (is_bracketed ? 1 : 0);
  const std::string host = to_ascii_lower(text.substr(0, host_end));
  const auto is_of_host = [](char c) {
    return is_ascii_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == ':' || c == '[' ||
           c == ']';
  };
  if (host.empty() || !std::ranges::all_of(host, is_of_host)) return {};
  std::string_view rest = text.substr(host_end);
  if (rest.empty()) return host;
  rest.remove_prefix(1);  // ':' where it is not bracketed, and to be so where it is
  if (text[host_end] != ':') return {};
  unsigned port = 0;
  const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), port);
  if (error != std::errc() || stop != rest.data() + rest.size() || port == 0 || port > 65'535) {
    return {};
  }
  constexpr unsigned kHttp = 80;
  constexpr unsigned kHttps = 443;
  if (port == (is_secure ? kHttps : kHttp)) return host;
  return fmt::format("{}:{}", host, port);
}

Refusal refusal(int status, std::string en, std::string ja) {
  return {status, {std::move(en), std::move(ja)}};
}

}  // namespace

std::optional<Origin> parse_origin(std::string_view url) {
  constexpr std::string_view kHttps = "https://";
  constexpr std::string_view kHttp = "http://";
  Origin origin;
  const std::string_view given = trim(url);
  const std::string scheme = to_ascii_lower(given.substr(0, kHttps.size()));
  origin.is_secure = scheme == kHttps;
  if (!origin.is_secure && !scheme.starts_with(kHttp)) return std::nullopt;
  std::string_view rest = given.substr(origin.is_secure ? kHttps.size() : kHttp.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  origin.host = authority_of(rest, origin.is_secure);
  if (origin.host.empty()) return std::nullopt;
  origin.text = fmt::format("{}{}", origin.is_secure ? kHttps : kHttp, origin.host);
  return origin;
}

Gate::Gate(std::string_view public_url, bool is_tls, SecretText key)
    : origin_(parse_origin(public_url)), is_tls_(is_tls), key_(std::move(key)) {}

std::optional<Refusal> Gate::judge_host(const http::Request& request) const {
  const bool is_secure = origin_ ? origin_->is_secure : is_tls_;
  const std::string host = request.headers.count("Host") == 1
                               ? authority_of(trim(request.headers.get("Host")), is_secure)
                               : std::string();
  // The absolute form says the authority once more, and it is that one which counts where they
  // differ (RFC 9112 section 3.2.2): it is to be ours as well.
  const std::size_t scheme_end = request.target.find("://");
  const bool is_absolute = !request.target.starts_with('/') && scheme_end != std::string::npos;
  bool is_said_once = true;
  if (is_absolute) {
    std::string_view said = std::string_view(request.target).substr(scheme_end + 3);
    said = said.substr(0, said.find_first_of("/?"));
    is_said_once = authority_of(said, is_secure) == host;
  }
  const bool is_ours = origin_ ? host == origin_->host : !host.empty() && net::names_loopback(host);
  if (is_ours && is_said_once) return std::nullopt;
  if (origin_) {
    return refusal(421, fmt::format("the console is reached at {}.", origin_->text),
                   fmt::format("管理画面のアドレスは{}です。", origin_->text));
  }
  return refusal(421,
                 "the console is reached at this machine's own loopback, by localhost or "
                 "127.0.0.1; for any other name console.public_url is to be set.",
                 "管理画面には、このマシン自身のlocalhostまたは127.0.0.1で接続してください。"
                 "ほかの名前で使うには、console.public_urlを設定します。");
}

std::optional<Refusal> Gate::judge_origin(const http::Request& request, bool must_have) const {
  const std::size_t given = request.headers.count("Origin");
  if (given == 0 && !must_have) return std::nullopt;
  if (given == 1 && trim(request.headers.get("Origin")) == origin_of(request).text) {
    return std::nullopt;
  }
  return refusal(403, "this request does not come from a page of the console.",
                 "管理画面のページから送られたリクエストではありません。");
}

std::optional<Refusal> Gate::judge(const http::Request& request, Wanted wanted) const {
  if (auto wrong = judge_host(request)) return wrong;
  if (wanted == Wanted::page) return std::nullopt;
  if (request.headers.count("Authorization") > 0) {
    return refusal(400,
                   "API keys are not taken here: send them to the API's own address. At the "
                   "console people sign in.",
                   "ここではAPIキーは使えません。APIのアドレスに送信してください。管理画面には"
                   "サインインします。");
  }
  const bool is_change = wanted != Wanted::look;
  const std::string_view site = trim(request.headers.get("Sec-Fetch-Site"));
  const bool is_one = request.headers.count("Sec-Fetch-Site") <= 1;
  const bool is_typed = !is_change && site == "none";
  if (!is_one || (!site.empty() && site != "same-origin" && !is_typed)) {
    return refusal(403, "another site has made the browser send this request.",
                   "ほかのサイトからブラウザー経由で送られたリクエストです。");
  }
  if (auto wrong = judge_origin(request, is_change)) return wrong;
  if (wanted != Wanted::change) return std::nullopt;
  const std::string cookie = cookie_of(request);
  const bool is_token = request.headers.count(kTokenHeader) == 1 &&
                        equal_in_constant_time(request.headers.get(kTokenHeader), token_of(cookie));
  // Who is not signed in is told so, by who looks for the sign-in.
  if (is_token || cookie.empty()) return std::nullopt;
  return refusal(
      403, "the page that sent this is out of date: load it again. What was typed stays.",
      "ページの情報が古くなっています。再読み込みしてください。入力した内容は残ります。");
}

Origin Gate::origin_of(const http::Request& request) const {
  if (origin_) return *origin_;
  const std::string host = authority_of(trim(request.headers.get("Host")), is_tls_);
  return {.text = fmt::format("{}://{}", is_tls_ ? "https" : "http", host),
          .host = host,
          .is_secure = is_tls_};
}

std::string Gate::cookie_of(const http::Request& request) const {
  if (request.headers.count("Cookie") != 1) return {};
  const bool is_secure = origin_ ? origin_->is_secure : is_tls_;
  const auto value = find_cookie(request.headers.get("Cookie"), cookie_name(is_secure));
  return std::string(value.value_or(""));
}

std::string_view cookie_name(bool is_secure) {
  return is_secure ? kSecureName : kPlainName;
}

std::string Gate::cookie_for(const Origin& origin, std::string_view value) {
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}",
                     cookie_name(origin.is_secure), value, kCookieSeconds,
                     origin.is_secure ? "; Secure" : "");
}

std::string Gate::no_cookie(const Origin& origin) {
  return fmt::format("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict{}",
                     cookie_name(origin.is_secure), origin.is_secure ? "; Secure" : "");
}

std::string Gate::token_of(std::string_view cookie) const {
  const Sha256 token = hmac_sha256(key_, cookie);
  return to_base64url(as_text(token));
}

std::optional<std::string_view> find_cookie(std::string_view field, std::string_view name) {
  std::optional<std::string_view> found;
  while (!field.empty()) {
    const std::size_t end = field.find(';');
    const std::string_view pair = trim(field.substr(0, end));
    field = end == std::string_view::npos ? std::string_view() : field.substr(end + 1);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || trim(pair.substr(0, equals)) != name) continue;
    if (found) return std::nullopt;
    found = trim(pair.substr(equals + 1));
  }
  return found;
}

void guard(http::Response& response, const Origin& origin) {
  // The preview of a mail has a stricter one already.
  if (!response.headers.find("Content-Security-Policy")) {
    response.headers.set("Content-Security-Policy", kPolicy);
  }
  if (!response.headers.find("Cache-Control")) response.headers.set("Cache-Control", "no-store");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Referrer-Policy", "no-referrer");
  response.headers.set("Cross-Origin-Opener-Policy", "same-origin");
  response.headers.set("Cross-Origin-Resource-Policy", "same-origin");
  response.headers.set("Permissions-Policy", kPermissions);
  if (origin.is_secure) {
    constexpr std::string_view kYear = "max-age=31536000";
    response.headers.set("Strict-Transport-Security", kYear);
  }
}

}  // namespace todoku::console
