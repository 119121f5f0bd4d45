// SPDX-License-Identifier: Apache-2.0
#include "app/roles/courier.h"

#include <utility>

#include <fmt/format.h>

#include "app/host_check.h"
#include "app/module_options.h"
#include "base/safeguard.h"

namespace todoku::app::roles {
namespace {

Task<Result<void>> probe_sending(const Sending& sending) {
  const auto stalled = sending.stalled();
  if (!stalled) co_return Result<void>();
  co_return fail(ErrorKind::unavailable,
                 fmt::format("no connection has moved for {} minutes and others wait for one",
                             std::chrono::duration_cast<std::chrono::minutes>(*stalled).count()));
}

Task<Result<void>> probe_sources(const config::Config& config) {
  co_return check_sources(config);
}

// Nothing is read: letters are made anew when they are wanted.
Task<Result<ChangeWatch::Take>> renew_letters(Sending& sending) {
  co_return ChangeWatch::Take([&sending]() -> Result<void> {
    sending.accounts_changed();
    return {};
  });
}

// What more people have paused is held back by the store alone.
constexpr std::int64_t kHeldMax = 100'000;

// Receivers that rules know by their domains, as carriers are: of others the scheduler alone knows
// which of a delivery's domains are theirs, and what is in hand goes on.
std::string site_by_domain(const delivery::policy::SiteRules& rules, std::string_view domain) {
  const delivery::policy::Site* const site = rules.find(domain, {});
  return site == nullptr ? std::string() : site->name;
}

Task<Result<ChangeWatch::Take>> hold_back(store::Store& store, Sending& sending,
                                          const delivery::policy::SiteRules& rules) {
  using HeldBack = delivery::courier::Holdings::HeldBack;
  const auto held =
      co_await store.read([&rules](store::ReadTransaction& reader) -> Result<HeldBack> {
        const auto deliveries = reader.held_deliveries(kHeldMax);
        if (!deliveries) return fail(deliveries.error());
        const auto credentials = reader.held_smtp_credentials(kHeldMax);
        if (!credentials) return fail(credentials.error());
        const auto receivers = reader.held_receivers(kHeldMax);
        if (!receivers) return fail(receivers.error());
        const auto steering = reader.steering_revisions(kHeldMax);
        if (!steering) return fail(steering.error());
        HeldBack all{
            .deliveries = {deliveries->begin(), deliveries->end()},
            .credentials = {credentials->begin(), credentials->end()},
            .receivers = {receivers->begin(), receivers->end()},
            .site_of = [&rules](std::string_view domain) { return site_by_domain(rules, domain); }};
        for (const store::SteeringRevision& each : *steering) {
          all.steering.emplace(each.delivery, each.revision);
        }
        return all;
      });
  if (!held) co_return fail(held.error());
  co_return ChangeWatch::Take([&sending, all = *held]() -> Result<void> {
    sending.hold_back(all);
    return {};
  });
}

// What another process was told to pause, to stop or to suppress begins nowhere later than this
// after the answer.
constexpr Milliseconds kOrdersHeardWithin{1'000};

delivery::Options sending_options(const Ground& ground) {
  delivery::Options options = delivery_options(ground.config, ground.secret, &ground.file_pool);
  options.connections_max = ground.files.smtp;
  if (ground.config.store.kind == "postgres") options.orders_heard_within = kOrdersHeardWithin;
  return options;
}

std::unique_ptr<MtaSts> make_mta_sts(const Ground& ground, Shared& shared) {
  if (!ground.config.smtp_out.mta_sts) return nullptr;
  return std::make_unique<MtaSts>(ground.config, shared.routing()->resolver(), ground.store,
                                  ground.runtime.executor(0), ground.clock, ground.metrics);
}

}  // namespace

Result<std::unique_ptr<CourierRole>> CourierRole::make(const Ground& ground, Shared& shared) {
  auto tls = receivers_tls(ground.config.smtp_out);
  if (!tls) return fail(std::move(tls.error()));
  return std::unique_ptr<CourierRole>(new CourierRole(ground, shared, std::move(*tls)));
}

namespace {

std::vector<doctor::SourceRest::Shared> shared_mail(const config::Config& config) {
  std::vector<doctor::SourceRest::Shared> all;
  for (delivery::policy::SharedMail& mail : source_pools(config).shared_mail()) {
    all.push_back({.sources = std::move(mail.sources), .is_open = mail.is_open});
  }
  return all;
}

}  // namespace

CourierRole::CourierRole(const Ground& ground, Shared& shared,
                         std::shared_ptr<const net::TlsClientContext> tls)
    : ground_(ground),
      shared_(shared),
      mta_sts_(make_mta_sts(ground, shared)),
      tls_counting_(mta_sts_ == nullptr ? nullptr : &mta_sts_->policies(), ground.store,
                    ground.runtime.executor(0), ground.clock, ground.metrics),
      sending_({.runtime = ground.runtime,
                .store = ground.store,
                .node = ground.node,
                .queues = shared.queues(),
                .routes = shared.routing()->routes(),
                .feedback = shared.feedback(),
                .owned = shared.owned(),
                .live = shared.live(),
                .keys = ground.keys,
                .rules = ground.rules,
                .clock = ground.clock,
                .metrics = ground.metrics,
                .listed = &shared.listed(),
                .mta_sts = mta_sts_ == nullptr ? nullptr : &mta_sts_->policies()},
               sending_options(ground), std::move(tls)) {
  sending_.tell_of_tls(tls_counting_);
  ground_.readiness.add({"sending", [this] { return probe_sending(sending_); }});
  // An address that this machine loses later: every connection from it would fail.
  ground_.readiness.add({"sources", [this] { return probe_sources(ground_.config); }});
  ground_.changes.follow(store::Topic::accounts, [this] { return renew_letters(sending_); });
  ground_.changes.follow(
      store::Topic::held, [this] { return hold_back(ground_.store, sending_, ground_.rules); },
      [this](SteadyInstant asked) { sending_.heard(delivery::Hearing::Of::courses, asked); });
  add_figures();
  make_doctor();
}

void CourierRole::make_doctor() {
  const config::Config::Doctor& given = ground_.config.doctor;
  // All that it looks at is outside.
  if (!given.enabled || ground_.config.smtp_out.sandbox) return;
  examiner_ = std::make_unique<SourceExaminer>(
      SourceExaminer::World{.resolver = shared_.routing()->resolver(),
                            .check_resolver = [this] { return shared_.routing()->check(); },
                            .dialer = net::system_dialer(),
                            .clock = ground_.clock},
      SourceExaminer::Options{.port_25_hosts = given.port_25_hosts});
  doctor_ = std::make_unique<SourceDoctor>(
      SourceDoctor::World{
          .examiner = *examiner_,
          .rested = shared_.rested(),
          .listed = shared_.listed(),
          .is_here = [this](const std::string& source) { return shared_.is_here(source); },
          .clock = ground_.clock,
          .metrics = ground_.metrics,
          .told_through = is_cluster(ground_.config) ? &ground_.store : nullptr},
      SourceDoctor::Options{.every = std::chrono::seconds(given.interval_seconds),
                            .lists_every = std::chrono::seconds(given.blocklist_interval_seconds),
                            .sources = examined_sources(ground_.config, &ground_.file_pool),
                            .lists = blocklists_of(ground_.config),
                            .rest = {.last_may_rest = given.last_may_rest,
                                     .enabled = given.rest,
                                     .shared = shared_mail(ground_.config)}},
      ground_.runtime.executor(0));
}

Result<void> CourierRole::start() {
  running_.add([this](SteadyInstant) {
    ground_.wait_for(tls_counting_.stop());
    if (mta_sts_ != nullptr) ground_.wait_for(mta_sts_->stop());
    return true;
  });
  tls_counting_.start();
  sending_.start();
  shared_.begin_to_own([this](std::string_view source) {
    return stands(Safeguard::handover_waits) && sending_.in_use(source);
  });
  running_.add([this](SteadyInstant deadline) {
    if (!stands(Safeguard::handover_waits)) shared_.give_sources();
    const bool clean = ground_.wait_for(sending_.stop(deadline));
    shared_.give_sources();
    return clean;
  });
  if (doctor_ == nullptr) return {};
  doctor_->start();
  running_.add([this](SteadyInstant) {
    ground_.wait_for(doctor_->stop());
    return true;
  });
  return {};
}

void CourierRole::add_figures() {
  constexpr std::string_view kLanes = "todoku_lanes";
  constexpr std::string_view kLanesHelp =
      "Lanes (site and sending address) by state: open ones have connections, waiting ones only "
      "mail, resting ones pause after failures.";
  Metrics& metrics = ground_.metrics;
  Gauge& open = metrics.gauge(kLanes, kLanesHelp, {{"state", "open"}});
  Gauge& waiting = metrics.gauge(kLanes, kLanesHelp, {{"state", "waiting"}});
  Gauge& resting = metrics.gauge(kLanes, kLanesHelp, {{"state", "resting"}});
  Gauge& unrecorded =
      metrics.gauge("todoku_unrecorded_outcomes",
                    "Outcomes of sent mails not yet committed: what a crash now could make go "
                    "twice, beside the mails in hand.");
  Gauge& peak = metrics.gauge("todoku_unrecorded_outcomes_peak",
                              "The most unrecorded outcomes at once since the start.");
  metrics
      .gauge("todoku_unrecorded_outcomes_limit",
             "Unrecorded outcomes at which sending pauses: delivery.unrecorded_max.")
      .set(static_cast<double>(ground_.config.delivery.unrecorded_max));
  ground_.collected.add([this, &open, &waiting, &resting, &unrecorded, &peak] {
    double counts[3] = {0, 0, 0};
    for (const auto& lane : sending_.lanes()) {
      if (lane.resting) {
        ++counts[2];
      } else if (lane.connections > 0) {
        ++counts[0];
      } else if (lane.waiting > 0) {
        ++counts[1];
      }
    }
    open.set(counts[0]);
    waiting.set(counts[1]);
    resting.set(counts[2]);
    unrecorded.set(static_cast<double>(sending_.recorder().unrecorded()));
    peak.set(static_cast<double>(sending_.recorder().unrecorded_peak()));
  });
}

}  // namespace todoku::app::roles
