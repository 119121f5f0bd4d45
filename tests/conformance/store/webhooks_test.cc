// SPDX-License-Identifier: Apache-2.0
// Endpoints: what their owners decide, who tells them, and how far they have been told.
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

NewWebhook endpoint(AccountKey account, std::string_view name) {
  return {.name = std::string(name),
          .account = account,
          .form = WebhookForm::standard,
          .terms = {.shown = "https://hooks.example.com/",
                    .sealed = std::string("\0sealed\xff", 8),
                    .wishes = {.kinds = {"sent", "hard_error"}, .tags = {"春"}, .single = true}},
          .state = std::string("\0state", 6)};
}

template <class Work>
auto change(Store& store, Work work) {
  return store.write_and_wait(WritePriority::accept, std::move(work));
}

Webhook create(Store& store, AccountKey account, std::string_view name) {
  return must(change(
      store, [&](WriteTransaction& t) { return t.create_webhook(endpoint(account, name)); }));
}

std::vector<std::string> names_of(const std::vector<Webhook>& webhooks) {
  std::vector<std::string> names;
  for (const Webhook& webhook : webhooks) names.push_back(webhook.name);
  return names;
}

TEST_P(StoreSuite, AnEndpointIsKeptAsItWasGiven) {
  const Account acme = account();
  const NewWebhook wanted = endpoint(acme.key, "one");
  const Webhook made = create(*store_, acme.key, "one");
  reopen();
  const Webhook found = must(read([&](ReadTransaction& t) { return t.webhook(acme.key, "one"); }));
  EXPECT_EQ(found.terms, wanted.terms);
  EXPECT_EQ(found.state, wanted.state);
  EXPECT_EQ(found.form, WebhookForm::standard);
  EXPECT_EQ(found.status, WebhookStatus::active);
  EXPECT_EQ(found.node, kNobody);
  EXPECT_EQ(found.turn, made.turn);
  EXPECT_EQ(found.created, now());
}

// Two owners' requests at once: each finds what the other has made.
TEST_P(StoreSuite, ChangesOfAnEndpointAreMadeOneAfterTheOther) {
  const Account acme = account();
  create(*store_, acme.key, "one");
  constexpr int kEach = 20;
  const auto add_octets = [&] {
    for (int i = 0; i < kEach; ++i) {
      must(change(*store_, [&](WriteTransaction& t) {
        return t.change_webhook(acme.key, "one", [](const Webhook& now) {
          WebhookTerms terms = now.terms;
          terms.sealed += "x";
          return Result<WebhookTerms>(terms);
        });
      }));
    }
  };
  const auto before = must(read([&](ReadTransaction& t) { return t.webhook(acme.key, "one"); }));
  std::thread other(add_octets);
  add_octets();
  other.join();
  const auto after = must(read([&](ReadTransaction& t) { return t.webhook(acme.key, "one"); }));
  EXPECT_EQ(after.terms.sealed.size(), before.terms.sealed.size() + 2 * kEach);
}

TEST_P(StoreSuite, AnEndpointIsItsAccountsAlone) {
  const Account acme = account();
  const Account other = account("other");
  create(*store_, acme.key, "one");
  const auto refuses = [&](auto work) {
    EXPECT_EQ(error_of(change(*store_, std::move(work))), "not_found");
  };
  refuses([&](WriteTransaction& t) {
    return t.change_webhook(other.key, "one",
                            [](const Webhook& now) { return Result<WebhookTerms>(now.terms); });
  });
  refuses([&](WriteTransaction& t) { return t.enable_webhook(other.key, "one", false); });
  refuses([&](WriteTransaction& t) { return t.delete_webhook(other.key, "one"); });
  EXPECT_EQ(error_of(read([&](ReadTransaction& t) { return t.webhook(other.key, "one"); })),
            "not_found");
  EXPECT_THAT(must(read([&](ReadTransaction& t) { return t.webhooks(other.key); })), IsEmpty());
  EXPECT_THAT(must(read([&](ReadTransaction& t) { return t.webhooks(acme.key); })), SizeIs(1));
}

TEST_P(StoreSuite, AnAccountHasSoManyEndpointsAndNoMore) {
  const Account acme = account();
  for (std::int64_t i = 0; i < kWebhooksMax; ++i) {
    create(*store_, acme.key, fmt::format("number {}", i));
    clock_.advance(1ms);
  }
  const auto one_more = [&] {
    return change(*store_, [&](WriteTransaction& t) {
      return t.create_webhook(endpoint(acme.key, "one more"));
    });
  };
  EXPECT_EQ(error_of(one_more()), "limit_exceeded");
  must(
      change(*store_, [&](WriteTransaction& t) { return t.delete_webhook(acme.key, "number 3"); }));
  must(one_more());
  create(*store_, account("other").key, "of another");
}

