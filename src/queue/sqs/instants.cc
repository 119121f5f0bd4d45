// SPDX-License-Identifier: Apache-2.0
#include "queue/sqs/instants.h"

#include <array>
#include <chrono>

namespace todoku::queue::sqs {
namespace {

// `count` digits at `at`; -1 if they are not.
int digits_at(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < at + count) return -1;
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

// 24 for the hour is refused, 60 for the second taken: a leap second.
std::optional<Instant> instant_of(int year, unsigned month, int day, std::string_view time) {
  const int hour = digits_at(time, 0, 2);
  const int minute = digits_at(time, 3, 2);
  const int second = digits_at(time, 6, 2);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 0 || day < 0 || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60 || time[2] != ':' || time[5] != ':') {
    return std::nullopt;
  }
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

}  // namespace

std::optional<Instant> read_timestamp(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T') return std::nullopt;
  std::string_view rest = text.substr(19);
  if (rest.front() == '.') {
    const std::size_t end = rest.find_first_not_of("0123456789", 1);
    if (end == std::string_view::npos || end == 1) return std::nullopt;
    rest.remove_prefix(end);
  }
  const int month = digits_at(text, 5, 2);
  if (rest != "Z" || month < 0) return std::nullopt;
  return instant_of(digits_at(text, 0, 4), static_cast<unsigned>(month), digits_at(text, 8, 2),
                    text.substr(11, 8));
}

std::optional<Instant> read_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' ||
      text[16] != ' ' || !text.ends_with(" GMT")) {
    return std::nullopt;
  }
  unsigned month = 0;
  for (unsigned i = 0; i < kMonths.size(); ++i) {
    if (text.substr(8, 3) == kMonths[i]) month = i + 1;
  }
  return instant_of(digits_at(text, 12, 4), month, digits_at(text, 5, 2), text.substr(17, 8));
}

}  // namespace todoku::queue::sqs
