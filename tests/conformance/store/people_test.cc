// SPDX-License-Identifier: Apache-2.0
// People who sign in, what they are signed in with, and links that are good once (store/people.h).
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/digest.h"
#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

NewPerson somebody(AccountKey account, std::string_view local, Role role = Role::owner) {
  return {.account = account,
          .email = fmt::format("{}@example.jp", local),
          .name = fmt::format("{} さん", local),
          .role = role,
          .language = "ja"};
}

NewSignIn signing_in(PersonKey person, std::string_view token) {
  return {.person = person,
          .token_sha256 = sha256_hex(token),
          .idle = 1h,
          .life = 12h,
          .from = "192.0.2.7",
          .agent = "Browser"};
}

template <class Work>
auto write_in(Store& store, Work work) {
  return store.write_and_wait(WritePriority::accept, std::move(work));
}

Person added(Store& store, const NewPerson& wanted) {
  return must(write_in(store, [&](WriteTransaction& t) { return t.add_person(wanted); }));
}

// One who can sign in.
Person with_password(Store& store, const NewPerson& wanted) {
  return must(write_in(store, [&](WriteTransaction& t) -> Result<Person> {
    auto made = t.add_person(wanted);
    if (!made) return made;
    made->password_hash = "hash";
    auto changed = t.change_person(*made);
    if (!changed) return fail(std::move(changed.error()));
    return made;
  }));
}

template <class Change>
Result<void> change_held(Store& store, PersonKey key, Change change) {
  return write_in(store, [&](WriteTransaction& t) -> Result<void> {
    auto held = t.hold_person(key);
    if (!held) return fail(std::move(held.error()));
    change(*held);
    return t.change_person(*held);
  });
}

SignIn signed_in(Store& store, PersonKey person, std::string_view token) {
  return must(write_in(
      store, [&](WriteTransaction& t) { return t.add_sign_in(signing_in(person, token)); }));
}

Result<SignIn> found_sign_in(Store& store, std::string_view token) {
  return store.read_and_wait([&](ReadTransaction& t) { return t.sign_in(sha256_hex(token)); });
}

Result<Link> used_link(Store& store, std::string_view token) {
  return write_in(store, [&](WriteTransaction& t) { return t.use_link(sha256_hex(token)); });
}

Result<void> made_link(Store& store, std::string_view token, LinkPurpose purpose,
                       PersonKey person = {}, Earlier earlier = Earlier::are_void) {
  return write_in(store, [&](WriteTransaction& t) {
    return t.add_link(sha256_hex(token), purpose, person, 1h, earlier);
  });
}

Result<void> kept(Store& store, PersonKey person, std::string_view place, std::string_view text) {
  return write_in(store, [&](WriteTransaction& t) { return t.keep_text(person, place, text); });
}

std::vector<KeptText> texts_of(Store& store, PersonKey person, std::string_view place = "") {
  return must(store.read_and_wait([&](ReadTransaction& t) { return t.kept_texts(person, place); }));
}

void expect_last_in_charge(const Result<void>& done) {
  ASSERT_EQ(error_of(done), "conflict");
  EXPECT_THAT(done.error().detail, StartsWith(kLastInCharge));
}

// Runs both at once.
void at_once(const std::function<void()>& one, const std::function<void()>& other) {
  std::thread thread(other);
  one();
  thread.join();
}

TEST_P(StoreSuite, APersonIsKeptAsTheyAre) {
  const AccountKey acme = account().key;
  const Person made = added(*store_, somebody(acme, "hanako"));
  EXPECT_EQ(made.account, acme);
  EXPECT_EQ(made.email, "hanako@example.jp");
  EXPECT_EQ(made.name, "hanako さん");
  EXPECT_EQ(made.role, Role::owner);
  EXPECT_EQ(made.language, "ja");
  EXPECT_EQ(made.created, now());
  EXPECT_THAT(made.password_hash, IsEmpty());
  EXPECT_THAT(made.recovery, IsEmpty());
  EXPECT_FALSE(made.confirmed || made.seen || made.suspended);

  Person wanted = made;
  wanted.email = "hana@xn--wgv71a.jp";
  wanted.name = "花";
  wanted.role = Role::sender;
  wanted.language = "en";
  wanted.password_hash = "$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA";
  wanted.sealed_totp = std::string("\0sealed\xff", 8);
  wanted.sealed_totp_offered = std::string("\xfe\0", 2);
  wanted.totp_step_used = 58'000'000;
  wanted.recovery = {sha256_hex("a"), sha256_hex("b")};
  wanted.suspended = true;
  wanted.confirmed = after(1);
  wanted.seen = after(2);
  must(write([&](WriteTransaction& t) { return t.change_person(wanted); }));
  reopen();
  const Person found = must(read([&](ReadTransaction& t) { return t.person(made.key); }));
  EXPECT_EQ(found.email, wanted.email);
  EXPECT_EQ(found.name, wanted.name);
  EXPECT_EQ(found.role, wanted.role);
  EXPECT_EQ(found.language, wanted.language);
  EXPECT_EQ(found.password_hash, wanted.password_hash);
  EXPECT_EQ(found.sealed_totp, wanted.sealed_totp);
  EXPECT_EQ(found.sealed_totp_offered, wanted.sealed_totp_offered);
  EXPECT_EQ(found.totp_step_used, wanted.totp_step_used);
  EXPECT_EQ(found.recovery, wanted.recovery);
  EXPECT_TRUE(found.suspended);
  EXPECT_EQ(found.created, made.created);
  EXPECT_EQ(found.confirmed, wanted.confirmed);
  EXPECT_EQ(found.seen, wanted.seen);
  EXPECT_EQ(must(read([&](ReadTransaction& t) { return t.person_by_email(wanted.email); })).key,
            made.key);
  EXPECT_EQ(error_of(read([&](ReadTransaction& t) { return t.person_by_email(made.email); })),
            "not_found");
}

