// SPDX-License-Identifier: Apache-2.0
#include "http/request_parser.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace todoku::http {
namespace {

constexpr std::size_t kHeadMax = 512;

// What came of octets fed in given portions: "METHOD path?query [body]" per request, and the status
// of a failure.
struct Parsed {
  std::vector<std::string> requests;
  int status = 200;
  std::string reason;
  bool incomplete = false;
};

class Feeder {
 public:
  Feeder() { parser_.start(request_); }

  // False once a failure ended it.
  bool feed(std::string_view octets) {
    pending_ += octets;
    for (;;) {
      const auto step = parser_.step(pending_);
      if (!step) {
        parsed_.status = step.error().status;
        parsed_.reason = step.error().reason;
        return false;
      }
      body_ += step->piece;
      pending_.erase(0, step->consumed);
      if (step->event == RequestParser::Event::need_more) return true;
      if (step->event != RequestParser::Event::end) continue;
      parsed_.requests.push_back(request_.method_name + " " + request_.path +
                                 (request_.query.empty() ? "" : "?" + request_.query) + " [" +
                                 body_ + "]");
      body_.clear();
      parser_.start(request_);
    }
  }
  Parsed take() { return std::move(parsed_); }
  Request& request() { return request_; }
  RequestParser& parser() { return parser_; }

 private:
  Request request_;
  RequestParser parser_{kHeadMax};
  std::string pending_;
  std::string body_;
  Parsed parsed_;
};

Parsed parse(std::string_view octets) {
  Feeder feeder;
  feeder.feed(octets);
  return feeder.take();
}

constexpr std::string_view kPipelined =
    "POST /a?x=1 HTTP/1.1\r\nHost: example.jp\r\nContent-Length: 5\r\n\r\nhello"
    "\r\nGET /b? HTTP/1.1\r\nhost: example.jp\r\n\r\n"
    "PUT /c%20d HTTP/1.1\r\nHost: example.jp\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3;x=y\r\nabc\r\n2\r\n\r\n\r\n0\r\nTrailer: 1\r\n\r\n"
    "PATCH /e HTTP/1.1\r\nHost: example.jp\r\nContent-Length: 0\r\n\r\n";
const std::vector<std::string> kPipelinedRequests = {"POST /a?x=1 [hello]", "GET /b []",
                                                     "PUT /c d [abc\r\n]", "PATCH /e []"};

TEST(RequestParser, ReadsPipelinedRequests) {
  const Parsed parsed = parse(kPipelined);
  EXPECT_EQ(parsed.status, 200) << parsed.reason;
  EXPECT_EQ(parsed.requests, kPipelinedRequests);
}

TEST(RequestParser, ReadsTheSameHoweverTheOctetsAreCut) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SeededRandom random(seed);
    const std::uint64_t largest = 1 + random.below(40);
    Feeder feeder;
    for (std::string_view rest = kPipelined; !rest.empty();) {
      const std::size_t size = std::min<std::size_t>(1 + random.below(largest), rest.size());
      ASSERT_TRUE(feeder.feed(rest.substr(0, size))) << "seed " << seed;
      rest.remove_prefix(size);
    }
    EXPECT_EQ(feeder.take().requests, kPipelinedRequests) << "seed " << seed;
  }
}

TEST(RequestParser, KeepsThePartsOfTheHead) {
  Feeder feeder;
  feeder.feed(
      "DELETE /x HTTP/1.1\r\nHost: example.jp\r\nX-Empty:\r\nX-A:  b c \r\n"
      "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n");
  const Request& request = feeder.request();
  EXPECT_EQ(request.method, Method::delete_);
  EXPECT_EQ(request.headers.find("x-empty"), "");
  EXPECT_EQ(request.headers.get("x-a"), "b c");
  EXPECT_TRUE(request.is_http_1_1);
  EXPECT_TRUE(feeder.parser().expects_continue());
  EXPECT_TRUE(feeder.parser().keep_alive());
  EXPECT_EQ(feeder.parser().content_length(), 3U);
  EXPECT_EQ(feeder.parser().body_left(), 3U);
  feeder.feed("ab");
  EXPECT_EQ(feeder.parser().body_left(), 1U);
}

