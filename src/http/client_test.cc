// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "async/runtime.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "http/server.h"

namespace todoku::http {
namespace {

using namespace std::chrono_literals;

Task<Response> mirror(Request& request, Body& body) {
  Response response = Response::text(202, request.method_name + " " + request.target + " " +
                                              std::string(request.headers.get("X-Asked")) + " " +
                                              std::string(request.headers.get("Authorization")) +
                                              " " + std::string(body.text()));
  response.headers.add("X-Answer", "yes");
  co_return response;
}

Task<Response> redirect(Request& /*request*/, Body& /*body*/) {
  Response response;
  response.status = 302;
  response.headers.add("Location", "/mirror");
  co_return response;
}

Task<Response> be_silent(Request& /*request*/, Body& /*body*/) {
  co_await async::sleep_for(1h);
  co_return Response();
}

Task<Response> be_text(Request& request, Body& /*body*/) {
  co_return Response::text(request.target == "/text?refused" ? 429 : 200, "a long text");
}

class ClientTest : public testing::Test {
 protected:
  ClientTest() {
    Router router;
    for (const Method method : {Method::get, Method::post, Method::put, Method::delete_}) {
      router.add(method, "/mirror", mirror);
    }
    router.add(Method::get, "/redirect", redirect);
    router.add(Method::get, "/silent", be_silent);
    router.add(Method::get, "/text", be_text);
    server_ =
        std::make_unique<Server>(std::vector{runtime_.executor(0)}, clock_, std::move(router));
    runtime_.start();
    async::run_to_completion(listen());
  }
  ~ClientTest() override {
    client_.reset();
    async::run_to_completion(server_->stop(10ms));
    runtime_.join();
  }

  Task<void> listen() {
    const net::Endpoint at{.address = net::IpAddress::v4({127, 0, 0, 1}), .port = 0};
    const auto local = co_await server_->listen(at);
    base_ = "http://127.0.0.1:" + std::to_string(local.value().port);
    const auto unix_result = co_await server_->listen_unix(path_);
    EXPECT_TRUE(unix_result);
  }

  Task<void> fetch_into(ClientRequest request, Result<ClientResponse>& out) {
    out = co_await client_->fetch(std::move(request));
  }
  Task<void> fetch_and_cancel(ClientRequest request, Result<ClientResponse>& out) {
    async::TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn("fetch", fetch_into(std::move(request), out));
    co_await async::sleep_for(20ms);
    co_await group.stop();
  }
  Result<ClientResponse> fetch(ClientRequest request) {
    Result<ClientResponse> out;
    async::run_to_completion(fetch_into(std::move(request), out));
    return out;
  }
  // The error's word, or "ok".
  std::string why_not(ClientRequest request) {
    const auto response = fetch(std::move(request));
    return response ? "ok" : std::string(to_string(response.error().kind));
  }
  ClientRequest to(std::string_view path) {
    ClientRequest request;
    request.url = base_ + std::string(path);
    return request;
  }