TEST_P(StoreSuite, AnAddressIsOnePersonsInTheInstallation) {
  const AccountKey acme = account("acme").key;
  const AccountKey shop = account("shop").key;
  const Person first = added(*store_, somebody(acme, "taro"));
  const auto again = [&](const NewPerson& wanted) {
    return error_of(write([&](WriteTransaction& t) { return t.add_person(wanted); }));
  };
  EXPECT_EQ(again(somebody(acme, "taro")), "conflict");
  EXPECT_EQ(again(somebody(shop, "taro")), "conflict");
  EXPECT_EQ(again(somebody({}, "taro", Role::operator_)), "conflict");
  EXPECT_EQ(again(somebody(AccountKey{77}, "jiro")), "not_found");

  const Person second = added(*store_, somebody(shop, "jiro"));
  const auto renamed =
      change_held(*store_, second.key, [](Person& p) { p.email = "taro@example.jp"; });
  EXPECT_EQ(error_of(renamed), "conflict");
  must(write([&](WriteTransaction& t) { return t.remove_person(first.key); }));
  must(change_held(*store_, second.key, [](Person& p) { p.email = "taro@example.jp"; }));
  EXPECT_NE(added(*store_, somebody(acme, "jiro")).key, first.key) << "keys are not used twice";

  Person foreign = second;
  foreign.account = acme;
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.change_person(foreign); })),
            "not_found");
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.hold_person(first.key); })),
            "not_found");
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.remove_person(first.key); })),
            "not_found");
}

TEST_P(StoreSuite, WhatIsNoPersonIsRefused) {
  const AccountKey acme = account().key;
  const auto refused = [&](auto spoil) {
    NewPerson wanted = somebody(acme, "hanako");
    spoil(wanted);
    return error_of(write([&](WriteTransaction& t) { return t.add_person(wanted); }));
  };
  EXPECT_EQ(refused([](NewPerson& p) { p.email = "Hanako@example.jp"; }), "invalid_input");
  EXPECT_EQ(refused([](NewPerson& p) { p.email = "hanako@日本.jp"; }), "invalid_input");
  EXPECT_EQ(refused([](NewPerson& p) { p.email = "@example.jp"; }), "invalid_input");
  EXPECT_EQ(refused([](NewPerson& p) { p.email = ""; }), "invalid_input");
  EXPECT_EQ(refused([](NewPerson& p) { p.name = std::string("a\0b", 3); }), "invalid_input");
  EXPECT_EQ(refused([](NewPerson& p) { p.language = "fr"; }), "invalid_input");
  EXPECT_EQ(refused([](NewPerson& p) { p.role = Role::operator_; }), "invalid_input");
  EXPECT_EQ(refused([](NewPerson& p) { p.role = Role{9}; }), "invalid_input");
  EXPECT_EQ(refused([](NewPerson& p) { p.account = {}; }), "invalid_input");
  const auto of_characters = [&](std::size_t count) {
    return refused([&](NewPerson& p) {
      p.name.clear();
      for (std::size_t i = 0; i < count; ++i) p.name += "花";
    });
  };
  EXPECT_EQ(of_characters(kPersonNameMax + 1), "invalid_input");
  EXPECT_EQ(of_characters(kPersonNameMax), "none");

  Person person =
      must(read([](ReadTransaction& t) { return t.person_by_email("hanako@example.jp"); }));
  const auto with_codes = [&](std::size_t count, std::string_view code) {
    person.recovery.assign(count, std::string(code));
    return error_of(write([&](WriteTransaction& t) { return t.change_person(person); }));
  };
  EXPECT_EQ(with_codes(kRecoveryCodesMax + 1, sha256_hex("a")), "invalid_input");
  EXPECT_EQ(with_codes(kRecoveryCodesMax, sha256_hex("a")), "none");
  EXPECT_EQ(with_codes(1, "not a hash"), "invalid_input");
}