TEST(RequestParser, DropsTrailerFields) {
  Feeder feeder;
  feeder.feed("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  feeder.feed("0\r\nAuthorization: evil\r\n");
  EXPECT_EQ(feeder.request().headers.find("Authorization"), std::nullopt);
  EXPECT_EQ(feeder.parser().content_length(), std::nullopt);
}

TEST(RequestParser, TakesTheAbsoluteAndTheAsteriskForm) {
  EXPECT_EQ(parse("GET http://example.jp/a/b?c HTTP/1.1\r\nHost: x\r\n\r\n").requests.at(0),
            "GET /a/b?c []");
  EXPECT_EQ(parse("GET HTTP://example.jp HTTP/1.1\r\nHost: x\r\n\r\n").requests.at(0), "GET / []");
  EXPECT_EQ(parse("GET http://example.jp?q HTTP/1.1\r\nHost: x\r\n\r\n").requests.at(0),
            "GET /?q []");
  EXPECT_EQ(parse("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").requests.at(0), "OPTIONS * []");
  EXPECT_EQ(parse("GET * HTTP/1.1\r\nHost: x\r\n\r\n").status, 400);
  EXPECT_EQ(parse("CONNECT example.jp:443 HTTP/1.1\r\nHost: x\r\n\r\n").status, 400);
}

TEST(RequestParser, RefusesWhatTwoReadersCouldReadDifferently) {
  const auto status = [](std::string_view fields) {
    return parse("POST / HTTP/1.1\r\n" + std::string(fields) + "\r\n").status;
  };
  EXPECT_EQ(status("Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(status("Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n"), 400);
  EXPECT_EQ(status("Host: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n"), 400);
  EXPECT_EQ(status("Host: a\r\nContent-Length: -1\r\n"), 400);
  EXPECT_EQ(status("Host: a\r\nContent-Length: 1x\r\n"), 400);
  EXPECT_EQ(status("Host: a\r\nTransfer-Encoding: gzip, chunked\r\n"), 501);
  EXPECT_EQ(status("Host: a\r\nTransfer-Encoding: identity\r\n"), 501);
  EXPECT_EQ(status("Host: a\r\nHost: b\r\n"), 400);
  for (const char* host : {"a/b", "a@b", "a b", "[::1", "[x]", "[::1]x", "a:99999", "a:x", ":80",
                           "a\"b", "a:1:2", "\xC3\xA9"}) {
    EXPECT_EQ(status("Host: " + std::string(host) + "\r\n"), 400) << host;
  }
  EXPECT_EQ(status(""), 400);
  EXPECT_EQ(status("Host: a\r\nX Y: 1\r\n"), 400);
  EXPECT_EQ(status("Host : a\r\n"), 400);
  EXPECT_EQ(status("Host: a\r\nExpect: miracles\r\n"), 417);
  EXPECT_EQ(parse("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").status, 400);
  EXPECT_EQ(parse("GET / HTTP/1.0\r\n\r\n").requests.at(0), "GET / []");
}

TEST(RequestParser, RefusesWhatIsNoHttp) {
  EXPECT_EQ(parse("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03").status, 400);
  EXPECT_EQ(parse("GET  / HTTP/1.1\r\nHost: a\r\n\r\n").status, 400);
  EXPECT_EQ(parse("GET / HTTP/2.0\r\nHost: a\r\n\r\n").status, 505);
  EXPECT_EQ(parse("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n").status, 400);
  EXPECT_EQ(parse("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n").status, 400);
  EXPECT_EQ(parse("GET / HTTP/1.1\nHost: a\n\n").status, 505);
}

TEST(RequestParser, RefusesBrokenChunks) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(parse(head + "x\r\n").status, 400);
  EXPECT_EQ(parse(head + "3\r\nabcd\r\n0\r\n\r\n").status, 400);
  EXPECT_EQ(parse(head + "FFFFFFFFFFFFFFFFF\r\n").status, 400);
  EXPECT_EQ(parse(head + "3;" + std::string(2 * kHeadMax, 'x')).status, 400);
  EXPECT_EQ(parse(head + "0\r\n" + std::string(2 * kHeadMax, 'x')).status, 400);
}

TEST(RequestParser, HoldsTheHeadToItsLimitInWhateverPortions) {
  const std::string field = "X-Filler: 0123456789012345678901234567890123456789\r\n";
  EXPECT_EQ(parse("GET /" + std::string(kHeadMax, 'a')).status, 414);
  Feeder feeder;
  feeder.feed("GET / HTTP/1.1\r\nHost: a\r\n");
  bool going_on = true;
  std::size_t fed = 0;
  while (going_on && fed < 10 * kHeadMax) {
    going_on = feeder.feed(field);
    fed += field.size();
  }
  EXPECT_LT(fed, kHeadMax + field.size());
  EXPECT_EQ(feeder.take().status, 431);
  std::string all = "GET / HTTP/1.1\r\nHost: a\r\n";
  while (all.size() <= kHeadMax) all += field;
  EXPECT_EQ(parse(all + "\r\n").status, 431);
}

TEST(RequestParser, EmptyLinesBeforeARequestCountToItsLimit) {
  Feeder feeder;
  bool going_on = true;
  for (std::size_t i = 0; going_on && i < kHeadMax; ++i) going_on = feeder.feed("\r\n");
  EXPECT_FALSE(going_on);
}

}  // namespace
}  // namespace todoku::http
