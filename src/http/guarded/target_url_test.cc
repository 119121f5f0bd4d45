// SPDX-License-Identifier: Apache-2.0
#include "http/guarded/target_url.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace todoku::http {
namespace {

std::string wire(std::string_view text) {
  const auto url = TargetUrl::parse(text);
  return url ? url->wire() : url.error().detail;
}

TEST(TargetUrl, ReadsWhatIsOne) {
  const std::pair<const char*, const char*> table[] = {
      {"https://example.jp", "https://example.jp/"},
      {"HTTPS://Example.JP:443/Hook", "https://example.jp/Hook"},
      {"http://example.jp:80/a?b=c&d", "http://example.jp/a?b=c&d"},
      {"http://example.jp:8080?q", "http://example.jp:8080/?q"},
      {"https://example.jp./x", "https://example.jp/x"},
      {"https://日本語.example/受信?名=値",
       "https://xn--wgv71a119e.example/%E5%8F%97%E4%BF%A1?%E5%90%8D=%E5%80%A4"},
      {"https://example.jp/a|b", "https://example.jp/a%7Cb"},
      {"https://example.jp/%2e%2e/%", "https://example.jp/%2e%2e/%"},
      {"http://192.0.2.1/", "http://192.0.2.1/"},
      {"http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x"},
      {"http://app:3000/hook", "http://app:3000/hook"},
      {"https://user:pa%3Ass@example.jp/x", "https://example.jp/x"},
      {"https://a@b@example.jp/x", "https://example.jp/x"},
      {"https://example.jp/x@evil.example/", "https://example.jp/x@evil.example/"},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(wire(text), expected) << text;
}

TEST(TargetUrl, RefusesWhatIsNoneOrSeveral) {
  for (const std::string_view text : {"",
                                      "example.jp",
                                      "ftp://example.jp/",
                                      "https:/example.jp",
                                      "https://",
                                      "https:///x",
                                      "https://:443/",
                                      "https://user@/",
                                      "https://example.jp:0/",
                                      "https://example.jp:65536/",
                                      "https://example.jp:/",
                                      "https://example.jp:4x/",
                                      "https://example.jp/#part",
                                      "https://example.jp\\@evil.example/",
                                      "https://exa mple.jp/",
                                      "https://example.jp/a b",
                                      "https://example.jp/\r\nHost: evil.example",
                                      "https://example.jp/\t",
                                      "https://[::1/",
                                      "https://[::1]x/",
                                      "https://[127.0.0.1]/",
                                      "https://[fe80::1%25eth0]/",
                                      "https://127.1/",
                                      "https://2130706433/",
                                      "https://0x7f000001/",
                                      "https://0x7f.0.0.1/",
                                      "https://0177.0.0.1/",
                                      "https://1.2.3.4.5/",
                                      "https://example.1/",
                                      "https://example.0x1/",
                                      "https://ex%61mple.jp/",
                                      "https://a..example.jp/",
                                      "https://\xFF.example/",
                                      "https://us%00er@example.jp/",
                                      "https://a%3Ab:c@example.jp/",
                                      "https://user:%0a@example.jp/"}) {
    const auto url = TargetUrl::parse(text);
    EXPECT_FALSE(url) << text << " -> " << url->wire();
  }
}

TEST(TargetUrl, IsOfBoundedLength) {
  const std::string base = "https://example.jp/";
  const std::string longest = base + std::string(TargetUrl::kOctetsMax - base.size(), 'a');
  EXPECT_TRUE(TargetUrl::parse(longest));
  EXPECT_EQ(TargetUrl::parse(longest + "a").error().kind, ErrorKind::limit_exceeded);
}

TEST(TargetUrl, SendsUserAndPasswordAsAFieldAndShowsNeither) {
  const auto url = TargetUrl::parse("https://user:s%C3%A9cret@example.jp/hook?token=abc");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->authorization(), "Basic " + to_base64("user:s\xC3\xA9"
                                                       "cret"));
  EXPECT_EQ(url->shown(), "https://***@example.jp/hook?***");
  EXPECT_EQ(url->wire(), "https://example.jp/hook?token=abc");
  EXPECT_EQ(TargetUrl::parse("https://example.jp/")->authorization(), "");
  // The mistake does not tell the password either.
  const auto wrong = TargetUrl::parse("https://user:hunter2@exa_mple..jp/");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().detail.find("hunter2"), std::string::npos);
}

TEST(TargetUrl, IsJudgedAsFarAsItCanBeWithoutTheDns) {
  const net::OutboundRule rule({net::OutboundRule::Permit::parse("127.0.0.1:8080").value()});
  const auto allowed = [&](std::string_view text) {
    return TargetUrl::parse(text)->judge(rule).has_value();
  };
  EXPECT_TRUE(allowed("https://example.jp/"));
  EXPECT_TRUE(allowed("http://127.0.0.1:8080/"));
  EXPECT_TRUE(allowed("http://example.jp:8080/"));  // may yet be 127.0.0.1 of a name
  EXPECT_FALSE(allowed("http://example.jp:22/"));
  EXPECT_FALSE(allowed("http://127.0.0.1/"));
  EXPECT_FALSE(allowed("http://[::1]/"));
  EXPECT_FALSE(allowed("http://[::ffff:10.0.0.1]/"));
}

}  // namespace
}  // namespace todoku::http
