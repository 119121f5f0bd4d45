// SPDX-License-Identifier: Apache-2.0
#include "relay/credential_watch.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "support/failing_store.h"
#include "support/installation.h"

namespace todoku::relay {
namespace {

using namespace std::chrono_literals;

class CredentialWatchTest : public ::testing::Test {
 protected:
  CredentialWatchTest() {
    runtime_.start();
    change([this](store::WriteTransaction& t) -> Result<void> {
      const auto account = t.create_account("acme");
      if (!account) return fail(account.error());
      auto made = t.add_smtp_credential(
          {.account = account->key, .name = "shop", .secret = "s", .previous_secret = ""});
      if (!made) return fail(made.error());
      shop_ = *made;
      return {};
    });
  }
  ~CredentialWatchTest() override { runtime_.join(); }

  void change(std::function<Result<void>(store::WriteTransaction&)> work) {
    const auto done = installation_.store->write_and_wait(store::WritePriority::accept, work);
    ASSERT_TRUE(done) << done.error().detail;
  }
  template <class T>
  T run(Task<T> task) {
    return boost::asio::co_spawn(runtime_.executor(0), std::move(task), boost::asio::use_future)
        .get();
  }
  [[nodiscard]] CredentialWatch::World world() {
    return {.store = failing_,
            .clock = installation_.clock,
            .metrics = metrics_,
            .changed = [this]() -> Task<void> {
              ++changes_;
              co_return;
            }};
  }
  std::optional<store::SmtpCredential> uses(CredentialWatch& watch, std::int64_t recipients) {
    return run(watch.used(stored(), net::IpAddress::parse("192.0.2.1").value(), recipients));
  }
  bool writes_all(CredentialWatch& watch) {
    return run(watch.write_all(installation_.clock.steady_now() + 10s));
  }
  store::SmtpCredential stored() {
    return installation_.store
        ->read_and_wait([](store::ReadTransaction& t) { return t.smtp_credential("shop"); })
        .value();
  }
  std::int64_t stored_recipients() {
    const auto packed = installation_.store->read_and_wait(
        [](store::ReadTransaction& t) { return t.smtp_habits("shop"); });
    return unpack_habits(packed.value()).value().of_hour;
  }
  void release() {
    change([this](store::WriteTransaction& t) -> Result<void> {
      auto credential = stored();
      credential.held.reset();
      credential.released = installation_.clock.now();
      return t.change_smtp_credential(credential);
    });
  }

  TestStore installation_;
  FailingStore failing_{*installation_.store};
  async::Runtime runtime_{1};
  Metrics metrics_;
  store::SmtpCredential shop_;
  int changes_ = 0;
  const AnomalyLimits limits_{.young_volume_floor = 1'000};
};

TEST_F(CredentialWatchTest, HoldsWhatIsOddBeforeItIsKept) {
  CredentialWatch watch(world(), limits_);
  EXPECT_FALSE(uses(watch, 1'000));
  EXPECT_EQ(changes_, 0);
  const auto held = uses(watch, 1);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->held_because, "1001 recipients in this hour, and it is new");
  EXPECT_EQ(stored().held, installation_.clock.now());
  EXPECT_EQ(changes_, 1) << "this process hears of it at once";
  EXPECT_EQ(metrics_.counter("todoku_smtp_in_holds_total", "", {{"kind", "volume"}}).value(), 1U);
  release();
  installation_.clock.advance(1s);
  EXPECT_FALSE(uses(watch, 5'000)) << "whoever released it knows what it does";
}

TEST_F(CredentialWatchTest, TheHourOfTheLastUseIsWrittenWithTheHabits) {
  CredentialWatch watch(world(), limits_);
  EXPECT_FALSE(uses(watch, 1));
  EXPECT_TRUE(writes_all(watch));
  const Instant hour = std::chrono::floor<std::chrono::hours>(installation_.clock.now());
  EXPECT_EQ(stored().used, hour);
  installation_.clock.advance(1h);
  watch.ended("shop", false);
  EXPECT_TRUE(writes_all(watch));
  EXPECT_EQ(stored().used, hour) << "that a mail of before was delivered is no use";
  EXPECT_FALSE(uses(watch, 1));
  EXPECT_TRUE(writes_all(watch));
  EXPECT_EQ(stored().used, hour + 1h);
}

TEST_F(CredentialWatchTest, SeveralProcessesAddUpAndARestartForgetsNothing) {
  CredentialWatch one(world(), limits_);
  CredentialWatch other(world(), limits_);
  EXPECT_FALSE(uses(one, 600));
  EXPECT_FALSE(uses(other, 300)) << "what the other saw is not written yet";
  EXPECT_TRUE(writes_all(one));
  EXPECT_TRUE(writes_all(other));
  EXPECT_EQ(stored_recipients(), 900);
  EXPECT_FALSE(uses(one, 50));
  CredentialWatch restarted(world(), limits_);
  EXPECT_FALSE(uses(restarted, 100)) << "950 are known here; 1000 are the limit";
  EXPECT_TRUE(writes_all(one));
  EXPECT_TRUE(uses(restarted, 1).has_value() || writes_all(restarted));
  EXPECT_TRUE(stored().held) << "1051 together";
}

TEST_F(CredentialWatchTest, UnknownUsersAreJudgedWhereverTheyAreHeardOf) {
  CredentialWatch courier(world(), limits_);
  for (int i = 0; i < 99; ++i) courier.ended("shop", true);
  EXPECT_TRUE(writes_all(courier));
  EXPECT_FALSE(stored().held);
  CredentialWatch other(world(), limits_);
  other.ended("shop", true);
  EXPECT_TRUE(writes_all(other));
  EXPECT_EQ(stored().held_because, "100 of 100 recipients are unknown to their receivers");
}

TEST_F(CredentialWatchTest, AStoreInTroubleHoldsNobodyAndLosesNoFigures) {
  CredentialWatch watch(world(), limits_);
  failing_.set_outage(true);
  EXPECT_FALSE(uses(watch, 900));
  EXPECT_FALSE(writes_all(watch));
  failing_.set_outage(false);
  EXPECT_TRUE(writes_all(watch));
  EXPECT_EQ(stored_recipients(), 900);
  EXPECT_TRUE(uses(watch, 101));
}

TEST_F(CredentialWatchTest, WhoIsNotThereIsForgotten) {
  CredentialWatch watch(world(), limits_);
  watch.ended("nobody", true);
  EXPECT_TRUE(writes_all(watch));
}

}  // namespace
}  // namespace todoku::relay
