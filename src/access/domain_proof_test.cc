// SPDX-License-Identifier: Apache-2.0
#include "access/domain_proof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/installation.h"

namespace todoku::access {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using store::Domain;
using store::DomainState;
using testing::ElementsAre;

const Instant kStart = from_epoch_ms(1'767'225'600'000);

Domain proven_claim() {
  Domain claim;
  claim.domain = "example.jp";
  claim.created = kStart;
  return judged(claim, Finding::found, kStart);
}

TEST(ClaimableDomain, IsADomainThatSomebodyRegistered) {
  EXPECT_EQ(claimable_domain("Example.JP.").value_or(""), "example.jp");
  EXPECT_EQ(claimable_domain("mail.example.co.jp").value_or(""), "mail.example.co.jp");
  EXPECT_EQ(claimable_domain("日本語.jp").value_or(""), "xn--wgv71a119e.jp");
  for (const char* wrong :
       {"", "jp", "co.jp", "com", "tokyo.jp", "example", "a b.jp", "[192.0.2.1]", "x..jp"}) {
    EXPECT_FALSE(claimable_domain(wrong)) << wrong;
  }
  EXPECT_FALSE(claimable_domain(std::string(60, 'a') + "." + std::string(60, 'b') + "." +
                                std::string(60, 'c') + "." + std::string(60, 'd') + ".jp"))
      << "no room for the name of its proof";
}

TEST(Finding, IsOfAnswersThatAreAnswers) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(finding_of(Texts{"v=spf1 -all", "todoku-domain-verification=abc"}, "abc"),
            Finding::found);
  EXPECT_EQ(finding_of(Texts{" todoku-domain-verification=abc "}, "abc"), Finding::found);
  EXPECT_EQ(finding_of(Texts{"todoku-domain-verification=abcd"}, "abc"), Finding::absent);
  EXPECT_EQ(finding_of(Texts{}, "abc"), Finding::absent);
  const auto failed = [](ErrorKind kind) { return Result<Texts>(fail(kind, "why")); };
  EXPECT_EQ(finding_of(failed(ErrorKind::not_found), "abc"), Finding::absent);
  for (const ErrorKind kind : {ErrorKind::unavailable, ErrorKind::timeout, ErrorKind::cancelled,
                               ErrorKind::limit_exceeded, ErrorKind::corrupt}) {
    EXPECT_EQ(finding_of(failed(kind), "abc"), Finding::unanswered);
  }
}

TEST(Finding, TellsAProofWithAnotherValue) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(other_proof(Texts{"v=spf1 -all", "todoku-domain-verification=old"}, "new"),
            "todoku-domain-verification=old");
  EXPECT_EQ(
      other_proof(Texts{"todoku-domain-verification=old", "todoku-domain-verification=new"}, "new"),
      "");
  EXPECT_EQ(other_proof(Texts{"v=spf1 -all"}, "new"), "");
  EXPECT_EQ(other_proof(fail(ErrorKind::timeout, "why"), "new"), "");
  EXPECT_LE(other_proof(Texts{"todoku-domain-verification=" + std::string(5000, 'x')}, "n").size(),
            100U);
}

TEST(Proof, LapsesAfterSevenDaysOfAnswersWithoutIt) {
  Domain claim = proven_claim();
  EXPECT_EQ(claim.state, DomainState::proven);
  Instant now = kStart + hours(6);
  claim = judged(claim, Finding::absent, now);
  EXPECT_EQ(claim.failing, now);
  EXPECT_EQ(claim.look_at, now + hours(1)) << "soon again";
  const Instant failing = now;
  while (now - failing < days(7) - hours(1)) {
    now += hours(1);
    claim = judged(claim, Finding::absent, now);
    ASSERT_EQ(claim.state, DomainState::proven) << (now - failing).count();
  }
  claim = judged(claim, Finding::absent, now + hours(1));
  EXPECT_EQ(claim.state, DomainState::lapsed);
  claim = judged(claim, Finding::found, now + hours(2));
  EXPECT_EQ(claim.state, DomainState::proven);
  EXPECT_EQ(claim.proven, now + hours(2));
  EXPECT_EQ(claim.failing, std::nullopt);
}

TEST(Proof, DoesNotLapseByWhatIsNoAnswerNorByAnEngineThatStoodStill) {
  Domain claim = proven_claim();
  Instant now = kStart;
  for (int hour = 0; hour < 24 * 30; ++hour) {
    claim = judged(claim, Finding::unanswered, now += hours(1));
  }
  EXPECT_EQ(claim.state, DomainState::proven);
  EXPECT_EQ(claim.failing, std::nullopt);
  claim = judged(claim, Finding::absent, now);
  claim = judged(claim, Finding::absent, now += days(30));
  EXPECT_EQ(claim.state, DomainState::proven) << "nobody looked in between";
  EXPECT_LE(claim.failed_for, hours(2));
  claim = judged(claim, Finding::found, now += hours(1));
  EXPECT_EQ(claim.failed_for, Milliseconds(0)) << "and then it is as if nothing had been";
}

TEST(Proof, IsLookedForEverMoreRarely) {
  Domain claim;
  claim.created = kStart;
  EXPECT_EQ(next_look(claim, false, kStart), kStart + minutes(1));
  EXPECT_EQ(next_look(claim, false, kStart + hours(2)), kStart + hours(2) + minutes(15));
  EXPECT_EQ(next_look(claim, false, kStart + days(2)), kStart + days(2) + hours(6));
  EXPECT_EQ(next_look(claim, false, kStart + days(40)), std::nullopt);
  claim.vouched = true;
  EXPECT_EQ(next_look(claim, false, kStart), std::nullopt);
}

