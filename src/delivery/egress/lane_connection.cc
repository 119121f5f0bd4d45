// SPDX-License-Identifier: Apache-2.0
// Its life: opening, drawing mails until it is used up, and how it ends. What is done with one mail
// is in lane_connection_mail.cc.
#include "delivery/egress/lane_connection.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace todoku::delivery::egress {
namespace {

// A block is what a connection sends in about this time: long enough that drawing it costs little,
// short enough that a transactional mail never waits long behind it.
constexpr double kBlockSeconds = 0.010;
constexpr std::uint32_t kBlockMax = 32;
// Addresses tried for one connection before the site counts as unreachable (RFC 5321 section 5.1: a
// client may bound their number). The time for opening bounds it where they are silent.
constexpr std::size_t kCandidatesMax = 20;
constexpr int kSilentDials = 6;
constexpr std::uint16_t kSmtpPort = 25;

// For one host that answers each of its steps at the last moment.
Microseconds dialogue_max(const SmtpTimeouts& timeouts) {
  return Microseconds(timeouts.connect) + timeouts.greeting + 2 * timeouts.hello;
}

// For opening one connection, whatever the number of addresses: one dialogue may take its time,
// twenty may not. What was not tried in it is tried first by the next (policy/dead_hosts.h).
Microseconds opening_max(const SmtpTimeouts& timeouts) {
  return (kSilentDials - 1) * Microseconds(timeouts.connect) + dialogue_max(timeouts);
}

bool is_ours(Cause cause) {
  return cause == Cause::own_shortage || cause == Cause::stopping;
}

// It is the domain's policy that asked for it.
void tell_mta_sts(smtp::ConnectionFailure& failure) {
  const bool of_tls = failure.cause == Cause::tls_failed || failure.cause == Cause::no_tls_offered;
  if (!of_tls) return;
  failure.cause = Cause::mta_sts;
  failure.reply.text.insert(0, "MTA-STS asks for verified TLS: ");
}

}  // namespace

LaneConnection::LaneConnection(OwnedSeat seat, SigningRounds& rounds, std::uint64_t seed,
                               std::shared_ptr<MailAtHand> at_hand)
    : seat_(std::move(seat)),
      lane_(seat_.lane()),
      world_(lane_->world_),
      rounds_(rounds),
      random_(seed),
      at_hand_(std::move(at_hand)) {}

Task<void> LaneConnection::run(std::shared_ptr<LaneConnection> self) {
  std::exception_ptr thrown;
  try {
    co_await self->work();
  } catch (...) {
    thrown = std::current_exception();
    self->note_untold();
  }
  // The receiver counts a connection until it is closed: only then may another take its place.
  self->connection_.reset();
  const std::shared_ptr<Lane> lane = self->lane_;
  self->seat_.leave();
  // Who waits for this task to end relies on the mails being where they belong.
  try {
    co_await async::run_on(lane->home(), lane->tended());
  } catch (...) {
    if (!thrown) thrown = std::current_exception();
  }
  if (thrown) std::rethrow_exception(thrown);
}

void LaneConnection::note_untold() noexcept {
  seat_->threw = true;
  if (!trying_ || seat_->mails.empty()) return;
  LaneSeat::Untold untold;
  if (known_) {
    untold = std::move(*known_);
  } else if (connection_ != nullptr && connection_->content_is_out()) {
    // As when the connection is lost then: it may have arrived.
    const policy::Answer answer{.stage = Stage::data, .in_doubt = true, .cause = Cause::in_doubt};
    untold = {.state = judge(answer).state, .stage = answer.stage, .in_doubt = true};
  }
  seat_->untold = std::move(untold);
}

Task<void> LaneConnection::work() {
  const async::Executor home = lane_->home();
  // A mail in hand before dialling: who finds no work opens no connection, and a site that cannot
  // be reached leaves its words in a recipient's story.
  do {
    co_await async::run_on(home, lane_->take(*seat_, 1, SteadyInstant{}));
    if (seat_->mails.empty()) co_return;
  } while (gave_up(seat_->mails.front()));
  const SteadyInstant began = now();
  begin_trial(began);
  const auto failure = co_await open();
  if (failure && failure->answer.cause == Cause::own_shortage) {
    world_.shortage.met(failure->answer.reply.text);
    seat_->could_not_begin = true;
    co_return;
  }
  // The mail goes back as it came.
  if (failure && failure->answer.cause == Cause::stopping) {
    forget_trial();
    co_return;
  }
  if (failure) {
    // Cut short for the mail's sake: that says nothing about the site.
    if (gave_up(seat_->mails.front())) co_return;
    const auto took = std::chrono::duration_cast<Milliseconds>(now() - began);
    note_known(failure->answer, failure->verdict);
    settle(failure->answer, failure->verdict, failure->path, took);
    co_return;
  }
  forget_trial();
  world_.shortage.over();
  co_await async::run_on(home, lane_->connection_opened(*seat_));
  co_await send_all();
  co_await connection_->quit();
}

