// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.h"
#include "mailauth/dkim/dns_record.h"
#include "mailauth/dkim/key.h"
#include "operate/operations_fixture.h"
#include "store/walks.h"
#include "support/failing_store.h"
#include "support/installation.h"
#include "support/set_aside.h"

namespace todoku::operate {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

TEST_F(OperationsTest, AddsAnAccountWhoseKeyOpensTheDoor) {
  const auto added = run(operations.add_account({.name = "shop", .weight = 5}));
  ASSERT_TRUE(added) << added.error().detail;
  ASSERT_TRUE(added->key);
  EXPECT_EQ(added->key->login_id, "shop");
  EXPECT_THAT(added->key->api_key, SizeIs(48));
  EXPECT_THAT(added->key->bearer_token, SizeIs(88));
  const auto found = account_of(added->key->bearer_token);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "shop");
  EXPECT_EQ(found->weight, 5U);
  const auto accounts = run(operations.accounts("", 10));
  ASSERT_THAT(accounts->views, SizeIs(1));
  EXPECT_EQ(accounts->views[0].keys, 1);
}

TEST_F(OperationsTest, AddsAnAccountWithItsKeyOrNothing) {
  FailingStore failing(*installation.store);
  Operations refused(failing, installation.clock, {});
  for (int n = 1;; ++n) {
    failing.fail_calls(failing.calls() + n, 1'000);
    const auto added = run(refused.add_account({.name = "shop"}));
    if (added) {
      EXPECT_TRUE(added->key);
      EXPECT_TRUE(account_of(added->key->bearer_token));
      return;
    }
    EXPECT_THAT(run(operations.accounts("", 10))->views, SizeIs(0)) << "after call " << n;
  }
}

TEST_F(OperationsTest, RefusesNamesAndWeightsOutOfRange) {
  EXPECT_EQ(run(operations.add_account({.name = ""})).error().kind, ErrorKind::invalid_input);
  EXPECT_FALSE(run(operations.add_account({.name = "a b"})));
  EXPECT_FALSE(run(operations.add_account({.name = std::string(65, 'a')})));
  EXPECT_FALSE(run(operations.add_account({.name = "shop", .weight = 0})));
  EXPECT_FALSE(run(operations.add_account({.name = "shop", .weight = 1001})));
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  EXPECT_EQ(run(operations.add_account({.name = "shop"})).error().detail,
            "there is an account shop already");
  EXPECT_FALSE(run(operations.change_account("shop", {.weight = 0, .suspended = {}})));
  EXPECT_EQ(run(operations.change_account("nobody", {})).error().detail,
            "there is no account nobody");
}

TEST_F(OperationsTest, ChangesOneThingAtATime) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop", .weight = 7})));
  ASSERT_TRUE(run(operations.change_account("shop", {.weight = {}, .suspended = true})));
  auto accounts = run(operations.accounts("", 10));
  EXPECT_TRUE(accounts->views[0].account.suspended);
  EXPECT_EQ(accounts->views[0].account.weight, 7U);
  ASSERT_TRUE(run(operations.change_account("shop", {.weight = 9, .suspended = {}})));
  accounts = run(operations.accounts("", 10));
  EXPECT_TRUE(accounts->views[0].account.suspended);
  EXPECT_EQ(accounts->views[0].account.weight, 9U);
}

TEST_F(OperationsTest, ListsAccountsInPages) {
  for (const char* name : {"one", "two", "three"}) {
    ASSERT_TRUE(run(operations.add_account({.name = name})));
  }
  const auto first = run(operations.accounts("", 2));
  ASSERT_THAT(first->views, SizeIs(2));
  EXPECT_EQ(first->views[1].account.name, "two");
  EXPECT_EQ(first->views[1].keys, 1);
  const auto second = run(operations.accounts(first->next, 2));
  ASSERT_THAT(second->views, SizeIs(1));
  EXPECT_EQ(second->views[0].account.name, "three");
  EXPECT_EQ(second->next, "");
  EXPECT_EQ(run(operations.accounts("x", 2)).error().kind, ErrorKind::invalid_input);
}

