// SPDX-License-Identifier: Apache-2.0
#include "dns/route_cache.h"

#include <atomic>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "async/task_group.h"
#include "dns/fake_resolver.h"

namespace todoku::dns {
namespace {

// Answers MX questions only when told to, and the first one never if so asked.
class SlowResolver final : public Resolver {
 public:
  SlowResolver(FakeResolver& inner, const async::Executor& executor)
      : inner_(inner), gate_(executor) {}
  Task<Result<Answer<MxRecord>>> mx(std::string name) override {
    if (lose_next_) {
      lose_next_ = false;
      co_await async::sleep_for(std::chrono::hours(24));
    }
    if (gated_) co_await gate_.wait();
    co_return co_await inner_.mx(std::move(name));
  }
  Task<Result<Answer<net::IpAddress>>> a(std::string name) override { return inner_.a(name); }
  Task<Result<Answer<net::IpAddress>>> aaaa(std::string name) override { return inner_.aaaa(name); }
  Task<Result<Answer<std::string>>> txt(std::string name) override { return inner_.txt(name); }
  Task<Result<Answer<std::string>>> ptr(net::IpAddress ip) override { return inner_.ptr(ip); }
  Task<Result<Answer<TlsaRecord>>> tlsa(std::string name) override { return inner_.tlsa(name); }
  Task<Result<Answer<std::string>>> cname(std::string name) override { return inner_.cname(name); }
  void answer() { gate_.notify(); }
  void lose_next() {
    lose_next_ = true;
    gated_ = false;
  }

 private:
  FakeResolver& inner_;
  async::Signal gate_;
  bool gated_ = true;
  bool lose_next_ = false;
};

class RouteCacheTest : public testing::Test {
 protected:
  RouteCacheTest() {
    FakeResolver::Zone zone{.default_ttl = std::chrono::seconds(120)};
    for (const char* domain : {"a.example", "b.example", "c.example"}) {
      zone.a[domain] = {"192.0.2.1"};
    }
    zone.mx["short.example"] = {{1, "a.example"}};
    zone.ttl["short.example"] = std::chrono::seconds(1);
    zone.mx["long.example"] = {{1, "a.example"}};
    zone.ttl["long.example"] = std::chrono::hours(24);
    zone.ttl["a.example"] = std::chrono::hours(24);
    zone.failures["MX broken.example"] = ErrorKind::unavailable;
    resolver_.set_zone(zone);
  }

  RouteCache::Route get(std::string domain) {
    RouteCache::Route route;
    async::run_to_completion(get_into(cache_, std::move(domain), route));
    return route;
  }
  static Task<void> get_into(RouteCache& cache, std::string domain, RouteCache::Route& route) {
    route = co_await cache.route(std::move(domain));
  }
  void pass(std::chrono::seconds time) { clock_.advance(time); }

