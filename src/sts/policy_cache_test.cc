// SPDX-License-Identifier: Apache-2.0
#include "sts/policy_cache.h"

#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "async/run_blocking.h"
#include "async/runtime.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "dns/fake_resolver.h"

namespace todoku::sts {
namespace {

using mailauth::mta_sts::Fault;
using mailauth::mta_sts::Fetched;
using mailauth::mta_sts::FetchFailure;
using mailauth::mta_sts::HeldPolicy;
using mailauth::mta_sts::Mode;
using mailauth::mta_sts::Policy;
using std::chrono::hours;
using std::chrono::minutes;

Policy enforced() {
  return {.mode = Mode::enforce, .mx = {"mx.example.jp"}, .max_age = hours(24 * 7)};
}

class FakeWeb final : public PolicyFetch {
 public:
  Task<Fetched> fetch(std::string domain) override {
    ++asked[domain];
    if (hangs) co_await async::sleep_for(hours(24));
    if (const auto found = busy.find(domain); found != busy.end() && found->second > 0) {
      --found->second;
      co_return std::unexpected(FetchFailure{.reason = "its address is busy", .is_busy = true});
    }
    const auto found = policies.find(domain);
    if (found == policies.end()) {
      co_return std::unexpected(
          FetchFailure{.fault = Fault::policy_fetch_error, .reason = "status 404"});
    }
    co_return found->second;
  }
  std::map<std::string, Policy> policies;
  std::map<std::string, int> asked;
  std::map<std::string, int> busy;  // so many times
  bool hangs = false;
};

class FakeShelf final : public PolicyShelf {
 public:
  Task<Result<std::optional<Held>>> find(std::string domain) override {
    if (is_away) co_return fail(ErrorKind::unavailable, "the store is away");
    const auto found = kept.find(domain);
    if (found == kept.end()) co_return std::optional<Held>();
    co_return std::optional(found->second);
  }
  Task<Result<void>> keep(std::string domain, Held held) override {
    kept[std::move(domain)] = std::move(held);
    ++written;
    co_return Result<void>();
  }
  std::map<std::string, Held> kept;
  int written = 0;
  bool is_away = false;
};

class PolicyCacheTest : public testing::Test {
 protected:
  PolicyCacheTest() {
    zone_.txt["_mta-sts.example.jp"] = {"v=STSv1; id=1"};
    resolver_.set_zone(zone_);
    web_.policies["example.jp"] = enforced();
    runtime_.start();
    renew();
  }
  ~PolicyCacheTest() override { end(); }

  void renew(PolicyCache::Options options = {}) {
    if (cache_) end();
    cache_ = std::make_unique<PolicyCache>(PolicyCache::World{.resolver = resolver_,
                                                              .fetch = web_,
                                                              .shelf = &shelf_,
                                                              .clock = clock_,
                                                              .metrics = metrics_,
                                                              .executor = runtime_.executor(0)},
                                           options);
  }
  void end() { async::run_blocking(runtime_.executor(0), cache_->stop()); }

  PolicyCache::Word word(std::string domain) {
    auto policy = async::run_blocking(runtime_.executor(1), cache_->policy(std::move(domain)));
    settle();
    return policy;
  }
  PolicyInForce get(std::string domain) { return word(std::move(domain)).value_or(nullptr); }
  // Whoever looks has landed, or hangs: every step of it comes at once after the one before.
  void settle() {
    const auto turn = [] { return true; };
    for (int step = 0; step < 20; ++step) {
      on_executor(turn);
      async::run_blocking(runtime_.executor(1), asked_there(turn));
    }
  }
  void give_record(const std::string& domain) {
    zone_.txt["_mta-sts." + domain] = {"v=STSv1; id=1"};
    resolver_.set_zone(zone_);
  }
  Task<void> begin_to_wait(async::TaskGroup& waiting, std::string domain) {
    waiting.spawn("waits", wait_for_policy(std::move(domain)));
    co_return;
  }
  Task<void> wait_for_policy(std::string domain) {
    (void)co_await cache_->policy(std::move(domain));
  }
  // Asks, and lets what is looked at beside land: `landed` says that it has.
  template <class Landed>
  void ask_until(const std::string& domain, Landed landed) {
    cache_->ask(domain);
    for (int turn = 0; turn < 10'000 && !on_executor(landed); ++turn) {
    }
    EXPECT_TRUE(on_executor(landed));
  }
  template <class Look>
  bool on_executor(Look look) {
    return async::run_blocking(runtime_.executor(0), asked_there(look));
  }
  template <class Look>
  static Task<bool> asked_there(Look look) {
    co_return look();
  }

