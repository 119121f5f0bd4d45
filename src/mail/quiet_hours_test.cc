// SPDX-License-Identifier: Apache-2.0
#include "mail/quiet_hours.h"

#include <gmock/gmock.h>

#include "base/date_time.h"

namespace todoku {
namespace {

using namespace std::chrono_literals;

Instant at(std::string_view text) {
  return parse_date_time(text).value();
}

QuietHours hours(std::string_view text) {
  auto parsed = parse_quiet_hours(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(QuietHours());
}

TEST(QuietHours, AreReadAsTheyAreWritten) {
  const QuietHours night = hours("21:00-08:00 Asia/Tokyo");
  EXPECT_EQ(night.from, 21h);
  EXPECT_EQ(night.until, 8h);
  EXPECT_EQ(to_string(night), "21:00-08:00 Asia/Tokyo");
  for (const std::string_view wrong :
       {"", "21:00-08:00", "21:00-08:00 ", "21:00 Asia/Tokyo", "24:00-08:00 Asia/Tokyo",
        "21:60-08:00 Asia/Tokyo", "9:00-08:00 Asia/Tokyo", "08:00-08:00 Asia/Tokyo",
        "21:00-08:00 Asia/Tokio", "21:00-08:00 GMT+9", "21:00-08:00 Etc/Unknown",
        "21:00-08:00 JST-9"}) {
    EXPECT_FALSE(parse_quiet_hours(wrong)) << wrong;
  }
}

TEST(QuietHours, LastOverMidnight) {
  const QuietHours night = hours("21:00-08:00 Asia/Tokyo");
  EXPECT_EQ(quiet_until(night, at("2026-11-30T20:59:59+09:00")), std::nullopt);
  EXPECT_EQ(quiet_until(night, at("2026-11-30T21:00:00+09:00")), at("2026-12-01T08:00:00+09:00"));
  EXPECT_EQ(quiet_until(night, at("2026-12-01T07:59:59+09:00")), at("2026-12-01T08:00:00+09:00"));
  EXPECT_EQ(quiet_until(night, at("2026-12-01T08:00:00+09:00")), std::nullopt);
  const OpenWindow open = open_window(night, at("2026-12-01T12:00:00+09:00"));
  EXPECT_EQ(open.from, at("2026-12-01T12:00:00+09:00"));
  EXPECT_EQ(open.until, at("2026-12-01T21:00:00+09:00"));
  const OpenWindow next = open_window(night, at("2026-12-01T23:00:00+09:00"));
  EXPECT_EQ(next.from, at("2026-12-02T08:00:00+09:00"));
  EXPECT_EQ(next.until, at("2026-12-02T21:00:00+09:00"));
}

TEST(QuietHours, MayBeWithinADay) {
  const QuietHours noon = hours("12:00-13:30 UTC");
  EXPECT_EQ(quiet_until(noon, at("2026-11-30T11:59:59Z")), std::nullopt);
  EXPECT_EQ(quiet_until(noon, at("2026-11-30T12:00:00Z")), at("2026-11-30T13:30:00Z"));
  EXPECT_EQ(quiet_until(noon, at("2026-11-30T13:30:00Z")), std::nullopt);
}

// 2026: summer time from 29 March to 25 October.
TEST(QuietHours, GoByTheClocksOfTheirZone) {
  const QuietHours night = hours("22:00-07:00 Europe/Berlin");
  EXPECT_EQ(quiet_until(night, at("2026-03-28T23:00:00+01:00")), at("2026-03-29T07:00:00+02:00"));
  EXPECT_EQ(quiet_until(night, at("2026-10-24T23:00:00+02:00")), at("2026-10-25T07:00:00+01:00"));
  EXPECT_EQ(quiet_until(night, at("2026-07-01T05:30:00Z")), std::nullopt);
  EXPECT_NE(quiet_until(night, at("2026-12-01T05:30:00Z")), std::nullopt);
}

// Europe/Berlin: 02:00 to 03:00 is shown twice on 25 October 2026, and never on 28 March 2027.
TEST(QuietHours, HoldWheneverClocksThatAreChangedShowThem) {
  const QuietHours night = hours("02:30-06:00 Europe/Berlin");
  EXPECT_EQ(quiet_until(night, at("2026-10-25T02:29:59+02:00")), std::nullopt);
  for (const std::string_view quiet :
       {"2026-10-25T02:30:00+02:00", "2026-10-25T02:40:00+02:00", "2026-10-25T02:10:00+01:00",
        "2026-10-25T02:40:00+01:00", "2026-10-25T05:59:59+01:00"}) {
    EXPECT_EQ(quiet_until(night, at(quiet)), at("2026-10-25T06:00:00+01:00")) << quiet;
  }
  EXPECT_EQ(quiet_until(night, at("2026-10-25T06:00:00+01:00")), std::nullopt);
  EXPECT_EQ(quiet_until(night, at("2027-03-28T01:59:59+01:00")), std::nullopt);
  for (const std::string_view quiet : {"2027-03-28T03:00:00+02:00", "2027-03-28T03:10:00+02:00"}) {
    EXPECT_EQ(quiet_until(night, at(quiet)), at("2027-03-28T06:00:00+02:00")) << quiet;
  }
  const QuietHours late = hours("22:00-02:30 Europe/Berlin");
  EXPECT_EQ(quiet_until(late, at("2026-10-24T23:00:00+02:00")), at("2026-10-25T02:30:00+01:00"));
  EXPECT_EQ(quiet_until(late, at("2027-03-27T23:00:00+01:00")), at("2027-03-28T03:00:00+02:00"));
  const QuietHours odd = hours("02:35-02:45 Europe/Berlin");
  EXPECT_NE(quiet_until(odd, at("2026-10-25T02:40:00+02:00")), std::nullopt);
  EXPECT_NE(quiet_until(odd, at("2026-10-25T02:40:00+01:00")), std::nullopt);
  EXPECT_EQ(open_window(odd, at("2026-10-24T12:00:00Z")).until, at("2026-10-25T02:35:00+02:00"));
  // No clock shows them on that day.
  EXPECT_EQ(open_window(odd, at("2027-03-27T12:00:00Z")).until, at("2027-03-29T02:35:00+02:00"));
}

TEST(QuietHours, AreOfAZoneWhoseWholeNameIsKnown) {
  using namespace std::string_view_literals;
  EXPECT_TRUE(is_time_zone("America/Argentina/Buenos_Aires"));
  EXPECT_TRUE(is_time_zone("America/Port-au-Prince"));
  EXPECT_TRUE(is_time_zone("Etc/GMT+9"));
  for (const std::string_view wrong :
       {"Asia/Tokyo\0junk"sv, "Asia/Tokyo\0"sv, "\0"sv, ""sv, "Asia/Tokyo "sv,
        "Asia/T\xC5\x8Dkyo"sv, "Asia/Tokyo\n"sv, "Asia/Tokyo\xFF"sv}) {
    EXPECT_FALSE(is_time_zone(wrong)) << wrong;
  }
}

TEST(QuietHours, OfAZoneThatNobodyKnowsNothingIsOpen) {
  const QuietHours lost{.from = 21h, .until = 8h, .zone = "Atlantis/Capital"};
  const Instant now = at("2026-11-30T12:00:00Z");
  EXPECT_EQ(quiet_until(lost, now), now + 1h);
  EXPECT_EQ(open_window(lost, now).until, now + 1h);
}

}  // namespace
}  // namespace todoku
