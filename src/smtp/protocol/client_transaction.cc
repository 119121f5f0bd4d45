// SPDX-License-Identifier: Apache-2.0
// What goes out: rounds, flights, content.
#include "smtp/protocol/client_transaction.h"

#include <iterator>
#include <numeric>

#include <fmt/format.h>

#include "base/check.h"
#include "mail/xtext.h"

namespace todoku::smtp {

void ClientTransaction::begin(const Rules& rules, const ClientEnvelope& envelope,
                              const MessageView& message, bool reset_first) {
  check(done_, "a session sends one mail at a time");
  rules_ = &rules;
  envelope_ = &envelope;
  message_ = message;
  const std::size_t count = envelope.recipients().size();
  results_.resize(count);
  for (RecipientResult& result : results_) {
    // Kept for its memory: a session sends many mails.
    result.reply.text.clear();
    result = {.reply = {.code = 0, .text = std::move(result.reply.text)}};
  }
  progress_.assign(count, Progress::open);
  round_.resize(count);
  std::iota(round_.begin(), round_.end(), std::size_t{0});
  unsettled_ = count;
  stumbled_ = 0;
  uses_ = {.pipelining = rules.server.pipelining, .chunking = rules.server.chunking};
  broken_ = {};
  goodbye_.reset();
  resetting_ = done_ = false;
  if (const std::optional<Unfit> unfit = unfit_because()) {
    awaited_ = Command::mail;
    mail_accepted_ = content_in_flight_ = content_written_ = closed_by_content_ = false;
    settle_unsettled(Stage::mail_from, Reply{0, unfit->sentence});
    for (RecipientResult& result : results_) {
      result.permanent = true;
      result.cause = unfit->cause;
    }
    finish();
    return;
  }
  begin_round(reset_first);
}

void ClientTransaction::begin_round(bool reset_first) {
  next_ = reset_first ? Command::reset : Command::mail;
  next_recipient_ = 0;
  mail_accepted_ = content_in_flight_ = content_written_ = closed_by_content_ = false;
  content_left_ = 0;
  stuffer_ = {};
  compose_flight();
}

std::optional<ClientTransaction::Unfit> ClientTransaction::unfit_because() const {
  const Capabilities& server = rules_->server;
  if (server.size_max > 0 && message_.size > server.size_max) {
    return Unfit{Cause::over_size_limit,
                 fmt::format("5.3.4 the message has {} octets, the receiver takes {}",
                             message_.size, server.size_max)};
  }
  if (envelope_->needs().smtputf8 && !server.smtputf8) {
    return Unfit{Cause::no_smtputf8,
                 "5.6.7 the mail needs SMTPUTF8, which the receiver does not offer"};
  }
  // RFC 6152 section 3: without the extension the content must be converted or the mail refused.
  // Whoever can convert has done so before the mail was begun.
  if (envelope_->needs().eight_bit && !server.eight_bit_mime) {
    return Unfit{Cause::no_8bitmime,
                 "5.6.3 the mail needs 8BITMIME, which the receiver does not offer"};
  }
  return std::nullopt;
}

void ClientTransaction::compose_flight() {
  commands_.clear();
  output_.assign(1, {});  // the commands' place, in front of the content
  content_in_flight_ = false;
  awaited_ = next_;
  awaited_recipient_ = next_recipient_;
  outstanding_ = 0;
  for (bool more = true; more;) {
    ++outstanding_;
    // A repetition first makes sure that both sides speak of the same command: a server that does
    // not know BDAT may take the content for commands, and answer each line of it.
    more = append_next() && uses_.pipelining && !(resetting_ && outstanding_ == 1);
  }
  flight_commands_ = outstanding_;
  output_.front() = commands_;
  // Content in slices that goes without a command in front of it begins with its first slice.
  if (commands_.empty() && content_left_ > 0) output_.clear();
}

bool ClientTransaction::append_next() {
  switch (next_) {
    case Command::reset:
      commands_ += "RSET\r\n";
      next_ = Command::mail;
      return true;
    case Command::mail:
      append_mail();
      next_ = Command::recipient;
      return true;
    case Command::recipient: {
      append_recipient(round_[next_recipient_]);
      if (++next_recipient_ < round_.size()) return true;
      next_ = content_command();
      if (next_ == Command::data) return true;
      return !message_.after_recipients && message_.size <= rules_->single_flight_max;
    }
    case Command::data:
      commands_ += "DATA\r\n";
      next_ = Command::content;
      return false;
    case Command::chunk:
      fmt::format_to(std::back_inserter(commands_), "BDAT {} LAST\r\n", message_.size);
      output_.insert(output_.end(), message_.pieces.begin(), message_.pieces.end());
      if (message_.in_slices) content_left_ = message_.size;
      content_in_flight_ = true;
      next_ = Command::none;
      return false;
    case Command::content:
      append_content();
      content_in_flight_ = true;
      next_ = Command::none;
      return false;
    case Command::none:
      break;
  }
  check(false, "a flight has a command");
  return false;
}

void ClientTransaction::append_mail() {
  const auto out = std::back_inserter(commands_);
  fmt::format_to(out, "MAIL FROM:<{}>", envelope_->mail_from());
  if (rules_->server.size) fmt::format_to(out, " SIZE={}", message_.size);
  if (envelope_->needs().eight_bit) commands_ += " BODY=8BITMIME";
  if (envelope_->needs().smtputf8) commands_ += " SMTPUTF8";
  if (rules_->server.dsn) {
    const EnvelopeReports& reports = envelope_->reports();
    if (reports.returned != DsnReturn::unspecified) {
      fmt::format_to(out, " RET={}", to_string(reports.returned));
    }
    if (!reports.envelope_id.empty()) {
      fmt::format_to(out, " ENVID={}", to_xtext(reports.envelope_id));
    }
  }
  commands_ += "\r\n";
}

// RFC 6533 section 3: beyond ASCII as it is only in a mail of SMTPUTF8. nullopt: nothing is to be
// said, or nothing that the server must take; the mail is worth more than that.
std::optional<std::string> ClientTransaction::original_of(const RecipientReports& reports) const {
  if (!reports.original) return std::nullopt;
  if (envelope_->needs().smtputf8) return reports.original->to_string();
  return reports.original->to_ascii();
}

void ClientTransaction::append_recipient(std::size_t index) {
  const auto out = std::back_inserter(commands_);
  fmt::format_to(out, "RCPT TO:<{}>", envelope_->recipients()[index]);
  const RecipientReports* reports = rules_->server.dsn ? envelope_->reports_of(index) : nullptr;
  if (reports != nullptr) {
    // RFC 3461 section 5.2.1: what the sender said goes on as it is, and nothing is added.
    if (reports->notify.is_specified()) {
      fmt::format_to(out, " {}={}", kNotifyParameter, reports->notify.to_string());
      results_[index].receiver_reports = true;
    }
    if (const auto original = original_of(*reports)) {
      fmt::format_to(out, " {}={}", kOrcptParameter, *original);
    }
  }
  commands_ += "\r\n";
}

void ClientTransaction::append_content() {
  // RFC 2920 section 3.1: a server may ask for the content although it refused every recipient; it
  // gets an empty one.
  if (all_settled()) {
    append_stuffed(output_, {}, false);
  } else if (message_.in_slices && message_.size > 0) {
    content_left_ = message_.size;
  } else {
    append_stuffed(output_, message_.pieces, message_.may_have_leading_dot);
  }
}

void ClientTransaction::content(std::span<const std::string_view> pieces) {
  std::uint64_t octets = 0;
  for (const std::string_view piece : pieces) octets += piece.size();
  check(octets > 0 && octets <= content_wanted(), "content is given that was asked for");
  content_left_ -= octets;
  if (content_command() == Command::chunk) {
    output_.assign(pieces.begin(), pieces.end());
    return;
  }
  stuffer_.append(output_, pieces, message_.may_have_leading_dot);
  if (content_left_ == 0) stuffer_.finish(output_);
}

void ClientTransaction::written() {
  check(!output_.empty(), "a flight was written");
  output_.clear();
  if (content_left_ > 0) return;
  content_written_ = content_in_flight_;
  content_in_flight_ = false;
}

void ClientTransaction::not_written() {
  content_in_flight_ = false;
  content_left_ = 0;
  output_.clear();
}

void ClientTransaction::proceed() {
  const bool must_send_content = awaited_ == Command::data && next_ == Command::content;
  const bool more = next_ != Command::none && (!all_settled() || must_send_content);
  if (goodbye_ || (!more && stumbled_ == 0)) {
    finish();
  } else if (more) {
    compose_flight();
  } else {
    repeat();
  }
}

void ClientTransaction::repeat() {
  round_.clear();
  for (std::size_t i = 0; i < progress_.size(); ++i) {
    if (progress_[i] != Progress::stumbled) continue;
    progress_[i] = Progress::open;
    round_.push_back(i);
  }
  unsettled_ = round_.size();
  stumbled_ = 0;
  uses_.pipelining = uses_.pipelining && !broken_.pipelining;
  uses_.chunking = uses_.chunking && !broken_.chunking;
  resetting_ = true;
  begin_round(true);
}

void ClientTransaction::finish() {
  // Only after a 421 is anybody left.
  if (goodbye_) settle_unsettled(goodbye_->stage, goodbye_->reply);
  settle_stumbled();
  check(all_settled(), "every recipient has a result");
  output_.clear();
  done_ = true;
}

Stage ClientTransaction::awaited_stage() const {
  switch (awaited_) {
    case Command::reset:
    case Command::mail:
      return Stage::mail_from;
    case Command::recipient:
      return Stage::rcpt_to;
    case Command::data:
    case Command::chunk:
    case Command::content:
      return Stage::data;
    case Command::none:
      break;
  }
  return Stage::none;
}

std::string_view ClientTransaction::awaited_name() const {
  switch (awaited_) {
    case Command::reset:
      return "RSET";
    case Command::mail:
      return "MAIL FROM";
    case Command::recipient:
      return "RCPT TO";
    case Command::data:
      return "DATA";
    case Command::chunk:
    case Command::content:
      return "the content";
    case Command::none:
      break;
  }
  return "nothing";
}

}  // namespace todoku::smtp
