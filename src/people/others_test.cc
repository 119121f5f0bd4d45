// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "people/steps.h"
#include "people/test_world.h"

namespace todoku::people {
namespace {

using store::Role;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class OthersTest : public PeopleTest {
 protected:
  Answer<AddedPerson> add(const Who& by, const std::string& email, Role role) {
    return run(people.add(by, {email, "Somebody", role, "ja"}, here));
  }
  Answer<PersonView> change(const Who& by, const Opened& whom, PersonChange change) {
    return run(people.change(by, whom.who->person.key, std::move(change), here));
  }
};

TEST_F(OthersTest, AnInvitationIsGoodOnceAndForHalfAnHour) {
  const Who by = acting_operator();
  const auto added = add(by, "Owner@example.jp", Role::owner);
  ASSERT_TRUE(added);
  EXPECT_TRUE(added->mailed);
  EXPECT_TRUE(added->view.invited);
  ASSERT_THAT(mailer.mails, SizeIs(1));
  EXPECT_EQ(mailer.mails[0].to, "owner@example.jp");
  EXPECT_EQ(mailer.mails[0].purpose, store::LinkPurpose::invitation);
  const auto view = run(people.look_at_link(token_of(mailer.mails[0].url)));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->account, "acme");
  EXPECT_EQ(view->email, "owner@example.jp");
  EXPECT_TRUE(run(people.look_at_link(token_of(mailer.mails[0].url)))) << "looking uses nothing";