TEST_P(StoreSuite, PeopleAreListedByAccountAndOperatorsApart) {
  const AccountKey acme = account("acme").key;
  const AccountKey shop = account("shop").key;
  const PersonKey first = added(*store_, somebody(acme, "a")).key;
  added(*store_, somebody(shop, "b"));
  added(*store_, somebody({}, "c", Role::operator_));
  added(*store_, somebody(acme, "d", Role::support));
  const auto listed = [&](AccountKey of, PersonKey after, std::int64_t limit) {
    std::vector<std::string> addresses;
    for (const Person& p :
         must(read([&](ReadTransaction& t) { return t.people(of, after, limit); }))) {
      addresses.push_back(p.email);
    }
    return addresses;
  };
  EXPECT_THAT(listed(acme, {}, 10), ElementsAre("a@example.jp", "d@example.jp"));
  EXPECT_THAT(listed(acme, {}, 1), ElementsAre("a@example.jp"));
  EXPECT_THAT(listed(acme, first, 10), ElementsAre("d@example.jp"));
  EXPECT_THAT(listed({}, {}, 10), ElementsAre("c@example.jp"));
}

TEST_P(StoreSuite, AnAccountHasSoManyPeopleAndNoMore) {
  const AccountKey acme = account("acme").key;
  const AccountKey shop = account("shop").key;
  constexpr std::int64_t kAtOnce = 100;
  for (std::int64_t i = 0; i < kPeopleMax; i += kAtOnce) {
    must(write([&](WriteTransaction& t) -> Result<void> {
      for (std::int64_t n = i; n < i + kAtOnce; ++n) {
        auto made = t.add_person(somebody(acme, fmt::format("number{}", n), Role::viewer));
        if (!made) return fail(std::move(made.error()));
      }
      return {};
    }));
  }
  const auto one_more = [&](AccountKey whose, std::string_view local) {
    return error_of(
        write([&](WriteTransaction& t) { return t.add_person(somebody(whose, local)); }));
  };
  EXPECT_EQ(one_more(acme, "more"), "limit_exceeded");
  EXPECT_EQ(one_more(shop, "more"), "none");
}

TEST_P(StoreSuite, SomebodyIsLeftInChargeOfAnAccount) {
  const AccountKey acme = account("acme").key;
  const Person invited = added(*store_, somebody(acme, "invited"));
  must(change_held(*store_, invited.key, [](Person& p) { p.role = Role::viewer; }));
  must(change_held(*store_, invited.key, [](Person& p) { p.role = Role::owner; }));
  const Person owner = with_password(*store_, somebody(acme, "owner"));
  with_password(*store_, somebody(account("shop").key, "other"));  // is no help

  const auto change = [&](PersonKey key, auto how) { return change_held(*store_, key, how); };
  expect_last_in_charge(change(owner.key, [](Person& p) { p.role = Role::sender; }));
  expect_last_in_charge(change(owner.key, [](Person& p) { p.suspended = true; }));
  expect_last_in_charge(change(owner.key, [](Person& p) { p.password_hash.clear(); }));
  expect_last_in_charge(write([&](WriteTransaction& t) { return t.remove_person(owner.key); }));
  must(change(owner.key, [](Person& p) { p.name = "Owner"; }));

  must(change(invited.key, [](Person& p) { p.password_hash = "hash"; }));
  must(change(owner.key, [](Person& p) { p.suspended = true; }));
  expect_last_in_charge(write([&](WriteTransaction& t) { return t.remove_person(invited.key); }));
  must(change(owner.key, [](Person& p) { p.suspended = false; }));
  must(write([&](WriteTransaction& t) { return t.remove_person(invited.key); }));

  const Person first = with_password(*store_, somebody({}, "first", Role::operator_));
  expect_last_in_charge(write([&](WriteTransaction& t) { return t.remove_person(first.key); }));
  with_password(*store_, somebody({}, "second", Role::operator_));
  must(write([&](WriteTransaction& t) { return t.remove_person(first.key); }));
}

