// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/client_session.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/digest.h"
#include "base/wipe.h"

namespace todoku::smtp {
namespace {

// The slowest that content may leave: with RFC 5321's three minutes on top, nobody is cut off who
// still moves.
constexpr std::uint64_t kOctetsPerSecondMin = 16'384;

}  // namespace

ClientSession::ClientSession(ClientSessionOptions options) : options_(std::move(options)) {
  check(!options_.hello_name.empty() && is_ascii(options_.hello_name) &&
            options_.hello_name.find_first_of(" \r\n") == std::string::npos,
        "the EHLO name is one word");
}

ClientSession::Step ClientSession::step() const {
  switch (phase_) {
    case Phase::handshake:
      return Step::start_tls;
    case Phase::rest:
      return Step::rest;
    case Phase::over:
      return Step::over;
    default:
      if (!broken_write_.empty()) return Step::read;
      if (phase_ == Phase::mail && transaction_.content_wanted() > 0) return Step::content;
      return output().empty() ? Step::read : Step::write;
  }
}

std::span<const std::string_view> ClientSession::output() const {
  if (phase_ == Phase::mail) return transaction_.output();
  return command_view_.empty() ? std::span<const std::string_view>() : std::span(&command_view_, 1);
}

void ClientSession::written() {
  check(step() == Step::write, "something was to be written");
  if (phase_ == Phase::mail) {
    transaction_.written();
    // All slices of a content are one turn.
    if (transaction_.content_wanted() > 0) return;
  } else {
    command_view_ = {};
    if (phase_ == Phase::auth) wipe(command_);
  }
  ++turn_;
}

void ClientSession::content(std::span<const std::string_view> pieces) {
  check(step() == Step::content, "content was asked for");
  transaction_.content(pieces);
}

Milliseconds ClientSession::patience() const {
  const ClientTimeouts& timeouts = options_.timeouts;
  if (!broken_write_.empty()) return timeouts.farewell;
  if (phase_ == Phase::handshake) return timeouts.starttls;
  if (writes_content()) {
    return timeouts.data_block + std::chrono::seconds(content_octets_ / kOctetsPerSecondMin);
  }
  return patience_for_reply();
}

Milliseconds ClientSession::block_patience() const {
  return writes_content() ? options_.timeouts.data_block : patience();
}

bool ClientSession::writes_content() const {
  return step() == Step::write && phase_ == Phase::mail && transaction_.writes_content();
}

Milliseconds ClientSession::patience_for_reply() const {
  const ClientTimeouts& timeouts = options_.timeouts;
  switch (phase_) {
    case Phase::greeting:
      return timeouts.greeting;
    case Phase::ehlo:
    case Phase::helo:
    case Phase::auth:
      return timeouts.hello;
    case Phase::starttls:
    case Phase::handshake:
      return timeouts.starttls;
    case Phase::mail:
      if (transaction_.awaits_content_answer()) return timeouts.content;
      if (transaction_.awaits_data_answer()) return timeouts.data;
      return transaction_.awaited_stage() == Stage::rcpt_to ? timeouts.rcpt : timeouts.mail;
    case Phase::quit:
    case Phase::rest:
    case Phase::over:
      break;
  }
  return timeouts.quit;
}

void ClientSession::received(std::string_view octets) {
  while (!octets.empty() && phase_ != Phase::over) {
    const Result<bool> whole = parser_.take(octets);
    if (!whole) {
      break_off(Cause::garbled,
                fmt::format("the receiver sent {}, where we waited for the answer to {}",
                            whole.error().detail, awaited_name()));
      return;
    }
    if (!*whole) return;
    ++turn_;
    const bool was_opened = opened_;
    on_reply(parser_.reply(), !octets.empty());
    if (opened_ && !was_opened && !octets.empty()) return said_too_much(octets);
  }
}

void ClientSession::said_too_much(std::string_view octets) {
  opened_ = false;
  phase_ = Phase::ehlo;
  const Result<bool> whole = parser_.take(octets);
  if (whole && *whole && parser_.reply().code == kServiceClosing) {
    return fail_opening(parser_.reply());
  }
  break_off(Cause::garbled,
            "the receiver said more than its answer to EHLO before we sent anything");
}

void ClientSession::on_reply(const Reply& reply, bool more_input) {
  // Nothing is awaited while there is something to write, except last words.
  if (step() == Step::write || step() == Step::content || phase_ == Phase::handshake) {
    // Some servers ask for the content and refuse it in one breath; that refusal counts.
    const bool refusal = phase_ == Phase::mail && transaction_.awaits_content_answer() &&
                         (reply.temporary() || reply.permanent());
    break_off(Cause::garbled,
              fmt::format("the receiver said {} {} before we sent {}", reply.code, reply.text,
                          awaited_name()),
              refusal || reply.code == kServiceClosing ? &reply : nullptr);
    return;
  }
  switch (phase_) {
    case Phase::greeting:
      return on_greeting(reply);
    case Phase::ehlo:
      return on_ehlo(reply);
    case Phase::helo:
      return on_helo(reply);
    case Phase::starttls:
      return on_starttls(reply, more_input);
    case Phase::auth:
      return on_auth(reply);
    case Phase::mail:
      return on_mail(reply);
    case Phase::rest:  // a server that is tired of waiting says 421
    case Phase::quit:
      phase_ = Phase::over;
      return;
    case Phase::handshake:
    case Phase::over:
      check(false, "no reply is awaited here");
  }
}

void ClientSession::command(Phase phase, std::string text) {
  phase_ = phase;
  ++turn_;
  command_ = std::move(text);
  command_view_ = command_;
}

void ClientSession::on_greeting(const Reply& reply) {
  if (!reply.positive()) return fail_opening(reply);
  command(Phase::ehlo, fmt::format("EHLO {}\r\n", options_.hello_name));
}

void ClientSession::on_ehlo(const Reply& reply) {
  if (reply.positive()) {
    capabilities_ = Capabilities::from_ehlo(reply);
    return after_hello();
  }
  // RFC 5321 section 3.2: a server that does not know EHLO gets HELO. Over TLS it did know it.
  if (!reply.permanent() || tls_) return fail_opening(reply);
  command(Phase::helo, fmt::format("HELO {}\r\n", options_.hello_name));
}

void ClientSession::on_helo(const Reply& reply) {
  if (!reply.positive()) return fail_opening(reply);
  capabilities_ = {};
  after_hello();
}

void ClientSession::after_hello() {
  if (tls_) return log_in();
  if (options_.tls.mode == TlsMode::never) {
    no_tls_reason_ = "STARTTLS not wanted";
    return log_in();
  }
  if (capabilities_.starttls) return command(Phase::starttls, "STARTTLS\r\n");
  no_tls_reason_ = "STARTTLS not offered";
  if (options_.tls.mode == TlsMode::opportunistic) return log_in();
  phase_ = Phase::starttls;
  fail_opening(
      Reply{0, options_.tls.asked_by == TlsAsker::dane
                   ? "the receiver does not offer STARTTLS, which its TLSA records (DANE) require"
                   : "the receiver does not offer STARTTLS, which this site's policy requires"},
      cause_of_bad_tls(Cause::no_tls_offered));
}

void ClientSession::on_starttls(const Reply& reply, bool more_input) {
  if (!reply.positive()) {
    // RFC 3207 section 4: going on without is the client's decision.
    no_tls_reason_ = fmt::format("STARTTLS refused: {} {}", reply.code, reply.text);
    if (reply.code == kServiceClosing) return fail_opening(reply);
    if (options_.tls.mode == TlsMode::required) {
      return fail_opening(reply, cause_of_bad_tls(Cause::no_tls_offered));
    }
    return log_in();
  }
  phase_ = Phase::handshake;
  // Octets from before the handshake could be anybody's and must not be read as said inside of TLS
  // (CVE-2011-0411).
  if (more_input) {
    failed_in_tls_ = true;  // TLS is not to be had here; what clear text is worth, the plan says
    break_off(cause_of_bad_tls(Cause::tls_failed),
              "the receiver sent more after agreeing to STARTTLS");
  }
}

void ClientSession::tls_established(bool proven) {
  check(phase_ == Phase::handshake, "a handshake was wanted");
  tls_ = true;
  if (options_.tls.proof != TlsProof::none && !proven) {
    return fail_opening(
        Reply{0, options_.tls.proof == TlsProof::dane
                     ? "the receiver's certificate is not one that its TLSA records (DANE) name"
                     : "the receiver's certificate does not prove its name, as this site's policy "
                       "requires"},
        cause_of_bad_tls(Cause::tls_failed));
  }
  // RFC 3207 section 4.2: what was known from before the handshake is forgotten.
  capabilities_ = {};
  command(Phase::ehlo, fmt::format("EHLO {}\r\n", options_.hello_name));
}

// ---- logging in ---------------------------------------------------------------------------------

void ClientSession::log_in() {
  if (options_.login == nullptr) return ready();
  constexpr std::size_t kNonceOctets = 18;
  phase_ = Phase::auth;
  sasl_.emplace(*options_.login, to_base64(random_octets(kNonceOctets)));
  const auto first = sasl_->begin(capabilities_.auth);
  if (!first) return fail_opening(Reply{0, first.error().detail}, Cause::smarthost);
  command(Phase::auth, *first + "\r\n");
}

void ClientSession::on_auth(const Reply& reply) {
  constexpr int kChallenge = 334;
  if (!cancelled_login_.empty()) {
    return fail_opening(Reply{0, cancelled_login_}, Cause::smarthost);
  }
  if (reply.code == kChallenge) {
    const auto next = sasl_->respond(reply.text);
    if (!next) return cancel_login(next.error());
    return command(Phase::auth, *next + "\r\n");
  }
  if (reply.code == kServiceClosing) return fail_opening(reply);
  if (!reply.positive()) return fail_opening(reply, Cause::smarthost);
  const auto finished = sasl_->finish();
  if (!finished) return fail_opening(Reply{0, finished.error().detail}, Cause::smarthost);
  // RFC 4954 section 4: there is no other EHLO where no security layer was negotiated.
  ready();
}

void ClientSession::cancel_login(const Error& why) {
  cancelled_login_ = why.detail;
  command(Phase::auth, "*\r\n");  // RFC 4954 section 4
}

void ClientSession::ready() {
  rules_.server = capabilities_;
  rules_.server.pipelining = capabilities_.pipelining && options_.pipelining;
  rules_.server.chunking = capabilities_.chunking && options_.chunking;
  rules_.single_flight_max = options_.single_flight_max;
  opened_ = true;
  phase_ = Phase::rest;
}

void ClientSession::avoid(const BrokenOffers& offers) {
  check(phase_ == Phase::rest, "a session at rest changes its ways");
  if (offers.pipelining) rules_.server.pipelining = false;
  if (offers.chunking) rules_.server.chunking = false;
}

void ClientSession::send(const ClientEnvelope& envelope, const MessageView& message) {
  check(phase_ == Phase::rest, "a session at rest sends a mail");
  phase_ = Phase::mail;
  ++turn_;
  content_octets_ = message.size;
  heard_ = false;
  transaction_.begin(rules_, envelope, message, reset_first_);
  if (transaction_.done()) phase_ = Phase::rest;  // nothing was sent
}

void ClientSession::on_mail(const Reply& reply) {
  heard_ = true;
  if (const std::optional<std::string> broken = transaction_.on_reply(reply)) {
    return break_off(Cause::garbled, *broken);
  }
  if (transaction_.done()) return end_of_mail();
  if (!broken_write_.empty() && !transaction_.output().empty()) {
    break_off(broken_write_cause_, broken_write_);
  }
}

void ClientSession::end_of_mail() {
  reset_first_ = transaction_.needs_reset();
  const auto accepted = [](const RecipientResult& result) { return result.accepted(); };
  rules_.borne = rules_.borne || std::ranges::any_of(transaction_.results(), accepted);
  phase_ = transaction_.saw_goodbye() || !broken_write_.empty() ? Phase::over : Phase::rest;
  if (phase_ == Phase::rest) avoid(transaction_.broken());
}

void ClientSession::quit() {
  check(phase_ == Phase::rest, "a session at rest says QUIT");
  command(Phase::quit, "QUIT\r\n");
}

void ClientSession::failed(const Error& error) {
  if (step() == Step::content) return break_off(Cause::content_unreadable, error.detail);
  const bool writing = step() == Step::write;
  const bool ours = error.kind == ErrorKind::cancelled || error.kind == ErrorKind::limit_exceeded;
  if (writing && phase_ != Phase::quit && !ours) {
    broken_write_ = describe(error);
    broken_write_cause_ = cause_of(error);
    ++turn_;
    if (phase_ == Phase::mail) transaction_.not_written();
    return;
  }
  failed_in_tls_ = !ours && (phase_ == Phase::handshake || (tls_ && phase_ == Phase::ehlo));
  hung_up_unheard_ = phase_ == Phase::mail && !heard_ && error.kind == ErrorKind::closed;
  if (broken_write_.empty() || ours) {
    break_off(cause_of(error), describe(error));
  } else {
    break_off(broken_write_cause_, broken_write_);
  }
}

Cause ClientSession::cause_of(const Error& error) const {
  switch (error.kind) {
    case ErrorKind::cancelled:
      return Cause::stopping;
    case ErrorKind::limit_exceeded:
      // Nothing speaks of the mail before there is a connection.
      return opened_ ? Cause::out_of_time : Cause::silence;
    default:
      break;
  }
  if (phase_ == Phase::handshake) return cause_of_bad_tls(Cause::tls_failed);
  return error.kind == ErrorKind::timeout ? Cause::silence : Cause::connection_lost;
}

Cause ClientSession::cause_of_bad_tls(Cause otherwise) const {
  return options_.tls.asked_by == TlsAsker::dane ? Cause::dane_failed : otherwise;
}

std::string ClientSession::describe(const Error& error) const {
  const bool writing = step() == Step::write;
  const bool content = writes_content();
  const std::string_view what = content ? "the content" : awaited_name();
  if (error.kind == ErrorKind::cancelled) {
    const bool shaking = phase_ == Phase::handshake;
    return fmt::format("this engine was stopped {} {}",
                       writing   ? "while it sent"
                       : shaking ? "during"
                                 : "before the receiver answered",
                       what);
  }
  if (phase_ == Phase::handshake) return error.detail;
  if (content && error.kind == ErrorKind::timeout) {
    return fmt::format("could not send the content: the receiver takes it too slowly ({} octets)",
                       content_octets_);
  }
  if (error.kind == ErrorKind::timeout) {
    return fmt::format("{} {} within {} s", writing ? "could not send" : "no answer to", what,
                       std::chrono::duration_cast<std::chrono::seconds>(patience()).count());
  }
  if (error.kind == ErrorKind::closed) {
    return fmt::format("the receiver closed the connection {} {}",
                       writing ? "while we sent" : "before it answered", what);
  }
  return fmt::format("{} ({} {})", error.detail, writing ? "sending" : "waiting for the answer to",
                     what);
}

void ClientSession::break_off(Cause cause, std::string sentence, const Reply* goodbye) {
  if (const std::string begun = parser_.unfinished(); !begun.empty()) {
    sentence += fmt::format("; its answer had begun: {}", begun);
  }
  if (phase_ == Phase::mail) {
    transaction_.lost(cause, sentence, goodbye);
  } else if (!opened_ && phase_ != Phase::over) {
    if (goodbye != nullptr) return fail_opening(*goodbye);
    return fail_opening(Reply{0, std::move(sentence)}, cause);
  }
  phase_ = Phase::over;
}

void ClientSession::fail_opening(const Reply& reply, Cause cause) {
  failure_ = {stage(), reply, cause};
  phase_ = Phase::over;
}

Stage ClientSession::stage() const {
  switch (phase_) {
    case Phase::greeting:
      return Stage::greeting;
    case Phase::ehlo:
    case Phase::helo:
      return Stage::hello;
    case Phase::starttls:
    case Phase::handshake:
      return Stage::starttls;
    case Phase::auth:
      return Stage::auth;
    case Phase::mail:
      return transaction_.awaited_stage();
    case Phase::rest:
    case Phase::quit:
    case Phase::over:
      break;
  }
  return Stage::none;
}

std::string_view ClientSession::awaited_name() const {
  switch (phase_) {
    case Phase::greeting:
      return "the greeting";
    case Phase::ehlo:
      return "EHLO";
    case Phase::helo:
      return "HELO";
    case Phase::starttls:
      return "STARTTLS";
    case Phase::handshake:
      return "the TLS handshake";
    case Phase::auth:
      return "AUTH";
    case Phase::mail:
      return transaction_.awaited_name();
    case Phase::quit:
      return "QUIT";
    case Phase::rest:
    case Phase::over:
      break;
  }
  return "nothing";
}

}  // namespace todoku::smtp
