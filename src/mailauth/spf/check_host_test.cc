// SPDX-License-Identifier: Apache-2.0
#include "mailauth/spf/check_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mailauth/spf/record.h"
#include "mailauth/spf/test_zone.h"

namespace todoku::mailauth::spf {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// RFC 7208 Appendix A.
TestZone appendix_a() {
  TestZone zone;
  zone.mx("example.com", "mail-a.example.com").mx("example.com", "mail-b.example.com");
  zone.a("example.com", "192.0.2.10").a("example.com", "192.0.2.11");
  zone.a("amy.example.com", "192.0.2.65").a("bob.example.com", "192.0.2.66");
  zone.a("mail-a.example.com", "192.0.2.129").a("mail-b.example.com", "192.0.2.130");
  zone.a("www.example.com", "192.0.2.10").a("www.example.com", "192.0.2.11");
  zone.mx("example.org", "mail-c.example.org").a("mail-c.example.org", "192.0.2.140");
  zone.ptr("192.0.2.10", "example.com").ptr("192.0.2.11", "example.com");
  zone.ptr("192.0.2.65", "amy.example.com").ptr("192.0.2.66", "bob.example.com");
  zone.ptr("192.0.2.129", "mail-a.example.com").ptr("192.0.2.130", "mail-b.example.com");
  zone.ptr("192.0.2.140", "mail-c.example.org").ptr("10.0.0.4", "bob.example.com");
  return zone;
}

// Which of the appendix's addresses pass, by their last octet; 4 is 10.0.0.4.
std::vector<int> passing(const std::string& record) {
  TestZone zone = appendix_a();
  zone.txt("example.com", record);
  std::vector<int> octets;
  for (const int octet : {4, 10, 11, 65, 66, 129, 130, 140}) {
    const auto address = octet == 4 ? std::string("10.0.0.4") : fmt::format("192.0.2.{}", octet);
    const auto verdict = zone.check_host(query(address, "taro@example.com"));
    EXPECT_THAT(to_string(verdict.result), testing::AnyOf("pass", "fail")) << verdict.problem;
    if (verdict.result == SpfResult::pass) octets.push_back(octet);
  }
  return octets;
}

TEST(CheckHost, DoesAsAppendixAShows) {
  EXPECT_THAT(passing("v=spf1 +all"), ElementsAre(4, 10, 11, 65, 66, 129, 130, 140));
  EXPECT_THAT(passing("v=spf1 a -all"), ElementsAre(10, 11));
  EXPECT_THAT(passing("v=spf1 a:example.org -all"), IsEmpty());
  EXPECT_THAT(passing("v=spf1 mx -all"), ElementsAre(129, 130));
  EXPECT_THAT(passing("v=spf1 mx:example.org -all"), ElementsAre(140));
  EXPECT_THAT(passing("v=spf1 mx mx:example.org -all"), ElementsAre(129, 130, 140));
  EXPECT_THAT(passing("v=spf1 mx/30 mx:example.org/30 -all"), ElementsAre(129, 130, 140));
  EXPECT_THAT(passing("v=spf1 ptr -all"), ElementsAre(10, 11, 65, 66, 129, 130));
  EXPECT_THAT(passing("v=spf1 ip4:192.0.2.128/28 -all"), ElementsAre(129, 130, 140));
}

TEST(CheckHost, HasEveryResult) {
  const TestZone zone = TestZone().a("a.example.jp", "192.0.2.1");
  const Query asked = query("192.0.2.1");
  EXPECT_EQ(word(zone, "v=spf1 a:a.example.jp", asked), "pass");
  EXPECT_EQ(word(zone, "v=spf1 -a:a.example.jp", asked), "fail");
  EXPECT_EQ(word(zone, "v=spf1 ~a:a.example.jp", asked), "softfail");
  EXPECT_EQ(word(zone, "v=spf1 ?a:a.example.jp", asked), "neutral");
  EXPECT_EQ(word(zone, "v=spf1", asked), "neutral");
  EXPECT_EQ(word(zone, "v=spf1 all foo", asked), "permerror");
  EXPECT_EQ(word(zone, "v=spf2.0/pra all", asked), "none");
  EXPECT_EQ(word(TestZone().fails(FactType::a, "b.example.jp"), "v=spf1 a:b.example.jp all", asked),
            "temperror");
  EXPECT_EQ(to_string(TestZone().fails(FactType::txt, "example.jp").check_host(asked).result),
            "temperror");
}

// Section 4.3.
TEST(CheckHost, WhatIsNoDomainIsNone) {
  for (const std::string domain : {"localhost", "example..jp", ".example.jp", "[192.0.2.1]",
                                   "ex ample.jp", "", ".", "example.jp.."}) {
    TestZone zone;
    EXPECT_EQ(zone.check_host(query("192.0.2.1", "taro@" + domain)).result, SpfResult::none);
    EXPECT_EQ(zone.check_host(query("192.0.2.1", "", domain)).result, SpfResult::none) << domain;
    EXPECT_THAT(zone.asked, IsEmpty()) << domain;
  }
  TestZone zone;
  for (const std::string& domain : {std::string(64, 'x') + ".jp", std::string(127, '.') + "jp"}) {
    EXPECT_EQ(zone.check_host(query("192.0.2.1", "taro@" + domain)).result, SpfResult::none);
  }
  EXPECT_THAT(zone.asked, IsEmpty());
  const std::string longest = std::string(63, 'x') + ".jp";
  zone.txt(longest, "v=spf1 -all");
  EXPECT_EQ(zone.check_host(query("192.0.2.1", "taro@" + longest)).result, SpfResult::fail);
}

TEST(CheckHost, ARecordThatIsTooLongIsAPermanentErrorAndNoTemporaryOne) {
  for (const bool fits : {true, false}) {
    TestZone zone;
    std::string record = "v=spf1";
    while (record.size() + 20 < kRecordOctetsMax) record += " ip4:198.51.100.1";
    record += fits ? " -all" : std::string(40, ' ') + "-all";
    zone.txt("example.jp", record);
    const auto verdict = zone.check_host(query("192.0.2.1", "taro@example.jp"));
    EXPECT_EQ(verdict.result, fits ? SpfResult::fail : SpfResult::permerror);
    EXPECT_EQ(verdict.problem.contains("octets"), !fits) << verdict.problem;
  }
}

TEST(CheckHost, ChecksHeloWhereTheSenderIsEmpty) {
  TestZone zone;
  zone.txt("mail.example.jp", "v=spf1 exists:%{l}.%{o}.%{h}.x.jp -all");
  zone.a("postmaster.mail.example.jp.mail.example.jp.x.jp", "127.0.0.2");
  const Verdict verdict = zone.check_host(query("192.0.2.1", ""));
  EXPECT_EQ(verdict.result, SpfResult::pass);
  EXPECT_TRUE(verdict.is_of_helo);
  EXPECT_EQ(verdict.domain, "mail.example.jp");
}

TEST(CheckHost, ASenderWithoutLocalPartIsPostmaster) {
  TestZone zone;
  zone.txt("example.jp", "v=spf1 exists:%{s}.x.jp -all")
      .a("postmaster@example.jp.x.jp", "127.0.0.2");
  EXPECT_EQ(zone.check_host(query("192.0.2.1", "@example.jp")).result, SpfResult::pass);
  EXPECT_EQ(zone.check_host(query("192.0.2.1", "example.jp")).result, SpfResult::pass);
}

TEST(CheckHost, KnowsInternationalDomainsByTheirALabels) {
  TestZone zone;
  zone.txt("xn--wgv71a119e.jp", "v=spf1 a:%{o} a:%{l}.example.jp -all");
  zone.a("xn--wgv71a119e.jp", "192.0.2.1");
  EXPECT_EQ(zone.check_host(query("192.0.2.1", "taro@日本語.jp")).result, SpfResult::pass);
  // RFC 8616 section 4: a term with such a local part matches nothing, and asks nothing.
  zone.asked.clear();
  EXPECT_EQ(zone.check_host(query("192.0.2.2", "太郎@日本語.jp")).result, SpfResult::fail);
  EXPECT_THAT(zone.asked, ElementsAre("TXT xn--wgv71a119e.jp", "A xn--wgv71a119e.jp"));
}

// Section 4.5.
TEST(CheckHost, ReadsOneRecordAmongOtherTexts) {
  TestZone zone;
  zone.txt("example.jp", "\xff\x01")
      .txt("example.jp", "v=spf10 -all")
      .txt("example.jp", "V=SPF1 all");
  EXPECT_EQ(zone.check_host(query("192.0.2.1")).result, SpfResult::pass);
  zone.txt("example.jp", "v=spf1");
  EXPECT_EQ(zone.check_host(query("192.0.2.1")).result, SpfResult::permerror);
}

TEST(CheckHost, SeesAnIp4AddressInAMappedOne) {
  const Query mapped = query("::ffff:192.0.2.1");
  EXPECT_EQ(word({}, "v=spf1 ip4:192.0.2.1 -all", mapped), "pass");
  EXPECT_EQ(word({}, "v=spf1 ip6:::/0 -all", mapped), "fail");
  EXPECT_EQ(word({}, "v=spf1 ip6:::ffff:192.0.2.1 -all", query("192.0.2.1")), "fail");
}

TEST(CheckHost, ComparesPrefixesToTheBit) {
  EXPECT_EQ(word({}, "v=spf1 ip4:192.0.2.128/25 -all", query("192.0.2.127")), "fail");
  EXPECT_EQ(word({}, "v=spf1 ip4:192.0.2.129/25 -all", query("192.0.2.254")), "pass");
  EXPECT_EQ(word({}, "v=spf1 ip4:198.51.100.1/0 -all", query("192.0.2.1")), "pass");
  EXPECT_EQ(word({}, "v=spf1 ip4:0.0.0.0/0 -all", query("2001:db8::1")), "fail");
  EXPECT_EQ(word({}, "v=spf1 ip6:2001:db8:8000::/33 -all", query("2001:db8:8000::1")), "pass");
  EXPECT_EQ(word({}, "v=spf1 ip6:2001:db8:8000::/33 -all", query("2001:db8:7fff::1")), "fail");
  TestZone zone;
  zone.a("example.jp", "192.0.2.1").a("example.jp", "2001:db8::1");
  EXPECT_EQ(word(zone, "v=spf1 a/24//64 -all", query("192.0.2.9")), "pass");
  EXPECT_EQ(word(zone, "v=spf1 a/24//64 -all", query("2001:db8::9")), "pass");
  EXPECT_EQ(word(zone, "v=spf1 a/24 -all", query("2001:db8::9")), "fail");
  EXPECT_EQ(word(zone, "v=spf1 a//64 -all", query("192.0.2.9")), "fail");
}

// Section 5.2's table.
TEST(CheckHost, IncludesOnlyWhatPasses) {
  const auto included = [](const std::string& record) {
    TestZone zone;
    zone.txt("b.jp", record).fails(FactType::a, "lame.jp");
    return word(zone, "v=spf1 ~include:b.jp ?all", query("192.0.2.1"));
  };
  EXPECT_EQ(included("v=spf1 all"), "softfail");
  EXPECT_EQ(included("v=spf1 -all"), "neutral");
  EXPECT_EQ(included("v=spf1 ~all"), "neutral");
  EXPECT_EQ(included("v=spf1 ?all"), "neutral");
  EXPECT_EQ(included("v=spf1"), "neutral");
  EXPECT_EQ(included("v=spf1 a:lame.jp"), "temperror");
  EXPECT_EQ(included("v=spf1 foo"), "permerror");
  EXPECT_EQ(included("none"), "permerror");
  EXPECT_EQ(word({}, "v=spf1 include:%{h} ?all", query("192.0.2.1", "a@example.jp", "single")),
            "permerror");
}

// Section 6.1.
TEST(CheckHost, RedirectsWhereNothingMatched) {
  TestZone zone;
  zone.txt("b.jp", "v=spf1 ip4:192.0.2.1 exp=e.b.jp -all").txt("e.b.jp", "%{d} refuses %{o}");
  zone.txt("e.example.jp", "not this");
  EXPECT_EQ(word(zone, "v=spf1 redirect=b.jp", query("192.0.2.1")), "pass");
  EXPECT_EQ(word(zone, "v=spf1 redirect=b.jp ~all", query("192.0.2.2")), "softfail");
  EXPECT_EQ(word(zone, "v=spf1 redirect=c.jp", query("192.0.2.1")), "permerror");
  EXPECT_EQ(word(zone, "v=spf1 redirect=%{l}", query("192.0.2.1")), "permerror");
  zone.txt("example.jp", "v=spf1 redirect=b.jp exp=e.example.jp");
  const Verdict verdict = zone.check_host(query("192.0.2.2"));
  EXPECT_EQ(verdict.explanation, "b.jp refuses example.jp");
  EXPECT_EQ(verdict.mechanism, "-all");
  EXPECT_EQ(verdict.mechanism_domain, "b.jp");
  EXPECT_EQ(verdict.lookups, 1);
}

TEST(CheckHost, ExistsAsksForIp4AddressesAlways) {
  TestZone zone;
  zone.a("b.jp", "127.0.0.2").a("c.jp", "2001:db8::1");
  EXPECT_EQ(word(zone, "v=spf1 exists:b.jp -all", query("2001:db8::2")), "pass");
  EXPECT_EQ(word(zone, "v=spf1 exists:c.jp -all", query("2001:db8::1")), "fail");
}

TEST(CheckHost, AnMxIsNotReplacedByAnAddress) {
  TestZone zone;
  zone.a("example.jp", "192.0.2.1").mx("null.jp", "");
  EXPECT_EQ(word(zone, "v=spf1 mx -all", query("192.0.2.1")), "fail");
  EXPECT_EQ(word(zone, "v=spf1 mx:null.jp -all", query("192.0.2.1")), "fail");
}

TEST(CheckHost, PtrNeedsANameThatPointsBack) {
  TestZone zone;
  zone.ptr("192.0.2.1", "a.example.jp")
      .ptr("192.0.2.1", "notexample.jp")
      .a("notexample.jp", "192.0.2.1");
  EXPECT_EQ(word(zone, "v=spf1 ptr -all", query("192.0.2.1")), "fail");
  EXPECT_EQ(word(zone, "v=spf1 ptr:NotExample.JP -all", query("192.0.2.1")), "pass");
  zone.a("a.example.jp", "192.0.2.1");
  EXPECT_EQ(word(zone, "v=spf1 ptr -all", query("192.0.2.1")), "pass");
  // Section 5.5: an error of the DNS is no match.
  zone.fails(FactType::a, "a.example.jp").fails(FactType::ptr, "2.2.0.192.in-addr.arpa");
  EXPECT_EQ(word(zone, "v=spf1 ptr -all", query("192.0.2.1")), "fail");
  EXPECT_EQ(word(zone, "v=spf1 ptr -all", query("192.0.2.2")), "fail");
}

// Section 6.2.
TEST(CheckHost, ExplainsAFailIfTheDomainDoesItWell) {
  const auto explanation = [](const std::vector<std::string>& texts) {
    TestZone zone;
    zone.txt("example.jp", "v=spf1 -all exp=e.example.jp");
    for (const std::string& text : texts) zone.txt("e.example.jp", text);
    return zone.check_host(query("192.0.2.1"), {.limits = {}, .explanation = "ours"}).explanation;
  };
  EXPECT_EQ(explanation({"Not %{i}, %{l}."}), "Not 192.0.2.1, taro.");
  EXPECT_EQ(explanation({}), "ours");
  EXPECT_EQ(explanation({"one", "two"}), "ours");
  EXPECT_EQ(explanation({"bad %{x}"}), "ours");
  EXPECT_EQ(explanation({"caf\xc3\xa9"}), "ours");
  EXPECT_EQ(explanation({"line\nfeed"}), "ours");
  TestZone zone;
  zone.txt("example.jp", "v=spf1 ~all exp=e.example.jp").txt("e.example.jp", "no");
  EXPECT_EQ(zone.check_host(query("192.0.2.1")).explanation, "");
  EXPECT_THAT(zone.asked, testing::Not(Contains("TXT e.example.jp")));
  TestZone lame;
  lame.txt("example.jp", "v=spf1 -all exp=e.example.jp").fails(FactType::txt, "e.example.jp");
  EXPECT_EQ(lame.check_host(query("192.0.2.1")).result, SpfResult::fail);
}

TEST(CheckHost, AnExplanationIsNeverThatOfAnInclude) {
  TestZone zone;
  zone.txt("b.jp", "v=spf1 -all exp=e.b.jp").txt("e.b.jp", "theirs");
  zone.txt("example.jp", "v=spf1 include:b.jp -all");
  EXPECT_EQ(zone.check_host(query("192.0.2.1")).explanation, "");
}

TEST(CheckHost, TellsItsSteps) {
  TestZone zone;
  zone.txt("example.jp", "v=spf1 mx include:b.jp -all").mx("example.jp", "mx.example.jp");
  zone.a("mx.example.jp", "192.0.2.9").txt("b.jp", "v=spf1 exists:nowhere.jp");
  const Verdict verdict = zone.check_host(query("192.0.2.1"));
  EXPECT_THAT(verdict.trace,
              ElementsAre("example.jp: record v=spf1 mx include:b.jp -all",
                          "example.jp mx: MX example.jp: mx.example.jp (look-ups 1, void 0)",
                          "example.jp mx: A mx.example.jp: 192.0.2.9 (look-ups 1, void 0)",
                          "example.jp mx: no match",
                          "example.jp include:b.jp: check b.jp (look-ups 2, void 0)",
                          "b.jp: record v=spf1 exists:nowhere.jp",
                          "b.jp exists:nowhere.jp: A nowhere.jp: no such name (look-ups 3, void 1)",
                          "b.jp exists:nowhere.jp: no match", "b.jp: nothing matches: neutral",
                          "example.jp include:b.jp: no match", "example.jp -all: match: fail"));
  EXPECT_EQ(verdict.lookups, 3);
  EXPECT_EQ(verdict.void_lookups, 1);
}

}  // namespace
}  // namespace todoku::mailauth::spf
