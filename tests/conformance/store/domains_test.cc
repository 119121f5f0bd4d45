// SPDX-License-Identifier: Apache-2.0
// Claims of domains, limits of accounts and counts of their mail.
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

Domain claim_of(AccountKey account, std::string_view domain) {
  Domain made;
  made.account = account;
  made.domain = domain;
  made.token = "token of " + std::string(domain);
  return made;
}

std::vector<std::string> names_of(const std::vector<Domain>& domains) {
  std::vector<std::string> names;
  for (const Domain& domain : domains) {
    names.push_back(std::to_string(static_cast<std::int64_t>(domain.account)) + " " +
                    domain.domain);
  }
  return names;
}

TEST_P(StoreSuite, AClaimIsAnAccountsAndKeptAsItWasChanged) {
  const Account acme = account("acme");
  const Account shop = account("shop");
  Domain given = claim_of(acme.key, "example.jp");
  given.look_at = after(5);
  const Domain made = must(write([&](WriteTransaction& t) { return t.add_domain(given); }));
  EXPECT_EQ(made.created, now());
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.add_domain(given); })), "conflict");
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.add_domain(claim_of(AccountKey{999}, "example.jp"));
            })),
            "not_found");
  must(write([&](WriteTransaction& t) { return t.add_domain(claim_of(shop.key, "example.jp")); }));

  Domain changed = made;
  changed.state = DomainState::proven;
  changed.vouched = true;
  changed.consents = {shop.key, AccountKey{77}};
  changed.proven = after(1);
  changed.answered = after(2);
  changed.failing = after(3);
  changed.failed_for = Milliseconds(4'000);
  changed.look_at = after(6);
  must(write([&](WriteTransaction& t) { return t.change_domain(changed); }));
  reopen();
  const Domain found =
      must(read([&](ReadTransaction& t) { return t.domain(acme.key, "example.jp"); }));
  EXPECT_EQ(found.token, given.token);
  EXPECT_EQ(found.state, DomainState::proven);
  EXPECT_TRUE(found.vouched);
  EXPECT_THAT(found.consents, ElementsAre(shop.key, AccountKey{77}));
  EXPECT_EQ(found.proven, after(1));
  EXPECT_EQ(found.answered, after(2));
  EXPECT_EQ(found.failing, after(3));
  EXPECT_EQ(found.failed_for, Milliseconds(4'000));
  EXPECT_EQ(found.look_at, after(6));
  const Domain other =
      must(read([&](ReadTransaction& t) { return t.domain(shop.key, "example.jp"); }));
  EXPECT_EQ(other.state, DomainState::unproven) << "another account's claim is another one";

  must(write([&](WriteTransaction& t) { return t.remove_domain(acme.key, "example.jp"); }));
  EXPECT_EQ(error_of(read([&](ReadTransaction& t) { return t.domain(acme.key, "example.jp"); })),
            "not_found");
  for (const auto& refused :
       {write([&](WriteTransaction& t) { return t.remove_domain(acme.key, "example.jp"); }),
        write([&](WriteTransaction& t) { return t.change_domain(changed); }),
        write([&](WriteTransaction& t) { return t.note_look(changed); })}) {
    EXPECT_EQ(error_of(refused), "not_found");
  }
}

TEST_P(StoreSuite, ClaimsAreListedInPagesAndTheirHoldersFoundByDomain) {
  const Account acme = account("acme");
  const Account shop = account("shop");
  const auto add = [&](AccountKey whose, std::string_view domain, DomainState state) {
    Domain made = claim_of(whose, domain);
    made.state = state;
    must(write([&](WriteTransaction& t) { return t.add_domain(made); }));
  };
  add(acme.key, "b.example", DomainState::proven);
  add(acme.key, "a.example", DomainState::unproven);
  add(shop.key, "b.example", DomainState::proven);
  add(shop.key, "c.example", DomainState::lapsed);
  const std::string one = std::to_string(static_cast<std::int64_t>(acme.key)) + " ";
  const std::string two = std::to_string(static_cast<std::int64_t>(shop.key)) + " ";
  const auto page = [&](const DomainPlace& after, std::int64_t limit) {
    return names_of(must(read([&](ReadTransaction& t) { return t.domains(after, limit); })));
  };
  EXPECT_THAT(page({}, 10), ElementsAre(one + "a.example", one + "b.example", two + "b.example",
                                        two + "c.example"));
  EXPECT_THAT(page({}, 2), ElementsAre(one + "a.example", one + "b.example"));
  EXPECT_THAT(page({acme.key, "b.example"}, 2), ElementsAre(two + "b.example", two + "c.example"));
  ProvenDomains proven;
  must(walk_and_wait(*store_, proven));
  EXPECT_THAT(names_of(proven.take()), ElementsAre(one + "b.example", two + "b.example"));
  const std::vector<std::string> asked = {"x.c.example", "c.example", "b.example"};
  EXPECT_THAT(names_of(must(read([&](ReadTransaction& t) { return t.holders(asked); }))),
              UnorderedElementsAre(one + "b.example", two + "b.example"));
}

TEST_P(StoreSuite, WhoseTimeHasComeIsLookedAtTheLongestDueFirst) {
  const Account acme = account();
  const auto add = [&](std::string_view domain, std::optional<Instant> look_at) {
    Domain made = claim_of(acme.key, domain);
    made.look_at = look_at;
    must(write([&](WriteTransaction& t) { return t.add_domain(made); }));
    return made;
  };
  add("never.example", std::nullopt);
  add("late.example", after(3));
  Domain early = add("early.example", after(2));
  const auto due = [&] {
    std::vector<std::string> names;
    for (const Domain& each :
         must(read([](ReadTransaction& t) { return t.domains_to_look_at(10); }))) {
      names.push_back(each.domain);
    }
    return names;
  };
  EXPECT_THAT(due(), IsEmpty());
  clock_.advance(std::chrono::seconds(5));
  EXPECT_THAT(due(), ElementsAre("early.example", "late.example"));
  EXPECT_THAT(must(read([](ReadTransaction& t) { return t.domains_to_look_at(1); })), SizeIs(1));
  early.look_at = after(100);
  const auto numbers = [&] {
    return must(read([](ReadTransaction& t) { return t.change_numbers(); })).of(Topic::domains);
  };
  const std::int64_t before = numbers();
  must(write([&](WriteTransaction& t) { return t.note_look(early); }));
  EXPECT_EQ(numbers(), before) << "nobody reads anew what gave nobody another right";
  EXPECT_THAT(due(), ElementsAre("late.example"));
  early.state = DomainState::proven;
  must(write([&](WriteTransaction& t) { return t.change_domain(early); }));
  EXPECT_GT(numbers(), before);
}

TEST_P(StoreSuite, AProvenDomainIsCheckedByWhoTakesItFirst) {
  const AccountKey acme = account().key;
  const auto add = [&](std::string_view domain, DomainState state) {
    Domain made = claim_of(acme, domain);
    made.state = state;
    must(write([&](WriteTransaction& t) { return t.add_domain(made); }));
    return made;
  };
  const auto due = [&] {
    std::vector<std::string> names;
    for (const DomainPlace& each :
         must(read([](ReadTransaction& t) { return t.domains_to_check(10); }))) {
      EXPECT_EQ(each.account, acme);
      names.push_back(each.domain);
    }
    return names;
  };
  const auto take = [&](std::string_view domain, Instant until) {
    return must(
        write([&](WriteTransaction& t) { return t.take_domain_check(acme, domain, until); }));
  };
  add("unproven.example", DomainState::unproven);
  Domain first = add("first.example", DomainState::proven);
  EXPECT_THAT(due(), ElementsAre("first.example")) << "at once";
  EXPECT_TRUE(take("first.example", after(10)));
  EXPECT_FALSE(take("first.example", after(10))) << "another has it";
  EXPECT_FALSE(take("unproven.example", after(10)));
  EXPECT_FALSE(take("none.example", after(10)));
  EXPECT_THAT(due(), IsEmpty());
  add("second.example", DomainState::proven);
  const std::string found("\0found\xff", 7);
  must(write([&](WriteTransaction& t) {
    return t.keep_domain_check(acme, "first.example", {.next = after(3), .found = found});
  }));
  reopen();
  const DomainCheck kept =
      must(read([&](ReadTransaction& t) { return t.domain_check(acme, "first.example"); }));
  EXPECT_EQ(kept.next, after(3));
  EXPECT_EQ(kept.found, found);
  clock_.advance(std::chrono::seconds(5));
  EXPECT_THAT(due(), ElementsAre("second.example", "first.example")) << "the longest due first";
  EXPECT_THAT(must(read([](ReadTransaction& t) { return t.domains_to_check(1); })), SizeIs(1));
  first.state = DomainState::lapsed;
  must(write([&](WriteTransaction& t) { return t.change_domain(first); }));
  EXPECT_THAT(due(), ElementsAre("second.example"));
  EXPECT_EQ(
      must(read([&](ReadTransaction& t) { return t.domain_check(acme, "first.example"); })).found,
      found)
      << "a look at the proof leaves what was found";

  const DomainCheck long_one{.next = {}, .found = std::string(kDomainCheckMax + 1, 'x')};
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.keep_domain_check(acme, "second.example", long_one);
            })),
            "invalid_input");
  must(write([&](WriteTransaction& t) { return t.remove_domain(acme, "first.example"); }));
  EXPECT_EQ(
      error_of(read([&](ReadTransaction& t) { return t.domain_check(acme, "first.example"); })),
      "not_found");
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.keep_domain_check(acme, "first.example", {.next = {}, .found = found});
            })),
            "not_found");
}

