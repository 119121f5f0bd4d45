// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include <array>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/site_rules.h"
#include "config/smarthost_url.h"
#include "config/table.h"
#include "delivery/policy/site_keys.h"

namespace todoku::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

ConfigResult read(std::string_view toml, const Environment& environment = {}) {
  return read_config(toml, "todoku.toml", "/etc/todoku", environment);
}

// The only problem of the text, as the operator sees it.
std::string problem(std::string_view toml, const Environment& environment = {}) {
  const auto result = read(toml, environment);
  if (result) return "(no problem)";
  if (result.error().problems.size() != 1) return "(several problems)";
  return result.error().problems[0].to_string();
}

TEST(Config, HasUsableDefaultsWithoutAFile) {
  const auto result = read("");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->config.api.listen, "127.0.0.1:8025");
  EXPECT_EQ(result->config.limits.to_max, 50);
  EXPECT_EQ(result->config.limits.import_bytes_max, 268'435'456);
  EXPECT_EQ(result->config.delivery.unrecorded_max, 256);
  EXPECT_TRUE(result->origins.empty());
}

TEST(Config, EveryDefaultPassesItsOwnCheck) {
  for (const ConfigSection& section : config_sections()) {
    for (const ConfigKey& key : section.keys) {
      if (section.repeated && key.required) continue;
      EXPECT_EQ(problem_with(key, key.fallback), "") << key.full_name();
    }
  }
}

TEST(Config, EveryKeyIsExplainedInBothLanguages) {
  for (const ConfigSection& section : config_sections()) {
    for (const ConfigKey& key : section.keys) {
      EXPECT_FALSE(key.explanation.en.empty()) << key.full_name();
      EXPECT_FALSE(key.explanation.ja.empty()) << key.full_name();
    }
  }
}

TEST(Config, TakesEveryTypeOfValue) {
  const auto result = read(R"(
[api]
listen = "[::1]:0"
[limits]
to_max = 60
[smtp_out]
allow_private_receivers = true
own_names = ["mx.example.jp", "メール.example.jp"]
[delivery]
bulk_expiry_hours = 5
bulk_retry_seconds = [1, 2]
[[egress]]
name = "tokyo-1"
bind_ipv4 = "192.0.2.1"
[[egress]]
name = "tokyo-2"
ipv6 = true
)");
  ASSERT_TRUE(result) << result.error().problems[0].to_string();
  const Config& config = result->config;
  EXPECT_EQ(config.api.listen, "[::1]:0");
  EXPECT_EQ(config.limits.to_max, 60);
  EXPECT_TRUE(config.smtp_out.allow_private_receivers);
  EXPECT_EQ(config.smtp_out.own_names.size(), 2U);
  EXPECT_EQ(config.delivery.bulk_expiry_hours, 5.0);
  EXPECT_THAT(config.delivery.bulk_retry_seconds, ElementsAre(1, 2));
  ASSERT_EQ(config.egress.size(), 2U);
  EXPECT_EQ(config.egress[0].bind_ipv4, "192.0.2.1");
  EXPECT_TRUE(config.egress[0].ipv4) << "the default of a repeated section";
  EXPECT_TRUE(config.egress[1].ipv6);
}

TEST(Config, TellsWhereAValueCameFrom) {
  const auto result = read("[api]\nlisten = \"127.0.0.1:1\"\n[limits]\nto_max = 5\n",
                           {{"TODOKU_LIMITS__TO_MAX", "7"}});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->config.limits.to_max, 7);
  EXPECT_EQ(result->origins.at("api.listen"), "todoku.toml:2");
  EXPECT_EQ(result->origins.at("limits.to_max"), "TODOKU_LIMITS__TO_MAX");
}

TEST(Config, TakesRelativePathsFromTheFoldersOfTheFile) {
  const auto result = read("[data]\ndirectory = \"../srv\"\n[rules]\nfile = \"/opt/rules.toml\"\n");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->config.data.directory, "/etc/srv");
  EXPECT_EQ(result->config.rules.file, "/opt/rules.toml");
  EXPECT_EQ(result->config.secrets.master_key_file, "/etc/todoku/master.key");
  EXPECT_EQ(result->config.admin.socket, "") << "an empty path stays empty";
}

TEST(Config, TakesListsFromVariables) {
  const auto result = read("", {{"TODOKU_SMTP_OUT__OWN_NAMES", "a.example.jp, b.example.jp"},
                                {"TODOKU_DELIVERY__BULK_RETRY_SECONDS", "5,10"}});
  ASSERT_TRUE(result);
  EXPECT_THAT(result->config.smtp_out.own_names, ElementsAre("a.example.jp", "b.example.jp"));
  EXPECT_THAT(result->config.delivery.bulk_retry_seconds, ElementsAre(5, 10));
}

TEST(Config, TakesRepeatedSectionsFromVariables) {
  const auto result =
      read("[[egress]]\nname = \"old\"\n[[egress]]\nname = \"older\"\nipv6 = true\n",
           {{"TODOKU_EGRESS", R"([{name = "a", bind_ipv4 = "192.0.2.1"}])"},
            {"TODOKU_SMTP_IN__LISTENER", R"([{address = "127.0.0.1:2525"}])"}});
  ASSERT_TRUE(result);
  ASSERT_EQ(result->config.egress.size(), 1U) << "in the place of what the file says";
  EXPECT_EQ(result->config.egress[0].name, "a");
  EXPECT_FALSE(result->config.egress[0].ipv6);
  EXPECT_EQ(result->origins.at("egress.name"), "TODOKU_EGRESS");
  ASSERT_EQ(result->config.smtp_in_configured.size(), 1U);
  EXPECT_EQ(read("[[egress]]\nname = \"old\"\n", {{"TODOKU_EGRESS", "[]"}})->config.egress.size(),
            0U);
}