TEST(Proof, IsRandom) {
  EXPECT_NE(new_proof_token(), new_proof_token());
  EXPECT_EQ(new_proof_token().size(), 40U);
  EXPECT_EQ(proof_name("example.jp"), "_todoku-challenge.example.jp");
}

class ProofsInTheStore : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"acme", "shop"}) {
      accounts_.push_back(
          installation_.store
              ->write_and_wait(store::WritePriority::accept,
                               [&](store::WriteTransaction& t) { return t.create_account(name); })
              ->key);
    }
  }
  void add(store::AccountKey account, const std::string& domain) {
    Domain claim;
    claim.account = account;
    claim.domain = domain;
    claim.token = new_proof_token();
    ASSERT_TRUE(installation_.store->write_and_wait(
        store::WritePriority::accept,
        [&](store::WriteTransaction& t) { return t.add_domain(claim); }));
  }
  Looked find(store::AccountKey account, const std::string& domain,
              Finding finding = Finding::found) {
    installation_.clock.advance(std::chrono::seconds(1));
    return *installation_.store->write_and_wait(
        store::WritePriority::accept, [&](store::WriteTransaction& t) {
          return record_finding(t, account, domain, finding, installation_.clock.now());
        });
  }
  void consent(store::AccountKey account, const std::string& domain,
               std::vector<store::AccountKey> to) {
    ASSERT_TRUE(installation_.store->write_and_wait(
        store::WritePriority::accept, [&](store::WriteTransaction& t) -> Result<void> {
          auto claim = t.read().domain(account, domain);
          if (!claim) return fail(claim.error());
          claim->consents = to;
          return t.change_domain(*claim);
        }));
  }

  TestStore installation_;
  std::vector<store::AccountKey> accounts_;
};

TEST_F(ProofsInTheStore, AClaimThatIsNotProvenIsInNobodysWay) {
  add(accounts_[0], "example.jp");
  add(accounts_[1], "example.jp");
  const Looked looked = find(accounts_[1], "example.jp");
  EXPECT_EQ(looked.claim.state, DomainState::proven);
  EXPECT_TRUE(looked.changed);
  EXPECT_FALSE(find(accounts_[1], "example.jp").changed);
}

TEST_F(ProofsInTheStore, TheAccountOfADomainAboveHasToConsent) {
  add(accounts_[0], "example.jp");
  add(accounts_[1], "mail.example.jp");
  find(accounts_[0], "example.jp");
  const Looked refused = find(accounts_[1], "mail.example.jp");
  EXPECT_EQ(refused.claim.state, DomainState::unproven);
  EXPECT_EQ(refused.needs_consent, "example.jp");
  consent(accounts_[0], "example.jp", {accounts_[1]});
  EXPECT_EQ(find(accounts_[1], "mail.example.jp").claim.state, DomainState::proven);
  EXPECT_EQ(find(accounts_[0], "example.jp").claim.state, DomainState::proven)
      << "who was first needs nobody's consent";
  consent(accounts_[0], "example.jp", {});
  const Looked ended = find(accounts_[1], "mail.example.jp");
  EXPECT_EQ(ended.claim.state, DomainState::lapsed) << "the consent was taken back";
  EXPECT_TRUE(ended.changed);
}

TEST_F(ProofsInTheStore, WhoLostAConsentKeepsNothingByBeingSilent) {
  add(accounts_[0], "example.jp");
  find(accounts_[0], "example.jp");
  for (const Finding silent : {Finding::absent, Finding::unanswered}) {
    const std::string domain = silent == Finding::absent ? "a.example.jp" : "b.example.jp";
    add(accounts_[1], domain);
    consent(accounts_[0], "example.jp", {accounts_[1]});
    EXPECT_EQ(find(accounts_[1], domain).claim.state, DomainState::proven);
    EXPECT_EQ(find(accounts_[1], domain, silent).claim.state, DomainState::proven);
    consent(accounts_[0], "example.jp", {});
    EXPECT_EQ(find(accounts_[1], domain, silent).claim.state, DomainState::lapsed);
  }
}

TEST_F(ProofsInTheStore, WhoHadTheSubdomainFirstKeepsIt) {
  add(accounts_[1], "mail.example.jp");
  find(accounts_[1], "mail.example.jp");
  add(accounts_[0], "example.jp");
  EXPECT_EQ(find(accounts_[0], "example.jp").claim.state, DomainState::proven);
  EXPECT_EQ(find(accounts_[1], "mail.example.jp").claim.state, DomainState::proven);
}

TEST_F(ProofsInTheStore, ANextOwnerProvesWhenTheOldProofHasLapsed) {
  add(accounts_[0], "example.jp");
  add(accounts_[1], "example.jp");
  find(accounts_[0], "example.jp");
  EXPECT_EQ(find(accounts_[1], "example.jp").needs_consent, "example.jp");
  for (int hour = 0; hour <= 24 * 7; ++hour) {
    installation_.clock.advance(hours(1));
    find(accounts_[0], "example.jp", Finding::absent);
  }
  EXPECT_EQ(find(accounts_[1], "example.jp").claim.state, DomainState::proven);
}

TEST(DomainAndAbove, AreAllThatHaveADot) {
  EXPECT_THAT(domain_and_above("a.example.jp"), ElementsAre("a.example.jp", "example.jp", "jp"));
}

}  // namespace
}  // namespace todoku::access
