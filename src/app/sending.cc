// SPDX-License-Identifier: Apache-2.0
#include "app/sending.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/timer.h"
#include "base/log.h"

namespace todoku::app {
namespace {

// A bulk to the long tail makes thousands of lanes a second.
constexpr std::chrono::seconds kTidyEvery{10};
// Nothing starts later than a second after an address came onto a suppression list.
constexpr std::chrono::milliseconds kLookForStops{500};
// Lanes do it on their own threads.
constexpr std::chrono::seconds kNotedWithin{1};
// Lanes of a source, those noted last.
constexpr std::int64_t kPacesLearntMax = 10'000;
// For what takes a moment even after the deadline.
constexpr std::chrono::milliseconds kCutPatience{500};
// How soon it shows in what is taken over in memory that sources of others came or went.
constexpr std::chrono::seconds kLookAtSources{1};
// Transactions in flight beyond this wait in the store instead of in memory; likewise beyond as
// many octets as the contents of all other deliveries may have there
// (Options::content_cache_bytes).
constexpr std::size_t kHandedOverMax = 20'000;

}  // namespace

Sending::Sending(const World& world, delivery::Options options,
                 std::shared_ptr<const net::TlsClientContext> tls, net::Dialer* dialer)
    : runtime_(world.runtime),
      store_(world.store),
      node_(world.node),
      feedback_(world.feedback),
      owned_(world.owned),
      live_(world.live),
      keys_(world.keys),
      clock_(world.clock),
      options_(std::move(options)),
      hearing_(clock_, options_.orders_heard_within),
      lease_(node_, hearing_),
      recorder_(store_, lease_, feedback_, clock_, options_, world.rules, world.metrics,
                runtime_.executor(0)),
      holdings_(recorder_, node_, clock_),
      letters_(store_, keys_, options_),
      stops_(store_),
      places_(options_.connections_max),
      memory_(options_.composing_bytes),
      shortage_(world.metrics, clock_),
      receivers_(world.metrics),
      slowdowns_(world.metrics),
      warm_up_(options_.warm_ups, std::chrono::minutes(options_.date_offset_minutes), store_,
               clock_, world.metrics),
      lane_world_{
          .runtime = runtime_,
          .clock = clock_,
          .options = options_,
          .outcomes = recorder_,
          .tls = std::move(tls),
          .feedback = feedback_,
          .connections = connections_,
          .rounds = rounds_,
          .places = places_,
          .memory = memory_,
          .connections_gauge = world.metrics.gauge("todoku_smtp_connections",
                                                   "Connections to receivers, opening included."),
          .waiting_gauge = world.metrics.gauge("todoku_lane_waiting_recipients",
                                               "Recipients waiting in lanes for a connection."),
          .in_hand_gauge = world.metrics.gauge("todoku_mails_in_hand",
                                               "Mails that a connection is sending now: at most "
                                               "one each."),
          .dials_total =
              world.metrics.counter("todoku_smtp_dials_total", "Connections begun to receivers."),
          .shortage = shortage_,
          .receivers = receivers_,
          .dialer = dialer,
          .stops = &stops_,
          .listed = world.listed,
          .automations_total = &world.metrics.counter(
              "todoku_automations_total", "Automations that receivers' answers have set off."),
          .slowdowns = &slowdowns_,
          .paces = &paces_,
          .warm_up = &warm_up_,
          .refusals = &refusals_},
      lanes_(lane_world_, world.rules),
      courier_world_{.store = store_,
                     .queues = world.queues,
                     .routes = world.routes,
                     .lanes = lanes_,
                     .recorder = recorder_,
                     .holdings = holdings_,
                     .letters = letters_,
                     .feedback = feedback_,
                     .clock = clock_,
                     .options = options_,
                     .node = node_,
                     .metrics = world.metrics,
                     .mta_sts = world.mta_sts},
      pool_choice_(options_.pools, store_, runtime_.executor(0)),
      handed_over_(new HandedOver{{},
                                  delivery::policy::Room(kHandedOverMax),
                                  delivery::policy::Room(options_.content_cache_bytes)}),
      changed_(runtime_.executor(0)),
      tasks_(runtime_.executor(0)) {
  world.metrics
      .gauge("todoku_smtp_connections_limit", "Connections to receivers that may be open at once.")
      .set(static_cast<double>(options_.connections_max));
  node_.set_holder(holdings_);
  const auto by_eight = mailauth::dkim::RsaByEight::of(options_.rsa_arithmetic, world.metrics);
  for (std::size_t i = 0; i < runtime_.size(); ++i) {
    connections_.push_back(std::make_unique<async::TaskGroup>(runtime_.executor(i)));
    rounds_.push_back(
        std::make_unique<delivery::egress::SigningRounds>(runtime_.executor(i), by_eight));
    couriers_.push_back(
        std::make_unique<delivery::courier::Courier>(courier_world_, runtime_.executor(i)));
  }
  owned_.listen([this] { sources_changed(); });
}

Sending::~Sending() {
  owned_.listen({});
}

void Sending::start() {
  look_whether_all_is_ours();
  boost::asio::post(runtime_.executor(0), [this] {
    tasks_.spawn("tidy lanes", tidy_lanes());
    tasks_.spawn("sources", follow_sources());
    tasks_.spawn("suppressions", follow_stops());
  });
  accepting_ = true;
}

Task<void> Sending::tidy_lanes() {
  while (true) {
    const bool awake = co_await async::sleep_for(kTidyEvery);
    if (!awake) co_return;
    lanes_.tidy();
    const bool noted = co_await async::sleep_for(kNotedWithin);
    if (!noted) co_return;
    co_await tell_paces();
  }
}

Task<void> Sending::tell_paces() {
  const auto paces = paces_.take_untold();
  if (paces.empty()) co_return;
  const auto told = co_await store_.write(
      store::WritePriority::retention,
      [&paces](store::WriteTransaction& writer) { return writer.note_lane_paces(paces); });
  if (told) {
    paces_trouble_.worked(clock_.steady_now());
    co_return;
  }
  paces_.not_told(paces);
  paces_trouble_.failed(clock_.steady_now(), {{"reason", told.error().detail}});
}

// Without them its lanes begin gently.
Task<void> Sending::learn_paces(std::string source) {
  const store::LanePaceQuestion question{.source = source, .limit = kPacesLearntMax};
  auto known = co_await store_.read(
      [&question](store::ReadTransaction& reader) { return reader.lane_paces(question); });
  if (known) {
    paces_.learn(std::move(*known));
  } else {
    log::warning("what lanes had learnt is not known",
                 {{"source", source}, {"reason", known.error().detail}});
  }
}

Task<void> Sending::follow_stops() {
  while (true) {
    const SteadyInstant asked = clock_.steady_now();
    const auto looked = co_await stops_.look();
    if (looked) {
      stops_trouble_.worked(clock_.steady_now());
      if (*looked) heard(delivery::Hearing::Of::suppressions, asked);
    } else {
      stops_trouble_.failed(clock_.steady_now(), {{"reason", looked.error().detail}});
    }
    const bool awake = co_await async::sleep_for(kLookForStops);
    if (!awake) co_return;
  }
}

// ---- sources -----------------------------------------------------------------------------------

void Sending::sources_changed() {
  boost::asio::post(runtime_.executor(0), [this] { changed_.notify(); });
}

void Sending::look_whether_all_is_ours() {
  const std::vector<std::string> owned = owned_.owned();
  const std::vector<std::string> live = live_.live();
  sends_all_ = !owned.empty() && std::ranges::all_of(live, [&](const std::string& source) {
    return std::ranges::find(owned, source) != owned.end();
  });
}

Task<void> Sending::begin(const delivery::EgressSource& source) {
  co_await learn_paces(source.name);
  lanes_.resume(source.name);
  for (const auto& courier : couriers_) {
    co_await async::run_on(courier->executor(), courier->begin(source));
  }
}

// Whoever owns it next is told by in_use() when the last dialogue is over.
Task<void> Sending::end(const delivery::EgressSource& source) {
  for (const auto& courier : couriers_) {
    co_await async::run_on(courier->executor(), courier->end(source));
  }
  lanes_.drain(source.name);
}

Task<void> Sending::follow_sources() {
  while (true) {
    const std::vector<std::string> owned = owned_.owned();
    for (const delivery::EgressSource& source : options_.sources) {
      const bool is_ours = std::ranges::find(owned, source.name) != owned.end();
      const bool was_ours = std::exchange(sends_from_[source.name], is_ours);
      if (is_ours && !was_ours) co_await begin(source);
      if (!is_ours && was_ours) co_await end(source);
      // What its last connections had taken and did not begin comes after it was drained.
      if (!is_ours) co_await warm_up_.hand_back(source.name);
    }
    look_whether_all_is_ours();
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) co_return;
    // Others' sources come and go without a word.
    co_await changed_.wait_until(clock_.steady_now() + kLookAtSources);
  }
}

