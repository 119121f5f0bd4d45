// SPDX-License-Identifier: Apache-2.0
#include "sim/world.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"
#include "sim/stored.h"

namespace todoku::sim {
namespace {

constexpr std::chrono::minutes kMargin{5};
// Mails taken for each recipient; chance repeats some a few times.
constexpr std::size_t kTakesMax = 10;
constexpr std::chrono::hours kLongest{8};  // a script that goes on for longer will go on for ever

std::string_view describe(Loop::End end) {
  switch (end) {
    case Loop::End::done:
      return "done";
    case Loop::End::stuck:
      return "nothing can happen any more, and the script is not over";
    case Loop::End::overtime:
      return "the script does not end";
    case Loop::End::livelock:
      return "things happen without end at one instant";
  }
  return "";
}

delivery::Options with_faults(delivery::Options options, const Faults& faults) {
  if (faults.expiry_ignored) {
    options.retry_transactional.life_time = std::chrono::hours(1'000);
    options.retry_bulk.life_time = std::chrono::hours(1'000);
  }
  if (faults.unrecorded_unbounded) options.unrecorded_max = 100'000;
  return options;
}

}  // namespace

World::World(Scenario scenario, std::size_t trace_lines)
    : scenario_(std::move(scenario)),
      trace_(clock_, trace_lines),
      loop_(clock_, scenario_.seed),
      options_(scenario_.options) {
  loop_.add(outside_);
  for (std::size_t i = 0; i < scenario_.sources; ++i) {
    const auto last = static_cast<std::uint8_t>(i + 1);
    options_.sources.push_back({.name = fmt::format("source{}", i),
                                .bind_v4 = net::IpAddress::v4({10, 255, 0, last}),
                                .ehlo = "out.sender.example"});
  }
  options_.return_path_domain = "bounces.sender.example";
  options_.message_id_domain = "sender.example";
  engine_options_ = with_faults(options_, scenario_.faults);
  for (const Mailing& mailing : scenario_.mailings) recipients_ += mailing.domains.size();
  make_rules();
  make_accounts();
  make_names_and_receivers();
  senders_ = std::make_unique<Senders>(scenario_, accounts_, clock_, trace_);
  for (std::size_t i = 0; i < scenario_.nodes; ++i) {
    places_.push_back(std::make_unique<Place>(clock_));
  }
}

World::~World() = default;

void World::make_rules() {
  std::string text = "[defaults]\ntls = \"none\"\n";
  for (const SiteScript& site : scenario_.sites) {
    text += fmt::format(
        "[{}]\ndomains = [\"{}\"]\ntls = \"none\"\nconnections_max = {}\n"
        "messages_per_connection = {}\nmessages_per_second = {}\nidle_seconds = {}\n",
        site.name, fmt::join(site.domains, "\", \""),
        site.connections_max + (scenario_.faults.connection_too_many ? 1 : 0),
        site.messages_per_connection,
        site.messages_per_second * (scenario_.faults.pace_too_high ? 1.5 : 1.0), site.idle.count());
  }
  const delivery::policy::SiteRules::Layer layer{"the scenario's rules", text, ""};
  auto parsed = delivery::policy::SiteRules::parse(std::span(&layer, 1));
  check(parsed.has_value(), parsed ? "" : parsed.error().detail);
  rules_ = std::move(*parsed);
}

void World::make_accounts() {
  for (const AccountScript& script : scenario_.accounts) {
    auto made = store_.write([&](store::WriteTransaction& transaction) -> Result<store::Account> {
      auto account = transaction.create_account(script.name);
      if (!account) return account;
      account->weight = script.weight;
      const auto changed = transaction.change_account(*account);
      if (!changed) return fail(changed.error());
      return account;
    });
    check(made.has_value(), "an account is made");
    accounts_.push_back(std::move(*made));
  }
  disk_ = std::make_unique<Disk>(Disk{.store = store_,
                                      .script = scenario_.store,
                                      .random = SeededRandom(scenario_.seed ^ 1),
                                      .token_checked = scenario_.safeguards.token_checked,
                                      .way_remembered = scenario_.safeguards.way_remembered,
                                      .faults = scenario_.faults});
}

void World::make_names_and_receivers() {
  dns::FakeResolver::Zone zone;
  for (std::size_t s = 0; s < scenario_.sites.size(); ++s) {
    const SiteScript& site = scenario_.sites[s];
    receivers_.push_back(std::make_unique<Receiver>(outside_.get_executor(), clock_, trace_, site,
                                                    scenario_.seed * 1'000 + s));
    std::vector<dns::MxRecord> hosts;
    for (std::size_t h = 0; h < site.hosts; ++h) {
      const std::string host = fmt::format("mx{}.{}.example", h, site.name);
      const auto address = net::IpAddress::v4(
          {10, 0, static_cast<std::uint8_t>(s), static_cast<std::uint8_t>(h + 1)});
      zone.a[host] = {address.to_string()};
      hosts.push_back({10, host});
      network_.add_host(address, *receivers_.back());
    }
    for (const std::string& domain : site.domains) zone.mx[domain] = hosts;
  }
  for (const DnsScript& script : scenario_.names) {
    if (!script.exists) zone.mx.erase(script.domain);
  }
  names_ = std::make_unique<Names>(std::move(zone), scenario_.names, clock_);
}

Surroundings World::surroundings(std::size_t place) {
  return {.clock = clock_,
          .own_clock = places_[place]->clock,
          .name = fmt::format("node{}", place),
          .trace = trace_,
          .disk = *disk_,
          .network = network_,
          .names = *names_,
          .rules = rules_,
          .options = engine_options_,
          .scenario = scenario_,
          .stray = [this, place](const queue::Channel& channel,
                                 const queue::Bell& bell) { stray(place, channel, bell); },
          .threads = scenario_.threads,
          .outside = outside_.get_executor()};
}

void World::start_engine(std::size_t place) {
  Place& here = *places_[place];
  here.engine = std::make_unique<Engine>(surroundings(place), ++runs_);
  here.key = store::kNobody;
  here.seen = {};
  for (std::size_t i = 0; i < here.engine->runtime().size(); ++i) {
    loop_.add(here.engine->runtime().context(i));
  }
  here.engine->start();
  here.busy = false;
}

void World::stray(std::size_t from, const queue::Channel& channel, const queue::Bell& bell) {
  const std::size_t to = (from + 1 + stray_random_.below(places_.size())) % places_.size();
  Place& there = *places_[to];
  if (to == from || there.busy || !there.engine) return;
  struct Ring {
    static Task<void> at(std::shared_ptr<queue::MemoryQueue> queue, queue::Bell one) {
      std::vector<queue::Bell> bells{one};
      (void)co_await queue->send(std::move(bells));
    }
  };
  there.engine->visitors().spawn("stray bell", Ring::at(there.engine->queues().get(channel), bell));
}

void World::trouble(std::string what) {
  trace_.line("TROUBLE: {}", what);
  troubles_.push_back(std::move(what));
}

// ---- the play ----------------------------------------------------------------------------------

void World::play() {
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
  const Loop::End end = loop_.run(done, clock_.steady_now() + kLongest);
  log::capture_this_thread({});
  if (end != Loop::End::done) give_up(describe(end));
  if (async::unhandled_exceptions() != exceptions) trouble("an exception left a task");
}

void World::observe() {
  std::size_t taken = 0;
  for (const auto& receiver : receivers_) taken += receiver->takes().size();
  if (taken > kTakesMax * recipients_ + 1'000) give_up("the same mails go out again and again");
  for (const auto& place : places_) {
    if (!place->engine) continue;
    unrecorded_most_[place->engine->run()] = place->engine->sending().recorder().unrecorded_peak();
  }
  if (places_.size() > 1 &&
      clock_.steady_now() - leases_watched_ >= std::chrono::milliseconds(100)) {
    watch_leases();
  }
}

// Which runs count as dead although they live.
void World::watch_leases() {
  leases_watched_ = clock_.steady_now();
  const auto nodes = store_.read([](store::ReadTransaction& reader) { return reader.nodes(); });
  check(nodes.has_value(), "the store answers");
  for (const auto& place : places_) {
    if (place->busy || !place->engine) continue;
    Engine& engine = *place->engine;
    // As of now or of the last look: between the two it may have counted as dead.
    const Lapse before =
        std::exchange(place->seen, {.from = clock_.steady_now(),
                                    .unrecorded = engine.sending().recorder().unrecorded(),
                                    .in_hand = connections(engine)});
    Lapse lapse = place->seen;
    lapse.unrecorded = std::max(lapse.unrecorded, before.unrecorded);
    lapse.in_hand = std::max(lapse.in_hand, before.in_hand);
    std::vector<Lapse>& lapses = lapses_[engine.run()];
    const bool is_open = !lapses.empty() && lapses.back().until == SteadyInstant::max();
    const store::NodeKey key = engine.node().key();
    const bool has_entered = key != store::kNobody && key != place->key;
    const bool lives = std::ranges::any_of(
        *nodes, [&](const store::Node& node) { return node.key == place->key && !node.is_void; });
    if (place->key != store::kNobody && !is_open && (has_entered || !lives)) {
      trace_.line("run {} counts as dead: {} unrecorded, {} in hand", engine.run(),
                  lapse.unrecorded, lapse.in_hand);
      lapses.push_back(lapse);
    }
    if (!has_entered) continue;
    place->key = key;
    if (!lapses.empty() && lapses.back().until == SteadyInstant::max()) {
      lapses.back().until = clock_.steady_now();
    }
  }
}

// Nothing can be taken apart that still runs.
void World::give_up(std::string_view why) const {
  fmt::print(stderr, "{}\nseed {}: {}\n", trace_.tail(), scenario_.seed, why);
  std::abort();
}

Task<Engine*> World::somebody() {
  while (true) {
    for (std::size_t tried = 0; tried < places_.size(); ++tried) {
      Place& place = *places_[next_place_++ % places_.size()];
      if (!place.busy && !place.stalled) co_return place.engine.get();
    }
    co_await async::sleep_for(std::chrono::milliseconds(100));
  }
}

Task<void> World::run_script() {
  for (std::size_t i = 0; i < places_.size(); ++i) start_engine(i);
  std::size_t mailing = 0;
  std::size_t incident = 0;
  const auto& mailings = scenario_.mailings;
  const auto& incidents = scenario_.incidents;
  while (mailing < mailings.size() || incident < incidents.size()) {
    const bool mail_next =
        incident == incidents.size() ||
        (mailing < mailings.size() && mailings[mailing].at <= incidents[incident].at);
    if (mail_next) {
      co_await sleep_until(mailings[mailing].at);
      Engine* const engine = co_await somebody();
      engine->visitors().spawn("sender", senders_->hand_in(*engine, mailing));
      ++mailing;
    } else {
      co_await sleep_until(incidents[incident].at);
      // Of a single node one after the other, so that there is always somebody.
      if (places_.size() == 1) {
        co_await happen(incidents[incident]);
      } else {
        incidents_.spawn("incident", happen(incidents[incident]));
      }
      ++incident;
    }
  }
  co_await incidents_.wait_empty();
  for (const auto& place : places_) co_await place->engine->visitors().wait_empty();
  co_await wait_until_settled();
  for (const auto& place : places_) co_await wait_until_idle(*place->engine);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    places_[i]->busy = true;
    co_await end_engine(i, std::chrono::minutes(5));
  }
  for (const auto& receiver : receivers_) co_await receiver->stop();
  read_store();
}

Task<void> World::sleep_until(Microseconds since_start) {
  const Microseconds wait = since_start - clock_.elapsed();
  if (wait > Microseconds(0)) co_await async::sleep_for(wait);
}

Task<void> World::happen(Incident incident) {
  if (const auto* c = std::get_if<Crash>(&incident.what)) co_await crash(*c);
  if (const auto* r = std::get_if<Restart>(&incident.what)) co_await restart(*r);
  if (const auto* s = std::get_if<Stall>(&incident.what)) co_await stall(*s);
  if (const auto* leap = std::get_if<NodeClockLeap>(&incident.what)) {
    trace_.line("the wall clock of node{} leaps by {} ms", leap->node, leap->by.count());
    places_[leap->node]->clock.leap(leap->by);
  }
  if (const auto* away = std::get_if<StoreAway>(&incident.what)) {
    Place& place = *places_[away->node];
    if (place.busy) co_return;
    trace_.line("node{} does not reach the store for {} ms", away->node,
                away->lasts.count() / 1000);
    place.engine->store().away_until(clock_.elapsed() + away->lasts);
  }
  if (const auto* leap = std::get_if<ClockLeap>(&incident.what)) {
    trace_.line("the wall clock leaps by {} ms", leap->by.count());
    clock_.leap(leap->by);
    leapt_back_ += std::max(-leap->by, Milliseconds(0));
  }
  if (const auto* full = std::get_if<DiskFull>(&incident.what)) {
    trace_.line("the disk is full for {} ms", full->lasts.count() / 1000);
    disk_->full_until = clock_.elapsed() + full->lasts;
  }
  if (const auto* slow = std::get_if<DiskSlow>(&incident.what)) {
    trace_.line("the disk is slow for {} ms", slow->lasts.count() / 1000);
    disk_->slow_commit = slow->commit;
    disk_->slow_until = clock_.elapsed() + slow->lasts;
  }
}

// As many mails may be in hand. A receiver that has answered and hung up forgets a connection
// before the engine has heard of either.
std::size_t World::connections(const Engine& engine) const {
  std::size_t at_receivers = 0;
  for (const auto& receiver : receivers_) at_receivers += receiver->connections(engine.run());
  std::size_t in_engine = 0;
  for (const auto& lane : engine.sending().lanes()) in_engine += lane.connections;
  return std::max(at_receivers, in_engine);
}

Task<void> World::crash(Crash crash) {
  Place& place = *places_[crash.node];
  if (place.busy || place.stalled) co_return;
  place.busy = true;
  Engine& engine = *place.engine;
  RunEnd& end = ends_[engine.run()];
  end = {.crashed = true,
         .unrecorded = engine.sending().recorder().unrecorded(),
         .in_hand = connections(engine),
         .at = clock_.steady_now()};
  trace_.line("run {} crashes: {} unrecorded, {} in hand", engine.run(), end.unrecorded,
              end.in_hand);
  for (const auto& receiver : receivers_) receiver->cut(engine.run());
  engine.die();
  remember_settled(engine.run());
  co_await end_engine(crash.node, Microseconds(0));
  co_await async::sleep_for(crash.down);
  start_engine(crash.node);
}

Task<void> World::restart(Restart restart) {
  Place& place = *places_[restart.node];
  if (place.busy || place.stalled) co_return;
  place.busy = true;
  trace_.line("run {} is stopped", place.engine->run());
  co_await end_engine(restart.node, restart.grace);
  co_await async::sleep_for(restart.down);
  start_engine(restart.node);
}

// Nothing of it runs meanwhile; what comes for it waits.
Task<void> World::stall(Stall stall) {
  Place& place = *places_[stall.node];
  if (place.busy || place.stalled) co_return;
  place.stalled = true;
  Engine& engine = *place.engine;
  trace_.line("run {} stands still for {} ms", engine.run(), stall.lasts.count() / 1000);
  for (std::size_t i = 0; i < engine.runtime().size(); ++i) {
    loop_.remove(engine.runtime().context(i));
  }
  co_await async::sleep_for(stall.lasts);
  trace_.line("run {} goes on", engine.run());
  for (std::size_t i = 0; i < engine.runtime().size(); ++i) loop_.add(engine.runtime().context(i));
  place.stalled = false;
}

Task<void> World::end_engine(std::size_t at, Microseconds grace) {
  std::unique_ptr<Engine>& engine = places_[at]->engine;
  const unsigned run = engine->run();
  const std::size_t in_hand = connections(*engine);
  const bool clean = co_await engine->stop(grace);
  // Cut off in the middle: like a crash, as far as the connections went.
  if (!engine->is_dead()) {
    ends_[run] = {.unrecorded = engine->sending().recorder().unrecorded(),
                  .in_hand = clean ? 0 : in_hand,
                  .at = clock_.steady_now()};
    remember_settled(run);
  }
  const SteadyInstant patience = clock_.steady_now() + std::chrono::minutes(2);
  while (!engine->is_over() && clock_.steady_now() < patience) {
    co_await async::sleep_for(std::chrono::milliseconds(50));
  }
  if (!engine->is_over()) trouble(fmt::format("run {} left something waiting behind", run));
  for (const auto& receiver : receivers_) {
    if (receiver->connections(run) > 0) {
      trouble(fmt::format("run {} left connections to {}", run, receiver->script().name));
    }
  }
  for (std::size_t i = 0; i < engine->runtime().size(); ++i) {
    loop_.remove(engine->runtime().context(i));
  }
  engine.reset();
}

// ---- the end -----------------------------------------------------------------------------------

bool World::all_settled() {
  const auto waiting = store_.read([&](store::ReadTransaction& transaction) {
    return count_unfinished(transaction, accounts_);
  });
  check(waiting.has_value(), "the store answers");
  return *waiting == 0;
}

Task<void> World::wait_until_settled() {
  // Every mail's life time is over then, and every site has had its rest.
  Microseconds latest{};
  for (const Mailing& mailing : scenario_.mailings) {
    latest = std::max(latest, mailing.at + mailing.reserved_for);
  }
  const Milliseconds life =
      std::max(options_.retry_bulk.life_time, options_.retry_transactional.life_time);
  const Microseconds limit = std::max(latest, clock_.elapsed()) + life + leapt_back_ +
                             2 * options_.site_backoff.longest + kMargin;
  while (!all_settled()) {
    if (clock_.elapsed() > limit) {
      trouble("mail is not settled although its life time is over");
      co_return;
    }
    co_await async::sleep_for(std::chrono::seconds(3));
  }
  trace_.line("all is settled");
}

Task<void> World::wait_until_idle(Engine& engine) {
  // Outcomes on their way, then connections that are kept for the next mail, then the lanes.
  for (int i = 0; i < 40; ++i) {
    if (engine.sending().lanes().empty() && engine.sending().recorder().unrecorded() == 0) {
      break;
    }
    co_await async::sleep_for(std::chrono::seconds(10));
  }
  for (const auto& lane : engine.sending().lanes()) {
    trouble(fmt::format("the lane to {} stays: {} connections, {} waiting, {}", lane.site,
                        lane.connections, lane.waiting, lane.resting ? "resting" : "awake"));
  }
  if (engine.sending().recorder().unrecorded() > 0) trouble("outcomes stay unrecorded");
  co_await async::sleep_for(scenario_.nodes > 1 ? 2 * scenario_.bells.late_by : Microseconds(0));
  for (const delivery::EgressSource& source : options_.sources) {
    for (const TrafficClass traffic : {TrafficClass::transactional, TrafficClass::bulk}) {
      auto depth = co_await engine.queues().get({source.name, traffic})->depth();
      if (depth && (depth->ready > 0 || depth->held > 0)) trouble("bells are left in a queue");
    }
  }
}

void World::remember_settled(unsigned run) {
  auto settled = store_.read([&](store::ReadTransaction& transaction) {
    return settled_addresses(transaction, accounts_);
  });
  check(settled.has_value(), "the store answers");
  settled_before_[run] = std::move(*settled);
}

void World::read_store() {
  auto stored = store_.read(
      [&](store::ReadTransaction& transaction) { return read_deliveries(transaction, accounts_); });
  check(stored.has_value(), "the store answers");
  stored_ = std::move(*stored);
  for (const auto& [mailing, delivery] : stored_) {
    for (const auto& [address, recipient] : delivery.recipients) {
      trace_.line("{}: {} after {} attempts", address, to_string(recipient.state),
                  recipient.attempts);
    }
  }
}

}  // namespace todoku::sim