TEST_F(OperationsTest, ListsDkimKeysInPages) {
  for (const char* name : {"one", "two"}) {
    ASSERT_TRUE(run(operations.add_account({.name = name})));
    for (const char* selector : {"a", "b", "c"}) {
      ASSERT_TRUE(run(operations.add_dkim_key({.account = name,
                                               .domain = "example.jp",
                                               .selector = selector,
                                               .algorithm = "ed25519"})));
    }
  }
  std::vector<std::string> seen;
  std::string after;
  do {
    auto page = run(operations.dkim_keys("", after, 2));
    ASSERT_TRUE(page) << page.error().detail;
    for (const auto& view : page->views) seen.push_back(view.account + "/" + view.key.selector);
    after = page->next;
  } while (!after.empty());
  EXPECT_THAT(seen, testing::ElementsAre("one/a", "one/b", "one/c", "two/a", "two/b", "two/c"));
  const auto first = run(operations.dkim_keys("two", "", 2));
  ASSERT_THAT(first->views, SizeIs(2));
  EXPECT_EQ(first->views[0].account, "two");
  EXPECT_THAT(run(operations.dkim_keys("two", first->next, 2))->views, SizeIs(1));
  EXPECT_THAT(run(operations.dkim_keys("one", "", 10))->views, SizeIs(3));
  EXPECT_TRUE(run(operations.dkim_key("two", "example.jp", "c")));
  EXPECT_FALSE(run(operations.dkim_key("two", "example.jp", "d")));
  EXPECT_FALSE(run(operations.dkim_keys("", "nonsense", 2)));
}

TEST_F(OperationsTest, RefusesLabelsThatHideSomething) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  EXPECT_TRUE(run(operations.add_key({.account = "shop", .label = "本番 web-1"})));
  for (const char* label : {"a\nb", "a\x1b[2J", "\x7f", "a\u202Eb", "a\u200Bb", "a\u2066b"}) {
    const auto refused = run(operations.add_key({.account = "shop", .label = label}));
    ASSERT_FALSE(refused) << label;
    EXPECT_EQ(refused.error().kind, ErrorKind::invalid_input);
  }
  EXPECT_EQ(run(operations.add_key({.account = "shop", .label = "a\u202Eb"})).error().detail,
            "the label has the character U+202E RIGHT-TO-LEFT OVERRIDE, which nobody can see");
}

TEST_F(OperationsTest, NewDkimKeysSignOnlyWhenTheyAreBegun) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  ASSERT_TRUE(run(operations.add_dkim_key(
      {.account = "shop", .domain = "example.jp", .selector = "old", .algorithm = "ed25519"})));
  ASSERT_TRUE(run(operations.add_dkim_key(
      {.account = "shop", .domain = "example.jp", .selector = "oldr", .algorithm = "rsa"})));
  EXPECT_EQ(run(operations.begin_next_dkim_keys("shop", "example.jp")).error().kind,
            ErrorKind::conflict);
  installation.clock.advance(std::chrono::hours(1));
  const auto made = run(operations.make_next_dkim_keys("shop", "Example.JP"));
  ASSERT_TRUE(made) << made.error().detail;
  ASSERT_THAT(*made, SizeIs(2));
  EXPECT_EQ((*made)[0].key.sealed_private_key, "");
  EXPECT_THAT(run(operations.dkim_keys("shop", "", 10))->views, SizeIs(2)) << "they do not sign";
  const auto again = run(operations.make_next_dkim_keys("shop", "example.jp"));
  EXPECT_EQ((*again)[0].key.dns_record, (*made)[0].key.dns_record) << "made once";
  // Nobody takes a name that is theirs.
  const auto beside = run(operations.add_dkim_key(
      {.account = "shop", .domain = "example.jp", .selector = "", .algorithm = "rsa"}));
  EXPECT_NE(beside->key.selector, (*made)[0].key.selector);
  ASSERT_TRUE(run(operations.remove_dkim_key("shop", "example.jp", beside->key.selector)));

  const auto begun = run(operations.begin_next_dkim_keys("shop", "example.jp"));
  ASSERT_TRUE(begun) << begun.error().detail;
  ASSERT_THAT(told, SizeIs(4));
  for (const store::DkimKey& key : told) {
    if (key.selector == "old" || key.selector == "oldr") continue;
    const auto opened = box.open(key.sealed_private_key, dkim_seal_context(key));
    ASSERT_TRUE(opened) << opened.error().detail;
    EXPECT_EQ(mailauth::dkim::key_record_text(*mailauth::dkim::SigningKey::from_pem(*opened)),
              key.dns_record);
  }
  EXPECT_THAT(*run(operations.next_dkim_keys("shop", "example.jp")), SizeIs(0));
}

