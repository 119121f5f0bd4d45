// SPDX-License-Identifier: Apache-2.0
// `todoku domain check` and `setup`, where nobody answers for the zone; with real servers see
// tests/system/domain.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <unistd.h>

#include "cli/fake_host.h"
#include "cli/session.h"
#include "mailauth/dkim/key.h"

namespace todoku::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class DomainCheckTest : public CommandLineTest {
 protected:
  DomainCheckTest() {
    host.answer = [this](const AdminRequest& request) -> Result<AdminAnswer> {
      if (request.target.starts_with("/accounts")) {
        return AdminAnswer{200, R"({"accounts":[{"name":"shop"},{"name":"news"}]})"};
      }
      if (request.target.starts_with("/dkim")) {
        return AdminAnswer{200, R"({"keys":[
          {"domain":"example.jp","selector":"r1","algorithm":"rsa-sha256","dns_record":"v=DKIM1; p=AAAA"},
          {"domain":"example.jp","selector":"e1","algorithm":"ed25519-sha256","dns_record":"v=DKIM1; k=ed25519; p=BBBB"}]})"};
      }
      if (request.target.starts_with("/key_slots")) return AdminAnswer{200, slots};
      if (request.target.ends_with("/key_slots") || request.target.ends_with("/rotate")) {
        return AdminAnswer{201, kSlotsOfDomain};
      }
      if (request.target.ends_with("/next_keys")) {
        return AdminAnswer{201, R"({"keys":[{"selector":"r2","dns_record":"v=DKIM1; p=CCCC"},
          {"selector":"e2","dns_record":"v=DKIM1; k=ed25519; p=DDDD"}]})"};
      }
      return AdminAnswer{200, R"({"domains":[{"domain":"example.jp","state":"unproven",
        "dns_name":"_todoku-challenge.example.jp","dns_record":"todoku-domain=abc"}]})"};
    };
  }
  static constexpr const char* kSlotsOfDomain =
      R"({"account":"shop","domain":"example.jp","zone":"dkim.example.com","state":"publishing",
        "stalled":true,"next":{"step":"look","at":"2026-01-05T00:00:00Z"},
        "waits":{"code":"alias_missing","sentence":"a name server lacks it","sentence_ja":"ありません",
          "since":"2026-01-03T00:00:00Z"},
        "slots":[{"slot":"a","state":"published","since":"2026-01-03T00:00:00Z","keys":[
          {"selector":"td1ra","dns_record":"v=DKIM1; p=EEEE","alias":"td1ra.example.jp.dkim.example.com"}]},
         {"slot":"b","state":"free","keys":[
          {"selector":"td1rb","dns_record":"","alias":"td1rb.example.jp.dkim.example.com"}]}]})";
  std::string slots = R"({"domains":[]})";

  [[nodiscard]] std::vector<std::string> requests() const {
    std::vector<std::string> lines;
    for (const AdminRequest& request : host.asked) {
      lines.push_back(request.method + " " + request.target);
    }
    return lines;
  }
};

TEST_F(DomainCheckTest, ADomainThatNobodyServesFails) {
  host.no_domain_exists = true;
  EXPECT_EQ(run({"--json", "domain", "check", "example.jp", "--resolver", "192.0.2.53"}), 1);
  EXPECT_EQ(host.its_resolver, "192.0.2.53");
  EXPECT_FALSE(host.is_installations);
  const auto answer = boost::json::parse(out.str());
  EXPECT_EQ(text_of(answer, "outcome"), "fail");
  EXPECT_EQ(text_of(list_of(answer, "findings").at(0), "code"), "zone_not_found");
  EXPECT_EQ(run({"domain", "check", "example.jp", "--lang", "ja"}), 1);
  EXPECT_THAT(out.str(), HasSubstr("委任されていません"));
  EXPECT_TRUE(host.is_installations);
}

