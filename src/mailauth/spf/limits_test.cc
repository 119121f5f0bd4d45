// SPDX-License-Identifier: Apache-2.0
// RFC 7208 section 4.6.4, and DNS that means harm.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mailauth/spf/check_host.h"
#include "mailauth/spf/test_zone.h"

namespace todoku::mailauth::spf {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;

std::string repeated(std::string_view term, int times) {
  std::string out = "v=spf1";
  for (int i = 0; i < times; ++i) out += fmt::format(" {}", term);
  return out + " all";
}

TEST(SpfLimits, TenTermsAskTheDns) {
  const TestZone zone = TestZone().a("b.jp", "192.0.2.9");
  EXPECT_EQ(word(zone, repeated("a:b.jp", 10), query("192.0.2.1")), "pass");
  EXPECT_EQ(word(zone, repeated("a:b.jp", 11), query("192.0.2.1")), "permerror");
  EXPECT_EQ(word(zone, repeated("a:b.jp", 11), query("192.0.2.9")), "pass");  // the first matches
  EXPECT_EQ(word(zone, repeated("ip4:192.0.2.7 ip6:::1", 50), query("192.0.2.1")), "pass");
}

TEST(SpfLimits, IncludesAndRedirectsShareThem) {
  TestZone zone;
  zone.a("b.jp", "192.0.2.9").txt("c.jp", "v=spf1 a:b.jp a:b.jp a:b.jp a:b.jp redirect=d.jp");
  zone.txt("d.jp", "v=spf1 a:b.jp a:b.jp a:b.jp a:b.jp -all");
  EXPECT_EQ(word(zone, "v=spf1 include:c.jp all", query("192.0.2.1")), "pass");
  EXPECT_EQ(word(zone, "v=spf1 a:b.jp include:c.jp all", query("192.0.2.1")), "permerror");
}

TEST(SpfLimits, TwoAnswersMayBeVoid) {
  EXPECT_EQ(word({}, "v=spf1 a:b.jp mx:c.jp all", query("192.0.2.1")), "pass");
  EXPECT_EQ(word({}, "v=spf1 a:b.jp mx:c.jp exists:d.jp all", query("192.0.2.1")), "permerror");
  EXPECT_EQ(word({}, "v=spf1 ptr a:b.jp mx:c.jp all", query("192.0.2.1")), "permerror");
  EXPECT_EQ(word({}, "v=spf1 exists:%{p}.jp a:b.jp all", query("192.0.2.1")), "permerror");
  TestZone zone;
  zone.txt("example.jp", "v=spf1 a:b.jp mx:c.jp exists:d.jp all");
  EXPECT_EQ(zone.check_host(query("192.0.2.1"), {.limits = {.void_lookups = 3}, .explanation = ""})
                .result,
            SpfResult::pass);
}

TEST(SpfLimits, TenNamesOfAnMx) {
  TestZone zone;
  for (int i = 0; i < 10; ++i) {
    zone.mx("b.jp", fmt::format("mx{}.b.jp", i)).a(fmt::format("mx{}.b.jp", i), "192.0.2.9");
  }
  EXPECT_EQ(word(zone, "v=spf1 mx:b.jp -all", query("192.0.2.9")), "pass");
  zone.mx("b.jp", "mx10.b.jp");
  EXPECT_EQ(word(zone, "v=spf1 mx:b.jp -all", query("192.0.2.9")), "permerror");
}

TEST(SpfLimits, NamesOfAnAddressPastTheTenthAreIgnored) {
  TestZone zone;
  for (int i = 0; i < 10; ++i) zone.ptr("192.0.2.1", fmt::format("n{}.example.jp", i));
  zone.ptr("192.0.2.1", "good.example.jp").a("good.example.jp", "192.0.2.1");
  EXPECT_EQ(word(zone, "v=spf1 ptr ?all", query("192.0.2.1")), "neutral");
}

TEST(SpfLimits, LoopsEnd) {
  EXPECT_EQ(word({}, "v=spf1 include:example.jp all", query("192.0.2.1")), "permerror");
  EXPECT_EQ(word({}, "v=spf1 redirect=example.jp", query("192.0.2.1")), "permerror");
  const auto problem = [](const std::string& record) {
    TestZone zone;
    zone.txt("example.jp", record).txt("b.jp", "v=spf1 a:c.jp include:%{d1}.jp redirect=c.jp");
    zone.txt("jp.jp", "v=spf1 -all").txt("c.jp", "v=spf1 include:B.jp");
    const Verdict verdict = zone.check_host(query("192.0.2.1"));
    EXPECT_EQ(verdict.result, SpfResult::permerror);
    EXPECT_THAT(verdict.trace.back(), HasSubstr(verdict.problem));
    return verdict.problem;
  };
  EXPECT_EQ(problem("v=spf1 include:Example.JP -all"), "example.jp -> example.jp is a loop");
  EXPECT_EQ(problem("v=spf1 redirect=example.jp"), "example.jp -> example.jp is a loop");
  EXPECT_EQ(problem("v=spf1 include:b.jp -all"), "b.jp -> c.jp -> b.jp is a loop");
  // Twice one after the other is none.
  TestZone twice;
  twice.txt("b.jp", "v=spf1 -all").txt("example.jp", "v=spf1 include:b.jp include:b.jp ~all");
  EXPECT_EQ(twice.check_host(query("192.0.2.1")).result, SpfResult::softfail);
}

// Each level includes ten others: the limit holds over all of them.
TEST(SpfLimits, AnAvalancheOfIncludesIsStopped) {
  TestZone zone;
  zone.txt("example.jp", repeated("include:a.%{d} include:b.%{d}", 5));
  std::string name = "example.jp";
  for (int depth = 0; depth < 12; ++depth) {
    name.insert(0, "a.");
    zone.txt(name, repeated("include:a.%{d} include:b.%{d}", 5));
  }
  EXPECT_EQ(zone.check_host(query("192.0.2.1")).result, SpfResult::permerror);
  EXPECT_LE(zone.asked.size(), 11U);
}

TEST(SpfLimits, NamesThatAreNoneAreNotAskedFor) {
  TestZone zone;
  zone.txt("example.jp", "v=spf1 a:x..jp mx:%{l}.jp exists:" + std::string(64, 'x') + ".jp ?all");
  EXPECT_EQ(zone.check_host(query("192.0.2.1", "a..b@example.jp")).result, SpfResult::neutral);
  EXPECT_THAT(zone.asked, SizeIs(1));
}

TEST(SpfLimits, AnyOctetOfALocalPartCanBeAskedFor) {
  TestZone zone;
  zone.txt("example.jp", "v=spf1 exists:%{l}.example.jp -all");
  zone.a("\"a\\032\\092\\000\".example.jp", "127.0.0.2");
  EXPECT_EQ(zone.check_host(query("192.0.2.1", std::string("\"A \\\0\"@example.jp", 17))).result,
            SpfResult::pass);
}

TEST(SpfLimits, LongTextsAreReadOnceAndShownInPart) {
  TestZone zone;
  zone.txt("example.jp", repeated("ip4:192.0.2.7", 1'000));
  const Verdict verdict = zone.check_host(query("192.0.2.1"));
  EXPECT_EQ(verdict.result, SpfResult::pass);
  EXPECT_THAT(verdict.trace, SizeIs(kTraceLinesMax));
  EXPECT_THAT(verdict.trace, Each(SizeIs(testing::Le(kTraceColumnsMax))));
  EXPECT_EQ(word({}, repeated("ip4:192.0.2.7", 10'000), query("192.0.2.1")), "permerror");
}

TEST(SpfLimits, TheTraceIsPrintable) {
  TestZone zone;
  zone.txt("example.jp", "v=spf1 a:\x1b[31m\xe2\x80\xae.jp -all");
  const Verdict verdict = zone.check_host(query("192.0.2.1", "taro@example.jp"));
  EXPECT_THAT(verdict.problem, HasSubstr("a:?[31m"));
  EXPECT_THAT(verdict.trace, Each(testing::Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace todoku::mailauth::spf
