// SPDX-License-Identifier: Apache-2.0
#include "app/source_doctor.h"

#include <algorithm>
#include <exception>
#include <memory>

#include <boost/asio/post.hpp>

#include "app/source_looks.h"
#include "async/runtime.h"
#include "base/log.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

// A process that has just begun has better things to do.
constexpr Microseconds kFirstLook = 30s;
constexpr Microseconds kReconsiderEvery = 5s;
// A look at one lasts as long as somebody's silence; one after the other, those at many would last
// so long that no failure is found three times within the hour.
constexpr std::size_t kExaminedTogether = 8;

constexpr std::string_view kFailed = "todoku_source_check_failed";
constexpr std::string_view kFailedHelp =
    "1 where the last look found a definite failure of this check of a sending address (doctor).";
constexpr std::string_view kListed = "todoku_source_listed";
constexpr std::string_view kListedHelp = "1 while an address of the source is on this blocklist.";
constexpr std::string_view kResting = "todoku_source_resting";
constexpr std::string_view kRestingHelp =
    "1 while the source rests: a check of it fails, and others of its pool send.";

}  // namespace

struct SourceDoctor::Round {
  std::vector<ExaminedSource> sources;
  std::size_t next = 0;
  std::vector<doctor::SourceLook> looks;
};

SourceDoctor::SourceDoctor(World world, Options options, const async::Executor& executor)
    : world_(std::move(world)),
      options_(std::move(options)),
      rest_(options_.rest),
      looks_(world_.metrics.counter("todoku_source_looks_total",
                                    "Looks at a sending address on the schedule (doctor).")),
      executor_(executor),
      wake_(executor),
      tasks_(executor) {}

void SourceDoctor::start() {
  if (std::ranges::none_of(options_.sources, &ExaminedSource::is_seen)) return;
  boost::asio::post(executor_, [this] {
    tasks_.spawn("source doctor", run());
    tasks_.spawn("rests of sources", reconsider_often());
  });
}

Task<void> SourceDoctor::stop() {
  stopping_ = true;
  wake_.notify();
  co_await tasks_.stop();
}

Task<void> SourceDoctor::run() {
  SteadyInstant next = world_.clock.steady_now() + std::min(options_.every, kFirstLook);
  while (!stopping_) {
    (void)co_await wake_.wait_until(next);
    const SteadyInstant now = world_.clock.steady_now();
    if (stopping_ || now < next) continue;
    next = now + options_.every;  // however long this look lasts
    try {
      co_await look();
    } catch (const std::exception&) {
      async::report_exception("looking at sources", std::current_exception());
    }
  }
}

