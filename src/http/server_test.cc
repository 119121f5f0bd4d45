// SPDX-License-Identifier: Apache-2.0
// The server over loopback, spoken to octet by octet. Time-outs are real and short; nothing sleeps.
#include "http/server.h"

#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/client.h"
#include "http/multipart_reader.h"
#include "http/test_server.h"
#include "net/dialer.h"
#include "net/self_signed.h"

namespace todoku::http {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(ServerTest, AnswersOneRequestAfterAnotherOnOneConnection) {
  start();
  RawClient client(port_);
  for (const std::string body : {"one", "", "three"}) {
    client.send(post("/echo", body));
    EXPECT_EQ(client.read_response(), "200 " + body);
    EXPECT_THAT(client.last_head, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
    EXPECT_THAT(client.last_head, HasSubstr("\r\nX-Request-Id: "));
    EXPECT_THAT(client.last_head, HasSubstr("\r\nDate: "));
    EXPECT_THAT(client.last_head, Not(HasSubstr("Connection")));
  }
  client.send(get("/things/a%20b"));
  EXPECT_EQ(client.read_response(), "200 GET /things/a b id=a b secure=0 from=127.0.0.1");
  EXPECT_EQ(server_->stats().requests, 4U);
  EXPECT_EQ(server_->stats().connections_open, 1U);
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  RawClient client(port_);
  std::string all;
  for (int i = 0; i < 200; ++i) all += post("/echo", "body " + std::to_string(i));
  std::thread sender([&] { client.send(all); });
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(client.read_response(), "200 body " + std::to_string(i));
  }
  sender.join();
}

TEST_F(ServerTest, ReadsChunkedBodies) {
  start();
  RawClient client(port_);
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  client.send("2;ext\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_response(), "200 abcde");
  client.send("POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (int i = 0; i < 20; ++i) client.send(chunk);
  client.send("0\r\n\r\n");
  EXPECT_EQ(client.read_response(), "200 " + std::to_string(20 * 0x10000));
}

TEST_F(ServerTest, GathersABodyThatComesInPieces) {
  start();
  RawClient client(port_);
  const std::string body(300'000, 'y');
  client.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n");
  for (std::size_t at = 0; at < body.size(); at += 1000) client.send(body.substr(at, 1000));
  EXPECT_EQ(client.read_response(), "200 " + body);
  client.send(post("/echo", "small again"));
  EXPECT_EQ(client.read_response(), "200 small again");
}

TEST_F(ServerTest, WipesABodyAndNothingThatFollowsIt) {
  start();
  RawClient client(port_);
  const auto put = [](const std::string& framing, const std::string& body) {
    return "PUT /secret HTTP/1.1\r\nHost: a\r\n" + framing + "\r\n\r\n" + body;
  };
  const std::string piece(0x8000, 's');
  const std::string chunk = "8000\r\n" + piece + "\r\n";
  std::thread sender([&] {
    client.send(put("Content-Length: 5", "small") + get("/things/1") +
                put("Content-Length: 65536", piece + piece) + get("/things/2") +
                put("Transfer-Encoding: chunked", chunk + chunk + chunk + chunk + "0\r\n\r\n") +
                put("Content-Length: 1000001", "") + "");
  });
  EXPECT_EQ(client.read_response(), "200 small");
  EXPECT_THAT(client.read_response(), HasSubstr("id=1"));
  EXPECT_EQ(client.read_response(), "200 " + piece + piece);
  EXPECT_THAT(client.read_response(), HasSubstr("id=2"));
  EXPECT_EQ(client.read_response(), "200 " + piece + piece + piece + piece);
  EXPECT_THAT(client.read_response(), StartsWith("413 "));
  sender.join();
}

TEST_F(ServerTest, AnswersAClientThatOnlyStoppedSending) {
  start();
  RawClient client(port_);
  client.send(post("/echo", "last words"));
  client.finish_sending();
  EXPECT_EQ(client.read_response(), "200 last words");
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_TRUE(client.ended_in_order());
}

TEST_F(ServerTest, KeepsToWhatTheClientWantsOfTheConnection) {
  start();
  EXPECT_THAT(all_answers(get("/things/1", "Connection: close\r\n") + get("/things/2")),
              testing::AllOf(HasSubstr("Connection: close\r\n"), HasSubstr("id=1"),
                             Not(HasSubstr("id=2"))));
  EXPECT_THAT(all_answers("GET /things/1 HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close\r\n"));
  RawClient old(port_);
  old.send("GET /things/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(old.read_response(), HasSubstr("id=1"));
  EXPECT_THAT(old.last_head, HasSubstr("Connection: keep-alive\r\n"));
  old.send("GET /things/2 HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old.read_to_end(), HasSubstr("id=2"));
}

TEST_F(ServerTest, HeadIsGetWithoutTheBody) {
  start();
  RawClient client(port_);
  client.send("HEAD /things/12 HTTP/1.1\r\nHost: a\r\n\r\n" + get("/things/3"));
  const std::string head = client.read_through("\r\n\r\n");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Length: 45\r\n"));
  EXPECT_THAT(client.read_response(), HasSubstr("id=3"));
}

TEST_F(ServerTest, SaysWhatIsWrongWithAPath) {
  start();
  RawClient client(port_);
  client.send(get("/nowhere"));
  EXPECT_EQ(client.read_response(),
            R"(404 {"status":404,"error":"Not Found","message":"there is nothing at this path"})");
  client.send(post("/things/1", "a small body is skipped"));
  EXPECT_THAT(client.read_response(), StartsWith("405 "));
  EXPECT_THAT(client.last_head, HasSubstr("Allow: GET, HEAD\r\n"));
  client.send(get("/things/7"));
  EXPECT_THAT(client.read_response(), HasSubstr("id=7"));
}

TEST_F(ServerTest, RefusesMalformedRequestsAndCloses) {
  start();
  EXPECT_THAT(all_answers("NONSENSE\r\n\r\n"), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(all_answers("GET / HTTP/1.1\r\n\r\n"), HasSubstr("exactly one Host"));
  EXPECT_THAT(all_answers(get("/", "X: " + std::string(17'000, 'x') + "\r\n")),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(all_answers("GET /" + std::string(17'000, 'x')), StartsWith("HTTP/1.1 414 "));
  EXPECT_THAT(
      all_answers("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"),
      StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(all_answers(get("/things/1") + "NONSENSE\r\n\r\n"),
              testing::AllOf(HasSubstr("id=1"), HasSubstr("HTTP/1.1 400 ")));
}

TEST_F(ServerTest, TheHookShapesFailures) {
  ServerOptions options;
  options.failure_responder = [](const Failure& failure, const Request& request) {
    return Response::json(failure.status, R"({"error_messages":{"main":[")" + failure.reason + " " +
                                              request.path + R"("]}})");
  };
  start(options);
  RawClient client(port_);
  client.send(get("/nowhere"));
  EXPECT_EQ(client.read_response(),
            R"(404 {"error_messages":{"main":["there is nothing at this path /nowhere"]}})");
}

TEST_F(ServerTest, RefusesALongBodyBeforeItIsSent) {
  start();
  RawClient client(port_);
  client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_THAT(client.read_response(), StartsWith("413 "));
  EXPECT_THAT(client.last_head, HasSubstr("Connection: close\r\n"));
  client.finish_sending();
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(ServerTest, AClientThatSendsTooMuchCanStillReadTheRefusal) {
  start();
  // Announced, and found out while reading: the client sends everything first and only then reads.
  for (const bool chunked : {false, true}) {
    RawClient client(port_);
    const std::string body(4'000'000, 'x');
    if (chunked) {
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3D0900\r\n");
    } else {
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n");
    }
    EXPECT_TRUE(client.send(body));
    client.finish_sending();
    EXPECT_THAT(client.read_response(), StartsWith("413 "));
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_TRUE(client.ended_in_order());
  }
}

TEST_F(ServerTest, AStreamingRouteIsHeldToItsLimitWhateverTheHandlerAnswers) {
  start();
  RawClient client(port_);
  client.send("POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFF\r\n");
  client.send(std::string(0xFFFFFF, 'x'));
  client.finish_sending();
  EXPECT_THAT(client.read_response(), StartsWith("413 "));
}

TEST_F(ServerTest, AHandlerNeedNotReadTheBody) {
  start();
  RawClient client(port_);
  client.send(post("/ignore", std::string(20'000, 'x')) + get("/things/1"));
  EXPECT_EQ(client.read_response(), "200 not read");
  EXPECT_THAT(client.read_response(), HasSubstr("id=1"));
  RawClient large(port_);
  large.send(post("/ignore", std::string(2'000'000, 'x')));
  large.finish_sending();
  EXPECT_EQ(large.read_response(), "200 not read");
  EXPECT_THAT(large.last_head, HasSubstr("Connection: close\r\n"));
}

TEST_F(ServerTest, SaysContinueOnlyWhenTheBodyIsWanted) {
  start();
  const std::string head =
      " HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
  RawClient client(port_);
  client.send("POST /echo" + head);
  EXPECT_EQ(client.read_through("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(client.read_response(), "200 abc");
  // The body is here already: nothing to wait for.
  client.send("POST /echo" + head + "def");
  EXPECT_EQ(client.read_response(), "200 def");
  client.send("POST /ignore" + head);
  EXPECT_EQ(client.read_response(), "200 not read");
  EXPECT_THAT(client.last_head, HasSubstr("Connection: close\r\n"));
}

TEST_F(ServerTest, SlowHeadsEndInTime) {
  ServerOptions options;
  options.head_timeout = 100ms;
  options.linger_timeout = 100ms;
  start(options);
  RawClient silent(port_);
  EXPECT_EQ(silent.read_to_end(), "");
  RawClient slow(port_);
  std::thread dripping([&] {
    const std::string_view octets = "GET /things/1 HTTP/1.1\r\nX-Slow: ";
    slow.send(octets);
    while (slow.send("x")) ::poll(nullptr, 0, 5);
  });
  EXPECT_THAT(slow.read_to_end(), StartsWith("HTTP/1.1 408 "));
  dripping.join();
}

TEST_F(ServerTest, IdleConnectionsEndInTime) {
  ServerOptions options;
  options.idle_timeout = 100ms;
  start(options);
  RawClient client(port_);
  client.send(get("/things/1"));
  EXPECT_THAT(client.read_response(), StartsWith("200 "));
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_TRUE(client.ended_in_order());
}

TEST_F(ServerTest, BodiesThatStopEndInTime) {
  ServerOptions options;
  options.body_timeout = 100ms;
  options.linger_timeout = 100ms;
  start(options);
  EXPECT_THAT(all_answers("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"),
              StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(all_answers("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"),
              StartsWith("HTTP/1.1 408 "));
}

TEST_F(ServerTest, BodiesThatDripEndInTime) {
  ServerOptions options;
  options.body_timeout = 200ms;
  options.body_rate_min = 1'000'000;
  options.linger_timeout = 100ms;
  start(options);
  RawClient slow(port_);
  slow.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  std::thread dripping([&] {
    while (slow.send("x")) ::poll(nullptr, 0, 5);
  });
  EXPECT_THAT(slow.read_through("\r\n"), StartsWith("HTTP/1.1 408 "));
  slow.read_to_end();
  dripping.join();
}

TEST_F(ServerTest, AClientThatDoesNotReadIsLeft) {
  ServerOptions options;
  options.write_timeout = 100ms;
  start(options);
  RawClient client(port_);
  // More than both sockets hold.
  for (int i = 0; i < 20; ++i) client.send(get("/large"));
  await_no_connection();
  EXPECT_LT(client.read_to_end().size(), 60'000'000U);
}

TEST_F(ServerTest, AResponseMustBeTakenAtARate) {
  ServerOptions options;
  options.write_timeout = 300ms;
  options.write_rate_min = 100'000'000;
  start(options);
  RawClient client(port_);
  client.send(get("/long"));
  // Every piece is taken in a part of write_timeout, and there are 32,768.
  const auto begun = clock_.steady_now();
  while (!client.read_octets(65'536).empty()) {
    ASSERT_LT(clock_.steady_now() - begun, Microseconds(20s)) << "it is still being sent";
    ::poll(nullptr, 0, 5);
  }
}

TEST_F(ServerTest, ABrokenOffBodyGetsNoAnswer) {
  start();
  RawClient client(port_);
  client.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  client.finish_sending();
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(ServerTest, SourcesAreSentByLengthInChunksOrUntilTheEnd) {
  start();
  RawClient client(port_);
  client.send(get("/source"));
  EXPECT_THAT(client.read_through("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(client.read_through("0\r\n\r\n"),
            "5\r\npiece\r\n5\r\npiece\r\n5\r\npiece\r\n0\r\n\r\n");
  client.send(get("/source?length=15"));
  EXPECT_EQ(client.read_response(), "200 piecepiecepiece");
  client.send("GET /source HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string old = client.read_to_end();
  EXPECT_THAT(old, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(old, testing::EndsWith("\r\n\r\npiecepiecepiece"));
}

TEST_F(ServerTest, ASourceThatFailsCutsTheConnection) {
  start();
  EXPECT_THAT(all_answers(get("/source?fail=1")), testing::EndsWith("5\r\npiece\r\n"));
  EXPECT_THAT(all_answers(get("/source?length=14")), testing::EndsWith("piecepiece"));
  EXPECT_THAT(all_answers(get("/source?length=16") + get("/things/1")),
              testing::EndsWith("piecepiecepiece"));
}

TEST_F(ServerTest, AHandlerThatThrowsIs500AndCounted) {
  start();
  EXPECT_THAT(all_answers(get("/throw")),
              testing::AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("deliberate"))));
  exceptions_expected_ = 1;
}

TEST_F(ServerTest, AFirstRequestHasOneDeadlineForSilenceAndHead) {
  ServerOptions options;
  options.head_timeout = 300ms;
  options.idle_timeout = 60s;
  start(options);
  RawClient client(port_);
  const auto begun = clock_.steady_now();
  ::poll(nullptr, 0, 200);
  client.send("GET / HTTP/1.1\r\n");
  EXPECT_THAT(client.read_response(), StartsWith("408 "));
  EXPECT_LT(clock_.steady_now() - begun, Microseconds(480ms));
}

TEST_F(ServerTest, StoppingFinishesWhatIsInFlightAndClosesWhatIsIdle) {
  start();
  RawClient busy(port_);
  busy.send(get("/gate") + get("/things/2"));
  gate.await_arrival();
  // Enough for every thread of the server: a thread that has closed one of these has told all of
  // its connections to stop, the busy one too.
  std::deque<RawClient> idle;
  for (int i = 0; i < 6; ++i) {
    idle.emplace_back(port_).send(get("/things/1"));
    EXPECT_THAT(idle.back().read_response(), StartsWith("200 "));
  }
  auto stopped = std::async(std::launch::async, [&] { stop(10s); });
  for (RawClient& client : idle) EXPECT_EQ(client.read_to_end(), "");
  EXPECT_FALSE(RawClient(port_).connected());
  gate.open();
  EXPECT_EQ(busy.read_response(), "200 passed");
  EXPECT_THAT(busy.last_head, HasSubstr("Connection: close\r\n"));
  busy.finish_sending();
  EXPECT_EQ(busy.read_to_end(), "");
  stopped.get();
  EXPECT_EQ(server_->stats().connections_open, 0U);
  server_.reset();
}

TEST_F(ServerTest, HandsItsAddressOverWithNoMomentInWhichNobodyListens) {
  start();
  RawClient busy(port_);
  busy.send(get("/gate"));
  gate.await_arrival();
  std::atomic<bool> enough{false};
  std::atomic<int> refused{0};
  // Not for longer than that: what each leaves behind keeps a port for a minute.
  std::thread knocking([&] {
    for (int i = 0; i < 500 && !enough; ++i) refused += RawClient(port_).connected() ? 0 : 1;
  });
  Server next({runtime_.executor(0)}, clock_, test_router());
  async::run_to_completion(server_->hand_over(next));
  auto stopped = std::async(std::launch::async, [&] { stop(10s); });
  RawClient client(port_);
  client.send(get("/things/1"));
  EXPECT_THAT(client.read_response(), StartsWith("200 "));
  EXPECT_EQ(next.stats().requests, 1U);
  gate.open();
  EXPECT_EQ(busy.read_response(), "200 passed");
  stopped.get();
  enough = true;
  knocking.join();
  EXPECT_EQ(refused, 0);
  client.finish_sending();
  EXPECT_EQ(client.read_to_end(), "");
  async::run_to_completion(next.stop(1s));
  server_.reset();
}

TEST_F(ServerTest, StoppingEndsWhatTakesTooLong) {
  start();
  RawClient client(port_);
  client.send(get("/forever"));
  RawClient other(port_);
  other.send(get("/things/1"));
  EXPECT_THAT(other.read_response(), StartsWith("200 "));
  stop(50ms);
  EXPECT_EQ(server_->stats().connections_open, 0U);
  server_.reset();
}

TEST_F(ServerTest, ListensOnAUnixSocketOfThisUserOnly) {
  make();
  const std::string path =
      std::filesystem::temp_directory_path() / ("todoku-http-" + std::to_string(::getpid()));
  bool listening = false;
  const auto listen_there = [](Server& server, std::string at, bool& out) -> Task<void> {
    const auto result = co_await server.listen_unix(std::move(at));
    out = result.has_value();
  };
  async::run_to_completion(listen_there(*server_, path, listening));
  ASSERT_TRUE(listening);
  EXPECT_EQ(std::filesystem::status(path).permissions() &
                (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
            std::filesystem::perms::none);
  RawClient client(path);
  client.send(get("/things/1"));
  EXPECT_EQ(client.read_response(), "200 GET /things/1 id=1 secure=0 from=0.0.0.0");
}

TEST_F(ServerTest, TellsTheObserverOfEveryExchange) {
  std::mutex mutex;
  std::vector<std::string> seen;
  ServerOptions options;
  options.observer = [&](const Exchange& exchange) {
    const std::lock_guard lock(mutex);
    seen.push_back(exchange.request.method_name + " " +
                   (exchange.route != nullptr ? exchange.route->pattern : "-") + " " +
                   std::to_string(exchange.status) + " " + std::to_string(exchange.body_received));
  };
  start(options);
  all_answers(post("/echo", "12345") + get("/things/1") + get("/nowhere") + "X\r\n\r\n");
  stop(1s);
  server_.reset();
  EXPECT_EQ(seen, (std::vector<std::string>{"POST /echo 200 5", "GET /things/{id} 200 0",
                                            "GET - 404 0", " - 400 0"}));
}

// Fetches over TLS, trusting `ca_file`, and stores the body or the error's word.
Task<void> fetch_into(std::string url, std::string ca_file, std::string& out) {
  Client client({.ca_file = std::move(ca_file)});
  ClientRequest request;
  request.url = std::move(url);
  const auto response = co_await client.fetch(std::move(request));
  out = response ? response->body : std::string(to_string(response.error().kind));
}

// Where a client finds whom to trust.
class CaFile {
 public:
  explicit CaFile(const std::string& chain)
      : path_(std::filesystem::temp_directory_path() /
              ("todoku-http-ca-" + std::to_string(::getpid()) + ".pem")) {
    std::ofstream(path_) << chain;
  }
  ~CaFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  CaFile(const CaFile&) = delete;
  CaFile& operator=(const CaFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

TEST_F(ServerTest, SpeaksTls) {
  const net::TlsIdentity identity = net::make_self_signed({"127.0.0.1"}, clock_.now());
  auto tls = net::TlsServerContext::create(identity);
  ASSERT_TRUE(tls);
  start({}, *tls);
  const CaFile ca(identity.chain);
  const std::string url = "https://127.0.0.1:" + std::to_string(port_) + "/things/1";
  std::string answer;
  async::run_to_completion(fetch_into(url, ca.path(), answer));
  EXPECT_EQ(answer, "GET /things/1 id=1 secure=1 from=127.0.0.1");
  async::run_to_completion(fetch_into(url, "", answer));
  EXPECT_EQ(answer, "unauthorized");
  // Plain text at a TLS port ends the connection.
  EXPECT_THAT(all_answers(get("/things/1")), Not(HasSubstr("200 OK")));
}

TEST_F(ServerTest, SaysOverTlsThatThereIsNoPlace) {
  const net::TlsIdentity identity = net::make_self_signed({"127.0.0.1"}, clock_.now());
  auto tls = net::TlsServerContext::create(identity);
  ASSERT_TRUE(tls);
  ServerOptions options;
  options.connections_max = 1;
  options.displaced_after = 60s;
  start(options, *tls);
  const CaFile ca(identity.chain);
  const RawClient silent(port_);
  await_connections(1);
  std::string answer;
  async::run_to_completion(
      fetch_into("https://127.0.0.1:" + std::to_string(port_) + "/things/1", ca.path(), answer));
  EXPECT_THAT(answer, HasSubstr("as many connections as it can serve"));
}

TEST_F(ServerTest, ServesManyClientsAtOnce) {
  start();
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      RawClient client(port_);
      for (int i = 0; i < 200; ++i) {
        const std::string body = std::to_string(t) + ":" + std::to_string(i);
        client.send(post("/echo", body));
        if (client.read_response() == "200 " + body) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 8 * 200);
}

}  // namespace
}  // namespace todoku::http