  installation.clock.advance(std::chrono::minutes(30));
  const auto use = [&](const std::string& url, std::string_view password) {
    return run(people.use_link({.token = token_of(url), .password = secret(password)}, here));
  };
  EXPECT_EQ(use(mailer.mails[0].url, kPassword).error().kind, ErrorKind::not_found);
  ASSERT_TRUE(run(people.invite(by, added->view.key, here)));
  ASSERT_THAT(mailer.mails, SizeIs(2));
  EXPECT_EQ(use(mailer.mails[1].url, "short").error().kind, ErrorKind::invalid_input);
  const auto used = use(mailer.mails[1].url, kPassword);
  ASSERT_TRUE(used && *used) << "a password that was refused has not used it up";
  EXPECT_TRUE((*used)->who->person.confirmed);
  EXPECT_EQ(use(mailer.mails[1].url, kPassword).error().kind, ErrorKind::not_found);
  EXPECT_EQ(run(people.invite(by, added->view.key, here)).error().kind, ErrorKind::conflict);
}

TEST_F(OthersTest, ANewLinkVoidsTheOneBefore) {
  const Who by = acting_operator();
  const auto added = add(by, "owner@example.jp", Role::owner);
  ASSERT_TRUE(run(people.invite(by, added->view.key, here)));
  EXPECT_FALSE(run(people.look_at_link(token_of(mailer.mails[0].url))));
  EXPECT_TRUE(run(people.look_at_link(token_of(mailer.mails[1].url))));
}

TEST_F(OthersTest, WhereMailDoesNotGoACommandIsTold) {
  const Who by = acting_operator();
  mailer.broken = true;
  const auto added = add(by, "owner@example.jp", Role::owner);
  ASSERT_TRUE(added);
  EXPECT_FALSE(added->mailed);
  EXPECT_THAT(added->command, HasSubstr("owner@example.jp"));
  const auto link = run(people.link_for("owner@example.jp", "operator", "admin socket"));
  ASSERT_TRUE(link);
  const auto used = run(
      people.use_link({.token = token_of(link->url.view()), .password = secret(kPassword)}, here));
  ASSERT_TRUE(used && *used);
  EXPECT_FALSE((*used)->who->person.confirmed) << "nothing came to the address";
  mailer.broken = false;
  EXPECT_TRUE(make("sender@example.jp", Role::sender).who->person.confirmed);
}

TEST_F(OthersTest, NobodyGrantsMoreThanTheyHave) {
  const Opened owner = make("owner@example.jp", Role::owner);
  EXPECT_TRUE(add(owner.who, "second@example.jp", Role::owner));
  EXPECT_TRUE(add(owner.who, "op2@example.jp", Role::operator_).error().forbidden);
  for (const Role role : {Role::sender, Role::viewer, Role::support}) {
    const std::string email = "p" + std::to_string(static_cast<int>(role)) + "@example.jp";
    const Opened other = make(email, role);
    EXPECT_TRUE(add(other.who, "x@example.jp", Role::viewer).error().forbidden);
    EXPECT_TRUE(run(people.people(other.who)).error().forbidden);
    EXPECT_TRUE(change(other.who, owner, {.suspended = true}).error().forbidden);
    EXPECT_TRUE(run(people.remove(other.who, owner.who->person.key, here)).error().forbidden);
    EXPECT_TRUE(run(people.rules(other.who)).error().forbidden);
    EXPECT_TRUE(run(people.put_rules(other.who, {}, here)).error().forbidden);
    EXPECT_TRUE(run(people.act_for(other.who, "acme", here)).error().forbidden);
  }
  EXPECT_EQ(add(acting_operator(), "op2@example.jp", Role::operator_).error().kind,
            ErrorKind::invalid_input)
      << "while acting for an account";
}

TEST_F(OthersTest, AnotherAccountsPeopleAreNotThere) {
  const Opened owner = make("owner@example.jp", Role::owner);
  const Opened sender = make("sender@example.jp", Role::sender);
  account("shop");
  operator_ = *run(people.act_for(operator_, "shop", here));
  auto added = add(operator_, "shop@example.jp", Role::owner);
  auto used = run(people.use_link(
      {.token = token_of(mailer.mails.back().url), .password = secret(kPassword)}, here));
  const Who other = (*used)->who;
  EXPECT_EQ(change(other, sender, {.role = Role::viewer}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(run(people.remove(other, sender.who->person.key, here)).error().kind,
            ErrorKind::not_found);
  EXPECT_EQ(run(people.invite(other, sender.who->person.key, here)).error().kind,
            ErrorKind::not_found);
  EXPECT_EQ(
      run(people.change(owner.who, operator_->person.key, {.suspended = true}, here)).error().kind,
      ErrorKind::not_found)
      << "nor are operators";
  EXPECT_THAT(*run(people.people(other)), SizeIs(1));
}

TEST_F(OthersTest, ARoleThatChangesEndsTheSignInsOfItsPerson) {
  const Opened owner = make("owner@example.jp", Role::owner);
  const Opened sender = make("sender@example.jp", Role::sender);
  ASSERT_TRUE(look(sender.token));
  const auto changed = change(owner.who, sender, {.role = Role::viewer});
  ASSERT_TRUE(changed) << changed.error().reason.en;
  EXPECT_EQ(changed->role, Role::viewer);
  EXPECT_FALSE(look(sender.token)) << "at once, in this process";
  EXPECT_THAT(audit(),
              Contains(HasSubstr(about("(owner@example.jp): person.role", sender.who->person) +
                                 " viewer")));
}

TEST_F(OthersTest, SuspensionEndsSignInsAndLetsNobodyIn) {
  const Opened owner = make("owner@example.jp", Role::owner);
  const Opened sender = make("sender@example.jp", Role::sender);
  ASSERT_TRUE(change(owner.who, sender, {.suspended = true}));
  EXPECT_FALSE(look(sender.token));
  EXPECT_FALSE(sign_in("sender@example.jp"));
  people.ask_reset("sender@example.jp", here);
  const std::size_t mails = mailer.mails.size();
  async::run_to_completion(people.answer_resets());
  EXPECT_THAT(mailer.mails, SizeIs(mails));
  ASSERT_TRUE(change(owner.who, sender, {.suspended = false}));
  EXPECT_TRUE(sign_in("sender@example.jp"));
}

TEST_F(OthersTest, NobodyChangesTheirOwnRoleAndTheLastOwnerStays) {
  const Opened owner = make("owner@example.jp", Role::owner);
  EXPECT_EQ(change(owner.who, owner, {.role = Role::viewer}).error().kind, ErrorKind::conflict);
  EXPECT_EQ(change(owner.who, owner, {.suspended = true}).error().kind, ErrorKind::conflict);
  EXPECT_EQ(run(people.remove(owner.who, owner.who->person.key, here)).error().kind,
            ErrorKind::conflict);
  const Who op = acting_operator();
  for (const PersonChange& last : {PersonChange{.role = Role::viewer, .name = {}, .suspended = {}},
                                   PersonChange{.role = {}, .name = {}, .suspended = true}}) {
    const auto refused = change(op, owner, last);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason.en, texts::kLast.en);
    EXPECT_EQ(refused.error().reason.ja, texts::kLast.ja);
  }
  EXPECT_EQ(run(people.remove(op, owner.who->person.key, here)).error().kind, ErrorKind::conflict);
  make("second@example.jp", Role::owner, owner.who);
  EXPECT_TRUE(change(op, owner, {.role = Role::viewer}));
}

TEST_F(OthersTest, WhoWasDemotedAMomentAgoDoesNothingMore) {
  const Opened owner = make("owner@example.jp", Role::owner);
  const Opened second = make("second@example.jp", Role::owner);
  const Who before = *look(second.token);
  ASSERT_TRUE(change(owner.who, second, {.role = Role::viewer}));
  EXPECT_EQ(add(before, "x@example.jp", Role::owner).error().kind, ErrorKind::unauthorized)
      << "looked at again in the commit";
}

TEST_F(OthersTest, AnAddressIsOnePersonsInTheInstallation) {
  const Opened owner = make("owner@example.jp", Role::owner);
  const auto again = add(owner.who, "owner@EXAMPLE.jp", Role::viewer);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::conflict);
  EXPECT_EQ(again.error().reason.en, texts::kTaken.en);
  for (const std::string wrong : {"", "a", "a@", "a b@example.jp"}) {
    EXPECT_EQ(add(owner.who, wrong, Role::viewer).error().kind, ErrorKind::invalid_input);
  }
}

TEST_F(OthersTest, AnAddressOfAnotherAccountIsInvitedAsOneThatIsNobodys) {
  const Opened theirs = make("sender@example.jp", Role::sender);
  account("shop");
  operator_ = *run(people.act_for(operator_, "shop", here));
  ASSERT_TRUE(add(operator_, "shop@example.jp", Role::owner));
  const auto joined = run(people.use_link(
      {.token = token_of(mailer.mails.back().url), .password = secret(kPassword)}, here));
  ASSERT_TRUE(joined && *joined);
  const Who owner = (*joined)->who;
  mailer.mails.clear();

  const auto known = add(owner, "sender@example.jp", Role::viewer);
  const auto unknown = add(owner, "nobody@example.jp", Role::viewer);
  ASSERT_TRUE(known) << known.error().reason.en;
  ASSERT_TRUE(unknown);
  EXPECT_EQ(known->view.email, "sender@example.jp");
  EXPECT_EQ(known->mailed, unknown->mailed);
  EXPECT_EQ(known->command, unknown->command);
  EXPECT_EQ(known->view.invited, unknown->view.invited);
  EXPECT_LT(known->view.key, unknown->view.key);
  std::vector<std::string> addresses;
  for (const PersonView& view : *run(people.people(owner))) addresses.push_back(view.email);
  EXPECT_THAT(addresses,
              testing::ElementsAre("shop@example.jp", "sender@example.jp", "nobody@example.jp"));
  ASSERT_THAT(mailer.mails, SizeIs(1)) << "with a link";
  EXPECT_EQ(mailer.mails[0].to, "nobody@example.jp");
  EXPECT_THAT(mailer.told_elsewhere, testing::ElementsAre("sender@example.jp"));
  for (const auto& each : {*known, *unknown}) {
    EXPECT_EQ(add(owner, each.view.email, Role::viewer).error().reason.en, texts::kTaken.en);
    EXPECT_TRUE(run(people.change(owner, each.view.key, {.role = Role::support}, here)));
    EXPECT_TRUE(run(people.invite(owner, each.view.key, here)));
    EXPECT_THAT(audit(),
                Contains(HasSubstr("person.add " + std::to_string(static_cast<int>(each.view.key)) +
                                   " viewer")));
  }
  EXPECT_THAT(mailer.told_elsewhere, SizeIs(2));
  EXPECT_TRUE(look(theirs.token)) << "nothing has become of them";
  EXPECT_EQ(sign_in("sender@example.jp")->who->account->name, "acme");

  installation.clock.advance(kLinkLife);
  const auto again = add(owner, "sender@example.jp", Role::viewer);
  ASSERT_TRUE(again) << "the invitation before is over, as any other would be";
  EXPECT_THAT(*run(people.people(owner)), SizeIs(3));
  operator_ = *run(people.act_for(operator_, "acme", here));
  ASSERT_TRUE(run(people.remove(operator_, theirs.who->person.key, here)));
  mailer.mails.clear();
  installation.clock.advance(std::chrono::minutes(30));
  ASSERT_TRUE(run(people.invite(owner, again->view.key, here))) << "it is free now";
  ASSERT_THAT(mailer.mails, SizeIs(1));
  const auto used = run(people.use_link(
      {.token = token_of(mailer.mails[0].url), .password = secret(kPassword)}, here));
  ASSERT_TRUE(used && *used);
  EXPECT_EQ((*used)->who->account->name, "shop");
  EXPECT_EQ((*used)->who->person.email, "sender@example.jp");
}

TEST_F(OthersTest, AnInvitationOfAnAddressOfElsewhereGoesLikeAnyOther) {
  const Opened theirs = make("sender@example.jp", Role::sender);
  account("shop");
  operator_ = *run(people.act_for(operator_, "shop", here));
  EXPECT_EQ(add(operator_, "sender@example.jp", Role::viewer).error().reason.en, texts::kTaken.en)
      << "operators see everybody";
  ASSERT_TRUE(add(operator_, "shop@example.jp", Role::owner));
  const auto joined = run(people.use_link(
      {.token = token_of(mailer.mails.back().url), .password = secret(kPassword)}, here));
  const Who owner = (*joined)->who;
  const auto known = add(owner, "sender@example.jp", Role::viewer);
  ASSERT_TRUE(known);
  ASSERT_TRUE(run(people.change(owner, known->view.key, {.suspended = true}, here)));
  ASSERT_TRUE(run(people.remove(owner, known->view.key, here)));
  EXPECT_TRUE(look(theirs.token));
  mailer.there = false;
  EXPECT_EQ(add(owner, "sender@example.jp", Role::viewer).error().reason.en, texts::kTaken.en)
      << "where no mail goes, the command that is told would make a link to them";
}

TEST_F(OthersTest, AResetSaysNothingAndKeepsTheSecondFactor) {
  make("sender@example.jp", Role::sender);
  const ConfirmedTotp before = with_totp(sign_in("sender@example.jp")->who);
  mailer.mails.clear();
  people.ask_reset("nobody@example.jp", here);
  people.ask_reset("sender@example.jp", here);
  people.ask_reset("nonsense", here);
  EXPECT_THAT(mailer.mails, IsEmpty()) << "later";
  async::run_to_completion(people.answer_resets());
  ASSERT_THAT(mailer.mails, SizeIs(1));
  EXPECT_EQ(mailer.mails[0].purpose, store::LinkPurpose::reset);
  const auto used = run(people.use_link(
      {.token = token_of(mailer.mails[0].url), .password = secret("another four words")}, here));
  ASSERT_TRUE(used && *used);
  EXPECT_TRUE((*used)->who->is_half()) << "who has the mailbox has not the second factor";
  EXPECT_FALSE(look(before.opened.token));
  EXPECT_FALSE(sign_in("sender@example.jp"));
  EXPECT_TRUE(sign_in("sender@example.jp", "another four words")->who->is_half());
}

TEST_F(OthersTest, SomebodysMailboxIsNotFilledWithResets) {
  make("sender@example.jp", Role::sender);
  mailer.mails.clear();
  for (int i = 0; i < 50; ++i) {
    people.ask_reset("sender@example.jp", from("192.0." + std::to_string(i) + ".1"));
    async::run_to_completion(people.answer_resets());
  }
  EXPECT_THAT(mailer.mails, SizeIs(3));
}

TEST_F(OthersTest, WhatAnybodyAsksForVoidsNoLinkThatWasHandedOver) {
  make("sender@example.jp", Role::sender);
  const auto handed = run(people.link_for("sender@example.jp", "operator", "admin socket"));
  ASSERT_TRUE(handed);
  people.ask_reset("sender@example.jp", here);
  async::run_to_completion(people.answer_resets());
  EXPECT_EQ(mailer.mails.back().purpose, store::LinkPurpose::reset);
  EXPECT_TRUE(run(people.look_at_link(token_of(handed->url.view()))));
  ASSERT_TRUE(run(people.use_link(
      {.token = token_of(handed->url.view()), .password = secret(kPassword)}, here)));
  EXPECT_FALSE(run(people.look_at_link(token_of(mailer.mails.back().url)))) << "void with it";
}

TEST_F(OthersTest, WhereNoMailGoesNobodyIsMadeALink) {
  make("sender@example.jp", Role::sender);
  mailer.there = false;
  mailer.mails.clear();
  people.ask_reset("sender@example.jp", here);
  async::run_to_completion(people.answer_resets());
  EXPECT_THAT(mailer.mails, IsEmpty());
  EXPECT_THAT(audit(), Not(Contains(HasSubstr("person.link_reset"))));
}

TEST_F(OthersTest, SomebodysMailboxIsNotFilledWithInvitations) {
  const Opened owner = make("owner@example.jp", Role::owner);
  const auto added = add(owner.who, "victim@example.com", Role::viewer);
  mailer.mails.clear();
  for (int i = 0; i < 20; ++i) (void)run(people.invite(owner.who, added->view.key, here));
  EXPECT_THAT(mailer.mails, SizeIs(2)) << "three in all";
  const auto refused = run(people.invite(owner.who, added->view.key, here));
  EXPECT_EQ(refused.error().kind, ErrorKind::limit_exceeded);
  EXPECT_GT(refused.error().wait.count(), 0);
}

TEST_F(OthersTest, OnePersonMailsSoManyAddressesAndASuspendedAccountNone) {
  const Opened owner = make("owner@example.jp", Role::owner);
  mailer.mails.clear();
  for (int i = 0; i < 100; ++i) {
    (void)add(owner.who, "victim" + std::to_string(i) + "@example.com", Role::viewer);
  }
  EXPECT_THAT(mailer.mails, SizeIs(testing::AllOf(testing::Ge(25U), testing::Le(30U))));
  installation.clock.advance(std::chrono::hours(3));
  auto suspended = installation.store->write_and_wait(store::WritePriority::accept,
                                                      [&](store::WriteTransaction& t) {
                                                        auto account = t.read().account(acme);
                                                        account->suspended = true;
                                                        return t.change_account(*account);
                                                      });
  ASSERT_TRUE(suspended);
  const auto again = run(people.sign_in("owner@example.jp", secret(kPassword), here));
  ASSERT_TRUE(again);
  mailer.mails.clear();
  EXPECT_EQ(add(again->who, "more@example.com", Role::viewer).error().kind, ErrorKind::conflict);
  EXPECT_EQ(run(people.ask_confirmation(again->who, here)).error().kind, ErrorKind::conflict);
  EXPECT_THAT(mailer.mails, IsEmpty());
}

TEST_F(OthersTest, AnInvitationNobodyAcceptedHoldsNoAddressBeyondItsEnd) {
  const Opened owner = make("owner@example.jp", Role::owner);
  ASSERT_TRUE(add(owner.who, "new@example.jp", Role::viewer));
  account("shop");
  operator_ = *run(people.act_for(operator_, "shop", here));
  EXPECT_EQ(add(operator_, "new@example.jp", Role::owner).error().kind, ErrorKind::conflict);
  installation.clock.advance(kLinkLife);
  const auto theirs = add(operator_, "new@example.jp", Role::owner);
  ASSERT_TRUE(theirs) << theirs.error().reason.en;
  EXPECT_EQ(run(people.look_at_link(token_of(mailer.mails.back().url)))->account, "shop");
  EXPECT_THAT(audit(), Contains(HasSubstr("person.invitation_lapsed")));
  EXPECT_EQ(add(operator_, "owner@example.jp", Role::owner).error().kind, ErrorKind::conflict)
      << "somebody who has accepted stays";
}

TEST_F(OthersTest, TheCommandThatIsToldIsOneWordOfTheShell) {
  const Who by = acting_operator();
  mailer.there = false;
  mailer.broken = true;
  const auto quoted = add(by, "a'$home`id`@example.jp", Role::viewer);
  ASSERT_TRUE(quoted) << quoted.error().reason.en;
  EXPECT_EQ(quoted->command, R"(todoku people reset -- 'a'\''$home`id`@example.jp')");
  const auto hyphen = add(by, "-x@example.jp", Role::viewer);
  ASSERT_TRUE(hyphen) << hyphen.error().reason.en;
  EXPECT_EQ(hyphen->command, "todoku people reset -- '-x@example.jp'");
}

TEST_F(OthersTest, ANameThatNobodyCanSeeIsNone) {
  const Who by = acting_operator();
  const auto added = run(people.add(by, {"x@example.jp", "\u200b", Role::viewer, "ja"}, here));
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().reason.en, texts::kBadName.en);
}

