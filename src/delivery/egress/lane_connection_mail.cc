// SPDX-License-Identifier: Apache-2.0
// One mail: whether it may be begun, how it is made and signed, what came of it, and who is told.
#include <algorithm>
#include <exception>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "delivery/egress/lane_connection.h"
#include "delivery/unmade.h"
#include "delivery/whole_copy.h"

namespace todoku::delivery::egress {
namespace {

// Private memory a connection keeps between mails.
constexpr std::size_t kMessageMemoryMax = 64 * 1024;
constexpr std::size_t kTimedOctetsMax = 256 * 1024;
// How long a mail waits for company whose signatures are made together with its own: little beside
// a receiver's answer, and enough for connections whose answers are on their way.
constexpr Microseconds kPatienceBulk{1'000};
constexpr Microseconds kPatienceTransactional{200};

// Before content is read again that the store did not give.
constexpr std::chrono::seconds kStoreWait{10};
// After so long the receiver may have hung up.
constexpr std::chrono::milliseconds kReceiverMayTire{500};
// Of how many bits the store is told ahead at most (store/work.h, Begun): half a batch, so that
// commits which last 20 ms hold up no lane that carries 10,000 mails a second.
constexpr std::uint32_t kBegunAheadMax = 32;

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

// A mail's octets as its connection takes them.
class MailSlices final : public smtp::ContentSlices {
 public:
  explicit MailSlices(SliceReader reader) : reader_(std::move(reader)) {}
  void begin() override { reader_.begin(); }
  Task<Result<std::span<const std::string_view>>> next() override { return reader_.next(); }

 private:
  SliceReader reader_;
};

DsnNotify notify_of(std::string_view wish) {
  return DsnNotify::parse(wish).value_or(DsnNotify());
}

// NOTIFY=SUCCESS, which who relays it tells itself where the receiver will not.
bool wishes_to_hear_of_success(std::span<const InsertCode> wishes) {
  return std::ranges::any_of(wishes, [](const InsertCode& wish) {
    return wish.key == kNotifyParameter && notify_of(wish.value).on_success();
  });
}

// What the sender of a relayed message wishes to be told of one recipient.
smtp::EnvelopeReports reports_of(const OwnSender& sender, std::span<const InsertCode> wishes) {
  smtp::EnvelopeReports reports{.returned = sender.returned, .envelope_id = sender.envid};
  smtp::RecipientReports wished;
  for (const InsertCode& wish : wishes) {
    if (wish.key == kNotifyParameter) wished.notify = notify_of(wish.value);
    if (wish.key == kOrcptParameter) wished.original = parse_orcpt(wish.value, true);
  }
  if (wished.notify.is_specified() || wished.original) reports.recipients = {std::move(wished)};
  return reports;
}

}  // namespace

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
  bool may = !mail.withheld();
  if (may && mail.batch->leased().suspect) may = co_await world_.outcomes.begin_suspect(mail);
  if (may) co_return true;
  // Somebody else has it, or will, or nobody is to: whatever is said of it is not ours to say.
  park(now());
  co_return false;
}

bool LaneConnection::may_still_begin(const Mail& mail) const {
  return !mail.withheld() && !mail.batch->expired(now()) && world_.outcomes.may_send();
}

bool LaneConnection::too_large(const Mail& mail) {
  auto refusal = size_refusal(mail.batch->letter().message, mail.recipient().insert_codes,
                              world_.options.message_octets_max, message_);
  if (!refusal) return false;
  settle_as(std::move(*refusal), Path{}, Milliseconds(0));
  return true;
}

std::optional<mime::WireOctets> LaneConnection::must_become(const LetterMessage& message) const {
  const smtp::Capabilities& receiver = connection_->capabilities();
  // A header section in UTF-8 has no other form, whatever its body has; the dialogue tells that.
  if (message.needs_smtputf8() && !receiver.smtputf8) return std::nullopt;
  return message.must_become(receiver.eight_bit_mime ? mime::WireOctets::eight_bit
                                                     : mime::WireOctets::seven_bit);
}

Task<bool> LaneConnection::make_fit(const Mail& mail) {
  const LetterMessage& message = mail.batch->letter().message;
  const auto must_become = this->must_become(message);
  if (!must_become) co_return true;
  auto made = co_await message.converted(*must_become);
  if (!made) {
    cannot_read(made.error());
    co_return false;
  }
  if (!made->message) {
    cannot_convert(message, made->why_not);
    co_return false;
  }
  converted_ = std::move(made->message);
  co_return true;
}

void LaneConnection::cannot_convert(const LetterMessage& message, const std::string& why_not) {
  policy::Finding why = unconverted(message, why_not);
  policy::Answer answer{.stage = why.stage, .permanent = why.permanent};
  answer.cause = why.cause;
  answer.reply.text = std::move(why.words);
  log::info("a message that cannot be converted for its receiver",
            {{"site", lane_->site_},
             {"address", seat_->mails.front().recipient().address},
             {"reason", answer.reply.text}});
  settle(answer, judge(answer), connection_->path(), Milliseconds(0));
}

Task<Result<void>> LaneConnection::prepare(const Mail& mail) {
  Result<void> prepared;
  try {
    if (outgoing(mail.batch->letter()).is_in_slices()) prepared = co_await hash_slices(mail);
    if (!prepared) co_return prepared;
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

Task<Result<void>> LaneConnection::hash_slices(const Mail& mail) {
  const Letter& letter = mail.batch->letter();
  if (!letter.signer) co_return Result<void>();
  begin_copy(mail);
  const auto hash = co_await outgoing(letter).body_hash(message_);
  if (!hash) co_return fail(hash.error());
  slices_hash_ = *hash;
  co_return Result<void>();
}

void LaneConnection::cannot_read(const Error& error) {
  if (error.kind == ErrorKind::unavailable) {
    // The store does not answer now: nothing is wrong with the content.
    return park(now() + kStoreWait);
  }
  log::error("content not read", {{"reason", error.detail}});
  settle_as(policy::outcome_of({.cause = Cause::content_unreadable,
                                .words = "4.3.5 its content cannot be read: " + error.detail}),
            Path{}, Milliseconds(0));
}

Task<LaneConnection::Sent> LaneConnection::send_first() {
  const Mail mail = seat_->mails.front();
  if (gave_up(mail)) co_return Sent::goes_on;
  if (world_.stops != nullptr && world_.stops->mentions(mail)) {
    const bool over = co_await stopped(mail);
    if (over) co_return Sent::goes_on;
  }
  if (mail.withheld() || mail.batch->leased().suspect) {
    const bool clear = co_await clear_to_begin(mail);
    if (!clear) co_return Sent::goes_on;
  }
  if (must_tell_begun(mail)) {
    const SteadyInstant asked = now();
    const bool told = co_await tell_begun(mail);
    if (mail.withheld()) {
      park(now());
      co_return Sent::goes_on;
    }
    const bool tired = now() - asked > kReceiverMayTire && !connection_->is_reusable();
    if (!told || tired) co_return Sent::not_wanted;
    // It is asked for anew, and begun by then.
    if (!may_still_begin(mail)) co_return Sent::goes_on;
  }
  Sent sent = Sent::not_wanted;
  std::exception_ptr thrown;
  try {
    sent = co_await send_cleared(mail);
  } catch (...) {
    thrown = std::current_exception();
  }
  // What was thrown while it was tried is told instead (note_untold()).
  const bool stays = thrown ? !trying_ : sent == Sent::not_wanted;
  if (stays) co_await lane_->way_out_.stay(mail);
  if (thrown) std::rethrow_exception(thrown);
  co_return sent;
}

// Of what is sent at most once, and of suspects, the store is told in other words.
bool LaneConnection::must_tell_begun(const Mail& mail) {
  if (mail.batch->letter().at_most_once || mail.batch->leased().suspect) return false;
  std::uint32_t ahead = lane_->begun_ahead_.load();
  const bool first = !mail.batch->has_asked_begun();
  if (first) {
    lane_->begun_ahead_.compare_exchange_strong(ahead, ahead - ahead / 4);
  }
  world_.outcomes.begin_soon(mail, ahead);
  return !mail.batch->is_begun(mail.recipient().seq);
}

// So far ahead is asked that nobody waits while a batch is under way, and little farther: all that
// is said to be begun is in doubt if this process ends. False: it is not begun now.
Task<bool> LaneConnection::tell_begun(const Mail& mail) {
  const bool too_near = mail.batch->has_begun();
  std::uint32_t ahead = lane_->begun_ahead_.load();
  const bool told = co_await world_.outcomes.begin(mail, ahead);
  if (too_near) {
    const std::uint32_t farther = std::min(2 * ahead, kBegunAheadMax);
    lane_->begun_ahead_.compare_exchange_strong(ahead, farther);
  }
  co_return told;
}

Task<bool> LaneConnection::stopped(const Mail& mail) {
  const auto reason = co_await world_.stops->ask(mail);
  if (!reason) {
    // The store does not answer now: who knows.
    park(now() + kStoreWait);
    co_return true;
  }
  if (!*reason) co_return false;
  settle_as(dropped_for(**reason), Path{}, Milliseconds(0));
  co_return true;
}

Task<LaneConnection::Sent> LaneConnection::send_cleared(const Mail& mail) {
  const Letter& letter = mail.batch->letter();
  if (too_large(mail)) co_return Sent::goes_on;
  const SteadyInstant asked = now();
  converted_.reset();
  const std::uint64_t octets = letter.message.octets_of(mail.recipient().insert_codes, message_);
  auto room = static_cast<std::size_t>(letter.message.octets_in_memory(octets));
  const bool converts_slices = letter.message.is_in_slices() && must_become(letter.message);
  if (converts_slices) room += SliceReader::kConvertingOctets;
  const SteadyInstant deadline = asked + world_.options.composing_patience;
  auto memory = co_await world_.memory.share(room, letter.traffic, deadline);
  if (!memory) {
    found_no_room(deadline);
    co_return Sent::not_wanted;
  }
  world_.shortage.room_again();
  if (now() - asked > kReceiverMayTire && !connection_->is_reusable()) co_return Sent::not_wanted;
  const bool fits = co_await make_fit(mail);
  if (!fits) co_return Sent::goes_on;
  const LetterMessage& message = outgoing(letter);
  const Result<void> prepared = co_await prepare(mail);
  memory->shrink_to(message_.memory_octets() + message.slice_octets());
  Sent sent = Sent::goes_on;
  if (mail.withheld()) {
    park(now());  // since it waited for memory, or was made
  } else if (prepared && message.is_in_slices() && !may_still_begin(mail)) {
    // It is asked for anew; the hash is known then.
  } else if (prepared && letter.at_most_once) {
    sent = co_await transmit_once(mail);
  } else if (prepared) {
    sent = co_await transmit(mail);
  } else if (message.is_in_slices()) {
    cannot_read(prepared.error());
  } else {
    // Ours to mend; the recipient's mail waits rather than being lost.
    log::error("mail not composed", {{"reason", prepared.error().detail}});
    settle_as(policy::outcome_of(
                  {.cause = Cause::cannot_compose, .words = "4.3.5 " + prepared.error().detail}),
              Path{}, Milliseconds(0));
  }
  message_.trim(kMessageMemoryMax);
  co_return sent;
}

void LaneConnection::found_no_room(SteadyInstant deadline) {
  if (now() < deadline) return;  // it was to stop
  seat_->found_no_room = true;
  world_.shortage.no_room();
}

Task<LaneConnection::Sent> LaneConnection::transmit_once(const Mail& mail) {
  const bool noted = co_await world_.outcomes.begin_once(mail);
  if (!noted) {
    // It is somebody else's, or the store is away.
    park(now() + kStoreWait);
    co_return Sent::goes_on;
  }
  if (!may_still_begin(mail)) co_return Sent::not_wanted;
  const Sent sent = co_await transmit(mail);
  co_return sent;
}

Task<LaneConnection::Sent> LaneConnection::transmit(const Mail& mail) {
  const SteadyInstant began = now();
  const SteadyInstant not_after = mail.batch->expires();
  std::optional<MailSlices> slices;
  const LetterMessage& letter = outgoing(mail.batch->letter());
  if (letter.is_in_slices()) slices.emplace(letter.slices(pieces_, message_));
  const smtp::MessageView view{.pieces = slices ? std::span<const std::string_view>() : pieces_,
                               .size = message_.size() + signatures_.size(),
                               .may_have_leading_dot = message_.has_leading_dot(),
                               .in_slices = slices.has_value(),
                               .after_recipients = mail.batch->letter().at_most_once};
  const policy::Avoided avoided = world_.receivers.avoided(lane_->site_, began);
  if (avoided.any()) {
    connection_->avoid({.pipelining = avoided.pipelining, .chunking = avoided.chunking});
  }
  begin_trial(began);
  std::span<smtp::RecipientResult> results;
  {
    const InHand in_hand(world_.in_hand_gauge);
    results = co_await connection_->send(*envelope_, view, not_after, slices ? &*slices : nullptr);
  }
  if (const auto& unread = connection_->content_error()) {
    cannot_read(*unread);
    co_return Sent::ended;
  }
  smtp::RecipientResult& result = results.front();
  const bool elsewhere = goes_elsewhere(result, mail);
  const policy::Answer answer{
      .stage = result.stage,
      .reply = std::move(result.reply),
      .permanent = result.permanent,
      .in_doubt = result.in_doubt,
      .in_clear = connection_->path().tls == TlsUse::none,
      .receiver_reports = result.receiver_reports,
      .cause = result.cause,
      .tls_off = policy::tls_plan(lane_->limits_.tls).mode == TlsMode::never};
  const policy::Verdict verdict = judge(answer);
  note_known(answer, verdict);
  learn_habits(answer.reply.code != 0 ? policy::Evidence::said : policy::Evidence::inferred);
  if (elsewhere) {
    if (answer.in_doubt) {
      mail.batch->doubt(mail.index, {.words = answer.reply.text, .path = connection_->path()});
      log::warning("mail in doubt goes again, without an extension its receiver stumbled over",
                   {{"site", lane_->site_}, {"address", mail.recipient().address}});
    } else if (result.after_content) {
      mail.batch->passed_on(mail.index,
                            fmt::format("the whole mail was out when the receiver said {} {}",
                                        answer.reply.code, answer.reply.text));
    }
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
  const std::uint32_t answers = seat_->answers;
  settle(answer, verdict, connection_->path(), took);
  // Of a large one it tells more of the line than of the receiver.
  if (seat_->answers > answers && view.size <= kTimedOctetsMax) {
    ++seat_->answers_timed;
    seat_->answers_took += finished - began;
  }
  // Where it lacks TLS another connection may find it.
  const bool usable =
      connection_->is_at_rest() && !verdict.lacks_tls && !seat_->site_failed && !seat_->too_fast;
  co_return usable ? Sent::goes_on : Sent::ended;
}

bool LaneConnection::goes_elsewhere(const smtp::RecipientResult& result, const Mail& mail) const {
  // What may have arrived goes again only where that is wanted, and then only for the reason that
  // the way it went was wrong.
  const bool may_repeat = !result.in_doubt || !mail.batch->letter().at_most_once;
  if (result.again) return may_repeat;
  if (result.in_doubt) return false;
  if (result.cause == Cause::stopping) return true;
  // "Enough for this connection", said before anything of the mail or by hanging up after the mail
  // before: the next connection takes it.
  const bool enough = connection_->hung_up_unheard() ||
                      (result.stage == Stage::mail_from && result.reply.code == kServiceClosing);
  return enough && delivered_ > 0;
}

void LaneConnection::learn_habits(policy::Evidence evidence) {
  const smtp::BrokenOffers& broken = connection_->broken_offers();
  if (!broken.any()) return;
  world_.receivers.learn(lane_->site_,
                         {.pipelining = broken.pipelining, .chunking = broken.chunking}, evidence,
                         now());
}

policy::Verdict LaneConnection::judge(policy::Answer answer) const {
  answer.site = lane_->site_;
  const bool at_most_once = seat_->mails.front().batch->letter().at_most_once;
  const EgressSource& source = lane_->source_;
  if (source.smarthost) return policy::judge_smarthost(std::move(answer), at_most_once);
  const bool is_listed = world_.listed != nullptr && world_.listed->contains(source.name);
  return policy::judge_for_source(answer, at_most_once, source.seen_as, is_listed);
}

Microseconds LaneConnection::patience(const Letter& letter) const {
  if (!letter.signer || !letter.signer->gains_from_company(rounds_.context)) {
    return Microseconds(0);
  }
  return letter.traffic == TrafficClass::bulk ? kPatienceBulk : kPatienceTransactional;
}

void LaneConnection::begin_copy(const Mail& mail) {
  const Letter& letter = mail.batch->letter();
  const store::RecipientKey key = mail.key();
  const store::LeasedRecipient& recipient = mail.recipient();
  const Options& options = world_.options;

  outgoing(letter).begin({.address = recipient.address,
                          .insert_codes = recipient.insert_codes,
                          .identity = {.delivery = static_cast<std::int64_t>(key.delivery),
                                       .batch = key.batch,
                                       .seq = key.seq,
                                       .message_id_domain = options.message_id_domain,
                                       .secret = options.instance_secret,
                                       .date = letter.started}},
                         message_);
}

Result<void> LaneConnection::compose(const Mail& mail) {
  const Letter& letter = mail.batch->letter();
  begin_copy(mail);
  if (!letter.signer) return {};
  const auto hash = outgoing(letter).is_in_slices() ? slices_hash_.value()
                                                    : rounds_.context.body_hash(message_.body());
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
  if (!outgoing(mail.batch->letter()).is_in_slices()) {
    pieces_.insert(pieces_.end(), message_.body().begin(), message_.body().end());
  }

  const auto& own = mail.batch->letter().sender;
  auto envelope = smtp::ClientEnvelope::make(
      mail_from_of(mail.batch->letter(), key, options), {mail.recipient().address},
      {.eight_bit = message_.is_eight_bit(), .smtputf8 = message_.needs_smtputf8()},
      own ? reports_of(*own, mail.recipient().insert_codes) : smtp::EnvelopeReports{});
  if (!envelope) return fail(std::move(envelope.error()));
  envelope_ = std::move(*envelope);
  return {};
}

void LaneConnection::settle(const policy::Answer& answer, const policy::Verdict& verdict,
                            const Path& path, Milliseconds duration) {
  // A receiver that refuses the address, for a list that it is on, would refuse all else, too:
  // there, and only there, the source rests for a while.
  if (verdict.refuses_address) {
    seat_->site_failed = true;
    seat_->is_listed = true;
    seat_->failure = answer.reply;
  } else {
    note_pace(answer, verdict);
  }
  note_automations(answer, verdict);
  if (!verdict.site_failed && !verdict.refuses_address && answer.reply.code != 0) {
    seat_->served = true;
  }
  tell_refusals(answer, verdict);
  Outcome outcome{
      .state = verdict.state,
      .stage = answer.stage,
      .reply = answer.reply,
      .is_attempt = verdict.is_attempt,
      .charset_fell_back = answer.stage >= Stage::mail_from && message_.charset_fell_back(),
      .sender_to_tell = verdict.state == RecipientState::delivered && !answer.receiver_reports &&
                        wishes_to_hear_of_success(seat_->mails.front().recipient().insert_codes),
      .cause = verdict.cause};
  if (verdict.lacks_tls) {
    outcome.stage = Stage::starttls;
    outcome.reply.text += fmt::format(" (said without TLS: {})", path.tls_detail);
  }
  const Mail& mail = seat_->mails.front();
  if (const auto before = mail.batch->take_passed_on(mail.index)) {
    outcome.reply.text +=
        outcome.stage >= Stage::data
            ? fmt::format(" (sent twice in this attempt: {}; it may arrive twice)", *before)
            : fmt::format(" (sent before in this attempt: {}; it may have arrived)", *before);
  }
  settle_as(std::move(outcome), path, duration);
}

void LaneConnection::tell_refusals(const policy::Answer& answer, const policy::Verdict& verdict) {
  if (world_.refusals == nullptr) return;
  const std::string& source = lane_->source_.name;
  const auto& smarthost = lane_->source_.smarthost;
  const std::string_view where = smarthost ? smarthost->host : std::string_view(lane_->site_);
  if (verdict.refuses_us) {
    world_.refusals->smarthost_refuses(source, where, answer.reply, now());
  } else if (verdict.cause == Cause::smarthost) {
    world_.refusals->sender_refused(source, where, answer.reply, now());
  } else if (verdict.refuses_address) {
    world_.refusals->address_refused(source, where, answer.reply, now());
  } else if (verdict.state == RecipientState::delivered) {
    world_.refusals->mail_taken(source, where, now());
  }
}

void LaneConnection::note_automations(const policy::Answer& answer,
                                      const policy::Verdict& verdict) {
  if (verdict.state == RecipientState::delivered || answer.reply.code == 0) return;
  const auto set_off = policy::automations_in_force().set_off_by(
      {.site = lane_->site_, .cause = verdict.cause, .text = answer.reply.text});
  seat_->automations.insert(seat_->automations.end(), set_off.begin(), set_off.end());
}

void LaneConnection::note_pace(const policy::Answer& answer, const policy::Verdict& verdict) {
  if (verdict.state == RecipientState::delivered) lane_->senders_refused_ = 0;
  policy::LaneBefore before{.delivered = delivered_ > 0,
                            .senders_refused = lane_->senders_refused_};
  if (verdict.refuses_sender) before.senders_refused = ++lane_->senders_refused_;
  switch (policy::lane_news(answer, verdict, before)) {
    case policy::LaneNews::nothing:
      return;
    case policy::LaneNews::good:
      ++seat_->answers;
      return;
    case policy::LaneNews::too_many:
      seat_->too_many = true;
      break;
    case policy::LaneNews::too_fast:
      seat_->too_fast = true;
      break;
    case policy::LaneNews::site_failed:
      seat_->site_failed = true;
      break;
  }
  seat_->failure = answer.reply;
}

void LaneConnection::settle_as(Outcome outcome, Path path, Milliseconds duration) {
  trying_ = true;
  if (!known_) {
    known_ = {.state = outcome.state, .stage = outcome.stage, .cause = outcome.cause, .path = {}};
  }
  lane_->way_out_.settle(seat_->mails.front(), std::move(outcome), std::move(path), duration);
  seat_->mails.pop();
  forget_trial();
}

void LaneConnection::park(SteadyInstant until) {
  lane_->way_out_.park(seat_->mails.front(), until);
  seat_->mails.pop();
  forget_trial();
}

void LaneConnection::note_known(const policy::Answer& answer, const policy::Verdict& verdict) {
  trying_ = true;
  known_ = {.state = verdict.state,
            .stage = answer.stage,
            .code = answer.reply.code,
            .in_doubt = answer.in_doubt,
            .cause = verdict.cause,
            .path = {}};
}

void LaneConnection::begin_trial(SteadyInstant now) {
  trying_ = true;
  at_hand_->begin(seat_->mails.front().key(), now);
}

void LaneConnection::forget_trial() noexcept {
  at_hand_->end();
  trying_ = false;
  known_.reset();
}

}  // namespace todoku::delivery::egress