TEST_F(OperationsTest, ADkimKeyGoesAWeekAfterItIsFoundToBeOver) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  ASSERT_TRUE(run(operations.add_dkim_key(
      {.account = "shop", .domain = "example.jp", .selector = "old", .algorithm = "ed25519"})));
  installation.clock.advance(std::chrono::hours(1));
  ASSERT_TRUE(run(operations.make_next_dkim_keys("shop", "example.jp")));
  installation.clock.advance(std::chrono::days(30));  // until it was published
  ASSERT_TRUE(run(operations.begin_next_dkim_keys("shop", "example.jp")));
  ASSERT_THAT(run(operations.retire_dkim_keys("shop", "example.jp"))->kept, SizeIs(1));
  // Another process may still begin mail with it meanwhile.
  installation.clock.advance(std::chrono::hours(1));
  ASSERT_THAT(run(operations.retire_dkim_keys("shop", "example.jp"))->kept, SizeIs(1));
  installation.clock.advance(std::chrono::days(7) - std::chrono::seconds(1));
  auto retired = run(operations.retire_dkim_keys("shop", "example.jp"));
  ASSERT_TRUE(retired) << retired.error().detail;
  EXPECT_THAT(retired->removed, SizeIs(0));
  ASSERT_THAT(retired->kept, SizeIs(1));
  EXPECT_EQ(retired->kept[0].key.selector, "old");
  installation.clock.advance(std::chrono::seconds(1));
  retired = run(operations.retire_dkim_keys("shop", "example.jp"));
  ASSERT_THAT(retired->removed, SizeIs(1));
  EXPECT_EQ(retired->removed[0].key.selector, "old");
  EXPECT_THAT(told, SizeIs(2)) << "those that sign stay";
  EXPECT_THAT(run(operations.retire_dkim_keys("shop", "example.jp"))->removed, SizeIs(0));
}

TEST_F(OperationsTest, ADkimKeyThatSignsAgainMeanwhileIsOverAnew) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  const auto add = [&](const std::string& selector) {
    installation.clock.advance(std::chrono::hours(2));
    ASSERT_TRUE(run(operations.add_dkim_key(
        {.account = "shop", .domain = "example.jp", .selector = selector, .algorithm = "rsa"})));
    installation.clock.advance(std::chrono::hours(2));
    ASSERT_TRUE(run(operations.retire_dkim_keys("shop", "example.jp")));
  };
  add("old");
  add("wrong");
  ASSERT_TRUE(run(operations.remove_dkim_key("shop", "example.jp", "wrong")));
  installation.clock.advance(std::chrono::days(30));  // "old" signs
  add("new");
  const auto retired = run(operations.retire_dkim_keys("shop", "example.jp"));
  EXPECT_THAT(retired->removed, SizeIs(0));
  EXPECT_THAT(retired->kept, SizeIs(1));
}

TEST_F(OperationsTest, ADkimKeyWaitsForWhatBeganWithItAndAWeekMoreAndForNothingElse) {
  for (const std::string name : {"before", "after"}) {
    const std::string domain = name + ".example.jp";
    const auto added = run(operations.add_account({.name = name}));
    ASSERT_TRUE(added);
    ASSERT_TRUE(run(operations.add_dkim_key(
        {.account = name, .domain = domain, .selector = "old", .algorithm = "rsa"})));
    store::BatchKey batch;
    const auto send = [&] {
      store::Accept accept{.life_time = std::chrono::days(30)};
      accept.delivery.account = added->account.key;
      accept.recipients = {{"a@example.jp", "example.jp", {}}};
      const auto accepted = installation.store->perform_and_wait(std::move(accept));
      ASSERT_TRUE(accepted) << accepted.error().detail;
      batch = accepted->waiting.at(0);
    };
    const auto retire_after = [&](Milliseconds time) {
      installation.clock.advance(time);
      return run(operations.retire_dkim_keys(name, domain)).value();
    };
    installation.clock.advance(std::chrono::hours(2));
    const bool began_before = name == "before";
    if (began_before) send();
    installation.clock.advance(std::chrono::hours(2));
    ASSERT_TRUE(run(operations.make_next_dkim_keys(name, domain)));
    ASSERT_TRUE(run(operations.begin_next_dkim_keys(name, domain)));
    installation.clock.advance(std::chrono::hours(2));
    if (!began_before) send();
    EXPECT_THAT(retire_after(std::chrono::hours(0)).kept, SizeIs(1));
    const RetiredDkim retired = retire_after(std::chrono::days(7));
    EXPECT_THAT(retired.kept, SizeIs(began_before ? 1 : 0)) << name;
    EXPECT_THAT(retired.removed, SizeIs(began_before ? 0 : 1)) << name;
    if (!began_before) continue;
    const std::vector records = {store::OutcomeRecord{
        .key = {batch.delivery, batch.batch, 0},
        .outcome = {
            .state = RecipientState::delivered, .stage = Stage::accepted, .reply = {250, "OK"}}}};
    ASSERT_TRUE(
        installation.store->perform_and_wait(store::Settle{.outcomes = records, .releases = {}}));
    EXPECT_THAT(retire_after(std::chrono::hours(1)).kept, SizeIs(1)) << "its last mail is new";
    EXPECT_THAT(retire_after(std::chrono::days(6)).kept, SizeIs(1));
    EXPECT_THAT(retire_after(std::chrono::days(1)).removed, SizeIs(1));
  }
}

