// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/lane.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/date_time.h"
#include "base/log.h"
#include "delivery/egress/lane_connection.h"

namespace todoku::delivery::egress {
namespace {

// How long what may go by another source waits for the scheduler to hear of the rest.
constexpr std::chrono::seconds kUntilElsewhere{5};
// How long a connection waits before it asks again for what was not answered.
constexpr std::chrono::seconds kPermitsAskedAgain{1};

LaneLimits ledger_limits(const policy::SiteLimits& limits, const Options& options) {
  return {.connections_max = limits.connections_max,
          .messages_per_connection = limits.messages_per_connection,
          .messages_per_second = limits.messages_per_second,
          .idle = limits.idle,
          .adaptive = limits.adaptive,
          .backoff = options.site_backoff};
}

policy::Flow flow_of(const Mail& mail) {
  const Letter& letter = mail.batch->letter();
  return {letter.traffic, static_cast<std::int64_t>(letter.account),
          static_cast<std::int64_t>(letter.delivery), letter.weight};
}

}  // namespace

Lane::Lane(LaneWorld& world, std::string site, const policy::SiteLimits& limits,
           const EgressSource& source, std::size_t home, std::uint64_t seed, bool is_named)
    : world_(world),
      site_(std::move(site)),
      limits_(limits),
      source_(source),
      way_out_(world.outcomes, site_, source_.name),
      home_(home),
      random_(seed),
      ledger_(ledger_limits(limits, world.options), random_),
      arrived_(world.runtime.executor(home)),
      next_thread_(home),
      warm_up_(world.warm_up != nullptr && world.warm_up->has_plan(source.name) ? world.warm_up
                                                                                : nullptr),
      counted_(is_named ? site_ : std::string()) {
  figures_.site = site_;
  figures_.source = source_.name;
  figures_.connections_max = limits_.connections_max;
  if (world_.paces == nullptr) return;
  if (const auto known = world_.paces->of(source_.name, site_, world_.clock.now())) {
    ledger_.pace().restore(known->pace, known->age, world_.clock.steady_now());
  }
}

Lane::~Lane() = default;

// ---- from other threads ------------------------------------------------------------------------

void Lane::add(std::unique_ptr<LaneArrival> arrival) noexcept {
  arrivals_.put(std::move(arrival));
  wake();
}

void Lane::leave(std::unique_ptr<LaneSeat> seat) noexcept {
  ended_.put(std::move(seat));
  wake();
}

void Lane::drain() noexcept {
  drain_asked_ = true;
  wake();
}

bool Lane::wake() noexcept {
  if (woken_.exchange(true)) return true;
  try {
    boost::asio::post(home(), [self = shared_from_this()] { self->tend(); });
    return true;
  } catch (...) {
    woken_ = false;
    async::report_exception("lane", std::current_exception());
    return false;
  }
}

// ---- on the home thread ------------------------------------------------------------------------

template <class Step>
void Lane::guarded(Step step) noexcept {
  try {
    step();
  } catch (...) {
    troubled_ = true;
    async::report_exception("lane", std::current_exception());
  }
}

template <class Node>
void Lane::deal_with_all(LaneInbox<Node>& inbox, void (Lane::*deal)(Node&)) noexcept {
  LaneInbox<Node> again;  // what failed must not keep others from their turn
  while (auto node = inbox.take()) {
    bool done = false;
    guarded([&] {
      (this->*deal)(*node);
      done = true;
    });
    if (!done) again.put(std::move(node));
  }
  while (auto node = again.take()) inbox.put(std::move(node));
}

void Lane::tend() noexcept {
  woken_ = false;
  for (std::size_t traffic = 0; traffic < turn_.size(); ++traffic) {
    const Turn turn = turn_[traffic].exchange(Turn::none);
    if (turn == Turn::none) continue;
    in_line_[traffic] = false;
    if (turn == Turn::granted) ++places_granted_;
  }
  if (drain_asked_.load() && !std::exchange(draining_, true)) {
    guarded([this] { arrived_.notify(); });
  }
  deal_with_all(ended_, &Lane::dismiss);
  deal_with_all(arrivals_, &Lane::accept);
  guarded([this] { park_all(parking_, parked_until_); });
  guarded([this] {
    if (draining_ && ledger_.waiting() > 0) park_waiting(world_.clock.steady_now());
  });
  guarded([this] { open_connections(); });
  guarded([this] {
    forget_unused_routes();
    publish_figures();
  });
}

void Lane::tidy() noexcept {
  troubled_ = false;
  guarded([this] { give_up_the_outlived(); });
  guarded([this] { park_those_held_back(); });
  guarded([this] {
    if (ledger_.waiting() > 0) ledger_.pace().nothing_heard(world_.clock.steady_now());
  });
  tend();
  guarded([this] { remember_pace(); });
}

void Lane::accept(LaneArrival& arrival) {
  routes_.insert_or_assign(arrival.route.key, arrival.route);
  take_in(arrival.route, arrival.mails);
  announced_.fetch_sub(1);
}

void Lane::dismiss(LaneSeat& seat) {
  free_place(seat);
  if (std::exchange(seat.threw, false)) troubled_ = true;
  const SteadyInstant now = world_.clock.steady_now();
  const bool found_no_room = std::exchange(seat.found_no_room, false);
  if (std::exchange(seat.could_not_begin, false) || found_no_room) {
    opens_none_until_ = now + world_.options.own_wait;
    wants_room_ = found_no_room;
  }
  world_.places.progressed(now);
  if (std::exchange(seat.served, false)) ledger_.served(now);
  tell_untold(seat);
  tell_pace(seat, now);
  const bool is_listed = std::exchange(seat.is_listed, false);
  if (std::exchange(seat.site_failed, false)) rest(now, seat, is_listed);
  if (std::exchange(seat.login_is_barred, false)) rest_while_barred(now);
  automate(seat, now);
  take_in(seat.route, seat.mails);
  if (opens_none(now) && ledger_.connections() == 0) park_waiting(opens_none_until_);
}

void Lane::free_place(LaneSeat& seat) noexcept {
  if (!std::exchange(seat.counted, false)) return;
  const bool first_begun = !seat.mails.empty() && (seat.untold || seat.begun_in_vain);
  const auto untried = static_cast<std::uint32_t>(seat.mails.size()) - (first_begun ? 1U : 0U);
  ledger_.give_back_permits(untried, seat.taken_at);
  guarded([&] { give_back_permits(seat.permits_of, untried); });
  ledger_.connection_closed(seat.route.key, seat.opened);
  world_.places.give_back();
}

void Lane::tell_untold(LaneSeat& seat) {
  if (!seat.untold) return;
  const LaneSeat::Untold& untold = *seat.untold;
  std::string_view words;
  Cause cause = untold.cause;
  if (untold.in_doubt) {
    words = "4.3.0 an error of ours ended the connection before the answer came";
    cause = Cause::in_doubt;
  } else if (untold.code == 0 && untold.state == RecipientState::deferred) {
    words = "4.3.0 an error of ours, which the log tells of";
    cause = Cause::engine_failure;
  }
  way_out_.settle(seat.mails.front(),
                  {.state = untold.state,
                   .stage = untold.stage,
                   .reply = {untold.code, std::string(words)},
                   .cause = cause},
                  untold.path, Milliseconds(0));
  seat.mails.pop();
  seat.untold.reset();
}

void Lane::rest(SteadyInstant now, LaneSeat& seat, bool elsewhere) {
  {
    const std::lock_guard lock(figures_mutex_);
    figures_.failure = std::move(seat.failure);
  }
  const bool rested_before = ledger_.resting(now);
  ledger_.site_failed(now);
  const bool not_logged_in = std::exchange(seat.not_logged_in, false);
  if (not_logged_in && !rested_before) bar(std::move(seat.login), now);
  leave_alone(now, rested_before, elsewhere);
}

// The rest is as long as ever before the same is tried again; but the lane looks oftener whether
// there is another, and what it parks comes back then.
void Lane::bar(RefusedLogin::Login login, SteadyInstant now) {
  {
    const std::lock_guard lock(figures_mutex_);
    refused_login_.refused(std::move(login), ledger_.failed_until());
  }
  ledger_.rest_until(std::min(refused_login_.until(), now + RefusedLogin::kLookAgain));
}

void Lane::rest_while_barred(SteadyInstant now) {
  ledger_.rest_until(std::min(refused_login_.until(), now + RefusedLogin::kLookAgain));
  park_waiting(ledger_.rests_until());
  const auto rest = std::chrono::ceil<Milliseconds>(ledger_.rests_until() - now);
  world_.feedback.rests({site_, source_.name, rest, false});
}

bool Lane::is_barred(const RefusedLogin::Login& login) const {
  const std::lock_guard lock(figures_mutex_);
  return refused_login_.bars(login, world_.clock.steady_now());
}

SteadyInstant Lane::parked_while_resting(SteadyInstant now) const {
  const SteadyInstant until = ledger_.rests_until();
  return now < unwanted_until_ ? std::min(until, now + kUntilElsewhere) : until;
}

void Lane::leave_alone(SteadyInstant now, bool rested_before, bool elsewhere) {
  const std::size_t waiting = ledger_.waiting();
  if (elsewhere) unwanted_until_ = ledger_.rests_until();
  // What may go by another source is due before the rest is over: the scheduler knows who rests.
  park_waiting(parked_while_resting(now));
  if (rested_before && !elsewhere) return;
  const auto rest = ledger_.rests_until() - now;
  log::warning("site rests", {{"site", site_},
                              {"source", source_.name},
                              {"failures", ledger_.failures()},
                              {"seconds", std::chrono::duration<double>(rest).count()},
                              {"elsewhere", elsewhere},
                              {"parked", waiting}});
  world_.feedback.rests({site_, source_.name, std::chrono::ceil<Milliseconds>(rest), elsewhere});
}

WarmUp::Permits Lane::take_permits(std::string_view route, std::uint32_t max) {
  if (warm_up_ == nullptr) return {.count = max};
  const auto waiting = static_cast<std::int64_t>(ledger_.waiting(route));
  return warm_up_->take(source_.name, counted_, std::min<std::int64_t>(max, waiting));
}

void Lane::give_back_permits(std::int64_t day, std::int64_t count) {
  if (warm_up_ == nullptr || count <= 0) return;
  warm_up_->give_back(source_.name, counted_, {.day = day, .count = count});
}

Task<void> Lane::ask_for_permits() {
  const SteadyInstant asked = world_.clock.steady_now();
  if (asking_) {  // another connection is, and tells
    (void)co_await arrived_.wait_until(asked + kPermitsAskedAgain);
    co_return;
  }
  asking_ = true;
  const std::shared_ptr<void> ends(nullptr, [this](void*) {
    asking_ = false;
    arrived_.notify();
  });
  const auto answer =
      co_await warm_up_->ask(source_.name, counted_, static_cast<std::int64_t>(ledger_.waiting()));
  const SteadyInstant now = world_.clock.steady_now();
  if (!answer) {
    log::warning("what a source may send today cannot be asked",
                 {{"source", source_.name}, {"reason", answer.error().detail}});
    (void)co_await arrived_.wait_until(now + kPermitsAskedAgain);
  } else if (!answer->granted) {
    hold_until_tomorrow(*answer, now);
  }
}

void Lane::hold_until_tomorrow(const WarmUp::Answer& answer, SteadyInstant now) {
  if (ledger_.held(now)) return;
  ledger_.hold(answer.full_until);
  if (answer.overflows) unwanted_until_ = answer.full_until;
  if (answer.begins) {
    plan_begins_ = now + (*answer.begins - world_.clock.now());
    log::info("the plan of a source that is to warm up has not begun",
              {{"site", site_},
               {"source", source_.name},
               {"begins", format_date_time(*answer.begins)},
               {"elsewhere", answer.overflows},
               {"parked", ledger_.waiting()}});
  } else {
    log::info("today's volume of a source that is warming up has gone",
              {{"site", site_},
               {"source", source_.name},
               {"elsewhere", answer.overflows},
               {"parked", ledger_.waiting()}});
  }
  park_waiting(parked_while_resting(now));
  const auto rest = std::chrono::ceil<Milliseconds>(answer.full_until - now);
  world_.feedback.rests({site_, source_.name, rest, answer.overflows});
  // Of small domains' mail no batch has to find that out for itself.
  if (answer.everywhere && answer.overflows) {
    world_.feedback.rests({std::string(LaneRest::kSharedSite), source_.name, rest, true});
  }
  publish_figures();
}

void Lane::tell_pace(LaneSeat& seat, SteadyInstant now) {
  const policy::RememberedPace before = ledger_.pace().remembered(now);
  tell_answers(seat, now);
  const policy::RememberedPace after = ledger_.pace().remembered(now);
  if (after.pace >= before.pace && after.connections >= before.connections) return;
  if (world_.slowdowns != nullptr) world_.slowdowns->happened(after.reason);
  log::info("site is sent to more slowly", {{"site", site_},
                                            {"source", source_.name},
                                            {"reason", to_string(after.reason)},
                                            {"messages_per_second", after.pace},
                                            {"before", before.pace},
                                            {"connections_max", after.connections},
                                            {"reply", seat.failure.text}});
}

void Lane::tell_answers(LaneSeat& seat, SteadyInstant now) {
  const std::uint32_t timed = std::exchange(seat.answers_timed, 0);
  const Microseconds took = std::exchange(seat.answers_took, {});
  const Microseconds latency = timed > 0 ? took / timed : Microseconds(0);
  // Good ones never ask for a rest.
  (void)ledger_.answered({.count = std::exchange(seat.answers, 0), .latency = latency}, now);
  if (seat.too_fast || seat.too_many) {
    const std::lock_guard lock(figures_mutex_);
    figures_.slowed_by = seat.failure;
  }
  if (std::exchange(seat.too_fast, false)) {
    seat.site_failed |= ledger_.answered(
        {.reply = policy::PaceReply::too_fast, .latency = now - seat.taken_at}, now);
  }
  if (!std::exchange(seat.too_many, false)) return;
  seat.site_failed |= ledger_.not_taken(now - seat.taken_at, now);
}

void Lane::automate(LaneSeat& seat, SteadyInstant now) {
  for (const policy::Automation* automation : std::exchange(seat.automations, {})) {
    if (automation_counts_.counted(*automation, now)) do_automation(*automation, now);
  }
}

void Lane::do_automation(const policy::Automation& automation, SteadyInstant now) {
  if (world_.automations_total != nullptr) world_.automations_total->add();
  // Alarms go by what the log calls an error.
  (automation.alarm ? log::error : log::warning)(
      "a receiver's answer sets off an automation",
      {{"automation", automation.id},
       {"site", site_},
       {"source", source_.name},
       {"slow_to", automation.slow_to},
       {"slow_seconds", static_cast<std::int64_t>(automation.slow_for.count())},
       {"suspend_seconds", static_cast<std::int64_t>(automation.suspend_for.count())},
       {"place", automation.place}});
  if (automation.slow_to > 0) {
    ledger_.pace().slow_to(automation.slow_to, now + automation.slow_for, now);
  }
  if (automation.suspend_for <= std::chrono::seconds(0)) return;
  const bool rested_before = ledger_.resting(now);
  ledger_.pace().suspend(now + automation.suspend_for);
  leave_alone(now, rested_before, true);
}

void Lane::take_in(const LaneRoute& route, MailsInHand& mails) {
  if (mails.empty()) return;
  const SteadyInstant now = world_.clock.steady_now();
  // While the site rests, nothing here would wake them when the rest is over.
  if (draining_ || ledger_.resting(now)) {
    return park_all(mails, draining_ ? now : parked_while_resting(now));
  }
  if (opens_none(now) && ledger_.connections() == 0) return park_all(mails, opens_none_until_);
  routes_.try_emplace(route.key, route);
  for (; !mails.empty(); mails.pop()) {
    ledger_.add(route.key, flow_of(mails.front()), mails.front());
  }
  // No connection is opened for what an idle one could take: it must know.
  arrived_.notify();
}

void Lane::park_all(MailsInHand& mails, SteadyInstant until) {
  given_back_.add(mails.size(), until, world_.clock.steady_now());
  for (; !mails.empty(); mails.pop()) way_out_.park(mails.front(), until);
}

void Lane::park_waiting(SteadyInstant until) {
  ledger_.take_all(parking_.list());
  parked_until_ = until;
  park_all(parking_, until);
}

void Lane::give_up_the_outlived() {
  const SteadyInstant now = world_.clock.steady_now();
  ledger_.remove_deliveries_if(
      [now](const Mail& mail) { return mail.batch->expired(now); },
      [&](const Mail& mail) {
        const auto& retry = world_.options.retry_of(mail.batch->leased().traffic);
        way_out_.settle(mail, policy::given_up(retry), Path{}, Milliseconds(0));
      });
}

// A connection that draws them would do the same, but at the pace of the site.
void Lane::park_those_held_back() {
  const SteadyInstant now = world_.clock.steady_now();
  ledger_.remove_deliveries_if([](const Mail& mail) { return mail.batch->held_back(); },
                               [&](const Mail& mail) { way_out_.park(mail, now); });
}

// ---- connections -------------------------------------------------------------------------------

void Lane::open_connections() {
  const SteadyInstant now = world_.clock.steady_now();
  while (!draining_ && !troubled_ && !opens_none(now)) {
    const auto route = ledger_.wants_connection(now);
    if (!route) break;
    auto seat = std::make_unique<LaneSeat>(routes_.at(*route));
    if (!take_place(*route)) break;
    open_connection(std::move(seat));
  }
  // Others are in line for what came when it was not needed any more.
  for (; places_granted_ > 0; --places_granted_) world_.places.give_back();
}

bool Lane::take_place(std::string_view route) {
  if (places_granted_ > 0) {
    --places_granted_;
    return true;
  }
  const TrafficClass traffic = ledger_.most_urgent(route);
  bool& in_line = in_line_[static_cast<std::size_t>(traffic)];
  if (in_line) return false;
  const auto granted = [lane = weak_from_this(), traffic]() noexcept {
    const auto self = lane.lock();
    if (self == nullptr) return false;
    std::atomic<Turn>& turn = self->turn_[static_cast<std::size_t>(traffic)];
    turn = Turn::granted;
    if (self->wake()) return true;
    // Unless it was tended meanwhile, and has the place: the next in line.
    Turn untaken = Turn::granted;
    return !turn.compare_exchange_strong(untaken, Turn::passed);
  };
  const bool taken = world_.places.take(traffic, granted);
  in_line = !taken;
  return taken;
}

std::shared_ptr<MailAtHand> Lane::new_at_hand() {
  auto at_hand = std::make_shared<MailAtHand>();
  const std::lock_guard lock(figures_mutex_);
  std::erase_if(at_hand_, [](const auto& connection) { return connection.expired(); });
  at_hand_.push_back(at_hand);
  return at_hand;
}

void Lane::open_connection(std::unique_ptr<LaneSeat> seat) {
  ledger_.connection_opening(seat->route.key);
  OwnedSeat owned(shared_from_this(), std::move(seat));
  world_.places.progressed(world_.clock.steady_now());
  const std::size_t thread = next_thread_++ % world_.runtime.size();
  auto connection = std::make_shared<LaneConnection>(std::move(owned), *world_.rounds[thread],
                                                     random_.next(), new_at_hand());
  boost::asio::post(world_.runtime.executor(thread), [world = &world_, thread, connection] {
    try {
      world->connections[thread]->spawn("smtp connection", LaneConnection::run(connection));
    } catch (...) {
      async::report_exception("smtp connection", std::current_exception());
    }
  });
}

namespace {

// Counts a connection as idle while it lives.
class Idling {
 public:
  Idling(LaneLedger<Mail>& ledger, ConnectionPlaces* places, std::string_view route)
      : ledger_(ledger), places_(places), route_(route) {
    ledger_.connection_idle(route_, true);
  }
  Idling(const Idling&) = delete;
  Idling& operator=(const Idling&) = delete;
  ~Idling() {
    ledger_.connection_idle(route_, false);
    if (places_ != nullptr) places_->end_idle();
  }

