// SPDX-License-Identifier: Apache-2.0
#include "mailauth/spf/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::mailauth::spf {
namespace {

using testing::HasSubstr;

TEST(SpfRecord, IsKnownByItsVersion) {
  for (const auto* const text : {"v=spf1", "v=spf1 ", "v=spf1 -all", "V=SPF1 -all"}) {
    EXPECT_TRUE(is_record(text)) << text;
  }
  for (const auto* const text : {"", "v=spf", "v=spf10", "v=spf1-all", "v=spf1\t-all",
                                 " v=spf1 -all", "v=spf2.0/pra -all"}) {
    EXPECT_FALSE(is_record(text)) << text;
  }
}

TEST(SpfRecord, HoldsItsTermsInOrder) {
  const auto record = parse_record(
      "v=spf1  ip4:192.0.2.0/24 ~MX:example.com/28//64 exp=e.%{d} -all redirect=a.jp  ");
  ASSERT_TRUE(record) << record.error().detail;
  ASSERT_EQ(record->mechanisms.size(), 3U);
  EXPECT_EQ(record->mechanisms[0].network, std::string("\xC0\x00\x02\x00", 4));
  EXPECT_EQ(record->mechanisms[0].ip4_bits, 24U);
  const Mechanism& mx = record->mechanisms[1];
  EXPECT_EQ(mx.kind, MechanismKind::mx);
  EXPECT_EQ(mx.qualifier, Qualifier::softfail);
  EXPECT_EQ(mx.text, "~MX:example.com/28//64");
  EXPECT_EQ(mx.domain_spec, "example.com");
  EXPECT_EQ(mx.ip4_bits, 28U);
  EXPECT_EQ(mx.ip6_bits, 64U);
  EXPECT_EQ(record->mechanisms[2].qualifier, Qualifier::fail);
  EXPECT_EQ(record->redirect, "a.jp");
  EXPECT_EQ(record->exp, "e.%{d}");
}

TEST(SpfRecord, AcceptsWhatTheGrammarAllows) {
  for (const auto* const term : {"all",
                                 "+ALL",
                                 "?all",
                                 "a",
                                 "a/0",
                                 "a/32//128",
                                 "a//0",
                                 "mx//64",
                                 "a:example.com.",
                                 "a:foo:bar/baz.example.com",
                                 "a:example.com/24",
                                 "a:x.museum",
                                 "a:.museum",
                                 "a:_spf.example.a-b",
                                 "a:%{d}",
                                 "a:%{d}/24",
                                 "a:%{l/}",
                                 "a:x%%",
                                 "a:x%_",
                                 "a:x%-",
                                 "a:a.!#$&'()*+,-;<=>?@[]^`{|}~.jp",
                                 "ptr",
                                 "ptr:example.com",
                                 "ptr:%{d}",
                                 "include:example.com",
                                 "include:%{d2}",
                                 "exists:%{ir}.%{l1r-}._spf.%{d}",
                                 "exists:%{L}.%{O}.%{I}.%{P}.%{V}.%{H}.%{S}",
                                 "exists:%{d999999999999999999999r.-+,/_=}",
                                 "exists:%{dR}",
                                 "ip4:0.0.0.0/0",
                                 "ip4:192.0.2.1",
                                 "ip6:::",
                                 "ip6:::/0",
                                 "ip6:2001:DB8::/32",
                                 "ip6:::192.0.2.1/128",
                                 "unknown=",
                                 "x-1_2.3=%{c}%{r}%{t}",
                                 "moo.cow-far_out=man:dog/cat",
                                 "redirect=%{d}",
                                 "exp=e.example.com",
                                 "a=b",
                                 "all=x",
                                 "A.=%%"}) {
    const auto record = parse_record(std::string("v=spf1 ") + term);
    EXPECT_TRUE(record) << term << ": " << record.error().detail;
  }
}

TEST(SpfRecord, RefusesEverythingElse) {
  for (const auto* const term : {"all.",
                                 "all:x.jp",
                                 "all/8",
                                 "-",
                                 "+",
                                 "--all",
                                 "foo",
                                 "foo:bar.jp",
                                 "a.",
                                 "a:",
                                 "a/",
                                 "a//",
                                 "a/33",
                                 "a//129",
                                 "a/024",
                                 "a//064",
                                 "a/24/64",
                                 "a///64",
                                 "a/-1",
                                 "a/1x",
                                 "a:museum",
                                 "a:museum.",
                                 "a:example.123",
                                 "a:192.0.2.1",
                                 "a:example.com:8080",
                                 "a:example.a_b",
                                 "a:example.-a",
                                 "a:example.a-",
                                 "a:example.com..",
                                 "a:%{d}.",
                                 "a:%{d}com",
                                 "a:%{d",
                                 "a:%",
                                 "a:%x",
                                 "a:%{}",
                                 "a:%{x}",
                                 "a:%{d0}",
                                 "a:%{d00r}",
                                 "a:%{dr2}",
                                 "a:%{d.r}",
                                 "a:%{d:}",
                                 "a:%{1d}",
                                 "a:%(d)",
                                 "a:%{c}",
                                 "exists:%{r}.jp",
                                 "exists:%{t}.jp",
                                 "exp=%{c}",
                                 "a:x\x7f.jp",
                                 "a:x\x80.jp",
                                 "a:x\tb.jp",
                                 "a\t",
                                 "include",
                                 "include:",
                                 "include:x",
                                 "include:example.com/24",
                                 "exists",
                                 "exists:",
                                 "exists:a.jp/24x/",
                                 "ptr/24",
                                 "ptr:",
                                 "ptr:example.com/24",
                                 "ip4",
                                 "ip4:",
                                 "ip4:192.0.2",
                                 "ip4:192.0.2.01",
                                 "ip4:192.0.2.256",
                                 "ip4:192.0.2.1/",
                                 "ip4:192.0.2.1/33",
                                 "ip4:192.0.2.1/032",
                                 "ip4:192.0.2.1//32",
                                 "ip4:192.0.2.1:25",
                                 "ip4:example.com",
                                 "ip4/24",
                                 "ip6",
                                 "ip6:",
                                 "ip6:192.0.2.1",
                                 "ip6:::1/129",
                                 "ip6:::1//64",
                                 "ip6:::1/064",
                                 "ip6:fe80::1%eth0",
                                 "ip6:1::2::3",
                                 "ip6:12345::",
                                 "=x",
                                 "1a=x",
                                 "-a=b",
                                 "redirect=",
                                 "redirect=x",
                                 "redirect=example.com/24",
                                 "redirect:example.com",
                                 "+redirect=a.jp",
                                 "exp=",
                                 "exp=-all",
                                 "exp:e.jp",
                                 "foo=%",
                                 "foo=%{z}",
                                 "foo=\x80",
                                 "foo=a\x01"}) {
    EXPECT_FALSE(parse_record(std::string("v=spf1 ") + term)) << term;
    // Section 4.6: wherever it stands.
    EXPECT_FALSE(parse_record(std::string("v=spf1 all ") + term + " a")) << term;
  }
}

TEST(SpfRecord, KnowsItsModifiersOnce) {
  EXPECT_FALSE(parse_record("v=spf1 redirect=a.jp REDIRECT=b.jp"));
  EXPECT_FALSE(parse_record("v=spf1 exp=a.jp -all exp=a.jp"));
  EXPECT_TRUE(parse_record("v=spf1 foo=1 foo=1"));
}

TEST(SpfRecord, SaysWhichTermIsWrongInPrintableText) {
  EXPECT_THAT(parse_record("v=spf1 mx a:\x1b[1m.jp -all").error().detail,
              HasSubstr("\"a:?[1m.jp\""));
  EXPECT_FALSE(parse_record("v=spf1 " + std::string(1 << 20, ' ')));
}

}  // namespace
}  // namespace todoku::mailauth::spf