  FakeClock clock_;
  Metrics metrics_;
  FakeResolver resolver_;
  RouteCache cache_{
      resolver_, {.allow_private_receivers = true}, {.domains_max = 2}, clock_, metrics_};
};

TEST_F(RouteCacheTest, AsksOncePerLifeOfTheRoute) {
  EXPECT_EQ(cache_.peek("b.example"), nullptr);
  const auto first = get("b.example");
  EXPECT_EQ(get("b.example"), first);
  EXPECT_EQ(cache_.peek("b.example"), first);
  EXPECT_EQ(resolver_.asked("MX b.example"), 1);
  pass(std::chrono::seconds(119));
  EXPECT_NE(cache_.peek("b.example"), nullptr);
  pass(std::chrono::seconds(1));
  EXPECT_EQ(cache_.peek("b.example"), nullptr);
  ASSERT_TRUE(get("b.example"));
  EXPECT_EQ(resolver_.asked("MX b.example"), 2);
}

TEST_F(RouteCacheTest, KeepsLivesWithinBounds) {
  get("short.example");
  pass(std::chrono::seconds(29));
  EXPECT_NE(cache_.peek("short.example"), nullptr);
  pass(std::chrono::seconds(1));
  EXPECT_EQ(cache_.peek("short.example"), nullptr);
  get("long.example");
  pass(std::chrono::seconds(3'599));
  EXPECT_NE(cache_.peek("long.example"), nullptr);
  pass(std::chrono::seconds(1));
  EXPECT_EQ(cache_.peek("long.example"), nullptr);
}

TEST_F(RouteCacheTest, RemembersFailuresForAWhile) {
  const auto gone = get("gone.example");
  ASSERT_FALSE(*gone);
  EXPECT_TRUE(gone->error().permanent);
  pass(std::chrono::seconds(59));
  EXPECT_EQ(get("gone.example"), gone);
  pass(std::chrono::seconds(1));
  EXPECT_EQ(cache_.peek("gone.example"), nullptr);

  const auto broken = get("broken.example");
  ASSERT_FALSE(*broken);
  EXPECT_FALSE(broken->error().permanent);
  pass(std::chrono::seconds(29));
  EXPECT_EQ(get("broken.example"), broken);
  pass(std::chrono::seconds(1));
  EXPECT_EQ(cache_.peek("broken.example"), nullptr);
}

TEST_F(RouteCacheTest, TheLeastRecentlyUsedDomainLeaves) {
  get("a.example");
  get("b.example");
  get("a.example");
  get("c.example");
  EXPECT_EQ(cache_.size(), 2U);
  EXPECT_NE(cache_.peek("a.example"), nullptr);
  EXPECT_EQ(cache_.peek("b.example"), nullptr);
}

// Has too little of our own for the first questions.
class PoorResolver final : public Resolver {
 public:
  PoorResolver(FakeResolver& inner, int poor) : inner_(inner), poor_(poor) {}
  Task<Result<Answer<MxRecord>>> mx(std::string name) override {
    if (poor_-- > 0) co_return fail(ErrorKind::limit_exceeded, "no file left");
    co_return co_await inner_.mx(std::move(name));
  }
  Task<Result<Answer<net::IpAddress>>> a(std::string name) override { return inner_.a(name); }
  Task<Result<Answer<net::IpAddress>>> aaaa(std::string name) override { return inner_.aaaa(name); }
  Task<Result<Answer<std::string>>> txt(std::string name) override { return inner_.txt(name); }
  Task<Result<Answer<std::string>>> ptr(net::IpAddress ip) override { return inner_.ptr(ip); }
  Task<Result<Answer<TlsaRecord>>> tlsa(std::string name) override { return inner_.tlsa(name); }
  Task<Result<Answer<std::string>>> cname(std::string name) override { return inner_.cname(name); }

 private:
  FakeResolver& inner_;
  int poor_;
};

TEST_F(RouteCacheTest, AsksAgainWhatItHadNoMeansToAsk) {
  const RouteCache::Options patient{.own_wait = Milliseconds(1), .own_waits_max = 3};
  for (const int poor : {3, 4}) {
    PoorResolver resolver(resolver_, poor);
    RouteCache cache(resolver, {.allow_private_receivers = true}, patient, clock_, metrics_);
    RouteCache::Route route;
    async::run_to_completion(get_into(cache, "a.example", route));
    EXPECT_EQ(route->has_value(), poor == 3);
    if (!*route) EXPECT_TRUE(route->error().ours);
  }
}

TEST_F(RouteCacheTest, ForgetsWhenTold) {
  get("a.example");
  cache_.forget("a.example");
  cache_.forget("never.example");
  EXPECT_EQ(cache_.peek("a.example"), nullptr);
}

Task<void> ask_into(RouteCache& cache, RouteCache::Route& route) {
  route = co_await cache.route("a.example");
}

Task<void> ask_together(FakeResolver& inner, const FakeClock& clock, Metrics& metrics,
                        std::vector<RouteCache::Route>& routes) {
  const auto executor = co_await boost::asio::this_coro::executor;
  SlowResolver resolver(inner, executor);
  RouteCache cache(resolver, {.allow_private_receivers = true}, {}, clock, metrics);
  async::TaskGroup group(executor);
  for (RouteCache::Route& route : routes) group.spawn("asker", ask_into(cache, route));
  co_await async::sleep_for(Microseconds(0));
  resolver.answer();
  co_await group.wait_empty();
}

TEST_F(RouteCacheTest, LooksUpOnceForAllWhoAskTogether) {
  std::vector<RouteCache::Route> routes(4);
  async::run_to_completion(ask_together(resolver_, clock_, metrics_, routes));
  ASSERT_NE(routes[0], nullptr);
  for (const auto& route : routes) EXPECT_EQ(route, routes[0]);
  EXPECT_EQ(resolver_.asked("MX a.example"), 1);
}

TEST_F(RouteCacheTest, AnotherTakesOverWhenTheOneThatAsksIsGone) {
  std::vector<RouteCache::Route> routes(3);
  boost::asio::io_context living;
  SlowResolver resolver(resolver_, living.get_executor());
  resolver.lose_next();
  RouteCache cache(resolver, {.allow_private_receivers = true}, {}, clock_, metrics_);
  {
    boost::asio::io_context dying;
    boost::asio::co_spawn(dying.get_executor(), ask_into(cache, routes[0]),
                          [](const std::exception_ptr&) {});
    dying.poll();
    for (std::size_t i = 1; i < routes.size(); ++i) {
      boost::asio::co_spawn(living.get_executor(), ask_into(cache, routes[i]),
                            [](const std::exception_ptr& thrown) { EXPECT_FALSE(thrown); });
    }
    living.poll();
  }
  living.restart();
  living.run();
  EXPECT_EQ(routes[0], nullptr);
  ASSERT_NE(routes[1], nullptr);
  EXPECT_TRUE(*routes[1]);
  EXPECT_EQ(routes[2], routes[1]);
}

Task<void> ask_many(RouteCache& cache, std::uint64_t seed, std::atomic<int>& good) {
  SeededRandom random(seed);
  for (int i = 0; i < 3'000; ++i) {
    const std::string domain =
        std::string(1, static_cast<char>('a' + random.below(3))) + ".example";
    const auto route = co_await cache.route(domain);
    if (route && *route && (*route)->domain == domain) ++good;
    if (random.below(10) == 0) cache.forget(domain);
  }
}

TEST_F(RouteCacheTest, ServesManyThreads) {
  std::atomic<int> good = 0;
  async::Runtime runtime(4);
  for (std::size_t i = 0; i < runtime.size(); ++i) {
    boost::asio::co_spawn(runtime.executor(i), ask_many(cache_, i, good),
                          [](const std::exception_ptr& thrown) { EXPECT_FALSE(thrown); });
  }
  runtime.start();
  runtime.join();
  EXPECT_EQ(good, 12'000);
}

}  // namespace
}  // namespace todoku::dns