TEST(ConfigProblems, OfRepeatedSectionsInVariables) {
  EXPECT_EQ(problem("", {{"TODOKU_EGRESS", R"([{ipv6 = true}])"}}),
            "TODOKU_EGRESS: egress.name is empty, but must be a name of letters, digits, - and _");
  EXPECT_EQ(problem("", {{"TODOKU_EGRESS", R"([{name = "a", bind_ipv4 = "x"}])"}}),
            "TODOKU_EGRESS: egress.bind_ipv4 is \"x\", but must be an IP address");
  EXPECT_EQ(problem("", {{"TODOKU_EGRESS", R"({name = "a"})"}}),
            "TODOKU_EGRESS: egress must be a list of sections, each written as [[egress]]");
  for (const char* text : {"a,b", "[\n", "[]\nother = 1", "[]\n[api]\nlisten = \"x\"", "\xFF"}) {
    EXPECT_THAT(problem("", {{"TODOKU_EGRESS", text}}),
                HasSubstr("TODOKU_EGRESS: egress must be a list of sections as TOML writes it"));
  }
}

TEST(Config, IgnoresVariablesThatAreNoKeys) {
  const auto result = read("", {{"TODOKU_CONFIG", "x"},
                                {"TODOKU_API_KEY", "k"},
                                {"TODOKU_PROFILE_FILE", "p"},
                                {"TODOKU_SUBMISSION_SOCKET", "/run/s"},
                                {"TODOKU_SUBMISSION_SECONDS", "2"},
                                {"TODOKU_HOME", "y"}});
  ASSERT_TRUE(result);
  ASSERT_EQ(result->warnings.size(), 1U);
  EXPECT_EQ(result->warnings[0].to_string(),
            "TODOKU_HOME: todoku knows no such variable: it changes nothing");
}

TEST(ConfigProblems, NameTheNearestKey) {
  EXPECT_EQ(
      problem("[api]\nlisten = \"127.0.0.1:1\"\nconections_max = 5\n"),
      "todoku.toml:3: there is no key api.conections_max (did you mean api.connections_max?)");
  EXPECT_EQ(problem("[api]\nto_max = 5\n"),
            "todoku.toml:2: there is no key api.to_max (did you mean limits.to_max?)");
  EXPECT_EQ(problem("[apii]\n"), "todoku.toml:1: there is no section apii (did you mean api?)");
  EXPECT_EQ(problem("to_max = 1\n"),
            "todoku.toml:1: there is no key to_max (did you mean limits.to_max?)");
  EXPECT_EQ(problem("", {{"TODOKU_API__LISTENS", "x"}}),
            "TODOKU_API__LISTENS: there is no such key (did you mean TODOKU_API__LISTEN?)");
  // As others write them: no mistake that may pass unnoticed.
  for (const char* name : {"TODOKU_API_LISTEN", "TODOKU_APILISTEN", "TODOKU_Api__Listen"}) {
    EXPECT_EQ(problem("", {{name, "x"}}),
              fmt::format("{}: there is no such key (did you mean TODOKU_API__LISTEN?)", name));
  }
  EXPECT_EQ(problem("", {{"TODOKU_CONFIGS", "x"}}),
            "TODOKU_CONFIGS: there is no such key (did you mean TODOKU_CONFIG?)");
  EXPECT_EQ(problem("", {{"TODOKU_MASTERKEY", "x"}}),
            "TODOKU_MASTERKEY: there is no such key (did you mean TODOKU_MASTER_KEY?)");
  EXPECT_EQ(problem("[entirely_unlike]\n"), "todoku.toml:1: there is no section entirely_unlike");
}

TEST(ConfigProblems, NameTypeAndValue) {
  EXPECT_EQ(
      problem("[limits]\nto_max = \"all\"\n"),
      "todoku.toml:2: limits.to_max must be a whole number from 1 to 10000 (recipients), but is "
      "the text \"all\"");
  EXPECT_EQ(problem("[delivery]\nbulk_retry_seconds = 60\n"),
            "todoku.toml:2: delivery.bulk_retry_seconds must be a list of whole numbers from 1 to "
            "86400 (seconds), but is the number 60");
  EXPECT_EQ(problem("[api]\nlisten = 8025\n"),
            "todoku.toml:2: api.listen must be an IP address and a port, such as 127.0.0.1:8025 or "
            "[::1]:8025, but is the number 8025");
  EXPECT_EQ(problem("[api]\ntrusted_proxies = [\"192.0.2.0/33\"]\n"),
            "todoku.toml:2: api.trusted_proxies is \"192.0.2.0/33\", but must be a network such as "
            "192.0.2.0/24 or 2001:db8::/32, or an IP address");
  EXPECT_EQ(problem("", {{"TODOKU_RULES__FILE", "rules\xFF.toml"}}),
            "TODOKU_RULES__FILE: rules.file must be UTF-8");
  EXPECT_EQ(problem("", {{"TODOKU_LIMITS__TO_MAX", "many"}}),
            "TODOKU_LIMITS__TO_MAX: limits.to_max must be a whole number from 1 to 10000 "
            "(recipients), but is \"many\"");
  EXPECT_EQ(problem("api = 5\n"), "todoku.toml:1: api must be a section, written as [api]");
  EXPECT_EQ(problem("[egress]\nname = \"a\"\n"),
            "todoku.toml:1: egress must be a list of sections, each written as [[egress]]");
}

