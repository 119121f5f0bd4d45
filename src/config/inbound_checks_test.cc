// SPDX-License-Identifier: Apache-2.0
// The keys of mail that comes back: for which domains, and what would go around in a circle.
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"

namespace todoku::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kReturnPath = "[smtp_out]\nreturn_path_domain = \"bounce.example.jp\"\n";

ConfigResult read_inbound(std::string_view toml, std::string_view before = kReturnPath) {
  return read_config(std::string(before) + std::string(toml), "todoku.toml", "/etc/todoku", {});
}

std::string inbound_problem(std::string_view toml, std::string_view before = kReturnPath) {
  const auto result = read_inbound(toml, before);
  if (result) return "(no problem)";
  return result.error().problems[0].to_string();
}

TEST(InboundChecks, TheDomainsAreThatOfReturnPathsUnlessOthersAreNamed) {
  EXPECT_FALSE(inbound_listens(read_inbound("")->config));
  const auto usual = read_inbound("[inbound]\nenabled = true\n");
  ASSERT_TRUE(usual);
  EXPECT_TRUE(inbound_listens(usual->config));
  EXPECT_THAT(inbound_domains(usual->config), ElementsAre("bounce.example.jp"));
  const auto named = read_inbound("[inbound]\ndomains = [\"a.example.jp\", \"b.example.jp\"]\n");
  EXPECT_THAT(inbound_domains(named->config), ElementsAre("a.example.jp", "b.example.jp"));
}

TEST(InboundChecks, WithoutADomainNothingIsTaken) {
  EXPECT_THAT(inbound_problem("[inbound]\nenabled = true\n", ""), HasSubstr("there is no domain"));
}

TEST(InboundChecks, WhatIsSentOnDoesNotComeBack) {
  EXPECT_THAT(inbound_problem("[inbound]\nforward_to = \"ops@BOUNCE.example.jp\"\n"
                              "forward_account = \"house\"\n"),
              HasSubstr("would come here again"));
  EXPECT_THAT(inbound_problem("[inbound]\nforward_to = \"ops@example.com\"\n"),
              HasSubstr("need one another"));
  EXPECT_THAT(inbound_problem("[inbound]\nforward_to = \"ops\"\nforward_account = \"house\"\n"),
              HasSubstr("inbound.forward_to: \"ops\""));
  EXPECT_THAT(inbound_problem("[inbound]\nreport_addresses = [\"dmarc\"]\n"),
              HasSubstr("inbound.report_addresses: \"dmarc\""));
  for (const char* const far : {"192.0.2.1:11332", "rspamd", "127.0.0.1", "run/milter.sock"}) {
    EXPECT_THAT(inbound_problem(std::string("[inbound]\nmilters = [\"") + far + "\"]\n"),
                HasSubstr("inbound.milters: \"" + std::string(far) + "\""));
  }
  EXPECT_TRUE(read_inbound("[inbound]\nmilters = [\"/run/milter.sock\", \"127.0.0.1:8891\"]\n"));
}

TEST(InboundChecks, ThatNobodyReadsPostmasterIsSaid) {
  const auto silent = read_inbound("[inbound]\nenabled = true\n");
  ASSERT_TRUE(silent);
  ASSERT_EQ(silent->warnings.size(), 1U);
  EXPECT_THAT(silent->warnings[0].to_string(), HasSubstr("postmaster@"));
  const auto read = read_inbound(
      "[inbound]\nenabled = true\nforward_to = \"ops@example.com\"\nforward_account = \"house\"\n");
  ASSERT_TRUE(read);
  EXPECT_THAT(read->warnings, IsEmpty());
}

}  // namespace
}  // namespace todoku::config