const delivery::EgressSource* Sending::source_of(const store::BatchKey& key, TrafficClass traffic,
                                                 delivery::policy::Pools::Place pool) const {
  return chosen_of(live_.live(), key, traffic, pool);
}

const delivery::EgressSource* Sending::source_with_room(const store::LeasedBatch& batch,
                                                        delivery::policy::Pools::Place pool) const {
  std::vector<std::string> live = live_.live();
  if (!options_.warm_ups.empty()) {
    std::erase_if(live, [&](const std::string& source) {
      return std::ranges::any_of(batch.recipients, [&](const store::LeasedRecipient& recipient) {
        const std::string_view address = recipient.address;
        return warm_up_.is_full(source, feedback_.site_of(address.substr(address.rfind('@') + 1)));
      });
    });
  }
  const auto* const chosen = chosen_of(live, batch.key, batch.traffic, pool);
  return chosen != nullptr ? chosen : source_of(batch.key, batch.traffic, pool);
}

const delivery::EgressSource* Sending::chosen_of(std::span<const std::string> live,
                                                 const store::BatchKey& key, TrafficClass traffic,
                                                 delivery::policy::Pools::Place pool) const {
  const auto place = options_.pools.choose(live, pool, traffic,
                                           static_cast<std::int64_t>(key.delivery), key.batch);
  if (!place) return nullptr;
  const auto found =
      std::ranges::find(options_.sources, live[*place], &delivery::EgressSource::name);
  return found == options_.sources.end() ? nullptr : &*found;
}

