// SPDX-License-Identifier: Apache-2.0
#include "console/gate.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::console {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

SecretText some_key() {
  return SecretText(std::string(32, 'k'));
}

Gate public_gate() {
  return {"https://console.example.jp", false, some_key()};
}

Gate loopback_gate() {
  return {"", false, some_key()};
}

constexpr std::string_view kCookie = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ";

using Fields = std::vector<std::pair<std::string_view, std::string>>;

http::Request with(const Fields& fields) {
  http::Request request;
  for (const auto& [name, value] : fields) {
    if (!value.empty()) request.headers.add(name, value);
  }
  return request;
}

// As the console's own page sends a change.
Fields good_change(const Gate& gate) {
  return {{"Host", "console.example.jp"},
          {"Origin", "https://console.example.jp"},
          {"Sec-Fetch-Site", "same-origin"},
          {"Cookie", "other=1; __Host-todoku=" + std::string(kCookie)},
          {kTokenHeader, gate.token_of(kCookie)}};
}

Fields but(Fields fields, std::string_view name, std::string value) {
  for (auto& field : fields) {
    if (field.first == name) field.second = value;
  }
  return fields;
}

int status(const Gate& gate, const Fields& fields, Wanted wanted) {
  const auto wrong = gate.judge(with(fields), wanted);
  if (!wrong) return 200;
  EXPECT_FALSE(wrong->text.en.empty());
  EXPECT_FALSE(wrong->text.ja.empty());
  return wrong->status;
}

TEST(Gate, LetsTheConsolesOwnPagePass) {
  const Gate gate = public_gate();
  const Fields good = good_change(gate);
  for (const Wanted wanted : {Wanted::page, Wanted::look, Wanted::enter, Wanted::change}) {
    EXPECT_EQ(status(gate, good, wanted), 200);
  }
  // Browsers that send no Sec-Fetch-Site are let in by the others.
  EXPECT_EQ(status(gate, but(good, "Sec-Fetch-Site", ""), Wanted::change), 200);
}

TEST(Gate, RefusesAChangeForEachThingThatIsNotOurs) {
  const Gate gate = public_gate();
  const Fields good = good_change(gate);
  for (const std::string host : {"", "evil.example", "console.example.jp.evil.example",
                                 "console.example.jp:8443", "127.0.0.1", "localhost"}) {
    EXPECT_EQ(status(gate, but(good, "Host", host), Wanted::change), 421) << host;
    EXPECT_EQ(status(gate, but(good, "Host", host), Wanted::page), 421) << host;
  }
  for (const std::string origin :
       {"", "null", "https://evil.example", "http://console.example.jp",
        "https://console.example.jp:8443", "https://console.example.jp/",
        "https://CONSOLE.example.jp", "https://console.example.jp https://evil.example"}) {
    EXPECT_EQ(status(gate, but(good, "Origin", origin), Wanted::change), 403) << origin;
    EXPECT_EQ(status(gate, but(good, "Origin", origin), Wanted::enter), 403) << origin;
  }
  for (const std::string site : {"cross-site", "same-site", "none", "whatever"}) {
    EXPECT_EQ(status(gate, but(good, "Sec-Fetch-Site", site), Wanted::change), 403) << site;
    EXPECT_EQ(status(gate, but(good, "Sec-Fetch-Site", site), Wanted::enter), 403) << site;
  }
  for (const std::string& token :
       {std::string(), std::string("x"), gate.token_of("another"), std::string(kCookie)}) {
    EXPECT_EQ(status(gate, but(good, kTokenHeader, token), Wanted::change), 403) << token;
  }
}

TEST(Gate, RefusesFieldsThatAreThereTwice) {
  const Gate gate = public_gate();
  for (const std::string_view name :
       {std::string_view("Origin"), std::string_view("Sec-Fetch-Site"), kTokenHeader}) {
    Fields fields = good_change(gate);
    fields.emplace_back(name, std::string("x"));
    EXPECT_EQ(status(gate, fields, Wanted::change), 403) << name;
  }
  Fields fields = good_change(gate);
  fields.emplace_back("Host", "evil.example");
  EXPECT_EQ(status(gate, fields, Wanted::change), 421);
}

TEST(Gate, LooksNeedNoTokenAndNoOrigin) {
  const Gate gate = public_gate();
  Fields fields = but(but(good_change(gate), "Origin", ""), kTokenHeader, "");
  EXPECT_EQ(status(gate, fields, Wanted::look), 200);
  EXPECT_EQ(status(gate, but(fields, "Sec-Fetch-Site", "none"), Wanted::look), 200);
  EXPECT_EQ(status(gate, but(fields, "Sec-Fetch-Site", "cross-site"), Wanted::look), 403);
  // A link elsewhere may lead to a page, which is the same for everybody.
  EXPECT_EQ(status(gate, but(fields, "Sec-Fetch-Site", "cross-site"), Wanted::page), 200);
  fields.emplace_back("Origin", "https://evil.example");
  EXPECT_EQ(status(gate, fields, Wanted::look), 403);
}

TEST(Gate, AnAbsoluteTargetNamesTheSameHost) {
  const Gate gate = public_gate();
  for (const auto& [target, expected] :
       {std::pair("https://console.example.jp/", 200),
        std::pair("https://console.example.jp?a", 200), std::pair("http://evil.example/", 421),
        std::pair("https:///", 421), std::pair("https://console.example.jp@evil.example/", 421),
        std::pair("/a://b", 200)}) {
    http::Request request;
    request.target = target;
    for (auto& [name, value] : good_change(gate)) request.headers.add(name, value);
    const auto wrong = gate.judge(request, Wanted::page);
    EXPECT_EQ(wrong ? wrong->status : 200, expected) << target;
  }
}

