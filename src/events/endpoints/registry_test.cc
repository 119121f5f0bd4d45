// SPDX-License-Identifier: Apache-2.0
// What owners do with endpoints, and reading for them, on a real store; calls are answered here.
#include "events/endpoints/registry.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "events/endpoints/reading.h"
#include "events/webhooks/endpoint_state.h"
#include "events/webhooks/reading_place.h"
#include "support/installation.h"

namespace todoku::events::endpoints {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kUrl = "https://hooks.example.com/x?token=secret";

class RegistryTest : public ::testing::Test {
 protected:
  RegistryTest() : account_(account("shop")) {}

  store::AccountKey account(std::string name) {
    return installation_.store
        ->write_and_wait(store::WritePriority::accept,
                         [&](store::WriteTransaction& t) { return t.create_account({name}); })
        .value()
        .key;
  }

  // One that does as the specification of our challenge says, unless `echoes_` is off.
  Task<http::GuardedAnswer> answer(http::GuardedRequest request) {
    sent_.push_back(request.body);
    http::GuardedAnswer answer;
    http::ClientResponse response{.status = status_};
    const auto at = request.body.find("\"challenge\":\"");
    if (at != std::string::npos && echoes_) {
      const auto begin = at + std::string_view("\"challenge\":\"").size();
      response.body = request.body.substr(begin, request.body.find('"', begin) - begin);
    }
    answer.response = std::move(response);
    co_return answer;
  }

  NewEndpoint wanted(store::WebhookForm form = store::WebhookForm::standard) {
    NewEndpoint endpoint{.form = form};
    endpoint.url = SecretText(std::string(kUrl));
    return endpoint;
  }
  std::string created(store::WebhookForm form = store::WebhookForm::standard) {
    return run(registry_.create(account_, wanted(form)))->view.webhook.name;
  }

  // Ids of events: two a mail.
  void mail(std::string address) {
    store::Accept accept;
    accept.delivery.account = account_;
    accept.recipients = {{address, "example.jp", {}}};
    accept.life_time = 24h;
    ASSERT_TRUE(installation_.store->perform_and_wait(std::move(accept)));
    installation_.clock.advance(1min);
  }