TEST_F(OperationsTest, SealsADkimKeyAndTellsOfItAtOnce) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  const auto added = run(operations.add_dkim_key(
      {.account = "shop", .domain = "Example.JP", .selector = "", .algorithm = "ed25519"}));
  ASSERT_TRUE(added) << added.error().detail;
  EXPECT_EQ(added->key.domain, "example.jp");
  EXPECT_EQ(added->key.selector, "e20260101") << "the algorithm and the date";
  EXPECT_EQ(added->dns_name, "e20260101._domainkey.example.jp");
  EXPECT_THAT(added->key.dns_record, HasSubstr("v=DKIM1; k=ed25519; p="));
  EXPECT_EQ(added->key.sealed_private_key, "");
  ASSERT_THAT(told, SizeIs(1));
  const auto opened = box.open(told[0].sealed_private_key, dkim_seal_context(told[0]));
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(mailauth::dkim::key_record_text(*mailauth::dkim::SigningKey::from_pem(*opened)),
            added->key.dns_record);
  const auto stored = installation.store->read_and_wait(
      [](store::ReadTransaction& transaction) { return transaction.dkim_keys({}, 10); });
  EXPECT_THAT((*stored)[0].sealed_private_key, Not(HasSubstr("PRIVATE KEY")));
}

TEST_F(OperationsTest, TellsOfARevokedKeyAndANewOrChangedAccountAtOnce) {
  const auto added = run(operations.add_account({.name = "shop"}));
  ASSERT_TRUE(added);
  EXPECT_EQ(changes, 1);
  ASSERT_TRUE(run(operations.revoke_key("shop", added->key->key.id)));
  EXPECT_EQ(changes, 2);
  ASSERT_TRUE(run(operations.change_account("shop", {.suspended = true})));
  EXPECT_EQ(changes, 3);
}

TEST_F(OperationsTest, NeverOverwritesADkimKey) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  const auto request = [] {
    return NewDkimKey{
        .account = "shop", .domain = "example.jp", .selector = "s1", .algorithm = "ed25519"};
  };
  ASSERT_TRUE(run(operations.add_dkim_key(request())));
  EXPECT_EQ(run(operations.add_dkim_key(request())).error().kind, ErrorKind::conflict);
  ASSERT_TRUE(run(operations.remove_dkim_key("shop", "example.jp", "s1")));
  EXPECT_THAT(run(operations.dkim_keys("", "", 10))->views, SizeIs(0));
  EXPECT_TRUE(run(operations.add_dkim_key(request())));
  EXPECT_EQ(run(operations.dkim_key("shop", "example.jp", "s2")).error().kind,
            ErrorKind::not_found);
}

TEST_F(OperationsTest, NeverGivesASelectorTwice) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  const auto generated = [&] {
    const auto key = run(operations.add_dkim_key(
        {.account = "shop", .domain = "Example.JP", .algorithm = "ed25519"}));
    EXPECT_TRUE(key) << key.error().detail;
    return key ? key->key.selector : std::string();
  };
  const std::string first = generated();
  ASSERT_TRUE(run(operations.remove_dkim_key("shop", "example.jp", first)));
  EXPECT_EQ(generated(), first + "-2") << "its record may still be published";
  EXPECT_EQ(generated(), first + "-3") << "whose key is there";
  EXPECT_TRUE(run(operations.add_dkim_key(
      {.account = "shop", .domain = "example.jp", .selector = first, .algorithm = "ed25519"})))
      << "who names it means it";
}

TEST_F(OperationsTest, SaysWhatASuspendedAccountHasToGo) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  ASSERT_TRUE(run(operations.add_account({.name = "other"})));
  const auto key = installation.store->read_and_wait(
      [](store::ReadTransaction& t) { return t.account_by_name("shop"); });
  store::Accept accept;
  accept.delivery.account = key->key;
  accept.recipients = {{"a@example.jp", "example.jp", {}}, {"b@example.jp", "example.jp", {}}};
  accept.life_time = std::chrono::hours(24);
  ASSERT_TRUE(installation.store->perform_and_wait(std::move(accept)));
  EXPECT_THAT(run(operations.status())->suspended, SizeIs(0));
  const auto changed = run(operations.change_account("shop", {.suspended = true}));
  ASSERT_TRUE(changed) << changed.error().detail;
  EXPECT_TRUE(changed->account.suspended);
  EXPECT_EQ(changed->work.recipients, 2);
  EXPECT_EQ(changed->work.deliveries, 1);
  const auto status = run(operations.status());
  ASSERT_THAT(status->suspended, SizeIs(1));
  EXPECT_EQ(status->suspended[0].name, "shop");
  EXPECT_EQ(status->suspended[0].work.recipients, 2);
  EXPECT_FALSE(status->more_suspended);
}