TEST_P(StoreSuite, OfTwoLastOwnersWhoLeaveAtOnceOneStays) {
  const AccountKey acme = account().key;
  const PersonKey one = with_password(*store_, somebody(acme, "one")).key;
  const PersonKey other = with_password(*store_, somebody(acme, "other")).key;
  for (int round = 0; round < 10; ++round) {
    std::atomic<int> left{0};
    const auto leave = [&](PersonKey who) {
      if (change_held(*store_, who, [](Person& p) { p.role = Role::viewer; })) ++left;
    };
    at_once([&] { leave(one); }, [&] { leave(other); });
    EXPECT_EQ(left, 1) << round;
    for (const PersonKey who : {one, other}) {
      must(change_held(*store_, who, [](Person& p) { p.role = Role::owner; }));
    }
  }
}

// A code of a second factor is good once, whoever is quicker.
TEST_P(StoreSuite, ChangesOfAPersonAreMadeOneAfterTheOther) {
  const PersonKey key = added(*store_, somebody(account().key, "hanako")).key;
  constexpr int kEach = 20;
  const auto take = [&] {
    for (int step = 1; step <= kEach; ++step) {
      must(change_held(*store_, key, [step](Person& person) {
        if (person.totp_step_used >= step) return;
        person.totp_step_used = step;
        person.name += 'x';
      }));
    }
  };
  must(change_held(*store_, key, [](Person& p) { p.name.clear(); }));
  at_once(take, take);
  EXPECT_THAT(must(read([&](ReadTransaction& t) { return t.person(key); })).name, SizeIs(kEach));
}

TEST_P(StoreSuite, ASignInIsKeptUntilItIsIdleOrOver) {
  const AccountKey acme = account().key;
  const PersonKey person = added(*store_, somebody(acme, "hanako")).key;
  NewSignIn wanted = signing_in(person, "token");
  wanted.half = true;
  wanted.acting_for = acme;
  wanted.agent = std::string(kSignInAgentMax - 1, 'x') + "花";
  const SignIn made = must(write([&](WriteTransaction& t) { return t.add_sign_in(wanted); }));
  reopen();
  const SignIn found = must(found_sign_in(*store_, "token"));
  EXPECT_EQ(found.key, made.key);
  EXPECT_EQ(found.person, person);
  EXPECT_TRUE(found.half);
  EXPECT_EQ(found.acting_for, acme);
  EXPECT_EQ(found.created, now());
  EXPECT_EQ(found.used, now());
  EXPECT_EQ(found.idle_end, now() + 1h);
  EXPECT_EQ(found.end, now() + 12h);
  EXPECT_EQ(found.from, "192.0.2.7");
  EXPECT_EQ(found.agent, std::string(kSignInAgentMax - 1, 'x'));
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.add_sign_in(wanted); })),
            "conflict");
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.add_sign_in(signing_in(PersonKey{999'999'999}, "nobody's"));
            })),
            "not_found");

  const auto use = [&](Milliseconds idle) {
    return must(write([&](WriteTransaction& t) { return t.use_sign_in(made.key, idle); }));
  };
  clock_.advance(59min);
  EXPECT_TRUE(use(1h));
  clock_.advance(59min);
  EXPECT_EQ(must(found_sign_in(*store_, "token")).idle_end, now() + 1min);
  EXPECT_TRUE(use(24h));
  EXPECT_EQ(must(found_sign_in(*store_, "token")).idle_end, found.end) << "never past its end";
  EXPECT_EQ(must(found_sign_in(*store_, "token")).used, now());
  clock_.advance(10h + 2min);
  EXPECT_EQ(error_of(found_sign_in(*store_, "token")), "not_found");
  EXPECT_FALSE(use(1h)) << "who is over does not come back";
  EXPECT_FALSE(must(write([&](WriteTransaction& t) { return t.act_for(made.key, acme); })));
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.rotate_sign_in(made.key, sha256_hex("new"), false, 1h, 1h);
            })),
            "not_found");
}