TEST(ConfigProblems, NameValueAndLimit) {
  EXPECT_EQ(problem("[engine]\nthreads = 257\n"),
            "todoku.toml:2: engine.threads is 257, but must be from 0 to 256");
  EXPECT_EQ(problem("[delivery]\nbulk_retry_seconds = [60, 0]\n"),
            "todoku.toml:2: delivery.bulk_retry_seconds is 0, but must be from 1 to 86400 "
            "(seconds)");
  EXPECT_EQ(problem("[delivery]\nbulk_expiry_hours = nan\n"),
            "todoku.toml:2: delivery.bulk_expiry_hours is nan, but must be from 0.001 to 240 "
            "(hours)");
  EXPECT_EQ(problem("[log]\nlevel = \"loud\"\n"),
            "todoku.toml:2: log.level is \"loud\", but must be one of debug, info, warning, error");
  EXPECT_EQ(problem("[dns]\ncheck_names = [\"com.\", \"a b\"]\n"),
            "todoku.toml:2: dns.check_names is \"a b\", but must be a domain name or .");
  EXPECT_TRUE(read("[dns]\ncheck_names = [\".\", \"jp\", \"example.jp.\"]\n"));
  EXPECT_EQ(problem("[dns]\nservers = [\"localhost\"]\n"),
            "todoku.toml:2: dns.servers is \"localhost\", but must be an IP address, with or "
            "without a port");
  EXPECT_EQ(problem("[data]\ndirectory = \"\"\n"),
            "todoku.toml:2: data.directory is empty, but must be a path");
  EXPECT_EQ(problem("[[egress]]\nipv6 = true\n"),
            "todoku.toml:1: egress.name is empty, but must be a name of letters, digits, - and _");
}

TEST(ConfigProblems, AreAllReportedAtOnce) {
  const auto result =
      read("[api]\nlisten = 1\n[limits]\nto_max = 0\n[nonsense]\n", {{"TODOKU_LOG__LEVEL", "x"}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().problems.size(), 4U);
}

TEST(Config, AWarmUpHasADateAndVolumesThatGrow) {
  const std::string source = "[[egress]]\nname = \"a\"\nwarm_up_from = ";
  const auto result = read(source + "\"2026-12-01\"\n");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->config.egress.front().warm_up_volumes.front(), 200);
  EXPECT_THAT(problem(source + "\"1 December\"\n"), HasSubstr("must be a date such as"));
  EXPECT_THAT(problem(source + "\"2026-12-01\"\nwarm_up_volumes = [100, 50]\n"),
              HasSubstr("warm_up_volumes go down"));
  EXPECT_THAT(problem(source + "\"2026-12-01\"\nwarm_up_volumes = [0]\n"),
              HasSubstr("egress.warm_up_volumes"));
  EXPECT_THAT(problem(source + "\"2026-12-01\"\nwarm_up_site_percent = 0\n"),
              HasSubstr("egress.warm_up_site_percent"));
}

TEST(Config, PoolsHaveSourcesAndRulesThatChooseThem) {
  const std::string two = "[[egress]]\nname = \"a\"\n[[egress]]\nname = \"b\"\n";
  const std::string news = "[[pool]]\nname = \"news\"\nsources = [\"a\"]\n";
  const std::string rule = "[[pool_rule]]\npool = \"news\"\n";
  const auto result = read(two + news + rule + "account = \"shop\"\ntraffic = \"bulk\"\n");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->config.pools.front().sources, std::vector<std::string>{"a"});
  EXPECT_EQ(result->config.pool_rules.front().purpose, "any");
  EXPECT_THAT(problem(two + "[[pool]]\nname = \"news\"\n" + rule), HasSubstr("pool.sources"));
  EXPECT_THAT(problem(two + news), HasSubstr("pool \"news\": no pool_rule chooses it"));
  EXPECT_THAT(problem(two + "[[pool]]\nname = \"news\"\nsources = [\"c\"]\n" + rule),
              HasSubstr("there is no egress \"c\""));
  EXPECT_THAT(problem(two + "[[pool_rule]]\npool = \"news\"\n"),
              HasSubstr("pool_rule 1: there is no pool \"news\""));
  EXPECT_THAT(problem(two + news + rule + rule), HasSubstr("pool_rule 2: a rule before it"));
  EXPECT_THAT(problem(two + news + rule + "from_domain = \"a..b\"\n"), HasSubstr("from_domain"));
  EXPECT_THAT(problem("[[egress]]\nname = \"a\"\n" + news + rule + "account = \"shop\"\n"),
              HasSubstr("every egress is in a pool"));
}

std::vector<std::string> warnings(const std::string& toml) {
  std::vector<std::string> told;
  const auto result = read(toml);
  if (!result) return {"(a problem) " + result.error().problems[0].to_string()};
  for (const ConfigProblem& warning : result->warnings) told.push_back(warning.to_string());
  return told;
}

