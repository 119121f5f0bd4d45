// SPDX-License-Identifier: Apache-2.0
// Who tells which endpoint, and when, on a real store, in time that the test moves. Endpoints are
// answered for here.
#include "events/endpoints/dispatcher.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/no_kernel_timers.h"
#include "async/timer_clock.h"
#include "events/endpoints/registry.h"
#include "http/json.h"
#include "support/installation.h"
#include "support/prompt_store.h"

namespace todoku::events::endpoints {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

struct Hook {
  std::string name;  // of the endpoint
  int status = 200;
  bool hangs = false;
  bool is_full = false;                         // there is no place for a call to it
  bool throws = false;                          // whatever tells it
  std::vector<std::vector<std::string>> calls;  // ids of events
  std::vector<http::Standing> standings;        // as the calls told
  std::vector<std::string> by;                  // who made the call
  std::size_t open = 0;

  [[nodiscard]] std::vector<std::string> told() const {
    std::vector<std::string> all;
    for (const auto& call : calls) all.insert(all.end(), call.begin(), call.end());
    return all;
  }
};

std::vector<std::string> events_in(const http::GuardedRequest& request) {
  http::JsonArena arena;
  const auto body = http::parse_json(request.body, arena);
  const auto& object = body.value().get_object();
  if (object.at("type").as_string() != "events.batch") {
    return {std::string(request.headers.get("webhook-id"))};
  }
  std::vector<std::string> ids;
  for (const auto& each : object.at("data").as_object().at("events").as_array()) {
    ids.emplace_back(each.as_object().at("id").as_string());
  }
  return ids;
}

class DispatcherTest : public ::testing::Test {
 protected:
  // A process that tells endpoints.
  struct Node {
    store::NodeKey key{};
    bool holds = true;
    Metrics metrics;
    std::unique_ptr<Dispatcher> dispatcher;
  };

  DispatcherTest() {
    account_ =
        installation_.store
            ->write_and_wait(store::WritePriority::accept,
                             [](store::WriteTransaction& t) { return t.create_account("shop"); })
            .value()
            .key;
  }
  ~DispatcherTest() override {
    for (auto& [url, hook] : hooks_) hook.hangs = false;
    release_.notify();
    for (auto& [name, node] : nodes_) {
      if (node.dispatcher) stop(node);
    }
  }

  // ---- time -------------------------------------------------------------------------------------

  void poll() {
    context_.restart();
    context_.poll();
  }
  void pass(Milliseconds time) {
    SharedClock& clock = installation_.clock;
    const SteadyInstant end = clock.steady_now() + time;
    for (poll(); time_.next() <= end; poll()) {
      clock.advance(std::chrono::ceil<Milliseconds>(time_.next() - clock.steady_now()));
    }
    clock.advance(
        std::max(std::chrono::floor<Milliseconds>(end - clock.steady_now()), Milliseconds(0)));
    poll();
  }

  // ---- processes --------------------------------------------------------------------------------

  Node& enter(const std::string& name, Options options = {}) {
    Node& node = nodes_[name];
    node.key = installation_.store
                   ->write_and_wait(
                       store::WritePriority::accept,
                       [&](store::WriteTransaction& t) { return t.enter_node({.name = name}); })
                   .value();
    begin(node, name, options);
    return node;
  }
  void begin(Node& node, std::string name, Options options = {}) {
    node.dispatcher =
        std::make_unique<Dispatcher>(Ground{.store = store_,
                                            .box = box_,
                                            .clock = installation_.clock,
                                            .random = random_,
                                            .metrics = node.metrics,
                                            .send =
                                                [this, name](http::GuardedRequest request) {
                                                  return answer(name, std::move(request));
                                                },
                                            .node = [&node] { return node.key; },
                                            .holds = [&node] { return node.holds; },
                                            .explain = {}},
                                     options, context_.get_executor());
    node.dispatcher->start();
  }
  // Whether it has ended is in the answer; it may need time.
  std::shared_ptr<bool> begin_to_stop(Node& node) {
    auto stopped = std::make_shared<bool>(false);
    boost::asio::co_spawn(context_, node.dispatcher->stop(installation_.clock.steady_now() + 60s),
                          [stopped](const std::exception_ptr& thrown) {
                            EXPECT_EQ(thrown, nullptr);
                            *stopped = true;
                          });
    poll();
    return stopped;
  }
  void stop(Node& node) {
    const auto stopped = begin_to_stop(node);
    pass(10s);
    EXPECT_TRUE(*stopped);
    node.dispatcher.reset();
  }