TEST_P(StoreSuite, ASignInIsRotatedAndActsForWhomItSays) {
  const AccountKey acme = account().key;
  const PersonKey person = added(*store_, somebody({}, "operator", Role::operator_)).key;
  NewSignIn wanted = signing_in(person, "half");
  wanted.half = true;
  const SignIn half = must(write([&](WriteTransaction& t) { return t.add_sign_in(wanted); }));
  signed_in(*store_, person, "other");
  clock_.advance(5min);
  const auto rotate = [&](std::string_view token) {
    return write([&](WriteTransaction& t) {
      return t.rotate_sign_in(half.key, sha256_hex(token), false, 2h, 24h);
    });
  };
  EXPECT_EQ(error_of(rotate("other")), "conflict");
  const SignIn whole = must(rotate("whole"));
  EXPECT_EQ(whole.key, half.key);
  EXPECT_FALSE(whole.half);
  EXPECT_EQ(whole.created, half.created);
  EXPECT_EQ(whole.used, now());
  EXPECT_EQ(whole.idle_end, now() + 2h);
  EXPECT_EQ(whole.end, now() + 24h);
  EXPECT_EQ(error_of(found_sign_in(*store_, "half")), "not_found");
  EXPECT_EQ(must(found_sign_in(*store_, "whole")).key, half.key);

  const auto act_for = [&](AccountKey whom) {
    EXPECT_TRUE(must(write([&](WriteTransaction& t) { return t.act_for(half.key, whom); })));
    return must(found_sign_in(*store_, "whole")).acting_for;
  };
  EXPECT_EQ(act_for(acme), acme);
  EXPECT_EQ(act_for({}), AccountKey{});
}

TEST_P(StoreSuite, SignInsEndOneByOneOrAllButOne) {
  const AccountKey acme = account().key;
  const PersonKey person = added(*store_, somebody(acme, "hanako")).key;
  const PersonKey other = added(*store_, somebody(acme, "taro")).key;
  std::vector<SignIn> made;
  for (const char* token : {"a", "b", "c", "d"}) {
    made.push_back(signed_in(*store_, person, token));
    clock_.advance(1min);
  }
  signed_in(*store_, other, "e");
  const auto tokens = [&] {
    std::vector<SignInKey> keys;
    for (const SignIn& s : must(read([&](ReadTransaction& t) { return t.sign_ins(person); }))) {
      keys.push_back(s.key);
    }
    return keys;
  };
  EXPECT_THAT(tokens(), ElementsAre(made[3].key, made[2].key, made[1].key, made[0].key));
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.end_sign_in(other, made[0].key); })),
            "not_found");
  must(write([&](WriteTransaction& t) { return t.end_sign_in(person, made[0].key); }));
  EXPECT_EQ(error_of(found_sign_in(*store_, "a")), "not_found");
  EXPECT_EQ(must(write([&](WriteTransaction& t) { return t.end_sign_ins(person, made[2].key); })),
            2);
  EXPECT_THAT(tokens(), ElementsAre(made[2].key));
  EXPECT_EQ(must(write([&](WriteTransaction& t) { return t.end_sign_ins(person, {}); })), 1);
  EXPECT_THAT(tokens(), IsEmpty());
  EXPECT_TRUE(found_sign_in(*store_, "e"));
}

TEST_P(StoreSuite, OfTooManySignInsTheOneUsedLongestAgoGoes) {
  const PersonKey person = added(*store_, somebody(account().key, "hanako")).key;
  const SignIn first = signed_in(*store_, person, "first");
  clock_.advance(1s);
  signed_in(*store_, person, "second");
  for (std::int64_t i = 2; i < kSignInsMax; ++i) signed_in(*store_, person, fmt::format("{}", i));
  clock_.advance(1s);
  EXPECT_TRUE(must(write([&](WriteTransaction& t) { return t.use_sign_in(first.key, 1h); })));
  EXPECT_TRUE(found_sign_in(*store_, "second"));
  signed_in(*store_, person, "one more");
  EXPECT_EQ(error_of(found_sign_in(*store_, "second")), "not_found");
  EXPECT_THAT(must(read([&](ReadTransaction& t) { return t.sign_ins(person); })),
              SizeIs(static_cast<std::size_t>(kSignInsMax)));
}

TEST_P(StoreSuite, HalfSignInsPutNoneOutThatIsWhole) {
  const PersonKey person = added(*store_, somebody(account().key, "hanako")).key;
  signed_in(*store_, person, "whole");
  const auto half = [&](std::string_view token) {
    NewSignIn wanted = signing_in(person, token);
    wanted.half = true;
    return must(write([&](WriteTransaction& t) { return t.add_sign_in(wanted); }));
  };
  SignIn last;
  for (std::int64_t i = 0; i < kSignInsMax + 1; ++i) {
    clock_.advance(1s);
    last = half(fmt::format("half {}", i));
  }
  EXPECT_TRUE(found_sign_in(*store_, "whole"));
  EXPECT_THAT(must(read([&](ReadTransaction& t) { return t.sign_ins(person); })),
              SizeIs(static_cast<std::size_t>(kHalfSignInsMax + 1)));
  // By those that become whole there are no more than there may be either.
  for (std::int64_t i = 0; i < kSignInsMax; ++i) {
    clock_.advance(1s);
    must(write([&](WriteTransaction& t) {
      return t.rotate_sign_in(last.key, sha256_hex(fmt::format("code {}", i)), false, 1h, 1h);
    }));
    last = half(fmt::format("again {}", i));
  }
  EXPECT_EQ(error_of(found_sign_in(*store_, "whole")), "not_found");
  std::int64_t whole = 0;
  for (const SignIn& each : must(read([&](ReadTransaction& t) { return t.sign_ins(person); }))) {
    whole += each.half ? 0 : 1;
  }
  EXPECT_EQ(whole, kSignInsMax);
}

