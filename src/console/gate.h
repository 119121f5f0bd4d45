// SPDX-License-Identifier: Apache-2.0
// Who may speak to the console's origin: what Host, Origin, Sec-Fetch-Site, cookie and token of a
// request say, before anything of it is carried out (docs/console.md, "How it is guarded"). Pure.
//
// A page elsewhere can make a browser send what it likes here, with the cookie. Three things stand
// against that, each of which would do: the cookie is SameSite=Strict; a change names its Origin,
// which must be ours to the letter; and it carries a token that only who has read an answer of ours
// knows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bilingual.h"
#include "base/wipe.h"
#include "http/message.h"

namespace todoku::console {

inline constexpr std::string_view kTokenHeader = "X-Todoku-Token";
// For whom and which account the page that sends it was made, "17/shop" by person and account: a
// page that has missed a change of either does nothing as another one.
inline constexpr std::string_view kAsHeader = "X-Todoku-As";
// The same in a query, of what the browser asks for without a page's headers: the frame of a mail.
inline constexpr std::string_view kAsParameter = "as";

// Where people reach the console, as browsers write it (RFC 6454 section 6.2).
struct Origin {
  std::string text;  // "https://console.example.jp"
  std::string host;  // "console.example.jp", ":8443" behind it where the scheme has another port
  bool is_secure = false;
};
// Of a URL of nothing but scheme, host and port; a slash behind them is no harm. nullopt: it has
// more, or no host.
[[nodiscard]] std::optional<Origin> parse_origin(std::string_view url);

// What a request is about.
enum class Wanted : std::uint8_t {
  page,   // a file of the console's own: the same for everybody
  look,   // an answer that only who is signed in gets, or that tells who is
  enter,  // a change by who is not signed in yet: its password or link is what it shows
  change,
};

// Why a request goes no further.
struct Refusal {
  int status = 403;
  BilingualText text;
};

class Gate {
 public:
  // `public_url`: where people reach it; empty: at a name or address of this machine's own
  // loopback, by whatever port it was forwarded to. `is_tls`: the listener speaks TLS, which counts
  // only where the URL is empty. `key`: 32 octets, of tokens.
  Gate(std::string_view public_url, bool is_tls, SecretText key);

  // What of the head can be judged without knowing who is signed in; the token is among that.
  // nullopt: nothing is against it.
  [[nodiscard]] std::optional<Refusal> judge(const http::Request& request, Wanted wanted) const;

  // Where the browser is that sends this, as judge() has let it pass.
  [[nodiscard]] Origin origin_of(const http::Request& request) const;
  // Where links in mails lead; nullopt: there is no URL that others could use, and the operator's
  // command says it by the listener's address.
  [[nodiscard]] const std::optional<Origin>& origin() const { return origin_; }

  // The value of our cookie; empty: there is none, or two, of which nobody can say whose the first
  // is.
  [[nodiscard]] std::string cookie_of(const http::Request& request) const;
  // For Set-Cookie.
  [[nodiscard]] static std::string cookie_for(const Origin& origin, std::string_view value);
  [[nodiscard]] static std::string no_cookie(const Origin& origin);
  // The token that belongs to a cookie, and to no other.
  [[nodiscard]] std::string token_of(std::string_view cookie) const;

 private:
  [[nodiscard]] std::optional<Refusal> judge_host(const http::Request& request) const;
  [[nodiscard]] std::optional<Refusal> judge_origin(const http::Request& request,
                                                    bool must_have) const;
  std::optional<Origin> origin_;
  bool is_tls_;
  SecretText key_;
};

// "__Host-todoku" where the origin is secure, so that no neighbour of its host can set it (RFC
// 6265bis section 4.1.3.2); browsers refuse that name without Secure.
[[nodiscard]] std::string_view cookie_name(bool is_secure);

// The value of the one cookie of this name in the value of a Cookie field (RFC 6265 section 4.2.1).
// nullopt: there is none, or more than one.
[[nodiscard]] std::optional<std::string_view> find_cookie(std::string_view field,
                                                          std::string_view name);

// What every answer of this origin has, whatever it is.
void guard(http::Response& response, const Origin& origin);

}  // namespace todoku::console
