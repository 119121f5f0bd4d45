// SPDX-License-Identifier: Apache-2.0
#include "mailauth/spf/macro.h"

#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mailauth/spf/test_zone.h"

namespace todoku::mailauth::spf {
namespace {

std::string fixed(char letter) {
  switch (letter) {
    case 's':
      return "strong-bad@email.example.com";
    case 'l':
      return "strong-bad";
    case 'o':
    case 'd':
      return "email.example.com";
    case 'i':
      return "192.0.2.3";
    case 'v':
      return "in-addr";
    default:
      return std::string("<") + letter + ">";
  }
}

TEST(SpfMacro, ExpandsTheExamplesOfSection74) {
  const std::pair<const char*, const char*> cases[] = {
      {"%{s}", "strong-bad@email.example.com"},
      {"%{o}", "email.example.com"},
      {"%{d}", "email.example.com"},
      {"%{d4}", "email.example.com"},
      {"%{d3}", "email.example.com"},
      {"%{d2}", "example.com"},
      {"%{d1}", "com"},
      {"%{dr}", "com.example.email"},
      {"%{d2r}", "example.email"},
      {"%{l}", "strong-bad"},
      {"%{l-}", "strong.bad"},
      {"%{lr}", "strong-bad"},
      {"%{lr-}", "bad.strong"},
      {"%{l1r-}", "strong"},
      {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
      {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
      {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
      {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
      {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
      {"a%%b%_c%-d", "a%b c%20d"},
      {"%{S}", "strong-bad%40email.example.com"},
      {"x.%{d}.example.", "x.email.example.com.example"},
  };
  for (const auto& [spec, name] : cases) EXPECT_EQ(expand_domain(spec, fixed), name) << spec;
}

TEST(SpfMacro, KeepsEmptyParts) {
  const auto value = [](char) { return std::string(".a..b."); };
  EXPECT_EQ(expand_domain("%{lr}", value), ".b..a");  // and the final dot is none of the name's
  EXPECT_EQ(expand_domain("%{l2}", value), "b");
  EXPECT_EQ(expand_domain("%{l9}", value), ".a..b");
  EXPECT_EQ(expand_domain("%{l-+}", [](char) { return std::string("a-+b.c"); }), "a..b.c");
}

TEST(SpfMacro, CutsNamesAtTheLeftByWholeLabels) {
  const std::string label(49, 'x');
  const auto value = [&label](char) { return label + "." + label + "." + label; };
  const std::string cut = expand_domain("first.%{l}.%{l}.jp", value);
  EXPECT_EQ(cut.size(), 252U);
  EXPECT_TRUE(cut.starts_with("x"));
  EXPECT_EQ(expand_domain("%{l}", [](char) { return std::string(300, 'x'); }), "");
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += "%{l}.";
  EXPECT_EQ(expand_domain(many + "jp", value), cut);
}

TEST(SpfMacro, AnExplanationIsPrintableAndShort) {
  EXPECT_EQ(expand_explanation("%{i} is not one of %{d}'s, 100%%.", fixed),
            "192.0.2.3 is not one of email.example.com's, 100%.");
  EXPECT_FALSE(expand_explanation("%{l}", [](char) { return std::string("a\r\nb"); }));
  EXPECT_FALSE(expand_explanation("%{l}", [](char) { return std::string(5'000, 'x'); }));
  EXPECT_TRUE(check_macro_string("See %{c} %{r} %{t}", MacroPlace::explanation));
  EXPECT_FALSE(check_macro_string("See", MacroPlace::explanation).has_value() &&
               check_macro_string("a b", MacroPlace::modifier).has_value());
}

TEST(SpfMacro, KnowsAddressesAndTheTime) {
  TestZone zone;
  zone.txt("example.jp", "v=spf1 exp=e.%{d} -all");
  zone.txt("e.example.jp", "%{c}|%{i}|%{ir}|%{v}|%{r}|%{t}|%{h}|%{p}|%{S}");
  EXPECT_EQ(zone.check_host(query("2001:db8::cb01")).explanation,
            "2001:db8::cb01|2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.b.0.1|"
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2|ip6|mx.example.com|"
            "1767225600|mail.example.jp|unknown|taro%40example.jp");
  EXPECT_EQ(zone.check_host(query("::ffff:192.0.2.3")).explanation,
            "192.0.2.3|192.0.2.3|3.2.0.192|in-addr|mx.example.com|1767225600|mail.example.jp|"
            "unknown|taro%40example.jp");
}

TEST(SpfMacro, TheNameOfAnAddressIsTheDomainItselfOrBelowItOrAny) {
  const auto name = [](const std::vector<std::string>& pointers) {
    TestZone zone;
    zone.txt("example.jp", "v=spf1 exp=e.example.jp -all").txt("e.example.jp", "%{p}");
    for (const std::string& pointer : pointers) zone.ptr("192.0.2.3", pointer);
    zone.a("other.example", "192.0.2.3").a("a.example.jp", "192.0.2.3");
    zone.a("example.jp", "192.0.2.3").a("liar.example.jp", "192.0.2.4");
    zone.fails(FactType::a, "lame.example.jp");
    return zone.check_host(query("192.0.2.3")).explanation;
  };
  EXPECT_EQ(name({"liar.example.jp", "other.example", "a.example.jp", "example.jp"}), "example.jp");
  EXPECT_EQ(name({"lame.example.jp", "other.example", "a.example.jp"}), "a.example.jp");
  EXPECT_EQ(name({"liar.example.jp", "other.example"}), "other.example");
  EXPECT_EQ(name({"liar.example.jp"}), "unknown");
}

}  // namespace
}  // namespace todoku::mailauth::spf