TEST_F(OperationsTest, SaysWhatIsLeftAfterARevocationAndARemoval) {
  const auto added = run(operations.add_account({.name = "shop"}));
  const auto second = run(operations.add_key({.account = "shop", .label = "ci"}));
  EXPECT_EQ(run(operations.revoke_key("shop", added->key->key.id)).value(), 1);
  EXPECT_EQ(run(operations.revoke_key("shop", second->key.id)).value(), 0);
}

TEST(DrainedTest, IsReadAsItIsWritten) {
  const Drained drained{.at = from_epoch_ms(1'767'574'800'123), .in_doubt = 10};
  const auto read = parse_drained(to_text(drained));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->at, drained.at);
  EXPECT_EQ(read->in_doubt, 10);
  for (const std::string_view wrong : {"", "1", "1 ", " 1", "1 x", "1 2 ", "x 2"}) {
    EXPECT_FALSE(parse_drained(wrong)) << wrong;
  }
}

TEST_F(OperationsTest, TakesOverADkimKeyMadeElsewhere) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  const auto key = mailauth::dkim::SigningKey::generate(mailauth::dkim::KeyAlgorithm::rsa);
  const auto added = run(operations.add_dkim_key({.account = "shop",
                                                  .domain = "example.jp",
                                                  .selector = "s1",
                                                  .algorithm = "",
                                                  .private_key = key->to_pem()}));
  ASSERT_TRUE(added) << added.error().detail;
  EXPECT_EQ(added->key.dns_record, mailauth::dkim::key_record_text(*key));
  EXPECT_FALSE(run(operations.add_dkim_key({.account = "shop",
                                            .domain = "example.jp",
                                            .selector = "s2",
                                            .algorithm = "",
                                            .private_key = SecretText("nonsense")})));
}

TEST_F(OperationsTest, ExplainsAnAddressAcrossAccounts) {
  const auto shop = run(operations.add_account({.name = "shop"}));
  const auto club = run(operations.add_account({.name = "club"}));
  for (const auto* account : {&shop->account, &club->account}) {
    store::Accept accept{.life_time = std::chrono::hours(24)};
    accept.delivery.account = account->key;
    accept.delivery.content.from.address = account->name + "@example.com";
    accept.delivery.content.subject = "Hello from " + account->name;
    accept.delivery.content.text_part = "text";
    accept.recipients = {
        {.address = "taro@example.jp", .domain = "example.jp", .insert_codes = {}}};
    const auto accepted = installation.store->perform_and_wait(std::move(accept));
    ASSERT_TRUE(accepted) << accepted.error().detail;
  }
  const auto all = run(operations.explain({.address = "Taro@EXAMPLE.jp", .account = ""}));
  const auto exact = run(operations.explain({.address = " taro@Example.JP ", .account = ""}));
  ASSERT_TRUE(exact) << exact.error().detail;
  EXPECT_THAT(exact->stories, SizeIs(2));
  EXPECT_THAT(exact->text, HasSubstr("Hello from shop"));
  ASSERT_TRUE(all);
  const auto one = run(operations.explain({.address = "taro@example.jp", .account = "club"}));
  ASSERT_THAT(one->stories, SizeIs(1));
  EXPECT_EQ(one->stories[0].account, "club");
  EXPECT_EQ(run(operations.explain({.address = "taro", .account = ""})).error().kind,
            ErrorKind::invalid_input);
  EXPECT_EQ(run(operations.explain({.address = " ", .account = ""})).error().detail,
            "what to explain is empty: an address, a delivery, a reference or a Message-ID");
}

TEST_F(OperationsTest, ExplainsOneMessageIdAndNothingBesideIt) {
  const auto told = [this](std::string id) {
    return run(operations.explain({.message_id = std::move(id), .account = ""}));
  };
  for (const std::string_view id : {"<a@vm>", "a@vm", " <a@vm>\r\n", "<a b@vm>"}) {
    EXPECT_TRUE(told(std::string(id))) << id;
  }
  using namespace std::string_view_literals;
  for (const std::string_view id : {"<a@vm>\0"sv, "<a@vm>x"sv, "<a@vm>\r\nx"sv, "<a@vm> <b@vm>"sv,
                                    "<a@vm><b@vm>"sv, "a@vm b@vm"sv, "<>"sv, "<a@vm"sv}) {
    const auto refused = told(std::string(id));
    ASSERT_FALSE(refused) << id;
    EXPECT_EQ(refused.error().kind, ErrorKind::invalid_input) << id;
  }
}

