// SPDX-License-Identifier: Apache-2.0
// What a sink remembers and counts: duplicates, header fields, latencies, reports.
#include <atomic>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "base/random.h"
#include "sink/attempts.h"
#include "sink/duplicate_set.h"
#include "sink/header_scanner.h"
#include "sink/login.h"
#include "sink/report.h"
#include "sink/tally.h"

namespace todoku::sink {
namespace {

using Seen = DuplicateSet::Arrival;

TEST(DuplicateSet, KnowsPairsNotParts) {
  DuplicateSet set(100);
  EXPECT_EQ(set.insert("<1@x>", "a@example.jp"), Seen::first);
  EXPECT_EQ(set.insert("<1@x>", "b@example.jp"), Seen::first);
  EXPECT_EQ(set.insert("<2@x>", "a@example.jp"), Seen::first);
  EXPECT_EQ(set.insert("<1@x>", "a@example.jp"), Seen::again);
  EXPECT_EQ(set.size(), 3U);
}

TEST(DuplicateSet, HoldsManyAndFindsEachAgain) {
  DuplicateSet set(1'000'000);
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_EQ(set.insert(std::to_string(i), "a@example.jp"), Seen::first) << i;
  }
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_EQ(set.insert(std::to_string(i), "a@example.jp"), Seen::again) << i;
  }
}

TEST(DuplicateSet, SaysWhenItIsFullAndStillKnowsTheOld) {
  DuplicateSet set(1'000);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_EQ(set.insert(std::to_string(i), "a"), Seen::first);
  }
  EXPECT_EQ(set.insert("new", "a"), Seen::untracked);
  EXPECT_EQ(set.insert("7", "a"), Seen::again);
  DuplicateSet none(0);
  EXPECT_EQ(none.insert("1", "a"), Seen::untracked);
}