TEST_P(StoreSuite, LimitsOfAnAccountAreKept) {
  Account acme = account();
  EXPECT_EQ(acme.limits, AccountLimits{});
  acme.limits = {.requests_per_minute = 1,
                 .mails_per_minute = 2,
                 .mails_per_day = 3,
                 .mails_per_month = 4'000'000'000'000};
  must(write([&](WriteTransaction& t) { return t.change_account(acme); }));
  must(write([&](WriteTransaction& t) {
    return t.add_api_key(acme.key, {.label = "", .token_sha256 = "token"});
  }));
  EXPECT_EQ(must(read([](ReadTransaction& t) { return t.account_by_name("acme"); })).limits,
            acme.limits);
  EXPECT_EQ(must(read([](ReadTransaction& t) { return t.key_by_token("token"); })).account.limits,
            acme.limits);
}

TEST_P(StoreSuite, CountsOfMailAreAddedUpOverProcesses) {
  const AccountKey acme = account("acme").key;
  const AccountKey shop = account("shop").key;
  const auto count = [&](NodeKey node, std::vector<MailCount> counts) {
    must(write([&](WriteTransaction& t) { return t.count_mails(node, counts); }));
  };
  count(me_, {{acme, 10, 5}, {acme, 11, 1}, {shop, 11, 100}});
  count(other_, {{acme, 11, 20}});
  count(me_, {{acme, 11, 300}});
  const auto total = [&](AccountKey account, DayNumber first) {
    const std::vector<AccountKey> accounts = {account};
    std::int64_t mails = 0;
    for (const MailCount& each :
         must(read([&](ReadTransaction& t) { return t.mail_counts(accounts, first); }))) {
      EXPECT_EQ(each.account, account);
      mails += each.mails;
    }
    return mails;
  };
  EXPECT_EQ(total(acme, 10), 326);
  EXPECT_EQ(total(acme, 11), 321);
  EXPECT_EQ(total(acme, 12), 0);
  EXPECT_EQ(total(shop, 0), 100);
  EXPECT_FALSE(must(write([](WriteTransaction& t) { return t.drop_mail_counts(11, 1); })));
  EXPECT_TRUE(must(write([](WriteTransaction& t) { return t.drop_mail_counts(11, 1); })));
  EXPECT_EQ(total(acme, 0), 321);
}

