// SPDX-License-Identifier: Apache-2.0
#include "doctor/server_health.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::doctor {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const Instant kToday = from_epoch_ms(1'767'225'600'000);

ServerFacts healthy() {
  ServerFacts facts;
  facts.certificates = {{.key = "api.tls_certificate_file",
                         .problem = "",
                         .valid_from = kToday - 24h,
                         .valid_until = kToday + 24h * 60}};
  facts.clock.is_synchronised = true;
  facts.resolver.state = ResolverFact::State::honest;
  facts.dnssec = {.has_anchor = true, .zone = ".", .is_validated = true};
  facts.disk = {.folder = "/var/lib/todoku", .problem = "", .octets = 1000, .octets_free = 500};
  facts.files.limit = 65'536;
  return facts;
}
// The only one that is not `pass`.
Finding trouble_of(const ServerFacts& facts) {
  const auto findings = server_findings(facts, kToday);
  EXPECT_EQ(std::ranges::count_if(
                findings, [](const Finding& each) { return each.outcome != Outcome::pass; }),
            1);
  return *std::ranges::find_if(findings,
                               [](const Finding& each) { return each.outcome != Outcome::pass; });
}
void expect(const ServerFacts& facts, std::string_view code, Outcome outcome) {
  const Finding found = trouble_of(facts);
  EXPECT_EQ(found.code, code);
  EXPECT_EQ(found.outcome, outcome);
  EXPECT_FALSE(found.sentence.en.empty());
  EXPECT_FALSE(found.sentence.ja.empty());
  EXPECT_FALSE(found.why.en.empty());
  EXPECT_FALSE(found.why.ja.empty());
}

TEST(ServerHealth, IsGood) {
  EXPECT_EQ(worst_of(server_findings(healthy(), kToday)), Outcome::pass);
  EXPECT_EQ(server_findings(healthy(), kToday).size(), 6U);
}

TEST(ServerHealth, LooksAtCertificates) {
  ServerFacts facts = healthy();
  auto& certificate = facts.certificates[0];
  certificate.valid_until = kToday + 24h * 13 + 1h;
  expect(facts, "certificate_ends_soon", Outcome::warning);
  EXPECT_THAT(trouble_of(facts).sentence.en, HasSubstr("ends in 13 days"));
  certificate.valid_until = kToday + 24h * 14;
  EXPECT_EQ(worst_of(server_findings(facts, kToday)), Outcome::pass);
  certificate.valid_until = kToday;
  expect(facts, "certificate_expired", Outcome::fail);
  certificate.valid_until = kToday + 24h * 60;
  certificate.valid_from = kToday + 1ms;
  expect(facts, "certificate_not_yet", Outcome::fail);
  certificate.problem = "no such file";
  expect(facts, "certificate_unusable", Outcome::fail);
}

TEST(ServerHealth, LooksAtTheClock) {
  ServerFacts facts = healthy();
  facts.clock.is_synchronised = false;
  expect(facts, "clock_drifts", Outcome::warning);
  facts.clock.is_synchronised.reset();
  expect(facts, "clock_unknown", Outcome::not_determined);
}

TEST(ServerHealth, LooksAtTheNameServers) {
  ServerFacts facts = healthy();
  facts.resolver = {.state = ResolverFact::State::lies, .problem = "192.0.2.53 denies com."};
  expect(facts, "dns_lies", Outcome::fail);
  EXPECT_EQ(trouble_of(facts).found, "192.0.2.53 denies com.");
  facts.resolver.state = ResolverFact::State::silent;
  expect(facts, "dns_silent", Outcome::not_determined);
  facts = healthy();
  facts.dnssec.is_validated = false;
  expect(facts, "dnssec_insecure", Outcome::warning);
  facts.dnssec.is_validated.reset();
  expect(facts, "dnssec_unanswered", Outcome::not_determined);
  facts.dnssec.has_anchor = false;
  expect(facts, "dnssec_off", Outcome::warning);
}

TEST(ServerHealth, LooksAtTheDiskAndTheFiles) {
  ServerFacts facts = healthy();
  facts.disk.octets_free = 100;
  EXPECT_EQ(worst_of(server_findings(facts, kToday)), Outcome::pass);
  facts.disk.octets_free = 99;
  expect(facts, "disk_fills", Outcome::warning);
  facts.disk.octets_free = 29;
  expect(facts, "disk_full", Outcome::fail);
  facts.disk.problem = "permission denied";
  expect(facts, "disk_unknown", Outcome::not_determined);
  facts = healthy();
  facts.files.problem = "at least 100 are needed";
  expect(facts, "open_files_few", Outcome::fail);
}

}  // namespace
}  // namespace todoku::doctor
