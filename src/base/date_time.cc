// SPDX-License-Identifier: Apache-2.0
#include "base/date_time.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace todoku {
namespace {

constexpr std::chrono::minutes kJst{9 * 60};

// Takes digits off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  std::optional<int> digits(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  // One or two, as a spreadsheet writes them.
  std::optional<int> short_number() {
    if (rest_.size() > 1 && rest_[1] >= '0' && rest_[1] <= '9') return digits(2);
    return digits(1);
  }
  bool one_of(std::string_view characters) {
    if (rest_.empty() || !characters.contains(rest_.front())) return false;
    rest_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<std::chrono::year_month_day> scan_date(Scanner& in) {
  const auto year = in.digits(4);
  if (!year || !in.one_of("-/")) return std::nullopt;
  const auto month = in.short_number();
  if (!month || !in.one_of("-/")) return std::nullopt;
  const auto day = in.short_number();
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  return date.ok() ? std::optional(date) : std::nullopt;
}

std::optional<Milliseconds> scan_time(Scanner& in) {
  const auto hour = in.short_number();
  if (!hour || *hour > 23 || !in.one_of(":")) return std::nullopt;
  const auto minute = in.digits(2);
  if (!minute || *minute > 59) return std::nullopt;
  Milliseconds time = std::chrono::hours(*hour) + std::chrono::minutes(*minute);
  if (!in.one_of(":")) return time;
  const auto second = in.digits(2);
  if (!second || *second > 60) return std::nullopt;  // 60: a leap second counts as the next one
  time += std::chrono::seconds(*second);
  if (!in.one_of(".,")) return time;
  int scale = 100;
  bool any = false;
  while (const auto digit = in.digits(1)) {
    time += Milliseconds(*digit * scale);
    scale /= 10;
    any = true;
  }
  return any ? std::optional(time) : std::nullopt;
}

std::optional<std::chrono::minutes> scan_offset(Scanner& in) {
  if (in.at_end()) return kJst;
  if (in.one_of("Zz")) return std::chrono::minutes(0);
  const bool negative = in.peek() == '-';
  if (!in.one_of("+- ")) return std::nullopt;
  const auto hours = in.digits(2);
  if (!hours || *hours > 18) return std::nullopt;
  int minutes = 0;
  if (!in.at_end()) {
    (void)in.one_of(":");
    const auto given = in.digits(2);
    if (!given || *given > 59) return std::nullopt;
    minutes = *given;
  }
  const std::chrono::minutes offset = std::chrono::hours(*hours) + std::chrono::minutes(minutes);
  return negative ? -offset : offset;
}

// With zeros before it. Every event that is told has a time: by hand, a fraction of what a format
// string costs.
void append_padded(std::string& out, std::int64_t number, std::size_t digits) {
  std::array<char, 20> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  const auto size = static_cast<std::size_t>(end - text.data());
  if (size < digits) out.append(digits - size, '0');
  out.append(text.data(), size);
}

// "2026-04-01T09:00:00".
std::string to_the_second(std::chrono::sys_seconds at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  std::string out;
  out.reserve(32);
  append_padded(out, static_cast<int>(date.year()), 4);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_padded(out, time.hours().count(), 2);
  out += ':';
  append_padded(out, time.minutes().count(), 2);
  out += ':';
  append_padded(out, time.seconds().count(), 2);
  return out;
}

}  // namespace

std::string format_date_time(Instant instant) {
  return to_the_second(std::chrono::floor<std::chrono::seconds>(instant + kJst)) + "+09:00";
}

std::string format_utc(Instant instant) {
  const auto second = std::chrono::floor<std::chrono::seconds>(instant);
  std::string out = to_the_second(second);
  out += '.';
  append_padded(out, (instant - second).count(), 3);
  out += 'Z';
  return out;
}

std::optional<Instant> parse_date_time(std::string_view text) {
  Scanner in(text);
  const auto date = scan_date(in);
  if (!date) return std::nullopt;
  Instant instant(std::chrono::sys_days(*date).time_since_epoch());
  if (in.at_end()) return instant - kJst;
  if (!in.one_of("Tt ")) return std::nullopt;
  const auto time = scan_time(in);
  if (!time) return std::nullopt;
  const auto offset = scan_offset(in);
  if (!offset || !in.at_end()) return std::nullopt;
  return instant + *time - *offset;
}

}  // namespace todoku