TEST_F(DomainCheckTest, HistorySaysWhatIsWrongSinceWhenAndWhatChanged) {
  host.answer = [](const AdminRequest& request) -> Result<AdminAnswer> {
    EXPECT_EQ(request.target, "/domains/shop/example.jp/history");
    return AdminAnswer{200, R"({"domain":"example.jp","checked":"2026-04-02T00:00:00Z",
      "checked_text":"2026-04-02 09:00:00 JST","next_text":"2026-04-02 15:00:00 JST",
      "determined":true,"outcome":"fail","faults":[{"code":"dkim_missing","outcome":"fail",
      "since_text":"2026-04-01 09:00:00 JST","sentence":"The key is gone.","sentence_ja":"鍵がありません。"}],
      "changes":[{"at_text":"2026-04-01 09:00:00 JST","change":"broken","sentence":"The key is gone.",
      "sentence_ja":"鍵がありません。"}]})"};
  };
  const std::vector<std::string> words = {"domain", "history", "example.jp", "--account", "shop"};
  EXPECT_EQ(run(words), 1);
  EXPECT_EQ(out.str(),
            "example.jp: checked 2026-04-02 09:00:00 JST, next 2026-04-02 15:00:00 JST\n"
            "  [fail] since 2026-04-01 09:00:00 JST: The key is gone.\n"
            "Changes:\n"
            "  2026-04-01 09:00:00 JST  broken: The key is gone.\n");
  out.str("");
  EXPECT_EQ(run({"domain", "history", "example.jp", "--account", "shop", "--lang", "ja"}), 1);
  EXPECT_THAT(out.str(), HasSubstr("不備発生: 鍵がありません。"));
  EXPECT_EQ(run({"--json", "domain", "history", "example.jp", "--account", "shop"}), 1);
  host.answer = [](const AdminRequest&) -> Result<AdminAnswer> {
    return AdminAnswer{200, R"({"domain":"example.jp","determined":false,
      "outcome":"not_determined","faults":[],"changes":[]})"};
  };
  EXPECT_EQ(run(words), 2) << "never checked";
  EXPECT_THAT(out.str(), HasSubstr("has not been checked"));
}

