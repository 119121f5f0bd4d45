// SPDX-License-Identifier: Apache-2.0
#include "explain/time_text.h"

#include <algorithm>
#include <array>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace todoku::explain {
namespace {

using namespace std::chrono_literals;

std::string zone_text(std::chrono::minutes offset) {
  if (offset == kJapan) return "JST";
  if (offset == 0min) return "UTC";
  const auto size = std::chrono::abs(offset);
  return fmt::format("{}{:02}:{:02}", offset < 0min ? '-' : '+', size.count() / 60,
                     size.count() % 60);
}

}  // namespace

std::string time_text(Instant instant, std::chrono::minutes offset) {
  const auto local = std::chrono::floor<std::chrono::seconds>(instant + offset);
  const std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(local - day);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} {}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     zone_text(offset));
}

std::string duration_text(Milliseconds duration, Language language) {
  struct Unit {
    std::chrono::seconds size;
    Sentence word;
  };
  static constexpr std::array kUnits = {Unit{24h, {"d", "日"}}, Unit{1h, {"h", "時間"}},
                                        Unit{1min, {"min", "分"}}, Unit{1s, {"s", "秒"}}};
  duration = std::max(duration, Milliseconds(0));
  if (duration < 1s) {
    return fmt::format("{} {}", duration.count(), Sentence{"ms", "ミリ秒"}.in(language));
  }
  if (duration < 10s) {
    return fmt::format("{:.1f} {}", static_cast<double>(duration.count()) / 1000,
                       kUnits.back().word.in(language));
  }
  auto seconds = std::chrono::round<std::chrono::seconds>(duration);
  const auto largest =
      std::ranges::find_if(kUnits, [&](const Unit& unit) { return seconds >= unit.size; });
  std::string out = fmt::format("{} {}", seconds / largest->size, largest->word.in(language));
  const auto next = std::next(largest);
  if (next != kUnits.end() && seconds % largest->size >= next->size) {
    out += fmt::format(" {} {}", seconds % largest->size / next->size, next->word.in(language));
  }
  return out;
}

}  // namespace todoku::explain
