// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_host.h"

namespace todoku::cli {
namespace {

using testing::HasSubstr;

MtaStsFinding enforced() {
  return {.verdict = MtaStsFinding::Verdict::enforced,
          .domain = "example.jp",
          .record = "found",
          .record_reason = "",
          .id = "20261129",
          .policy =
              MtaStsFinding::Policy{
                  .mode = "enforce", .mx = {"*.example.jp"}, .max_age_seconds = 86'400},
          .result_type = "",
          .reason = "",
          .hosts = {{.name = "mx1.example.jp", .named = true},
                    {.name = "mx.example.com", .named = false}},
          .hosts_reason = ""};
}

TEST_F(CommandLineTest, MtaStsCheckTellsThePolicyAndWhatFollows) {
  host.mta_sts = enforced();
  EXPECT_EQ(run({"mta-sts", "check", "example.jp", "--resolver", "192.0.2.53"}), 0);
  EXPECT_EQ(host.its_mta_sts.domain, "example.jp");
  EXPECT_EQ(host.its_mta_sts.resolver, "192.0.2.53");
  EXPECT_EQ(out.str(),
            "domain          example.jp\n"
            "_mta-sts        id 20261129\n"
            "policy          enforce, for 86400 seconds\n"
            "  names         *.example.jp\n"
            "mail server     mx1.example.jp, named by the policy\n"
            "mail server     mx.example.com, NOT named by the policy\n"
            "mail goes over verified TLS to the hosts that the policy names, or waits\n");
  EXPECT_EQ(run({"--json", "mta-sts", "check", "example.jp"}), 0);
  EXPECT_THAT(out.str(), HasSubstr(R"("verdict":"enforced")"));
  EXPECT_THAT(out.str(),
              HasSubstr(R"("policy":{"mode":"enforce","mx":["*.example.jp"],"max_age":86400})"));
  EXPECT_THAT(out.str(), HasSubstr(R"("failure":null)"));
}

TEST_F(CommandLineTest, MtaStsCheckEndsWithOneWhereTheDomainHasSomethingToMend) {
  MtaStsFinding found = enforced();
  found.verdict = MtaStsFinding::Verdict::no_host_named;
  host.mta_sts = found;
  EXPECT_EQ(run({"mta-sts", "check", "example.jp", "--lang", "ja"}), 1);
  EXPECT_THAT(out.str(), HasSubstr("メールは待ちます"));

  found = {.domain = "example.jp", .record = "found", .id = "1"};
  found.result_type = "sts-policy-fetch-error";
  found.reason = "the policy host answers with status 404";
  host.mta_sts = found;
  EXPECT_EQ(run({"mta-sts", "check", "example.jp"}), 1);
  EXPECT_THAT(out.str(), HasSubstr("none: the policy host answers with status 404 (sts-policy-"));

  host.mta_sts = MtaStsFinding{.domain = "example.jp", .record = "absent"};
  EXPECT_EQ(run({"mta-sts", "check", "example.jp"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("no policy to go by"));

  host.mta_sts = fail(ErrorKind::invalid_input, "the domain: too long");
  EXPECT_EQ(run({"mta-sts", "check", "example.jp"}), 2);
}

}  // namespace
}  // namespace todoku::cli