TEST(ConfigWarnings, TellPoolRulesThatAreNeverAsked) {
  const std::string pools =
      "[[egress]]\nname = \"a\"\n[[egress]]\nname = \"b\"\n"
      "[[pool]]\nname = \"news\"\nsources = [\"a\"]\n";
  const auto rule = [](std::string_view conditions) {
    return fmt::format("[[pool_rule]]\npool = \"news\"\n{}\n", conditions);
  };
  const std::string bulk = rule("traffic = \"bulk\"");
  EXPECT_THAT(warnings(pools + bulk + rule("traffic = \"bulk\"\naccount = \"shop\"")),
              ElementsAre(HasSubstr("pool_rule 2: pool_rule 1 before it fits all of its mail")));
  EXPECT_THAT(warnings(pools + rule("from_domain = \"*.Example.jp\"") +
                       rule("from_domain = \"news.example.jp\"") +
                       rule("from_domain = \"*.a.example.jp\"\npurpose = \"notice\"")),
              ElementsAre(HasSubstr("pool_rule 2:"), HasSubstr("pool_rule 3:")));
  EXPECT_THAT(warnings(pools + bulk + rule("traffic = \"transactional\"\naccount = \"shop\"") +
                       rule("account = \"shop\"")),
              ElementsAre(HasSubstr("pool_rule 3: pool_rule 1 and 2 before it fit all")))
      << "both together";
  // Each is asked for something.
  EXPECT_THAT(
      warnings(pools + rule("account = \"shop\"\ntraffic = \"bulk\"") + bulk +
               rule("from_domain = \"*.example.jp\"") + rule("from_domain = \"example.jp\"") +
               rule("purpose = \"notice\"") + rule("account = \"bank\"")),
      ElementsAre());
}

TEST(ConfigWarnings, TellWhereAlarmsLeadNowhere) {
  const auto alarms = [](std::string_view via) {
    return fmt::format(
        "[alarms]\nmail_to = [\"ops@example.com\"]\nmail_from = \"todoku@example.jp\"\n"
        "via = \"smtp://{}\"\n",
        via);
  };
  const std::string relay =
      "[smtp_in]\nenabled = true\nhostname = \"Relay.example.jp\"\n[[smtp_in.listener]]\n"
      "address = \"0.0.0.0:587\"\n[[egress]]\nname = \"a\"\nbind_ipv4 = \"192.0.2.7\"\n";
  for (const char* const own :
       {"127.0.0.1:587", "localhost", "relay.example.jp", "192.0.2.7:587"}) {
    EXPECT_THAT(warnings(relay + alarms(own)),
                ElementsAre(HasSubstr("is the relay of this engine (smtp_in.listener "
                                      "\"0.0.0.0:587\")")))
        << own;
  }
  for (const char* const other : {"127.0.0.1:2525", "smtp.example.com", "192.0.2.8:587"}) {
    EXPECT_THAT(warnings(relay + alarms(other)), ElementsAre()) << other;
  }
  EXPECT_THAT(warnings("[alarms]\nvia = \"smtp://smtp.example.com\"\n"),
              ElementsAre(HasSubstr("alarms.via: mail_to names nobody")));
}

TEST(ConfigProblems, NobodysPasswordGoesInClearTextToTheConsole) {
  const auto console = [](const std::string& keys) { return "[console]\n" + keys; };
  for (const char* const fine :
       {"listen = \"127.0.0.1:2580\"\n", "listen = \"[::1]:2580\"\n",
        "listen = \"0.0.0.0:2580\"\npublic_url = \"https://console.example.jp\"\n",
        "listen = \"127.0.0.1:2580\"\npublic_url = \"http://localhost:2580/\"\n"}) {
    EXPECT_TRUE(read(console(fine))) << fine;
  }
  EXPECT_THAT(problem(console("listen = \"0.0.0.0:2580\"\n")), HasSubstr("must be https"));
  EXPECT_THAT(problem(console("public_url = \"http://console.example.jp\"\n")),
              HasSubstr("clear text"));
  EXPECT_THAT(problem(console("public_url = \"https://example.jp/console\"\n")),
              HasSubstr("its address for itself"));
  EXPECT_THAT(problem(console("mail_account = \"console\"\n")), HasSubstr("need one another"));
  EXPECT_THAT(problem(console("mail_account = \"console\"\nmail_from = \"nobody\"\n")),
              HasSubstr("console.mail_from"));
  EXPECT_THAT(problem(console("tls_private_key_file = \"a.pem\"\n")),
              HasSubstr("need one another"));
}

TEST(ConfigProblems, ConcernKeysThatContradictOneAnother) {
  EXPECT_THAT(problem("[api]\ntls_certificate_file = \"a.pem\"\n"), HasSubstr("need one another"));
  EXPECT_THAT(problem("[engine]\nroles = [\"scheduler\"]\n"), HasSubstr("need one another"));
  EXPECT_THAT(problem("[engine]\nroles = [\"api\", \"courier\"]\n[store]\nkind = \"postgres\"\n"
                      "[store.postgres]\naddress = \"host=db\"\n"),
              HasSubstr("\"embedded\"; several processes need"));
  EXPECT_TRUE(
      read("[engine]\nroles = [\"courier\"]\n[store]\nkind = \"postgres\"\n"
           "[store.postgres]\naddress = \"host=db\"\n[queue]\nkind = \"sqs\"\n"
           "[queue.sqs]\nregion = \"ap-northeast-1\"\n"));
  EXPECT_THAT(problem("[[egress]]\nname = \"a\"\n[[egress]]\nname = \"a\"\n"),
              HasSubstr("used twice"));
  EXPECT_THAT(problem("[[egress]]\nname = \"a\"\nipv4 = false\n"), HasSubstr("both false"));
  EXPECT_THAT(problem("[[egress]]\nname = \"a\"\nbind_ipv4 = \"192.0.2.1\"\n"
                      "[[egress]]\nname = \"b\"\nbind_ipv4 = \"192.0.2.1\"\n"),
              HasSubstr("egress \"b\": egress \"a\" sends from 192.0.2.1 as well"));
  EXPECT_TRUE(
      read("[[egress]]\nname = \"a\"\nbind_ipv6 = \"2001:db8::1\"\n"
           "[[egress]]\nname = \"b\"\nbind_ipv6 = \"2001:db8::1\"\n"))
      << "neither is sent from";
  EXPECT_THAT(problem("[[egress]]\nname = \"a\"\nbind_ipv4 = \"::1\"\n"), HasSubstr("IPv6"));
  EXPECT_THAT(problem("[[egress]]\nname = \"a\"\nec2_public_ipv4 = \"192.0.2.1\"\n"),
              HasSubstr("needs ipv4 and the bind_ipv4"));
  EXPECT_THAT(problem("[[egress]]\nname = \"a\"\nbind_ipv4 = \"10.0.1.5\"\n"
                      "ec2_public_ipv4 = \"2001:db8::1\"\n"),
              HasSubstr("ec2_public_ipv4 is an IPv6 address"));
}