  // ---- endpoints --------------------------------------------------------------------------------

  Task<http::GuardedAnswer> answer(std::string by, http::GuardedRequest request) {
    Hook& hook = hooks_[request.url->shown()];
    http::GuardedAnswer answer;
    const auto at = request.body.find("\"challenge\":\"");
    if (at != std::string::npos) {
      const auto begin = at + std::string_view("\"challenge\":\"").size();
      answer.response = http::ClientResponse{
          .status = 200, .body = request.body.substr(begin, request.body.find('"', begin) - begin)};
      co_return answer;
    }
    const SteadyInstant begun = installation_.clock.steady_now();
    hook.calls.push_back(events_in(request));
    hook.standings.push_back(request.standing);
    hook.by.push_back(std::move(by));
    if (hook.throws) throw std::bad_alloc();
    ++hook.open;
    bool cancelled = false;
    while (hook.hangs && !cancelled) cancelled = !co_await release_.wait();
    --hook.open;
    answer.took = std::chrono::floor<Milliseconds>(installation_.clock.steady_now() - begun);
    if (cancelled) {
      answer.response = fail(ErrorKind::cancelled, "broken off");
    } else if (hook.is_full) {
      answer.response = fail(ErrorKind::limit_exceeded, "no place");
    } else {
      answer.response = http::ClientResponse{.status = hook.status};
    }
    co_return answer;
  }
  void release() {
    for (auto& [url, hook] : hooks_) hook.hangs = false;
    release_.notify();
    poll();
  }

  Hook& registered(const std::string& path, store::WebhookWishes wishes = {}) {
    const std::string url = "https://hooks.example.com/" + path;
    NewEndpoint wanted{.wishes = std::move(wishes)};
    wanted.url = SecretText(std::string(url));
    const auto made = run(registry_.create(account_, std::move(wanted)));
    EXPECT_TRUE(made) << made.error().detail;
    Hook& hook = hooks_[url];
    hook.name = made->view.webhook.name;
    return hook;
  }
  void change(const Hook& hook, EndpointChange change) {
    EXPECT_TRUE(run(registry_.change(account_, hook.name, std::move(change))));
    for (auto& [name, node] : nodes_) {
      if (node.dispatcher) node.dispatcher->on_change();
    }
  }
  void ask_again(const Hook& hook, std::vector<std::string> events) {
    const std::size_t count = events.size();
    EXPECT_EQ(run(registry_.replay(account_, hook.name, {.events = std::move(events)})), count);
    for (auto& [name, node] : nodes_) {
      if (node.dispatcher) node.dispatcher->on_change();
    }
  }
  store::Webhook row(const Hook& hook) {
    return installation_.store
        ->read_and_wait([&](store::ReadTransaction& t) { return t.webhook(account_, hook.name); })
        .value();
  }

  // What its owner sees of its calls, the oldest first.
  std::deque<webhooks::RecentCall> calls_of(const Hook& hook) {
    const auto packed = installation_.store->read_and_wait(
        [&](store::ReadTransaction& t) { return t.webhook_calls(hook.name); });
    return webhooks::RecentCalls::unpack(packed.value()).value().all();
  }

