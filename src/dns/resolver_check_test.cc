// SPDX-License-Identifier: Apache-2.0
// What the answers to a check mean. That they are really asked for is shown in tests/system/dns.
#include "dns/resolver_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::dns {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Result_ = CheckFinding::Result;

const Error kDenied{.kind = ErrorKind::not_found, .detail = "NXDOMAIN"};
const Error kSilent{.kind = ErrorKind::timeout, .detail = "no answer for com. within 2000 ms"};

ZoneAnswers zone(std::string name) {
  return {.zone = name,
          .name_servers = Answer<std::string>{.records = {"a.nic.example"}},
          .impossible_name = "todoku-check-1." + name,
          .address = fail(kDenied)};
}
ZoneAnswers denied(std::string name) {
  ZoneAnswers answers = zone(std::move(name));
  answers.name_servers = fail(kDenied);
  return answers;
}
ZoneAnswers invented(std::string name) {
  ZoneAnswers answers = zone(std::move(name));
  answers.address = Answer<net::IpAddress>{.records = {*net::IpAddress::parse("192.0.2.66")}};
  return answers;
}
ZoneAnswers silent(std::string name) {
  ZoneAnswers answers = zone(std::move(name));
  answers.name_servers = fail(kSilent);
  answers.address = fail(kSilent);
  return answers;
}

CheckFinding judge(std::vector<ServerAnswers> servers) {
  return judge_check(servers);
}

TEST(ResolverCheck, PassesWhereZonesAreKnownAndNonsenseIsDenied) {
  const auto finding = judge({{"A", {zone("."), zone("com."), silent("jp.")}}});
  EXPECT_EQ(finding.result, Result_::passed);
  EXPECT_EQ(finding.problem, "");
}

TEST(ResolverCheck, OneDeniedZoneIsALie) {
  const auto finding = judge({{"the name server A", {zone("com."), denied("jp.")}}});
  EXPECT_EQ(finding.result, Result_::failed);
  EXPECT_EQ(finding.problem,
            "the name server A denies names that exist (NXDOMAIN for the NS of jp.)");
}

TEST(ResolverCheck, NoRecordsForWhatHasSomeIsALieToo) {
  ZoneAnswers empty = zone("com.");
  empty.name_servers = Answer<std::string>{};
  const auto finding = judge({{"A", {empty}}});
  EXPECT_EQ(finding.result, Result_::failed);
  EXPECT_THAT(finding.problem, HasSubstr("no records for the NS of com."));
}

TEST(ResolverCheck, FindsTheLiarAmongHonestServers) {
  const auto finding = judge({{"A", {zone("com.")}}, {"B", {denied("com.")}}});
  EXPECT_EQ(finding.result, Result_::failed);
  EXPECT_TRUE(finding.problem.starts_with("B denies")) << finding.problem;
}

TEST(ResolverCheck, ASilentServerBesideAnHonestOneIsNoTrouble) {
  EXPECT_EQ(judge({{"A", {silent("com.")}}, {"B", {zone("com.")}}}).result, Result_::passed);
}

TEST(ResolverCheck, SilenceIsNotALie) {
  const auto finding = judge({{"A", {silent("com.")}}});
  EXPECT_EQ(finding.result, Result_::no_answer);
  EXPECT_EQ(finding.problem, "no name server answers: no answer for com. within 2000 ms");
  EXPECT_EQ(judge({}).result, Result_::no_answer);
}

TEST(ResolverCheck, AddressesForMostImpossibleNamesAreInvented) {
  const auto finding = judge({{"A", {zone("."), invented("com."), invented("jp.")}}});
  EXPECT_EQ(finding.result, Result_::failed);
  EXPECT_TRUE(finding.invents);
  EXPECT_THAT(finding.problem, HasSubstr("A has addresses for names that do not exist ("
                                         "todoku-check-1.jp.: 192.0.2.66)"));
  EXPECT_EQ(finding.invented.size(), 2U);
}

TEST(ResolverCheck, AZoneWithAWildcardIsNoLie) {
  EXPECT_EQ(judge({{"A", {zone("com."), invented("wild.example.")}}}).result, Result_::passed);
}

TEST(ResolverCheck, ReadsTheListOfNameServers) {
  const auto servers = servers_of(
      "# made by hand\nsearch example.jp\nnameserver 192.0.2.53\n  nameserver\t2001:db8::53 # v6\n"
      "nameserver fe80::1%eth0\nnameservers 192.0.2.54\nnameserver\nnameserver 192.0.2.55;");
  std::vector<std::string> texts;
  for (const net::Endpoint& server : servers) texts.push_back(server.to_string());
  EXPECT_THAT(texts, ElementsAre("192.0.2.53:53", "[2001:db8::53]:53", "192.0.2.55:53"));
  std::string many;
  for (int i = 0; i < 100; ++i) many += "nameserver 192.0.2.1\n";
  EXPECT_EQ(servers_of(many).size(), 8U);
  EXPECT_TRUE(servers_of("").empty());
}

}  // namespace
}  // namespace todoku::dns