TEST_P(StoreSuite, ALinkForSomebodyUnknownVoidsNoneAndIsVoidWithTheOthers) {
  const PersonKey person = added(*store_, somebody(account().key, "hanako")).key;
  const auto is_good = [&](std::string_view token) {
    return read([&](ReadTransaction& t) { return t.link(sha256_hex(token)); }).has_value();
  };
  const auto has_link = [&] {
    return must(read([&](ReadTransaction& t) { return t.has_link(person); }));
  };
  EXPECT_FALSE(has_link());
  must(made_link(*store_, "handed over", LinkPurpose::reset, person));
  must(made_link(*store_, "asked for", LinkPurpose::reset, person, Earlier::stay));
  EXPECT_TRUE(is_good("handed over"));
  EXPECT_TRUE(is_good("asked for"));
  must(made_link(*store_, "newer", LinkPurpose::reset, person));
  EXPECT_FALSE(is_good("handed over"));
  EXPECT_FALSE(is_good("asked for"));
  EXPECT_TRUE(has_link());
  clock_.advance(1h);
  EXPECT_FALSE(has_link()) << "they are over";
}

TEST_P(StoreSuite, ALinkIsGoodOnceAndTheLastOfItsKind) {
  const PersonKey person = added(*store_, somebody(account().key, "hanako")).key;
  must(made_link(*store_, "reset", LinkPurpose::reset, person));
  must(made_link(*store_, "confirm", LinkPurpose::confirm, person));
  must(made_link(*store_, "first", LinkPurpose::first_operator));
  reopen();
  const auto look = [&](std::string_view token) {
    return read([&](ReadTransaction& t) { return t.link(sha256_hex(token)); });
  };
  const Link found = must(look("reset"));
  EXPECT_EQ(found.purpose, LinkPurpose::reset);
  EXPECT_EQ(found.person, person);
  EXPECT_EQ(found.created, now());
  EXPECT_EQ(found.end, now() + 1h);
  EXPECT_EQ(must(look("first")).person, PersonKey{});

  must(made_link(*store_, "reset again", LinkPurpose::reset, person));
  EXPECT_EQ(error_of(used_link(*store_, "reset")), "not_found") << "an earlier one is void";
  EXPECT_EQ(must(used_link(*store_, "reset again")).person, person);
  EXPECT_EQ(error_of(used_link(*store_, "reset again")), "not_found");
  EXPECT_EQ(error_of(look("reset again")), "not_found");

  EXPECT_EQ(error_of(made_link(*store_, "confirm", LinkPurpose::invitation, person)), "conflict");
  EXPECT_EQ(error_of(made_link(*store_, "x", LinkPurpose::reset, PersonKey{999'999'999})),
            "not_found");
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.add_link("not a hash", LinkPurpose::reset, person, 1h, Earlier::are_void);
            })),
            "invalid_input");
  must(write([&](WriteTransaction& t) { return t.void_links(person); }));
  EXPECT_EQ(error_of(look("confirm")), "not_found");
  EXPECT_TRUE(look("first")) << "it is nobody's";
  clock_.advance(1h);
  EXPECT_EQ(error_of(look("first")), "not_found");
  EXPECT_EQ(error_of(used_link(*store_, "first")), "not_found") << "it is over";
}

TEST_P(StoreSuite, OfSeveralWhoUseALinkAtOnceOneDoes) {
  for (int round = 0; round < 10; ++round) {
    const std::string token = fmt::format("{}", round);
    must(made_link(*store_, token, LinkPurpose::first_operator));
    std::atomic<int> used{0};
    const auto use = [&] {
      if (used_link(*store_, token)) ++used;
    };
    at_once(use, use);
    EXPECT_EQ(used, 1) << round;
  }
}

TEST_P(StoreSuite, OfTwoLinksForTheFirstOperatorMadeAtOnceOneIsLeft) {
  for (int round = 0; round < 10; ++round) {
    const std::string one = fmt::format("one {}", round);
    const std::string other = fmt::format("other {}", round);
    at_once([&] { must(made_link(*store_, one, LinkPurpose::first_operator)); },
            [&] { must(made_link(*store_, other, LinkPurpose::first_operator)); });
    const bool first = used_link(*store_, one).has_value();
    EXPECT_NE(first, used_link(*store_, other).has_value()) << round;
  }
}

