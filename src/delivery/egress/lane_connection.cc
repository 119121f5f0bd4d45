// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/lane_connection.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "delivery/policy/return_path.h"

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

std::string_view as_view(const std::array<std::uint8_t, 16>& secret) {
  return {reinterpret_cast<const char*>(secret.data()), secret.size()};
}

}  // namespace

LaneConnection::LaneConnection(std::shared_ptr<Lane> lane, LaneRoute route, SigningRounds& rounds,
                               std::uint64_t seed)
    : lane_(std::move(lane)),
      world_(lane_->world_),
      route_(std::move(route)),
      rounds_(rounds),
      random_(seed) {}

Task<void> LaneConnection::run(std::shared_ptr<LaneConnection> self) {
  co_await self->work();
}

Task<void> LaneConnection::work() {
  const async::Executor home = lane_->home();
  // A mail in hand before dialling: who finds no work opens no connection, and a site that cannot
  // be reached leaves its words in a recipient's story.
  auto mails = co_await async::run_on(home, lane_->take(route_.key, 1, SteadyInstant{}, false));
  if (mails.empty()) {
    const Lane::Ended how;
    co_await async::run_on(home, lane_->connection_closed(route_.key, how, {}));
    co_return;
  }
  const SteadyInstant began = now();
  const auto failure = co_await open();
  if (failure) {
    const auto took = std::chrono::duration_cast<Milliseconds>(now() - began);
    for (const Mail& mail : mails) settle(mail, failure->answer, failure->path, took);
    const bool site_failed = policy::judge(failure->answer, false).site_failed;
    const Lane::Ended how{.site_failed = site_failed};
    co_await async::run_on(home, lane_->connection_closed(route_.key, how, {}));
    co_return;
  }
  co_await async::run_on(home, lane_->connection_opened(route_.key));
  auto untried = co_await send_all(std::move(mails));
  // A 421 after successful mails is the receiver's "enough for this connection", not its trouble.
  const Lane::Ended how{.opened = true,
                        .served = served_,
                        .site_failed = site_failed_ && delivered_ == 0,
                        .begun_in_vain = begun_in_vain_};
  // The receiver counts a connection until it is closed: only then may another take its place.
  co_await connection_->quit();
  co_await async::run_on(home, lane_->connection_closed(route_.key, how, std::move(untried)));
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

Task<std::optional<LaneConnection::OpenFailure>> LaneConnection::open_at(dns::Candidate candidate) {
  auto options = connection_options(candidate);
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
                        std::move(failure.path)};
}

Task<std::optional<LaneConnection::OpenFailure>> LaneConnection::open() {
  const EgressSource& source = lane_->source_;
  auto addresses =
      dns::candidates(route_.route(), {.ipv4 = source.use_v4, .ipv6 = source.use_v6}, random_);
  if (addresses.size() > kCandidatesMax) addresses.resize(kCandidatesMax);
  std::optional<OpenFailure> failure;
  for (const dns::Candidate& candidate : addresses) {
    auto failed = co_await open_at(candidate);
    if (!failed) co_return std::nullopt;
    const bool try_next = policy::judge(failed->answer, false).try_next_host;
    // The first failure is of the preferred host: its words tell most.
    if (!failure) failure = std::move(failed);
    if (!try_next) break;
  }
  if (!failure) failure = OpenFailure{{.stage = Stage::dns, .reply = {0, "no address to try"}}, {}};
  co_return failure;
}

// ---- sending -----------------------------------------------------------------------------------

Task<std::vector<Mail>> LaneConnection::send_all(std::vector<Mail> mails) {
  const std::uint32_t mails_max = std::max(1U, lane_->limits_.messages_per_connection);
  const async::Rounds::Member member(rounds_.rounds);
  while (!mails.empty()) {
    for (std::size_t i = 0; i < mails.size(); ++i) {
      bool may_send = world_.outcomes.may_send();
      while (!may_send) {
        const bool goes_on = co_await world_.outcomes.may_send_soon();
        if (!goes_on) break;
        may_send = world_.outcomes.may_send();
      }
      const Sent sent = may_send ? co_await send(mails[i]) : Sent::not_wanted;
      if (sent != Sent::usable) {
        const std::size_t settled = sent == Sent::ended ? i + 1 : i;
        mails.erase(mails.begin(), mails.begin() + static_cast<std::ptrdiff_t>(settled));
        co_return mails;
      }
    }
    if (sent_ >= mails_max) break;
    const std::uint32_t wanted = std::min(block_size(), mails_max - sent_);
    // Or their batches would count as in flight for as long as the connection idles, and a retry
    // that is due by then would not be claimed.
    mails.clear();
    mails = co_await async::run_on(
        lane_->home(), lane_->take(route_.key, wanted, now() + lane_->limits_.idle, served_));
    // While it waited, the receiver may have hung up: find out before a mail is at stake.
    if (!mails.empty() && !connection_->is_reusable()) co_return mails;
  }
  co_return std::vector<Mail>{};
}