TEST(DuplicateSet, ManyThreadsAgreeOnWhoWasFirst) {
  DuplicateSet set(100'000);
  std::atomic<int> firsts = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) {
        if (set.insert(std::to_string(i), "a") == Seen::first) ++firsts;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(firsts, 5'000);
}

TEST(Attempts, CountsByKeyAndKeepsTheFirstTime) {
  Attempts attempts;
  const Instant start = from_epoch_ms(1'000);
  EXPECT_EQ(attempts.counted(5), 0U);
  EXPECT_EQ(attempts.count(5, start)->count, 1U);
  const auto second = attempts.count(5, start + std::chrono::seconds(9));
  EXPECT_EQ(second->count, 2U);
  EXPECT_EQ(second->first, start);
  EXPECT_EQ(attempts.counted(5), 2U);
}

std::string scan(std::string_view message, Random* cuts = nullptr) {
  HeaderScanner scanner("X-Sent");
  while (!message.empty()) {
    const std::size_t size = cuts == nullptr ? message.size() : 1 + cuts->below(message.size());
    scanner.feed(std::string(message.substr(0, size)));
    message.remove_prefix(size);
  }
  scanner.finish();
  return scanner.message_id() + "|" + scanner.other();
}

TEST(HeaderScanner, FindsBothFieldsInAnyCaseAndFolded) {
  EXPECT_EQ(scan("From: a\r\nMESSAGE-id:  <1@x> \r\nx-sent: 5\r\n\r\n"), "<1@x>|5");
  EXPECT_EQ(scan("Message-ID:\r\n <1@x>\r\nX-Sent: a\r\n\tb\r\n\r\n"), "<1@x>|a b");
  EXPECT_EQ(scan("Message-ID: <1@x>"), "<1@x>|");
  EXPECT_EQ(scan("Message-ID: <1@x>\nX-Sent: 5\n\n"), "<1@x>|5");
}

TEST(HeaderScanner, LooksNeitherIntoTheBodyNorAtLongerNames) {
  EXPECT_EQ(scan("From: a\r\n\r\nMessage-ID: <1@x>\r\n"), "|");
  EXPECT_EQ(scan("Message-ID-Old: <1@x>\r\nXX-Sent: 5\r\n\r\n"), "|");
  EXPECT_EQ(scan("Message-ID: <1@x>\r\nMessage-ID: <2@x>\r\n\r\n"), "<1@x>|");
  EXPECT_EQ(scan(""), "|");
}

TEST(HeaderScanner, HowTheMessageIsCutChangesNothing) {
  SeededRandom cuts(11);
  const std::string message =
      "Received: from " + std::string(1'500, 'x') +
      "\r\n by y\r\nSubject: z\r\nMessage-Id: <1@x>\r\nX-Sent: 17\r\n 18\r\n"
      "\r\nMessage-ID: <no@x>\r\n";
  for (int round = 0; round < 500; ++round) EXPECT_EQ(scan(message, &cuts), "<1@x>|17 18");
}

TEST(HeaderScanner, KeepsLittleOfAnEndlessLine) {
  HeaderScanner scanner("");
  for (int i = 0; i < 1'000; ++i) scanner.feed("Message-ID: " + std::string(1'000, 'x'));
  scanner.finish();
  EXPECT_LE(scanner.message_id().size(), 1'000U);
}

TEST(FindEpochMs, TakesARunOfThirteenDigits) {
  EXPECT_EQ(find_epoch_ms("1767225600123"), 1'767'225'600'123);
  EXPECT_EQ(find_epoch_ms("order 42 sent=1767225600123;"), 1'767'225'600'123);
  EXPECT_EQ(find_epoch_ms("17672256001234"), 0);
  EXPECT_EQ(find_epoch_ms("176722560012"), 0);
  EXPECT_EQ(find_epoch_ms(""), 0);
}

TEST(LatencyTally, BucketsAreNarrowAndInOrder) {
  std::size_t previous = 0;
  for (std::uint64_t ms = 0; ms < 100'000; ++ms) {
    const std::size_t bucket = LatencyTally::bucket_of(ms);
    ASSERT_GE(bucket, previous);
    previous = bucket;
    ASSERT_GE(LatencyTally::upper_end(bucket), ms);
    ASSERT_LE(static_cast<double>(LatencyTally::upper_end(bucket)),
              static_cast<double>(ms) * 1.033 + 0.5);
  }
  EXPECT_LT(LatencyTally::bucket_of(~0ULL), LatencyTally::kBuckets);
}

TEST(LatencyTally, PercentilesAreThoseOfTheValues) {
  LatencyTally tally;
  for (std::uint64_t ms = 1; ms <= 1'000; ++ms) tally.add(ms);
  std::vector<std::uint64_t> buckets(LatencyTally::kBuckets);
  std::uint64_t max = 0;
  tally.collect(buckets, max);
  const LatencySummary summary = summarize(buckets, max);
  EXPECT_EQ(summary.count, 1'000U);
  EXPECT_NEAR(static_cast<double>(summary.p50_ms), 500, 15);
  EXPECT_NEAR(static_cast<double>(summary.p90_ms), 900, 28);
  EXPECT_NEAR(static_cast<double>(summary.p99_ms), 990, 30);
  EXPECT_EQ(summary.max_ms, 1'000U);
  EXPECT_EQ(summarize(std::vector<std::uint64_t>(LatencyTally::kBuckets), 0).p99_ms, 0U);
}

TEST(DomainTally, CountsWhatIsTooMuchTogether) {
  DomainTally tally;
  for (std::size_t i = 0; i < DomainTally::kDomainsMax + 5; ++i) {
    tally.change("d" + std::to_string(i), [](DomainCounts& counts) { ++counts.recipients; });
  }
  tally.change("d0", [](DomainCounts& counts) { ++counts.recipients; });
  std::map<std::string, DomainCounts> domains;
  tally.collect(domains);
  EXPECT_EQ(domains["d0"].recipients, 2U);
  EXPECT_EQ(domains[std::string(kOtherDomains)].recipients, 5U);
}

TEST(Report, IsJsonWithEverythingAdded) {
  Report report{.seed = 7, .started = from_epoch_ms(0), .written = from_epoch_ms(1'500)};
  Counts one{.connections = 1, .messages = 10, .first_ms = 5'000, .last_ms = 6'000};
  one.replies[250] = 10;
  one.dkim["pass"] = 3;
  Counts two{.connections = 2, .messages = 20, .first_ms = 4'000, .last_ms = 5'500};
  two.replies[250] = 1;
  report.total.add(one);
  report.total.add(two);
  report.receivers["a \"b\""] = {.listening = {"127.0.0.1:25"}, .counts = one};
  report.domains["example.jp"].refused = 4;
  const boost::json::value json = boost::json::parse(to_json(report));
  EXPECT_EQ(json.at("seed").to_number<int>(), 7);
  EXPECT_EQ(json.at("written").as_string(), "1970-01-01T00:00:01.500Z");
  EXPECT_EQ(json.at("messages_per_second").to_number<double>(), 15.0);
  const auto& total = json.at("total");
  EXPECT_EQ(total.at("connections").to_number<int>(), 3);
  EXPECT_EQ(total.at("replies").at("250").to_number<int>(), 11);
  EXPECT_EQ(total.at("first_arrival").as_string(), "1970-01-01T00:00:04.000Z");
  EXPECT_EQ(total.at("last_arrival").as_string(), "1970-01-01T00:00:06.000Z");
  EXPECT_EQ(json.at("receivers").at("a \"b\"").at("listening").at(0).as_string(), "127.0.0.1:25");
  EXPECT_EQ(json.at("domains").at("example.jp").at("refused").to_number<int>(), 4);
}

TEST(Login, LetsTheOneUserIn) {
  Login login("user", "pass word");
  EXPECT_EQ(login.begin("PLAIN AHVzZXIAcGFzcyB3b3Jk").code, 235);
  EXPECT_EQ(login.begin("plain").code, 334);
  EXPECT_EQ(login.respond("AHVzZXIAcGFzcyB3b3Jk").code, 235);
  EXPECT_EQ(login.begin("LOGIN").text, "VXNlcm5hbWU6");
  EXPECT_EQ(login.respond("dXNlcg==").text, "UGFzc3dvcmQ6");
  EXPECT_EQ(login.respond("cGFzcyB3b3Jk").code, 235);
}

TEST(Login, LetsNobodyElseIn) {
  Login login("user", "pass word");
  EXPECT_EQ(login.begin("PLAIN AHVzZXIAd3Jvbmc=").code, 535);
  EXPECT_EQ(login.begin("PLAIN !!").code, 501);
  EXPECT_EQ(login.begin("PLAIN dXNlcg==").code, 501);
  EXPECT_EQ(login.begin("LOGIN b3RoZXI=").code, 334);
  EXPECT_EQ(login.respond("cGFzcyB3b3Jk").code, 535);
}

}  // namespace
}  // namespace todoku::sink