std::optional<explain::Way> Sending::way_of(const store::Story& story) const {
  const std::string_view address = story.address;
  const TrafficClass traffic =
      story.type == DeliveryType::bulk ? TrafficClass::bulk : TrafficClass::transactional;
  const auto pool =
      options_.pools.pool_of({.account = story.account,
                              .traffic = traffic,
                              .purpose = story.purpose,
                              .from_domain = delivery::policy::sender_domain(story.from)});
  const auto* const source = source_of(story.key.batch_key(), traffic, pool);
  if (source == nullptr) return std::nullopt;
  const std::vector<std::string> owned = owned_.owned();
  if (std::ranges::find(owned, source->name) == owned.end()) return std::nullopt;
  const std::string goes_to = source->smarthost ? source->smarthost->route_name()
                                                : story.address.substr(address.rfind('@') + 1);
  explain::Way way{.site = feedback_.site_of(goes_to),
                   .source = source->name,
                   .pool = options_.pools.name_of(pool)};
  const auto lane = lanes_.figures_of(way.site, way.source);
  if (!lane) return way;
  const Instant now = clock_.now();
  const SteadyInstant steady = clock_.steady_now();
  const auto in_the_calendar = [&](SteadyInstant when) -> std::optional<Instant> {
    if (when <= steady) return std::nullopt;
    return now + std::chrono::ceil<Milliseconds>(when - steady);
  };
  way.rests_until = in_the_calendar(lane->rests_until);
  const auto plan = options_.warm_ups.find(source->name);
  way.overflows = plan != options_.warm_ups.end() && plan->second.overflows;
  way.failures = lane->failures;
  way.failure = lane->failure;
  way.opens_none_until = in_the_calendar(lane->opens_none_until);
  way.wants_room = lane->wants_room;
  way.next_permit = in_the_calendar(lane->next_permit_at);
  way.connections = lane->connections;
  way.connections_max = lane->connections_max;
  way.waiting = lane->waiting;
  way.in_line = lane->in_line;
  using delivery::policy::PaceReason;
  const PaceReason reason = lane->why.reason;
  if (reason != PaceReason::fixed && reason != PaceReason::at_ceiling) {
    way.pace = explain::Way::Pace{.messages_per_second = lane->messages_per_second,
                                  .connections_max = lane->connections_allowed,
                                  .reason = reason,
                                  .until = in_the_calendar(lane->why.until)};
  }
  if (const auto at_hand = lanes_.at_hand(way.site, way.source, story.key)) {
    way.at_hand =
        explain::AtHand{.since = now - std::chrono::floor<Milliseconds>(steady - at_hand->since),
                        .stage = at_hand->awaited.stage,
                        .content_is_out = at_hand->awaited.content_is_out,
                        .until = in_the_calendar(at_hand->awaited.until)};
  }
  return way;
}

// ---- stopping ----------------------------------------------------------------------------------

Task<void> Sending::stop_recorder_after(Microseconds patience) {
  const bool passed = co_await async::sleep_for(patience);
  if (!passed) co_return;
  cut_off_ = true;
  recorder_.stop();
}

Task<void> Sending::end_connections(SteadyInstant deadline) {
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    const bool ended =
        co_await async::run_on(runtime_.executor(i), connections_[i]->wait_empty_until(deadline));
    if (ended) continue;
    cut_off_ = true;
    // Who waits for a commit that does not come (the disk says no) cannot be cut off otherwise.
    async::TaskGroup patience(runtime_.executor(0));
    patience.spawn("cut patience", stop_recorder_after(kCutPatience));
    co_await async::run_on(runtime_.executor(i), connections_[i]->stop());
    co_await patience.stop();
  }
}