TEST_F(OthersTest, ANameHidesNothing) {
  const Who by = acting_operator();
  for (const char* hidden : {"x\u200by", "\ufeffx", "\U000e0041x", "x\u202ey", "x\u2060y"}) {
    EXPECT_FALSE(run(people.add(by, {"x@example.jp", hidden, Role::viewer, "ja"}, here))) << hidden;
  }
  int made = 0;
  for (const char* name : {"佐藤\u3000花子", "葛\U000e0100城", "می\u200cخواهم", "Zoë O'Neil"}) {
    const std::string email = std::to_string(++made) + "@example.jp";
    EXPECT_TRUE(run(people.add(by, {email, name, Role::viewer, "ja"}, here))) << name;
  }
}

TEST_F(OthersTest, WhatAnotherAccountAsksForKeepsNoMailFromAnybody) {
  const Opened owner = make("owner@example.jp", Role::owner);
  account("shop");
  operator_ = *run(people.act_for(operator_, "shop", here));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(add(operator_, "owner@example.jp", Role::viewer));
  mailer.mails.clear();
  ASSERT_TRUE(run(people.ask_confirmation(owner.who, here)));
  EXPECT_THAT(mailer.mails, SizeIs(1));
}

TEST_F(OthersTest, TheAuditSaysToWhomAndWhatWasSet) {
  const Opened owner = make("owner@example.jp", Role::owner);
  const Opened sender = make("sender@example.jp", Role::sender);
  ASSERT_TRUE(change(owner.who, sender, {.suspended = true}));
  ASSERT_TRUE(run(people.put_rules(owner.who, {.networks = {"192.0.2.0/24"}}, here)));
  ASSERT_TRUE(run(people.remove(owner.who, sender.who->person.key, here)));
  const auto said = [&](const std::string& what) {
    return Contains(HasSubstr("(owner@example.jp): " + what + " from"));
  };
  EXPECT_THAT(audit(), said(about("person.suspend", sender.who->person)));
  EXPECT_THAT(audit(), said(about("person.remove", sender.who->person)));
  EXPECT_THAT(audit(), said("person.rules: second_factor=false approval=false "
                            "networks=192.0.2.0/24"));
}

