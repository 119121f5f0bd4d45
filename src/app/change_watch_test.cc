// SPDX-License-Identifier: Apache-2.0
#include "app/change_watch.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "access/access.h"
#include "app/key_ring.h"
#include "async/timer_clock.h"
#include "base/digest.h"
#include "operate/operations.h"
#include "store/walks.h"
#include "support/failing_store.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

class ChangeWatchTest : public testing::Test {
 protected:
  ChangeWatchTest() {
    operate::Operations::Options options;
    options.secret_box = [this]() -> Result<const SecretBox*> { return &box_; };
    // A tool, or another node: nobody here is told.
    elsewhere_ = std::make_unique<operate::Operations>(*installation_.store, installation_.clock,
                                                       std::move(options));
    shop_ = run(elsewhere_->add_account({.name = "shop"}))->account.key;
    watch_.follow(store::Topic::dkim_keys, [this] { return read_keys(); });
  }

  // The context's work, until something is so.
  template <class Condition>
  void poll_until(Condition condition) {
    while (!condition()) poll();
  }
  void poll() {
    context_.restart();
    context_.poll();
    std::this_thread::yield();
  }
  template <class T>
  T wait_for(Task<T> task) {
    std::optional<T> value;
    boost::asio::co_spawn(context_, std::move(task), [&](const std::exception_ptr& thrown, T got) {
      ASSERT_EQ(thrown, nullptr);
      value = std::move(got);
    });
    poll_until([&] { return value.has_value(); });
    return std::move(*value);
  }
  void add_key(std::string selector) {
    ASSERT_TRUE(run(elsewhere_->add_dkim_key({.account = "shop",
                                              .domain = "example.jp",
                                              .selector = std::move(selector),
                                              .algorithm = "ed25519"})));
    installation_.clock.advance(1ms);  // the newest signs
  }
  [[nodiscard]] std::string signing() { return ring_.current(shop_, "example.jp").pinned; }
  // After a while in which anything that was to be done would have been done.
  [[nodiscard]] std::string signing_still() {
    (void)run(elsewhere_->keys("shop"));
    for (int i = 0; i < 100; ++i) poll();
    return signing();
  }

  Task<Result<ChangeWatch::Take>> read_keys() {
    ++reads_;
    store::DkimList list;
    const auto walked = co_await store::walk(failing_, list);
    if (!walked) co_return fail(walked.error());
    if (const auto held = std::exchange(after_reading_, nullptr)) {
      auto done = co_await held();
      if (!done) co_return fail(std::move(done.error()));
    }
    co_return ChangeWatch::Take([this, keys = list.take()] { return ring_.load(keys); });
  }
  Task<Result<void>> look_beside() {
    add_key("second");
    co_return co_await watch_.look();
  }

  TestStore installation_;
  FailingStore failing_{*installation_.store};
  SecretBox box_{MasterKey::generate()};
  StoredKeyRing ring_{box_};
  std::unique_ptr<operate::Operations> elsewhere_;
  store::AccountKey shop_{};
  boost::asio::io_context context_;
  async::SimulatedTime time_{installation_.clock};
  int reads_ = 0;
  std::function<Task<Result<void>>()> after_reading_;
  ChangeWatch watch_{failing_, installation_.clock, context_.get_executor()};
};

TEST_F(ChangeWatchTest, WhatOthersChangedIsKnownAtTheNextLook) {
  ASSERT_TRUE(wait_for(watch_.look()));
  watch_.start();
  poll();
  add_key("s1");
  installation_.clock.advance(490ms);
  EXPECT_EQ(signing_still(), "") << "it is looked twice a second";
  installation_.clock.advance(10ms);
  poll_until([&] { return signing() == "example.jp:s1"; });
  ASSERT_TRUE(run(elsewhere_->remove_dkim_key("shop", "example.jp", "s1")));
  poll();
  installation_.clock.advance(2s);
  poll_until([&] { return signing().empty(); });
  bool stopped = false;
  boost::asio::co_spawn(context_, watch_.stop(),
                        [&](const std::exception_ptr&) { stopped = true; });
  poll_until([&] { return stopped; });
}

TEST_F(ChangeWatchTest, ReadsNothingAnewThatIsAsItWas) {
  add_key("s1");
  ASSERT_TRUE(wait_for(watch_.look()));
  EXPECT_EQ(reads_, 1);
  ASSERT_TRUE(run(elsewhere_->change_account("shop", {.weight = 2})));
  ASSERT_TRUE(wait_for(watch_.look()));
  EXPECT_EQ(reads_, 1) << "another topic";
  EXPECT_EQ(failing_.calls(), 3) << "the numbers twice, the list once";
}

TEST_F(ChangeWatchTest, AnOlderListDoesNotTakeThePlaceOfANewerOne) {
  add_key("first");
  // The list of the first look is read; before it is taken over, another key is added and looked
  // for.
  after_reading_ = [this] { return look_beside(); };
  ASSERT_TRUE(wait_for(watch_.look()));
  EXPECT_EQ(signing(), "example.jp:second");
  EXPECT_EQ(reads_, 2);
  ASSERT_TRUE(wait_for(watch_.look()));
  EXPECT_EQ(signing(), "example.jp:second");
  EXPECT_EQ(reads_, 2) << "nothing has changed since";
}

TEST_F(ChangeWatchTest, WhatCannotBeReadStaysAsItWasAndIsTriedAgain) {
  add_key("s1");
  ASSERT_TRUE(wait_for(watch_.look()));
  add_key("s2");
  for (const int call : {1, 2}) {  // the numbers; the list
    failing_.fail_calls(failing_.calls() + call, 1);
    EXPECT_FALSE(wait_for(watch_.look()));
    EXPECT_EQ(signing(), "example.jp:s1");
  }
  ASSERT_TRUE(wait_for(watch_.look()));
  EXPECT_EQ(signing(), "example.jp:s2");
}

TEST_F(ChangeWatchTest, AKeyThatSomebodyElsePinnedIsFoundByLookingAgain) {
  ASSERT_TRUE(wait_for(watch_.look()));
  ring_.set_look([this] { return watch_.look(); });
  add_key("s1");
  ASSERT_FALSE(ring_.pinned(shop_, "example.jp:s1"));
  ASSERT_TRUE(wait_for(ring_.look_again()));
  EXPECT_TRUE(ring_.pinned(shop_, "example.jp:s1"));
}

TEST_F(ChangeWatchTest, ARevokedKeyIsRefusedAsSoonAsItIsHeardOf) {
  access::Authenticator door(*installation_.store, installation_.clock);
  const auto key = run(elsewhere_->add_key({.account = "shop", .label = "web"}));
  const std::string header = "Bearer " + key->bearer_token;
  ASSERT_TRUE(run(door.authenticate(header, {})));
  ASSERT_TRUE(run(elsewhere_->revoke_key("shop", key->key.id)));
  EXPECT_TRUE(run(door.authenticate(header, {}))) << "no time has passed";
  door.forget();
  EXPECT_EQ(run(door.authenticate(header, {})).error().kind, ErrorKind::unauthorized);
  EXPECT_TRUE(door.last_known(header)) << "for what is said to who is refused";
}

}  // namespace
}  // namespace todoku::app