TEST_P(StoreSuite, EveryDecisionOfAnOwnerIsHeardOf) {
  const Account acme = account();
  const auto number = [&] {
    return must(read([](ReadTransaction& t) { return t.change_numbers(); })).of(Topic::webhooks);
  };
  std::int64_t last = number();
  const auto is_heard = [&](auto work) {
    must(change(*store_, std::move(work)));
    EXPECT_GT(number(), last);
    last = number();
  };
  is_heard([&](WriteTransaction& t) -> Result<void> {
    must(t.create_webhook(endpoint(acme.key, "one")));
    return {};
  });
  WebhookTerms terms = endpoint(acme.key, "one").terms;
  terms.shown = "https://other.example.com/";
  is_heard([&](WriteTransaction& t) {
    return t.change_webhook(acme.key, "one",
                            [&](const Webhook&) { return Result<WebhookTerms>(terms); });
  });
  EXPECT_EQ(must(read([&](ReadTransaction& t) { return t.webhook(acme.key, "one"); })).terms,
            terms);
  is_heard([&](WriteTransaction& t) { return t.enable_webhook(acme.key, "one", false); });
  is_heard([&](WriteTransaction& t) { return t.enable_webhook(acme.key, "one", true); });
  is_heard([&](WriteTransaction& t) { return t.delete_webhook(acme.key, "one"); });
}

TEST_P(StoreSuite, AnEndpointIsOneNodesUntilThatIsVoid) {
  const Account acme = account();
  create(*store_, acme.key, "one");
  const auto take = [&](NodeKey node) {
    return change(*store_, [&](WriteTransaction& t) { return t.take_webhook(node, "one"); });
  };
  const Webhook mine = must(take(me_));
  EXPECT_EQ(mine.node, me_);
  EXPECT_EQ(error_of(take(other_)), "conflict");
  EXPECT_GT(must(take(me_)).turn, mine.turn) << "a new run of the same node";
  (void)bury(me_);
  EXPECT_EQ(must(take(other_)).node, other_);
  EXPECT_EQ(error_of(take(me_)), "conflict") << "it is void";
  must(change(*store_, [&](WriteTransaction& t) { return t.give_webhook(me_, "one"); }));
  const NodeKey third = enter("third");
  EXPECT_EQ(error_of(take(third)), "conflict");
  must(change(*store_, [&](WriteTransaction& t) { return t.give_webhook(other_, "one"); }));
  must(take(third));
  EXPECT_EQ(
      error_of(change(*store_, [&](WriteTransaction& t) { return t.take_webhook(third, "none"); })),
      "not_found");
}

TEST_P(StoreSuite, WhatADispatcherHasComeToIsKeptUnlessItsOwnerHasDecidedSomething) {
  const Account acme = account();
  create(*store_, acme.key, "one");
  const auto take = [&] {
    return must(change(*store_, [&](WriteTransaction& t) { return t.take_webhook(me_, "one"); }));
  };
  const auto save = [&](const WebhookProgress& progress) {
    return change(*store_, [&](WriteTransaction& t) { return t.save_webhook(progress); });
  };
  WebhookProgress progress{.name = "one",
                           .node = me_,
                           .turn = take().turn,
                           .status = WebhookStatus::failing,
                           .state = "cursor 5",
                           .set_aside = {"e3", "e1"}};
  must(save(progress));
  progress.set_aside = {"e1", "e2"};
  must(save(progress));
  const auto found = [&] {
    return must(read([&](ReadTransaction& t) { return t.webhook(acme.key, "one"); }));
  };
  EXPECT_EQ(found().state, "cursor 5");
  EXPECT_EQ(found().status, WebhookStatus::failing);
  const auto set_aside = [&](std::string_view after, std::int64_t limit) {
    std::vector<std::string> ids;
    for (const SetAsideEvent& each :
         must(read([&](ReadTransaction& t) { return t.set_aside_of("one", after, limit); }))) {
      ids.push_back(each.event);
    }
    return ids;
  };
  EXPECT_THAT(set_aside("", 10), ElementsAre("e1", "e2", "e3"));
  EXPECT_THAT(set_aside("e1", 1), ElementsAre("e2"));
  must(change(*store_, [&](WriteTransaction& t) {
    return t.drop_set_aside("one", std::vector<std::string>{"e1", "e3", "e9"});
  }));
  EXPECT_THAT(set_aside("", 10), ElementsAre("e2"));

  must(change(*store_,
              [&](WriteTransaction& t) { return t.enable_webhook(acme.key, "one", true); }));
  progress.state = "cursor 6";
  EXPECT_EQ(error_of(save(progress)), "conflict");
  EXPECT_EQ(found().status, WebhookStatus::active);
  EXPECT_EQ(found().state, "cursor 5");
  progress.turn = take().turn;
  must(save(progress));
  progress.node = other_;
  EXPECT_EQ(error_of(save(progress)), "conflict");
  must(change(*store_, [&](WriteTransaction& t) { return t.delete_webhook(acme.key, "one"); }));
  progress.node = me_;
  EXPECT_EQ(error_of(save(progress)), "not_found");
  EXPECT_THAT(set_aside("", 10), IsEmpty());
}

