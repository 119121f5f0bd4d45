// SPDX-License-Identifier: Apache-2.0
#include "operate/domain_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/domains.h"

namespace todoku::operate {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kHour = std::chrono::hours(1);
constexpr std::string_view kKey = "r1._domainkey.example.jp";

Instant at(int hours) {
  return from_epoch_ms(1'780'000'000'000) + hours * kHour;
}

DomainFinding found(std::string_view code, std::string_view outcome, std::string_view subject) {
  return {.code = std::string(code),
          .outcome = std::string(outcome),
          .subject = std::string(subject),
          .sentence = {.en = "en", .ja = "日本語"}};
}

TEST(DomainHistoryTest, TellsWhatBreaksAfterTheFirstCheckAndWhenItIsWholeAgain) {
  DomainHistory history;
  const std::vector<DomainFinding> first = {found("dkim_ok", "pass", kKey),
                                            found("dmarc_no_reports", "warning", "example.jp")};
  EXPECT_THAT(note_check(history, first, at(0)), IsEmpty()) << "it was so before anybody looked";
  EXPECT_THAT(history.faults, SizeIs(1));
  EXPECT_FALSE(history.fails());
  EXPECT_THAT(note_check(history, first, at(1)), IsEmpty());

  auto broken = first;
  broken[0] = found("dkim_missing", "fail", kKey);
  const auto broke = note_check(history, broken, at(2));
  ASSERT_THAT(broke, SizeIs(1));
  EXPECT_TRUE(broke[0].is_fault);
  EXPECT_EQ(broke[0].finding.code, "dkim_missing");
  EXPECT_TRUE(history.fails());
  EXPECT_THAT(note_check(history, broken, at(3)), IsEmpty()) << "told once";
  EXPECT_EQ(history.faults.back().since, at(2));

  const auto whole = note_check(history, first, at(4));
  ASSERT_THAT(whole, SizeIs(1));
  EXPECT_FALSE(whole[0].is_fault);
  EXPECT_EQ(whole[0].finding.code, "dkim_missing");
  EXPECT_EQ(history.checked, at(4));
  ASSERT_THAT(history.changes, SizeIs(2));
  EXPECT_EQ(history.changes[0].at, at(4)) << "the newest first";
}

TEST(DomainHistoryTest, WhatIsNotDeterminedNeitherBreaksNorMends) {
  const std::vector<DomainFinding> whole = {found("dkim_ok", "pass", kKey)};
  const std::vector<DomainFinding> broken = {found("dkim_missing", "fail", kKey),
                                             found("spf_missing", "fail", "example.jp")};
  DomainHistory history;
  (void)note_check(history, whole, at(0));
  (void)note_check(history, broken, at(1));
  for (const auto& unknown : {found("servers_silent", "not_determined", "example.jp"),
                              found("zone_undetermined", "not_determined", "example.jp")}) {
    EXPECT_THAT(note_check(history, {{unknown}}, at(2)), IsEmpty()) << unknown.code;
    EXPECT_THAT(history.faults, SizeIs(2));
    EXPECT_FALSE(history.is_determined);
  }
  // The key is not known about; the SPF record was seen.
  const std::vector<DomainFinding> half = {found("dkim_undetermined", "not_determined", kKey),
                                           found("spf_ok", "pass", "example.jp")};
  const auto mended = note_check(history, half, at(3));
  ASSERT_THAT(mended, SizeIs(1));
  EXPECT_EQ(mended[0].finding.code, "spf_missing");
  ASSERT_THAT(history.faults, SizeIs(1));
  EXPECT_EQ(history.faults[0].finding.code, "dkim_missing");
  EXPECT_EQ(history.faults[0].since, at(1));
}

TEST(DomainHistoryTest, StaysBoundedWhateverIsFoundAndFitsTheStore) {
  DomainHistory history;
  (void)note_check(history, {}, at(0));
  for (int hour = 1; hour < 100; ++hour) {
    std::vector<DomainFinding> findings;
    for (int i = 0; hour % 2 == 1 && i < 200; ++i) {
      findings.push_back(found("dkim_missing", "fail", std::to_string(i) + std::string(900, 'x')));
      findings.back().sentence = {.en = std::string(9'000, 'e'), .ja = std::string(9'000, 'j')};
    }
    (void)note_check(history, findings, at(hour));
    EXPECT_LE(history.faults.size(), kDomainFaultsMax);
    EXPECT_LE(history.changes.size(), kDomainChangesMax);
  }
  EXPECT_TRUE(check_sound(store::DomainCheck{.next = {}, .found = pack_history(history)}));
}

TEST(DomainHistoryTest, IsKeptAsItWas) {
  DomainHistory history;
  (void)note_check(history, {}, at(0));
  (void)note_check(history, {{found("dkim_missing", "fail", kKey)}}, at(1));
  const std::string packed = pack_history(history);
  const auto again = unpack_history(packed);
  ASSERT_TRUE(again);
  EXPECT_EQ(pack_history(*again), packed);
  EXPECT_EQ(again->faults.at(0).finding.sentence.ja, "日本語");
  EXPECT_EQ(again->changes.at(0).at, at(1));
  EXPECT_EQ(unpack_history("")->checked, std::nullopt);
  // Without the last octet, the number of records, it is that of an earlier version.
  for (std::size_t size = 1; size + 1 < packed.size(); ++size) {
    EXPECT_FALSE(unpack_history(packed.substr(0, size))) << size;
  }
  EXPECT_FALSE(unpack_history("\x02" + packed.substr(1))) << "of a later version";
}

DomainHistory checked_with(std::vector<DomainRecord> records) {
  DomainHistory history;
  (void)note_check(history, std::vector{found("spf_ok", "pass", "example.jp")}, at(0));
  note_records(history, std::move(records));
  return history;
}

DomainRecord record(RecordState state) {
  return {.name = "example.jp",
          .type = "TXT",
          .value = "v=spf1 ip4:192.0.2.1 ~all",
          .purpose = {.en = "SPF", .ja = "SPF レコード"},
          .problem = {.en = "no room", .ja = "余地なし"},
          .state = state,
          .is_optional = true,
          .is_for_later = false,
          .is_elsewhere = true};
}

TEST(DomainHistoryTest, RecordsAreKeptAsTheyWereSeen) {
  const auto packed = pack_history(checked_with({record(RecordState::different)}));
  const auto read = unpack_history(packed);
  ASSERT_TRUE(read);
  ASSERT_THAT(read->records, SizeIs(1));
  const DomainRecord& kept = read->records[0];
  EXPECT_EQ(kept.value, "v=spf1 ip4:192.0.2.1 ~all");
  EXPECT_EQ(kept.purpose.ja, "SPF レコード");
  EXPECT_EQ(kept.problem.en, "no room");
  EXPECT_EQ(kept.state, RecordState::different);
  EXPECT_TRUE(kept.is_optional);
  EXPECT_FALSE(kept.is_for_later);
  EXPECT_TRUE(kept.is_elsewhere);
}

TEST(DomainHistoryTest, ACheckThatReadNoZoneLeavesTheRecordsOfTheOneBefore) {
  auto history = checked_with({record(RecordState::published)});
  note_records(history, {});
  EXPECT_THAT(history.records, SizeIs(1));
}

TEST(DomainHistoryTest, AHistoryFromBeforeThereWereRecordsIsRead) {
  std::string packed = pack_history(checked_with({}));
  ASSERT_EQ(packed.back(), '\0') << "the number of records";
  packed.pop_back();
  const auto read = unpack_history(packed);
  ASSERT_TRUE(read);
  EXPECT_THAT(read->records, IsEmpty());
  EXPECT_EQ(read->checked, at(0));
}

TEST(DomainHistoryTest, RecordsThatAreCutAreNoHistory) {
  const std::string packed = pack_history(checked_with({record(RecordState::missing)}));
  EXPECT_FALSE(unpack_history(packed.substr(0, packed.size() - 3)));
}

TEST(DomainHistoryTest, AThousandRecordsAreNotKept) {
  const auto history = checked_with(std::vector(1'000, record(RecordState::missing)));
  EXPECT_THAT(history.records, SizeIs(kDomainRecordsMax));
}

}  // namespace
}  // namespace todoku::operate
