// SPDX-License-Identifier: Apache-2.0
#include "app/open_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/module_options.h"
#include "config/config.h"

namespace todoku::app {
namespace {

using testing::HasSubstr;

constexpr FilesWanted kDefaults{
    .threads = 2, .api_connections = 10'000, .smtp_connections = 10'000};

std::uint64_t sum(const FilesDivision& division) {
  return division.process + division.store + division.operators + division.uploads + division.dns +
         division.preflight + division.calls + division.api + division.api_refusals + division.smtp;
}

TEST(FilesDivision, GivesEveryoneAPartOfTheUsualSmallLimit) {
  const auto division = files_division(1'024, kDefaults).value();
  EXPECT_EQ(sum(division), 1'024U);
  EXPECT_GE(division.store, 64U);
  EXPECT_GE(division.operators, 64U);
  EXPECT_GE(division.dns + division.preflight, 100U);
  EXPECT_GE(division.api, 300U);
  EXPECT_GE(division.smtp, 300U);
}

TEST(FilesDivision, GivesWhatIsWantedWhereThereIsEnough) {
  const auto division = files_division(1'000'000, kDefaults).value();
  EXPECT_EQ(division.api, 10'000U);
  EXPECT_EQ(division.smtp, 10'000U);
  EXPECT_EQ(division.dns, 3'968U);
  EXPECT_EQ(division.preflight, 128U);
}

TEST(FilesDivision, LeavesTheOtherWhatOneDoesNotWant) {
  const auto small_api =
      files_division(4'096, {.threads = 2, .api_connections = 100, .smtp_connections = 10'000})
          .value();
  EXPECT_EQ(small_api.api, 100U);
  EXPECT_GT(small_api.smtp, 3'000U);
  const auto small_smtp =
      files_division(4'096, {.threads = 2, .api_connections = 10'000, .smtp_connections = 10})
          .value();
  EXPECT_EQ(small_smtp.smtp, 10U);
  EXPECT_GT(small_smtp.api, 3'000U);
}

TEST(FilesDivision, GivesThePagesOfTheConsoleTheirs) {
  FilesWanted wanted = kDefaults;
  const auto without = files_division(4'096, wanted).value();
  wanted.console_connections = 152;
  const auto with = files_division(4'096, wanted).value();
  EXPECT_EQ(with.process, without.process + 152);
  EXPECT_EQ(sum(with), 4'096U);
}

TEST(FilesDivision, GivesCallsAPart) {
  FilesWanted wanted = kDefaults;
  wanted.calls = 256;
  const auto small = files_division(1'024, wanted).value();
  EXPECT_EQ(sum(small), 1'024U);
  EXPECT_GE(small.calls, 50U);
  EXPECT_GE(small.smtp, 300U);
  EXPECT_EQ(files_division(1'000'000, wanted).value().calls, 256U);
  EXPECT_FALSE(files_division(423, wanted));
  const auto least = files_division(424, wanted).value();
  EXPECT_EQ(least.calls, 16U);
  EXPECT_EQ(sum(least), 424U);
}

TEST(FilesDivision, GivesTheRelayAQuarterAndWhatNobodyElseWants) {
  FilesWanted wanted = kDefaults;
  wanted.relay_connections = 10'000;
  const auto beside_all = files_division(20'000, wanted).value();
  EXPECT_GT(beside_all.relay, 4'900U);
  EXPECT_LT(beside_all.relay, 5'000U);
  wanted.smtp_connections = wanted.api_connections = 1'000;
  EXPECT_EQ(files_division(20'000, wanted).value().relay, 10'000U);
  EXPECT_EQ(files_division(12'000, {.threads = 2, .relay_connections = 10'000}).value().relay,
            10'000U);
}

TEST(FilesDivision, GivesNothingToWhatIsNotDone) {
  const auto sender = files_division(1'024, {.threads = 2, .smtp_connections = 10'000}).value();
  EXPECT_EQ(sender.api + sender.api_refusals + sender.uploads + sender.preflight, 0U);
  const auto taker = files_division(1'024, {.threads = 2, .api_connections = 10'000}).value();
  EXPECT_EQ(taker.smtp, 0U);
  EXPECT_GT(taker.api, 600U);
}

TEST(FilesDivision, NamesTheNumberThatIsNeeded) {
  const auto refused = files_division(256, kDefaults);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail,
            "the process may have 256 files open (ulimit -n), but needs at least 408");
  EXPECT_FALSE(files_division(407, kDefaults));
  EXPECT_TRUE(files_division(408, kDefaults));
}

TEST(FilesDivision, NeverGivesMoreThanThereIsNorLessThanTheLeast) {
  for (const std::uint64_t threads : {1UL, 2UL, 64UL}) {
    for (const std::uint64_t api : {0UL, 1UL, 63UL, 64UL, 65UL, 1'000UL, 1'000'000UL}) {
      for (const std::uint64_t smtp : {0UL, 1UL, 63UL, 64UL, 65UL, 1'000UL, 1'000'000UL}) {
        const FilesWanted wanted{
            .threads = threads, .api_connections = api, .smtp_connections = smtp};
        for (std::uint64_t limit = 1; limit < 100'000; limit += 1 + limit / 7) {
          const auto division = files_division(limit, wanted);
          if (!division) continue;
          ASSERT_LE(sum(*division), limit);
          ASSERT_LE(division->api, api);
          ASSERT_LE(division->smtp, smtp);
          ASSERT_GE(division->api, std::min<std::uint64_t>(api, 64));
          ASSERT_GE(division->smtp, std::min<std::uint64_t>(smtp, 64));
          // What a resolver needs at least (dns/unbound_resolver.h), each.
          ASSERT_GE(division->dns, 32U);
          ASSERT_GE(division->dns + division->preflight, 64U);
          ASSERT_TRUE(api == 0 ? division->preflight == 0 : division->preflight >= 32);
          ASSERT_GE(division->uploads, api > 0 ? 8U : 0U);
        }
      }
    }
  }
}

TEST(ShownFiles, TellTheDivision) {
  config::Config config;
  config.engine.roles = {"api", "scheduler", "courier"};
  config.api.connections_max = 10;
  config.smtp_out.connections_max = 20;
  EXPECT_THAT(show_files(config), HasSubstr("api.connections_max 10, smtp_out.connections_max 20,\n"
                                            "# smtp_in.connections_max 0.\n"))
      << "a relay that does not listen has none";
}

// With 1,200 files the relay has fewer places than one network may have by itself.
TEST(FilesDivision, OneNetworkLeavesOthersHalfOfThePlacesAtTheRelay) {
  auto loaded = config::read_config("[smtp_in]\nenabled = true\n", "todoku.toml", "/", {});
  ASSERT_TRUE(loaded);
  config::Config& config = loaded->config;
  const auto per_network = [&](std::uint64_t places) {
    return relay_options(config, places).connections_per_network_max;
  };
  EXPECT_EQ(per_network(200), 100U);
  EXPECT_EQ(per_network(1), 1U);
  EXPECT_EQ(per_network(10'000), 256U);
  config.smtp_in.connections_per_network_max = 0;
  EXPECT_EQ(per_network(200), 0U) << "no limit is no limit";
}

}  // namespace
}  // namespace todoku::app
