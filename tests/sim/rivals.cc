// SPDX-License-Identifier: Apache-2.0
#include "sim/rivals.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"

namespace todoku::sim {
namespace {

// By then whatever happened is over: a death is waited out, and what is free is taken.
constexpr Microseconds kUntilAllIsOwned = seconds(60);
constexpr Microseconds kLongestPlay = std::chrono::hours(1);

}  // namespace

Rivals::Rivals(RivalScript script, std::size_t trace_lines)
    : script_(std::move(script)),
      trace_(clock_, trace_lines),
      loop_(clock_, script_.seed),
      disk_{.store = store_, .script = script_.store, .random = SeededRandom(script_.seed ^ 1)},
      hands_([this](std::string what) { trouble(std::move(what)); }) {
  loop_.add(outside_);
  for (std::size_t i = 0; i < script_.sources; ++i) sources_.push_back(fmt::format("source{}", i));
  for (std::size_t i = 0; i < script_.nodes; ++i) {
    places_.push_back(std::make_unique<Place>(clock_));
  }
}

Rivals::~Rivals() = default;

RivalSurroundings Rivals::surroundings(std::size_t place) {
  return {.clock = clock_,
          .own_clock = places_[place]->clock,
          .name = fmt::format("node{}", place),
          .seed = script_.seed,
          .trace = trace_,
          .disk = disk_,
          .hands = hands_,
          .safeguards = script_.safeguards,
          .sources = sources_,
          .is_here =
              [this, place](const std::string& source) {
                const auto& away = places_[place]->away_until;
                const auto found = away.find(source);
                return found == away.end() || clock_.elapsed() >= found->second;
              },
          .outside = outside_.get_executor()};
}

void Rivals::start(std::size_t place) {
  Place& here = *places_[place];
  here.rival = std::make_unique<Rival>(surroundings(place), ++runs_);
  loop_.add(here.rival->runtime().context(0));
  here.rival->start();
  here.busy = false;
}

Task<void> Rivals::end(std::size_t place) {
  std::unique_ptr<Rival>& rival = places_[place]->rival;
  co_await rival->stop();
  const SteadyInstant patience = clock_.steady_now() + std::chrono::minutes(2);
  while (!rival->is_over() && clock_.steady_now() < patience) {
    co_await async::sleep_for(std::chrono::milliseconds(50));
  }
  if (!rival->is_over()) trouble(fmt::format("run {} left something waiting", rival->run()));
  if (hands_.of(rival->run()) > 0) trouble(fmt::format("run {} left mails", rival->run()));
  loop_.remove(rival->runtime().context(0));
  rival.reset();
}

void Rivals::play() {
  log::capture_this_thread([this](log::Level, std::string_view event, log::Fields fields) {
    std::string line(event);
    for (const log::Field& field : fields) {
      std::visit([&](const auto& value) { line += fmt::format(" {}={}", field.name, value); },
                 field.value);
    }
    trace_.line("  log: {}", line);
  });
  bool over = false;
  const std::size_t exceptions = async::unhandled_exceptions();
  boost::asio::co_spawn(outside_, run_script(), [&](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
    over = true;
  });
  const auto done = [&] {
    observe();
    return over;
  };
  const Loop::End end = loop_.run(done, clock_.steady_now() + kLongestPlay);
  log::capture_this_thread({});
  if (end != Loop::End::done) give_up("it comes to no end");
  if (async::unhandled_exceptions() != exceptions) trouble("an exception left a task");
}

Task<void> Rivals::run_script() {
  for (std::size_t i = 0; i < places_.size(); ++i) start(i);
  for (const RivalIncident& incident : script_.incidents) {
    co_await sleep_until(incident.at);
    incidents_.spawn("incident", happen(incident));
  }
  co_await incidents_.wait_empty();
  co_await async::sleep_for(kUntilAllIsOwned);
  check_all_is_owned();
  for (std::size_t i = 0; i < places_.size(); ++i) {
    places_[i]->busy = true;
    co_await end(i);
  }
  check_nothing_is_left();
}

Task<void> Rivals::sleep_until(Microseconds since_start) {
  const Microseconds wait = since_start - clock_.elapsed();
  if (wait > Microseconds(0)) co_await async::sleep_for(wait);
}

// ---- incidents ---------------------------------------------------------------------------------

Task<void> Rivals::happen(RivalIncident incident) {
  if (const auto* c = std::get_if<Crash>(&incident.what)) co_await crash(*c);
  if (const auto* r = std::get_if<Restart>(&incident.what)) co_await restart(*r);
  if (const auto* s = std::get_if<Stall>(&incident.what)) co_await stall(*s);
  if (const auto* leap = std::get_if<ClockLeap>(&incident.what)) {
    trace_.line("the store's clock leaps by {} ms", leap->by.count());
    clock_.leap(leap->by);
  }
  if (const auto* leap = std::get_if<NodeClockLeap>(&incident.what)) {
    trace_.line("the wall clock of node{} leaps by {} ms", leap->node, leap->by.count());
    places_[leap->node]->clock.leap(leap->by);
  }
  if (const auto* full = std::get_if<DiskFull>(&incident.what)) {
    trace_.line("the disk is full for {} ms", full->lasts.count() / 1000);
    disk_.full_until = clock_.elapsed() + full->lasts;
    co_await async::sleep_for(full->lasts);
  }
  if (const auto* away = std::get_if<StoreAway>(&incident.what)) {
    Place& place = *places_[away->node];
    if (place.busy) co_return;
    trace_.line("node{} does not reach the store for {} ms", away->node,
                away->lasts.count() / 1000);
    place.rival->store().away_until(clock_.elapsed() + away->lasts);
    co_await async::sleep_for(away->lasts);
  }
  if (const auto* away = std::get_if<AddressAway>(&incident.what)) {
    trace_.line("{} is not on node{} for {} ms", sources_[away->source], away->node,
                away->lasts.count() / 1000);
    places_[away->node]->away_until[sources_[away->source]] = clock_.elapsed() + away->lasts;
    co_await async::sleep_for(away->lasts);
  }
}

Task<void> Rivals::crash(Crash crash) {
  Place& place = *places_[crash.node];
  if (place.busy || place.stalled) co_return;
  place.busy = true;
  trace_.line("run {} crashes with {} in hand", place.rival->run(), hands_.of(place.rival->run()));
  place.rival->die();
  co_await end(crash.node);
  co_await async::sleep_for(crash.down);
  start(crash.node);
}

Task<void> Rivals::restart(Restart restart) {
  Place& place = *places_[restart.node];
  if (place.busy || place.stalled) co_return;
  place.busy = true;
  trace_.line("run {} is stopped", place.rival->run());
  co_await end(restart.node);
  co_await async::sleep_for(restart.down);
  start(restart.node);
}

// Nothing of it runs meanwhile; what comes for it waits.
Task<void> Rivals::stall(Stall stall) {
  Place& place = *places_[stall.node];
  if (place.busy || place.stalled) co_return;
  place.stalled = true;
  Rival& rival = *place.rival;
  trace_.line("run {} stands still for {} ms", rival.run(), stall.lasts.count() / 1000);
  hands_.excuse(rival.run());
  loop_.remove(rival.runtime().context(0));
  co_await async::sleep_for(stall.lasts);
  trace_.line("run {} goes on", rival.run());
  loop_.add(rival.runtime().context(0));
  place.stalled = false;
}

// ---- what is seen ------------------------------------------------------------------------------

void Rivals::observe() {
  Moment moment{.at = clock_.elapsed()};
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Rival* const rival = places_[i]->rival.get();
    if (rival == nullptr) continue;
    if (rival->leads()) {
      if (moment.leader) trouble(fmt::format("node{} and node{} lead", *moment.leader, i));
      moment.leader = i;
    }
    for (const std::string& source : rival->sends_from()) {
      const auto [owner, alone] = moment.owners.emplace(source, i);
      if (!alone) trouble(fmt::format("node{} and node{} own {}", owner->second, i, source));
    }
  }
  if (!moments_.empty() && moments_.back().leader == moment.leader &&
      moments_.back().owners == moment.owners) {
    return;
  }
  std::string owners;
  for (const auto& [source, node] : moment.owners) owners += fmt::format(" {}:{}", source, node);
  trace_.line("leader {}, owners{}", moment.leader ? static_cast<int>(*moment.leader) : -1, owners);
  moments_.push_back(std::move(moment));
}

