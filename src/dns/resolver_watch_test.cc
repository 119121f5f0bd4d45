// SPDX-License-Identifier: Apache-2.0
// Routes found through a resolver that is watched over.
#include "dns/resolver_watch.h"

#include <functional>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "dns/fake_resolver.h"
#include "dns/route_cache.h"
#include "dns/test_findings.h"

namespace todoku::dns {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// What checks find until it is changed.
struct Checked {
  CheckFinding finding = check_passed();
  int checks = 0;
};

Task<CheckFinding> check(Checked* checked) {
  ++checked->checks;
  co_return checked->finding;
}

// A watch that checks as soon as somebody waits, and otherwise only when told to.
struct World {
  explicit World(const async::Executor& executor, bool enabled)
      : watch(
            {.enabled = enabled,
             .wait_calm = 0us,
             .wait_wave = 0us,
             .wait_untrusted = 1ms,
             .every = 24h},
            [this] { return check(&checked); }, executor, clock, metrics) {
    watch.on_answers_void([this] {
      ++forgotten;
      routes.forget_all();
    });
  }
  [[nodiscard]] double trusted() {
    return metrics.gauge("todoku_dns_resolver_trusted", "").value();
  }

  SystemClock clock;
  Metrics metrics;
  Checked checked;
  int forgotten = 0;
  FakeResolver resolver{{.mx = {{"good.example", {{10, "mx.good.example"}}},
                                {"null.example", {{0, ""}}},
                                {"captive.example", {{10, "mx.captive.example"}}}},
                         .a = {{"mx.good.example", {"192.0.2.1"}},
                               {"mx.captive.example", {"192.0.2.66"}},
                               {"bare.example", {"192.0.2.66"}}},
                         .failures = {{"MX broken.example", ErrorKind::unavailable}}}};
  ResolverWatch watch;
  RouteCache routes{resolver, {.allow_private_receivers = true}, {}, clock, metrics, &watch};
};

using Body = Task<void> (*)(World& world);

Task<void> run_world(Body body, bool enabled) {
  World world(co_await boost::asio::this_coro::executor, enabled);
  world.watch.start();
  co_await body(world);
  co_await world.watch.stop();
}

void in_world(Body body, bool enabled = true) {
  async::run_to_completion(run_world(body, enabled));
}

Task<std::string> verdict(World& world, std::string domain) {
  const auto route = co_await world.routes.route(std::move(domain));
  if (*route) co_return "routable";
  const Unroutable& why = route->error();
  co_return (why.permanent ? "permanent " : "temporary ") + why.text();
}

// Until a check has found what `finding` says.
Task<void> turn(World& world, CheckFinding finding) {
  world.checked.finding = std::move(finding);
  const int before = world.checked.checks;
  while (world.checked.checks < before + 2) {
    co_await verdict(world, "missing" + std::to_string(world.checked.checks) + ".example");
    co_await async::sleep_for(1ms);
  }
}

constexpr auto kGone = "permanent 5.1.2 gone.example does not exist in the DNS";

Task<void> bounces_after_a_check(World& world) {
  const std::string gone = co_await verdict(world, "gone.example");
  EXPECT_EQ(gone, kGone);
  EXPECT_GE(world.checked.checks, 1);
  const int checks = world.checked.checks;
  const std::string again = co_await verdict(world, "gone.example");
  EXPECT_EQ(again, kGone);
  EXPECT_EQ(world.checked.checks, checks) << "a proven answer is remembered";
  const std::string other = co_await verdict(world, "lost.example");
  EXPECT_THAT(other, HasSubstr("permanent"));
  EXPECT_GT(world.checked.checks, checks) << "what was proven before proves nothing now";
  EXPECT_EQ(world.trusted(), 1.0);
}

TEST(ResolverWatch, ADeniedDomainBouncesAfterACheckThatPassed) {
  in_world(&bounces_after_a_check);
}

Task<void> waits_for_honesty(World& world) {
  world.checked.finding = check_denies();
  const std::string gone = co_await verdict(world, "gone.example");
  EXPECT_EQ(gone,
            "temporary 4.4.3 our own resolver cannot be believed about gone.example: it denies "
            "com.");
  EXPECT_EQ(world.trusted(), 0.0);
  EXPECT_EQ(world.routes.peek("gone.example"), nullptr) << "nothing is learnt from a liar";
  const std::string good = co_await verdict(world, "good.example");
  EXPECT_EQ(good, "routable") << "what it does not deny is as good as ever";
  const std::string null = co_await verdict(world, "null.example");
  EXPECT_THAT(null, HasSubstr("permanent 5.1.10")) << "the domain's own word";
  co_await turn(world, check_passed());
  const std::string now = co_await verdict(world, "gone.example");
  EXPECT_EQ(now, kGone);
  EXPECT_EQ(world.forgotten, 1) << "at its end, not at its beginning";
}

TEST(ResolverWatch, ALiarsDenialsWaitUntilItIsHonest) {
  in_world(&waits_for_honesty);
}

Task<void> proves_nothing(World& world) {
  world.checked.finding = check_silent();
  const std::string gone = co_await verdict(world, "gone.example");
  EXPECT_THAT(gone, HasSubstr("temporary 4.4.3 our own resolver"));
  const std::string broken = co_await verdict(world, "broken.example");
  EXPECT_THAT(broken,
              HasSubstr("temporary 4.4.3 our own resolver cannot be believed about broken."))
      << "nobody answers at all: that is no trouble of the domain's";
  const auto ready = co_await world.watch.ready();
  EXPECT_TRUE(!ready && ready.error().detail == "no name server answers");
  co_await turn(world, check_passed());
  const auto later = co_await world.watch.ready();
  EXPECT_TRUE(later);
  world.routes.forget_all();
  const std::string still = co_await verdict(world, "broken.example");
  EXPECT_THAT(still, HasSubstr("temporary 4.4.3 the mail server (MX) of broken.example could not"));
}

TEST(ResolverWatch, SilenceProvesNothing) {
  in_world(&proves_nothing);
}

Task<void> distrusts_inventions(World& world) {
  const std::string before = co_await verdict(world, "bare.example");
  EXPECT_EQ(before, "routable");
  co_await turn(world, check_invents());
  EXPECT_EQ(world.forgotten, 1);
  const std::string bare = co_await verdict(world, "bare.example");
  EXPECT_THAT(bare, HasSubstr("temporary 4.4.3 our own resolver cannot be believed about bare."));
  const std::string captive = co_await verdict(world, "captive.example");
  EXPECT_THAT(captive, HasSubstr("temporary")) << "its host's name may be a dead one";
  const std::string good = co_await verdict(world, "good.example");
  EXPECT_EQ(good, "routable");
  co_await turn(world, check_passed());
  const std::string after = co_await verdict(world, "captive.example");
  EXPECT_EQ(after, "routable");
}

TEST(ResolverWatch, InventedAddressesAreNoRoute) {
  in_world(&distrusts_inventions);
}

Task<void> believes_all(World& world) {
  world.checked.finding = check_silent();
  const std::string gone = co_await verdict(world, "gone.example");
  EXPECT_EQ(gone, kGone);
  const auto ready = co_await world.watch.ready();
  EXPECT_FALSE(ready) << "readiness is told all the same";
}

TEST(ResolverWatch, WithoutNamesToCheckAllIsBelieved) {
  in_world(&believes_all, false);
}

Task<void> waits_while_it_stops(World& world) {
  co_await world.watch.stop();
  const std::string gone = co_await verdict(world, "gone.example");
  EXPECT_THAT(gone, HasSubstr("temporary"));
  const auto ready = co_await world.watch.ready();
  EXPECT_FALSE(ready);
}

TEST(ResolverWatch, WhenItStopsNobodyIsLeftWaiting) {
  in_world(&waits_while_it_stops);
}

}  // namespace
}  // namespace todoku::dns