TEST(ConfigProblems, OfChecksOfTheServer) {
  const std::string source = "[[egress]]\nname = \"a\"\n";
  EXPECT_THAT(problem(source + "public_address = \"10.0.0.1\"\n"),
              HasSubstr("egress \"a\": public_address 10.0.0.1 is seen by no receiver"));
  EXPECT_THAT(problem(source + "public_address = \"2001:db8::1\"\n"),
              HasSubstr("public_address needs ipv6"));
  EXPECT_THAT(problem("[doctor]\nport_25_hosts = [\"a b\"]\n"),
              HasSubstr("\"a b\" is neither the name of a host nor an address"));
  EXPECT_THAT(problem("[doctor]\nport_25_hosts = [\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","
                      "\"a\"]\n"),
              HasSubstr("has 9 hosts, but at most 8 are tried"));
  EXPECT_THAT(problem("[[doctor.blocklist]]\nzone = \"bl.example.com\"\n"
                      "[[doctor.blocklist]]\nzone = \"bl.example.com\"\n"),
              HasSubstr("\"bl.example.com\" is there twice"));
  std::string lists;
  for (int i = 0; i < 21; ++i) {
    lists += fmt::format("[[doctor.blocklist]]\nzone = \"bl{}.example.com\"\n", i);
  }
  EXPECT_THAT(problem(lists), HasSubstr("there are 21 sections of doctor.blocklist"));
  const auto right = read(source +
                          "public_address = \"192.0.2.1\"\n"
                          "[doctor]\nport_25_hosts = [\"example.jp\", \"192.0.2.9\", "
                          "\"[2001:db8::9]:2525\"]\n[[doctor.blocklist]]\nzone = \"bl.example\"\n");
  ASSERT_TRUE(right);
  EXPECT_EQ(right->config.doctor.interval_seconds, 900);
  EXPECT_EQ(right->config.doctor_blocklists.at(0).zone, "bl.example");
}

std::vector<std::string> all_problems(std::string_view toml, const Environment& environment = {}) {
  std::vector<std::string> texts;
  const auto result = read(toml, environment);
  if (result) return texts;
  for (const ConfigProblem& each : result.error().problems) texts.push_back(each.to_string());
  return texts;
}

TEST(ConfigProblems, OfSeveralKeysAreToldBesideThoseOfOthers) {
  EXPECT_THAT(all_problems("[api]\nlisten = 1\n[engine]\nroles = [\"scheduler\"]\n"
                           "[[egress]]\nname = \"a\"\nipv4 = false\n"),
              ElementsAre(HasSubstr("api.listen must be"), HasSubstr("need one another"),
                          HasSubstr("both false")));
}

TEST(ConfigProblems, AreToldInTheOrderOfTheFile) {
  EXPECT_THAT(all_problems("[limits]\nto_max = 0\ncc_max = -1\n[api]\nlisten = 1\n[nonsense]\n"
                           "[sites.google]\nport = 0\n[log]\nlevel = \"x\"\n",
                           {{"TODOKU_LIMITS__BCC_MAX", "x"}}),
              ElementsAre(HasSubstr(":2: limits.to_max"), HasSubstr(":3: limits.cc_max"),
                          HasSubstr(":5: api.listen"), HasSubstr(":6: there is no section"),
                          HasSubstr(":8: sites.google.port"), HasSubstr(":10: log.level"),
                          HasSubstr("TODOKU_LIMITS__BCC_MAX: ")));
}

TEST(ConfigProblems, OfSitesAreHiddenByNoOther) {
  constexpr std::string_view kSite = "[sites.d]\ndomains = \"x\"\n";
  // No untrue one follows from it.
  EXPECT_THAT(all_problems(fmt::format("[log]\nlevel = \"x\"\n{}", kSite)),
              ElementsAre(HasSubstr("log.level"),
                          "todoku.toml:4: sites.d.domains must be a list of domain names"));
  EXPECT_THAT(all_problems(fmt::format("[sitez.x]\na = 1\n{}", kSite)),
              ElementsAre("todoku.toml:1: there is no section sitez (did you mean sites?)",
                          "todoku.toml:4: sites.d.domains must be a list of domain names"));
  // What lies under them is not known: perhaps it gives the site its domains.
  EXPECT_THAT(all_problems("[rules]\nfile = 1\n[sites.d]\nport = 25\n"),
              ElementsAre(HasSubstr("rules.file must be")));
  EXPECT_THAT(
      all_problems("[api]\nlisten = 1\n[sites.d]\nport = 25\n[sites.e]\ndomain = [\"x\"]\n"),
      ElementsAre(HasSubstr("api.listen"),
                  HasSubstr(":3: sites.d has neither mx_suffixes nor domains"),
                  HasSubstr(":6: sites.e.domain is not a key of a site (did you mean domains?)")));
}