TEST_P(StoreSuite, WhatAnAccountAsksOfItsPeopleIsKept) {
  const AccountKey acme = account().key;
  const auto rules_of = [&](AccountKey whose) {
    return must(read([&](ReadTransaction& t) { return t.sign_in_rules(whose); }));
  };
  const auto put = [&](AccountKey whose, const SignInRules& rules) {
    return error_of(write([&](WriteTransaction& t) { return t.put_sign_in_rules(whose, rules); }));
  };
  EXPECT_EQ(rules_of(acme), SignInRules{});
  const SignInRules wanted{
      .second_factor = true, .networks = {"192.0.2.0/24", "2001:db8::/32"}, .approval = true};
  EXPECT_EQ(put(acme, wanted), "none");
  reopen();
  EXPECT_EQ(rules_of(acme), wanted);
  EXPECT_EQ(put(acme, {.approval = true}), "none");
  EXPECT_EQ(rules_of(acme), SignInRules{.approval = true});
  EXPECT_EQ(put(acme, {}), "none");
  EXPECT_EQ(rules_of(acme), SignInRules{});
  EXPECT_EQ(put(AccountKey{77}, wanted), "not_found");
  EXPECT_EQ(put(acme, {.networks = {"192.0.2.0/24 "}}), "invalid_input");
  const std::vector<std::string> many(kSignInNetworksMax + 1, "192.0.2.0/24");
  EXPECT_EQ(put(acme, {.networks = many}), "invalid_input");
}

TEST_P(StoreSuite, WhatSomebodyHasTypedIsKeptByPlace) {
  const AccountKey acme = account().key;
  const PersonKey person = added(*store_, somebody(acme, "hanako")).key;
  const PersonKey other = added(*store_, somebody(acme, "taro")).key;
  must(kept(*store_, person, "compose:1", "{\"subject\":\"件名\"}"));
  clock_.advance(1s);
  must(kept(*store_, person, "compose:2", "two"));
  must(kept(*store_, other, "compose:1", "theirs"));
  clock_.advance(1s);
  must(kept(*store_, person, "compose:1", "changed"));
  reopen();
  const auto one = texts_of(*store_, person, "compose:1");
  ASSERT_THAT(one, SizeIs(1));
  EXPECT_EQ(one.front().text, "changed");
  EXPECT_EQ(one.front().kept, now());
  EXPECT_THAT(texts_of(*store_, person), ElementsAre(Field(&KeptText::place, "compose:1"),
                                                     Field(&KeptText::place, "compose:2")));
  EXPECT_THAT(texts_of(*store_, person), Each(Field(&KeptText::text, IsEmpty())));
  EXPECT_THAT(texts_of(*store_, person, "compose:3"), IsEmpty());
  must(kept(*store_, person, "compose:1", ""));
  EXPECT_THAT(texts_of(*store_, person), ElementsAre(Field(&KeptText::place, "compose:2")));

  for (std::int64_t i = 0; i < kKeptTextsMax; ++i) {
    clock_.advance(1s);
    must(kept(*store_, person, fmt::format("list:{}", i), "x"));
  }
  EXPECT_THAT(texts_of(*store_, person), SizeIs(static_cast<std::size_t>(kKeptTextsMax)));
  EXPECT_THAT(texts_of(*store_, person, "compose:2"), IsEmpty()) << "the oldest went";
  must(kept(*store_, person, "list:0", "changed"));
  EXPECT_THAT(texts_of(*store_, person, "list:1"), SizeIs(1)) << "nothing is added by a change";
  must(write([&](WriteTransaction& t) { return t.drop_texts(person); }));
  EXPECT_THAT(texts_of(*store_, person), IsEmpty());
  EXPECT_THAT(texts_of(*store_, other), SizeIs(1));

  EXPECT_EQ(error_of(kept(*store_, PersonKey{999'999'999}, "a", "x")), "not_found");
  EXPECT_EQ(error_of(kept(*store_, person, "", "x")), "invalid_input");
  EXPECT_EQ(error_of(kept(*store_, person, std::string(kKeptTextPlaceMax + 1, 'a'), "x")),
            "invalid_input");
  EXPECT_EQ(error_of(kept(*store_, person, "a", "\xff")), "invalid_input");
  EXPECT_EQ(error_of(kept(*store_, person, "a", std::string(kKeptTextOctetsMax + 1, 'x'))),
            "limit_exceeded");
  EXPECT_EQ(error_of(kept(*store_, person, "a", std::string(kKeptTextOctetsMax, 'x'))), "none");
}