  webhooks::EndpointState state_of(const std::string& name) {
    const auto row = installation_.store->read_and_wait(
        [&](store::ReadTransaction& t) { return t.webhook(account_, name); });
    return webhooks::unpack_state(row->state, row->status).value();
  }
  // As a dispatcher writes it.
  void progress(const std::string& name, const webhooks::EndpointState& state,
                std::vector<std::string> set_aside) {
    const auto written = installation_.store->write_and_wait(
        store::WritePriority::accept, [&](store::WriteTransaction& t) -> Result<void> {
          const auto node = t.enter_node({.name = "teller"});
          if (!node) return fail(node.error());
          const auto taken = t.take_webhook(*node, name);
          if (!taken) return fail(taken.error());
          const store::WebhookProgress told{.name = name,
                                            .node = *node,
                                            .turn = taken->turn,
                                            .state = webhooks::pack_state(state),
                                            .set_aside = set_aside};
          if (auto saved = t.save_webhook(told); !saved) return saved;
          return t.give_webhook(*node, name);
        });
    ASSERT_TRUE(written) << written.error().detail;
  }
  std::vector<std::string> set_aside_of(const std::string& name) {
    std::vector<std::string> ids;
    const auto kept = installation_.store->read_and_wait(
        [&](store::ReadTransaction& t) { return t.set_aside_of(name, {}, 100); });
    for (const store::SetAsideEvent& event : kept.value()) ids.push_back(event.event);
    return ids;
  }
  std::vector<std::string> all_read(std::string cursor,
                                    const EventsRoom& room = {.events = 2, .octets = 10'000}) {
    std::vector<std::string> ids;
    const Wanted wanted{.account = account_};
    for (bool more = true; more;) {
      const auto page = installation_.store->read_and_wait(
          [&](store::ReadTransaction& t) { return read_events(t, wanted, cursor, room); });
      EXPECT_TRUE(room.octets > 1 || page->events.size() <= 1);
      for (const auto& event : page->events) ids.push_back(event.told->id);
      more = page->more;
      cursor = page->cursor;
    }
    return ids;
  }

  TestStore installation_;
  const SecretBox box_{MasterKey::generate()};
  bool echoes_ = true;
  int status_ = 200;
  std::vector<std::string> sent_;
  Registry registry_{
      {.store = *installation_.store,
       .box = box_,
       .clock = installation_.clock,
       .send = [this](http::GuardedRequest request) { return answer(std::move(request)); },
       .rule = {}}};
  const store::AccountKey account_;
};

TEST_F(RegistryTest, OnlyWhoEchoesTheChallengeIsRegistered) {
  echoes_ = false;
  const auto refused = run(registry_.create(account_, wanted()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unauthorized);
  EXPECT_THAT(run(registry_.list(account_)).value(), IsEmpty());
  echoes_ = true;
  const auto made = run(registry_.create(account_, wanted()));
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_THAT(std::string(made->secret.view()), HasSubstr("whsec_"));
  EXPECT_EQ(made->view.webhook.terms.shown.find("secret"), std::string::npos);
  EXPECT_EQ(made->view.webhook.terms.sealed.find("hooks.example.com"), std::string::npos);
  EXPECT_THAT(run(registry_.list(account_)).value(), SizeIs(1));
}

TEST_F(RegistryTest, TheContractsFormIsAskedNothingAndHasNoSecret) {
  const auto made = run(registry_.create(account_, wanted(store::WebhookForm::contract)));
  ASSERT_TRUE(made);
  EXPECT_THAT(sent_, IsEmpty());
  EXPECT_TRUE(made->secret.view().empty());
  const auto rotated = run(registry_.rotate(account_, made->view.webhook.name, 1h));
  EXPECT_EQ(rotated.error().kind, ErrorKind::invalid_input);
  auto other = wanted(store::WebhookForm::contract);
  other.wishes.kinds = {"recipient.sent"};
  EXPECT_EQ(run(registry_.create(account_, std::move(other))).error().kind, ErrorKind::conflict);
}

TEST_F(RegistryTest, AServicesFormIsAskedNothingAndSignedAsThatServiceDoes) {
  const auto sendgrid = run(registry_.create(account_, wanted(store::WebhookForm::sendgrid)));
  ASSERT_TRUE(sendgrid);
  EXPECT_TRUE(sendgrid->secret.view().empty());
  EXPECT_FALSE(sendgrid->view.public_key.empty());
  const auto resend = run(registry_.create(account_, wanted(store::WebhookForm::resend)));
  ASSERT_TRUE(resend);
  EXPECT_THAT(std::string(resend->secret.view()), HasSubstr("whsec_"));
  const auto postmark = run(registry_.create(account_, wanted(store::WebhookForm::postmark)));
  ASSERT_TRUE(postmark);
  EXPECT_EQ(run(registry_.rotate(account_, postmark->view.webhook.name, 1h)).error().kind,
            ErrorKind::invalid_input);
  EXPECT_THAT(sent_, IsEmpty());
  ASSERT_TRUE(run(registry_.test(account_, postmark->view.webhook.name)));
  EXPECT_THAT(sent_.back(), HasSubstr(R"("RecordType":"Delivery")"));
  EXPECT_EQ(run(registry_.change(account_, postmark->view.webhook.name, {.insert_codes = true}))
                .error()
                .kind,
            ErrorKind::conflict);
  auto silent = wanted(store::WebhookForm::postmark);
  silent.wishes.kinds = {"recipient.deferred"};
  EXPECT_EQ(run(registry_.create(account_, std::move(silent))).error().kind, ErrorKind::conflict);
}

TEST_F(RegistryTest, WhereOutboundCallsMayNotGoNobodyIsAsked) {
  for (const std::string_view url :
       {"http://127.0.0.1/x", "http://10.0.0.1/x", "https://a.jp:8443/"}) {
    auto inside = wanted();
    inside.url = SecretText(std::string(url));
    EXPECT_EQ(run(registry_.create(account_, std::move(inside))).error().kind,
              ErrorKind::unauthorized)
        << url;
  }
  EXPECT_THAT(sent_, IsEmpty());
}

TEST_F(RegistryTest, AnotherAccountsEndpointIsNotThere) {
  const std::string name = created();
  const auto other = account("other");
  EXPECT_EQ(run(registry_.get(other, name)).error().kind, ErrorKind::not_found);
  EXPECT_EQ(run(registry_.test(other, name)).error().kind, ErrorKind::not_found);
  EXPECT_EQ(run(registry_.replay(other, name, {.set_aside = true})).error().kind,
            ErrorKind::not_found);
  EXPECT_EQ(run(registry_.remove(other, name)).error().kind, ErrorKind::not_found);
  EXPECT_TRUE(run(registry_.get(account_, name)));
}

TEST_F(RegistryTest, ATestSaysWhatCameOfIt) {
  const std::string name = created();
  status_ = 503;
  const auto test = run(registry_.test(account_, name));
  ASSERT_TRUE(test);
  EXPECT_FALSE(test->accepted);
  EXPECT_EQ(test->call.status, 503);
  EXPECT_EQ(test->call.type, "endpoint.test");
  EXPECT_THAT(sent_.back(), HasSubstr("endpoint.test"));
}

TEST_F(RegistryTest, IsToldFromItsRegistrationOnAndBeforeOnlyAsItsOwnerSays) {
  mail("a");
  const Instant between = installation_.clock.now();
  mail("b");
  const std::string name = created();
  mail("c");
  const auto fresh = all_read(state_of(name).cursor);
  EXPECT_THAT(fresh, SizeIs(1));  // the third mail's
  ASSERT_TRUE(run(registry_.replay(account_, name, {.from = between})));
  const auto told = all_read(state_of(name).cursor);
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_EQ(told[1], fresh[0]);
  ASSERT_TRUE(run(registry_.replay(account_, name, {.from = Instant{}})));
  const auto all = all_read(state_of(name).cursor);
  EXPECT_THAT(all, SizeIs(4));  // "b" by the first order, "a" and "b" by the second, "c"
  EXPECT_EQ(run(registry_.get(account_, name))->replays, 2U);
}

TEST_F(RegistryTest, MoreOrdersThanEightWait) {
  const std::string name = created();
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(run(registry_.replay(account_, name, {.from = Instant{}})));
  }
  EXPECT_EQ(run(registry_.replay(account_, name, {.from = Instant{}})).error().kind,
            ErrorKind::conflict);
}

TEST_F(RegistryTest, ADeliveryIsToldAgainAndOneThatIsNotThereIsNot) {
  mail("a");
  mail("b");
  const std::string name = created();
  ASSERT_TRUE(run(registry_.replay(account_, name, {.delivery = 1})));
  EXPECT_THAT(all_read(state_of(name).cursor), SizeIs(1));
  EXPECT_EQ(run(registry_.replay(account_, name, {.delivery = 99})).error().kind,
            ErrorKind::not_found);
}

// A page ends where the window is full, of the stream and of a replay.
TEST_F(RegistryTest, NoMoreIsReadThanThereIsRoomFor) {
  for (const char* who : {"a", "b", "c"}) mail(who);
  const auto ids = all_read("");
  ASSERT_THAT(ids, SizeIs(3));
  EXPECT_EQ(all_read("", {.events = 100, .octets = 1}), ids);
  const std::string name = created();
  ASSERT_TRUE(run(registry_.replay(account_, name, {.from = Instant{}})));
  EXPECT_EQ(all_read(state_of(name).cursor, {.events = 100, .octets = 1}), ids);
}

TEST_F(RegistryTest, NamedEventsAreParkedToBeToldAtOnce) {
  mail("a");
  const auto ids = all_read("");
  ASSERT_THAT(ids, SizeIs(1));
  const std::string name = created();
  const auto told = run(registry_.replay(
      account_, name, {.events = {ids[0], ids[0], std::string(ids[0].size(), '0')}}));
  ASSERT_TRUE(told);
  EXPECT_EQ(*told, 1U);
  ASSERT_THAT(state_of(name).parked, SizeIs(1));
  EXPECT_EQ(state_of(name).parked[0].id, ids[0]);
  EXPECT_EQ(state_of(name).parked[0].tries, 0);
}

TEST_F(RegistryTest, WhatWaitsForItsNextTryIsTriedAtOnce) {
  mail("a");
  const auto ids = all_read("");
  const std::string name = created();
  ASSERT_TRUE(run(registry_.replay(account_, name, {.events = ids})));
  auto state = state_of(name);
  state.parked[0].tries = 3;
  state.parked[0].due = installation_.clock.now() + 5h;
  progress(name, state, {});
  EXPECT_EQ(run(registry_.replay(account_, name, {.events = ids})), 1U);
  ASSERT_THAT(state_of(name).parked, SizeIs(1));
  EXPECT_LE(state_of(name).parked[0].due, installation_.clock.now());
  EXPECT_EQ(state_of(name).parked[0].tries, 3);
}

TEST_F(RegistryTest, WhatWasSetAsideStaysWhileItsFiltersLeaveItOut) {
  mail("a");
  const auto ids = all_read("");
  const std::string name = created();
  const std::string gone = store::event_id({1, 1'000'000, 0});
  progress(name, state_of(name), {ids[0], gone});
  ASSERT_TRUE(run(registry_.change(account_, name, {.kinds = {{"recipient.opened"}}})));
  EXPECT_EQ(run(registry_.replay(account_, name, {.set_aside = true})), 0U);
  EXPECT_THAT(set_aside_of(name), ElementsAre(ids[0]));
  ASSERT_TRUE(run(registry_.change(account_, name, {.kinds = std::vector<std::string>{}})));
  EXPECT_EQ(run(registry_.replay(account_, name, {.set_aside = true})), 1U);
  EXPECT_THAT(set_aside_of(name), IsEmpty());
}

// The place before the first one has no number of its own.
TEST_F(RegistryTest, AnEventIsFoundByItsIdAlone) {
  mail("a");
  const auto ids = all_read("");
  const auto find = [&](store::AccountKey whose, const std::string& id) {
    return installation_.store->read_and_wait(
        [&](store::ReadTransaction& t) { return find_event(t, {.account = whose}, id); });
  };
  EXPECT_TRUE(find(account_, ids[0]).value());
  EXPECT_FALSE(find(account("other"), ids[0]).value());
  EXPECT_FALSE(find(account_, store::event_id({0, 0, 0})).value());
  EXPECT_FALSE(find(account_, "no id").value());
}

// Neither by its filters nor in the words that its form has.
TEST_F(RegistryTest, WhatIsNotWantedIsNotToldAgain) {
  mail("a");
  const auto ids = all_read("");
  ASSERT_THAT(ids, SizeIs(1));
  const auto find = [&](const Wanted& wanted) {
    return installation_.store
        ->read_and_wait([&](store::ReadTransaction& t) { return read_event(t, wanted, ids[0]); })
        .value();
  };
  EXPECT_TRUE(find({.account = account_}));
  EXPECT_FALSE(find({.account = account_, .wishes = {.kinds = {"recipient.opened"}}}));
  EXPECT_FALSE(find({.account = account_, .form = store::WebhookForm::contract}));
}

}  // namespace
}  // namespace todoku::events::endpoints
