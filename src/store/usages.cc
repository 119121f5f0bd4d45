// SPDX-License-Identifier: Apache-2.0
#include "store/usages.h"

namespace todoku::store {
namespace {

constexpr std::chrono::hours kJst{9};
constexpr Month kMonths = 100;  // a year in a Month

std::chrono::year_month year_month_of(Month month) {
  return {std::chrono::year(month / kMonths),
          std::chrono::month(static_cast<unsigned>(month % kMonths))};
}

Month month_in(std::chrono::year_month in) {
  return static_cast<int>(in.year()) * kMonths +
         static_cast<Month>(static_cast<unsigned>(in.month()));
}

}  // namespace

Month month_of(Instant instant) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(instant + kJst));
  return month_in({day.year(), day.month()});
}

Month month_before(Month month, int months) {
  return month_in(year_month_of(month) - std::chrono::months(months));
}

bool is_month(Month month) {
  constexpr Month kFirst = 197001;
  constexpr Month kLast = 999912;
  return month >= kFirst && month <= kLast && year_month_of(month).ok();
}

Instant beginning_of(Month month) {
  return std::chrono::sys_days(year_month_of(month) / std::chrono::day(1)) - kJst;
}

}  // namespace todoku::store
