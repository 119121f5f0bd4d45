// SPDX-License-Identifier: Apache-2.0
#include "alarms/alarmer.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "async/runtime.h"
#include "base/printable.h"

namespace todoku::alarms {
namespace {

using namespace std::chrono_literals;

constexpr Microseconds kLookEvery = 1s;
constexpr Microseconds kLastWordsMost = 5s;   // telling while the process stops
constexpr std::string_view kEnds = "ends";    // base/trouble.h
constexpr std::string_view kAbout = "about";  // likewise

std::string text_of(const log::Field& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    return printable(text->substr(0, kDetailOctetsMax));
  }
  if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
    return fmt::format("{}", *number);
  }
  if (const auto* real = std::get_if<double>(&field.value)) return fmt::format("{:.6g}", *real);
  return std::get<bool>(field.value) ? "true" : "false";
}

std::string_view about_of(log::Fields fields) {
  const auto found = std::ranges::find(fields, kAbout, &log::Field::name);
  if (found == fields.end()) return {};
  const auto* text = std::get_if<std::string_view>(&found->value);
  return text == nullptr ? std::string_view() : *text;
}

std::string detail_of(log::Fields fields) {
  std::string detail;
  for (const log::Field& field : fields) {
    if (detail.size() >= kDetailOctetsMax) break;
    if (!detail.empty()) detail += ' ';
    detail += field.name;
    detail += '=';
    detail += text_of(field);
  }
  return detail;
}

}  // namespace

// Of one way.
struct Alarmer::Told {
  Told(const Way& given, const DigestOptions& options, Metrics& metrics)
      : way(given),
        digest(options),
        sent(metrics.counter("todoku_alarms_told_total",
                             "Reports of alarms to operators, by way and what became of them",
                             {{"way", given.name}, {"became", "told"}})),
        failures(metrics.counter("todoku_alarms_told_total", "",
                                 {{"way", given.name}, {"became", "failed"}})) {}

  const Way& way;
  Digest digest;
  Counter& sent;
  Counter& failures;
  Trouble trouble{log::Level::warning, "alarms cannot be told", "alarms can be told again"};
  Trouble refusals{log::Level::warning, "an address is not told of alarms",
                   "all addresses are told of alarms again"};
};

struct Alarmer::State {
  const Clock& clock;
  const std::vector<std::string> warnings;
  std::mutex mutex;  // guards the digests
  std::vector<std::unique_ptr<Told>> told;

  void hear(log::Level level, std::string_view event, log::Fields fields) {
    const auto ends = std::ranges::find(fields, kEnds, &log::Field::name);
    const bool is_alarm =
        level == log::Level::error ||
        (level == log::Level::warning && std::ranges::find(warnings, event) != warnings.end());
    if (!is_alarm && ends == fields.end()) return;
    const Instant at = clock.now();
    const SteadyInstant now = clock.steady_now();
    const std::string detail = is_alarm ? detail_of(fields) : std::string();
    const std::string_view about = about_of(fields);
    const std::lock_guard lock(mutex);
    for (const auto& each : told) {
      if (is_alarm) {
        each->digest.happened(at, now, {.event = event, .about = about}, detail);
      } else if (const auto* began = std::get_if<std::string_view>(&ends->value)) {
        each->digest.ended(at, now, {.event = *began, .about = about});
      }
    }
  }
};

Alarmer::Alarmer(World world, AlarmerOptions options, async::Executor executor)
    : world_(std::move(world)),
      executor_(executor),
      state_(new State{
          .clock = world_.clock, .warnings = std::move(options.warnings), .mutex = {}, .told = {}}),
      senders_({.threads = 1, .threads_of_owner = 1}),
      wake_(executor),
      tasks_(executor) {
  for (const Way& way : world_.ways) {
    state_->told.push_back(std::make_unique<Told>(way, options.digest, world_.metrics));
  }
}

Alarmer::~Alarmer() = default;

void Alarmer::hear(log::Level level, std::string_view event, log::Fields fields) {
  state_->hear(level, event, fields);
}

void Alarmer::start() {
  log::watch([state = state_](log::Level level, std::string_view event, log::Fields fields) {
    try {
      state->hear(level, event, fields);
    } catch (const std::exception&) {  // no memory: the log has the line
    }
  });
  boost::asio::post(executor_, [this] { tasks_.spawn("alarms", run()); });
}

Task<void> Alarmer::stop() {
  log::watch({});
  stopped_ = true;
  co_await async::run_on(executor_, stop_here());
  senders_.stop();
}

// run() has its last look. What is under way then ends by itself, soon.
Task<void> Alarmer::stop_here() {
  wake_.notify();
  if (co_await tasks_.wait_empty_until(world_.clock.steady_now() + kLastWordsMost)) co_return;
  given_up_ = true;
  co_await tasks_.wait_empty();
}

Task<void> Alarmer::run() {
  while (!stopped_) {
    try {
      (void)co_await look();
    } catch (const std::exception&) {
      async::report_exception("telling alarms", std::current_exception());
    }
    if (stopped_) break;
    (void)co_await wake_.wait_until(world_.clock.steady_now() + kLookEvery);
  }
  try {
    (void)co_await last_look();
  } catch (const std::exception&) {
    async::report_exception("telling the last alarms", std::current_exception());
  }
}

Task<int> Alarmer::look() {
  return tell(false);
}

Task<int> Alarmer::last_look() {
  return tell(true);
}

// The others have the report: it does not go again for those whom it did not reach.
void Alarmer::tell_missed(Told& told, const std::vector<std::string>& missed, SteadyInstant now) {
  if (missed.empty()) return told.refusals.worked(now);
  const std::string whom = fmt::format("{}", fmt::join(missed, "; "));
  told.refusals.failed(now, {{"way", told.way.name}, {"refused", whom}});
}

Task<int> Alarmer::tell(bool all) {
  int reports = 0;
  for (const auto& each : state_->told) {
    std::optional<Report> report;
    {
      const std::lock_guard lock(state_->mutex);
      report = all ? each->digest.untold() : each->digest.due(world_.clock.steady_now());
    }
    if (!report) continue;
    const auto told = co_await senders_.run(async::FilePool::Owner{},
                                            [&] { return each->way.tell(*report, given_up_); });
    if (given_up_) co_return reports;
    const SteadyInstant now = world_.clock.steady_now();
    if (told) {
      ++reports;
      each->sent.add();
      each->trouble.worked(now);
      tell_missed(*each, *told, now);
    } else {
      each->failures.add();
      each->trouble.failed(now, {{"way", each->way.name}, {"reason", told.error().detail}});
    }
    const std::lock_guard lock(state_->mutex);
    if (told) {
      each->digest.told(now, *report);
    } else {
      each->digest.failed(now);
    }
  }
  co_return reports;
}

}  // namespace todoku::alarms
