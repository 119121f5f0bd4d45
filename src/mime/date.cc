// SPDX-License-Identifier: Apache-2.0
#include "mime/date.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace todoku::mime {
namespace {

void append_two_digits(std::string& out, unsigned value) {
  out += static_cast<char>('0' + value / 10 % 10);
  out += static_cast<char>('0' + value % 10);
}

}  // namespace

void append_date(std::string& out, Instant instant, int offset_minutes) {
  using std::chrono::floor;
  constexpr std::array<std::string_view, 7> kDays{"Sun, ", "Mon, ", "Tue, ", "Wed, ",
                                                  "Thu, ", "Fri, ", "Sat, "};
  constexpr std::array<std::string_view, 12> kMonths{" Jan ", " Feb ", " Mar ", " Apr ",
                                                     " May ", " Jun ", " Jul ", " Aug ",
                                                     " Sep ", " Oct ", " Nov ", " Dec "};
  const auto local = floor<std::chrono::seconds>(instant + std::chrono::minutes(offset_minutes));
  const auto days = floor<std::chrono::days>(local);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss time(local - days);
  out += kDays[std::chrono::weekday(days).c_encoding()];
  append_two_digits(out, static_cast<unsigned>(date.day()));
  out += kMonths[static_cast<unsigned>(date.month()) - 1];
  const auto year = static_cast<unsigned>(std::clamp(static_cast<int>(date.year()), 1900, 9999));
  append_two_digits(out, year / 100);
  append_two_digits(out, year % 100);
  out += ' ';
  append_two_digits(out, static_cast<unsigned>(time.hours().count()));
  out += ':';
  append_two_digits(out, static_cast<unsigned>(time.minutes().count()));
  out += ':';
  append_two_digits(out, static_cast<unsigned>(time.seconds().count()));
  const auto offset = static_cast<unsigned>(std::abs(offset_minutes));
  out += offset_minutes < 0 ? " -" : " +";
  append_two_digits(out, offset / 60);
  append_two_digits(out, offset % 60);
}

}  // namespace todoku::mime