TEST_P(StoreSuite, AnOwnerHasItToldAgainFromTheStateThatIsThere) {
  const Account acme = account();
  create(*store_, acme.key, "one");
  const Webhook taken =
      must(change(*store_, [&](WriteTransaction& t) { return t.take_webhook(me_, "one"); }));
  const auto redirect = [&](AccountKey whose, Result<std::string> state) {
    return change(*store_, [&](WriteTransaction& t) {
      return t.redirect_webhook(whose, "one", [&](const Webhook& now) -> Result<std::string> {
        EXPECT_EQ(now.state, taken.state);
        return state;
      });
    });
  };
  EXPECT_EQ(error_of(redirect(acme.key, fail(ErrorKind::conflict, "no"))), "conflict");
  EXPECT_EQ(error_of(redirect(account("other").key, "from there")), "not_found");
  EXPECT_EQ(error_of(redirect(acme.key, std::string(kWebhookStateMax + 1, 'x'))), "invalid_input");
  must(redirect(acme.key, "from there"));
  const Webhook found = must(read([&](ReadTransaction& t) { return t.webhook(acme.key, "one"); }));
  EXPECT_EQ(found.state, "from there");
  EXPECT_EQ(found.node, me_);
  WebhookProgress late{.name = "one", .node = me_, .turn = taken.turn, .state = "where it was"};
  EXPECT_EQ(error_of(change(*store_, [&](WriteTransaction& t) { return t.save_webhook(late); })),
            "conflict");
}

TEST_P(StoreSuite, LatestCallsOfAnEndpointAreKeptByWhoTellsIt) {
  const Account acme = account();
  create(*store_, acme.key, "one");
  const auto keep = [&](NodeKey node, std::string_view calls) {
    must(change(*store_,
                [&](WriteTransaction& t) { return t.keep_webhook_calls(node, "one", calls); }));
  };
  const auto kept = [&] {
    return must(read([](ReadTransaction& t) { return t.webhook_calls("one"); }));
  };
  EXPECT_EQ(kept(), "");
  must(change(*store_, [&](WriteTransaction& t) { return t.take_webhook(me_, "one"); }));
  keep(me_, std::string_view("\0one", 4));
  EXPECT_EQ(kept(), std::string("\0one", 4));
  keep(me_, "two");
  keep(other_, "three");
  EXPECT_EQ(kept(), "two");
  must(change(*store_, [&](WriteTransaction& t) { return t.delete_webhook(acme.key, "one"); }));
  EXPECT_EQ(kept(), "");
}

TEST_P(StoreSuite, OfWhatIsSetAsideTheOldestGo) {
  const Account acme = account();
  create(*store_, acme.key, "one");
  const auto turn =
      must(change(*store_, [&](WriteTransaction& t) { return t.take_webhook(me_, "one"); })).turn;
  WebhookProgress progress{.name = "one", .node = me_, .turn = turn};
  for (std::int64_t i = 0; i < kSetAsideMax + 5; ++i) {
    progress.set_aside.push_back(fmt::format("e{:06}", i));
  }
  must(change(*store_, [&](WriteTransaction& t) { return t.save_webhook(progress); }));
  const auto kept =
      must(read([&](ReadTransaction& t) { return t.set_aside_of("one", "", kSetAsideMax * 2); }));
  ASSERT_THAT(kept, SizeIs(kSetAsideMax));
  EXPECT_EQ(kept.front().event, "e000005");
}

TEST_P(StoreSuite, ThoseToBeToldAreFoundInPagesWithoutTheDisabled) {
  const Account acme = account();
  const Account other = account("other");
  for (const char* name : {"b", "d", "a"}) create(*store_, acme.key, name);
  create(*store_, other.key, "c");
  must(
      change(*store_, [&](WriteTransaction& t) { return t.enable_webhook(acme.key, "b", false); }));
  const auto page = [&](std::string_view after, std::int64_t limit) {
    return names_of(
        must(read([&](ReadTransaction& t) { return t.webhooks_to_tell(after, limit); })));
  };
  EXPECT_THAT(page("", 2), ElementsAre("a", "c"));
  EXPECT_THAT(page("c", 2), ElementsAre("d"));
  EXPECT_EQ(
      error_of(change(*store_, [&](WriteTransaction& t) { return t.take_webhook(me_, "b"); })),
      "conflict");
}

}  // namespace
}  // namespace todoku::store
