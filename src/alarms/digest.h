// SPDX-License-Identifier: Apache-2.0
// Which lines of the log are told as alarms, and when: the first ones half a minute later, so that
// what belongs together comes together, and then no more often than once in a while. What happens
// again and again is one alarm with a count. Trouble that is over (base/trouble.h) is told so,
// once. Pure; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace todoku::alarms {

struct DigestOptions {
  Milliseconds gather = std::chrono::seconds(30);
  Milliseconds every = std::chrono::minutes(15);  // between two reports
};

// Different ones that are remembered; others are counted together.
inline constexpr std::size_t kAlarmsMax = 50;
inline constexpr std::size_t kDetailOctetsMax = 400;
inline constexpr std::size_t kEarlierMax = 4;  // other details of one alarm

struct Alarm {
  std::string event;                   // of its line in the log
  std::string about = {};              // likewise: which of several of a kind; empty: the only one
  std::string detail;                  // of the last one: "reason=... site=..."
  std::vector<std::string> earlier{};  // others than that, the newest ones, in their order
  std::int64_t count = 0;
  Instant first{};
  Instant last{};
  bool over = false;
};

struct Report {
  std::vector<Alarm> alarms;  // what is new, and what goes on and has happened again
  std::vector<Alarm> over;    // was told before, or is over before it could be
  std::int64_t others = 0;    // lines beyond kAlarmsMax different ones
};

// What makes two lines the same alarm: Alarm's members of these names.
struct AlarmName {
  std::string_view event;
  std::string_view about = {};
};

class Digest {
 public:
  explicit Digest(DigestOptions options) : options_(options) {}

  // A line that is an alarm.
  void happened(Instant at, SteadyInstant now, AlarmName name, std::string detail);
  // What began so is over. Of what never began nothing is told.
  void ended(Instant at, SteadyInstant now, AlarmName name);

  // What is to be told now; nullopt: nothing, or not yet. It stays so until told() or failed().
  [[nodiscard]] std::optional<Report> due(SteadyInstant now) const;
  // All that has not been told, whenever it would be due; nullopt: nothing.
  [[nodiscard]] std::optional<Report> untold() const;
  // The report that was due was sent; what happened since is of the next.
  void told(SteadyInstant now, const Report& report);
  // It was not, and is tried again: after a minute, then ever later.
  void failed(SteadyInstant now);

 private:
  struct Kept {
    Alarm alarm;  // since it was last told
    bool has_news = false;
  };
  void news(SteadyInstant now);

  const DigestOptions options_;
  std::map<std::string, Kept> kept_;  // by event and about
  std::int64_t others_ = 0;
  std::optional<SteadyInstant> due_;  // nullopt: nothing is to be told
  std::optional<SteadyInstant> not_before_;
  int failures_ = 0;
};

}  // namespace todoku::alarms
