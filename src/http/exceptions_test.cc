// SPDX-License-Identifier: Apache-2.0
// The n-th large piece of memory that the server asks for is refused, for n = 1, 2, 3, ... until a
// client comes and goes untouched. Each time its place is free afterwards, and the next client is
// served. (Small ones are Asio's own: without those the process ends.)
#include <atomic>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "http/client.h"
#include "http/test_server.h"
#include "support/asked_for_memory.h"

namespace todoku::http {
namespace {

constexpr std::size_t kLarge = 1'024;  // a connection is, and its buffers are
// Of the server's threads: a test waits on its own.
thread_local bool is_test_thread = false;
std::atomic<std::int64_t> left{-1};  // pieces until one is refused; negative: none is

void grant(std::size_t size) {
  if (size < kLarge || is_test_thread || left.load() < 0) return;
  if (left.fetch_sub(1) == 0) throw std::bad_alloc();
}

}  // namespace
}  // namespace todoku::http

void todoku::before_memory_is_given(std::size_t octets) {
  http::grant(octets);
}

namespace todoku::http {
namespace {

TEST_F(ServerTest, APlaceIsGivenBackWhateverMemoryIsRefused) {
  is_test_thread = true;
  ServerOptions options;
  options.connections_max = 1;
  options.refusals_max = 2;
  options.displaced_after = 60s;
  options.connections_per_client_max = 1;
  start(options);
  bool untouched = false;
  for (std::int64_t n = 0; n < 1'000 && !untouched; ++n) {
    {
      left = n;
      RawClient client(port_);
      client.send(get("/things/1", "Connection: close\r\n"));
      client.finish_sending();
      client.read_to_end();
      untouched = left.exchange(-1) >= 0;
    }
    while (server_->stats().connections_open > 0) ::poll(nullptr, 0, 5);
    RawClient next(port_);
    next.send(get("/things/2", "Connection: close\r\n"));
    ASSERT_EQ(next.read_response().substr(0, 4), "200 ") << "after the " << n << "th";
    next.read_to_end();
    while (server_->stats().connections_open > 0) ::poll(nullptr, 0, 5);
  }
  EXPECT_TRUE(untouched);
#ifndef TODOKU_MEMORY_IS_NEVER_REFUSED
  EXPECT_GT(async::unhandled_exceptions(), exceptions_before_);
#endif
  exceptions_expected_ = async::unhandled_exceptions() - exceptions_before_;
  is_test_thread = false;
}

Task<void> fetch_into(Client& client, ClientRequest request, Result<ClientResponse>& out) {
  out = co_await client.fetch(std::move(request));
}

// The n-th large piece of memory that is asked for beside the test, for n = 1, 2, 3, ...: each
// request is answered, and so is the next one.
TEST_F(ServerTest, ARequestOfOursIsAnsweredWhateverMemoryIsRefused) {
  is_test_thread = true;
  start({});
  Client client({.transfers_max = 1});
  const auto fetch = [&] {
    ClientRequest request;
    request.url = fmt::format("http://127.0.0.1:{}/things/1", port_);
    request.headers.add("X-Long", std::string(2 * kLarge, 'x'));
    Result<ClientResponse> out;
    async::run_to_completion(fetch_into(client, std::move(request), out));
    return out;
  };
  bool untouched = false;
  for (std::int64_t n = 0; n < 1'000 && !untouched; ++n) {
    left = n;
    (void)fetch();
    untouched = left.exchange(-1) >= 0;
    const auto next = fetch();
    ASSERT_TRUE(next) << "after the " << n << "th: " << next.error().detail;
    EXPECT_EQ(next->status, 200);
  }
  EXPECT_TRUE(untouched);
  exceptions_expected_ = async::unhandled_exceptions() - exceptions_before_;
  is_test_thread = false;
}

}  // namespace
}  // namespace todoku::http