TEST_F(DomainCheckTest, NothingIsMadeForADomainThatNobodyServes) {
  host.no_domain_exists = true;
  EXPECT_EQ(run({"domain", "setup", "exmaple.jp", "--account", "shop"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("not registered, or not delegated"));
  EXPECT_THAT(err.str(), HasSubstr("--anyway"));
  EXPECT_TRUE(host.asked.empty()) << "no claim, no keys";
  EXPECT_EQ(run({"domain", "setup", "example.jp", "--account", "shop", "--anyway"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("r1._domainkey.example.jp"));
}

TEST_F(DomainCheckTest, NamedKeysNeedNoInstallation) {
  host.no_domain_exists = true;
  EXPECT_EQ(run({"domain", "check", "example.jp", "--selector", "s1"}), 1);
  EXPECT_TRUE(host.asked.empty());
}

TEST_F(DomainCheckTest, WhatIsThereInAnothersZoneIsNotToBePublished) {
  const std::vector<std::string> words = {
      "domain", "setup",     "example.jp",        "--account",
      "shop",   "--reports", "dmarc@example.com", "--zone-file"};
  EXPECT_EQ(run(words), 0);
  EXPECT_THAT(out.str(), HasSubstr("example.jp._report._dmarc.example.com"));
  host.zone.set_zone({.txt = {{"example.jp._report._dmarc.example.com", {"v=DMARC1;"}}}});
  EXPECT_EQ(run(words), 0);
  EXPECT_THAT(out.str(), HasSubstr("_dmarc.example.jp"));
  EXPECT_THAT(out.str(), Not(HasSubstr("_report._dmarc")));
}

TEST_F(DomainCheckTest, TheNextThingToDoIsToProveTheDomain) {
  EXPECT_EQ(run({"domain", "setup", "example.jp", "--account", "shop"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("todoku domain verify shop example.jp"));
  std::string state = "unproven";
  const auto usual = host.answer;
  host.answer = [&](const AdminRequest& request) -> Result<AdminAnswer> {
    if (!request.target.starts_with("/domains")) return usual(request);
    const std::string claim =
        fmt::format(R"({{"account":"shop","domain":"example.jp","state":"{}"}})", state);
    if (request.method == "POST") return AdminAnswer{200, claim};
    return AdminAnswer{200, fmt::format(R"({{"domains":[{}]}})", claim)};
  };
  host.no_domain_exists = true;
  EXPECT_EQ(run({"domain", "check", "example.jp"}), 1);
  EXPECT_THAT(out.str(), HasSubstr("todoku domain verify shop example.jp"));
  state = "proven";
  EXPECT_EQ(run({"domain", "check", "example.jp"}), 1);
  EXPECT_THAT(out.str(), Not(HasSubstr("domain verify")));
}

TEST_F(DomainCheckTest, ADomainIsVerifiedByItsNameAlone) {
  const auto usual = host.answer;
  std::string accounts = R"({"accounts":[{"name":"shop"}]})";
  host.answer = [&](const AdminRequest& request) -> Result<AdminAnswer> {
    if (request.target.starts_with("/accounts")) return AdminAnswer{200, accounts};
    return AdminAnswer{200, R"({"domain":"example.jp","state":"proven"})"};
  };
  const auto asked = [&](std::vector<std::string> names) {
    host.asked.clear();
    names.insert(names.begin(), {"domain", "verify"});
    EXPECT_EQ(run(names), 0) << err.str();
    return host.asked.back().target;
  };
  const std::string of_shop = asked({"shop", "example.jp"});
  EXPECT_THAT(of_shop, HasSubstr("shop"));
  EXPECT_EQ(asked({"example.jp"}), of_shop);
  accounts = R"({"accounts":[{"name":"shop"},{"name":"news"}]})";
  EXPECT_EQ(asked({"example.jp", "--account", "shop"}), of_shop);
  EXPECT_EQ(run({"domain", "verify", "example.jp"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("there are 2 accounts"));
  EXPECT_EQ(run({"domain", "verify"}), 2);
}

TEST_F(DomainCheckTest, WordsThatAreWrongAreTwo) {
  EXPECT_EQ(run({"domain", "check", "example.jp", "--server", "ns.example.jp"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--server"));
  EXPECT_EQ(run({"domain", "check", "example.jp", "--source", "mail.example.jp"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--source"));
  EXPECT_EQ(run({"domain", "check", "example.jp", "--resolver", "nobody"}), 2);
  EXPECT_EQ(run({"domain", "check"}), 2);
  for (const char* reports :
       {"x", "a,b@x", "x@example.jp; p=reject", "x@example.jp\np=reject", "x@[192.0.2.1]"}) {
    EXPECT_EQ(run({"domain", "setup", "example.jp", "--account", "shop", "--reports", reports}), 2)
        << reports;
    EXPECT_THAT(err.str(), HasSubstr("--reports"));
  }
  EXPECT_TRUE(host.asked.empty());
}

TEST_F(DomainCheckTest, SetupOfAZoneThatCannotBeReadIsAsOfAnEmptyOne) {
  EXPECT_EQ(run({"domain", "setup", "example.jp", "--account", "shop", "--zone-file", "--reports",
                 "dmarc@example.jp"}),
            0);
  EXPECT_THAT(err.str(), HasSubstr("the zone could not be read"));
  for (const char* line :
       {"_todoku-challenge.example.jp. IN TXT", "r1._domainkey.example.jp. IN TXT",
        "e1._domainkey.example.jp. IN TXT", "\"v=spf1 ip4:192.0.2.1 ~all\"",
        "bounce.example.jp. IN MX 10 mail.example.com.",
        "\"v=DMARC1; p=none; rua=mailto:dmarc@example.jp\"", "example.jp. IN A 192.0.2.1"}) {
    EXPECT_THAT(out.str(), HasSubstr(line));
  }
  // Both keys are there and the domain is claimed: nothing is made.
  for (const std::string& line : requests()) EXPECT_THAT(line, HasSubstr("GET "));
}

TEST_F(DomainCheckTest, SetupBelowADomainThatSignsMakesKeysThatWait) {
  EXPECT_EQ(run({"domain", "setup", "news.example.jp", "--account", "shop", "--zone-file"}), 0);
  EXPECT_THAT(requests(), testing::Contains("POST /domains/shop/news.example.jp/next_keys"));
  EXPECT_THAT(requests(), Not(testing::Contains("POST /dkim"))) << "those would sign at once";
  EXPECT_THAT(out.str(), HasSubstr("r2._domainkey.news.example.jp. IN TXT"));
  EXPECT_THAT(out.str(), Not(HasSubstr("r1._domainkey"))) << "of the zone above";
  EXPECT_THAT(err.str(), HasSubstr("todoku domain rotate news.example.jp"));
}

TEST_F(DomainCheckTest, SetupBesideOneKeyThatSignsMakesKeysThatWait) {
  const auto usual = host.answer;
  host.answer = [usual](const AdminRequest& request) -> Result<AdminAnswer> {
    if (!request.target.starts_with("/dkim")) return usual(request);
    return AdminAnswer{200, R"({"keys":[{"domain":"example.jp","selector":"r1",
      "algorithm":"rsa-sha256","dns_record":"v=DKIM1; p=AAAA"}]})"};
  };
  EXPECT_EQ(run({"domain", "setup", "example.jp", "--account", "shop", "--json"}), 0);
  EXPECT_THAT(requests(), Not(testing::Contains("POST /dkim")));
  const auto answer = boost::json::parse(out.str());
  EXPECT_TRUE(answer.at("keys_wait").as_bool());
  for (const char* name : {"r1._domainkey", "r2._domainkey", "e2._domainkey"}) {
    EXPECT_THAT(out.str(), HasSubstr(name));
  }
}

TEST_F(DomainCheckTest, SetupByCnameMakesNoKeysAndShowsBothSlots) {
  EXPECT_EQ(
      run({"domain", "setup", "example.jp", "--account", "shop", "--by", "cname", "--zone-file"}),
      0);
  EXPECT_THAT(requests(), testing::Contains("POST /domains/shop/example.jp/key_slots"));
  EXPECT_THAT(requests(), Not(testing::Contains("POST /dkim")));
  for (const char* slot : {"td1ra", "td1rb"}) {
    EXPECT_THAT(out.str(), HasSubstr(fmt::format("{0}._domainkey.example.jp. IN CNAME "
                                                 "{0}.example.jp.dkim.example.com.\n",
                                                 slot)));
  }
  EXPECT_EQ(run({"domain", "setup", "example.jp", "--account", "shop", "--by", "mail"}), 2);
}

TEST_F(DomainCheckTest, ADomainByCnameStaysSoAndRotatesByItself) {
  slots = fmt::format(R"({{"domains":[{}]}})", kSlotsOfDomain);
  EXPECT_EQ(run({"domain", "setup", "example.jp", "--account", "shop"}), 0);
  EXPECT_THAT(requests(), Not(testing::Contains("POST /dkim")));
  EXPECT_EQ(run({"domain", "rotate", "example.jp", "--account", "shop"}), 0);
  EXPECT_THAT(requests(), testing::Contains("POST /domains/shop/example.jp/key_slots/rotate"));
  EXPECT_THAT(requests(), Not(testing::Contains("POST /domains/shop/example.jp/next_keys")));
  EXPECT_EQ(run({"domain", "setup", "example.jp", "--account", "shop", "--by", "txt"}), 0);
  EXPECT_THAT(requests(), testing::Contains("DELETE /domains/shop/example.jp/key_slots"));
  EXPECT_THAT(requests(), Not(testing::Contains("POST /domains/shop/example.jp/next_keys")))
      << "keys of its own zone sign already";
  EXPECT_THAT(out.str(), HasSubstr("r1._domainkey.example.jp"));
}

TEST_F(DomainCheckTest, InThePlaceOfCnamesComeKeysOfItsOwnZoneThatWait) {
  slots = fmt::format(R"({{"domains":[{}]}})", kSlotsOfDomain);
  const auto usual = host.answer;
  host.answer = [usual](const AdminRequest& request) -> Result<AdminAnswer> {
    if (!request.target.starts_with("/dkim")) return usual(request);
    return AdminAnswer{200, R"({"keys":[{"domain":"example.jp","selector":"td1ra",
      "algorithm":"rsa-sha256","dns_record":"v=DKIM1; p=EEEE"}]})"};
  };
  EXPECT_EQ(run({"domain", "setup", "example.jp", "--account", "shop", "--by", "txt"}), 0);
  EXPECT_THAT(requests(), testing::Contains("POST /domains/shop/example.jp/next_keys"));
  EXPECT_THAT(out.str(), HasSubstr("r2._domainkey.example.jp"));
  EXPECT_THAT(out.str(), Not(HasSubstr("td1ra")));
}

TEST_F(DomainCheckTest, KeysTellWhereTheyStandAndThatAChangeStalls) {
  EXPECT_EQ(run({"domain", "keys", "example.jp"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("--by cname"));
  slots = fmt::format(R"({{"domains":[{}]}})", kSlotsOfDomain);
  EXPECT_EQ(run({"domain", "keys", "example.jp"}), 1) << "it stalls";
  EXPECT_THAT(out.str(), HasSubstr("a: to be published, since 2026-01-03T00:00:00Z [td1ra]"));
  EXPECT_THAT(out.str(), HasSubstr("a name server lacks it"));
  EXPECT_EQ(run({"--lang", "ja", "domain", "keys"}), 1);
  EXPECT_THAT(out.str(), HasSubstr("a: 公開待ち"));
  EXPECT_EQ(run({"--json", "domain", "keys", "example.jp"}), 1);
  EXPECT_EQ(boost::json::parse(out.str()).at("domains").as_array().size(), 1U);
}

TEST_F(DomainCheckTest, KeysNameTheOneThatSignsInTheirPlace) {
  std::string keys = R"(
    {"account":"shop","domain":"example.jp","selector":"td1rb","algorithm":"rsa-sha256","created":"2026-01-03T00:00:00Z"},
    {"account":"shop","domain":"example.jp","selector":"old","algorithm":"rsa-sha256","created":"2026-01-01T00:00:00Z"},
    {"account":"shop","domain":"example.jp","selector":"e9","algorithm":"ed25519-sha256","created":"2026-01-09T00:00:00Z"},
    {"account":"news","domain":"example.jp","selector":"other","algorithm":"rsa-sha256","created":"2026-01-09T00:00:00Z"})";
  host.answer = [&](const AdminRequest& request) -> Result<AdminAnswer> {
    if (request.target.starts_with("/dkim")) {
      return AdminAnswer{200, fmt::format(R"({{"keys":[{}]}})", keys)};
    }
    return AdminAnswer{200,
                       R"({"domains":[{"account":"shop","domain":"example.jp","state":"signing",
      "slots":[{"slot":"b","state":"signing","keys":[{"selector":"td1rb"}]}]}]})"};
  };
  EXPECT_EQ(run({"domain", "keys"}), 0) << out.str() << err.str();
  EXPECT_THAT(out.str(), Not(HasSubstr("In the place of")));
  keys += R"(,{"account":"shop","domain":"example.jp","selector":"k1b","algorithm":"rsa-sha256",
    "created":"2026-01-05T00:00:00Z"})";
  EXPECT_EQ(run({"domain", "keys"}), 1);
  EXPECT_THAT(out.str(), HasSubstr("In the place of td1rb signs k1b"));
  EXPECT_EQ(run({"--lang", "ja", "domain", "keys"}), 1);
  EXPECT_THAT(out.str(), HasSubstr("td1rb ではなく、スロット外の新しい鍵 k1b"));
  EXPECT_EQ(run({"--json", "domain", "keys"}), 1);
  const auto shown = boost::json::parse(out.str()).at("domains").at(0);
  EXPECT_EQ(text_of(list_of(shown, "signs_instead").at(0), "selector"), "k1b");
}

class DkimImportTest : public DomainCheckTest {
 protected:
  DkimImportTest()
      : pem((std::filesystem::temp_directory_path() /
             fmt::format("todoku-import-{}.pem", ::getpid()))
                .string()) {
    host.no_domain_exists = true;
  }
  ~DkimImportTest() override { std::filesystem::remove(pem); }

  int import(const std::string& domain, std::vector<std::string> more = {}) {
    host.asked.clear();
    std::vector<std::string> words = {"dkim", "import",     "--account", "shop",  "--domain",
                                      domain, "--selector", "nopub",     "--pem", pem};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  void write(mailauth::dkim::KeyAlgorithm algorithm) {
    const auto key = mailauth::dkim::SigningKey::generate(algorithm);
    ASSERT_TRUE(key.has_value());
    std::ofstream(pem) << key->to_pem().view();
  }
  const std::string pem;
};

TEST_F(DkimImportTest, WhereMailIsSignedAKeyWaitsUntilItIsPublished) {
  write(mailauth::dkim::KeyAlgorithm::ed25519);
  EXPECT_EQ(import("example.jp"), 1);
  EXPECT_THAT(requests(), Not(testing::Contains("POST /dkim")));
  EXPECT_THAT(err.str(), HasSubstr("nothing was imported"));
  EXPECT_THAT(out.str(), HasSubstr("nopub._domainkey.example.jp"));
  EXPECT_EQ(import("news.example.jp", {"--lang", "ja"}), 1) << "one above it signs";
  EXPECT_THAT(err.str(), HasSubstr("取り込みを中止しました"));
  EXPECT_EQ(import("example.jp", {"--anyway"}), 0) << err.str();
  EXPECT_THAT(requests(), testing::Contains("POST /dkim"));
  EXPECT_EQ(import("example.com"), 0) << "nothing signs for it: " << err.str();
  EXPECT_THAT(requests(), testing::Contains("POST /dkim"));
  EXPECT_THAT(err.str(), Not(HasSubstr("RFC 8301")));
}

TEST_F(DkimImportTest, KeysThatChangeByThemselvesAreNotDisplacedInSilence) {
  slots = R"({"domains":[{"account":"shop","domain":"example.jp","state":"signing",
    "slots":[{"slot":"b","state":"signing","keys":[{"selector":"td1rb","alias":"x.example.com"}]}]}]})";
  write(mailauth::dkim::KeyAlgorithm::ed25519);
  EXPECT_EQ(import("example.jp"), 1);
  EXPECT_THAT(requests(), Not(testing::Contains("POST /dkim")));
  EXPECT_THAT(err.str(), HasSubstr("change by themselves"));
  EXPECT_EQ(import("example.jp", {"--anyway"}), 0) << err.str();
  EXPECT_THAT(requests(), testing::Contains("POST /dkim"));
}

TEST_F(DomainCheckTest, OfKeysThatChangeByThemselvesNoneIsMadeBesideThem) {
  slots =
      R"({"domains":[{"account":"shop","domain":"example.jp","state":"publishing","slots":[]}]})";
  const auto generate = [this](const std::string& domain, std::vector<std::string> more = {}) {
    host.asked.clear();
    std::vector<std::string> words = {"dkim", "generate", "--account", "shop", "--domain", domain};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  EXPECT_EQ(generate("Example.JP"), 1);
  EXPECT_THAT(requests(), Not(testing::Contains("POST /dkim")));
  EXPECT_THAT(err.str(), HasSubstr("todoku domain rotate example.jp"));
  EXPECT_EQ(generate("example.jp", {"--lang", "ja"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("自動で入れ替わる"));
  EXPECT_EQ(generate("example.com"), 0) << err.str();
  EXPECT_THAT(requests(), testing::Contains("POST /dkim"));
  slots = R"({"domains":[{"account":"shop","domain":"example.jp","state":"ending","slots":[]}]})";
  EXPECT_EQ(generate("example.jp"), 0) << "those are given up: " << err.str();
}

TEST_F(DomainCheckTest, WhatIsNoDomainIsSaidInJapanese) {
  EXPECT_EQ(run({"domain", "check", "user@example.jp", "--lang", "ja"}), 2);
  EXPECT_EQ(err.str(), "todoku: DOMAIN: ドメインが不正です\n");
  EXPECT_EQ(run({"domain", "check", "example.jp", "--server", "x:y:z", "--lang", "ja"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--server: "));
}

TEST_F(DkimImportTest, AShortKeyIsSaidToBeShort) {
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(EVP_RSA_gen(1024), EVP_PKEY_free);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(pem.c_str(), "w"),
                                                             std::fclose);
  ASSERT_EQ(PEM_write_PKCS8PrivateKey(file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr),
            1);
  ASSERT_EQ(std::fflush(file.get()), 0);
  EXPECT_EQ(import("example.com"), 0) << err.str();
  EXPECT_THAT(err.str(), HasSubstr("1024 bits"));
  EXPECT_EQ(import("example.com", {"--lang", "ja"}), 0) << err.str();
  EXPECT_THAT(err.str(), HasSubstr("1024 ビット"));
}

TEST_F(DomainCheckTest, SetupWhereNothingSignsMakesKeysThatSign) {
  EXPECT_EQ(run({"domain", "setup", "example.com", "--account", "shop", "--zone-file"}), 0);
  const auto asked = requests();
  EXPECT_EQ(std::ranges::count(asked, "POST /dkim"), 2);
  EXPECT_THAT(err.str(), Not(HasSubstr("domain rotate")));
}

TEST_F(DomainCheckTest, OfSeveralAccountsOneIsNamed) {
  EXPECT_EQ(run({"domain", "setup", "example.jp"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("there are 2 accounts: say whose domain it is by --account"));
  EXPECT_THAT(out.str(), Not(HasSubstr("IN TXT")));
}

}  // namespace
}  // namespace todoku::cli
