// SPDX-License-Identifier: Apache-2.0
#include "mime/uri.h"

#include <gtest/gtest.h>

namespace todoku::mime {
namespace {

std::string uri(std::string_view given) {
  const auto valid = valid_uri(given);
  return valid ? *valid : valid.error().detail;
}

TEST(Uri, WhatIsValidStays) {
  for (const char* given :
       {"https://example.jp/a?b=c&d=%20#f", "mailto:u@example.jp?subject=unsubscribe%20me",
        "http://user:pw@example.jp:8080/~a/(b)'*!$;=+@", "https://[2001:db8::1]:443/x",
        "https://example.jp", "mailto:u+1@example.jp", "https://example.jp/?x=__id__"}) {
    EXPECT_EQ(uri(given), given);
  }
  EXPECT_EQ(uri(" HTTPS://Example.jp/A\u3000\r\n"), "https://Example.jp/A");
}

TEST(Uri, WhatIsNotAllowedIsEncoded) {
  EXPECT_EQ(uri("https://example.jp/50% off?a=<b>,\"c\"&p=100%&q=%4"),
            "https://example.jp/50%25%20off?a=%3Cb%3E%2C%22c%22&p=100%25&q=%254");
  EXPECT_EQ(uri("https://example.jp/届く?ids[]=1#a#b\\^`{|}"),
            "https://example.jp/%E5%B1%8A%E3%81%8F?ids%5B%5D=1#a%23b%5C%5E%60%7B%7C%7D");
  EXPECT_EQ(uri("mailto:u@example.jp?subject=配信 停止"),
            "mailto:u@example.jp?subject=%E9%85%8D%E4%BF%A1%20%E5%81%9C%E6%AD%A2");
  EXPECT_EQ(uri("mailto:a b@example.jp,c@example.com"), "mailto:a%20b@example.jp%2Cc@example.com");
  EXPECT_EQ(uri("https://example.jp/?u=%%code%%"), "https://example.jp/?u=%25%25code%25%25");
  EXPECT_EQ(uri("https://example.jp/\r\n x"), "https://example.jp/%0D%0A%20x");
}

TEST(Uri, HostsAreALabels) {
  EXPECT_EQ(uri("https://日本語.jp:8443/届"), "https://xn--wgv71a119e.jp:8443/%E5%B1%8A");
  EXPECT_EQ(uri("https://__Name__.日本語.jp?x"), "https://__Name__.xn--wgv71a119e.jp?x");
  EXPECT_EQ(uri("mailto:u@日本語.jp?subject=x"), "mailto:u@xn--wgv71a119e.jp?subject=x");
  EXPECT_EQ(uri("https://%%host%%/x"), "https://%25%25host%25%25/x");
}

TEST(Uri, WhatLeadsNowhereIsRefused) {
  EXPECT_EQ(uri("u@example.jp"), "is no mailto:, http: or https: URI");
  EXPECT_EQ(uri("ftp://example.jp/"), "is no mailto:, http: or https: URI");
  EXPECT_EQ(uri(""), "is no mailto:, http: or https: URI");
  EXPECT_EQ(uri("https:///x"), "has no host");
  EXPECT_EQ(uri("https://:80/x"), "has no host");
  EXPECT_EQ(uri("mailto:"), "has no address");
  EXPECT_EQ(uri("mailto:u@"), "has no host");
  EXPECT_EQ(uri("https://exa mple.jp/"), "has an impossible host");
  EXPECT_EQ(uri("https://a,b/"), "has an impossible host");
  EXPECT_EQ(uri("https://\xE3\x81.jp/"), "has an impossible host");
  EXPECT_EQ(uri("https://example.jp/" + std::string(882, 'x')),
            "has 901 bytes when it is percent-encoded; the limit is 900 bytes");
  EXPECT_EQ(uri("https://example.jp/" + std::string(881, 'x')).size(), 900U);
}

}  // namespace
}  // namespace todoku::mime