const Rivals::Moment& Rivals::at(Microseconds when) const {
  const auto after = std::ranges::upper_bound(moments_, when, {}, &Moment::at);
  check(after != moments_.begin(), "a moment that was");
  return *std::prev(after);
}

void Rivals::check_all_is_owned() {
  const Moment& now = moments_.back();
  if (!now.leader) trouble("nobody leads in the end");
  for (const std::string& source : sources_) {
    if (!now.owners.contains(source)) trouble(fmt::format("{} is nobody's in the end", source));
  }
  for (const auto& place : places_) {
    if (place->rival->live() != sources_) {
      trouble(fmt::format("run {} does not know which sources live", place->rival->run()));
    }
  }
}

void Rivals::check_nothing_is_left() {
  const bool free = store_
                        .read([](store::ReadTransaction& reader) -> Result<bool> {
                          const auto leader = reader.leader();
                          const auto owners = reader.source_owners();
                          return leader && owners && !*leader && owners->empty();
                        })
                        .value_or(false);
  if (!free) trouble("somebody who was stopped in order leads or owns");
}

void Rivals::trouble(std::string what) {
  trace_.line("TROUBLE: {}", what);
  if (std::ranges::count(troubles_, what) == 0) troubles_.push_back(std::move(what));
}

// Nothing can be taken apart that still runs.
void Rivals::give_up(std::string_view why) const {
  fmt::print(stderr, "{}\nseed {}: {}\n", trace_.tail(), script_.seed, why);
  std::abort();
}

Figures Rivals::figures() const {
  Figures figures;
  figures.taken = hands_.begun();
  const Moment* before = nullptr;
  for (const Moment& moment : moments_) {
    if (moment.leader && (before == nullptr || before->leader != moment.leader)) ++figures.reigns;
    for (const auto& [source, node] : moment.owners) {
      const auto was = before == nullptr ? moment.owners.end() : before->owners.find(source);
      const bool same = before != nullptr && was != before->owners.end() && was->second == node;
      if (!same) ++figures.ownerships;
    }
    before = &moment;
  }
  return figures;
}

Played play_rivals(std::uint64_t seed, const Safeguards& safeguards, std::size_t story_lines) {
  RivalScript script = generate_rivals(seed);
  script.safeguards = safeguards;
  Rivals rivals(std::move(script), story_lines);
  rivals.play();
  return {.seed = seed,
          .again = "TODOKU_RIVALS_SEED",
          .broken = rivals.troubles(),
          .figures = rivals.figures(),
          .digest = rivals.trace().digest(),
          .lines = rivals.trace().lines(),
          .lasted = rivals.clock().elapsed(),
          .story = rivals.trace().tail()};
}

}  // namespace todoku::sim
