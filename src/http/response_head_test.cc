// SPDX-License-Identifier: Apache-2.0
#include "http/response_head.h"

#include <gtest/gtest.h>

namespace todoku::http {
namespace {

TEST(DateText, IsTheFormOfTheStandard) {
  DateText date;
  // The instant of RFC 9110 section 5.6.7.
  EXPECT_EQ(date.at(from_epoch_ms(784'111'777'123)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(from_epoch_ms(784'111'777'999)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(from_epoch_ms(1'772'323'200'000)), "Sun, 01 Mar 2026 00:00:00 GMT");
}

TEST(ResponseHead, CannotBeSplitByAValue) {
  Response response = Response::json(201, "{}");
  response.headers.add("Location", "/a\r\nSet-Cookie: evil=1");
  response.headers.add("Content-Length", "77");
  std::string out;
  append_response_head(out, response,
                       {.framing = Framing::length, .length = 2, .date = "D", .request_id = "r"});
  EXPECT_EQ(out,
            "HTTP/1.1 201 Created\r\nDate: D\r\nContent-Type: application/json\r\n"
            "Content-Length: 2\r\nX-Request-Id: r\r\nLocation: /a  Set-Cookie: evil=1\r\n\r\n");
}

TEST(ResponseHead, TellsOldClientsThatTheConnectionLives) {
  std::string out;
  append_response_head(out, Response(),
                       {.framing = Framing::none, .is_http_1_1 = false, .date = "D"});
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nDate: D\r\nConnection: keep-alive\r\n\r\n");
}

}  // namespace
}  // namespace todoku::http