 private:
  LaneLedger<Mail>& ledger_;
  ConnectionPlaces* const places_;  // null: it waits for the pace and does not count there
  const std::string_view route_;
};

}  // namespace

Task<void> Lane::take(LaneSeat& seat, std::uint32_t max, SteadyInstant idle_until) {
  const std::string& route = seat.route.key;
  const SteadyInstant told = world_.clock.steady_now();
  const std::uint32_t allowed = ledger_.connections_allowed(told);
  tell_pace(seat, told);
  automate(seat, told);
  if (ledger_.connections_allowed(told) > allowed) guarded([this] { open_connections(); });
  if (seat.served && ledger_.failures() > 0) {
    ledger_.served(world_.clock.steady_now());
    tend();
  }
  while (true) {
    const SteadyInstant now = world_.clock.steady_now();
    if (draining_ || ledger_.resting(now)) co_return;
    const WarmUp::Permits permits = take_permits(route, max);
    if (permits.count == 0 && ledger_.waiting(route) > 0) {
      co_await ask_for_permits();
      continue;
    }
    seat.mails.refill(ledger_.take(route, static_cast<std::uint32_t>(permits.count), now));
    give_back_permits(permits.day, permits.count - static_cast<std::int64_t>(seat.mails.size()));
    seat.permits_of = permits.day;
    seat.taken_at = now;
    if (!seat.mails.empty()) {
      guarded([this] { publish_figures(); });
      co_return;
    }
    const bool paced = ledger_.waiting(route) > 0;
    if (!paced && (now >= idle_until || ledger_.others_need_room(route, now))) co_return;
    // It would wait for what others send as well.
    const bool is_spare = ledger_.connections() > ledger_.connections_allowed(now) + 1;
    if (paced && is_spare && !ledger_.urgent_waits(route)) co_return;
    if (!paced && !world_.places.begin_idle()) co_return;
    const Idling idling(ledger_, paced ? nullptr : &world_.places, route);
    co_await arrived_.wait_until(paced ? ledger_.next_permit_at() : idle_until);
  }
}

Task<void> Lane::connection_opened(LaneSeat& seat) {
  ledger_.connection_opened(seat.route.key);
  seat.opened = true;
  {
    const std::lock_guard lock(figures_mutex_);
    refused_login_.forget();
  }
  tend();
  co_return;
}

Task<void> Lane::tended() {
  tend();
  co_return;
}

// ---- figures -----------------------------------------------------------------------------------

void Lane::forget_unused_routes() {
  std::erase_if(routes_, [this](const auto& entry) { return !ledger_.knows(entry.first); });
}

bool Lane::is_idle() const {
  const SteadyInstant now = world_.clock.steady_now();
  // Its successor would know neither of a rest nor of mails that count against the pace, nor all of
  // what receivers' answers have set off, or nearly. A lane that is drained has nobody to slow.
  if (!draining_ && (ledger_.pace().slowed(now) || automation_counts_.counts(now))) return false;
  if (!draining_ && refused_login_.holds(now)) return false;
  return announced_.load() == 0 && ended_.empty() && parking_.empty() && places_granted_ == 0 &&
         !woken_.load() && ledger_.connections() == 0 && ledger_.waiting() == 0 &&
         !ledger_.resting(now) && !opens_none(now) && ledger_.next_permit_at() <= now;
}

void Lane::publish_figures() {
  const std::size_t waiting = ledger_.waiting();
  const std::uint32_t connections = ledger_.connections();
  world_.waiting_gauge.add(static_cast<double>(waiting) - static_cast<double>(published_waiting_));
  world_.connections_gauge.add(static_cast<double>(connections) -
                               static_cast<double>(published_connections_));
  published_waiting_ = waiting;
  published_connections_ = connections;
  const std::lock_guard lock(figures_mutex_);
  figures_.waiting = waiting;
  figures_.connections = connections;
  figures_.rests_until = ledger_.rests_until();
  figures_.failures = ledger_.failures();
  figures_.opens_none_until = opens_none_until_;
  figures_.wants_room = wants_room_;
  figures_.next_permit_at = ledger_.next_permit_at();
  figures_.in_line = in_line_[0] || in_line_[1];
  const SteadyInstant now = world_.clock.steady_now();
  figures_.messages_per_second = ledger_.pace().messages_per_second(now);
  figures_.connections_allowed = ledger_.connections_allowed(now);
  figures_.why = why(now);
}

policy::AdaptivePace::Why Lane::why(SteadyInstant now) const {
  policy::AdaptivePace::Why why = ledger_.pace().why(now);
  if (!ledger_.held(now)) return why;
  const bool begun = plan_begins_ <= now;
  why.reason = begun ? policy::PaceReason::warming_up : policy::PaceReason::not_begun;
  why.until = begun ? ledger_.rests_until() : plan_begins_;
  return why;
}

void Lane::remember_pace() {
  if (world_.paces == nullptr) return;
  const SteadyInstant steady = world_.clock.steady_now();
  const Instant now = world_.clock.now();
  const auto at = [&](SteadyInstant instant) {
    return now + std::chrono::ceil<Milliseconds>(instant - steady);
  };
  const policy::AdaptivePace& pace = ledger_.pace();
  const policy::RememberedPace remembered = pace.remembered(steady);
  const policy::AdaptivePace::Why why = this->why(steady);
  store::LanePace lane{
      .source = source_.name,
      .site = site_,
      .noted = now,
      .pace =
          stored_pace(why.reason == policy::PaceReason::slowed ? pace.messages_per_second(steady)
                                                               : remembered.pace),
      .connections = std::llround(std::ceil(remembered.connections)),
      .limit = stored_pace(remembered.limit),
      .reason = static_cast<std::int64_t>(why.reason),
      .latency_floor_us = remembered.latency_floor.count(),
      .latency_us = why.latency.count(),
      .since = why.since == SteadyInstant{} ? now : at(why.since),
      .ceiling = stored_pace(limits_.messages_per_second),
      .connections_open = ledger_.connections(),
      .connections_max = limits_.connections_max,
      .waiting = static_cast<std::int64_t>(ledger_.waiting() + given_back_.count(steady))};
  if (ledger_.resting(steady)) lane.rests_until = at(ledger_.rests_until());
  if (why.until > steady) lane.eases_at = at(why.until);
  world_.paces->note(std::move(lane));
}

Lane::Figures Lane::figures() const {
  const SteadyInstant now = world_.clock.steady_now();
  const std::lock_guard lock(figures_mutex_);
  Figures figures = figures_;
  figures.resting = now < figures.rests_until;
  return figures;
}

std::optional<MailAtHand::Sight> Lane::at_hand(const store::RecipientKey& mail) const {
  const std::lock_guard lock(figures_mutex_);
  for (const auto& connection : at_hand_) {
    const auto busy = connection.lock();
    if (busy == nullptr) continue;
    if (const auto sight = busy->of(mail)) return sight;
  }
  return std::nullopt;
}

}  // namespace todoku::delivery::egress