// Once a span, whoever tells it: near, then reached; and of the next one again.
TEST_P(StoreSuite, AnAccountIsToldOfALimitOnce) {
  const AccountKey acme = account("acme").key;
  const auto told = [&](LimitSpan span, DayNumber begins, bool reached) {
    return must(write([&](WriteTransaction& t) {
      return t.tell_of_limit({.account = acme,
                              .span = span,
                              .begins = begins,
                              .reached = reached,
                              .name = "mails_per_day",
                              .because = "8 of 10"});
    }));
  };
  EXPECT_TRUE(told(LimitSpan::day, 100, false));
  EXPECT_FALSE(told(LimitSpan::day, 100, false));
  EXPECT_TRUE(told(LimitSpan::month, 90, true));
  EXPECT_FALSE(told(LimitSpan::month, 90, false));
  EXPECT_TRUE(told(LimitSpan::day, 100, true));
  EXPECT_FALSE(told(LimitSpan::day, 99, true));
  EXPECT_TRUE(told(LimitSpan::day, 101, false));
  const auto page = must(read([&](ReadTransaction& t) {
    return t.events({.account = acme, .kinds = {EventKind::limit_near, EventKind::limit_reached}});
  }));
  ASSERT_EQ(page.events.size(), 4U);
  EXPECT_EQ(page.events[0].entry.kind, EventKind::limit_near);
  EXPECT_EQ(page.events[0].entry.credential->name, "mails_per_day");
  EXPECT_EQ(page.events[0].entry.credential->because, "8 of 10");
  EXPECT_EQ(page.events[1].entry.kind, EventKind::limit_reached);
}

}  // namespace
}  // namespace todoku::store