Task<void> SourceDoctor::reconsider_often() {
  while (!stopping_) {
    tell(rest_.reconsider(world_.clock.steady_now()));
    (void)co_await wake_.wait_until(world_.clock.steady_now() + kReconsiderEvery);
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
  const auto round = std::make_shared<Round>();
  round->sources = to_examine();
  async::TaskGroup workers(executor_);
  const std::size_t count = std::min(kExaminedTogether, round->sources.size());
  for (std::size_t i = 0; i < count; ++i) workers.spawn("source", examine_some(round));
  // False: we are to end.
  while (!co_await workers.wait_empty_until(SteadyInstant::max())) workers.cancel();
  if (stopping_) co_return;
  if (world_.told_through != nullptr) co_await tell_and_hear(round->looks);
  if (stopping_) co_return;
  tell(rest_.look(round->looks, world_.clock.steady_now()));
  forget_elsewhere(round->sources);
  co_await ask_lists(round->sources);
}

Task<void> SourceDoctor::examine_some(std::shared_ptr<Round> round) {
  while (round->next < round->sources.size() && !stopping_) {
    const ExaminedSource& source = round->sources[round->next++];
    std::vector<doctor::Finding> findings;  // none: nothing is determined
    try {
      findings = co_await world_.examiner.examine(source);
    } catch (const std::exception&) {
      async::report_exception("looking at a source", std::current_exception());
    }
    if (stopping_) co_return;
    round->looks.push_back(doctor::look_of(source.identity.name, findings));
    looks_.add();
    show_figures(round->looks.back());
  }
}

// Without the store what was heard last counts, until it is too old.
Task<void> SourceDoctor::tell_and_hear(std::vector<doctor::SourceLook> looks) {
  std::vector<std::string> here;
  for (const doctor::SourceLook& look : looks) here.push_back(look.source);
  Result<void> told = co_await tell_looks(*world_.told_through, std::move(looks));
  auto heard =
      co_await looks_elsewhere(*world_.told_through, std::move(here), world_.clock.steady_now());
  if (heard) rest_.know_elsewhere(std::move(*heard));
  if (told && !heard) told = fail(heard.error());
  const SteadyInstant now = world_.clock.steady_now();
  if (told) {
    telling_.worked(now);
  } else {
    telling_.failed(now, {{"reason", told.error().detail}});
  }
}

Task<void> SourceDoctor::ask_lists(std::vector<ExaminedSource> seen) {
  const SteadyInstant now = world_.clock.steady_now();
  if (options_.lists.empty() || stopping_) co_return;
  if (lists_asked_ && now - *lists_asked_ < options_.lists_every) co_return;
  lists_asked_ = now;
  const auto standings = co_await world_.examiner.ask_lists(std::move(seen), options_.lists);
  for (const doctor::ListingWatch::Change& change : listings_.look(standings)) tell(change);
  tell_who_is_listed();
  for (const doctor::BlocklistStanding& standing : standings) {
    if (standing.standing != doctor::ListStanding::list_error) continue;
    log::info("a blocklist answers with an error of its own",
              {{"list", standing.zone},
               {"answer", standing.found.empty() ? standing.doubt.en : standing.found}});
  }
}

void SourceDoctor::forget_elsewhere(std::span<const ExaminedSource> seen) {
  std::vector<std::string> here;
  for (const ExaminedSource& source : seen) here.push_back(source.identity.name);
  std::erase_if(shown_, [&](const std::string& source) {
    if (std::ranges::find(here, source) != here.end()) return false;
    for (std::size_t i = 0; i < doctor::kSourceChecks; ++i) show_check(source, i, false);
    return true;
  });
  const auto forgotten = listings_.keep_only(here);
  for (const doctor::BlocklistStanding& each : forgotten) show_listing(each, false);
  if (!forgotten.empty()) tell_who_is_listed();
}

void SourceDoctor::tell_who_is_listed() {
  std::vector<std::string> listed;
  for (const doctor::BlocklistStanding& each : listings_.listed()) listed.push_back(each.source);
  world_.listed.set(std::move(listed));
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
  }
  show_rests();
}

// All of it, not what has changed: a source that went elsewhere has changed nothing, and is sent
// from here again as soon as its address is back.
void SourceDoctor::show_rests() {
  for (const std::string& source : shown_) {
    world_.metrics.gauge(kResting, kRestingHelp, {{"source", source}})
        .set(rest_.rests(source) ? 1 : 0);
  }
  world_.rested.set(rest_.resting());
}

void SourceDoctor::tell(const doctor::ListingWatch::Change& change) {
  const doctor::BlocklistStanding& of = change.standing;
  const auto list = std::ranges::find(options_.lists, of.zone, &doctor::Blocklist::zone);
  if (list == options_.lists.end()) return;
  show_listing(of, change.is_listed);
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

void SourceDoctor::show_listing(const doctor::BlocklistStanding& of, bool is_listed) {
  world_.metrics
      .gauge(kListed, kListedHelp,
             {{"source", of.source}, {"address", of.address}, {"list", of.zone}})
      .set(is_listed ? 1 : 0);
}

void SourceDoctor::show_figures(const doctor::SourceLook& look) {
  shown_.insert(look.source);
  for (std::size_t i = 0; i < doctor::kSourceChecks; ++i) {
    // What is not determined changes nothing.
    if (look.seen[i].outcome == doctor::Outcome::not_determined) continue;
    show_check(look.source, i, look.seen[i].outcome == doctor::Outcome::fail);
  }
}

void SourceDoctor::show_check(const std::string& source, std::size_t check, bool fails) {
  const std::string name(doctor::to_string(static_cast<doctor::SourceCheck>(check)));
  world_.metrics.gauge(kFailed, kFailedHelp, {{"source", source}, {"check", name}})
      .set(fails ? 1 : 0);
}

}  // namespace todoku::app
