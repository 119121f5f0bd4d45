// SPDX-License-Identifier: Apache-2.0
// Structured log lines: an event name and fields, written as one JSON object or one human line.
// Message bodies, addresses' merge fields, tokens and keys never go here.
//
//   log::warning("lane suspended", {{"site", site}, {"until_ms", until}});
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace todoku::log {

enum class Level : std::uint8_t { debug, info, warning, error };
enum class Format : std::uint8_t { human, json };

struct Field {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  Field(std::string_view n, std::string_view v) : name(n), value(v) {}
  Field(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
  Field(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
  Field(std::string_view n, bool v) : name(n), value(v) {}
  Field(std::string_view n, double v) : name(n), value(v) {}
  template <std::integral T>
  Field(std::string_view n, T v) : name(n), value(static_cast<std::int64_t>(v)) {}
};
using Fields = std::initializer_list<Field>;

// Sets level and format for the whole process; lines go to standard error. Thread-safe.
void configure(Level minimum, Format format);
[[nodiscard]] bool enabled(Level level);

// What this thread logs goes to `capture` instead, whatever its level, until an empty one is given:
// for simulations, whose time is not the machine's. Must not log.
using Capture = std::function<void(Level level, std::string_view event, Fields fields)>;
void capture_this_thread(Capture capture);

// Everything that is written is shown to `watcher` as well, on the thread that writes it; an empty
// one ends that. One at a time. Must not log, throw or wait. Another thread may still be in it when
// this returns: what it needs lives as long as its last copy.
void watch(Capture watcher);

// Writes one line. Control characters in values are escaped, so a value cannot forge a line.
// Thread-safe; never throws; drops the line if standard error cannot be written.
void write(Level level, std::string_view event, Fields fields);

inline void debug(std::string_view event, Fields fields = {}) {
  if (enabled(Level::debug)) write(Level::debug, event, fields);
}
inline void info(std::string_view event, Fields fields = {}) {
  write(Level::info, event, fields);
}
inline void warning(std::string_view event, Fields fields = {}) {
  write(Level::warning, event, fields);
}
inline void error(std::string_view event, Fields fields = {}) {
  write(Level::error, event, fields);
}

// The text of one line without its line break, for tests. `now` in Unix milliseconds.
[[nodiscard]] std::string render(Format format, std::int64_t now_ms, Level level,
                                 std::string_view event, Fields fields);

}  // namespace todoku::log