TEST_F(OperationsTest, TellsTheSubjectThatTheRecipientHas) {
  const auto shop = run(operations.add_account({.name = "shop"}));
  store::Accept accept{.life_time = std::chrono::hours(24)};
  accept.delivery.account = shop->account.key;
  accept.delivery.content.from.address = "shop@example.com";
  accept.delivery.content.subject = "__name__: news of __none__";
  accept.recipients = {{.address = "hanako@example.jp",
                        .domain = "example.jp",
                        .insert_codes = {{.key = "__name__", .value = "Hanako"}}}};
  const auto accepted = installation.store->perform_and_wait(std::move(accept));
  ASSERT_TRUE(accepted) << accepted.error().detail;
  for (const std::string& of :
       {std::string("hanako@example.jp"), std::to_string(accepted->delivery.id)}) {
    const auto told = run(operations.explain({.address = of, .account = ""}));
    ASSERT_TRUE(told) << told.error().detail;
    EXPECT_THAT(told->text, HasSubstr("Hanako: news of __none__"));
    ASSERT_THAT(told->for_recipient, SizeIs(1));
    EXPECT_THAT(told->for_recipient[0], HasSubstr("Hanako: news of __none__"));
  }
}

TEST_F(OperationsTest, ExplainsManyMailsByReceiverAndCause) {
  const auto shop = run(operations.add_account({.name = "shop"}));
  ASSERT_TRUE(run(operations.add_account({.name = "club"})));
  store::Accept accept{.life_time = std::chrono::hours(24)};
  accept.delivery.account = shop->account.key;
  accept.delivery.content.from.address = "shop@example.com";
  accept.recipients = {{.address = "taro@au.com", .domain = "au.com", .insert_codes = {}}};
  const auto accepted = installation.store->perform_and_wait(std::move(accept));
  ASSERT_TRUE(accepted) << accepted.error().detail;
  const store::BatchKey batch = accepted->waiting.at(0);
  store::OutcomeRecord refused{.key = {batch.delivery, batch.batch, 0}};
  refused.outcome = {.state = RecipientState::bounced,
                     .stage = Stage::rcpt_to,
                     .reply = {550, ": User unknown"},
                     .cause = Cause::policy};
  refused.site = "au";
  const std::vector records = {refused};
  ASSERT_TRUE(
      installation.store->perform_and_wait(store::Settle{.outcomes = records, .releases = {}}));

  const auto whole = run(operations.explain_causes({.delivery = accepted->delivery.id}));
  ASSERT_TRUE(whole) << whole.error().detail;
  ASSERT_THAT(whole->causes.lines, SizeIs(1));
  EXPECT_EQ(whole->causes.lines[0].cause, Cause::policy);
  EXPECT_THAT(whole->text, HasSubstr("550 : User unknown"));
  for (const std::string account : {"", "shop"}) {
    const auto hours = run(operations.explain_causes({.account = account, .site = "au"}));
    ASSERT_TRUE(hours) << hours.error().detail;
    ASSERT_THAT(hours->causes.lines, SizeIs(1)) << account;
    EXPECT_EQ(hours->causes.lines[0].mails, 1);
    ASSERT_TRUE(hours->causes.lines[0].sample);
    EXPECT_EQ(hours->causes.lines[0].sample->address, "taro@au.com");
  }
  EXPECT_THAT(run(operations.explain_causes({.account = "club", .site = "au"}))->causes.lines,
              SizeIs(0));

  const auto refusal = [&](CausesRequest request) {
    const auto told = run(operations.explain_causes(std::move(request)));
    return told ? std::string("none") : told.error().detail;
  };
  const Instant now = installation.store->clock().now();
  EXPECT_THAT(refusal({.delivery = 4'711}), HasSubstr("4711"));
  EXPECT_THAT(refusal({.delivery = accepted->delivery.id, .account = "club"}), testing::Ne("none"));
  EXPECT_THAT(refusal({.site = "au", .domain = "au.com"}), HasSubstr("`site` and `domain`"));
  EXPECT_THAT(refusal({.since = now, .until = now}), HasSubstr("(--from) must be before"));
  EXPECT_THAT(refusal({.since = now - std::chrono::days(70)}), HasSubstr("62 days"));
  EXPECT_THAT(refusal({.limit = 51}), HasSubstr("`limit` (--limit) is 51; of causes at most 50"));
  for (const char* others : {"other", "others", "(others)", "（その他）"}) {
    const auto told = run(operations.explain_causes({.site = others}));
    ASSERT_TRUE(told) << others;
    EXPECT_EQ(told->site, "") << others;
  }
}

TEST_F(OperationsTest, ExplainsADeliveryByItsNumberAndSaysWhereThereIsMore) {
  const auto shop = run(operations.add_account({.name = "shop"}));
  ASSERT_TRUE(run(operations.add_account({.name = "club"})));
  store::Accept accept{.life_time = std::chrono::hours(24)};
  accept.delivery.account = shop->account.key;
  accept.delivery.content.from.address = "shop@example.com";
  for (int i = 0; i < 5; ++i) {
    accept.recipients.push_back({.address = "taro" + std::to_string(i % 4) + "@example.jp",
                                 .domain = "example.jp",
                                 .insert_codes = {}});
  }
  accept.recipients.back().address = "taro0@example.jp";
  const auto accepted = installation.store->perform_and_wait(std::move(accept));
  ASSERT_TRUE(accepted) << accepted.error().detail;
  const std::string number = std::to_string(accepted->delivery.id);
  const auto whole = run(operations.explain({.address = number, .account = ""}));
  ASSERT_TRUE(whole) << whole.error().detail;
  EXPECT_THAT(whole->stories, SizeIs(5));
  EXPECT_FALSE(whole->more);
  EXPECT_THAT(whole->text, HasSubstr("delivery " + number + ": 5 mails"));
  const auto some = run(operations.explain({.address = number, .account = "shop", .limit = 2}));
  EXPECT_THAT(some->stories, SizeIs(2));
  EXPECT_THAT(some->text, HasSubstr("2 of 5 shown; for more: --limit or --all"));
  EXPECT_EQ(run(operations.explain({.address = number, .account = "club"})).error().kind,
            ErrorKind::not_found);
  const auto one = run(operations.explain({.address = "taro0@example.jp", .limit = 1}));
  EXPECT_THAT(one->stories, SizeIs(1));
  EXPECT_TRUE(one->more);
  EXPECT_THAT(one->text, HasSubstr("there are more: --limit or --all"));
  EXPECT_FALSE(run(operations.explain({.address = "taro1@example.jp", .limit = 1}))->more);
}

TEST_F(OperationsTest, ReleasesAMailThatIsSetAsideByItsName) {
  const auto shop = run(operations.add_account({.name = "shop"}));
  ASSERT_TRUE(run(operations.add_account({.name = "club"})));
  EXPECT_THAT(run(operations.stuck(10))->mails, SizeIs(0));
  const auto delivery = add_set_aside(*installation.store, shop->account.key, "taro@example.jp");
  const auto stuck = run(operations.stuck(10));
  ASSERT_TRUE(stuck) << stuck.error().detail;
  ASSERT_THAT(stuck->mails, SizeIs(1));
  EXPECT_FALSE(stuck->more);
  const StuckMail& found = stuck->mails[0];
  EXPECT_EQ(found.account, "shop");
  EXPECT_EQ(found.mail.address, "taro@example.jp");
  EXPECT_EQ(found.mail.delivery_id, delivery.id);
  EXPECT_EQ(found.mail.since, installation.clock.now());
  EXPECT_THAT(run(operations.explain({.address = "taro@example.jp", .account = ""}))->text,
              HasSubstr("todoku stuck release shop " + std::to_string(found.mail.email_id)));

  const auto release = [&](const std::string& account, store::PublicId email_id) {
    return run(operations.release_stuck(account, email_id));
  };
  EXPECT_EQ(release("nobody", found.mail.email_id).error().detail, "there is no account nobody");
  const auto of_another = release("club", found.mail.email_id);
  EXPECT_EQ(of_another.error().kind, ErrorKind::not_found);
  EXPECT_EQ(of_another.error().detail, "mail 1 of account club is not set aside");
  EXPECT_EQ(release("shop", 99).error().detail, "mail 99 of account shop is not set aside");
  EXPECT_THAT(installation.store->perform_and_wait(store::Due{})->domains, SizeIs(0));
  ASSERT_TRUE(release("shop", found.mail.email_id));
  EXPECT_THAT(installation.store->perform_and_wait(store::Due{})->domains, SizeIs(1));
  EXPECT_EQ(release("shop", found.mail.email_id).error().kind, ErrorKind::not_found);
}

TEST_F(OperationsTest, ReleasesAllThatIsSetAside) {
  const auto shop = run(operations.add_account({.name = "shop"}));
  add_set_aside(*installation.store, shop->account.key, "taro@example.jp");
  installation.clock.advance(std::chrono::minutes(1));
  add_set_aside(*installation.store, shop->account.key, "hanako@example.jp");
  const auto first = run(operations.stuck(1));
  ASSERT_THAT(first->mails, SizeIs(1));
  EXPECT_EQ(first->mails[0].mail.address, "taro@example.jp") << "since long ago first";
  EXPECT_TRUE(first->more);
  EXPECT_FALSE(run(operations.stuck(2))->more);
  EXPECT_EQ(run(operations.status())->queues.at(0).set_aside, 2);
  EXPECT_EQ(*run(operations.release_all_stuck()), 2);
  EXPECT_THAT(run(operations.stuck(10))->mails, SizeIs(0));
  EXPECT_EQ(*run(operations.release_all_stuck()), 0);
}

TEST_F(OperationsTest, AToolTellsOfAnEngineElsewhereOnTheSameStore) {
  std::vector<store::Node> living;
  Operations tool(
      *installation.store, installation.clock,
      {.engines_elsewhere = [&]() -> Result<std::vector<store::Node>> { return living; }});
  EXPECT_THAT(run(tool.status())->elsewhere, SizeIs(0));
  living.push_back({.name = "3f9c2a1b", .roles = "api on mail1.example.jp", .version = "1"});
  const auto status = run(tool.status());
  ASSERT_TRUE(status);
  EXPECT_FALSE(status->running) << "not this one";
  ASSERT_THAT(status->elsewhere, SizeIs(1));
  EXPECT_EQ(status->elsewhere[0].name, "3f9c2a1b");

  Operations blind(*installation.store, installation.clock,
                   {.engines_elsewhere = []() -> Result<std::vector<store::Node>> {
                     return fail(ErrorKind::unavailable, "the database is away");
                   }});
  EXPECT_FALSE(run(blind.status())) << "who cannot ask does not say that none runs";
  EXPECT_FALSE(run(blind.explain({.address = "a@example.jp"})));
}

TEST(RolesNobodyHas, AreThoseOfNoLeaseThatRuns) {
  const auto node = [](std::string roles, int seconds, bool is_void = false) {
    return store::Node{
        .roles = std::move(roles), .left = std::chrono::seconds(seconds), .is_void = is_void};
  };
  EXPECT_THAT(roles_nobody_has({}), SizeIs(0)) << "who asks is not there";
  EXPECT_THAT(roles_nobody_has({node("api,scheduler,courier,events on a", 9)}), SizeIs(0));
  EXPECT_THAT(roles_nobody_has({node("api,events on a", 9), node("scheduler on b", 1)}),
              testing::ElementsAre("courier"));
  EXPECT_THAT(roles_nobody_has({node("api on a", 9), node("scheduler,courier on b", 1)}),
              testing::ElementsAre("events"));
  EXPECT_THAT(roles_nobody_has({node("api on scheduler", 9), node("courier on b", -1),
                                node("scheduler on c", 9, true)}),
              testing::ElementsAre("scheduler", "courier", "events"));
}

TEST_F(OperationsTest, SaysWhyADomainIsNotCheckedOnTheSchedule) {
  ASSERT_TRUE(run(operations.add_account({.name = "shop"})));
  NewDomain claimed;
  claimed.account = "shop";
  claimed.domain = "example.jp";
  ASSERT_TRUE(run(operations.add_domain(claimed)));
  EXPECT_EQ(run(operations.domain_history("shop", "example.jp"))->not_checked, "not_proven");
  NewDomain vouched = claimed;
  vouched.vouched = true;
  ASSERT_TRUE(run(operations.add_domain(vouched)));
  EXPECT_EQ(run(operations.domain_history("shop", "example.jp"))->not_checked, "");

  Operations without(*installation.store, installation.clock, {.checks_domains = false});
  const auto history = run(without.domain_history("shop", "example.jp"));
  ASSERT_TRUE(history);
  EXPECT_EQ(history->not_checked, "switched_off");
  EXPECT_FALSE(history->next) << "a check that does not come has no time";
}

TEST_F(OperationsTest, DescribesTheEngineAndItsQueues) {
  const auto status = run(operations.status());
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->running);
  EXPECT_EQ(status->pid, 42);
  EXPECT_EQ(status->version, "1.2.3");
  ASSERT_TRUE(operations.drain());
  EXPECT_EQ(drains, 1);
}

}  // namespace
}  // namespace todoku::operate
