// SPDX-License-Identifier: Apache-2.0
// The n-th system call of a connection fails, for n = 1, 2, 3, ... until a run passes untouched.
// Each time the failure is told, nothing leaks, and a mail is in doubt exactly if the receiver has
// got all of it without our knowing its answer.
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "async/task_group.h"
#include "net/failing_calls.h"
#include "smtp/client/scripted_receiver.h"

namespace todoku::smtp {
namespace {

using net::Fault;
using net::Manner;
using net::open_files;

constexpr int kMails = 3;

struct Told {
  std::optional<ConnectionFailure> failure;
  std::vector<RecipientResult> results;  // of the mails that were tried
  TlsUse tls = TlsUse::none;
};

// As a lane does: a mail is tried only while the connection is fit for it.
Task<void> send_all(Receiver& receiver, std::shared_ptr<const net::TlsClientContext> tls,
                    Fault& fault, Told& told) {
  const auto executor = co_await boost::asio::this_coro::executor;
  net::Listener listener = listen(executor);
  async::TaskGroup group(executor);
  group.spawn("receiver", receive_all(listener, receiver));
  const ConnectionOptions options = options_for(listener.local(), std::move(tls));
  net::the_fault = &fault;
  {
    auto opened = co_await Connection::open(options, kClock);
    if (!opened) {
      told.failure = opened.error();
    } else {
      Connection& connection = **opened;
      told.tls = connection.path().tls;
      const ClientEnvelope to = envelope();
      for (int i = 0; i < kMails && connection.is_reusable(); ++i) {
        const auto results = co_await connection.send(to, view_of(kPieces));
        told.results.insert(told.results.end(), results.begin(), results.end());
      }
      co_await connection.quit();
    }
  }
  net::the_fault = nullptr;
  listener.close();
  co_await group.wait_empty();
}

void check_results(const Told& told, const Receiver& receiver) {
  std::size_t got = 0;  // by the receiver, as far as the sender can know
  for (const RecipientResult& result : told.results) {
    EXPECT_NE(result.stage, Stage::none);
    EXPECT_FALSE(result.reply.text.empty());
    EXPECT_FALSE(result.accepted() && result.in_doubt);
    if (result.accepted() || result.in_doubt) ++got;
    if (!result.accepted()) {
      EXPECT_EQ(result.reply.code, 0) << "the words are ours: the receiver refused nothing";
    }
  }
  EXPECT_EQ(got, receiver.taken.size());
  for (const auto& taken : receiver.taken) EXPECT_EQ(taken.content, kContent);
}

// Runs until no call is left to fail; returns how many there were.
int fail_every_call(const Strings& offers, Manner manner, std::size_t write_max) {
  const std::size_t thrown_before = async::unhandled_exceptions();
  const net::TlsIdentity identity = net::make_self_signed({"mx.example.jp"}, kClock.now());
  const auto tls = net::TlsClientContext::create({.ca_pem = identity.chain}).value();
  const bool over_tls = std::ranges::find(offers, "STARTTLS") != offers.end();
  int in_doubt = 0;
  for (int n = 1; n < 2'000; ++n) {
    SCOPED_TRACE(fmt::format("call {}", n));
    Receiver receiver{
        .script = {.offers = offers},
        .identity = {identity.chain, SecretText(std::string(identity.private_key.view()))}};
    Fault fault{.at = n, .manner = manner, .write_max = write_max};
    Told told;
    const std::size_t files = open_files();
    async::run_to_completion(send_all(receiver, tls, fault, told));
    EXPECT_EQ(open_files(), files);
    EXPECT_EQ(async::unhandled_exceptions(), thrown_before);
    if (told.failure) {
      EXPECT_NE(told.failure->stage, Stage::none);
      EXPECT_FALSE(told.failure->reply.text.empty());
      EXPECT_TRUE(receiver.taken.empty());
    }
    check_results(told, receiver);
    for (const auto& result : told.results) in_doubt += result.in_doubt ? 1 : 0;
    if (!fault.done) {
      EXPECT_FALSE(told.failure);
      EXPECT_EQ(told.tls != TlsUse::none, over_tls);
      EXPECT_EQ(receiver.taken.size(), std::size_t{kMails});
      EXPECT_GE(in_doubt, kMails) << "each mail was in doubt in one of the runs";
      return n - 1;
    }
    if (::testing::Test::HasFailure()) return n;
  }
  ADD_FAILURE() << "there is no end to the calls";
  return 0;
}

class EveryCall : public ::testing::TestWithParam<std::tuple<Strings, std::size_t>> {};

TEST_P(EveryCall, OfAConnectionMayFail) {
  const auto& [offers, write_max] = GetParam();
  for (const Manner manner : {Manner::error, Manner::end}) {
    const int calls = fail_every_call(offers, manner, write_max);
    std::printf("%d calls failed in turn\n", calls);
    EXPECT_GT(calls, 5);
  }
}

INSTANTIATE_TEST_SUITE_P(Connections, EveryCall,
                         ::testing::Values(std::tuple{Strings{"PIPELINING", "CHUNKING"}, 0U},
                                           std::tuple{Strings{"PIPELINING", "CHUNKING"}, 5U},
                                           std::tuple{Strings{"PIPELINING"}, 9U},
                                           std::tuple{Strings{}, 0U}, std::tuple{Strings{}, 3U},
                                           std::tuple{Strings{"STARTTLS", "PIPELINING", "CHUNKING"},
                                                      0U},
                                           std::tuple{Strings{"STARTTLS"}, 61U}));

}  // namespace
}  // namespace todoku::smtp