std::uint32_t LaneConnection::block_size() const {
  const double mails = kBlockSeconds / std::max(seconds_per_mail_, 1e-6);
  return std::clamp(static_cast<std::uint32_t>(std::min(mails, 1e6)), 1U, kBlockMax);
}

// Mail may wait in a lane for hours, where a site answers slowly: after its life time it is not
// sent.
bool LaneConnection::gave_up(const Mail& mail) {
  const Letter& letter = mail.batch->letter();
  const policy::RetryOptions& retry = world_.options.retry_of(letter.traffic);
  if (!policy::life_time_over(retry, letter.started, world_.clock.now())) return false;
  world_.outcomes.settled(mail, lane_->site_, policy::given_up(retry), Path{}, Milliseconds(0));
  return true;
}

Task<LaneConnection::Sent> LaneConnection::send(Mail mail) {
  if (gave_up(mail)) co_return Sent::usable;
  Result<void> prepared;
  co_await rounds_.rounds.join([&] { prepared = compose(mail); },
                               [&] {
                                 if (prepared) prepared = sign(mail);
                               },
                               patience(mail.batch->letter()));
  if (!prepared) {
    // Ours to mend; the recipient's mail waits rather than being lost.
    log::error("mail not composed", {{"reason", prepared.error().detail}});
    settle(mail, {.stage = Stage::none, .reply = {0, "4.3.0 " + prepared.error().detail}}, {},
           Milliseconds(0));
    co_return Sent::usable;
  }
  const SteadyInstant began = now();
  const smtp::MessageView view{.pieces = pieces_,
                               .size = message_.size() + signatures_.size(),
                               .may_have_leading_dot = message_.has_leading_dot()};
  world_.in_hand_gauge.add(1);
  auto results = co_await connection_->send(*envelope_, view);
  world_.in_hand_gauge.add(-1);
  const auto took = now() - began;
  smtp::RecipientResult& result = results.front();
  // "Enough for this connection", said before anything of the mail or by hanging up after the mail
  // before: the next connection takes it.
  const bool enough = connection_->hung_up_unheard() ||
                      (result.stage == Stage::mail_from && result.reply.code == kServiceClosing);
  if (enough && !result.in_doubt && delivered_ > 0) {
    begun_in_vain_ = true;
    co_return Sent::not_wanted;
  }
  ++sent_;
  if (result.accepted()) ++delivered_;
  constexpr double kNewest = 0.2;
  seconds_per_mail_ =
      kNewest * std::chrono::duration<double>(took).count() + (1 - kNewest) * seconds_per_mail_;
  const policy::Answer answer{.stage = result.stage,
                              .reply = std::move(result.reply),
                              .permanent = result.permanent,
                              .in_doubt = result.in_doubt};
  settle(mail, answer, connection_->path(), std::chrono::duration_cast<Milliseconds>(took));
  message_.trim(kMessageMemoryMax);
  co_return connection_->is_at_rest() ? Sent::usable : Sent::ended;
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

  letter.message.compose({recipient.address, mime::view_codes(recipient.insert_codes, codes_)},
                         {.delivery = static_cast<std::int64_t>(key.delivery),
                          .batch = key.batch,
                          .seq = key.seq,
                          .message_id_domain = options.message_id_domain,
                          .secret = options.instance_secret,
                          .date = letter.started},
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
      policy::encode_return_path({static_cast<std::int64_t>(key.delivery), key.batch, key.seq},
                                 as_view(options.instance_secret)) +
          "@" + options.return_path_domain,
      {mail.recipient().address});
  if (!envelope) return fail(std::move(envelope.error()));
  envelope_ = std::move(*envelope);
  return {};
}

void LaneConnection::settle(const Mail& mail, const policy::Answer& answer, Path path,
                            Milliseconds duration) {
  const policy::Verdict verdict = policy::judge(answer, mail.batch->letter().at_most_once);
  if (verdict.site_failed) site_failed_ = true;
  if (!verdict.site_failed && answer.reply.code != 0) served_ = true;
  path.egress_source = lane_->source_.name;
  world_.outcomes.settled(
      mail, lane_->site_,
      {.state = verdict.state,
       .stage = answer.stage,
       .reply = answer.reply,
       .charset_fell_back = answer.stage >= Stage::mail_from && message_.charset_fell_back()},
      std::move(path), duration);
}

}  // namespace todoku::delivery::egress