TEST(ConfigProblems, NameEveryItemOfAList) {
  EXPECT_EQ(
      problem("[dns]\nservers = [\"8.8.8.8:99999\", \"127.0.0.1\", \"dns.example\"]\n"),
      "todoku.toml:2: dns.servers is \"8.8.8.8:99999\" and \"dns.example\", but must be an IP "
      "address, with or without a port");
  EXPECT_EQ(
      problem("[dns]\nservers = [\"\"]\n"),
      "todoku.toml:2: dns.servers is \"\", but must be an IP address, with or without a port");
  EXPECT_EQ(
      problem("[delivery]\nbulk_retry_seconds = [0, 60, 100000]\n"),
      "todoku.toml:2: delivery.bulk_retry_seconds is 0 and 100000, but must be from 1 to 86400 "
      "(seconds)");
  EXPECT_EQ(problem("[delivery]\nbulk_retry_seconds = [60, \"x\", true]\n"),
            "todoku.toml:2: delivery.bulk_retry_seconds must be a list of whole numbers from 1 to "
            "86400 (seconds), but item 2 is the text \"x\", item 3 is true");
  EXPECT_THAT(problem("[delivery]\nbulk_retry_seconds = [0, 0, 0, 0, 0, 0, 0]\n"),
              HasSubstr("is 0 and 0 and 0 and 0 and 0 and 2 more, but"));
}

// RFC 5321 section 4.1.1.1: EHLO takes a Domain, whose letters are those of RFC 1123.
TEST(ConfigProblems, ConcernNamesThatNoHostCanHave) {
  for (const char* key : {"hello_name", "return_path_domain"}) {
    EXPECT_EQ(problem(fmt::format("[smtp_out]\n{} = \"mail_1.example.jp\"\n", key)),
              fmt::format("todoku.toml:2: smtp_out.{} is \"mail_1.example.jp\", but must be a host "
                          "name without underscores",
                          key));
  }
  EXPECT_THAT(problem("[[egress]]\nname = \"a\"\nhello_name = \"a_b.example.jp\"\n"),
              HasSubstr("egress.hello_name is"));
  EXPECT_TRUE(
      read("[smtp_out]\nhello_name = \"mail-1.example.jp\"\nown_names = [\"a_b.example\"]\n"));
}

TEST(ConfigProblems, FollowFromNoKeyThatIsNotKnown) {
  // What was meant to be the other half.
  EXPECT_THAT(all_problems("[api]\ntls_certificate_file = \"a.pem\"\ntls_private_key_file = 1\n"),
              ElementsAre(HasSubstr("tls_private_key_file must be")));
  EXPECT_THAT(all_problems("[api]\ntls_certificate_file = \"a.pem\"\ntls_private_key = \"a\"\n"),
              ElementsAre(HasSubstr("there is no key api.tls_private_key")));
  EXPECT_THAT(all_problems("[apy]\nlisten = 1\n[engine]\nroles = [\"scheduler\"]\n"),
              ElementsAre(HasSubstr("there is no section apy")));
  EXPECT_THAT(all_problems("[engine]\nroles = [\"scheduler\"]\n",
                           {{"TODOKU_ENGINE__ROLE", "api,scheduler,courier"}}),
              ElementsAre(HasSubstr("TODOKU_ENGINE__ROLES")));
  EXPECT_THAT(all_problems("[[egress]]\nname = \"a\"\nipv4 = 1\n[[egress]]\nname = \"a\"\n"),
              ElementsAre(HasSubstr("egress.ipv4 must be")));
}

TEST(ConfigProblems, LeaveWhatIsKnownToBeJudged) {
  const auto result = read("[api]\nlisten = 1\n[data]\ndirectory = \"/srv/todoku\"\n");
  ASSERT_FALSE(result);
  const ConfigMistakes& mistakes = result.error();
  EXPECT_EQ(mistakes.rest.data.directory, "/srv/todoku");
  EXPECT_TRUE(mistakes.unknown.spare({"data.directory", "secrets", "api.public_url"}));
  EXPECT_FALSE(mistakes.unknown.spare({"data.directory", "api.listen"}));
  EXPECT_FALSE(mistakes.unknown.spare({"api"}));
  EXPECT_TRUE(mistakes.unknown.spare({"api.listen_other", "ap"})) << "names, not their beginnings";
}

TEST(ConfigProblems, TellTheLineOfTextThatIsNotToml) {
  EXPECT_THAT(problem("[api]\nlisten = \n"), AllOf(HasSubstr("todoku.toml:2: this is not TOML")));
}

TEST(ConfigProblems, KeepTheMasterKeyOutOfTheFile) {
  EXPECT_EQ(problem("[secrets]\nmaster_key = \"00\"\n"),
            "todoku.toml:2: secrets.master_key does not belong into this file: use the variable "
            "TODOKU_MASTER_KEY");
}

TEST(ConfigProblems, KeepTheMasterKeyOutOfTheData) {
  EXPECT_EQ(problem("[data]\ndirectory = \"/srv/todoku\"\n[secrets]\n"
                    "master_key_file = \"/srv/todoku/keys/../master.key\"\n"),
            "secrets.master_key_file is /srv/todoku/master.key, but must be outside "
            "data.directory, /srv/todoku");
  EXPECT_TRUE(
      read("[data]\ndirectory = \"/srv/todoku/\"\n[secrets]\n"
           "master_key_file = \"/srv/todoku.key\"\n"));
  EXPECT_FALSE(
      read("[data]\ndirectory = \"/srv/todoku/\"\n[secrets]\n"
           "master_key_file = \"/srv/todoku/master.key\"\n"));
}

