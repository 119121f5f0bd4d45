// SPDX-License-Identifier: Apache-2.0
#include "app/key_probe.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/fake_resolver.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

using mailauth::ServerAnswer;
using operate::SlotFault;
using testing::HasSubstr;

constexpr const char* kRecord = "v=DKIM1; p=AAAA";
constexpr const char* kName = "td1ra._domainkey.example.jp";
constexpr const char* kAlias = "td1ra.example.jp.dkim.example.com";

ServerAnswer said(ServerAnswer::Status status) {
  ServerAnswer answer;
  answer.status = status;
  return answer;
}

// One key, in the platform's zone and at a resolver. What the domain's servers say is the tests'.
struct KeyProbeTest : testing::Test {
  std::map<std::string, std::vector<std::string>> zones{{"example.jp", {"ns1.example.jp"}},
                                                        {"dkim.example.com", {"ns.example.com"}}};
  dns::FakeResolver resolver{{.a = {{"ns.example.com", {"192.0.2.53"}},
                                    {"ns1.example.jp", {"192.0.2.1"}},
                                    {"ns9.example.jp", {"192.0.2.9"}}},
                              .txt = {{kName, {kRecord}}}}};
  // By address: what is said of the CNAME.
  std::map<std::string, ServerAnswer> servers;

  Task<Result<dns::Answer<std::string>>> name_servers(std::string zone) {
    const auto found = zones.find(zone);
    if (found == zones.end()) co_return fail(ErrorKind::not_found, zone + " does not exist");
    co_return dns::Answer<std::string>{.records = found->second, .ttl = {}, .secure = false};
  }
  Task<mailauth::ServerAnswers> answers(net::Endpoint server,
                                        std::vector<mailauth::DnsQuestion> questions) {
    ServerAnswer platforms = said(ServerAnswer::Status::found);
    platforms.values = {kRecord};
    const auto domains = servers.find(server.address.to_string());
    mailauth::ServerAnswers told;
    for (const mailauth::DnsQuestion& question : questions) {
      told[question] = question.name == kAlias    ? platforms
                       : domains != servers.end() ? domains->second
                                                  : said(ServerAnswer::Status::failed);
    }
    co_return told;
  }
  KeysSeen look() {
    const KeyProbe probe{
        .resolver = resolver,
        .name_servers = [this](std::string zone) { return name_servers(std::move(zone)); },
        .port = 53,
        .ask =
            [this](net::Endpoint server, std::vector<mailauth::DnsQuestion> questions) {
              return answers(server, std::move(questions));
            }};
    return run(
        look_for_keys(probe, {.domain = "example.jp",
                              .zone = "dkim.example.com",
                              .keys = {{.at = {.selector = "td1ra", .name = kName, .alias = kAlias},
                                        .record = kRecord}}}));
  }
};

TEST_F(KeyProbeTest, KeysAreSeenWhereEachServerHasTheCname) {
  servers["192.0.2.1"] = said(ServerAnswer::Status::alias);
  EXPECT_EQ(look().fault, SlotFault::none);
  servers["192.0.2.1"] = said(ServerAnswer::Status::absent);
  EXPECT_EQ(look().fault, SlotFault::alias_missing);
  servers.clear();
  EXPECT_EQ(look().fault, SlotFault::alias_silent);
}

TEST_F(KeyProbeTest, WhereKeysAreAZoneOfTheirOwnItsServersAreAsked) {
  servers["192.0.2.1"] = said(ServerAnswer::Status::lame);
  KeysSeen seen = look();
  EXPECT_EQ(seen.fault, SlotFault::alias_silent) << "it is delegated to nobody";
  EXPECT_THAT(seen.where, HasSubstr("192.0.2.1"));
  zones["_domainkey.example.jp"] = {"ns9.example.jp"};
  servers["192.0.2.9"] = said(ServerAnswer::Status::alias);
  EXPECT_EQ(look().fault, SlotFault::none);
  servers["192.0.2.9"] = said(ServerAnswer::Status::absent);
  seen = look();
  EXPECT_EQ(seen.fault, SlotFault::alias_missing);
  EXPECT_THAT(seen.where, HasSubstr("ns9.example.jp"));
  zones["_domainkey.example.jp"].emplace_back("ns8.example.jp");
  EXPECT_EQ(look().fault, SlotFault::alias_silent) << "that one has no address";
}

}  // namespace
}  // namespace todoku::app
