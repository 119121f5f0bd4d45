// SPDX-License-Identifier: Apache-2.0
#include "app/instance_addresses.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "http/server.h"
#include "support/shared_clock.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kMac = "02:00:00:00:00:01";
constexpr std::string_view kOtherMac = "02:00:00:00:00:02";

// The metadata of an instance: a token by PUT, and everything else only for who shows it.
class Imds {
 public:
  explicit Imds(async::Runtime& runtime) {
    http::Router router;
    router.add(http::Method::put, "/latest/api/token",
               [this](http::Request& request, http::Body&) { return give_token(request); });
    router.add(http::Method::get, "/latest/meta-data/{path...}",
               [this](http::Request& request, http::Body&) { return tell(request); });
    server_ =
        std::make_unique<http::Server>(std::vector{runtime.executor(0)}, clock_, std::move(router));
  }
  Task<void> listen() {
    const net::Endpoint at{.address = net::IpAddress::v4({127, 0, 0, 1}), .port = 0};
    const auto local = co_await server_->listen(at);
    url_ = "http://127.0.0.1:" + std::to_string(local.value().port);
  }
  Task<void> stop() { return server_->stop(10ms); }
  [[nodiscard]] const std::string& url() const { return url_; }

  // The public address is translated to a private one of an interface.
  void associate(std::string_view mac, std::string_view seen, std::string_view here) {
    const std::lock_guard lock(mutex_);
    interfaces_[std::string(mac)][std::string(seen)] = here;
  }
  void dissociate(std::string_view mac, std::string_view seen) {
    const std::lock_guard lock(mutex_);
    interfaces_[std::string(mac)].erase(std::string(seen));
  }
  void forget_tokens() {
    const std::lock_guard lock(mutex_);
    ++generation_;
  }
  std::atomic<bool> is_silent{false};
  std::atomic<int> tokens{0};

 private:
  [[nodiscard]] std::string token() const { return "token" + std::to_string(generation_); }
  Task<http::Response> give_token(const http::Request& request) {
    if (is_silent) co_return http::Response::text(503, "");
    if (request.headers.get("X-aws-ec2-metadata-token-ttl-seconds") != "21600") {
      co_return http::Response::text(400, "");
    }
    ++tokens;
    const std::lock_guard lock(mutex_);
    co_return http::Response::text(200, token());
  }
  Task<http::Response> tell(const http::Request& request) {
    if (is_silent) co_return http::Response::text(503, "");
    const std::lock_guard lock(mutex_);
    if (request.headers.get("X-aws-ec2-metadata-token") != token()) {
      co_return http::Response::text(401, "");
    }
    const auto found = content(request.path);
    co_return found ? http::Response::text(200, *found) : http::Response::text(404, "");
  }
  [[nodiscard]] std::optional<std::string> content(std::string_view path) const {
    const std::string macs = "/latest/meta-data/network/interfaces/macs/";
    if (path == macs) {
      std::string list;
      for (const auto& [mac, associations] : interfaces_) list += mac + "/\n";
      return list;
    }
    for (const auto& [mac, associations] : interfaces_) {
      const std::string folder = macs + mac + "/ipv4-associations/";
      std::string list;
      for (const auto& [seen, here] : associations) {
        if (path == folder + seen) return here;
        list += seen + "\n";
      }
      if (path == folder && !list.empty()) return list;
    }
    return std::nullopt;
  }

  SystemClock clock_;
  std::unique_ptr<http::Server> server_;
  std::string url_;
  std::mutex mutex_;
  int generation_ = 0;
  std::map<std::string, std::map<std::string, std::string>> interfaces_;
};