// ---- opening -----------------------------------------------------------------------------------

smtp::ConnectionOptions LaneConnection::connection_options(const dns::Candidate& candidate) const {
  const EgressSource& source = lane_->source_;
  const policy::SiteLimits& limits = lane_->limits_;
  const SmtpTimeouts& timeouts = world_.options.timeouts;
  smtp::ConnectionOptions options;
  options.remote = {candidate.address,
                    limits.port != kSmtpPort ? limits.port : world_.options.port};
  if (source.smarthost) options.remote.port = source.smarthost->port;
  options.mx_host = candidate.host;
  options.local_address = candidate.address.is_v4() ? source.bind_v4 : source.bind_v6;
  options.egress_source = source.name;
  options.proxy = source.proxy;
  options.dialer = world_.dialer;
  options.awaited = &at_hand_->awaited;
  options.tls = world_.tls;
  options.connect_timeout = timeouts.connect;
  options.session.hello_name = source.ehlo;
  options.session.timeouts.greeting = timeouts.greeting;
  options.session.timeouts.hello = timeouts.hello;
  options.session.timeouts.mail = timeouts.mail;
  options.session.timeouts.rcpt = timeouts.rcpt;
  options.session.timeouts.data = timeouts.data_initiation;
  options.session.timeouts.data_block = timeouts.data_block;
  options.session.timeouts.content = timeouts.data_termination;
  options.session.pipelining = limits.pipelining;
  options.session.chunking = limits.chunking;
  const dns::HostDane& dane = dane_of(candidate);
  options.session.tls =
      source.smarthost
          ? source.smarthost->tls
          : policy::tls_plan(limits.tls, {.dane = dane.demand, .mta_sts = seat_->route.mta_sts});
  if (options.session.tls.proof == TlsProof::dane) {
    options.dane = {.name = dane.base, .records = dane.records, .other_names = dane.other_names};
  }
  if (options.session.tls.mode == TlsMode::never) {
    options.no_tls_reason = "switched off for this site";
  }
  return options;
}

const dns::HostDane& LaneConnection::dane_of(const dns::Candidate& candidate) const {
  const auto& hosts = seat_->route.route().hosts;
  const auto host = std::ranges::find(hosts, candidate.host, &dns::MailHost::name);
  check(host != hosts.end(), "a candidate is a host of the route");
  return host->dane;
}

std::optional<LaneConnection::OpenFailure> LaneConnection::not_to_be_tried(
    const dns::Candidate& candidate) const {
  const dns::HostDane& dane = dane_of(candidate);
  if (policy::may_connect(lane_->limits_.tls, dane.demand)) return std::nullopt;
  policy::Answer answer{
      .stage = Stage::dns, .reply = {0, "4.4.3 " + dane.reason}, .cause = Cause::tlsa_not_answered};
  const policy::Verdict verdict = judge(answer);
  return OpenFailure{std::move(answer), verdict, Path{.mx_host = candidate.host}};
}

Task<std::optional<LaneConnection::OpenFailure>> LaneConnection::open_at(dns::Candidate candidate,
                                                                         SteadyInstant not_after) {
  auto options = connection_options(candidate);
  options.not_after = not_after;
  if (auto why = co_await take_login(options)) co_return why;
  world_.dials_total.add();
  auto opened = co_await smtp::Connection::open(options, world_.clock);
  if (!opened && opened.error().failed_in_tls) {
    const auto plan = policy::plan_after_failed_tls(options.session.tls);
    if (plan) {
      options.no_tls_reason = opened.error().reply.text;
      options.session.tls = *plan;
      world_.dials_total.add();
      opened = co_await smtp::Connection::open(options, world_.clock);
    }
  }
  if (opened) {
    connection_ = std::move(*opened);
    co_return std::nullopt;
  }
  smtp::ConnectionFailure& failure = opened.error();
  if (seat_->route.mta_sts) tell_mta_sts(failure);
  if (failure.cause == Cause::smarthost && failure.stage == Stage::auth) {
    seat_->not_logged_in = true;
    seat_->login = options.session.login;
  }
  policy::Answer answer{
      .stage = failure.stage, .reply = std::move(failure.reply), .cause = failure.cause};
  const policy::Verdict verdict = judge(answer);
  co_return OpenFailure{std::move(answer), verdict, std::move(failure.path), failure.cut_short};
}

