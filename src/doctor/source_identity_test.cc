// SPDX-License-Identifier: Apache-2.0
#include "doctor/source_identity.h"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doctor/without_answers.h"

namespace todoku::doctor {
namespace {

using mailauth::DnsFact;
using mailauth::DnsFacts;
using mailauth::DnsQuestion;
using mailauth::FactType;
using testing::ElementsAre;
using testing::HasSubstr;
using Status = DnsFact::Status;
using SourceZone = std::map<DnsQuestion, DnsFact>;

const std::string kOctets("\xC0\x00\x02\x04", 4);
const std::string kOtherOctets("\xC0\x00\x02\x05", 4);

SourceIdentity sender(std::string hello = "mx1.example.jp") {
  return {.name = "main", .hello = std::move(hello), .addresses = {{kOctets, "192.0.2.4", true}}};
}
DnsFact answer(std::vector<std::string> values) {
  return {.status = Status::found, .values = std::move(values), .reason = ""};
}
DnsFact silence() {
  return {.status = Status::failed, .values = {}, .reason = "SERVFAIL"};
}
std::vector<Finding> look(const SourceZone& world, const SourceIdentity& source = sender()) {
  DnsFacts facts;
  while (true) {
    auto findings = identity_findings(source, facts);
    const auto wanted = facts.take_wanted();
    if (wanted.empty()) return findings;
    for (const DnsQuestion& question : wanted) {
      const auto known = world.find(question);
      facts.learn(question, known == world.end()
                                ? DnsFact{.status = Status::absent, .values = {}, .reason = ""}
                                : known->second);
    }
  }
}
std::vector<std::string> outcomes_of(const std::vector<Finding>& findings) {
  std::vector<std::string> all;
  for (const Finding& each : findings) {
    all.push_back(std::string(each.code) + " " + std::string(to_string(each.outcome)));
  }
  return all;
}
const DnsQuestion kPtr{FactType::ptr, "4.2.0.192.in-addr.arpa"};
const DnsQuestion kForward{FactType::a, "mx1.example.jp"};
SourceZone right() {
  return {{kPtr, answer({"mx1.example.jp"})}, {kForward, answer({kOctets})}};
}

TEST(SourceIdentity, IsInOrder) {
  EXPECT_THAT(outcomes_of(look(right())),
              ElementsAre("ptr_present pass", "ptr_confirmed pass", "hello_own pass"));
}

TEST(SourceIdentity, LacksAName) {
  const auto findings = look({{kForward, answer({kOctets})}});
  EXPECT_THAT(outcomes_of(findings), ElementsAre("ptr_missing fail", "hello_confirmed pass"));
  EXPECT_EQ(findings[0].paste, "4.2.0.192.in-addr.arpa. IN PTR mx1.example.jp.\n");
}

TEST(SourceIdentity, HasANameThatIsAnothers) {
  SourceZone world = right();
  world[kForward] = answer({kOtherOctets});
  const auto findings = look(world);
  EXPECT_THAT(outcomes_of(findings),
              ElementsAre("ptr_present pass", "ptr_differs fail", "hello_differs fail"));
  EXPECT_EQ(findings[1].paste, "mx1.example.jp. IN A 192.0.2.4\n");
  EXPECT_THAT(outcomes_of(look({{kPtr, answer({"mx1.example.jp"})}})),
              ElementsAre("ptr_present pass", "ptr_leads_nowhere fail", "hello_differs fail"));
}

TEST(SourceIdentity, WithoutPtrNoNameOfItIsAdvised) {
  const auto findings = look({{kForward, answer({kOtherOctets})}});
  ASSERT_THAT(outcomes_of(findings), ElementsAre("ptr_missing fail", "hello_differs fail"));
  EXPECT_EQ(findings[1].found, "192.0.2.5");
  EXPECT_EQ(findings[1].expected, "192.0.2.4");
  EXPECT_THAT(findings[1].advice.en, HasSubstr("give the EHLO name this address"));
  EXPECT_THAT(look({}, sender("localhost")).back().advice.en,
              HasSubstr("a host name of yours that has this address"));
  SourceZone named = right();
  named[kForward] = answer({kOtherOctets});
  EXPECT_THAT(look(named).back().advice.en, HasSubstr("the name that the PTR record has"));
}

TEST(SourceIdentity, GreetsWithANameThatIsNone) {
  EXPECT_THAT(outcomes_of(look(right(), sender("[192.0.2.4]"))).back(), "hello_literal fail");
  EXPECT_THAT(outcomes_of(look(right(), sender("localhost"))).back(), "hello_invalid fail");
}

TEST(SourceIdentity, HasANameOfManyLines) {
  SourceZone world{{kPtr, answer({"192-0-2-4.dyn.example.com"})},
                   {{FactType::a, "192-0-2-4.dyn.example.com"}, answer({kOctets})},
                   {kForward, answer({kOctets})}};
  EXPECT_THAT(outcomes_of(look(world)), ElementsAre("ptr_present pass", "ptr_confirmed pass",
                                                    "ptr_generic warning", "hello_confirmed pass"));
}

TEST(SourceIdentity, ANameOfTheProviderIsForTheProviderToMend) {
  const auto findings = look({{kPtr, answer({"192-0-2-4.dyn.example.com"})}});
  const auto found = std::ranges::find(findings, "ptr_leads_nowhere", &Finding::code);
  ASSERT_NE(found, findings.end());
  EXPECT_EQ(found->paste, "") << "its zone is not ours";
  EXPECT_EQ(found->expected, "mx1.example.jp");
  EXPECT_THAT(found->advice.en, HasSubstr("ask the provider"));
}

TEST(SourceIdentity, NothingIsConcludedFromSilence) {
  SourceZone world = right();
  world[kPtr] = silence();
  EXPECT_THAT(outcomes_of(look(world)),
              ElementsAre("ptr_unanswered not_determined", "hello_confirmed pass"));
  world = right();
  world[kForward] = silence();
  EXPECT_THAT(outcomes_of(look(world)),
              ElementsAre("ptr_present pass", "ptr_unconfirmed not_determined",
                          "hello_unanswered not_determined"));
  const auto distrusted = without_answers(
      "it lies", [](DnsFacts& facts) { return identity_findings(sender(), facts); });
  EXPECT_THAT(outcomes_of(distrusted),
              ElementsAre("ptr_unanswered not_determined", "hello_unanswered not_determined"));
}

TEST(SourceIdentity, OfAPrivateAddressNothingIsKnown) {
  SourceIdentity hidden = sender();
  hidden.addresses = {{std::string("\x0A\0\0\x01", 4), "10.0.0.1", false}};
  EXPECT_THAT(outcomes_of(look({}, hidden)), ElementsAre("address_unknown not_determined"));
  hidden.addresses.clear();
  EXPECT_THAT(outcomes_of(look({}, hidden)), ElementsAre("address_unknown not_determined"));
  EXPECT_EQ(look_of("main", look({}, hidden)).seen[0].outcome, Outcome::not_determined);
}

TEST(Port25, IsClosedOnlyIfSeveralSaySo) {
  const PortTry open{"a.example.jp", Reached::reached, ""};
  const PortTry refused{"b.example.jp", Reached::refused, "refused"};
  const PortTry silent{"c.example.jp", Reached::unanswered, "time-out"};
  const PortTry unknown{"d.example.jp", Reached::unknown, "no such name"};
  const auto outcome = [](std::vector<PortTry> tries) {
    return port_25_finding("main", tries).outcome;
  };
  EXPECT_EQ(outcome({refused, open}), Outcome::pass);
  EXPECT_EQ(outcome({refused, silent}), Outcome::fail);
  EXPECT_EQ(outcome({refused}), Outcome::not_determined);
  EXPECT_EQ(outcome({refused, silent, unknown}), Outcome::not_determined);
  EXPECT_EQ(outcome({}), Outcome::not_determined);
}

TEST(SourceLook, TakesTheWorstOfTheAddresses) {
  SourceIdentity two = sender();
  two.addresses.push_back({kOtherOctets, "192.0.2.5", true});
  SourceZone world = right();
  world[{FactType::ptr, "5.2.0.192.in-addr.arpa"}] = silence();
  SourceLook seen = look_of("main", look(world, two));
  EXPECT_EQ(seen.seen[0].outcome, Outcome::not_determined) << "one of them is not known";
  world.erase({FactType::ptr, "5.2.0.192.in-addr.arpa"});
  seen = look_of("main", look(world, two));
  EXPECT_EQ(seen.seen[0].outcome, Outcome::fail);
  EXPECT_THAT(seen.seen[0].same, HasSubstr("192.0.2.5"));
  EXPECT_EQ(seen.seen[1].outcome, Outcome::pass);
  const SourceLook other = look_of("other", look(world, two));
  EXPECT_EQ(other.seen[0].outcome, Outcome::not_determined) << "nothing was said of that one";
}

TEST(SourceIdentity, EveryFindingSpeaksBothLanguages) {
  SourceZone silent = right();
  silent[kForward] = silence();
  SourceZone nobody{{kPtr, silence()}};
  for (const auto& findings :
       {look(right()), look({}), look(silent), look(nobody), look(right(), sender("[192.0.2.4]")),
        look(right(), sender("localhost")),
        std::vector{port_25_finding("main", std::vector<PortTry>{{"a", Reached::refused, "x"},
                                                                 {"b", Reached::refused, "x"}})},
        std::vector{port_25_finding("main", {})}}) {
    for (const Finding& finding : findings) {
      EXPECT_FALSE(finding.sentence.en.empty());
      EXPECT_FALSE(finding.sentence.ja.empty());
      EXPECT_EQ(finding.why.en.empty(), finding.outcome == Outcome::pass) << finding.code;
      EXPECT_EQ(finding.why.ja.empty(), finding.outcome == Outcome::pass) << finding.code;
    }
  }
}

}  // namespace
}  // namespace todoku::doctor
