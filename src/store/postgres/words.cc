// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/words.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"

namespace todoku::store::postgres {
namespace {

// So many lines at once, and one more each time that so much has passed.
constexpr std::int64_t kLinesMost = 10;
constexpr Microseconds kLineEvery = std::chrono::seconds(6);
constexpr std::size_t kShown = 400;

class Lines {
 public:
  // How many were left out since the last one; nullopt: this one is, too.
  std::optional<std::uint64_t> next(SteadyInstant now) {
    const std::lock_guard lock(mutex_);
    const std::int64_t more = (now - filled_) / kLineEvery;
    if (more > 0) {
      left_ = std::min(left_ + more, kLinesMost);
      filled_ = now;
    }
    if (left_ == 0) {
      ++left_out_;
      return std::nullopt;
    }
    --left_;
    return std::exchange(left_out_, 0);
  }

 private:
  std::mutex mutex_;
  std::int64_t left_ = kLinesMost;
  SteadyInstant filled_{};
  std::uint64_t left_out_ = 0;
};

Lines& lines_of(Words kind) {
  static std::array<Lines, 2> kinds;
  return kinds.at(static_cast<std::size_t>(kind));
}

std::string_view sentence_of(const Failure& failure) {
  const std::string_view state = failure.state;
  if (state.empty()) return "the database does not answer";
  if (failure.held_up()) return "the database holds up what is asked of it";
  if (failure.transient()) return "the database had others to serve first";
  if (state == "53100") return "the disk of the database is full";
  if (state.starts_with("53")) return "the database has no room for it";
  if (state == "25006") return "the database is read-only";
  if (state == "42501") return "the database refuses us a right that we had";
  if (state.starts_with("57") || state.starts_with("08")) return "the database is stopping";
  return "the database refuses it";
}

}  // namespace

void log_words(Words kind, std::string_view event, std::string_view words) noexcept {
  try {
    const auto left_out = lines_of(kind).next(SystemClock().steady_now());
    if (!left_out) return;
    std::string line(utf8_prefix(words, kShown));
    std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
    while (line.ends_with(' ')) line.pop_back();
    log::warning(event, {{"words", line}, {"lines_left_out", *left_out}});
  } catch (const std::exception&) {
    return;  // without memory nobody reads it
  }
}

Error in_our_words(const Failure& failure, const Error& error) noexcept {
  const ErrorKind kind = error.kind == ErrorKind::io ? ErrorKind::unavailable : error.kind;
  try {
    if (failure.state == "none") return {kind, error.detail};
    log_words(Words::failure, "the database failed", error.detail);
    return {kind, std::string(sentence_of(failure))};
  } catch (const std::exception&) {
    return {kind, {}};
  }
}

}  // namespace todoku::store::postgres
