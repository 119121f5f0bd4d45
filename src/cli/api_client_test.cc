// SPDX-License-Identifier: Apache-2.0
#include "cli/api_client.h"

#include <gtest/gtest.h>

#include "http/test_server.h"

namespace todoku::cli {
namespace {

Task<http::Response> tell_what_came(http::Request& request, http::Body& body) {
  std::string text = request.path;
  for (const std::string_view name :
       {"Authorization", "Accept-Language", "Content-Type", "Idempotency-Key"}) {
    text += "|" + std::string(request.headers.get(name));
  }
  co_return http::Response::text(201, text + "|" + std::string(body.text()));
}

Task<http::Response> lead_elsewhere(http::Request& /*request*/, http::Body& /*body*/) {
  http::Response response = http::Response::text(302, "");
  response.headers.add("Location", "http://192.0.2.1/");
  co_return response;
}

class ApiClientTest : public testing::Test {
 protected:
  ApiClientTest() {
    router.add(http::Method::post, "/api/v1/things", {.body_max = 1000}, tell_what_came);
    router.add(http::Method::get, "/api/v1/elsewhere", lead_elsewhere);
    runtime.start();
    server = std::make_unique<http::Server>(std::vector{runtime.executor(0)}, clock,
                                            std::move(router), http::ServerOptions());
    async::run_to_completion(listen());
  }
  ~ApiClientTest() override {
    async::run_to_completion(server->stop(std::chrono::seconds(5)));
    runtime.join();
  }
  Task<void> listen() {
    const auto at = net::Endpoint{.address = net::IpAddress::v4({127, 0, 0, 1}), .port = 0};
    const auto local = co_await server->listen(at, nullptr);
    if (local) port = local->port;
  }
  Result<ApiAnswer> call(const ApiRequest& request) const {
    return make_api_client({.url = "http://127.0.0.1:" + std::to_string(port),
                            .account = "shop",
                            .key = "the-api-key",
                            .ca_file = {},
                            .language = Language::japanese})
        ->call(request);
  }

  SystemClock clock;
  async::Runtime runtime{1};
  http::Router router;
  std::unique_ptr<http::Server> server;
  std::uint16_t port = 0;
};

TEST_F(ApiClientTest, SaysWhoAsksInTheContractsWay) {
  const auto answer =
      call({.method = "POST", .target = "/things", .body = "{}", .idempotency_key = "order-1"});
  ASSERT_TRUE(answer.has_value()) << answer.error().detail;
  EXPECT_EQ(answer->status, 201);
  // printf shopthe-api-key | sha256sum | cut -c1-64 | tr -d '\n' | base64 -w0
  EXPECT_EQ(answer->body,
            "/api/v1/things|Bearer "
            "ZWVlYzc3YmI4NjNlOWRhYTNjY2M2YWRlZDdmYmNmZTRiMTNlYzk2MzRkNjViZmUyY2M3NmU2OWE1OGFmMDcxZA"
            "==|ja|application/json|order-1|{}");
}

TEST_F(ApiClientTest, DoesNotTakeItsTokenElsewhere) {
  const auto answer = call({.target = "/elsewhere"});
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 302);
}

}  // namespace
}  // namespace todoku::cli
