// SPDX-License-Identifier: Apache-2.0
#include "queue/sqs/credential_source.h"

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "http/server.h"

namespace todoku::queue::sqs {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kGiven =
    R"({"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"x","Token":"t","Expiration":)"
    R"("2126-11-27T00:11:22Z"})";

Task<http::Response> give(http::Request& /*request*/, http::Body& /*body*/) {
  co_await async::sleep_for(50ms);
  co_return http::Response::text(200, std::string(kGiven));
}
Task<http::Response> say_nothing(http::Request& /*request*/, http::Body& /*body*/) {
  co_await async::sleep_for(1h);
  co_return http::Response();
}

class CredentialSourceTest : public testing::Test {
 protected:
  CredentialSourceTest() {
    http::Router router;
    router.add(http::Method::get, "/give", give);
    router.add(http::Method::get, "/silent", say_nothing);
    server_ = std::make_unique<http::Server>(std::vector{runtime_.executor(0)}, clock_,
                                             std::move(router));
    runtime_.start();
    async::run_to_completion(listen());
  }
  ~CredentialSourceTest() override {
    async::run_to_completion(server_->stop(10ms));
    runtime_.join();
  }
  Task<void> listen() {
    const net::Endpoint at{.address = net::IpAddress::v4({127, 0, 0, 1}), .port = 0};
    const auto local = co_await server_->listen(at);
    base_ = "http://127.0.0.1:" + std::to_string(local.value().port);
  }

  // What each of `askers` at the same time was given, within `patience`.
  Task<void> ask(CredentialOptions options, int askers, Milliseconds patience) {
    const async::Executor here = co_await boost::asio::this_coro::executor;
    CredentialSource source(std::move(options), http_, clock_, metrics_, here);
    async::TaskGroup group(here);
    const SteadyInstant begun = clock_.steady_now();
    for (int i = 0; i < askers; ++i) group.spawn("asker", ask_once(source, begun + patience));
    co_await group.wait_empty();
    took_ = std::chrono::floor<Milliseconds>(clock_.steady_now() - begun);
    co_await source.stop();
  }
  Task<void> ask_once(CredentialSource& source, SteadyInstant deadline) {
    auto given = co_await source.get(clock_.now(), deadline);
    given_.push_back(std::move(given));
  }
  [[nodiscard]] CredentialOptions at(std::string_view path) const {
    CredentialOptions options;
    options.container_full_uri = base_ + std::string(path);
    return options;
  }

  SystemClock clock_;
  Metrics metrics_;
  async::Runtime runtime_{1};
  std::unique_ptr<http::Server> server_;
  http::Client http_;
  std::string base_;
  std::vector<Result<Credentials>> given_;
  Milliseconds took_{};
};

TEST_F(CredentialSourceTest, OneAsksForAll) {
  async::run_to_completion(ask(at("/give"), 5, 10s));
  ASSERT_EQ(given_.size(), 5U);
  for (const auto& one : given_) {
    ASSERT_TRUE(one) << one.error().detail;
    EXPECT_EQ(one->access_key_id, "ASIAEXAMPLE");
  }
  EXPECT_EQ(server_->stats().requests, 1U);
}

TEST_F(CredentialSourceTest, NobodyWaitsLongerForAGiverThanTheyMay) {
  async::run_to_completion(ask(at("/silent"), 2, 100ms));
  ASSERT_EQ(given_.size(), 2U);
  ASSERT_FALSE(given_[0]);
  EXPECT_EQ(given_[0].error().kind, ErrorKind::unavailable);
  EXPECT_LT(took_, 3s);
}

TEST_F(CredentialSourceTest, ThoseOfTheEnvironmentNeedNobody) {
  CredentialOptions options = at("/silent");
  options.fixed = {.access_key_id = "AKIDEXAMPLE", .secret_access_key = "x"};
  async::run_to_completion(ask(options, 1, 1ms));
  ASSERT_TRUE(given_.size() == 1 && given_[0]);
  EXPECT_EQ(given_[0]->access_key_id, "AKIDEXAMPLE");
}

}  // namespace
}  // namespace todoku::queue::sqs