Task<void> Sending::flush(SteadyInstant deadline) {
  // What was cut off has just told how far it came: that is worth a commit beyond the deadline.
  const Microseconds left = deadline - clock_.steady_now();
  async::TaskGroup patience(runtime_.executor(0));
  patience.spawn("flush patience", stop_recorder_after(std::max<Microseconds>(left, kCutPatience)));
  co_await recorder_.flushed();
  co_await patience.stop();
}

Task<void> Sending::stop_couriers() {
  for (const auto& courier : couriers_) {
    co_await async::run_on(courier->executor(), courier->stop());
  }
}

Task<void> Sending::begin_stop() {
  if (std::exchange(stopping_, true)) co_return;
  accepting_ = false;
  recorder_.drain();
  co_await tasks_.stop();
  co_await pool_choice_.stop();
  // Lanes park what waits; couriers stop receiving and looking up routes.
  co_await stop_couriers();
  lanes_.drain();
}

Task<bool> Sending::stop(SteadyInstant deadline) {
  co_await begin_stop();
  // What a door was about to hand over meanwhile.
  co_await stop_couriers();
  lanes_.tidy();  // for what they have learnt; done before their threads say that connections ended
  co_await end_connections(deadline);
  co_await flush(deadline);
  // A store that did not take the outcomes takes nothing.
  if (!cut_off_) {
    co_await tell_paces();
    for (const auto& [source, plan] : options_.warm_ups) co_await warm_up_.hand_back(source);
  }
  recorder_.stop();
  // A connection that was on its way to its thread while the lanes drained.
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    co_await async::run_on(runtime_.executor(i), connections_[i]->stop());
  }
  // What is still leased (a batch cut off in the middle) is offered again when the node has left,
  // or by the next run, which takes its name.
  log::info("delivery stopped", {{"clean", !cut_off_}, {"unrecorded", recorder_.unrecorded()}});
  co_return !cut_off_;
}

// ---- handover ----------------------------------------------------------------------------------

// Only where every source is ours: which of them it falls to is known when it is committed.
store::NodeKey Sending::holder(store::AccountKey account) const {
  if (!accepting_ || !sends_all_ || !node_.holds()) return store::kNobody;
  const std::lock_guard lock(handed_over_->mutex);
  const auto whose = static_cast<std::int64_t>(account);
  const bool room =
      handed_over_->letters.has_place_for(whose) && handed_over_->octets.has_place_for(whose);
  return room ? node_.key() : store::kNobody;
}

void Sending::hand_over(store::Accepted accepted) {
  if (accepted.batches.empty()) return;  // nobody holds it: the scheduler will find it
  // From here on they go back by themselves, whatever happens.
  std::vector<std::shared_ptr<delivery::BatchInFlight>> batches;
  for (store::LeasedBatch& leased : accepted.batches) {
    batches.push_back(holdings_.take(std::move(leased), nullptr));
    batches.back()->leave_untouched();
  }
  // Account weights matter among bulk; one transaction is one pick either way. Of accounts for
  // trials nothing is handed over (intake/intake.h): couriers claim it, and read whose it is.
  const auto pool = pool_choice_.of(accepted.delivery, accepted.content.from);
  if (!pool) return;
  auto content = delivery::LetterContent::of(std::move(accepted.content), options_);
  auto letter =
      delivery::make_letter(accepted.delivery, std::move(content), {}, keys_, options_, store_);
  if (!letter || !accepting_) {
    // Whoever claims it will tell its story why.
    if (!letter) {
      log::error("mail cannot be made",
                 {{"delivery", accepted.delivery.id}, {"reason", letter.error().detail}});
    }
    return;
  }
  const auto account = static_cast<std::int64_t>(accepted.delivery.account);
  {
    const std::lock_guard lock(handed_over_->mutex);
    handed_over_->letters.enter(account);
    handed_over_->octets.enter(account, (*letter)->bytes);
  }
  // The letter lives as long as anything of its transaction is in flight.
  std::shared_ptr<const delivery::Letter> counted(
      letter->get(), [room = handed_over_, account, kept = *letter](const delivery::Letter*) {
        const std::lock_guard lock(room->mutex);
        room->letters.leave(account);
        room->octets.leave(account, kept->bytes);
      });
  const std::size_t turn = next_courier_.fetch_add(1) % couriers_.size();
  for (auto& batch : batches) {
    // A source may have come or gone meanwhile: then somebody else claims it.
    const auto* const source = source_with_room(batch->leased(), *pool);
    if (source == nullptr) continue;
    batch->set_letter(counted);
    batch->touch();
    couriers_[turn]->hand_over(std::move(batch), *source);
  }
}

}  // namespace todoku::app