TEST(Gate, TakesNoApiKeys) {
  const Gate gate = public_gate();
  Fields fields = good_change(gate);
  fields.emplace_back("Authorization", "Bearer abc");
  for (const Wanted wanted : {Wanted::look, Wanted::enter, Wanted::change}) {
    EXPECT_EQ(status(gate, fields, wanted), 400);
  }
}

TEST(Gate, WithoutAUrlItIsReachedAtTheLoopbackByAnyPort) {
  const Gate gate = loopback_gate();
  for (const std::string host : {"localhost:2580", "127.0.0.1:9000", "[::1]:2580", "localhost"}) {
    const Fields fields{{"Host", host}, {"Origin", "http://" + host}};
    EXPECT_EQ(status(gate, fields, Wanted::enter), 200) << host;
    EXPECT_EQ(gate.origin_of(with(fields)).text, "http://" + host);
  }
  for (const std::string host : {"rebound.example:2580", "192.0.2.1:2580", "localhost.example"}) {
    EXPECT_EQ(status(gate, {{"Host", host}, {"Origin", "http://" + host}}, Wanted::enter), 421)
        << host;
  }
  // Another program of this machine is another origin.
  EXPECT_EQ(status(gate, {{"Host", "localhost:2580"}, {"Origin", "http://localhost:3000"}},
                   Wanted::enter),
            403);
}

TEST(Gate, TheTokenBelongsToItsCookieAndItsKey) {
  const Gate gate = public_gate();
  EXPECT_EQ(gate.token_of(kCookie), public_gate().token_of(kCookie));
  EXPECT_NE(gate.token_of(kCookie), gate.token_of("another"));
  const Gate other("https://console.example.jp", false, SecretText(std::string(32, 'x')));
  EXPECT_NE(gate.token_of(kCookie), other.token_of(kCookie));
  EXPECT_THAT(gate.token_of(kCookie), Not(HasSubstr(std::string(kCookie))));
}

TEST(Cookies, AreOfTheHostAloneWhereTheOriginIsSecure) {
  const std::string secure = Gate::cookie_for(*parse_origin("https://console.example.jp"), "v");
  EXPECT_TRUE(secure.starts_with("__Host-todoku=v; Path=/;"));
  for (const char* attribute : {"HttpOnly", "SameSite=Strict", "Secure", "Max-Age=1209600;"}) {
    EXPECT_THAT(secure, HasSubstr(attribute));
  }
  EXPECT_THAT(secure, Not(HasSubstr("Domain")));
  const std::string plain = Gate::cookie_for(*parse_origin("http://127.0.0.1:2580"), "v");
  EXPECT_TRUE(plain.starts_with("todoku-console=v; Path=/;"));
  EXPECT_THAT(plain, HasSubstr("HttpOnly"));
  EXPECT_THAT(plain, Not(HasSubstr("Secure")));
  EXPECT_THAT(Gate::no_cookie(*parse_origin("https://console.example.jp")),
              HasSubstr("__Host-todoku=; Path=/; Max-Age=0"));
}

TEST(Cookies, AreFoundOnceOrNotAtAll) {
  EXPECT_EQ(find_cookie("a=1; b=2; c=3", "b"), "2");
  EXPECT_EQ(find_cookie("a=1;b=2", "b"), "2");
  EXPECT_EQ(find_cookie("b=", "b"), "");
  EXPECT_EQ(find_cookie("b=x=y", "b"), "x=y");
  EXPECT_EQ(find_cookie("ab=1; bc=2; B=3; b", "b"), std::nullopt);
  EXPECT_EQ(find_cookie("", "b"), std::nullopt);
  // Of two with one name nobody can say which one the server has set.
  EXPECT_EQ(find_cookie("b=1; b=2", "b"), std::nullopt);
}

TEST(Origins, AreSchemeHostAndPort) {
  EXPECT_EQ(parse_origin("https://Console.Example.JP:443/")->text, "https://console.example.jp");
  EXPECT_EQ(parse_origin("http://localhost:80")->host, "localhost");
  EXPECT_EQ(parse_origin("https://[2001:db8::1]:8443")->host, "[2001:db8::1]:8443");
  EXPECT_TRUE(parse_origin("https://console.example.jp")->is_secure);
  for (const char* text : {"", "console.example.jp", "ftp://a.example", "https://", "https://a/b",
                           "https://a?b", "https://u@a", "https://a:0", "https://a:65536",
                           "https://a:1x", "https://[::1", "https://[::1]x"}) {
    EXPECT_FALSE(parse_origin(text)) << text;
  }
}

TEST(Guard, LeavesAStricterPolicyAsItIs) {
  const Origin origin = *parse_origin("https://console.example.jp");
  http::Response response;
  guard(response, origin);
  EXPECT_THAT(std::string(response.headers.get("Content-Security-Policy")),
              testing::AllOf(HasSubstr("default-src 'none'"), HasSubstr("script-src 'self'"),
                             HasSubstr("frame-ancestors 'none'"), Not(HasSubstr("unsafe"))));
  EXPECT_EQ(response.headers.get("Cache-Control"), "no-store");
  EXPECT_EQ(response.headers.get("X-Content-Type-Options"), "nosniff");
  EXPECT_FALSE(response.headers.get("Strict-Transport-Security").empty());
  http::Response preview;
  preview.headers.set("Content-Security-Policy", "sandbox; default-src 'none'");
  guard(preview, *parse_origin("http://127.0.0.1:2580"));
  EXPECT_EQ(preview.headers.get("Content-Security-Policy"), "sandbox; default-src 'none'");
  EXPECT_FALSE(preview.headers.find("Strict-Transport-Security"));
}

}  // namespace
}  // namespace todoku::console
