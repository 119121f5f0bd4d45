// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/lane_connection.h"

#include <algorithm>
#include <exception>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "mail/recipient_token.h"

namespace todoku::delivery::egress {
namespace {

// A block is what a connection sends in about this time: long enough that drawing it costs little,
// short enough that a transactional mail never waits long behind it.
constexpr double kBlockSeconds = 0.010;
constexpr std::uint32_t kBlockMax = 32;
// Private memory a connection keeps between mails.
constexpr std::size_t kMessageMemoryMax = 64 * 1024;
// Addresses tried for one connection before the site counts as unreachable.
constexpr std::size_t kCandidatesMax = 6;
constexpr std::uint16_t kSmtpPort = 25;
// How long a mail waits for company whose signatures are made together with its own: little beside
// a receiver's answer, and enough for connections whose answers are on their way.
constexpr Microseconds kPatienceBulk{1'000};
constexpr Microseconds kPatienceTransactional{200};
constexpr int kServiceClosing = 421;  // RFC 5321 section 3.8

// How long a mail waits for room in memory (composing_memory.h). Then its connection ends rather
// than trying the receiver's patience (RFC 5321 section 4.5.3.2.7: five minutes).
constexpr std::chrono::seconds kMemoryPatience{30};
// After so long the receiver may have hung up.
constexpr std::chrono::milliseconds kReceiverMayTire{500};

// For opening one connection, whatever the number of addresses: one dialogue may take its time, six
// may not.
Microseconds opening_max(const SmtpTimeouts& timeouts) {
  return kCandidatesMax * Microseconds(timeouts.connect) + timeouts.greeting + 2 * timeouts.hello;
}

// Counts a mail as in hand while it lives.
class InHand {
 public:
  explicit InHand(Gauge& gauge) : gauge_(gauge) { gauge_.add(1); }
  InHand(const InHand&) = delete;
  InHand& operator=(const InHand&) = delete;
  ~InHand() { gauge_.add(-1); }

 private:
  Gauge& gauge_;
};

std::string_view as_view(const std::array<std::uint8_t, 16>& secret) {
  return {reinterpret_cast<const char*>(secret.data()), secret.size()};
}

}  // namespace

LaneConnection::LaneConnection(OwnedSeat seat, SigningRounds& rounds, std::uint64_t seed)
    : seat_(std::move(seat)),
      lane_(seat_.lane()),
      world_(lane_->world_),
      rounds_(rounds),
      random_(seed) {}

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
    const policy::Answer answer{.stage = Stage::data, .in_doubt = true};
    const bool at_most_once = seat_->mails.front().batch->letter().at_most_once;
    untold = {.state = policy::judge(answer, at_most_once).state,
              .stage = answer.stage,
              .in_doubt = true};
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
  trying_ = true;
  const SteadyInstant began = now();
  const auto failure = co_await open();
  if (failure && failure->ours) {
    world_.shortage.met(failure->answer.reply.text);
    seat_->could_not_begin = true;
    co_return;
  }
  if (failure) {
    // Cut short for the mail's sake: that says nothing about the site.
    if (gave_up(seat_->mails.front())) co_return;
    const auto took = std::chrono::duration_cast<Milliseconds>(now() - began);
    settle(failure->answer, failure->path, took);
    co_return;
  }
  trying_ = false;
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
  options.mx_host = candidate.host;
  options.local_address = candidate.address.is_v4() ? source.bind_v4 : source.bind_v6;
  options.egress_source = source.name;
  options.dialer = world_.dialer;
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
  switch (limits.tls) {
    case policy::TlsPolicy::opportunistic:
      options.session.starttls = smtp::StartTls::opportunistic;
      break;
    case policy::TlsPolicy::required:
      options.session.starttls = smtp::StartTls::required;
      break;
    case policy::TlsPolicy::none:
      options.session.starttls = smtp::StartTls::never;
      options.no_tls_reason = "switched off for this site";
      break;
  }
  return options;
}

Task<std::optional<LaneConnection::OpenFailure>> LaneConnection::open_at(dns::Candidate candidate,
                                                                         SteadyInstant not_after) {
  auto options = connection_options(candidate);
  options.not_after = not_after;
  world_.dials_total.add();
  auto opened = co_await smtp::Connection::open(options, world_.clock);
  if (!opened && opened.error().failed_in_tls &&
      options.session.starttls == smtp::StartTls::opportunistic) {
    // RFC 7435: some protection is better than none, none is better than no mail.
    options.no_tls_reason = opened.error().reply.text;
    options.session.starttls = smtp::StartTls::never;
    world_.dials_total.add();
    opened = co_await smtp::Connection::open(options, world_.clock);
  }
  if (opened) {
    connection_ = std::move(*opened);
    co_return std::nullopt;
  }
  smtp::ConnectionFailure& failure = opened.error();
  co_return OpenFailure{{.stage = failure.stage, .reply = std::move(failure.reply)},
                        std::move(failure.path),
                        failure.ours};
}

Task<std::optional<LaneConnection::OpenFailure>> LaneConnection::open() {
  const EgressSource& source = lane_->source_;
  auto addresses = dns::candidates(seat_->route.route(),
                                   {.ipv4 = source.use_v4, .ipv6 = source.use_v6}, random_);
  if (addresses.size() > kCandidatesMax) addresses.resize(kCandidatesMax);
  const SteadyInstant not_after =
      std::min(seat_->mails.front().batch->expires(), now() + opening_max(world_.options.timeouts));
  std::optional<OpenFailure> failure;
  std::optional<OpenFailure> ours;
  for (const dns::Candidate& candidate : addresses) {
    auto failed = co_await open_at(candidate, not_after);
    if (!failed) co_return std::nullopt;
    if (failed->ours) {
      if (!ours) ours = std::move(failed);
      continue;
    }
    const bool try_next = policy::judge(failed->answer, false).try_next_host;
    // The first failure is of the preferred host: its words tell most.
    if (!failure) failure = std::move(failed);
    if (!try_next || now() >= not_after) break;
  }
  // A host that was asked tells more than one that could not be.
  if (!failure) failure = std::move(ours);
  if (!failure) failure = OpenFailure{{.stage = Stage::dns, .reply = {0, "no address to try"}}, {}};
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
      if (sent != Sent::usable) co_return;
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

// Mail may wait in a lane for hours, where a site answers slowly: after its life time it is not
// sent.
bool LaneConnection::gave_up(const Mail& mail) {
  if (!mail.batch->expired(now())) return false;
  const policy::RetryOptions& retry = world_.options.retry_of(mail.batch->leased().traffic);
  settle_as(policy::given_up(retry), Path{}, Milliseconds(0));
  return true;
}

// What happens to few mails before they are begun; false: it is not begun, and dealt with.
Task<bool> LaneConnection::clear_to_begin(const Mail& mail) {
  bool may = !mail.lost();
  if (may && mail.batch->leased().suspect) may = co_await world_.outcomes.begin_suspect(mail);
  if (may) co_return true;
  // Somebody else has it, or will: whatever is said of it is theirs to say.
  world_.outcomes.parked(mail, now());
  seat_->mails.pop();
  co_return false;
}

bool LaneConnection::too_large(std::uint64_t octets) {
  if (octets <= world_.options.message_octets_max) return false;
  const std::string words =
      fmt::format("5.3.4 not made: its insert codes make it about {} octets, the limit is {}",
                  octets, world_.options.message_octets_max);
  settle_as({.state = RecipientState::dropped, .reply = {0, words}, .is_attempt = false}, Path{},
            Milliseconds(0));
  return true;
}

Task<Result<void>> LaneConnection::prepare(const Mail& mail) {
  Result<void> prepared;
  try {
    co_await rounds_.rounds.join([&] { prepared = compose(mail); },
                                 [&] {
                                   if (prepared) prepared = sign(mail);
                                 },
                                 patience(mail.batch->letter()));
  } catch (const std::exception& error) {
    // It concerns this mail, of which nothing was said yet: the connection is in order.
    async::report_exception("composing a mail", std::current_exception());
    prepared =
        fail(ErrorKind::unavailable, std::string("composing it ended with: ") + error.what());
  }
  co_return prepared;
}

Task<LaneConnection::Sent> LaneConnection::send_first() {
  const Mail mail = seat_->mails.front();
  if (gave_up(mail)) co_return Sent::usable;
  if (mail.lost() || mail.batch->leased().suspect) {
    const bool clear = co_await clear_to_begin(mail);
    if (!clear) co_return Sent::usable;
  }
  const Letter& letter = mail.batch->letter();
  const std::uint64_t octets = letter.message.octets_of(mail.recipient().insert_codes, message_);
  if (too_large(octets)) co_return Sent::usable;
  const SteadyInstant asked = now();
  auto memory = co_await world_.memory.share(static_cast<std::size_t>(octets), letter.traffic,
                                             asked + kMemoryPatience);
  if (!memory) co_return Sent::not_wanted;
  if (now() - asked > kReceiverMayTire && !connection_->is_reusable()) co_return Sent::not_wanted;
  const Result<void> prepared = co_await prepare(mail);
  memory->shrink_to(message_.memory_octets());
  Sent sent = Sent::usable;
  if (prepared) {
    sent = co_await transmit(mail);
  } else {
    // Ours to mend; the recipient's mail waits rather than being lost.
    log::error("mail not composed", {{"reason", prepared.error().detail}});
    settle_as({.state = RecipientState::deferred,
               .reply = {0, "4.3.5 " + prepared.error().detail},
               .is_attempt = false},
              Path{}, Milliseconds(0));
  }
  message_.trim(kMessageMemoryMax);
  co_return sent;
}

Task<LaneConnection::Sent> LaneConnection::transmit(const Mail& mail) {
  const SteadyInstant began = now();
  const SteadyInstant not_after = mail.batch->expires();
  const smtp::MessageView view{.pieces = pieces_,
                               .size = message_.size() + signatures_.size(),
                               .may_have_leading_dot = message_.has_leading_dot()};
  trying_ = true;
  std::span<smtp::RecipientResult> results;
  {
    const InHand in_hand(world_.in_hand_gauge);
    results = co_await connection_->send(*envelope_, view, not_after);
  }
  smtp::RecipientResult& result = results.front();
  const policy::Answer answer{.stage = result.stage,
                              .reply = std::move(result.reply),
                              .permanent = result.permanent,
                              .in_doubt = result.in_doubt,
                              .in_clear = connection_->path().tls == TlsUse::none};
  note_known(answer);
  // "Enough for this connection", said before anything of the mail or by hanging up after the mail
  // before: the next connection takes it.
  const bool enough = connection_->hung_up_unheard() ||
                      (result.stage == Stage::mail_from && answer.reply.code == kServiceClosing);
  if (enough && !result.in_doubt && delivered_ > 0) {
    forget_trial();
    seat_->begun_in_vain = true;
    co_return Sent::not_wanted;
  }
  const SteadyInstant finished = now();
  world_.places.progressed(finished);
  ++sent_;
  if (result.accepted()) ++delivered_;
  constexpr double kNewest = 0.2;
  seconds_per_mail_ = kNewest * std::chrono::duration<double>(finished - began).count() +
                      (1 - kNewest) * seconds_per_mail_;
  const auto took = std::chrono::duration_cast<Milliseconds>(finished - began);
  settle(answer, connection_->path(), took);
  // Another connection may find TLS.
  const bool usable = connection_->is_at_rest() && !lacks_tls_;
  co_return usable ? Sent::usable : Sent::ended;
}

Microseconds LaneConnection::patience(const Letter& letter) const {
  if (!letter.signer || !letter.signer->gains_from_company(rounds_.context)) {
    return Microseconds(0);
  }
  return letter.traffic == TrafficClass::bulk ? kPatienceBulk : kPatienceTransactional;
}

Result<void> LaneConnection::compose(const Mail& mail) {
  const Letter& letter = mail.batch->letter();
  const store::RecipientKey key = mail.key();
  const store::LeasedRecipient& recipient = mail.recipient();
  const Options& options = world_.options;

  letter.message.begin({.address = recipient.address,
                        .insert_codes = recipient.insert_codes,
                        .identity = {.delivery = static_cast<std::int64_t>(key.delivery),
                                     .batch = key.batch,
                                     .seq = key.seq,
                                     .message_id_domain = options.message_id_domain,
                                     .secret = options.instance_secret,
                                     .date = letter.started}},
                       message_);
  if (!letter.signer) return {};
  const auto hash = rounds_.context.body_hash(message_.body());
  const auto headers = message_.headers();
  return letter.signer->begin(rounds_.context,
                              {.headers = headers, .body_hash = hash, .signed_at = letter.started},
                              begun_);
}

Result<void> LaneConnection::sign(const Mail& mail) {
  signatures_.clear();
  if (mail.batch->letter().signer) {
    if (auto done = mailauth::dkim::Signer::finish(rounds_.context, begun_, signatures_); !done) {
      return done;
    }
  }
  const store::RecipientKey key = mail.key();
  const Options& options = world_.options;
  pieces_.clear();
  if (!signatures_.empty()) pieces_.push_back(signatures_);
  pieces_.push_back(message_.head());
  pieces_.insert(pieces_.end(), message_.body().begin(), message_.body().end());

  auto envelope = smtp::ClientEnvelope::make(
      encode_recipient_token({static_cast<std::int64_t>(key.delivery), key.batch, key.seq},
                             as_view(options.instance_secret)) +
          "@" + options.return_path_domain,
      {mail.recipient().address},
      {.eight_bit = message_.is_eight_bit(), .smtputf8 = message_.needs_smtputf8()});
  if (!envelope) return fail(std::move(envelope.error()));
  envelope_ = std::move(*envelope);
  return {};
}

void LaneConnection::settle(const policy::Answer& answer, const Path& path, Milliseconds duration) {
  const Letter& letter = seat_->mails.front().batch->letter();
  const policy::Verdict verdict = policy::judge(answer, letter.at_most_once);
  note_known(answer);
  // A 421 after successful mails is the receiver's "enough for this connection", not its trouble.
  if (verdict.site_failed && delivered_ == 0) seat_->site_failed = true;
  if (!verdict.site_failed && answer.reply.code != 0) seat_->served = true;
  Outcome outcome{
      .state = verdict.state,
      .stage = answer.stage,
      .reply = answer.reply,
      .charset_fell_back = answer.stage >= Stage::mail_from && message_.charset_fell_back()};
  if (verdict.lacks_tls) {
    outcome.stage = Stage::starttls;
    outcome.reply.text += fmt::format(" (said without TLS: {})", path.tls_detail);
    lacks_tls_ = true;
  }
  settle_as(std::move(outcome), path, duration);
}

void LaneConnection::settle_as(Outcome outcome, Path path, Milliseconds duration) {
  trying_ = true;
  if (!known_) known_ = {.state = outcome.state, .stage = outcome.stage, .path = {}};
  path.egress_source = lane_->source_.name;
  world_.outcomes.settled(seat_->mails.front(), lane_->site_, std::move(outcome), std::move(path),
                          duration);
  seat_->mails.pop();
  forget_trial();
}

void LaneConnection::note_known(const policy::Answer& answer) {
  const Letter& letter = seat_->mails.front().batch->letter();
  trying_ = true;
  known_ = {.state = policy::judge(answer, letter.at_most_once).state,
            .stage = answer.stage,
            .code = answer.reply.code,
            .in_doubt = answer.in_doubt,
            .path = {}};
}

void LaneConnection::forget_trial() noexcept {
  trying_ = false;
  known_.reset();
}

}  // namespace todoku::delivery::egress
