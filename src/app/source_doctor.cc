// SPDX-License-Identifier: Apache-2.0
#include "app/source_doctor.h"

#include <algorithm>
#include <exception>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "base/log.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

// A process that has just begun has better things to do.
constexpr Microseconds kFirstLook = 30s;
constexpr Microseconds kReconsiderEvery = 5s;

constexpr std::string_view kFailed = "todoku_source_check_failed";
constexpr std::string_view kFailedHelp =
    "1 where the last look found a definite failure of this check of a sending address (doctor).";
constexpr std::string_view kListed = "todoku_source_listed";
constexpr std::string_view kListedHelp = "1 while an address of the source is on this blocklist.";
constexpr std::string_view kResting = "todoku_source_resting";
constexpr std::string_view kRestingHelp =
    "1 while the source rests: a check of it fails, and others of its pool send.";

}  // namespace

SourceDoctor::SourceDoctor(World world, Options options, const async::Executor& executor)
    : world_(std::move(world)),
      options_(std::move(options)),
      rest_(options_.rest),
      looks_(world_.metrics.counter("todoku_source_looks_total",
                                    "Looks at a sending address on the schedule (doctor).")),
      executor_(executor),
      wake_(executor),
      tasks_(executor) {
  for (const ExaminedSource& source : options_.sources) pool_.push_back(source.identity.name);
}

void SourceDoctor::start() {
  if (std::ranges::none_of(options_.sources, &ExaminedSource::is_seen)) return;
  boost::asio::post(executor_, [this] { tasks_.spawn("source doctor", run()); });
}

Task<void> SourceDoctor::stop() {
  stopping_ = true;
  wake_.notify();
  co_await tasks_.stop();
}

Task<void> SourceDoctor::run() {
  SteadyInstant next = world_.clock.steady_now() + std::min(options_.every, kFirstLook);
  while (!stopping_) {
    const SteadyInstant now = world_.clock.steady_now();
    if (now >= next) {
      try {
        co_await look();
      } catch (const std::exception&) {
        async::report_exception("looking at sources", std::current_exception());
      }
      next = world_.clock.steady_now() + options_.every;
    } else {
      reconsider();
    }
    (void)co_await wake_.wait_until(std::min(next, world_.clock.steady_now() + kReconsiderEvery));
  }
}

std::vector<ExaminedSource> SourceDoctor::to_examine() const {
  std::vector<ExaminedSource> seen;
  std::ranges::copy_if(options_.sources, std::back_inserter(seen), [this](const auto& source) {
    return source.is_seen() && world_.is_here(source.identity.name);
  });
  return seen;
}

Task<void> SourceDoctor::look() {
  const std::vector<ExaminedSource> seen = to_examine();
  std::vector<doctor::SourceLook> looks;
  for (const ExaminedSource& source : seen) {
    if (stopping_) co_return;
    const auto findings = co_await world_.examiner.examine(source);
    looks.push_back(doctor::look_of(source.identity.name, findings));
    looks_.add();
    show_figures(looks.back());
  }
  // One that is not looked at sends as far as anybody knows, where it is here.
  for (const ExaminedSource& source : options_.sources) {
    if (source.is_seen() || !world_.is_here(source.identity.name)) continue;
    looks.push_back({.source = source.identity.name, .seen = {}});
  }
  const auto changes = rest_.look(pool_, looks, world_.live(), world_.clock.steady_now());
  tell(changes);
  co_await ask_lists(seen);
}

void SourceDoctor::reconsider() {
  const auto changes = rest_.reconsider(pool_, world_.live(), world_.clock.steady_now());
  tell(changes);
}

Task<void> SourceDoctor::ask_lists(std::vector<ExaminedSource> seen) {
  const SteadyInstant now = world_.clock.steady_now();
  if (options_.lists.empty() || stopping_) co_return;
  if (lists_asked_ && now - *lists_asked_ < options_.lists_every) co_return;
  lists_asked_ = now;
  const auto standings = co_await world_.examiner.ask_lists(std::move(seen), options_.lists);
  for (const doctor::ListingWatch::Change& change : listings_.look(standings)) tell(change);
  std::vector<std::string> listed;
  for (const doctor::BlocklistStanding& each : listings_.listed()) listed.push_back(each.source);
  world_.listed.set(std::move(listed));
  for (const doctor::BlocklistStanding& standing : standings) {
    if (standing.standing != doctor::ListStanding::list_error) continue;
    log::info("a blocklist answers with an error of its own",
              {{"list", standing.zone}, {"answer", standing.found}});
  }
}

void SourceDoctor::tell(std::span<const doctor::SourceRest::Change> changes) {
  using What = doctor::SourceRest::Change::What;
  for (const doctor::SourceRest::Change& change : changes) {
    const auto write = [&](log::Level level, std::string_view event) {
      log::write(level, event,
                 {{"source", change.source},
                  {"check", doctor::to_string(change.check)},
                  {"reason", change.reason}});
    };
    switch (change.what) {
      case What::rests:
        write(log::Level::warning, "source rests");
        break;
      case What::returns:
        write(log::Level::info, "source sends again");
        break;
      case What::kept:
        write(log::Level::warning, "source fails a check and sends all the same");
        break;
    }
    world_.metrics.gauge(kResting, kRestingHelp, {{"source", change.source}})
        .set(change.what == What::rests ? 1 : 0);
  }
  if (!changes.empty()) world_.rested.set(rest_.resting());
}

void SourceDoctor::tell(const doctor::ListingWatch::Change& change) {
  const doctor::BlocklistStanding& of = change.standing;
  const auto list = std::ranges::find(options_.lists, of.zone, &doctor::Blocklist::zone);
  if (list == options_.lists.end()) return;
  world_.metrics
      .gauge(kListed, kListedHelp,
             {{"source", of.source}, {"address", of.address}, {"list", of.zone}})
      .set(change.is_listed ? 1 : 0);
  if (!change.is_listed) {
    log::info("an address is off a blocklist",
              {{"source", of.source}, {"address", of.address}, {"list", of.zone}});
    return;
  }
  const BilingualText text = doctor::text_to_send(of, *list);
  log::warning("an address is on a blocklist", {{"source", of.source},
                                                {"address", of.address},
                                                {"list", of.zone},
                                                {"found", of.found},
                                                {"page", list->page},
                                                {"text", text.en}});
}

void SourceDoctor::show_figures(const doctor::SourceLook& look) {
  for (std::size_t i = 0; i < doctor::kSourceChecks; ++i) {
    // What is not determined changes nothing.
    if (look.seen[i].outcome == doctor::Outcome::not_determined) continue;
    const std::string check(doctor::to_string(static_cast<doctor::SourceCheck>(i)));
    world_.metrics.gauge(kFailed, kFailedHelp, {{"source", look.source}, {"check", check}})
        .set(look.seen[i].outcome == doctor::Outcome::fail ? 1 : 0);
  }
}

}  // namespace todoku::app