TEST_F(OthersTest, OperatorsAloneTakeApprovalOff) {
  const Opened owner = make("owner@example.jp", Role::owner);
  ASSERT_TRUE(run(people.put_rules(owner.who, {.networks = {}, .approval = true}, here)));
  EXPECT_EQ(run(people.put_rules(owner.who, {}, here)).error().kind, ErrorKind::unauthorized);
  EXPECT_TRUE(run(people.rules(owner.who))->approval);
  // What else is asked may be changed beside it.
  EXPECT_TRUE(run(people.put_rules(
      owner.who, {.second_factor = false, .networks = {"192.0.2.0/24"}, .approval = true}, here)));
  EXPECT_TRUE(run(people.put_rules(acting_operator(), {}, here)));
  EXPECT_FALSE(run(people.rules(owner.who))->approval);
}

TEST_F(OthersTest, AnAddressIsConfirmedByALinkThatSignsNobodyIn) {
  const Who op = make_operator().who;
  ASSERT_TRUE(run(people.ask_confirmation(op, here)));
  const auto used =
      run(people.use_link({.token = token_of(mailer.mails.back().url), .password = {}}, here));
  ASSERT_TRUE(used);
  EXPECT_FALSE(*used);
  const auto views = run(people.people(op));
  ASSERT_THAT(*views, SizeIs(1));
  EXPECT_TRUE(views->front().confirmed);
}

TEST_F(OthersTest, AnOperatorActsForAnAccountOrForNone) {
  Who op = make_operator().who;
  EXPECT_EQ(run(people.act_for(op, "nowhere", here)).error().kind, ErrorKind::not_found);
  op = *run(people.act_for(op, "acme", here));
  EXPECT_EQ(op->account->name, "acme");
  EXPECT_THAT(*run(people.people(op)), IsEmpty());
  op = *run(people.act_for(op, std::nullopt, here));
  EXPECT_FALSE(op->account);
  EXPECT_THAT(*run(people.people(op)), SizeIs(1));
}

}  // namespace
}  // namespace todoku::people