  SystemClock clock_;
  async::Runtime runtime_{1};
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client> client_ = std::make_unique<Client>();
  std::string base_;
  std::string path_ =
      std::filesystem::temp_directory_path() / ("todoku-client-" + std::to_string(::getpid()));
};

TEST_F(ClientTest, SendsMethodFieldsAndBody) {
  ClientRequest request = to("/mirror?a=b");
  request.method = "PUT";
  request.headers.add("X-Asked", "this");
  request.body = "content";
  const auto response = fetch(std::move(request));
  ASSERT_TRUE(response) << response.error().detail;
  EXPECT_EQ(response->status, 202);
  EXPECT_EQ(response->body, "PUT /mirror?a=b this  content");
  EXPECT_EQ(response->headers.get("x-answer"), "yes");
  EXPECT_EQ(response->headers.get("Content-Type"), "text/plain; charset=utf-8");
}

TEST_F(ClientTest, TakesUserAndPasswordFromTheUrl) {
  ClientRequest request = to("/mirror");
  request.url.insert(7, "user:secret@");
  const auto response = fetch(std::move(request));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "GET /mirror  Basic dXNlcjpzZWNyZXQ= ");
}

TEST_F(ClientTest, PostsWithoutABody) {
  ClientRequest request = to("/mirror");
  request.method = "POST";
  EXPECT_EQ(fetch(std::move(request))->body, "POST /mirror   ");
}

TEST_F(ClientTest, SpeaksOverAUnixSocket) {
  ClientRequest request;
  request.url = "http://localhost/mirror";
  request.unix_socket = path_;
  const auto response = fetch(std::move(request));
  ASSERT_TRUE(response) << response.error().detail;
  EXPECT_EQ(response->body, "GET /mirror   ");
}

TEST_F(ClientTest, FollowsRedirectsOnlyWhenTold) {
  EXPECT_EQ(fetch(to("/redirect"))->status, 302);
  ClientRequest request = to("/redirect");
  request.redirects_max = 1;
  const auto response = fetch(std::move(request));
  EXPECT_EQ(response->status, 202);
  EXPECT_EQ(response->headers.find("Location"), std::nullopt);
}

TEST_F(ClientTest, SaysWhatWentWrong) {
  ClientRequest silent = to("/silent");
  silent.timeout = 50ms;
  EXPECT_EQ(why_not(std::move(silent)), "timeout");
  ClientRequest large = to("/mirror");
  large.response_max = 3;
  EXPECT_EQ(why_not(std::move(large)), "limit_exceeded");
  ClientRequest refused = to("/mirror");
  refused.may_connect = [](const net::Endpoint& to) { return to.address.is_global(); };
  EXPECT_EQ(why_not(std::move(refused)), "unauthorized");
  ClientRequest file;
  file.url = "file:///etc/passwd";
  EXPECT_EQ(why_not(std::move(file)), "invalid_input");
  ClientRequest injected = to("/mirror");
  injected.headers.add("X-Asked", "a\r\nX-Evil: b");
  EXPECT_EQ(why_not(std::move(injected)), "invalid_input");
  ClientRequest nobody;
  nobody.url = "http://localhost/";
  nobody.unix_socket = path_ + "-nobody";
  EXPECT_EQ(why_not(std::move(nobody)), "unavailable");
}

TEST_F(ClientTest, ACancelledTaskBreaksItsTransferOff) {
  Result<ClientResponse> out;
  const SteadyInstant begun = clock_.steady_now();
  async::run_to_completion(fetch_and_cancel(to("/silent"), out));
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind, ErrorKind::cancelled);
  EXPECT_LT(clock_.steady_now() - begun, 5s);
  EXPECT_EQ(fetch(to("/mirror"))->status, 202);
}

TEST_F(ClientTest, GivesASuccessOutAsItComes) {
  std::string taken;
  bool goes_on = true;
  const auto taking = [&](std::string_view path) {
    ClientRequest request = to(path);
    request.timeout = {};
    request.response_max = 3;
    request.take = [&](const ClientResponse& head, std::string_view piece) {
      EXPECT_EQ(head.status, 200);
      EXPECT_TRUE(head.headers.get("Content-Type").starts_with("text/plain"));
      taken += piece;
      return goes_on;
    };
    return request;
  };
  const auto response = fetch(taking("/text"));
  ASSERT_TRUE(response) << response.error().detail;
  EXPECT_EQ(taken, "a long text");
  EXPECT_EQ(response->body, "");
  ClientRequest refused = taking("/text?refused");
  refused.response_max = 100;
  EXPECT_EQ(fetch(std::move(refused))->body, "a long text") << "a refusal is a response";
  EXPECT_EQ(taken, "a long text");
  goes_on = false;
  EXPECT_EQ(why_not(taking("/text")), "cancelled");
}

TEST_F(ClientTest, EndsWhenTheRequestsOwnFunctionSaysSo) {
  ClientRequest request = to("/silent");
  request.goes_on = [] { return false; };
  EXPECT_EQ(why_not(std::move(request)), "cancelled");
}

TEST_F(ClientTest, RefusesMoreTransfersThanAllowed) {
  client_ = std::make_unique<Client>(ClientOptions{.transfers_max = 0});
  EXPECT_EQ(why_not(to("/mirror")), "unavailable");
}

TEST_F(ClientTest, ClosingEndsWhatIsUnderWay) {
  Result<ClientResponse> out;
  std::thread fetching([&] { async::run_to_completion(fetch_into(to("/silent"), out)); });
  while (server_->stats().requests == 0) std::this_thread::yield();
  client_.reset();
  fetching.join();
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind, ErrorKind::cancelled);
}

}  // namespace
}  // namespace todoku::http
