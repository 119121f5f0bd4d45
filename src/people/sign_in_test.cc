// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "access/scopes.h"
#include "people/test_world.h"

namespace todoku::people {
namespace {

using store::Role;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

TEST_F(PeopleTest, TheFirstOperatorComesByALinkThatIsGoodOnce) {
  EXPECT_TRUE(*run(people.is_first_run()));
  const auto link = run(people.first_operator_link("operator", "admin socket"));
  EXPECT_THAT(std::string(link->url.view()), HasSubstr("https://console.example.jp/link#"));
  const auto use = [&] {
    return run(people.use_link({.token = token_of(link->url),
                                .password = secret(kPassword),
                                .name = "Operator",
                                .email = "Op@Example.JP"},
                               here));
  };
  const auto first = use();
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->who->person.email, "op@example.jp");
  EXPECT_TRUE((*first)->who->is_operator());
  EXPECT_FALSE((*first)->who->account);
  EXPECT_FALSE((*first)->who->person.confirmed) << "no mail was sent to it";
  EXPECT_EQ(use().error().kind, ErrorKind::not_found);
  EXPECT_FALSE(*run(people.is_first_run()));
  EXPECT_THAT(audit(), Contains("operator: person.link_first_operator from admin socket"));
  EXPECT_THAT(audit(),
              Contains(HasSubstr("(op@example.jp): person.first_operator from 192.0.2.1")));
}

TEST_F(PeopleTest, ALinkOfTheFirstOperatorIsOverAfterAQuarterOfAnHour) {
  const auto link = run(people.first_operator_link("operator", "admin socket"));
  installation.clock.advance(std::chrono::minutes(15));
  EXPECT_EQ(run(people.look_at_link(token_of(link->url))).error().kind, ErrorKind::not_found);
}

TEST_F(PeopleTest, EachSignInHasATokenOfItsOwn) {
  const Opened joined = make("sender@example.jp", Role::sender);
  const auto first = sign_in("sender@example.jp");
  const auto second = sign_in(" sender@example.jp ");
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->token.view(), second->token.view());
  EXPECT_NE(first->token.view(), joined.token.view());
  EXPECT_EQ(first->token.view().size(), 43U) << "256 bits";
  const auto who = look(first->token);
  ASSERT_TRUE(who);
  EXPECT_EQ((*who)->account->name, "acme");
  EXPECT_EQ(access::to_string((*who)->scopes), "send,read,content,suppress");
  EXPECT_TRUE((*who)->person.password_hash.empty()) << "goes no further than here";
  EXPECT_THAT(*run(people.sign_ins(*who)), SizeIs(3));
  EXPECT_FALSE(look(secret("another"))) << "no token is as good as none";
  EXPECT_EQ(look(secret("another")).error().forbidden, false);
}

TEST_F(PeopleTest, WhateverIsWrongHasOneAnswer) {
  make("sender@example.jp", Role::sender);
  const auto wrong = sign_in("sender@example.jp", "another password");
  const auto nobody = sign_in("nobody@example.jp");
  const auto nonsense = sign_in("nonsense");
  for (const auto* each : {&wrong, &nobody, &nonsense}) {
    ASSERT_FALSE(*each);
    EXPECT_EQ(each->error().kind, ErrorKind::unauthorized);
    EXPECT_EQ(each->error().reason, wrong.error().reason);
    EXPECT_FALSE(each->error().forbidden);
  }
  EXPECT_THAT(audit(), Contains("somebody: person.sign_in_failed from 192.0.2.1"));
}

