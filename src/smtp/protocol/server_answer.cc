// SPDX-License-Identifier: Apache-2.0
// The answering half of ServerSession: what a decision of the owner changes, and how replies look.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "smtp/protocol/server_session.h"

namespace todoku::smtp {
namespace {

Reply own_words(ServerEvent event, const ServerOptions& options) {
  switch (event) {
    case ServerEvent::connect:
      return {220, options.hostname + " " + options.banner};
    case ServerEvent::hello:
      return {250, options.hostname};
    case ServerEvent::start_tls:
      return {220, "2.0.0 Ready to start TLS"};
    case ServerEvent::auth:
    case ServerEvent::auth_response:
      return {235, "2.7.0 Authentication successful"};
    case ServerEvent::mail:
      return {250, "2.1.0 Sender accepted"};
    case ServerEvent::recipient:
      return {250, "2.1.5 Recipient accepted"};
    case ServerEvent::data:
      return {354, "End data with <CR><LF>.<CR><LF>"};
    case ServerEvent::quit:
      return {221, "2.0.0 Bye"};
    case ServerEvent::chunk:
    case ServerEvent::message:
    case ServerEvent::reset:
    case ServerEvent::need_input:
    case ServerEvent::content:
    case ServerEvent::discard:
    case ServerEvent::tls:
    case ServerEvent::close:
      break;
  }
  return {250, "2.0.0 Ok"};
}

// The words of a receiver that does not know enhanced status codes.
std::string_view without_enhanced(std::string_view text) {
  if (!parse_enhanced_status(text)) return text;
  const std::size_t blank = text.find(' ');
  return blank == std::string_view::npos ? std::string_view() : text.substr(blank + 1);
}

}  // namespace

void ServerSession::accept() {
  Reply reply = own_words(asked_, options_);
  if (!options_.enhanced_status_codes) reply.text = without_enhanced(reply.text);
  answer(reply);
}

void ServerSession::answer(const Reply& reply) {
  const ServerEvent event = std::exchange(asked_, ServerEvent::need_input);
  check(reply.code >= 200 && reply.code < 600, "a reply code is 200 to 599");
  switch (event) {
    case ServerEvent::connect:
      phase_ = Phase::command;
      refused_ = !reply.positive();
      break;
    case ServerEvent::hello:
      return answer_hello(reply);
    case ServerEvent::start_tls:
      if (reply.positive()) phase_ = Phase::tls;
      break;
    case ServerEvent::auth:
    case ServerEvent::auth_response:
      authenticated_ = reply.positive();
      if (reply.intermediate()) phase_ = Phase::auth;
      if (reply.code >= 400 && is_one_too_many()) {
        say(421, kTooManyErrors);
        return;
      }
      break;
    case ServerEvent::mail:
      in_mail_ = reply.positive();
      break;
    case ServerEvent::recipient:
      (reply.positive() ? recipients_ += 1 : recipient_refused_ = true);
      break;
    case ServerEvent::data:
      if (reply.intermediate()) phase_ = Phase::data;
      break;
    case ServerEvent::chunk:
      if (!reply.positive()) {
        refuse_chunk(reply);
      } else {
        phase_ = Phase::chunk;
        in_chunks_ = true;
      }
      return;
    case ServerEvent::message:
      end_transaction();
      break;
    case ServerEvent::reset:
      if (reply.positive()) end_transaction();
      break;
    case ServerEvent::quit:
      phase_ = Phase::closing;
      break;
    case ServerEvent::need_input:
    case ServerEvent::content:
    case ServerEvent::discard:
    case ServerEvent::tls:
    case ServerEvent::close:
      check(false, "no step waits for an answer");
  }
  append_reply(reply.code, reply.text);
}

void ServerSession::answer_hello(const Reply& reply) {
  // RFC 5321 section 4.1.1.1: after a refusal everything stays as it was.
  if (!reply.positive()) return append_reply(reply.code, reply.text);
  // Section 4.1.4: in the middle of a transaction EHLO is also a RSET.
  end_transaction();
  hello_ = asked_text_;
  esmtp_ = asked_esmtp_;
  if (!esmtp_) return append_reply(250, reply.text);
  append_reply(250, reply.text, '-');
  const auto announce = [&](bool offered, std::string_view keyword) {
    if (offered) append_line(250, '-', keyword);
  };
  announce(options_.pipelining, "PIPELINING");
  announce(options_.size, fmt::format("SIZE {}", options_.size_max));
  announce(options_.starttls && !tls_, "STARTTLS");
  // RFC 4954 section 4: where it would be refused, nobody is tempted to say a password.
  const bool may_auth = tls_ || (options_.auth_in_clear && !options_.tls_required);
  announce(!options_.auth_mechanisms.empty() && may_auth && !authenticated_,
           "AUTH " + options_.auth_mechanisms);
  announce(options_.enhanced_status_codes, "ENHANCEDSTATUSCODES");
  announce(options_.eight_bit_mime, "8BITMIME");
  announce(options_.chunking, "CHUNKING");
  announce(options_.smtputf8, "SMTPUTF8");
  announce(options_.dsn, "DSN");
  append_line(250, ' ', "HELP");
}

bool ServerSession::spoke_early() {
  if (!options_.strict || phase_ != Phase::greeting) return false;
  asked_ = ServerEvent::need_input;
  end_with(554, "5.5.0 The greeting comes first");
  return true;
}

void ServerSession::end(std::string_view text) {
  if (phase_ == Phase::closing) return;
  asked_ = ServerEvent::need_input;
  say(421, text);
}

ServerSession::Progress ServerSession::say(int code, std::string_view text) {
  append_reply(code, options_.enhanced_status_codes ? text : without_enhanced(text));
  return {};
}

ServerSession::Progress ServerSession::end_with(int code, std::string_view text) {
  say(code, text);
  phase_ = Phase::closing;
  return {};
}

// RFC 5321 section 4.2.1: a hyphen after the code says that another line follows.
void ServerSession::append_reply(int code, std::string_view text, char last_separator) {
  if (code == 421) phase_ = Phase::closing;
  if (code >= 400 && refusal_heard_) refusal_heard_(code, text);
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    append_line(code, '-', text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  append_line(code, last_separator, text);
}

void ServerSession::append_line(int code, char separator, std::string_view text) {
  output_ += static_cast<char>('0' + code / 100);
  output_ += static_cast<char>('0' + code / 10 % 10);
  output_ += static_cast<char>('0' + code % 10);
  output_ += separator;
  const std::size_t start = output_.size();
  output_ += text;
  std::replace_if(
      output_.begin() + static_cast<std::ptrdiff_t>(start), output_.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  output_ += "\r\n";
}

}  // namespace todoku::smtp
