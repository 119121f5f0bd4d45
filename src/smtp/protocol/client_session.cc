// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/client_session.h"

#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"

namespace todoku::smtp {
namespace {

constexpr int kClosing = 421;
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
      return broken_write_.empty() && !output().empty() ? Step::write : Step::read;
  }
}

std::span<const std::string_view> ClientSession::output() const {
  if (phase_ == Phase::mail) return transaction_.output();
  return command_view_.empty() ? std::span<const std::string_view>() : std::span(&command_view_, 1);
}

void ClientSession::written() {
  check(step() == Step::write, "something was to be written");
  ++turn_;
  if (phase_ == Phase::mail) {
    transaction_.written();
  } else {
    command_view_ = {};
  }
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
      break_off(fmt::format("the receiver sent {} where we waited for the answer to {}",
                            whole.error().detail, awaited_name()));
      return;
    }
    if (!*whole) return;
    ++turn_;
    on_reply(parser_.reply(), !octets.empty());
  }
}

void ClientSession::on_reply(const Reply& reply, bool more_input) {
  // Nothing is awaited while there is something to write, except last words.
  if (step() == Step::write || phase_ == Phase::handshake) {
    // Some servers ask for the content and refuse it in one breath; that refusal counts.
    const bool refusal = phase_ == Phase::mail && transaction_.awaits_content_answer() &&
                         (reply.temporary() || reply.permanent());
    break_off(fmt::format("the receiver said {} {} before we sent {}", reply.code, reply.text,
                          awaited_name()),
              refusal || reply.code == kClosing ? &reply : nullptr);
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
  if (tls_) return ready();
  if (options_.starttls == StartTls::never) {
    no_tls_reason_ = "STARTTLS not wanted";
    return ready();
  }
  if (capabilities_.starttls) return command(Phase::starttls, "STARTTLS\r\n");
  no_tls_reason_ = "STARTTLS not offered";
  if (options_.starttls == StartTls::opportunistic) return ready();
  phase_ = Phase::starttls;
  fail_opening(Reply{0, "the receiver does not offer STARTTLS, which this site's policy requires"});
}

void ClientSession::on_starttls(const Reply& reply, bool more_input) {
  if (!reply.positive()) {
    // RFC 3207 section 4: going on without is the client's decision.
    no_tls_reason_ = fmt::format("STARTTLS refused: {} {}", reply.code, reply.text);
    if (options_.starttls == StartTls::required || reply.code == kClosing) {
      return fail_opening(reply);
    }
    return ready();
  }
  phase_ = Phase::handshake;
  // Octets from before the handshake could be anybody's and must not be read as said inside of TLS
  // (CVE-2011-0411).
  if (more_input) break_off("the receiver sent more after agreeing to STARTTLS");
}

void ClientSession::tls_established(bool proven) {
  check(phase_ == Phase::handshake, "a handshake was wanted");
  tls_ = true;
  if (options_.starttls == StartTls::required && !proven) {
    return fail_opening(
        Reply{0,
              "the receiver's certificate does not prove its name, as this site's policy "
              "requires"});
  }
  // RFC 3207 section 4.2: what was known from before the handshake is forgotten.
  capabilities_ = {};
  command(Phase::ehlo, fmt::format("EHLO {}\r\n", options_.hello_name));
}

void ClientSession::ready() {
  rules_.server = capabilities_;
  rules_.server.pipelining = capabilities_.pipelining && options_.pipelining;
  rules_.server.chunking = capabilities_.chunking && options_.chunking;
  rules_.single_flight_max = options_.single_flight_max;
  opened_ = true;
  phase_ = Phase::rest;
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
    return break_off(*broken);
  }
  if (transaction_.done()) return end_of_mail();
  if (!broken_write_.empty() && !transaction_.output().empty()) break_off(broken_write_);
}

void ClientSession::end_of_mail() {
  reset_first_ = transaction_.needs_reset();
  phase_ = transaction_.saw_goodbye() || !broken_write_.empty() ? Phase::over : Phase::rest;
}

void ClientSession::quit() {
  check(phase_ == Phase::rest, "a session at rest says QUIT");
  command(Phase::quit, "QUIT\r\n");
}

void ClientSession::failed(const Error& error) {
  const bool writing = step() == Step::write;
  if (writing && phase_ != Phase::quit && error.kind != ErrorKind::cancelled) {
    broken_write_ = describe(error);
    ++turn_;
    if (phase_ == Phase::mail) transaction_.not_written();
    return;
  }
  failed_in_tls_ = phase_ == Phase::handshake || (tls_ && phase_ == Phase::ehlo);
  hung_up_unheard_ = phase_ == Phase::mail && !heard_ && error.kind == ErrorKind::closed;
  break_off(broken_write_.empty() ? describe(error) : broken_write_);
}

std::string ClientSession::describe(const Error& error) const {
  if (phase_ == Phase::handshake) return error.detail;
  const bool writing = step() == Step::write;
  const bool content = writes_content();
  const std::string_view what = content ? "the content" : awaited_name();
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

void ClientSession::break_off(const std::string& sentence, const Reply* goodbye) {
  if (phase_ == Phase::mail) {
    transaction_.lost(sentence, goodbye);
  } else if (!opened_ && phase_ != Phase::over) {
    failure_ = {stage(), goodbye != nullptr ? *goodbye : Reply{0, sentence}};
  }
  phase_ = Phase::over;
}

void ClientSession::fail_opening(const Reply& reply) {
  failure_ = {stage(), reply};
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