TEST(ConfigProblems, ConcernAFileThatIsNotThere) {
  const auto result = load_config("/nonexistent/todoku.toml", {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().problems[0].to_string(),
            "/nonexistent/todoku.toml: cannot read it: No such file or directory");
  EXPECT_TRUE(result.error().unread);
  EXPECT_FALSE(read("[api]\nlisten = 1\n").error().unread);
}

TEST(SiteRulesOfTheConfiguration, GoOverTheShippedOnes) {
  auto loaded = read("[sites.defaults]\nport = 2525\n[sites.google]\nconnections_max = 3\n");
  ASSERT_TRUE(loaded);
  const auto rules = load_site_rules(*loaded);
  ASSERT_TRUE(rules) << rules.error().detail;
  EXPECT_EQ(rules->defaults().port, 2525);
  EXPECT_EQ(rules->limits("google").connections_max, 3U);
  EXPECT_EQ(rules->limits("google").port, 2525);
}

TEST(SiteRulesOfTheConfiguration, NameTheLineOfAMistake) {
  auto loaded = read("[sites.google]\nconnections = 3\n");
  ASSERT_TRUE(loaded) << "the sites have their own reader";
  const auto rules = load_site_rules(*loaded);
  ASSERT_FALSE(rules);
  EXPECT_THAT(rules.error().detail, HasSubstr("todoku.toml:2: sites.google.connections"));
}

TEST(SiteRulesOfTheConfiguration, TellMistakesInTheOrderOfTheFile) {
  auto loaded =
      read("[sites.zone]\nport = 0\n[sites.alone]\nport = 25\n[sites.google]\ntls = 1\nport = 0\n");
  ASSERT_TRUE(loaded);
  const auto rules = load_site_rules(*loaded);
  ASSERT_FALSE(rules);
  EXPECT_THAT(rules.error().detail,
              testing::MatchesRegex("todoku.toml:1: sites.zone has neither.*\n"
                                    "todoku.toml:2: sites.zone.port.*\n"
                                    "todoku.toml:3: sites.alone has neither.*\n"
                                    "todoku.toml:6: sites.google.tls.*\n"
                                    "todoku.toml:7: sites.google.port.*"));
}

TEST(SiteRulesOfTheConfiguration, TakeEveryKeyOfTheReference) {
  std::string toml = "[sites.example]\n";
  for (const auto& key : delivery::policy::site_keys()) {
    toml += fmt::format("{} = {}\n", key.name, key.example);
  }
  auto loaded = read(toml);
  ASSERT_TRUE(loaded);
  const auto rules = load_site_rules(*loaded);
  EXPECT_TRUE(rules) << rules.error().detail;
}

TEST(SiteRulesOfTheConfiguration, AreShownSoThatTheyCanBeReadBack) {
  auto loaded = read(
      "[sites.defaults]\nport = 2525\nmessages_per_second = 0.5\n"
      "[sites.example]\ndomains = [\"example.jp\"]\nchunking = false\nretry_seconds = [1, 2]\n");
  ASSERT_TRUE(loaded);
  const auto rules = load_site_rules(*loaded);
  ASSERT_TRUE(rules) << rules.error().detail;
  const std::string shown = show_sites(*rules);
  EXPECT_THAT(shown, HasSubstr("chunking = false\n"));
  const auto again = delivery::policy::SiteRules::parse(
      std::array{delivery::policy::SiteRules::Layer{"shown", shown, "sites"}});
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(show_sites(*again), shown);
  EXPECT_EQ(again->defaults(), rules->defaults());
  EXPECT_EQ(again->limits("example"), rules->limits("example"));
}

TEST(ShownConfig, TellsValuesAndOriginsButNoSecret) {
  const std::string key(64, 'a');
  const auto result = read("[limits]\nto_max = 5\n", {{"TODOKU_MASTER_KEY", key}});
  ASSERT_TRUE(result);
  const std::string shown = show_config(*result);
  EXPECT_THAT(shown, HasSubstr("to_max = 5 "));
  EXPECT_THAT(shown, HasSubstr("# todoku.toml:2\n"));
  EXPECT_THAT(shown, HasSubstr("(set, not shown)"));
  EXPECT_THAT(shown, testing::Not(HasSubstr(key)));
}

TEST(ShownConfig, CanBeReadBack) {
  const auto first = read(
      "[[egress]]\nname = \"a\"\n[delivery]\nbulk_expiry_hours = 0.5\n"
      "[smtp_out]\nown_names = [\"a.example\"]\n");
  ASSERT_TRUE(first);
  const auto second = read(show_config(*first));
  ASSERT_TRUE(second) << second.error().problems[0].to_string();
  for (const ConfigSection& section : config_sections()) {
    for (const ConfigKey& key : section.keys) {
      for (std::size_t i = 0; i < section.size(first->config); ++i) {
        EXPECT_EQ(key.get(first->config, i), key.get(second->config, i)) << key.full_name();
      }
    }
  }
}

TEST(ShownConfig, OfDefaultsIsAFileThatChangesNothing) {
  for (const Language language : {Language::english, Language::japanese}) {
    const auto result = read(show_defaults(language));
    ASSERT_TRUE(result) << result.error().problems[0].to_string();
    EXPECT_EQ(show_config(*result).find("egress"), std::string::npos);
    EXPECT_EQ(result->config.api.listen, default_config().api.listen);
  }
}

TEST(ReadConfig, ASectionMayStandInAnother) {
  const auto loaded = read("[queue]\nkind = \"sqs\"\n[queue.sqs]\nregion = \"ap-northeast-1\"\n",
                           {{"TODOKU_QUEUE__SQS__PREFIX", "mail"}, {"AWS_PROFILE", "other"}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.sqs.region, "ap-northeast-1");
  EXPECT_EQ(loaded->config.sqs.prefix, "mail");
  EXPECT_TRUE(loaded->warnings.empty());
  EXPECT_NE(problem("[queue.sqs]\nregoin = \"x\"\n").find("queue.sqs.region"), std::string::npos);
}

TEST(ReadConfig, CredentialsOfAwsComeOnlyFromTheEnvironment) {
  const auto loaded = read("[queue]\nkind = \"sqs\"\n", {{"AWS_REGION", "eu-west-1"},
                                                         {"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"},
                                                         {"AWS_SECRET_ACCESS_KEY", "hidden"}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.aws.access_key_id, "AKIDEXAMPLE");
  EXPECT_EQ(show_config(*loaded).find("hidden"), std::string::npos);
  EXPECT_NE(problem("[aws]\naccess_key_id = \"AKIDEXAMPLE\"\n"), "");
  EXPECT_NE(problem("[queue]\nkind = \"sqs\"\n").find("queue.sqs.region is empty"),
            std::string::npos);
}

TEST(ReadConfig, APostgresStoreNeedsAnAddressAndOnePassword) {
  EXPECT_EQ(read("")->config.store.kind, "sqlite");
  EXPECT_THAT(problem("[store]\nkind = \"postgres\"\n"),
              HasSubstr("store.postgres.address is empty"));
  EXPECT_THAT(problem("[store]\nkind = \"mysql\"\n"), HasSubstr("one of sqlite, postgres"));
  EXPECT_THAT(problem("[store.postgres]\npassword = \"hidden\"\n"),
              HasSubstr("TODOKU_STORE__POSTGRES__PASSWORD"));
  EXPECT_THAT(problem("[store.postgres]\npassword_file = \"a\"\npassword_command = \"cat a\"\n"),
              HasSubstr("keep one of them"));
  EXPECT_THAT(problem("[store.postgres]\nstart_seconds = 3601\n"),
              HasSubstr("store.postgres.start_seconds is 3601, but must be from 0 to 3600"));
  const auto loaded = read("[store]\nkind = \"postgres\"\n[store.postgres]\naddress = \"host=a\"\n",
                           {{"TODOKU_STORE__POSTGRES__PASSWORD", "hidden"}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.postgres.password, "hidden");
  EXPECT_THAT(show_config(*loaded), testing::Not(HasSubstr("hidden")));
}

TEST(ConfigurationReference, IsUpToDate) {
  std::ifstream file(TODOKU_SOURCE_DIR "/docs/configuration.md", std::ios::binary);
  const std::string stored((std::istreambuf_iterator<char>(file)), {});
  EXPECT_TRUE(stored == configuration_reference())
      << "docs/configuration.md differs: ./todoku config reference > docs/configuration.md";
}

TEST(Config, ASmarthostIsCheckedWithItsLogin) {
  const auto source = [](const std::string& keys) {
    return problem("[[egress]]\nname = \"a\"\n" + keys);
  };
  EXPECT_EQ(source("via = \"smtp://smtp.example.com\"\nvia_user = \"u\"\n"
                   "via_password_variable = \"PASSWORD\"\n"),
            "(no problem)");
  EXPECT_THAT(source("via = \"smtps://smtp.example.com\"\n"), HasSubstr("smtp:// and a host"));
  EXPECT_THAT(source("via = \"smtp://u:p@smtp.example.com\"\n"), HasSubstr("smtp:// and a host"));
  EXPECT_THAT(source("via_user = \"u\"\n"), HasSubstr("belong to via"));
  EXPECT_THAT(source("via = \"smtp://smtp.example.com\"\nvia_user = \"u\"\n"),
              HasSubstr("via_user needs"));
  EXPECT_THAT(source("via = \"smtp://192.0.2.7:25\"\n"), HasSubstr("certificates prove names"));
  EXPECT_THAT(source("via = \"smtp://smtp.example.com\"\nvia_tls = \"none\"\nvia_user = \"u\"\n"
                     "via_password_variable = \"PASSWORD\"\n"),
              HasSubstr("does not go in clear text"));
  EXPECT_THAT(source("via = \"smtp://smtp.example.com\"\npublic_address = \"192.0.2.7\"\n"),
              HasSubstr("smarthost's address"));
}

TEST(SmarthostUrl, HasAHostAndAPort) {
  const auto parsed = [](std::string_view text) {
    const auto url = parse_smarthost_url(text);
    return url ? url->host + " " + std::to_string(url->port) : "none";
  };
  EXPECT_EQ(parsed("smtp://SMTP.example.com"), "smtp.example.com 587");
  EXPECT_EQ(parsed("smtp://smtp.example.com:2525"), "smtp.example.com 2525");
  EXPECT_EQ(parsed("smtp://192.0.2.7"), "192.0.2.7 587");
  EXPECT_EQ(parsed("smtp://[2001:db8::1]:25"), "2001:db8::1 25");
  for (const std::string_view wrong : {"smtp://", "smtp://a:0", "smtp://a:70000", "smtp://a/x",
                                       "smtp://a b", "a:25", "smtp://[2001:db8::1]:0"}) {
    EXPECT_EQ(parsed(wrong), "none") << wrong;
  }
}

}  // namespace
}  // namespace todoku::config
