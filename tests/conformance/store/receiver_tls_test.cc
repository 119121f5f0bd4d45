// SPDX-License-Identifier: Apache-2.0
// What is remembered of receivers' transport security (store/receiver_tls.h).
#include <vector>

#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

std::optional<StsPolicy> kept(Store& store, std::string_view domain) {
  return must(store.read_and_wait([&](ReadTransaction& t) { return t.sts_policy(domain); }));
}

std::vector<TlsCount> counted(Store& store, const TlsCountQuestion& question) {
  return must(store.read_and_wait([&](ReadTransaction& t) { return t.tls_counts(question); }));
}

TEST_P(StoreSuite, AnStsPolicyIsKeptUntilANewerOneComes) {
  const auto keep = [&](const StsPolicy& policy) {
    must(write([&](WriteTransaction& t) { return t.keep_sts_policy(policy); }));
  };
  EXPECT_EQ(kept(*store_, "example.jp"), std::nullopt);
  const StsPolicy first{.domain = "example.jp",
                        .id = "1",
                        .text = "version: STSv1\n",
                        .fetched = now(),
                        .expires = now() + 1h};
  keep(first);
  EXPECT_EQ(kept(*store_, "example.jp"), first);
  EXPECT_EQ(kept(*store_, "example.com"), std::nullopt);
  StsPolicy second = first;
  second.id = "2";
  second.fetched += 1s;
  keep(second);
  EXPECT_EQ(kept(*store_, "example.jp"), second);
  keep(first);  // by a node that was slow
  EXPECT_EQ(kept(*store_, "example.jp"), second);

  StsPolicy over = first;
  over.domain = "over.example";
  over.expires = now() - 1h;
  keep(over);
  keep(second);
  EXPECT_EQ(kept(*store_, "over.example"), std::nullopt) << "what has expired goes";
}

TEST_P(StoreSuite, TlsIsCountedByDayDomainPolicyAndResult) {
  using enum TlsResult;
  const auto add = [&](std::vector<TlsCount> counts, std::int64_t keep_since) {
    must(write([&](WriteTransaction& t) { return t.add_tls_counts(counts, keep_since); }));
  };
  const auto row = [](std::int64_t day, std::string domain, TlsResult result, std::int64_t n) {
    return TlsCount{.day = day,
                    .domain = std::move(domain),
                    .policy = TlsPolicyType::sts,
                    .result = result,
                    .attempts = n};
  };
  add({row(10, "a.example", successful, 2), row(11, "b.example", certificate_expired, 1)}, 0);
  add({row(10, "a.example", successful, 3), row(11, "a.example", successful, 1)}, 0);
  EXPECT_THAT(counted(*store_, {}), ElementsAre(row(11, "a.example", successful, 1),
                                                row(11, "b.example", certificate_expired, 1),
                                                row(10, "a.example", successful, 5)));
  EXPECT_THAT(counted(*store_, {.domain = "b.example"}),
              ElementsAre(row(11, "b.example", certificate_expired, 1)));
  EXPECT_THAT(counted(*store_, {.first_day = 11, .limit = 1}),
              ElementsAre(row(11, "b.example", certificate_expired, 1)));
  EXPECT_THAT(counted(*store_, {.first_day = 12}), IsEmpty());
  add({}, 11);
  EXPECT_THAT(counted(*store_, {.domain = "a.example"}),
              ElementsAre(row(11, "a.example", successful, 1)));
}

}  // namespace
}  // namespace todoku::store