  FakeClock clock_;
  Metrics metrics_;
  dns::FakeResolver::Zone zone_;
  dns::FakeResolver resolver_;
  FakeWeb web_;
  FakeShelf shelf_;
  async::Runtime runtime_{2};
  std::unique_ptr<PolicyCache> cache_;
};

TEST_F(PolicyCacheTest, APolicyIsFetchedOnceForAllWhoAsk) {
  EXPECT_FALSE(cache_->is_known("example.jp"));
  const PolicyInForce policy = get("example.jp");
  ASSERT_NE(policy, nullptr);
  EXPECT_EQ(policy->domain, "example.jp");
  EXPECT_EQ(policy->policy, enforced());
  EXPECT_TRUE(cache_->is_known("example.jp"));
  EXPECT_EQ(get("example.jp"), policy);
  EXPECT_EQ(cache_->peek("example.jp"), policy);
  EXPECT_EQ(web_.asked["example.jp"], 1);
  EXPECT_EQ(resolver_.asked("TXT _mta-sts.example.jp"), 1);
}

TEST_F(PolicyCacheTest, ADomainWithoutARecordHasNoneAndIsNotAskedAgainForAWhile) {
  EXPECT_EQ(get("example.com"), nullptr);
  EXPECT_TRUE(cache_->is_known("example.com"));
  clock_.advance(minutes(59));
  EXPECT_EQ(get("example.com"), nullptr);
  EXPECT_EQ(resolver_.asked("TXT _mta-sts.example.com"), 1);
  clock_.advance(minutes(1));
  ask_until("example.com", [&] { return resolver_.asked("TXT _mta-sts.example.com") == 2; });
  EXPECT_TRUE(web_.asked.empty());
}

TEST_F(PolicyCacheTest, WhatIsKnownHoldsWhileItIsLookedAtAgain) {
  ASSERT_NE(get("example.jp"), nullptr);
  zone_.failures["TXT _mta-sts.example.jp"] = ErrorKind::timeout;
  resolver_.set_zone(zone_);
  clock_.advance(hours(2));
  EXPECT_NE(get("example.jp"), nullptr);
}

TEST_F(PolicyCacheTest, AFailedFetchIsRememberedForItsBackOff) {
  web_.policies.clear();
  EXPECT_EQ(get("example.jp"), nullptr);
  ASSERT_TRUE(cache_->failure("example.jp"));
  EXPECT_EQ(cache_->failure("example.jp")->fault, Fault::policy_fetch_error);
  clock_.advance(minutes(4));
  EXPECT_EQ(get("example.jp"), nullptr);
  EXPECT_EQ(web_.asked["example.jp"], 1);
  web_.policies["example.jp"] = enforced();
  clock_.advance(minutes(1));
  ask_until("example.jp", [&] { return cache_->peek("example.jp") != nullptr; });
  EXPECT_FALSE(cache_->failure("example.jp"));
}

TEST_F(PolicyCacheTest, ItOutlivesTheProcessOnTheShelf) {
  ASSERT_NE(get("example.jp"), nullptr);
  EXPECT_EQ(shelf_.written, 1);
  web_.policies.clear();
  zone_.failures["TXT _mta-sts.example.jp"] = ErrorKind::timeout;
  resolver_.set_zone(zone_);
  renew();
  const PolicyInForce policy = get("example.jp");
  ASSERT_NE(policy, nullptr);
  EXPECT_EQ(policy->policy, enforced());
  clock_.advance(hours(24 * 7));
  renew();
  EXPECT_EQ(get("example.jp"), nullptr);
}

TEST_F(PolicyCacheTest, NobodyWaitsLongerThanHeMust) {
  web_.hangs = true;
  renew({.wait_max = Milliseconds(0)});
  (void)word("example.jp");  // the shelf has answered since
  const auto in_time = word("example.jp");
  ASSERT_TRUE(in_time);
  EXPECT_EQ(*in_time, nullptr);
  EXPECT_FALSE(cache_->is_known("example.jp"));
}

TEST_F(PolicyCacheTest, ThereIsNoWordBeforeTheShelfHasAnswered) {
  shelf_.is_away = true;
  renew({.wait_max = Milliseconds(0)});
  for (int i = 0; i < 2; ++i) {
    const auto unasked = word("example.jp");
    ASSERT_FALSE(unasked);
    EXPECT_EQ(unasked.error(), PolicyCache::NoWord::shelf_unasked);
  }
  EXPECT_EQ(resolver_.asked("TXT _mta-sts.example.jp"), 0);
  shelf_.is_away = false;
  clock_.advance(std::chrono::seconds(1));
  EXPECT_FALSE(word("example.jp")) << "it is asked now";
  EXPECT_NE(get("example.jp"), nullptr);
}

TEST_F(PolicyCacheTest, FetchesThatHangHoldUpNeitherTheShelfNorTheDns) {
  renew({.shelf_max = 1, .looks_max = 1, .fetches_max = 1});
  web_.hangs = true;
  for (const std::string domain : {"a.example", "b.example"}) {
    give_record(domain);
    cache_->ask(domain);
    settle();
  }
  EXPECT_EQ(web_.asked["a.example"], 1);
  EXPECT_EQ(web_.asked.count("b.example"), 0U) << "it waits for its fetch";
  EXPECT_EQ(resolver_.asked("TXT _mta-sts.b.example"), 1);
  shelf_.kept["example.jp"] = {.id = "1", .policy = enforced(), .fetched = clock_.now()};
  EXPECT_NE(get("example.jp"), nullptr);
  EXPECT_EQ(get("example.com"), nullptr);
  EXPECT_TRUE(cache_->is_known("example.com"));
}

TEST_F(PolicyCacheTest, NamesBelowOneDomainLeaveFetchesForOthers) {
  renew({.fetches_max = 3, .fetches_of_one_max = 2});
  web_.hangs = true;
  for (const std::string name : {"a", "b", "c", "d"}) {
    give_record(name + ".example.com");
    cache_->ask(name + ".example.com");
  }
  settle();
  EXPECT_EQ(web_.asked.size(), 2U);
  web_.hangs = false;
  EXPECT_NE(get("example.jp"), nullptr);
  EXPECT_EQ(web_.asked.size(), 3U);
}

TEST_F(PolicyCacheTest, ADomainWhoseAddressIsBusyComesAgain) {
  renew({.busy_wait = Milliseconds(0), .busy_times = 3});
  web_.busy["example.jp"] = 3;
  EXPECT_NE(get("example.jp"), nullptr);
  EXPECT_EQ(web_.asked["example.jp"], 4);
  give_record("b.example");
  web_.busy["b.example"] = 100;
  EXPECT_EQ(get("b.example"), nullptr);
  EXPECT_EQ(web_.asked["b.example"], 4) << "and not for ever";
  EXPECT_EQ(cache_->failure("b.example")->fault, Fault::policy_fetch_error);
}

TEST_F(PolicyCacheTest, WhoseAddressIsBusyLeavesHisPlaceToOthers) {
  renew({.fetches_max = 1, .busy_wait = hours(1)});
  give_record("b.example");
  web_.busy["b.example"] = 1;
  cache_->ask("b.example");
  settle();
  EXPECT_EQ(web_.asked["b.example"], 1);
  EXPECT_NE(get("example.jp"), nullptr);
}

TEST_F(PolicyCacheTest, WhoLeavesKeepsNoDomain) {
  renew({.domains_max = 2, .fetches_max = 1});
  web_.hangs = true;
  async::TaskGroup waiting(runtime_.executor(1));
  for (const std::string domain : {"a.example", "b.example", "c.example", "d.example"}) {
    give_record(domain);
    async::run_blocking(runtime_.executor(1), begin_to_wait(waiting, domain));
  }
  settle();
  EXPECT_EQ(cache_->size(), 4U) << "each is waited for";
  async::run_blocking(runtime_.executor(1), waiting.stop());
  EXPECT_EQ(get("example.com"), nullptr);
  EXPECT_EQ(cache_->size(), 2U) << "with the one that is being fetched";
}

TEST_F(PolicyCacheTest, ThoseNotUsedForLongestLeave) {
  renew({.domains_max = 2});
  (void)get("a.example");
  (void)get("b.example");
  (void)get("a.example");
  (void)get("c.example");
  EXPECT_EQ(cache_->size(), 2U);
  EXPECT_TRUE(cache_->is_known("a.example"));
  EXPECT_FALSE(cache_->is_known("b.example"));
}

TEST_F(PolicyCacheTest, ItsMemoryIsBounded) {
  renew({.octets_max = 100'000});
  Policy large = enforced();
  large.mx.assign(200, std::string(200, 'a') + ".example.jp");
  for (int i = 0; i < 20; ++i) {
    const std::string domain = "d" + std::to_string(i) + ".example";
    give_record(domain);
    large.mode = i % 2 == 0 ? Mode::enforce : Mode::none;
    web_.policies[domain] = large;
    ASSERT_EQ(get(domain) != nullptr, large.mode == Mode::enforce);
    EXPECT_TRUE(cache_->is_known(domain));
    EXPECT_EQ(cache_->size(), 1U) << "two policies are too many";
  }
}

TEST_F(PolicyCacheTest, MailThatFailsHastensTheNextLook) {
  zone_.ttl["_mta-sts.example.jp"] = hours(1);
  resolver_.set_zone(zone_);
  ASSERT_NE(get("example.jp"), nullptr);
  clock_.advance(minutes(6));
  cache_->ask("example.jp");
  EXPECT_EQ(resolver_.asked("TXT _mta-sts.example.jp"), 1);
  cache_->doubt("example.jp");
  ask_until("example.jp", [&] { return resolver_.asked("TXT _mta-sts.example.jp") == 2; });
}

}  // namespace
}  // namespace todoku::sts
