// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dmarc/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mailauth/dmarc/discovery.h"
#include "mailauth/dmarc/test_zones.h"

namespace todoku::mailauth::dmarc {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// A list on which are "co.jp" and whatever has one label.
std::string registered(std::string_view domain) {
  return std::string(last_labels(domain, domain.ends_with(".co.jp") ? 3 : 2));
}

Verdict verdict_on(TestZones& zones, const Query& query) {
  return zones.play([&](DnsFacts& facts) { return evaluate(query, registered, facts); });
}

Identifier pass(const char* domain) {
  return {.check = Check::pass, .domain = domain};
}
Identifier temperror(const char* domain) {
  return {.check = Check::temperror, .domain = domain};
}

Query from(const char* author, Identifier spf = {}, std::vector<Identifier> dkim = {}) {
  return {
      .author_domains = {author}, .from_fault = {}, .spf = std::move(spf), .dkim = std::move(dkim)};
}

// "pass reject example.jp spf dkim"
std::string brief(const Answer& answer) {
  std::string text(to_string(answer.result));
  text.append(" ").append(to_string(answer.policy)).append(" ").append(answer.domain);
  if (answer.spf_aligned) text += " spf";
  if (answer.dkim_aligned) text += " dkim";
  return text;
}

// RFC 9989 appendix B.1.
TEST(DmarcAlignment, HoldsOfTheExamplesOfTheStandard) {
  TestZones relaxed;
  relaxed.txt("_dmarc.example.com", "v=DMARC1; p=reject");
  TestZones strict;
  strict.txt("_dmarc.example.com", "v=DMARC1; p=reject; aspf=s; adkim=s");
  const struct {
    const char* author;
    const char* identifier;
    bool relaxed;
    bool strict;
  } kCases[] = {
      {"example.com", "example.com", true, true},
      {"child.example.com", "example.com", true, false},
      {"example.com", "child.example.com", true, false},
      {"a.example.com", "b.example.com", true, false},
      {"child.example.com", "example.net", false, false},
      {"example.com", "sample.net", false, false},
      {"example.com", "notexample.com", false, false},
      {"Example.COM", "eXample.com.", true, true},
      {"example.com", "", false, false},
  };
  for (const auto& each : kCases) {
    for (TestZones* zones : {&relaxed, &strict}) {
      const bool expected = zones == &relaxed ? each.relaxed : each.strict;
      const Verdict by_spf = verdict_on(*zones, from(each.author, pass(each.identifier)));
      EXPECT_EQ(by_spf.by_walk.spf_aligned, expected) << each.author << " " << each.identifier;
      EXPECT_EQ(by_spf.by_list.spf_aligned, expected) << each.author << " " << each.identifier;
      const Verdict by_dkim =
          verdict_on(*zones, from(each.author, {}, {pass("other.example"), pass(each.identifier)}));
      EXPECT_EQ(by_dkim.by_walk.result, expected ? Result::pass : Result::fail);
      EXPECT_EQ(by_dkim.by_list.result, expected ? Result::pass : Result::fail);
      EXPECT_EQ(by_dkim.by_walk.dkim_aligned, expected);
      EXPECT_FALSE(by_dkim.by_walk.spf_aligned);
    }
  }
}

TEST(DmarcAlignment, EachMechanismHasItsMode) {
  TestZones zones;
  zones.txt("_dmarc.example.jp", "v=DMARC1; p=reject; aspf=s");
  const auto verdict =
      verdict_on(zones, from("example.jp", pass("m.example.jp"), {pass("m.example.jp")}));
  EXPECT_EQ(brief(verdict.by_walk), "pass reject example.jp dkim");
}

TEST(DmarcAlignment, WhatDidNotPassCountsForNothing) {
  TestZones zones;
  zones.txt("_dmarc.example.jp", "v=DMARC1; p=quarantine");
  const Identifier failed{.check = Check::fail, .domain = "example.jp"};
  EXPECT_EQ(brief(verdict_on(zones, from("example.jp", failed, {failed})).by_walk),
            "fail quarantine example.jp");
}

// RFC 9989 appendix B.4.3.
TEST(DmarcAlignment, StopsBelowAPublicSuffixThatSaysSo) {
  TestZones zones;
  zones.txt("_dmarc.bank.example", "v=DMARC1; p=reject; psd=y")
      .txt("_dmarc.giant.bank.example", "v=DMARC1; p=quarantine");
  const auto verdict = verdict_on(zones, from("giant.bank.example", pass("mail.giant.bank.example"),
                                              {pass("mail.mega.bank.example")}));
  EXPECT_EQ(brief(verdict.by_walk), "pass quarantine giant.bank.example spf");
  // Its list does not know the suffix, so all below it are one: that is to be told.
  EXPECT_EQ(brief(verdict.by_list), "pass quarantine giant.bank.example spf dkim");
  EXPECT_THAT(verdict.warnings, Contains(HasSubstr("receivers differ")));
}

TEST(DmarcPolicy, IsOfTheTagThatApplies) {
  const struct {
    const char* record;
    const char* author;  // of example.jp; "is" is there, "not" is not
    const char* by_walk;
    const char* by_list;
  } kCases[] = {
      {"p=reject", "example.jp", "reject", "reject"},
      {"p=reject", "is.example.jp", "reject", "reject"},
      {"p=reject; sp=none", "example.jp", "reject", "reject"},
      {"p=reject; sp=none", "is.example.jp", "none", "none"},
      {"p=none; sp=quarantine; np=reject", "example.jp", "none", "none"},
      {"p=none; sp=quarantine; np=reject", "is.example.jp", "quarantine", "quarantine"},
      {"p=none; sp=quarantine; np=reject", "not.example.jp", "reject", "quarantine"},
      {"p=none; np=reject", "is.example.jp", "none", "none"},
      {"p=none; np=reject", "not.example.jp", "reject", "none"},
      {"p=quarantine; sp=reject", "not.example.jp", "reject", "reject"},
      // RFC 9989 section 4.7, "t".
      {"p=reject; t=y", "example.jp", "quarantine", "reject"},
      {"p=quarantine; t=y", "example.jp", "none", "quarantine"},
      {"p=none; t=y", "example.jp", "none", "none"},
      {"p=none; sp=reject; t=y", "is.example.jp", "quarantine", "reject"},
      // RFC 7489 section 6.6.4.
      {"p=reject; pct=0", "example.jp", "reject", "quarantine"},
      {"p=quarantine; pct=0", "example.jp", "quarantine", "none"},
      {"p=reject; pct=50", "example.jp", "reject", "reject"},
  };
  for (const auto& each : kCases) {
    TestZones zones;
    zones.txt("_dmarc.example.jp", std::string("v=DMARC1; ") + each.record).name("is.example.jp");
    const Verdict verdict = verdict_on(zones, from(each.author));
    EXPECT_EQ(to_string(verdict.by_walk.policy), each.by_walk) << each.record << each.author;
    EXPECT_EQ(to_string(verdict.by_list.policy), each.by_list) << each.record << each.author;
    EXPECT_EQ(verdict.by_walk.result, Result::fail);
    EXPECT_EQ(verdict.by_walk.domain, "example.jp");
  }
}

TEST(DmarcPolicy, AWrongOneIsNoneWhereReportsAreRead) {
  const struct {
    const char* record;
    const char* by_walk;
    const char* by_list;
  } kCases[] = {
      {"p=wrong; rua=mailto:a@example.jp", "fail none example.jp", "fail none example.jp"},
      {"p=wrong; rua=nowhere", "permerror none example.jp", "permerror none example.jp"},
      {"p=wrong", "permerror none example.jp", "permerror none example.jp"},
      {"p=reject; sp=wrong; rua=mailto:a@example.jp", "fail none example.jp",
       "fail none example.jp"},
      {"p=reject; sp=wrong", "permerror none example.jp", "permerror none example.jp"},
      {"p=reject; np=wrong", "permerror none example.jp", "fail reject example.jp"},
      {"p=reject; np=wrong; rua=mailto:a@example.jp", "fail none example.jp",
       "fail reject example.jp"},
      {"adkim=s", "fail none example.jp", "permerror none example.jp"},
      {"adkim=s; rua=mailto:a@example.jp", "fail none example.jp", "fail none example.jp"},
      {"p=reject; adkim=wrong; fo=wrong; junk", "fail reject example.jp", "fail reject example.jp"},
  };
  for (const auto& each : kCases) {
    TestZones zones;
    zones.txt("_dmarc.example.jp", std::string("v=DMARC1; ") + each.record);
    const Verdict verdict = verdict_on(zones, from("example.jp", pass("example.com")));
    EXPECT_EQ(brief(verdict.by_walk), each.by_walk) << each.record;
    EXPECT_EQ(brief(verdict.by_list), each.by_list) << each.record;
  }
}

TEST(DmarcDiscovery, TheAuthorsDomainGoesBeforeTheOrganizationalOne) {
  TestZones zones;
  zones.txt("_dmarc.a.example.jp", "v=DMARC1; p=none; sp=reject")
      .txt("_dmarc.example.jp", "v=DMARC1; p=reject; sp=quarantine");
  EXPECT_EQ(brief(verdict_on(zones, from("a.example.jp")).by_walk), "fail none a.example.jp");
  // What lies between the two is nobody's policy.
  EXPECT_EQ(brief(verdict_on(zones, from("b.a.example.jp")).by_walk), "fail quarantine example.jp");
  EXPECT_EQ(brief(verdict_on(zones, from("b.a.example.jp")).by_list), "fail quarantine example.jp");
}

TEST(DmarcDiscovery, OfAPublicSuffixOnlyWithoutAnotherRecord) {
  TestZones zones;
  zones.txt("_dmarc.co.jp", "v=DMARC1; p=reject; sp=quarantine; np=reject; psd=y")
      .txt("_dmarc.example.co.jp", "v=DMARC1; p=none")
      .name("www.sample.co.jp");
  EXPECT_EQ(brief(verdict_on(zones, from("a.example.co.jp")).by_walk), "fail none example.co.jp");
  const auto existing = verdict_on(zones, from("www.sample.co.jp", pass("sample.co.jp")));
  EXPECT_EQ(brief(existing.by_walk), "pass quarantine co.jp spf");
  EXPECT_EQ(existing.by_walk.organizational_domain, "sample.co.jp");
  EXPECT_EQ(brief(existing.by_list), "none none ");
  EXPECT_EQ(brief(verdict_on(zones, from("missing.co.jp")).by_walk), "fail reject co.jp");
  EXPECT_EQ(brief(verdict_on(zones, from("a.sample.co.jp", pass("other.co.jp"))).by_walk),
            "fail reject co.jp");
}

TEST(DmarcDiscovery, SeveralRecordsAreNoRecord) {
  TestZones zones;
  zones.txt("_dmarc.a.example.jp", "v=DMARC1; p=none")
      .txt("_dmarc.a.example.jp", "v=DMARC1; p=quarantine")
      .txt("_dmarc.example.jp", "v=DMARC1; p=reject");
  const auto verdict = verdict_on(zones, from("a.example.jp", pass("a.example.jp")));
  // RFC 9989 walks on, RFC 7489 ends.
  EXPECT_EQ(brief(verdict.by_walk), "pass reject example.jp spf");
  EXPECT_EQ(brief(verdict.by_list), "none none ");
  EXPECT_THAT(verdict.warnings, Contains(HasSubstr("more than one record")));
}

TEST(DmarcDiscovery, WithoutARecordNothingIsConcluded) {
  TestZones zones;
  const auto verdict = verdict_on(zones, from("example.jp", pass("example.jp")));
  EXPECT_EQ(brief(verdict.by_walk), "none none ");
  EXPECT_EQ(brief(verdict.by_list), "none none ");
  EXPECT_THAT(verdict.warnings, IsEmpty());
}

TEST(DmarcDiscovery, AnAgreeingRecordIsFoundByOneQuestion) {
  TestZones zones;
  zones.txt("_dmarc.example.jp", "v=DMARC1; p=reject");
  const auto verdict = verdict_on(zones, from("example.jp", pass("example.jp")));
  EXPECT_EQ(brief(verdict.by_walk), "pass reject example.jp spf");
  EXPECT_THAT(zones.asked, SizeIs(1));
}

TEST(DmarcDiscovery, NoMessageMakesItAskWithoutEnd) {
  TestZones zones;
  zones.txt("_dmarc.a.b.c.d.e.f.g.h.i.jp", "v=DMARC1; p=reject");
  Query query = from("a.b.c.d.e.f.g.h.i.jp");
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("x.b.c.d.e.f.g.s" + std::to_string(i) + ".jp");
  for (const std::string& name : names) query.dkim.push_back(pass(name.c_str()));
  EXPECT_EQ(verdict_on(zones, query).by_walk.result, Result::fail);
  EXPECT_LE(zones.asked.size(), (kSignaturesMax + 1) * kWalkQueriesMax);
}

TEST(DmarcFrom, MustNameExactlyOneDomain) {
  TestZones zones;
  zones.txt("_dmarc.example.jp", "v=DMARC1; p=reject");
  const auto on = [&](std::vector<std::string> domains) {
    return verdict_on(zones, {.author_domains = std::move(domains),
                              .from_fault = {},
                              .spf = pass("example.jp"),
                              .dkim = {}});
  };
  EXPECT_EQ(on({"example.jp", "EXAMPLE.jp"}).by_walk.result, Result::pass);
  for (const auto& domains : std::vector<std::vector<std::string>>{{},
                                                                   {"example.jp", "example.com"},
                                                                   {"[192.0.2.1]"},
                                                                   {"a..b"},
                                                                   {"example.jp", "[192.0.2.1]"},
                                                                   {"example.jp", "a..b"}}) {
    const auto verdict = on(domains);
    EXPECT_EQ(brief(verdict.by_walk), "permerror none ");
    EXPECT_EQ(verdict.by_list, verdict.by_walk);
    EXPECT_THAT(verdict.by_walk.reason, Not(IsEmpty()));
  }
}

TEST(DmarcFrom, ThatTellsOfNoAuthorIsNotGuessedAt) {
  TestZones zones;
  zones.txt("_dmarc.example.jp", "v=DMARC1; p=reject");
  Query query = from("example.jp", pass("example.jp"));
  query.from_fault = "there is more than one From";
  const auto verdict = verdict_on(zones, query);
  EXPECT_EQ(brief(verdict.by_walk), "permerror none ");
  EXPECT_EQ(verdict.by_walk.reason, query.from_fault);
}

TEST(DmarcFrom, IsComparedByALabels) {
  TestZones zones;
  zones.txt("_dmarc.xn--wgv71a119e.jp", "v=DMARC1; p=reject");  // 日本語.jp
  const auto verdict = verdict_on(zones, from("日本語.jp", pass("mail.日本語.jp")));
  EXPECT_EQ(brief(verdict.by_walk), "pass reject xn--wgv71a119e.jp spf");
}

TEST(DmarcTemperror, OfADnsThatFailsWhereItDecides) {
  const auto broken = [](const char* name, const Query& query) {
    TestZones zones;
    zones.txt("_dmarc.example.jp", "v=DMARC1; p=reject").broken(name);
    return brief(verdict_on(zones, query).by_walk);
  };
  EXPECT_EQ(broken("_dmarc.a.example.jp", from("a.example.jp")), "temperror none ");
  EXPECT_EQ(broken("_dmarc.b.example.jp", from("a.b.example.jp")), "temperror none ");
  EXPECT_EQ(broken("_dmarc.m.example.jp", from("example.jp", pass("m.example.jp"))),
            "temperror reject example.jp");
  // Another domain that is aligned is enough, and what is not aligned anyway is not missed.
  EXPECT_EQ(
      broken("_dmarc.m.example.jp", from("example.jp", pass("m.example.jp"), {pass("example.jp")})),
      "pass reject example.jp dkim");
  EXPECT_EQ(broken("_dmarc.example.com", from("example.jp", pass("example.com"))),
            "fail reject example.jp");
}

TEST(DmarcTemperror, OfACheckThatWouldHaveCounted) {
  TestZones zones;
  zones.txt("_dmarc.example.jp", "v=DMARC1; p=reject");
  const auto on = [&](Identifier spf, Identifier dkim) {
    return brief(verdict_on(zones, from("example.jp", std::move(spf), {std::move(dkim)})).by_walk);
  };
  EXPECT_EQ(on(temperror("m.example.jp"), {}), "temperror reject example.jp");
  EXPECT_EQ(on({}, temperror("example.jp")), "temperror reject example.jp");
  EXPECT_EQ(on(temperror("example.com"), {}), "fail reject example.jp");
  EXPECT_EQ(on(temperror("example.jp"), pass("example.jp")), "pass reject example.jp dkim");
}

TEST(DmarcTemperror, NotOfAnExistenceThatCannotBeAsked) {
  TestZones zones;
  zones.txt("_dmarc.example.jp", "v=DMARC1; p=none; sp=quarantine; np=reject")
      .broken("a.example.jp");
  const auto verdict = verdict_on(zones, from("a.example.jp"));
  EXPECT_EQ(brief(verdict.by_walk), "fail quarantine example.jp");
  EXPECT_THAT(verdict.warnings, Contains(HasSubstr("could not be asked")));
}

TEST(DmarcTrace, TellsBothWays) {
  TestZones zones;
  zones.txt("_dmarc.example.jp", "v=DMARC1; p=reject; zz");
  const auto verdict = verdict_on(zones, from("a.example.jp", pass("b.example.jp")));
  EXPECT_THAT(verdict.trace, Contains("RFC 9989: SPF pass of b.example.jp is aligned (relaxed)"));
  EXPECT_THAT(verdict.trace, Contains("RFC 7489: the record at _dmarc.example.jp applies"));
  EXPECT_THAT(verdict.trace, Contains("RFC 9989: pass"));
  EXPECT_THAT(verdict.warnings, Contains(HasSubstr("\"zz\" is not a tag")));
}

}  // namespace
}  // namespace todoku::mailauth::dmarc
