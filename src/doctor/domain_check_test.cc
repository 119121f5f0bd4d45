// SPDX-License-Identifier: Apache-2.0
// A right zone, and each way to break it, which has its own code.
#include "doctor/domain_check.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/printable.h"
#include "doctor/domain_test_world.h"
#include "doctor/domain_texts.h"

namespace todoku::doctor {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(DomainCheck, ARightZoneIsGreen) {
  const auto findings = TestedDomain().check();
  EXPECT_THAT(codes_not_passed(findings), IsEmpty());
  EXPECT_THAT(codes_of(findings),
              ::testing::ElementsAre("servers_agree", "dkim_ok", "spf_ok", "spf_ok", "from_host_ok",
                                     "return_path_ok", "dmarc_ok", "mta_sts_ok", "tls_rpt_ok"));
  EXPECT_EQ(exit_status(findings), 0);
}

struct BrokenWay {
  std::string_view code;  // the only finding that is not passed
  std::function<void(TestedDomain&)> make;
};

// "v=spf1 ip4:... include:i0.example.com ... -all", whose includes are there.
std::string including(TestedDomain& w, int count, const std::string& first = {}) {
  std::string text = "v=spf1" + first;
  for (int i = 0; i < count; ++i) {
    const std::string name = "i" + std::to_string(i) + ".example.com";
    w.beyond.txt(name) = {"v=spf1 -all"};
    text += " include:" + name;
  }
  return text + " -all";
}

constexpr const char* kKeyOf768Bits =
    "v=DKIM1; k=rsa; "
    "p=MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhAMVHcQ5MuLxgVthbq7/Rw+183CWY2+mt3zcRZDcN7vqrCpM1IhzLotm0Hoc9"
    "nepXsxKQ9HfbM7EcIb6D4IiaX21uFKePpz/uJsKHVAFFib02dUgGTqzAqjWphBEHCj+p3QIDAQAB";
constexpr const char* kKeyOf1024Bits =
    "v=DKIM1; k=rsa; "
    "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDThC4xcwYl3pWO7aSdETJS4TrJPLeommU+PS/UmWczVS3XbFdp4kV7"
    "OYKhrECetHjUQ3QiYbgym+ONLwvZ116snqMbmBZxZsGfCdtRegf+q4Ien3Hy9R/"
    "p0NFC7kwtgulYV9mzeCWJ3BorqS5+I8x0"
    "0VQt0QFGCud+bw1LEaI+KwIDAQAB";

std::vector<BrokenWay> breaks_of_keys() {
  const auto key = [](std::vector<std::string> texts) {
    return [texts](TestedDomain& w) { w.each([&](TestedZone& z) { z.txt(kKeyName) = texts; }); };
  };
  const auto any_key = [](std::string text) {
    return [text](TestedDomain& w) {
      w.wish.keys[0].record.clear();
      w.each([&](TestedZone& z) { z.txt(kKeyName) = {text}; });
    };
  };
  const auto moved = [](const std::string& to) {
    return [to](TestedDomain& w) {
      w.each([&](TestedZone& z) {
        z.txt(to) = z.txt(kKeyName);
        z.txt(kKeyName).clear();
      });
    };
  };
  const std::string& text = key_text();
  return {
      {"dkim_no_keys", [](TestedDomain& w) { w.wish.keys.clear(); }},
      {"dkim_missing", key({})},
      {"dkim_doubled", moved(kKeyName + ".example.jp")},
      {"dkim_underscore_lost", moved("r1.domainkey.example.jp")},
      {"dkim_alias_broken",
       [](TestedDomain& w) {
         w.each([](TestedZone& z) { z.aliases[kKeyName] = "r1.dkim.example.com"; });
       }},
      {"dkim_quoted", key({"\"" + text + "\""})},
      {"dkim_quoted", key({"v=DKIM1\\; k=rsa\\; p=MIIB"})},
      {"dkim_split", key({text.substr(200), text.substr(0, 200)})},
      {"dkim_cut", key({text.substr(0, 255)})},
      {"dkim_other_key",
       key({"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="})},
      {"dkim_revoked", key({"v=DKIM1; k=rsa; p="})},
      {"dkim_unreadable", key({"hello"})},
      {"dkim_several",
       key({text, "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="})},
      {"dkim_several", key({text, "v=DKIM1; k=rsa; p=????"})},
      {"dkim_unreadable", key({"k=rsa; " + text.substr(text.find("p=")) + "; v=DKIM1"})},
      {"dkim_unreadable", key({"v=DKIM; k=rsa; " + text.substr(text.find("p="))})},
      {"dkim_unreadable", key({"v=DKIM1; k=ed25519; " + text.substr(text.find("p="))})},
      {"dkim_unreadable", key({"v=DKIM1 k=rsa; " + text.substr(text.find("p="))})},
      {"dkim_testing", key({"v=DKIM1; t=y; " + text.substr(text.find("k="))})},
      {"dkim_restricted", key({"v=DKIM1; h=sha1; " + text.substr(text.find("k="))})},
      {"dkim_restricted", key({"v=DKIM1; s=tlsrpt; " + text.substr(text.find("k="))})},
      {"dkim_size_refused", any_key(kKeyOf768Bits)},
      {"dkim_short", any_key(kKeyOf1024Bits)},
      {"dkim_undetermined",
       [](TestedDomain& w) { w.broken.insert({.type = FactType::txt, .name = kKeyName}); }},
      {"negative_cached",
       [](TestedDomain& w) { w.denied.insert({.type = FactType::txt, .name = kKeyName}); }},
      {"lookup_undetermined",
       [](TestedDomain& w) { w.bogus.insert({.type = FactType::txt, .name = kKeyName}); }},
  };
}

std::vector<BrokenWay> breaks_of_spf() {
  const auto path = [](std::vector<std::string> texts) {
    return [texts](TestedDomain& w) { w.each([&](TestedZone& z) { z.txt(kPath) = texts; }); };
  };
  return {
      {"spf_missing", path({})},
      {"spf_from_missing",
       [](TestedDomain& w) {
         w.each([](TestedZone& z) { z.txt("example.jp") = {"something else"}; });
       }},
      {"spf_doubled",
       [](TestedDomain& w) {
         w.each([](TestedZone& z) {
           z.txt(kPath + ".example.jp") = z.txt(kPath);
           z.txt(kPath).clear();
         });
       }},
      {"spf_quoted", path({"\"v=spf1 ip4:192.0.2.0/24 -all\""})},
      {"spf_several", path({"v=spf1 ip4:192.0.2.1 -all", "v=spf1 ip4:192.0.2.2 -all"})},
      {"spf_unreadable", path({"v=spf1 ipv4:192.0.2.0/24 -all"})},
      {"spf_lookups",
       [](TestedDomain& w) {
         const std::string text = including(w, 11);
         w.each([&](TestedZone& z) { z.txt(kPath) = {text}; });
       }},
      {"spf_lookups",
       [](TestedDomain& w) {
         w.wish.platform.addresses.clear();
         const std::string text = including(w, 11);
         w.each([&](TestedZone& z) { z.txt(kPath) = {text}; });
       }},
      {"spf_near_limit",
       [](TestedDomain& w) {
         const std::string text = including(w, 10, " ip4:192.0.2.0/24");
         w.each([&](TestedZone& z) { z.txt(kPath) = {text}; });
       }},
      {"spf_permerror_beyond",
       [](TestedDomain& w) {
         const std::string text = including(w, 11, " ip4:192.0.2.0/24");
         w.each([&](TestedZone& z) { z.txt(kPath) = {text}; });
       }},
      {"spf_permerror_beyond", path({"v=spf1 ip4:192.0.2.0/24 include:nowhere.example.com -all"})},
      {"spf_permerror",
       [path](TestedDomain& w) {
         w.wish.platform.addresses.clear();
         path({"v=spf1 include:nowhere.example.com -all"})(w);
       }},
      {"spf_undetermined",
       [path](TestedDomain& w) {
         w.wish.platform.addresses.clear();
         w.bogus.insert({.type = FactType::txt, .name = "slow.example.com"});
         path({"v=spf1 include:slow.example.com -all"})(w);
       }},
      {"spf_permerror", path({"v=spf1 include:nowhere.example.com -all"})},
      {"spf_source_missing", path({"v=spf1 ip4:192.0.2.1 -all"})},
      {"spf_permerror", path({"v=spf1 include:" + kPath + " -all"})},
      {"spf_permerror_beyond", path({"v=spf1 ip4:192.0.2.0/24 include:" + kPath + " -all"})},
      {"spf_allows_all", path({"v=spf1 +all"})},
      {"spf_allows_all", path({"v=spf1 ip4:0.0.0.0/0 -all"})},
      {"spf_allows_all", path({"v=spf1 ip4:192.0.2.0/24 ip4:128.0.0.0/1 -all"})},
      {"spf_allows_all", path({"v=spf1 ip4:192.0.2.0/24 ip4:64.0.0.0/7 -all"})},
      {"spf_allows_all", path({"v=spf1 ip4:192.0.2.0/24 ip6:2000::/3 -all"})},
      {"spf_allows_all", path({"v=spf1 ip4:192.0.2.0/24 mx/0 -all"})},
      {"spf_allows_all",
       [path](TestedDomain& w) {
         w.beyond.txt("all.example.com") = {"v=spf1 ip4:0.0.0.0/0"};
         path({"v=spf1 ip4:192.0.2.0/24 include:all.example.com -all"})(w);
       }},
      {"spf_undetermined",
       [](TestedDomain& w) { w.broken.insert({.type = FactType::txt, .name = kPath}); }},
      {"sources_unknown", [](TestedDomain& w) { w.wish.platform.unknown_sources = {"tokyo-1"}; }},
      {"spf_not_aligned",
       [](TestedDomain& w) {
         w.wish.platform.return_path = "bounce.example.com";
         w.beyond.txt("bounce.example.com") = {"v=spf1 ip4:192.0.2.0/24 -all"};
         w.beyond.mx("bounce.example.com") = {"mail.example.com"};
       }},
  };
}

std::vector<BrokenWay> breaks_of_the_rest() {
  const auto dmarc = [](std::vector<std::string> texts) {
    return [texts](TestedDomain& w) {
      w.each([&](TestedZone& z) { z.txt("_dmarc.example.jp") = texts; });
    };
  };
  const auto moved = [](const std::string& to) {
    return [to](TestedDomain& w) {
      w.each([&](TestedZone& z) {
        z.txt(to) = z.txt("_dmarc.example.jp");
        z.txt("_dmarc.example.jp").clear();
      });
    };
  };
  const auto tls_rpt = [](std::vector<std::string> texts) {
    return [texts](TestedDomain& w) {
      w.each([&](TestedZone& z) { z.txt("_smtp._tls.example.jp") = texts; });
    };
  };
  return {
      {"mx_is_address",
       [](TestedDomain& w) { w.each([](TestedZone& z) { z.mx("example.jp") = {"192.0.2.10"}; }); }},
      {"from_no_host",
       [](TestedDomain& w) { w.each([](TestedZone& z) { z.mx("example.jp").clear(); }); }},
      {"from_null_mx",
       [](TestedDomain& w) { w.each([](TestedZone& z) { z.mx("example.jp") = {""}; }); }},
      {"from_host_undetermined",
       [](TestedDomain& w) {
         for (const FactType type : {FactType::mx, FactType::a, FactType::aaaa}) {
           w.broken.insert({.type = type, .name = "example.jp"});
         }
       }},
      {"mx_no_address",
       [](TestedDomain& w) { w.each([](TestedZone& z) { z.a("mx.example.jp").clear(); }); }},
      {"mx_no_address", [](TestedDomain& w) { w.beyond.a("mail.example.com").clear(); }},
      {"mx_undetermined",
       [](TestedDomain& w) {
         w.broken.insert({.type = FactType::aaaa, .name = "mx.example.jp"});
         w.each([](TestedZone& z) { z.a("mx.example.jp").clear(); });
       }},
      {"return_path_no_host",
       [](TestedDomain& w) { w.each([](TestedZone& z) { z.mx(kPath).clear(); }); }},
      {"return_path_no_mx",
       [](TestedDomain& w) {
         w.each([](TestedZone& z) {
           z.mx(kPath).clear();
           z.a(kPath) = {octets_of_v4("198.51.100.7")};
         });
       }},
      {"return_path_undetermined",
       [](TestedDomain& w) { w.broken.insert({.type = FactType::mx, .name = kPath}); }},
      {"dmarc_missing", dmarc({})},
      {"dmarc_doubled", moved("_dmarc.example.jp.example.jp")},
      {"dmarc_underscore_lost", moved("dmarc.example.jp")},
      {"dmarc_quoted", dmarc({"\"v=DMARC1; p=none\""})},
      {"dmarc_several", dmarc({"v=DMARC1; p=none", "v=DMARC1; p=reject"})},
      {"dmarc_unreadable", dmarc({"p=none; v=DMARC1"})},
      {"dmarc_no_policy", dmarc({"v=DMARC1; p=nothing"})},
      {"dmarc_broken_policy",
       dmarc({"v=DMARC1; p=reject; sp=rejekt; rua=mailto:dmarc@example.com"})},
      {"dmarc_broken_policy",
       dmarc({"v=DMARC1; p=reject; np=rejekt; rua=mailto:dmarc@example.com"})},
      {"dmarc_applied_otherwise", dmarc({"v=DMARC1; p=reject; t=y; rua=mailto:dmarc@example.com"})},
      {"dmarc_applied_otherwise",
       dmarc({"v=DMARC1; p=reject; pct=0; rua=mailto:dmarc@example.com"})},
      {"dmarc_passed_over", dmarc({"v=DMARC1; p=none; adkim=x; rua=mailto:dmarc@example.com"})},
      {"dmarc_no_reports", dmarc({"v=DMARC1; p=reject"})},
      {"dmarc_reports_no_scheme", dmarc({"v=DMARC1; p=reject; rua=dmarc@example.com"})},
      {"dmarc_report_unauthorised",
       dmarc({"v=DMARC1; p=none; rua=mailto:dmarc@reports.example.net"})},
      {"dmarc_strict_spf", dmarc({"v=DMARC1; p=none; aspf=s; rua=mailto:dmarc@example.com"})},
      {"dmarc_undetermined",
       [](TestedDomain& w) {
         w.broken.insert({.type = FactType::txt, .name = "_dmarc.example.jp"});
       }},
      {"mta_sts_missing",
       [](TestedDomain& w) {
         w.each([](TestedZone& z) { z.txt("_mta-sts.example.jp").clear(); });
       }},
      {"mta_sts_broken",
       [](TestedDomain& w) {
         w.each([](TestedZone& z) { z.txt("_mta-sts.example.jp") = {"v=STSv1;"}; });
       }},
      {"mta_sts_broken",
       [](TestedDomain& w) {
         w.each([](TestedZone& z) { z.txt("_mta-sts.example.jp") = {"v=STSv1; id=2026-11-30"}; });
       }},
      {"tls_rpt_missing",
       [](TestedDomain& w) {
         w.each([](TestedZone& z) { z.txt("_smtp._tls.example.jp").clear(); });
       }},
      {"tls_rpt_broken", tls_rpt({"v=TLSRPTv1;"})},
      {"tls_rpt_broken", tls_rpt({"v=TLSRPTv2; rua=mailto:tls@example.jp"})},
      {"tls_rpt_broken", tls_rpt({"v=TLSRPTv1; rua=tls@example.jp"})},
      {"tls_rpt_broken", tls_rpt({"v=TLSRPTv1; rua=mailto:tls@example.jp,tls@example.com"})},
      {"tls_rpt_broken", tls_rpt({"v=TLSRPTv1 rua=mailto:tls@example.jp"})},
      {"tls_rpt_broken",
       tls_rpt({"v=TLSRPTv1; rua=mailto:a@example.jp", "v=TLSRPTv1; rua=mailto:b@example.jp"})},
      {"tls_rpt_missing", tls_rpt({"something else"})},
      {"server_silent", [](TestedDomain& w) { w.silent = {1}; }},
      {"servers_silent", [](TestedDomain& w) { w.silent = {0, 1}; }},
      {"server_lame", [](TestedDomain& w) { w.lame = {1}; }},
      {"server_without_address", [](TestedDomain& w) { w.without_address = {"ns9.example.net"}; }},
      {"server_stale",
       [](TestedDomain& w) {
         w.servers[1].serial = 6;
         w.servers[1].txt(kKeyName).clear();
       }},
      {"servers_differ", [](TestedDomain& w) { w.servers[1].txt(kKeyName) = {"v=DKIM1; p="}; }},
  };
}

const std::string kSlotName = "td1ra._domainkey.example.jp";
const std::string kSlotAlias = "td1ra.example.jp.dkim.example.com";

// Whose keys change by themselves: one that signs, and a place for the next one.
void lead_away(TestedDomain& w) {
  w.wish.keys = {{.selector = "td1ra", .record = key_text(), .alias = kSlotAlias},
                 {.selector = "td1rb",
                  .record = {},
                  .alias = "td1rb.example.jp.dkim.example.com",
                  .is_idle = true}};
  w.each([](TestedZone& z) {
    z.txt(kKeyName).clear();
    z.aliases[kSlotName] = kSlotAlias;
    z.aliases["td1rb._domainkey.example.jp"] = "td1rb.example.jp.dkim.example.com";
  });
  w.beyond.txt(kSlotAlias) = {key_text()};
}

std::vector<BrokenWay> breaks_of_aliases() {
  const auto broken = [](const std::function<void(TestedZone&)>& change) {
    return [change](TestedDomain& w) {
      lead_away(w);
      w.each(change);
    };
  };
  const auto with_text = [broken](const std::string& text) {
    return broken([text](TestedZone& z) {
      z.aliases.erase(kSlotName);
      z.txt(kSlotName) = {text};
    });
  };
  const auto beyond = [](std::vector<std::string> texts) {
    return [texts](TestedDomain& w) {
      lead_away(w);
      w.beyond.txt(kSlotAlias) = texts;
    };
  };
  const std::string other = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
  return {
      {"dkim_cname_missing", broken([](TestedZone& z) { z.aliases.erase(kSlotName); })},
      {"dkim_cname_missing",
       broken([](TestedZone& z) { z.aliases.erase("td1rb._domainkey.example.jp"); })},
      {"dkim_cname_elsewhere",
       broken([](TestedZone& z) { z.aliases[kSlotName] = kSlotAlias + ".example.jp"; })},
      {"dkim_doubled", broken([](TestedZone& z) {
         z.aliases[kSlotName + ".example.jp"] = kSlotAlias;
         z.aliases.erase(kSlotName);
       })},
      {"dkim_underscore_lost", broken([](TestedZone& z) {
         z.aliases["td1ra.domainkey.example.jp"] = kSlotAlias;
         z.aliases.erase(kSlotName);
       })},
      {"dkim_cname_dangling", beyond({})},
      {"dkim_cname_other_key", beyond({other})},
      {"dkim_revoked",
       [beyond](TestedDomain& w) {
         const std::string gone = "v=DKIM1; k=rsa; p=";
         beyond({gone})(w);
         w.wish.keys[0].record = gone;
       }},
      {"dkim_cname_flattened", with_text(key_text())},
      {"dkim_cname_copied", with_text(other)},
  };
}

TEST(DomainCheck, KeysThatChangeByThemselvesAreGreen) {
  TestedDomain world;
  lead_away(world);
  const auto findings = world.check();
  EXPECT_THAT(codes_not_passed(findings), IsEmpty());
  EXPECT_THAT(codes_of(findings), Contains("dkim_cname_ok"));
  EXPECT_THAT(codes_of(findings), Contains("dkim_ok"));
}

std::vector<BrokenWay> all_breaks() {
  std::vector<BrokenWay> all = breaks_of_keys();
  for (auto& part : {breaks_of_aliases(), breaks_of_spf(), breaks_of_the_rest()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

TEST(DomainCheck, EachFaultHasItsOwnWord) {
  for (const BrokenWay& broken : all_breaks()) {
    SCOPED_TRACE(broken.code);
    TestedDomain world;
    broken.make(world);
    const auto findings = world.check();
    EXPECT_THAT(codes_not_passed(findings), ::testing::ElementsAre(broken.code));
    for (const Finding& finding : findings) {
      if (finding.code != broken.code) continue;
      EXPECT_EQ(finding.outcome == Outcome::pass || finding.outcome == Outcome::not_determined,
                finding.why.en.empty());
      EXPECT_TRUE(finding.paste.empty() || finding.paste.ends_with('\n'));
    }
  }
}

TEST(DomainCheck, WhyServersSayNothingIsSaidInBothLanguages) {
  const auto sentence = [](std::string_view code, const TestedDomain& world) {
    for (Finding& finding : world.check()) {
      if (finding.code == code) return finding.sentence;
    }
    return BilingualText();
  };
  TestedDomain silent;
  silent.silent = {0, 1};
  EXPECT_TRUE(sentence("servers_silent", silent).en.contains("it does not answer"));
  EXPECT_TRUE(sentence("servers_silent", silent).ja.contains("応答がありません"));
  TestedDomain lame;
  lame.lame = {1};
  EXPECT_TRUE(sentence("server_lame", lame).ja.contains("REFUSED を返します"));
  TestedDomain broken;
  broken.broken.insert({.type = FactType::txt, .name = kKeyName});
  EXPECT_TRUE(sentence("dkim_undetermined", broken).en.contains("it does not answer"));
  EXPECT_TRUE(sentence("dkim_undetermined", broken).ja.contains("応答がありません"));
}

TEST(DomainCheck, AllCodesAreReached) {
  std::set<std::string_view> reached;
  for (const Finding& finding : TestedDomain().check()) reached.insert(finding.code);
  for (const BrokenWay& broken : all_breaks()) reached.insert(broken.code);
  // Found before there is a zone to judge.
  for (const std::string_view other :
       {"zone_not_found", "zone_undetermined", "servers_left_out", "dkim_cname_ok"}) {
    reached.insert(other);
  }
  for (const DomainText& text : domain_texts()) {
    EXPECT_THAT(reached, Contains(text.code));
  }
}

TEST(DomainCheck, EveryCodeHasItsWordsInBothLanguages) {
  std::set<std::string_view> codes;
  for (const DomainText& text : domain_texts()) {
    SCOPED_TRACE(text.code);
    EXPECT_TRUE(codes.insert(text.code).second) << "twice";
    EXPECT_FALSE(text.sentence.en.empty());
    EXPECT_FALSE(text.sentence.ja.empty());
    EXPECT_EQ(text.why.en.empty(), text.why.ja.empty());
    EXPECT_EQ(text.advice.en.empty(), text.advice.ja.empty());
    const bool is_bad = text.outcome == Outcome::fail || text.outcome == Outcome::warning;
    EXPECT_EQ(is_bad, !text.why.en.empty());
    for (const std::string_view fact : {"{0}", "{1}", "{2}"}) {
      EXPECT_EQ(text.sentence.en.find(fact) == std::string_view::npos,
                text.sentence.ja.find(fact) == std::string_view::npos)
          << fact;
    }
  }
}

TEST(DomainCheck, EveryCodeIsDocumentedInBothLanguages) {
  for (const std::string page : {"docs/domains.md", "docs/domains.ja.md"}) {
    std::ifstream file(std::string(TODOKU_SOURCE_DIR) + "/" + page);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (const DomainText& known : domain_texts()) {
      EXPECT_THAT(text, HasSubstr("`" + std::string(known.code) + "`")) << page;
    }
  }
}

TEST(DomainCheck, TheLineToPasteMendsTheZone) {
  TestedDomain world;
  world.each([](TestedZone& z) { z.txt("example.jp") = {"v=spf1 include:other.example ~all"}; });
  world.beyond.txt("other.example") = {"v=spf1 -all"};
  const auto findings = world.check();
  const auto found = std::ranges::find(findings, "spf_source_missing", &Finding::code);
  ASSERT_NE(found, findings.end());
  EXPECT_EQ(found->expected, "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 include:other.example ~all");
  EXPECT_THAT(found->paste, HasSubstr(found->expected));
  world.each([&](TestedZone& z) { z.txt("example.jp") = {found->expected}; });
  EXPECT_THAT(codes_not_passed(world.check()), IsEmpty());
}

TEST(DomainCheck, TheLineForABrokenSpfRecordKeepsWhatCanBeRead) {
  TestedDomain world;
  world.beyond.txt("_spf.example.com") = {"v=spf1 ip4:198.51.100.0/24 -all"};
  const auto paste_of = [&](std::string_view code, const std::string& there) {
    world.each([&](TestedZone& z) { z.txt("example.jp") = {"something \"else\"", there}; });
    const auto findings = world.check();
    const auto found = std::ranges::find(findings, code, &Finding::code);
    return found == findings.end() ? std::string("no such finding") : found->expected;
  };
  EXPECT_EQ(paste_of("spf_quoted", R"("v=spf1 ip4:192.0.2.0/24 include:_spf.example.com ~all")"),
            "v=spf1 ip4:192.0.2.0/24 include:_spf.example.com ~all");
  EXPECT_EQ(paste_of("spf_unreadable", "v=spf1 ip4:192.0.2.256 include:_spf.example.com ~all"),
            "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 include:_spf.example.com ~all");
}

TEST(DomainCheck, NoLineMakesAnSpfRecordInvalid) {
  TestedDomain world;
  world.wish.platform.spf_include = "spf.example.com";
  world.beyond.txt("spf.example.com") = {"v=spf1 ip4:192.0.2.0/24 -all"};
  const auto missing_with = [&](int includes) {
    const std::string text = including(world, includes);
    world.each([&](TestedZone& z) { z.txt("example.jp") = {text}; });
    for (Finding& finding : world.check()) {
      if (finding.code == "spf_source_missing") return finding;
    }
    return Finding{};
  };
  const auto wanted = [&] {
    const auto records = wanted_records(world.wish, world.now());
    return *std::ranges::find_if(*records, [](const WantedRecord& record) {
      return record.name == "example.jp" && record.type == "TXT";
    });
  };
  const Finding with_room = missing_with(9);
  EXPECT_THAT(with_room.paste, HasSubstr("include:spf.example.com"));
  EXPECT_TRUE(wanted().problem.en.empty());
  // Ten are there, and are valid: one more makes all of them count for nothing.
  const Finding without = missing_with(10);
  EXPECT_EQ(without.code, "spf_source_missing");
  EXPECT_THAT(without.paste, IsEmpty());
  EXPECT_THAT(without.advice.en, HasSubstr("more than 10 terms that ask the DNS"));
  EXPECT_THAT(without.advice.ja, HasSubstr("無効になります"));
  EXPECT_THAT(wanted().problem.en, HasSubstr("more than 10 terms that ask the DNS"));
  EXPECT_THAT(wanted().problem.ja, HasSubstr("無効になります"));
}

TEST(DomainCheck, ALoopOfSpfIsNamedAlsoBeforeOneAddsToIt) {
  for (const std::string first : {"", "ip4:192.0.2.1 ip4:192.0.2.2 "}) {
    TestedDomain world;
    world.each([&](TestedZone& z) {
      z.txt("example.jp") = {"v=spf1 " + first + "include:other.example exists:%{i}.example ~all"};
    });
    world.beyond.txt("other.example") = {"v=spf1 redirect=example.jp"};
    const auto findings = world.check();
    const auto found = std::ranges::find_if(
        findings, [](const Finding& each) { return each.code.starts_with("spf_permerror"); });
    ASSERT_NE(found, findings.end());
    EXPECT_THAT(found->sentence.en,
                HasSubstr("example.jp -> other.example -> example.jp is a loop"));
    EXPECT_THAT(found->sentence.ja, HasSubstr("循環しています"));
    const auto records = wanted_records(world.wish, world.now());
    const auto record = std::ranges::find_if(*records, [](const WantedRecord& each) {
      return each.name == "example.jp" && each.type == "TXT";
    });
    EXPECT_EQ(record->is_there, !first.empty());
    const auto& said = record->is_there ? record->warnings.at(0) : record->problem;
    EXPECT_THAT(said.en, HasSubstr("is a loop"));
    EXPECT_THAT(said.ja, HasSubstr("循環しています"));
  }
}

TEST(DomainCheck, WhatAMacroMakesOfNobodyIsNoFault) {
  TestedDomain world;
  world.wish.platform.addresses.clear();
  world.each([](TestedZone& z) { z.txt(kPath) = {"v=spf1 include:%{i}.example.com -all"}; });
  EXPECT_THAT(codes_not_passed(world.check()), IsEmpty());
}

TEST(DomainCheck, TheLineForAnMxThatLeadsNowhereIsOurHosts) {
  TestedDomain world;
  world.wish.platform.mail_host = "mail.example.jp";
  world.each([](TestedZone& z) { z.mx(kPath) = {"mail.example.jp"}; });
  const auto findings = world.check();
  const auto found = std::ranges::find(findings, "mx_no_address", &Finding::code);
  ASSERT_NE(found, findings.end());
  EXPECT_EQ(found->subject, kPath);
  EXPECT_EQ(found->paste, "mail.example.jp. IN A 192.0.2.1\n");
  world.each([](TestedZone& z) { z.a("mail.example.jp") = {octets_of_v4("192.0.2.1")}; });
  EXPECT_THAT(codes_not_passed(world.check()), IsEmpty());
}

TEST(DomainCheck, TheLineForABrokenPolicyKeepsWhereReportsGo) {
  TestedDomain world;
  world.wish.report_address.clear();
  const auto paste_of = [&](std::string_view code) {
    const auto findings = world.check();
    const auto found = std::ranges::find(findings, code, &Finding::code);
    return found == findings.end() ? std::string("no such finding") : found->paste;
  };
  world.each([](TestedZone& z) {
    z.txt("_dmarc.example.jp") = {"p=none; v=DMARC1; rua=mailto:a@example.jp"};
  });
  EXPECT_THAT(paste_of("dmarc_unreadable"), HasSubstr("p=none; rua=mailto:a@example.jp"));
  world.each([](TestedZone& z) {
    z.txt("_dmarc.example.jp").clear();
    z.txt("_dmarc.example.jp.example.jp") = {"v=DMARC1; p=reject; rua=mailto:a@example.jp"};
  });
  EXPECT_THAT(paste_of("dmarc_doubled"), HasSubstr("p=reject; rua=mailto:a@example.jp"));
}

TEST(DomainCheck, TheLineOfAPolicyNamesWhereReportsGo) {
  TestedDomain world;
  const auto found = [&](std::string_view code, std::vector<std::string> texts) {
    world.each([&](TestedZone& z) { z.txt("_dmarc.example.jp") = texts; });
    const auto findings = world.check();
    const auto it = std::ranges::find(findings, code, &Finding::code);
    return it == findings.end() ? Finding() : *it;
  };
  const Finding bare =
      found("dmarc_reports_no_scheme", {"v=DMARC1; p=reject; rua= dmarc@example.com ; fo=1"});
  EXPECT_EQ(bare.expected, "v=DMARC1; p=reject; rua= mailto:dmarc@example.com ; fo=1");
  EXPECT_THAT(bare.sentence.en, HasSubstr("(dmarc@example.com)"));
  EXPECT_THAT(codes_of(world.check()), Not(Contains("dmarc_no_reports")));
  EXPECT_EQ(found("dmarc_no_reports", {"v=DMARC1; p=reject; rua="}).outcome, Outcome::warning);
  const Finding several = found("dmarc_several", {"v=DMARC1; p=reject", "v=DMARC1; p=none"});
  EXPECT_EQ(several.expected, "v=DMARC1; p=reject; rua=mailto:dmarc@example.com");
}

TEST(DomainCheck, WhereReportsGoIsInAnyCase) {
  TestedDomain world;
  const auto with = [&](const std::string& uri) {
    world.each(
        [&](TestedZone& z) { z.txt("_dmarc.example.jp") = {"v=DMARC1; p=none; rua=" + uri}; });
    return world.check();
  };
  EXPECT_THAT(codes_not_passed(with("mailto:dmarc@Example.COM")), IsEmpty());
  EXPECT_THAT(codes_not_passed(with("mailto:dmarc@EXAMPLE.JP")), IsEmpty());
  const auto findings = with("MAILTO:dmarc@Reports.Example.NET");
  EXPECT_THAT(codes_not_passed(findings), ::testing::ElementsAre("dmarc_report_unauthorised"));
  const auto found = std::ranges::find(findings, "dmarc_report_unauthorised", &Finding::code);
  ASSERT_NE(found, findings.end());
  EXPECT_THAT(found->paste, HasSubstr("example.jp._report._dmarc.reports.example.net. IN TXT"));
}

TEST(DomainCheck, WhatTlsReportsLackIsSaidInBothLanguagesWithALine) {
  TestedDomain world;
  world.wish.report_address.clear();
  world.each(
      [](TestedZone& z) { z.txt("_smtp._tls.example.jp") = {"v=TLSRPTv1; rua=tls@example.jp"}; });
  const auto findings = world.check();
  const auto found = std::ranges::find(findings, "tls_rpt_broken", &Finding::code);
  ASSERT_NE(found, findings.end());
  EXPECT_THAT(found->sentence.en, HasSubstr("begins with neither mailto: nor https:"));
  EXPECT_THAT(found->sentence.ja, HasSubstr("mailto: でも https: でも始まっていません"));
  EXPECT_THAT(found->paste, HasSubstr("v=TLSRPTv1; rua=mailto:postmaster@example.jp"));
  world.each([](TestedZone& z) {
    z.txt("_smtp._tls.example.jp") = {
        "v=TLSRPTv1;rua = MAILTO:tls@example.jp , https://a.example/;"};
  });
  EXPECT_THAT(codes_not_passed(world.check()), IsEmpty());
}

TEST(DomainCheck, ABrokenResolverFailsNothing) {
  TestedDomain world;
  world.resolver_is_broken = true;
  // The zone's own servers are not asked through it; that receivers can is not known, said once.
  EXPECT_THAT(codes_not_passed(world.check()),
              ::testing::ElementsAre("lookup_undetermined", "mx_undetermined"));
  EXPECT_EQ(exit_status(world.check()), 2);
  world.each([](TestedZone& z) { z.txt(kPath) = {"v=spf1 include:spf.example.com -all"}; });
  const auto findings = world.check();
  EXPECT_THAT(codes_not_passed(findings),
              ::testing::ElementsAre("lookup_undetermined", "spf_undetermined", "mx_undetermined"));
  EXPECT_EQ(exit_status(findings), 2);
}

TEST(DomainCheck, ForeignTextIsBoundedAndPrintable) {
  TestedDomain world;
  world.each([](TestedZone& z) {
    z.txt(kKeyName) = {"\x1b[2J" + std::string(60'000, 'x'), std::string(60'000, '\n')};
  });
  for (const Finding& finding : world.check()) {
    for (const std::string_view text :
         {std::string_view(finding.found), std::string_view(finding.sentence.en)}) {
      EXPECT_LT(text.size(), 1'000U);
      EXPECT_EQ(printable(text), text);
    }
  }
}

TEST(DomainCheck, ReasonsAreSaidInBothLanguages) {
  const auto sentence = [](std::string_view code, const std::string& name,
                           const std::string& text) {
    TestedDomain world;
    world.each([&](TestedZone& z) { z.txt(name) = {text}; });
    const auto findings = world.check();
    const auto found = std::ranges::find(findings, code, &Finding::code);
    return found == findings.end() ? BilingualText() : found->sentence;
  };
  const auto spf = sentence("spf_unreadable", kPath, "v=spf1 ip4:192.0.2.256 -all");
  EXPECT_THAT(spf.en, HasSubstr("holds no IPv4 address"));
  EXPECT_THAT(spf.ja, HasSubstr("IPv4 アドレスではありません"));
  const auto key = sentence("dkim_unreadable", kKeyName, "v=DKIM; p=AAAA");
  EXPECT_THAT(key.en, HasSubstr("v= is not DKIM1"));
  EXPECT_THAT(key.ja, HasSubstr("v= が DKIM1 でない"));
}

TEST(DomainCheck, AWildcardIsNoDoubledName) {
  TestedDomain world;
  world.each([](TestedZone& z) {
    z.txt(kKeyName).clear();
    for (const char* name : {"r1._domainkey.example.jp.example.jp", "r1.domainkey.example.jp"}) {
      z.txt(name) = {"v=spf1 -all"};
    }
  });
  EXPECT_THAT(codes_not_passed(world.check()), ::testing::ElementsAre("dkim_missing"));
  TestedDomain path;
  path.each([](TestedZone& z) {
    z.txt(kPath).clear();
    z.txt(kPath + ".example.jp") = {"v=spf1 -all"};
  });
  EXPECT_THAT(codes_not_passed(path.check()), ::testing::ElementsAre("spf_missing"));
  TestedDomain policy;
  policy.each([](TestedZone& z) {
    z.txt("_dmarc.example.jp").clear();
    z.txt("_dmarc.example.jp.example.jp") = {"v=spf1 -all"};
  });
  EXPECT_THAT(codes_not_passed(policy.check()), ::testing::ElementsAre("dmarc_missing"));
  TestedDomain alias;
  lead_away(alias);
  alias.each([](TestedZone& z) {
    z.aliases.erase(kSlotName);
    z.aliases[kSlotName + ".example.jp"] = "parking.example.com";
  });
  EXPECT_THAT(codes_not_passed(alias.check()), ::testing::ElementsAre("dkim_cname_missing"));
}

TEST(DomainCheck, TheMajorityOfServersIsJudgedAndTheOddOneNamed) {
  TestedDomain world;
  world.servers.push_back(world.servers.front());
  world.servers[2].txt("_dmarc.example.jp") = {};
  const auto findings = world.check();
  ASSERT_THAT(codes_not_passed(findings), ::testing::ElementsAre("servers_differ"));
  EXPECT_EQ(findings.front().subject, "ns3.example.net");
  EXPECT_THAT(findings.front().sentence.en, HasSubstr("_dmarc.example.jp TXT"));
}

TEST(DomainCheck, ARecordAboveApplies) {
  TestedDomain world;
  world.wish.domain = "news.example.jp";
  world.wish.platform.return_path = "bounce.news.example.jp";
  world.wish.keys.clear();
  const auto findings = world.check();
  const auto policy = std::ranges::find(findings, "dmarc_ok", &Finding::code);
  ASSERT_NE(policy, findings.end());
  EXPECT_THAT(policy->sentence.en, HasSubstr("the record at example.jp"));
}

TEST(DomainCheck, ThePolicyIsWhatReceiversApply) {
  TestedDomain world;
  const auto said = [&](const std::string& record, std::string_view code) {
    world.each([&](TestedZone& z) { z.txt("_dmarc.example.jp") = {record}; });
    const auto findings = world.check();
    const auto found = std::ranges::find(findings, code, &Finding::code);
    return found == findings.end() ? std::string("no such finding") : found->sentence.en;
  };
  const std::string reports = "; rua=mailto:dmarc@example.com";
  EXPECT_THAT(said("v=DMARC1; p=reject" + reports, "dmarc_ok"), HasSubstr("p=reject"));
  EXPECT_THAT(said("v=DMARC1; p=reject; sp=rejekt" + reports, "dmarc_broken_policy"),
              HasSubstr("apply none to"));
  EXPECT_THAT(said("v=DMARC1; p=reject; t=y" + reports, "dmarc_applied_otherwise"),
              HasSubstr("apply quarantine (RFC 9989), reject (RFC 7489)"));
  EXPECT_THAT(said("v=DMARC1; p=reject; pct=0" + reports, "dmarc_applied_otherwise"),
              HasSubstr("apply reject (RFC 9989), quarantine (RFC 7489)"));
  world.wish.domain = "news.example.jp";
  world.wish.platform.return_path = "bounce.news.example.jp";
  EXPECT_THAT(said("v=DMARC1; p=reject; sp=none" + reports, "dmarc_ok"), HasSubstr("p=none"));
  EXPECT_THAT(said("v=DMARC1; p=reject; sp=rejekt" + reports, "dmarc_broken_policy"),
              HasSubstr("apply none to"));
}

}  // namespace
}  // namespace todoku::doctor