  // One event: that it was accepted.
  void mail(const std::string& address = "reader@example.jp") {
    store::Accept accept;
    accept.delivery.account = account_;
    accept.recipients = {{address, "example.jp", {}}};
    accept.life_time = 24h;
    ASSERT_TRUE(installation_.store->perform_and_wait(std::move(accept)));
  }

  TestStore installation_;
  PromptStore store_{*installation_.store};
  const SecretBox box_{MasterKey::generate()};
  SeededRandom random_{1};
  boost::asio::io_context context_;
  async::SimulatedTime time_{installation_.clock};
  async::Signal release_{context_.get_executor()};
  std::map<std::string, Hook> hooks_;
  std::map<std::string, Node> nodes_;
  store::AccountKey account_{};
  Registry registry_{
      {.store = *installation_.store,
       .box = box_,
       .clock = installation_.clock,
       .send =
           [this](http::GuardedRequest request) { return answer("registry", std::move(request)); },
       .rule = {}}};
};

TEST_F(DispatcherTest, TellsEachEventOnceAlsoAfterARestart) {
  Hook& hook = registered("x");
  Node& node = enter("a");
  for (int i = 0; i < 3; ++i) mail();
  pass(3s);
  const auto first = hook.told();
  EXPECT_THAT(first, SizeIs(3));
  stop(node);
  begin(node, "a");
  pass(30s);
  EXPECT_EQ(hook.told(), first);
  mail();
  pass(3s);
  EXPECT_THAT(hook.told(), SizeIs(4));
}

// It may have had some before it became the account of mails to people.
TEST_F(DispatcherTest, ThoseOfTheClosedAccountAreToldNothing) {
  Hook& hook = registered("x");
  const store::AccountKey mine = account_;
  account_ = installation_.store
                 ->write_and_wait(store::WritePriority::accept,
                                  [](store::WriteTransaction& t) { return t.create_account("b"); })
                 .value()
                 .key;
  Hook& other = registered("y");
  enter("a", {.closed_account = "b"});
  pass(3s);
  mail();
  pass(15s);
  EXPECT_THAT(other.told(), IsEmpty());
  EXPECT_EQ(row(other).node, store::kNobody);
  account_ = mine;
  mail();
  pass(3s);
  EXPECT_THAT(hook.told(), SizeIs(1)) << "of others all goes on";
}

// Of a thousand accounts' endpoints those look whose account something happened to.
TEST_F(DispatcherTest, AnEventWakesThoseOfItsAccountAlone) {
  Hook& hook = registered("x");
  const store::AccountKey mine = account_;
  account_ = installation_.store
                 ->write_and_wait(store::WritePriority::accept,
                                  [](store::WriteTransaction& t) { return t.create_account("b"); })
                 .value()
                 .key;
  Hook& other = registered("y");
  Node& node = enter("a");
  pass(3s);
  const Counter& reads = node.metrics.counter("todoku_webhook_reads_total", "");
  const std::uint64_t before = reads.value();
  for (int i = 0; i < 5; ++i) {
    mail();
    pass(2s);
  }
  EXPECT_THAT(other.told(), SizeIs(5));
  EXPECT_EQ(reads.value(), before + 5);
  account_ = mine;
  mail();
  pass(2s);
  EXPECT_THAT(hook.told(), SizeIs(1));
  EXPECT_EQ(reads.value(), before + 6);
  // And all of them now and then, so that nobody's place is left behind where all is deleted.
  pass(1min);
  EXPECT_EQ(reads.value(), before + 8);
}

TEST_F(DispatcherTest, WhoLivesKeepsItsEndpointsAndWhoEndsLetsGo) {
  Hook& hook = registered("x");
  Node& first = enter("a");
  pass(1s);
  enter("b");
  mail();
  pass(15s);
  EXPECT_THAT(hook.by, ElementsAre("a"));
  EXPECT_EQ(row(hook).node, first.key);
  stop(first);
  mail();
  pass(15s);
  ASSERT_THAT(hook.by, ElementsAre("a", "b"));
  EXPECT_NE(hook.calls[0], hook.calls[1]);
}

// It is told again, because nobody wrote that it had been; in no case is it lost.
TEST_F(DispatcherTest, OfWhoLapsedAnotherTellsWhatWasNotWritten) {
  Hook& hook = registered("x");
  Node& first = enter("a");
  pass(1s);
  hook.hangs = true;
  mail();
  pass(1s);
  ASSERT_THAT(hook.by, ElementsAre("a"));
  first.holds = false;
  release();
  pass(16s);
  const auto is_void = installation_.store->write_and_wait(
      store::WritePriority::accept,
      [&](store::WriteTransaction& t) { return t.void_node(first.key); });
  ASSERT_TRUE(is_void.value());
  enter("b");
  pass(5s);
  ASSERT_THAT(hook.by, ElementsAre("a", "b"));
  EXPECT_EQ(hook.calls[0], hook.calls[1]);
  // Should it come to life again: what is another's by now it leaves alone.
  first.holds = true;
  mail();
  pass(15s);
  EXPECT_THAT(hook.by, ElementsAre("a", "b", "b"));
}

TEST_F(DispatcherTest, WithoutALeaseNothingIsTold) {
  Hook& hook = registered("x");
  Node& node = enter("a");
  node.holds = false;
  mail();
  pass(10s);
  EXPECT_THAT(hook.calls, IsEmpty());
  node.holds = true;
  pass(3s);
  EXPECT_THAT(hook.told(), SizeIs(1));
}

TEST_F(DispatcherTest, WhatIsRefusedComesAgainAfterItsWaitAndUnderItsId) {
  Hook& hook = registered("x");
  enter("a");
  pass(1s);
  hook.status = 500;
  mail();
  pass(1s);
  EXPECT_THAT(hook.calls, SizeIs(1));
  hook.status = 200;
  pass(2'500ms);  // a wait of five seconds, less a fifth
  EXPECT_THAT(hook.calls, SizeIs(1));
  pass(5s);
  ASSERT_THAT(hook.calls, SizeIs(2));
  EXPECT_EQ(hook.calls[0], hook.calls[1]);
}

TEST_F(DispatcherTest, OneThatThrowsIsTakenAgainEverMoreRarely) {
  Hook& hook = registered("x");
  Hook& other = registered("y");
  enter("a");
  pass(1s);
  hook.throws = true;
  mail();
  pass(1s);
  EXPECT_THAT(hook.calls, SizeIs(1));
  pass(3s);
  EXPECT_THAT(hook.calls, SizeIs(1)) << "put off for five seconds";
  pass(60s);
  EXPECT_THAT(hook.calls, SizeIs(AllOf(Ge(4U), Le(5U)))) << "after 5, 10, 20 and 40 seconds";
  EXPECT_THAT(other.told(), SizeIs(1)) << "nobody waits for it";
  hook.throws = false;
  pass(90s);
  EXPECT_EQ(hook.calls.back(), hook.calls.front());
  EXPECT_EQ(row(hook).status, store::WebhookStatus::active);
}

// What it hears nothing of is behind it all the same, and retention may have it.
TEST_F(DispatcherTest, OneThatIsToldLittleIsAsFarAsTheRest) {
  Hook& hook = registered("x", {.kinds = {"recipient.hard_error"}});
  enter("a");
  pass(1s);
  std::set<std::string> written;
  for (int i = 0; i < 20; ++i) {
    mail();
    pass(2s);
    written.insert(row(hook).state);
  }
  EXPECT_LE(written.size(), 2U) << "not each time somebody else is told something";
  const std::string before = row(hook).state;
  pass(61s);
  EXPECT_NE(row(hook).state, before) << "its place is written";
  EXPECT_THAT(hook.calls, IsEmpty());
}

TEST_F(DispatcherTest, WhatItsOwnerDecidesIsHeard) {
  Hook& hook = registered("x");
  enter("a");
  mail();
  pass(3s);
  EXPECT_THAT(hook.told(), SizeIs(1));
  change(hook, {.kinds = std::vector<std::string>{"recipient.sent"}});
  pass(3s);
  mail();
  pass(3s);
  EXPECT_THAT(hook.told(), SizeIs(1));
  change(hook, {.kinds = std::vector<std::string>{}});
  pass(3s);
  mail();
  pass(3s);
  EXPECT_THAT(hook.told(), SizeIs(2));
  ASSERT_TRUE(run(registry_.remove(account_, hook.name)));
  pass(15s);
  mail();
  pass(15s);
  EXPECT_THAT(hook.told(), SizeIs(2));
}

// Also where the place that it has passed is not written yet.
TEST_F(DispatcherTest, WhatWasPassedUnderOldWishesIsNotToldUnderNewOnes) {
  Hook& hook = registered("x", {.kinds = {"recipient.hard_error"}});
  enter("a");
  pass(3s);
  for (int i = 0; i < 3; ++i) {
    mail();
    pass(3s);
  }
  change(hook, {.kinds = std::vector<std::string>{}});
  pass(3s);
  EXPECT_THAT(hook.told(), IsEmpty());
  mail();
  pass(3s);
  EXPECT_THAT(hook.told(), SizeIs(1));
}

// The order meets one who has told the event and not yet written that he has.
TEST_F(DispatcherTest, WhatWasToldAMomentAgoIsToldAgainToWhoeverAsks) {
  Hook& hook = registered("x");
  enter("a");
  pass(3s);
  mail();
  for (int i = 0; i < 100 && hook.calls.empty(); ++i) pass(10ms);
  ASSERT_THAT(hook.told(), SizeIs(1));
  const std::string before = row(hook).state;
  ask_again(hook, hook.told());
  EXPECT_NE(row(hook).state, before);
  for (int i = 0; i < 500 && hook.calls.size() < 2; ++i) pass(10ms);
  ASSERT_THAT(hook.told(), SizeIs(2));
  ask_again(hook, {hook.told().front()});  // nor was that one written
  pass(10s);
  ASSERT_THAT(hook.told(), SizeIs(3));
  EXPECT_EQ(std::ranges::count(hook.told(), hook.told().front()), 3);
}

TEST_F(DispatcherTest, OneThatIsGoneIsToldNothingUntilItIsSwitchedOn) {
  Hook& hook = registered("x");
  enter("a");
  pass(1s);
  hook.status = 410;
  mail();
  pass(3s);
  EXPECT_EQ(row(hook).status, store::WebhookStatus::disabled);
  mail();
  pass(30s);
  EXPECT_THAT(hook.calls, SizeIs(1));
  hook.status = 200;
  change(hook, {.enabled = true});
  pass(3s);
  const auto told = hook.told();
  EXPECT_THAT(told, SizeIs(3));
  EXPECT_EQ(std::ranges::count(told, told.front()), 2);  // it was refused with the 410
}

// The client leaves places to those who answer (http/guarded/places.h), so it is told who does.
TEST_F(DispatcherTest, WhoLetsACallHangIsSlowUntilItHasAnsweredAFewAtOnce) {
  using http::Standing;
  Hook& hook = registered("x");
  enter("a");
  pass(1s);
  hook.hangs = true;
  mail();
  pass(10s);
  ASSERT_EQ(hook.open, 1U);
  release();
  pass(http::Promptness::kProvenFor);
  for (int i = 0; i < 5; ++i) {
    mail();
    pass(1s);
  }
  EXPECT_THAT(hook.standings, ElementsAre(Standing::unknown, Standing::slow, Standing::slow,
                                          Standing::slow, Standing::slow, Standing::prompt));
}

TEST_F(DispatcherTest, WhoHasAnsweredIsPromptForTheNextProcess) {
  Hook& hook = registered("x");
  Node& node = enter("a");
  for (int i = 0; i < http::Promptness::kCallsUntilPrompt; ++i) {
    mail();
    pass(1s);
  }
  stop(node);
  hook.standings.clear();
  begin(node, "a");
  mail();
  pass(10s);
  EXPECT_THAT(hook.standings, testing::Each(http::Standing::prompt));
  EXPECT_THAT(hook.standings, testing::Not(testing::IsEmpty()));
}

TEST_F(DispatcherTest, WhoIsFailingWhenItIsTakenIsSlowUntilItAnswers) {
  Hook& hook = registered("x");
  hook.status = 500;
  Node& node = enter("a");
  for (int i = 0; i < 6; ++i) {
    mail();
    pass(10s);
  }
  ASSERT_EQ(row(hook).status, store::WebhookStatus::failing);
  stop(node);
  hook.standings.clear();
  begin(node, "a");
  pass(10min);
  ASSERT_FALSE(hook.standings.empty());
  EXPECT_EQ(hook.standings.front(), http::Standing::slow);
}

TEST_F(DispatcherTest, WhoAsksForATestWaitsForAPlace) {
  Hook& hook = registered("x");
  hook.is_full = true;
  std::optional<Result<TestCall>> answer;
  const auto ask = [&] {
    hook.standings.clear();
    boost::asio::co_spawn(context_, registry_.test(account_, hook.name),
                          [&](const std::exception_ptr&, Result<TestCall> got) { answer = got; });
    while (hook.standings.empty()) poll();  // the store has answered
  };
  ask();
  pass(10s);
  EXPECT_FALSE(answer);
  EXPECT_EQ(hook.standings.back(), http::Standing::asked);
  hook.is_full = false;
  pass(1s);
  ASSERT_TRUE(answer && *answer);
  EXPECT_TRUE((*answer)->accepted);

  hook.is_full = true;
  answer.reset();
  ask();
  pass(20s);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error().kind, ErrorKind::unavailable) << "not for ever";
}

// Its owner sees why nothing comes, and not twenty times the same.
TEST_F(DispatcherTest, AmongTheCallsIsThatThereWasNoPlace) {
  Hook& hook = registered("x");
  enter("a");
  pass(1s);
  hook.is_full = true;
  mail();
  pass(30s);
  EXPECT_GT(hook.calls.size(), 10U);
  const auto calls = calls_of(hook);
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls.front().failure, "no place");
  EXPECT_EQ(calls.front().status, 0);
  hook.is_full = false;
  pass(10s);
  EXPECT_THAT(calls_of(hook), SizeIs(2));
}