class InstanceAddressesTest : public testing::Test {
 protected:
  InstanceAddressesTest() {
    runtime_.start();
    async::run_to_completion(imds_.listen());
  }
  ~InstanceAddressesTest() override {
    addresses_.reset();
    async::run_to_completion(imds_.stop());
    runtime_.join();
  }
  void make() {
    const auto address = [](std::string_view text) { return *net::IpAddress::parse(text); };
    addresses_ = std::make_unique<InstanceAddresses>(
        imds_.url(),
        std::vector<InstanceAddresses::Wanted>{
            {.source = "mx1", .here = address("10.0.1.5"), .seen = address("192.0.2.1")},
            {.source = "mx2", .here = address("10.0.1.6"), .seen = address("192.0.2.2")}},
        clock_, metrics_, runtime_.executor(0));
  }
  Result<void> look() {
    Result<void> looked;
    async::run_to_completion(look_into(looked));
    return looked;
  }
  Task<void> look_into(Result<void>& looked) { looked = co_await addresses_->look(); }
  double unconfirmed() { return metrics_.gauge("todoku_sources_unconfirmed", "").value(); }

  SharedClock clock_;
  Metrics metrics_;
  async::Runtime runtime_{1};
  Imds imds_{runtime_};
  std::unique_ptr<InstanceAddresses> addresses_;
};

TEST_F(InstanceAddressesTest, ASourceIsHereWhereItsPublicAddressIsTranslatedToItsOwn) {
  imds_.associate(kMac, "192.0.2.1", "10.0.1.5");
  imds_.associate(kOtherMac, "192.0.2.2", "10.0.1.7");  // another address of this host
  make();
  EXPECT_FALSE(addresses_->confirms("mx1")) << "before anybody was asked";
  ASSERT_TRUE(look());
  EXPECT_TRUE(addresses_->confirms("mx1"));
  EXPECT_FALSE(addresses_->confirms("mx2"));
  EXPECT_TRUE(addresses_->confirms("default")) << "it has no public address of its own";
  EXPECT_EQ(unconfirmed(), 1);
}

TEST_F(InstanceAddressesTest, AnAddressThatMovesAwayEndsItsSource) {
  imds_.associate(kMac, "192.0.2.1", "10.0.1.5");
  imds_.associate(kMac, "192.0.2.2", "10.0.1.6");
  make();
  ASSERT_TRUE(look());
  ASSERT_TRUE(addresses_->confirms("mx1") && addresses_->confirms("mx2"));
  imds_.dissociate(kMac, "192.0.2.1");
  ASSERT_TRUE(look());
  EXPECT_FALSE(addresses_->confirms("mx1"));
  EXPECT_TRUE(addresses_->confirms("mx2"));
  imds_.dissociate(kMac, "192.0.2.2");  // the interface has none any more: 404
  ASSERT_TRUE(look());
  EXPECT_FALSE(addresses_->confirms("mx2"));
}

TEST_F(InstanceAddressesTest, WhatWasToldCountsForFiveMinutesOfSilence) {
  imds_.associate(kMac, "192.0.2.1", "10.0.1.5");
  make();
  ASSERT_TRUE(look());
  imds_.is_silent = true;
  clock_.advance(4min);
  EXPECT_EQ(look().error().kind, ErrorKind::unavailable);
  EXPECT_TRUE(addresses_->confirms("mx1"));
  clock_.advance(1min);
  EXPECT_FALSE(addresses_->confirms("mx1")) << "also while nobody looks";
  EXPECT_FALSE(look());
  EXPECT_EQ(unconfirmed(), 2);
  imds_.is_silent = false;
  ASSERT_TRUE(look());
  EXPECT_TRUE(addresses_->confirms("mx1"));
}

TEST_F(InstanceAddressesTest, OneTokenServesManyQuestionsAndIsReplacedWhereItIsUnknown) {
  imds_.associate(kMac, "192.0.2.1", "10.0.1.5");
  make();
  ASSERT_TRUE(look());
  ASSERT_TRUE(look());
  EXPECT_EQ(imds_.tokens, 1);
  imds_.forget_tokens();
  ASSERT_TRUE(look());
  EXPECT_EQ(imds_.tokens, 2);
  EXPECT_TRUE(addresses_->confirms("mx1"));
  clock_.advance(6h);
  ASSERT_TRUE(look());
  EXPECT_EQ(imds_.tokens, 3) << "before it expires";
}

}  // namespace
}  // namespace todoku::app
