// SPDX-License-Identifier: Apache-2.0
#include "sts/tls_tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::sts {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using enum TlsResult;

const Instant kStart = from_epoch_ms(1'767'225'600'000);  // 2026-01-01

TlsTally::Count count(std::int64_t day, std::string domain, TlsResult result, std::int64_t n) {
  return {.day = day_of(kStart) + day,
          .domain = std::move(domain),
          .policy = TlsPolicyType::sts,
          .result = result,
          .attempts = n};
}

TEST(TlsTally, CountsByDayDomainAndResult) {
  TlsTally tally;
  const auto add = [&](Instant at, std::string_view domain, TlsResult result) {
    tally.add(at, domain, TlsPolicyType::sts, result);
  };
  add(kStart, "a.example", successful);
  add(kStart + std::chrono::hours(23), "a.example", successful);
  add(kStart, "a.example", certificate_expired);
  add(kStart + std::chrono::hours(24), "a.example", successful);
  const auto taken = tally.take();
  EXPECT_THAT(taken, ElementsAre(count(0, "a.example", successful, 2),
                                 count(0, "a.example", certificate_expired, 1),
                                 count(1, "a.example", successful, 1)));
  EXPECT_THAT(tally.take(), IsEmpty());
  add(kStart, "a.example", successful);
  tally.put_back(taken);
  EXPECT_EQ(tally.take().front(), count(0, "a.example", successful, 3));
}

TEST(TlsTally, TooManyDomainsAreOneWithoutAName) {
  TlsTally tally(2);
  for (const char* domain : {"a.example", "b.example", "c.example", "d.example", "a.example"}) {
    tally.add(kStart, domain, TlsPolicyType::sts, successful);
  }
  EXPECT_THAT(tally.take(),
              ElementsAre(count(0, "", successful, 2), count(0, "a.example", successful, 2),
                          count(0, "b.example", successful, 1)));
}

}  // namespace
}  // namespace todoku::sts