Task<std::optional<LaneConnection::OpenFailure>> LaneConnection::take_login(
    smtp::ConnectionOptions& options) {  // NOLINT(*-reference-coroutine-parameters)
  const auto& smarthost = lane_->source_.smarthost;
  if (!smarthost || !smarthost->login) co_return std::nullopt;
  auto login = co_await smarthost->login();
  const bool is_cut_off = !login && login.error().kind == ErrorKind::cancelled;
  if (!is_cut_off && lane_->is_barred(login ? *login : nullptr)) {
    seat_->login_is_barred = true;
    policy::Answer barred{.stage = Stage::auth,
                          .reply = {0, "the login that was refused has not changed"},
                          .cause = Cause::stopping};
    const policy::Verdict verdict = judge(barred);
    co_return OpenFailure{std::move(barred), verdict, Path{.mx_host = options.mx_host}};
  }
  if (login) {
    options.session.login = std::move(*login);
    co_return std::nullopt;
  }
  seat_->not_logged_in = !is_cut_off;
  policy::Answer answer{.stage = Stage::auth,
                        .reply = {0, login.error().detail},
                        .cause = is_cut_off ? Cause::stopping : Cause::smarthost};
  const policy::Verdict verdict = judge(answer);
  co_return OpenFailure{std::move(answer), verdict, Path{.mx_host = options.mx_host}};
}

std::vector<dns::Candidate> LaneConnection::addresses_to_try() {
  const EgressSource& source = lane_->source_;
  auto addresses = dns::candidates(seat_->route.route(),
                                   {.ipv4 = source.use_v4, .ipv6 = source.use_v6}, random_);
  world_.receivers.put_dead_last(source.name, addresses, now());
  if (addresses.size() > kCandidatesMax) addresses.resize(kCandidatesMax);
  return addresses;
}

Task<std::optional<LaneConnection::OpenFailure>> LaneConnection::open() {
  const auto addresses = addresses_to_try();
  const SteadyInstant not_after =
      std::min(seat_->mails.front().batch->expires(), now() + opening_max(world_.options.timeouts));
  std::optional<OpenFailure> failure;
  std::optional<OpenFailure> ours;
  std::optional<OpenFailure> untried;
  for (const dns::Candidate& candidate : addresses) {
    if (auto refusal = not_to_be_tried(candidate)) {
      if (!untried) untried = std::move(refusal);
      continue;
    }
    const SteadyInstant began = now();
    auto failed = co_await open_at(candidate, not_after);
    if (!failed) {
      world_.receivers.host_served(lane_->source_.name, candidate);
      co_return std::nullopt;
    }
    const Cause cause = failed->answer.cause;
    if (is_ours(cause)) {
      if (!ours || cause == Cause::stopping) ours = std::move(failed);
      if (cause == Cause::stopping) co_return ours;
      continue;
    }
    const bool try_next = failed->verdict.try_next_host;
    // Whose time was cut short may be in order, unless it has used up everybody's.
    const bool had_its_time =
        !failed->cut_short || now() - began >= dialogue_max(world_.options.timeouts);
    if (try_next && had_its_time) {
      world_.receivers.host_failed(lane_->source_.name, candidate, now());
    }
    // The first failure is of the preferred host: its words tell most.
    if (!failure) failure = std::move(failed);
    if (!try_next || now() >= not_after) break;
  }
  // A host that was asked tells more than one that could not be, and that more than one that was
  // not to be.
  if (!failure) failure = std::move(ours);
  if (!failure) failure = std::move(untried);
  if (!failure) {
    const policy::Answer answer{
        .stage = Stage::dns, .reply = {0, "no address to try"}, .cause = Cause::ipv6_only};
    failure = OpenFailure{.answer = answer, .verdict = judge(answer), .path = {}};
  }
  co_return failure;
}

// ---- sending -----------------------------------------------------------------------------------

Task<void> LaneConnection::send_all() {
  const std::uint32_t mails_max = std::max(1U, lane_->limits_.messages_per_connection);
  const async::Rounds::Member member(rounds_.rounds);
  while (!seat_->mails.empty()) {
    while (!seat_->mails.empty()) {
      bool may_send = world_.outcomes.may_send();
      while (!may_send) {
        const bool goes_on = co_await world_.outcomes.may_send_soon();
        if (!goes_on) break;
        may_send = world_.outcomes.may_send();
      }
      const Sent sent = may_send ? co_await send_first() : Sent::not_wanted;
      if (sent != Sent::goes_on) co_return;
    }
    if (sent_ >= mails_max) break;
    const std::uint32_t wanted = std::min(block_size(), mails_max - sent_);
    co_await async::run_on(lane_->home(), lane_->take(*seat_, wanted, now() + lane_->limits_.idle));
    // While it waited, the receiver may have hung up: find out before a mail is at stake.
    if (!seat_->mails.empty() && !connection_->is_reusable()) co_return;
  }
}

std::uint32_t LaneConnection::block_size() const {
  const double mails = kBlockSeconds / std::max(seconds_per_mail_, 1e-6);
  return std::clamp(static_cast<std::uint32_t>(std::min(mails, 1e6)), 1U, kBlockMax);
}

}  // namespace todoku::delivery::egress