TEST_F(PeopleTest, GuessesAreSlowedWhereTheyComeFromAndNowhereElse) {
  make("sender@example.jp", Role::sender);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(sign_in("sender@example.jp", "guess").error().kind, ErrorKind::unauthorized);
  }
  const auto slowed = sign_in("sender@example.jp");
  ASSERT_FALSE(slowed) << "the right one, too";
  EXPECT_EQ(slowed.error().kind, ErrorKind::limit_exceeded);
  EXPECT_EQ(slowed.error().wait, std::chrono::seconds(30));
  const auto beside =
      run(people.sign_in("sender@example.jp", secret(kPassword), from("192.0.2.200")));
  EXPECT_FALSE(beside) << "of the same /24";
  EXPECT_TRUE(run(people.sign_in("sender@example.jp", secret(kPassword), from("198.51.100.1"))));
  installation.clock.advance(std::chrono::seconds(30));
  EXPECT_TRUE(sign_in("sender@example.jp"));
}

TEST_F(PeopleTest, ASignInIsOverWhenIdleAndInAnyCaseAfterTwoWeeks) {
  make("sender@example.jp", Role::sender);
  const auto idle = sign_in("sender@example.jp");
  installation.clock.advance(kIdle - std::chrono::minutes(1));
  EXPECT_TRUE(look(idle->token));
  installation.clock.advance(kIdle - std::chrono::minutes(1));
  EXPECT_TRUE(look(idle->token)) << "it was used in between";
  installation.clock.advance(kIdle);
  EXPECT_FALSE(look(idle->token));

  const auto used = sign_in("sender@example.jp");
  for (int i = 0; i < 28; ++i) {
    EXPECT_TRUE(look(used->token)) << i;
    installation.clock.advance(kIdle - std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(look(used->token));
  installation.clock.advance(std::chrono::seconds(1));
  EXPECT_FALSE(look(used->token));
}

TEST_F(PeopleTest, AStreamThatLooksDoesNotKeepASignInAlive) {
  make("sender@example.jp", Role::sender);
  const auto opened = sign_in("sender@example.jp");
  const auto watch = [&] {
    return run(people.look_up(opened->token, here.from, People::Use::looks));
  };
  for (int i = 0; i < 12; ++i) {
    EXPECT_TRUE(watch()) << i;
    installation.clock.advance(std::chrono::hours(1));
  }
  EXPECT_FALSE(watch());
}

TEST_F(PeopleTest, WhatHasEndedElsewhereEndsHereWithinTwoSeconds) {
  make("sender@example.jp", Role::sender);
  const auto opened = sign_in("sender@example.jp");
  ASSERT_TRUE(look(opened->token));
  ASSERT_TRUE(installation.store->write_and_wait(
      store::WritePriority::accept, [&](store::WriteTransaction& t) {
        return t.end_sign_ins(opened->who->person.key, store::SignInKey{});
      }));
  EXPECT_TRUE(look(opened->token)) << "remembered";
  installation.clock.advance(std::chrono::seconds(2));
  EXPECT_FALSE(look(opened->token));
}

TEST_F(PeopleTest, SigningOutEndsItAndDropsWhatWasTyped) {
  make("sender@example.jp", Role::sender);
  const auto opened = sign_in("sender@example.jp");
  ASSERT_TRUE(run(people.keep_text(opened->who, "compose:1", "{}")));
  EXPECT_THAT(*run(people.texts(opened->who)), SizeIs(1));
  ASSERT_TRUE(run(people.sign_out(opened->who, here)));
  EXPECT_FALSE(look(opened->token));
  const auto again = sign_in("sender@example.jp");
  EXPECT_THAT(*run(people.texts(again->who)), SizeIs(0));
}

TEST_F(PeopleTest, EndsOneSignInOrAllOthersButNobodyElses) {
  make("sender@example.jp", Role::sender);
  const Opened other = make("viewer@example.jp", Role::viewer);
  const auto here_now = sign_in("sender@example.jp");
  const auto lost = sign_in("sender@example.jp");
  EXPECT_EQ(run(people.end_sign_in(here_now->who, other.who->sign_in.key, here)).error().kind,
            ErrorKind::not_found);
  EXPECT_TRUE(look(other.token));
  ASSERT_TRUE(run(people.end_sign_in(here_now->who, lost->who->sign_in.key, here)));
  EXPECT_FALSE(look(lost->token));
  EXPECT_EQ(run(people.end_other_sign_ins(here_now->who, here)).value_or(0), 1);
  EXPECT_TRUE(look(here_now->token));
}

TEST_F(PeopleTest, ASecondFactorIsAskedForAndItsCodesAreGoodOnce) {
  const Opened joined = make("sender@example.jp", Role::sender);
  const auto other = sign_in("sender@example.jp");
  const ConfirmedTotp confirmed = with_totp(other->who);
  EXPECT_FALSE(look(other->token)) << "rotated";
  EXPECT_FALSE(look(joined.token)) << "the others end";
  EXPECT_TRUE(look(confirmed.opened.token));
  EXPECT_THAT(confirmed.codes, SizeIs(10));

  const auto half = sign_in("sender@example.jp");
  ASSERT_TRUE(half);
  EXPECT_TRUE(half->who->is_half());
  EXPECT_TRUE(run(people.sign_ins(half->who)).error().forbidden) << "it opens nothing else";
  EXPECT_FALSE(run(people.second_factor(half->who, code_of(totp_secret), here)))
      << "this code has served to set it up";
  installation.clock.advance(std::chrono::seconds(30));
  const auto whole = run(people.second_factor(half->who, code_of(totp_secret), here));
  ASSERT_TRUE(whole) << whole.error().reason.en;
  EXPECT_FALSE(whole->who->is_half());
  EXPECT_NE(whole->token.view(), half->token.view());
  EXPECT_FALSE(look(half->token)) << "rotated";
}

TEST_F(PeopleTest, ARecoveryCodeIsUsedUp) {
  make("sender@example.jp", Role::sender);
  const ConfirmedTotp confirmed = with_totp(sign_in("sender@example.jp")->who);
  const auto recover = [&](std::string_view code) {
    return run(people.recover(sign_in("sender@example.jp")->who, secret(code), here));
  };
  const auto whole = recover(confirmed.codes.front());
  ASSERT_TRUE(whole) << whole.error().reason.en;
  EXPECT_EQ(whole->who->recovery_left, 9U);
  EXPECT_FALSE(recover(confirmed.codes.front()));
  EXPECT_TRUE(recover(confirmed.codes.back()));
}

TEST_F(PeopleTest, OnlyACodeThatIsWrongIsNotedAsWrong) {
  make("sender@example.jp", Role::sender);
  const ConfirmedTotp confirmed = with_totp(sign_in("sender@example.jp")->who);
  installation.clock.advance(std::chrono::minutes(2));
  const auto half = sign_in("sender@example.jp");
  ASSERT_TRUE(run(people.end_other_sign_ins(confirmed.opened.who, here)));
  EXPECT_FALSE(run(people.second_factor(half->who, code_of(totp_secret), here)));
  EXPECT_THAT(audit(), Not(Contains(HasSubstr("person.code_failed")))) << "it has ended";
  const std::string wrong = code_of(totp_secret) == "000000" ? "000001" : "000000";
  EXPECT_FALSE(run(people.second_factor(sign_in("sender@example.jp")->who, secret(wrong), here)));
  EXPECT_THAT(audit(), Contains(HasSubstr("person.code_failed")));
}

TEST_F(PeopleTest, CodesAreGuessedSlowlyFromWherever) {
  make("sender@example.jp", Role::sender);
  with_totp(sign_in("sender@example.jp")->who);
  installation.clock.advance(std::chrono::minutes(2));
  const auto half = sign_in("sender@example.jp");
  const std::string wrong = code_of(totp_secret) == "000000" ? "000001" : "000000";
  for (int i = 0; i < 5; ++i) {
    const auto guessed = run(
        people.second_factor(half->who, secret(wrong), from("192.0." + std::to_string(i) + ".1")));
    EXPECT_EQ(guessed.error().kind, ErrorKind::unauthorized);
  }
  const auto slowed =
      run(people.second_factor(half->who, code_of(totp_secret), from("198.51.100.1")));
  EXPECT_EQ(slowed.error().kind, ErrorKind::limit_exceeded);
}

TEST_F(PeopleTest, WithoutARequiredSecondFactorOneCanOnlySetItUp) {
  const Opened owner = make("owner@example.jp", Role::owner);
  const Opened sender = make("sender@example.jp", Role::sender);
  ASSERT_TRUE(run(people.put_rules(owner.who, {.second_factor = true}, here)));
  const auto who = look(sender.token);
  ASSERT_TRUE(who);
  EXPECT_TRUE((*who)->must_set_up_second_factor());
  EXPECT_TRUE(run(people.sign_ins(*who)).error().forbidden);
  const ConfirmedTotp confirmed = with_totp(*who);
  EXPECT_TRUE(confirmed.opened.who->is_whole());
  EXPECT_EQ(run(people.remove_totp(confirmed.opened.who, secret(kPassword), here)).error().kind,
            ErrorKind::conflict);
}

TEST_F(PeopleTest, NetworksCountAtSigningInAndAtEachUse) {
  const Opened owner = make("owner@example.jp", Role::owner);
  const Opened sender = make("sender@example.jp", Role::sender);
  store::SignInRules rules{.networks = {"198.51.100.0/24"}};
  EXPECT_EQ(run(people.put_rules(owner.who, rules, here)).error().kind, ErrorKind::conflict)
      << "whoever asks is elsewhere";
  rules.networks.emplace_back("192.0.2.1");
  ASSERT_TRUE(run(people.put_rules(owner.who, rules, here)));
  EXPECT_TRUE(look(sender.token));
  const auto elsewhere = run(people.look_up(sender.token, from("203.0.113.1").from));
  EXPECT_TRUE(elsewhere.error().forbidden);
  const auto refused =
      run(people.sign_in("sender@example.jp", secret(kPassword), from("203.0.113.1")));
  EXPECT_EQ(refused.error().kind, ErrorKind::unauthorized);
  EXPECT_TRUE(run(people.sign_in("sender@example.jp", secret(kPassword), from("198.51.100.7"))));
}

TEST_F(PeopleTest, APasswordThatIsChangedEndsTheOthersAndRotatesThisOne) {
  make("sender@example.jp", Role::sender);
  const auto here_now = sign_in("sender@example.jp");
  const auto lost = sign_in("sender@example.jp");
  const auto change = [&](std::string_view current, std::string_view wanted) {
    return run(people.change_password(here_now->who, secret(current), secret(wanted), here));
  };
  EXPECT_EQ(change("wrong password", "another four words").error().kind, ErrorKind::unauthorized);
  EXPECT_EQ(change(kPassword, "short").error().kind, ErrorKind::invalid_input);
  const auto changed = change(kPassword, "another four words");
  ASSERT_TRUE(changed) << changed.error().reason.en;
  EXPECT_FALSE(look(lost->token));
  EXPECT_FALSE(look(here_now->token));
  EXPECT_TRUE(look(changed->token));
  EXPECT_FALSE(sign_in("sender@example.jp"));
  EXPECT_TRUE(sign_in("sender@example.jp", "another four words"));
}

TEST_F(PeopleTest, AHashOfSmallerLimitsIsMadeAnewAtTheNextSignIn) {
  make("sender@example.jp", Role::sender);
  const auto hash = [&] {
    return installation.store
        ->read_and_wait([](store::ReadTransaction& reader) {
          return reader.person_by_email("sender@example.jp");
        })
        ->password_hash;
  };
  const std::string before = hash();
  People grown(*installation.store, installation.clock,
               {.secret_box = [this]() -> Result<const SecretBox*> { return &box; },
                .public_url = [] { return std::string("https://console.example.jp"); },
                .passwords = {.passes = 2, .memory_octets = 16384}});
  ASSERT_TRUE(run(grown.sign_in("sender@example.jp", secret(kPassword), here)));
  EXPECT_THAT(hash(), HasSubstr("m=16,t=2"));
  EXPECT_NE(hash(), before);
  EXPECT_TRUE(sign_in("sender@example.jp"));
}

}  // namespace
}  // namespace todoku::people
