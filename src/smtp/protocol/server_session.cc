// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/server_session.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"

namespace todoku::smtp {
namespace {

// RFC 4954 section 4: lines of an authentication exchange may be this long.
constexpr std::size_t kAuthOctetsMax = 12'288;
// The memory of what is longer is given back, so that idle sessions stay small.
constexpr std::size_t kIdleLineOctets = 512;
constexpr std::size_t kIdleOutputOctets = 2048;

constexpr std::string_view kTlsFirst = "5.7.0 Must issue a STARTTLS command first";

constexpr ServerStep kNeedInput{ServerEvent::need_input};

bool is_control(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return (octet < 0x20 && c != '\t') || octet == 0x7F;
}

}  // namespace

ServerStep ServerSession::next(std::string_view& input) {
  check(asked_ == ServerEvent::need_input, "a step waits for its answer");
  for (;;) {
    begin_next_line();
    const Progress step = advance(input);
    if (!step) continue;
    if (step->event == ServerEvent::need_input) commands_in_read_ = 0;
    return *step;
  }
}

ServerSession::Progress ServerSession::advance(std::string_view& input) {
  switch (phase_) {
    case Phase::greeting:
      if (!input.empty() && spoke_early()) return {};
      return ask(ServerEvent::connect);
    case Phase::command:
    case Phase::auth:
      if (options_.strict && begins_tls(input)) {
        input = {};
        return end_with(554, "5.7.0 This is TLS from the first octet, and here STARTTLS begins it");
      }
      if (const auto line = take_line(input)) {
        more_came_ = !input.empty();
        const bool together = phase_ == Phase::command && commands_in_read_++ > 0;
        const bool in_order = options_.pipelined == Pipelined::answered;
        return together && !in_order ? mishandle(*line, input) : run_line(*line);
      }
      return phase_ == Phase::closing ? Progress() : kNeedInput;
    case Phase::data:
      return take_data(input);
    case Phase::chunk:
      return take_chunk(input);
    case Phase::skip_chunk:
      return skip_chunk(input);
    case Phase::tls:
      // RFC 3207 section 5: what came in clear text after STARTTLS is not the client's word.
      input = {};
      return ServerStep{ServerEvent::tls};
    case Phase::closing:
      break;
  }
  input = {};
  return ServerStep{ServerEvent::close};
}

void ServerSession::begin_next_line() {
  if (!std::exchange(line_taken_, false)) return;
  line_.clear();
  if (line_.capacity() > kIdleLineOctets) line_.shrink_to_fit();
}

// Gives the next line without its CRLF; nullopt: its end has not come yet. A line that is none,
// being too long or ended by a bare LF, is answered here, and an exchange that it was to go on with
// is over. Bare LF is never let pass: a sender that uses it would find that its content never ends.
// What follows it may be a stranger's text that a careless sender took into a command, so a strict
// session does not go on.
std::optional<std::string_view> ServerSession::take_line(std::string_view& input) {
  while (phase_ != Phase::closing) {
    const std::size_t end = input.find('\n');
    const std::string_view part = input.substr(0, end);
    const bool fits = !line_too_long_ && line_.size() + part.size() < line_octets_max();
    if (!fits) line_.clear();
    if (!part.empty()) line_after_cr_ = part.ends_with('\r');
    if (end == std::string_view::npos) {
      line_too_long_ = !fits;
      if (fits) line_.append(part);
      input = {};
      return std::nullopt;
    }
    input.remove_prefix(end + 1);
    line_too_long_ = false;
    const bool ended_by_crlf = std::exchange(line_after_cr_, false);
    if (fits && ended_by_crlf) {
      if (!line_.empty()) line_.append(part);
      line_taken_ = true;
      const std::string_view line = line_.empty() ? part : std::string_view(line_);
      return line.substr(0, line.size() - 1);
    }
    line_.clear();
    refuse_line(ended_by_crlf);
  }
  return std::nullopt;
}

std::size_t ServerSession::line_octets_max() const {
  return phase_ == Phase::auth ? kAuthOctetsMax : options_.command_octets_max;
}

void ServerSession::refuse_line(bool ended_by_crlf) {
  const bool in_auth = phase_ == Phase::auth;
  if (in_auth) phase_ = Phase::command;
  if (!ended_by_crlf && options_.strict) {
    end_with(554, "5.5.2 Lines end with CR LF");
  } else if (!ended_by_crlf) {
    complain(500, "5.5.2 Lines end with CR LF");
  } else {
    // RFC 4954 section 6 has a code of its own.
    complain(500, in_auth ? "5.5.6 Authentication line too long" : "5.5.2 Line too long");
  }
}

ServerSession::Progress ServerSession::mishandle(std::string_view line, std::string_view& input) {
  constexpr int kBadSequence = 503;
  constexpr std::string_view kWords = "5.5.0 Improper use of SMTP command pipelining";
  if (options_.pipelined == Pipelined::refused) {
    const CommandLine command = parse_command_line(line);
    const auto chunk = parse_bdat(command.argument);
    if (command.verb != Verb::bdat || !chunk) return complain(kBadSequence, kWords);
    chunk_left_ = chunk->octets;
    return refuse_chunk({kBadSequence, std::string(kWords)});
  }
  input = {};
  if (options_.pipelined == Pipelined::lost) return kNeedInput;
  phase_ = Phase::closing;
  return {};
}

ServerSession::Progress ServerSession::run_line(std::string_view line) {
  if (std::ranges::any_of(line, is_control)) {
    phase_ = Phase::command;
    return complain(500, "5.5.2 Control character in command");
  }
  if (phase_ == Phase::auth) {
    phase_ = Phase::command;
    if (line == "*") return complain(501, "5.7.0 Authentication cancelled");
    return ask(ServerEvent::auth_response, line);
  }
  const CommandLine command = parse_command_line(line);
  if (refused_ && command.verb != Verb::quit) return complain(503, "5.5.1 Service refused");
  return run_command(command);
}

ServerSession::Progress ServerSession::run_command(const CommandLine& command) {
  const auto without_argument = [&](ServerEvent event) {
    if (!command.argument.empty()) return complain(501, "5.5.4 No argument is allowed");
    return ask(event);
  };
  switch (command.verb) {
    case Verb::ehlo:
    case Verb::helo:
      return run_hello(command);
    case Verb::mail:
      return run_mail(command.argument);
    case Verb::rcpt:
      return run_rcpt(command.argument);
    case Verb::data:
      return run_data(command.argument);
    case Verb::bdat:
      return run_bdat(command.argument);
    case Verb::starttls:
      return run_starttls(command.argument);
    case Verb::auth:
      return run_auth(command.argument);
    case Verb::rset:
      return without_argument(ServerEvent::reset);
    case Verb::quit:
      return without_argument(ServerEvent::quit);
    case Verb::noop:
      return say(250, "2.0.0 Ok");
    case Verb::vrfy:
      // RFC 5321 section 3.5.3: neither confirm nor deny, so that nobody can harvest addresses.
      if (command.argument.empty()) return complain(501, "5.5.4 Syntax: VRFY address");
      return say(252, "2.0.0 Send mail and see");
    case Verb::help:
      return say(214, "2.0.0 See RFC 5321");
    case Verb::expn:
      return complain(502, "5.5.1 Command not implemented");
    case Verb::http:
      return say(421, "4.7.0 This is SMTP, not HTTP");
    case Verb::unknown:
      break;
  }
  return complain(500, "5.5.2 Unknown command");
}

ServerSession::Progress ServerSession::run_hello(const CommandLine& command) {
  const bool extended = command.verb == Verb::ehlo;
  if (extended && !options_.ehlo) return complain(502, "5.5.1 Command not implemented");
  if (command.argument.empty() || command.argument.contains(' ')) {
    return complain(501, extended ? "5.5.4 Syntax: EHLO hostname" : "5.5.4 Syntax: HELO hostname");
  }
  asked_esmtp_ = extended;
  return ask(ServerEvent::hello, command.argument);
}

ServerSession::Progress ServerSession::run_mail(std::string_view argument) {
  if (hello_.empty()) return complain(503, "5.5.1 Send EHLO first");
  if (in_mail_) return complain(503, "5.5.1 A transaction is under way");
  // RFC 3207 section 4, RFC 4954 section 6.
  if (options_.tls_required && !tls_) return complain(530, kTlsFirst);
  if (options_.auth_required && !authenticated_) {
    return complain(530, "5.7.0 Authentication required");
  }
  auto command = parse_mail(argument, {.size = esmtp_ && options_.size,
                                       .eight_bit_mime = esmtp_ && options_.eight_bit_mime,
                                       .smtputf8 = esmtp_ && options_.smtputf8,
                                       .auth = esmtp_ && !options_.auth_mechanisms.empty(),
                                       .dsn = esmtp_ && options_.dsn,
                                       .unqualified = options_.unqualified});
  if (!command) return complain(command.error().code, command.error().text);
  if (options_.size_max != 0 && command->size > options_.size_max) {
    // RFC 1870 section 6.1. No mistake of protocol: this is what the parameter is for.
    return say(552, "5.3.4 Message too large");
  }
  mail_ = std::move(*command);
  return ask(ServerEvent::mail);
}

ServerSession::Progress ServerSession::run_rcpt(std::string_view argument) {
  if (!in_mail_) return complain(503, "5.5.1 Send MAIL first");
  if (in_chunks_) return complain(503, "5.5.1 The message has begun");
  auto command = parse_rcpt(argument,
                            {.smtputf8 = mail_.smtputf8,
                             .dsn = esmtp_ && options_.dsn,
                             .unqualified = options_.unqualified},
                            options_.hostname);
  if (!command) {
    recipient_refused_ = true;
    return complain(command.error().code, command.error().text);
  }
  if (recipients_ >= options_.recipients_max) {
    // RFC 5321 section 4.5.3.1.10: the client sends the rest in another transaction.
    return say(452, "4.5.3 Too many recipients");
  }
  recipient_ = std::move(command->recipient);
  recipient_options_ = std::move(command->options);
  return ask(ServerEvent::recipient);
}

ServerSession::Progress ServerSession::run_data(std::string_view argument) {
  if (!argument.empty()) return complain(501, "5.5.4 No argument is allowed");
  if (!in_mail_) return complain(503, "5.5.1 Send MAIL first");
  if (in_chunks_) return complain(503, "5.5.1 The message has begun with BDAT");
  if (recipients_ == 0) {
    // RFC 2920 section 3.1: clients that pipeline meet this after each RCPT was refused.
    if (recipient_refused_) return say(554, "5.5.1 No valid recipients");
    return complain(503, "5.5.1 Send RCPT first");
  }
  return ask(ServerEvent::data);
}

ServerSession::Progress ServerSession::run_bdat(std::string_view argument) {
  const auto command = parse_bdat(argument);
  if (!command) {
    // The octets of the chunk would be taken for commands: better to end here.
    return end_with(501, "5.5.4 Syntax: BDAT octets [LAST]");
  }
  chunk_octets_ = chunk_left_ = command->octets;
  last_chunk_ = command->last;
  const bool is_endless = options_.size_max != 0 && command->octets > options_.size_max;
  if (options_.strict && in_mail_ && is_endless) {
    phase_ = Phase::closing;
    return refuse_content({552, "5.3.4 Message too large"});
  }
  // To take octets that nobody asked for would be a way to stay for ever.
  if (options_.strict && !in_mail_) return end_with(503, "5.5.1 Send MAIL first");
  if (!options_.chunking || !esmtp_) return refuse_chunk({502, "5.5.1 Command not implemented"});
  if (!in_mail_) return refuse_chunk({503, "5.5.1 Send MAIL first"});
  if (recipients_ == 0) {
    return refuse_chunk({recipient_refused_ ? 554 : 503, "5.5.1 No valid recipients"});
  }
  if (options_.size_max != 0 && command->octets > options_.size_max - content_octets_) {
    return refuse_chunk({552, "5.3.4 Message too large"});
  }
  return ask(ServerEvent::chunk);
}

ServerSession::Progress ServerSession::run_starttls(std::string_view argument) {
  if (!options_.starttls) return complain(502, "5.5.1 Command not implemented");
  if (!argument.empty()) return complain(501, "5.5.4 No argument is allowed");
  if (tls_) return complain(503, "5.5.1 TLS is already active");
  if (hello_.empty()) return complain(503, "5.5.1 Send EHLO first");
  if (options_.strict && more_came_) {
    // RFC 3207 section 5: whoever put it there wishes it to be taken for what is said under TLS.
    return end_with(554, "5.5.0 Nothing may follow STARTTLS before TLS");
  }
  return ask(ServerEvent::start_tls);
}

ServerSession::Progress ServerSession::run_auth(std::string_view argument) {
  if (options_.auth_mechanisms.empty()) return complain(502, "5.5.1 Command not implemented");
  if (hello_.empty()) return complain(503, "5.5.1 Send EHLO first");
  if (authenticated_) return complain(503, "5.5.1 Already authenticated");
  if (in_mail_) return complain(503, "5.5.1 A transaction is under way");
  if (options_.tls_required && !tls_) return complain(530, kTlsFirst);
  // RFC 4954 section 6.
  if (!options_.auth_in_clear && !tls_) return complain(538, "5.7.11 Encryption is required");
  if (argument.empty()) return complain(501, "5.5.4 Syntax: AUTH mechanism");
  const std::string_view mechanism = argument.substr(0, argument.find(' '));
  for (std::string_view known = options_.auth_mechanisms; !known.empty();) {
    const std::size_t blank = std::min(known.find(' '), known.size());
    if (equals_ignoring_case(mechanism, known.substr(0, blank))) {
      return ask(ServerEvent::auth, argument);
    }
    known.remove_prefix(std::min(blank + 1, known.size()));
  }
  return complain(504, "5.5.4 Unknown mechanism");
}

ServerSession::Progress ServerSession::ask(ServerEvent event, std::string_view text) {
  asked_ = event;
  asked_text_ = text;
  return ServerStep{event, text};
}

void ServerSession::clear_output() {
  output_.clear();
  if (output_.capacity() > kIdleOutputOctets) output_.shrink_to_fit();
}

void ServerSession::end_transaction() {
  in_mail_ = recipient_refused_ = in_chunks_ = last_chunk_ = discarded_ = false;
  content_refusal_ = {};
  recipients_ = 0;
  content_octets_ = 0;
  mail_ = {};
  recipient_options_ = {};
  decoder_.reset();
  content_check_.reset();
}

void ServerSession::tls_started() {
  check(phase_ == Phase::tls, "TLS begins after STARTTLS was accepted");
  phase_ = Phase::command;
  tls_ = true;
  esmtp_ = authenticated_ = false;
  hello_.clear();
  end_transaction();
}

ServerSession::Progress ServerSession::complain(int code, std::string_view text) {
  if (is_one_too_many()) return say(421, kTooManyErrors);
  return say(code, text);
}

bool ServerSession::is_one_too_many() {
  ++errors_;
  return options_.errors_max != 0 && errors_ > options_.errors_max;
}

}  // namespace todoku::smtp