TEST_F(DispatcherTest, AtItsEndItWaitsForAnswersAndWritesThem) {
  Hook& hook = registered("x");
  Node& node = enter("a");
  pass(1s);
  hook.hangs = true;
  mail();
  pass(1s);
  ASSERT_EQ(hook.open, 1U);
  const auto stopped = begin_to_stop(node);
  pass(2s);
  EXPECT_FALSE(*stopped);
  release();
  EXPECT_TRUE(*stopped);
  EXPECT_EQ(row(hook).node, store::kNobody);
  begin(node, "a");
  pass(10s);
  EXPECT_THAT(hook.calls, SizeIs(1));
}

TEST_F(DispatcherTest, AtItsEndItsPatienceIsBounded) {
  Hook& hook = registered("x");
  Node& node = enter("a");
  pass(1s);
  hook.hangs = true;
  mail();
  pass(1s);
  const auto stopped = begin_to_stop(node);
  pass(6s);
  EXPECT_TRUE(*stopped);
  EXPECT_EQ(hook.open, 0U);
  EXPECT_EQ(row(hook).node, store::kNobody);
  hook.hangs = false;
  begin(node, "a");
  pass(10s);
  ASSERT_THAT(hook.calls, SizeIs(2));
  EXPECT_EQ(hook.calls[0], hook.calls[1]);
}

}  // namespace
}  // namespace todoku::events::endpoints
