// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/printable.h"
#include "base/utf8.h"

namespace todoku::log {
namespace {

std::atomic<Level> minimum_level{Level::info};
std::atomic<Format> line_format{Format::human};
thread_local Capture captured;
std::atomic<std::shared_ptr<const Capture>> watching;

spdlog::logger& sink() {
  static const auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("todoku",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

std::string_view word(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "unknown";
}

void append_escape(std::string& out, char32_t value) {
  // JSON writes what is beyond 16 bits as two surrogates (RFC 8259 section 7).
  if (value >= 0x10000) {
    append_escape(out, 0xD800 + ((value - 0x10000) >> 10U));
    append_escape(out, 0xDC00 + ((value - 0x10000) & 0x3FFU));
    return;
  }
  fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<std::uint32_t>(value));
}

// Of UTF-8. A line says of whom it speaks: nothing that it holds may make it show otherwise.
void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    const std::size_t octets = std::max<std::size_t>(point.octets, 1);
    if (text.front() == '"' || text.front() == '\\') out += '\\';
    if (is_misleading(point.value)) {
      append_escape(out, point.value);
    } else {
      out.append(text.substr(0, octets));
    }
    text.remove_prefix(octets);
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  // Bytes from outside may not be UTF-8, a JSON line must be.
  append_escaped(out, is_utf8(text) ? std::string(text) : "hex:" + to_hex(text));
  out += '"';
}

void append_value(std::string& out, const Field& field, bool quote_always) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    const bool plain = !quote_always && !text->empty() && is_ascii(*text) &&
                       text->find_first_of(" \"\\=\r\n\t") == std::string_view::npos;
    if (plain) {
      append_escaped(out, *text);
    } else {
      append_quoted(out, *text);
    }
  } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
    fmt::format_to(std::back_inserter(out), "{}", *number);
  } else if (const auto* real = std::get_if<double>(&field.value)) {
    fmt::format_to(std::back_inserter(out), "{:.6g}", *real);
  } else {
    out += std::get<bool>(field.value) ? "true" : "false";
  }
}

}  // namespace

void configure(Level minimum, Format format) {
  minimum_level = minimum;
  line_format = format;
}

void capture_this_thread(Capture capture) {
  captured = std::move(capture);
}

void watch(Capture watcher) {
  watching = watcher ? std::make_shared<const Capture>(std::move(watcher)) : nullptr;
}

bool enabled(Level level) {
  return level >= minimum_level.load(std::memory_order_relaxed);
}

std::string render(Format format, std::int64_t now_ms, Level level, std::string_view event,
                   Fields fields) {
  const auto time =
      fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(now_ms / 1000), now_ms % 1000);
  std::string out;
  if (format == Format::json) {
    out = fmt::format(R"({{"time":"{}","level":"{}","event":)", time, word(level));
    append_quoted(out, event);
    for (const Field& field : fields) {
      out += ',';
      append_quoted(out, field.name);
      out += ':';
      append_value(out, field, true);
    }
    out += '}';
    return out;
  }
  out = fmt::format("{} {:<7} ", time, word(level));
  append_escaped(out, event);
  for (const Field& field : fields) {
    out += ' ';
    out += field.name;
    out += '=';
    append_value(out, field, false);
  }
  return out;
}

void write(Level level, std::string_view event, Fields fields) {
  if (captured) {
    captured(level, event, fields);
    return;
  }
  if (const auto watcher = watching.load()) (*watcher)(level, event, fields);
  if (!enabled(level)) return;
  try {
    const auto now = to_epoch_ms(SystemClock().now());
    sink().log(spdlog::level::info,
               spdlog::string_view_t(render(line_format, now, level, event, fields)));
  } catch (const std::exception&) {
    // A log line that cannot be made or written must not end the work it speaks of.
    return;
  }
}

}  // namespace todoku::log