TEST_P(StoreSuite, WhatNobodyHasTouchedForTwoWeeksIsDroppedInSlices) {
  const AccountKey acme = account().key;
  const PersonKey person = added(*store_, somebody(acme, "hanako")).key;
  const PersonKey other = added(*store_, somebody(acme, "taro")).key;
  must(kept(*store_, person, "compose:1", "left"));
  must(kept(*store_, person, "compose:2", "gone on with"));
  must(kept(*store_, other, "compose:1", "left, too"));
  const auto drop = [&](std::int64_t rows) {
    return must(write([&](WriteTransaction& t) { return t.drop_old_texts(rows); }));
  };
  clock_.advance(kKeptTextLife - 1h);
  EXPECT_FALSE(drop(10));
  must(kept(*store_, person, "compose:2", "gone on with again"));
  EXPECT_THAT(texts_of(*store_, person), SizeIs(2));
  clock_.advance(1h);
  EXPECT_TRUE(drop(1)) << "there may be more";
  EXPECT_TRUE(drop(1));
  EXPECT_FALSE(drop(1));
  EXPECT_THAT(texts_of(*store_, person), ElementsAre(Field(&KeptText::place, "compose:2")));
  EXPECT_THAT(texts_of(*store_, other), IsEmpty());
  clock_.advance(kKeptTextLife);
  EXPECT_FALSE(drop(10));
  EXPECT_THAT(texts_of(*store_, person), IsEmpty());
}

TEST_P(StoreSuite, ForWhomAnInvitationStandsIsKeptUntilTheAddressIsTheirs) {
  const AccountKey acme = account().key;
  NewPerson wanted = somebody(acme, "nobody");
  wanted.stands_for = "taro@example.jp";
  Person stand_in = added(*store_, wanted);
  EXPECT_EQ(stand_in.stands_for, "taro@example.jp");
  EXPECT_EQ(stand_in.address(), "taro@example.jp");
  reopen();
  const auto by_email = [&](std::string_view email) {
    return read([&](ReadTransaction& t) { return t.person_by_email(email); });
  };
  EXPECT_EQ(error_of(by_email("taro@example.jp")), "not_found") << "it signs nobody in";
  EXPECT_EQ(must(by_email(wanted.email)).stands_for, "taro@example.jp");
  stand_in.email = std::exchange(stand_in.stands_for, {});
  must(write([&](WriteTransaction& t) { return t.change_person(stand_in); }));
  EXPECT_EQ(must(by_email("taro@example.jp")).stands_for, "");
  stand_in.stands_for = "Taro@EXAMPLE.jp";
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.change_person(stand_in); })),
            "invalid_input");
}

TEST_P(StoreSuite, WhatAPersonHasGoesWithThem) {
  const AccountKey acme = account().key;
  const PersonKey person = added(*store_, somebody(acme, "hanako")).key;
  signed_in(*store_, person, "token");
  must(made_link(*store_, "link", LinkPurpose::reset, person));
  must(kept(*store_, person, "compose", "x"));
  must(write([&](WriteTransaction& t) { return t.remove_person(person); }));
  EXPECT_EQ(error_of(read([&](ReadTransaction& t) { return t.person(person); })), "not_found");
  EXPECT_EQ(error_of(found_sign_in(*store_, "token")), "not_found");
  EXPECT_EQ(error_of(used_link(*store_, "link")), "not_found");
  EXPECT_THAT(texts_of(*store_, person), IsEmpty());
}

TEST_P(StoreSuite, SignInsAndLinksThatAreOverAreDroppedInSlices) {
  const PersonKey person = added(*store_, somebody(account().key, "hanako")).key;
  for (const char* token : {"a", "b", "c"}) signed_in(*store_, person, token);
  must(made_link(*store_, "link", LinkPurpose::reset, person));
  clock_.advance(1h);
  const SignIn lives = signed_in(*store_, person, "lives");
  must(made_link(*store_, "lives", LinkPurpose::confirm, person));
  const auto drop = [&](std::int64_t rows) {
    return must(write([&](WriteTransaction& t) { return t.drop_ended_sign_ins(rows); }));
  };
  EXPECT_TRUE(drop(2));
  EXPECT_TRUE(drop(2)) << "a sign-in and a link";
  EXPECT_FALSE(drop(2));
  EXPECT_EQ(must(found_sign_in(*store_, "lives")).key, lives.key);
  EXPECT_TRUE(used_link(*store_, "lives"));
  EXPECT_EQ(must(write([&](WriteTransaction& t) { return t.end_sign_ins(person, {}); })), 1);
}

}  // namespace
}  // namespace todoku::store
