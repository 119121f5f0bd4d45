// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/site_rules.h"

#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/policy/site_keys.h"

namespace todoku::delivery::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result<SiteRules> parse(std::vector<std::string> texts) {
  std::vector<SiteRules::Layer> layers;
  for (std::string& text : texts) {
    layers.push_back({.name = "layer" + std::to_string(layers.size() + 1) + ".toml",
                      .text = std::move(text),
                      .table = ""});
  }
  return SiteRules::parse(layers);
}

std::string error_of(std::string text) {
  const auto rules = parse({std::move(text)});
  return rules ? "no error" : rules.error().detail;
}

std::string_view site_name(const SiteRules& rules, std::string_view domain,
                           std::vector<std::string_view> hosts) {
  const Site* site = rules.find(domain, hosts);
  return site == nullptr ? "-" : std::string_view(site->name);
}

TEST(SiteRules, WithoutRulesEverySiteHasTheDefaults) {
  const SiteRules rules;
  EXPECT_EQ(rules.limits("mx.example.jp"), SiteLimits{});
  EXPECT_EQ(site_name(rules, "example.jp", {"mx.example.jp"}), "-");
}

TEST(SiteRules, ASiteInheritsTheDefaultsOfTheFile) {
  const auto rules = parse({R"(
[defaults]
connections_max = 7
port = 2525
[one]
domains = ["one.example"]
messages_per_second = 2.5
)"});
  ASSERT_TRUE(rules) << rules.error().detail;
  EXPECT_EQ(rules->limits("one").connections_max, 7U);
  EXPECT_EQ(rules->limits("one").port, 2525);
  EXPECT_DOUBLE_EQ(rules->limits("one").messages_per_second, 2.5);
  EXPECT_EQ(rules->limits("mx.other.example").port, 2525);
}

TEST(SiteRules, ReadsEveryKey) {
  const auto rules = parse({R"(
[one]
provider = "One"
mx_suffixes = [".Mail.One.Example", "例え.jp"]
domains = ["one.example", "*.one.example"]
connections_max = 1
messages_per_connection = 2
messages_per_second = 3
idle_seconds = 0
tls = "required"
pipelining = false
chunking = false
port = 26
retry_seconds = [60, 600]
)"});
  ASSERT_TRUE(rules) << rules.error().detail;
  const Site& site = rules->sites().at("one");
  EXPECT_EQ(site.provider, "One");
  EXPECT_THAT(site.mx_suffixes, ElementsAre("mail.one.example", "xn--r8jz45g.jp"));
  EXPECT_THAT(site.domains, ElementsAre("one.example", "*.one.example"));
  const SiteLimits expected{.connections_max = 1,
                            .messages_per_connection = 2,
                            .messages_per_second = 3,
                            .idle = std::chrono::seconds(0),
                            .tls = TlsPolicy::required,
                            .pipelining = false,
                            .chunking = false,
                            .port = 26,
                            .retry_waits = {std::chrono::seconds(60), std::chrono::seconds(600)}};
  EXPECT_EQ(site.limits, expected);
}

TEST(SiteRules, TheLongestSuffixWinsAndLabelsAreWhole) {
  const auto rules = parse({R"(
[wide]
mx_suffixes = ["outlook.example"]
[narrow]
mx_suffixes = ["olc.outlook.example"]
)"});
  ASSERT_TRUE(rules) << rules.error().detail;
  EXPECT_EQ(site_name(*rules, "a.example", {"x.olc.outlook.example"}), "narrow");
  EXPECT_EQ(site_name(*rules, "a.example", {"x.mail.outlook.example"}), "wide");
  EXPECT_EQ(site_name(*rules, "a.example", {"outlook.example"}), "wide");
  EXPECT_EQ(site_name(*rules, "a.example", {"notoutlook.example"}), "-");
}

TEST(SiteRules, ADomainWithHostsOfTwoProvidersBelongsToNeither) {
  const auto rules = parse({R"(
[a]
mx_suffixes = ["a.example"]
[b]
mx_suffixes = ["b.example"]
)"});
  ASSERT_TRUE(rules) << rules.error().detail;
  EXPECT_EQ(site_name(*rules, "x.example", {"mx1.a.example", "mx2.a.example"}), "a");
  EXPECT_EQ(site_name(*rules, "x.example", {"mx1.a.example", "mx.b.example"}), "-");
  EXPECT_EQ(site_name(*rules, "x.example", {"mx1.a.example", "mx.own.example"}), "-");
  EXPECT_EQ(site_name(*rules, "x.example", {}), "-");
}

TEST(SiteRules, ARuleForTheDomainGoesBeforeItsHosts) {
  const auto rules = parse({R"(
[hoster]
mx_suffixes = ["hoster.example"]
[bank]
domains = ["bank.example", "*.bank.example"]
)"});
  ASSERT_TRUE(rules) << rules.error().detail;
  EXPECT_EQ(site_name(*rules, "bank.example", {"mx.hoster.example"}), "bank");
  EXPECT_EQ(site_name(*rules, "a.b.bank.example", {"mx.hoster.example"}), "bank");
  EXPECT_EQ(site_name(*rules, "riverbank.example", {"mx.hoster.example"}), "hoster");
}

TEST(SiteRules, ALaterLayerChangesOnlyWhatItNames) {
  const auto rules = parse({R"(
[defaults]
connections_max = 3
[one]
provider = "One"
domains = ["one.example"]
messages_per_connection = 20
)",
                            R"(
[defaults]
connections_max = 9
[one]
messages_per_second = 1
)"});
  ASSERT_TRUE(rules) << rules.error().detail;
  const Site& site = rules->sites().at("one");
  EXPECT_EQ(site.provider, "One");
  EXPECT_EQ(site.limits.messages_per_connection, 20U);
  EXPECT_DOUBLE_EQ(site.limits.messages_per_second, 1);
  EXPECT_EQ(site.limits.connections_max, 9U);
  EXPECT_EQ(site_name(*rules, "one.example", {}), "one");
}

TEST(SiteRules, ALaterLayerTakesOverAPattern) {
  const auto rules = parse({R"(
[big]
domains = ["part.example", "rest.example"]
)",
                            R"(
[mine]
domains = ["part.example"]
)"});
  ASSERT_TRUE(rules) << rules.error().detail;
  EXPECT_EQ(site_name(*rules, "part.example", {}), "mine");
  EXPECT_EQ(site_name(*rules, "rest.example", {}), "big");
  EXPECT_THAT(rules->sites().at("big").domains, ElementsAre("rest.example"));
}

TEST(SiteRules, ASiteNamedByItsHostsCanHaveLimitsWithoutPatterns) {
  const auto rules = parse({R"(
["(mx1|mx2).example.jp"]
connections_max = 1
)"});
  ASSERT_TRUE(rules) << rules.error().detail;
  EXPECT_EQ(rules->limits("(mx1|mx2).example.jp").connections_max, 1U);
}

TEST(SiteRules, ReadsATableWithinALargerFile) {
  const std::vector<SiteRules::Layer> layers{{.name = "todoku.toml",
                                              .text = R"(
[listen]
port = 8080
[delivery.sites.defaults]
port = 2525
)",
                                              .table = "delivery.sites"},
                                             {.name = "other.toml", .text = "a = 1", .table = "b"}};
  const auto rules = SiteRules::parse(layers);
  ASSERT_TRUE(rules) << rules.error().detail;
  EXPECT_EQ(rules->defaults().port, 2525);
  EXPECT_THAT(rules->sites(), IsEmpty());
}

TEST(SiteRules, NamesTheLineAndTheKeyOfAMistake) {
  EXPECT_EQ(error_of("[one]\ndomains = ['a.example']\n\nconnections_max = 'five'\n"),
            "layer1.toml:4: one.connections_max must be a whole number from 1 to 10000");
  EXPECT_EQ(
      error_of("[one]\ndomains = ['a.example']\nconections_max = 5\n"),
      "layer1.toml:3: one.conections_max is not a key of a site (did you mean connections_max?)");
  EXPECT_EQ(error_of("[defaults]\ndomains = ['a.example']\n"),
            "layer1.toml:2: defaults.domains is not a key of the defaults");
}

TEST(SiteRules, TellsAllMistakesAtOnce) {
  const std::string errors = error_of(R"(
top = 1
["Bad Name"]
[gogle]
connections_max = 5
[one]
domains = ["not a domain", 7]
tls = "maybe"
messages_per_second = -1
idle_seconds = 1.5
port = 65536
retry_seconds = [0]
chunking = "no"
recipients_per_message = 100
)");
  for (const char* expected :
       {":2: \"top\" must be a table", ":3: \"Bad Name\" must be a table",
        ":4: gogle has neither mx_suffixes nor domains",
        ":7: one.domains has \"not a domain\", which is not a domain name",
        ":7: one.domains has a non-text", ":8: one.tls must be \"opportunistic\"",
        ":9: one.messages_per_second must be 0 (no limit)", ":10: one.idle_seconds must be a whole",
        ":11: one.port must be a whole number from 1 to 65535",
        ":12: one.retry_seconds must be a list of 1 to 50",
        ":13: one.chunking must be true or false",
        ":14: one.recipients_per_message does not exist any more: every recipient is sent a "
        "message of its own"}) {
    EXPECT_THAT(errors, HasSubstr(expected));
  }
}

TEST(SiteRules, TheTableSaysOfEachKeyWhatItsValueIs) {
  const auto rules = parse({R"(
[one]
mx_suffixes = ["mx.one.example"]
provider = "One"
tls = "none"
chunking = false
idle_seconds = 7
messages_per_second = 0.5
retry_seconds = [1, 2]
)"});
  ASSERT_TRUE(rules) << rules.error().detail;
  const Site& site = rules->sites().at("one");
  std::map<std::string_view, SiteValue> values;
  for (const SiteKey& key : site_keys()) {
    EXPECT_TRUE(values.emplace(key.name, key.value_in(site)).second) << key.name;
    Site copy;
    key.copy(site, copy);
    EXPECT_EQ(key.value_in(copy), key.value_in(site)) << key.name;
    EXPECT_FALSE(key.english.empty() || key.japanese.empty()) << key.name;
  }
  EXPECT_EQ(values.at("mx_suffixes"), SiteValue(std::vector<std::string>{"mx.one.example"}));
  EXPECT_EQ(values.at("provider"), SiteValue(std::string("One")));
  EXPECT_EQ(values.at("tls"), SiteValue(std::string("none")));
  EXPECT_EQ(values.at("chunking"), SiteValue(false));
  EXPECT_EQ(values.at("pipelining"), SiteValue(true));
  EXPECT_EQ(values.at("idle_seconds"), SiteValue(std::int64_t{7}));
  EXPECT_EQ(values.at("messages_per_second"), SiteValue(0.5));
  EXPECT_EQ(values.at("retry_seconds"), SiteValue(std::vector<std::int64_t>{1, 2}));
}

TEST(TlsPolicy, IsCarriedOutByAPlan) {
  EXPECT_EQ(tls_plan(TlsPolicy::none), (TlsPlan{TlsMode::never, TlsProof::none}));
  EXPECT_EQ(tls_plan(TlsPolicy::opportunistic), (TlsPlan{TlsMode::opportunistic, TlsProof::none}));
  EXPECT_EQ(tls_plan(TlsPolicy::required), (TlsPlan{TlsMode::required, TlsProof::mx_name}));
  const auto next = plan_after_failed_tls(tls_plan(TlsPolicy::opportunistic));
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, tls_plan(TlsPolicy::none));
  EXPECT_FALSE(plan_after_failed_tls(tls_plan(TlsPolicy::required)));
  EXPECT_FALSE(plan_after_failed_tls(*next));
}

TEST(TlsPolicy, HoldsAReceiverToItsTlsaRecords) {
  const TlsPlan proof{TlsMode::required, TlsProof::dane, TlsAsker::dane};
  EXPECT_EQ(tls_plan(TlsPolicy::opportunistic, {.dane = DaneDemand::proof}), proof);
  EXPECT_EQ(tls_plan(TlsPolicy::required, {.dane = DaneDemand::proof}), proof);
  EXPECT_FALSE(plan_after_failed_tls(proof)) << "never in clear text";
  const TlsPlan encryption{TlsMode::required, TlsProof::none, TlsAsker::dane};
  EXPECT_EQ(tls_plan(TlsPolicy::opportunistic, {.dane = DaneDemand::encryption}), encryption);
  EXPECT_FALSE(plan_after_failed_tls(encryption));
  EXPECT_EQ(tls_plan(TlsPolicy::required, {.dane = DaneDemand::encryption}),
            tls_plan(TlsPolicy::required))
      << "the rule asks for more";
  for (const DaneDemand dane : {DaneDemand::proof, DaneDemand::encryption}) {
    EXPECT_EQ(tls_plan(TlsPolicy::none, {.dane = dane}), tls_plan(TlsPolicy::none))
        << "the operator's word";
    EXPECT_TRUE(may_connect(TlsPolicy::opportunistic, dane));
  }
  // DANE goes over MTA-STS (RFC 8461 section 2), but for records that prove nothing.
  EXPECT_EQ(tls_plan(TlsPolicy::opportunistic, {.dane = DaneDemand::proof, .mta_sts = true}),
            proof);
  EXPECT_EQ(tls_plan(TlsPolicy::opportunistic, {.dane = DaneDemand::encryption, .mta_sts = true}),
            tls_plan(TlsPolicy::opportunistic, {.mta_sts = true}));
  EXPECT_FALSE(may_connect(TlsPolicy::opportunistic, DaneDemand::not_answered));
  EXPECT_FALSE(may_connect(TlsPolicy::required, DaneDemand::not_answered));
  EXPECT_TRUE(may_connect(TlsPolicy::none, DaneDemand::not_answered));
}

TEST(SiteRules, OnePatternCannotBelongToTwoSitesOfOneLayer) {
  EXPECT_THAT(error_of("[a]\nmx_suffixes = ['x.example']\n[b]\nmx_suffixes = ['X.example']\n"),
              HasSubstr(":4: b names \"x.example\", which a has named before"));
}

TEST(SiteRules, ABrokenFileIsToldByItsLine) {
  EXPECT_THAT(error_of("[a]\nport = = 3\n"), HasSubstr("layer1.toml:2: "));
}

TEST(SiteRules, TheShippedRulesAreValidAndKnowTheLargeReceivers) {
  std::ifstream file(std::string(TODOKU_SOURCE_DIR) + "/rules/sites.toml");
  ASSERT_TRUE(file);
  std::ostringstream text;
  text << file.rdbuf();
  const auto rules = parse({text.str()});
  ASSERT_TRUE(rules) << rules.error().detail;
  EXPECT_EQ(site_name(*rules, "gmail.com", {"gmail-smtp-in.l.google.com"}), "google");
  EXPECT_EQ(site_name(*rules, "example.jp", {"aspmx.l.google.com", "alt1.aspmx.l.google.com"}),
            "google");
  EXPECT_EQ(site_name(*rules, "hotmail.com", {"hotmail-com.olc.protection.outlook.com"}),
            "outlook");
  EXPECT_EQ(site_name(*rules, "example.jp", {"example-jp.mail.protection.outlook.com"}),
            "microsoft365");
  EXPECT_EQ(site_name(*rules, "docomo.ne.jp", {"mx.docomo.ne.jp"}), "docomo");
  EXPECT_EQ(rules->limits("google").connections_max, 5U);
  EXPECT_EQ(rules->defaults().port, 25);
}

}  // namespace
}  // namespace todoku::delivery::policy
