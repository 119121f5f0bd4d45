// SPDX-License-Identifier: Apache-2.0
#include "http/origin.h"

#include <gtest/gtest.h>

namespace todoku::http {
namespace {

std::string origin(std::string_view host, std::string_view local = "192.0.2.7:8025") {
  Request request;
  if (!host.empty()) request.headers.add("Host", host);
  request.local = net::Endpoint::parse(local).value();
  return origin_of(request);
}

TEST(OriginOf, IsTheHostThatNamesThisMachine) {
  for (const std::string_view host : {"127.0.0.1:8025", "localhost", "LocalHost:80", "[::1]:8025",
                                      "127.9.9.9", "192.0.2.7", "192.0.2.7:9000"}) {
    EXPECT_EQ(origin(host), "http://" + std::string(host));
  }
  EXPECT_EQ(origin("[2001:db8::1]:8025", "[2001:db8::1]:8025"), "http://[2001:db8::1]:8025");
}

TEST(OriginOf, IsTheAddressOfTheConnectionForAnyOtherHost) {
  for (const std::string_view host :
       {"", "evil.example", "evil.example:8025", "192.0.2.8", "localhost.evil.example",
        "127.0.0.1@evil.example", "127.0.0.1:80@evil.example", "127.0.0.1/x", "localhost:8025/x",
        "[::1", "[::1]evil.example", "localhost:123456", "127.0.0.1:80:80"}) {
    EXPECT_EQ(origin(host), "http://192.0.2.7:8025") << host;
  }
}

TEST(OriginOf, SaysHowTheRequestCame) {
  Request request;
  request.is_secure = true;
  request.local = net::Endpoint::parse("[2001:db8::1]:443").value();
  EXPECT_EQ(origin_of(request), "https://[2001:db8::1]:443");
}

}  // namespace
}  // namespace todoku::http
