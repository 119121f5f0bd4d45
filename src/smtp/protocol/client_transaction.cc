// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/client_transaction.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/check.h"
#include "smtp/protocol/dot_stuffing.h"

namespace todoku::smtp {
namespace {

constexpr int kClosing = 421;

bool refuses(const Reply& reply) {
  return reply.temporary() || reply.permanent();
}

std::string nonsense(std::string_view command, const Reply& reply) {
  return fmt::format("the receiver answered {} with {} {}", command, reply.code, reply.text);
}

}  // namespace

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
  unsettled_ = count;
  next_ = reset_first ? Command::reset : Command::mail;
  next_recipient_ = 0;
  outstanding_ = 0;
  goodbye_.reset();
  mail_accepted_ = content_in_flight_ = content_written_ = closed_by_content_ = done_ = false;
  if (const std::optional<std::string> reason = unfit_because()) {
    settle_unsettled(Stage::mail_from, Reply{0, *reason});
    for (RecipientResult& result : results_) result.permanent = true;
    finish();
    return;
  }
  compose_flight();
}

std::optional<std::string> ClientTransaction::unfit_because() const {
  const Capabilities& server = rules_->server;
  if (server.size_max > 0 && message_.size > server.size_max) {
    return fmt::format("5.3.4 the message has {} octets, the receiver takes {}", message_.size,
                       server.size_max);
  }
  if (envelope_->needs().smtputf8 && !server.smtputf8) {
    return "5.6.7 the mail needs SMTPUTF8, which the receiver does not offer";
  }
  // RFC 6152 section 3: without the extension the content must be converted or the mail refused;
  // converting would break signatures.
  if (envelope_->needs().eight_bit && !server.eight_bit_mime) {
    return "5.6.3 the mail needs 8BITMIME, which the receiver does not offer";
  }
  return std::nullopt;
}

void ClientTransaction::compose_flight() {
  commands_.clear();
  output_.assign(1, {});  // the commands' place, in front of the content
  content_in_flight_ = false;
  awaited_ = next_;
  awaited_recipient_ = next_recipient_;
  for (bool more = true; more;) {
    ++outstanding_;
    more = append_next() && rules_->server.pipelining;
  }
  output_.front() = commands_;
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
      fmt::format_to(std::back_inserter(commands_), "RCPT TO:<{}>\r\n",
                     envelope_->recipients()[next_recipient_]);
      if (++next_recipient_ < envelope_->recipients().size()) return true;
      next_ = content_command();
      return next_ == Command::data || message_.size <= rules_->single_flight_max;
    }
    case Command::data:
      commands_ += "DATA\r\n";
      next_ = Command::content;
      return false;
    case Command::chunk:
      fmt::format_to(std::back_inserter(commands_), "BDAT {} LAST\r\n", message_.size);
      output_.insert(output_.end(), message_.pieces.begin(), message_.pieces.end());
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
  commands_ += "\r\n";
}

void ClientTransaction::append_content() {
  // RFC 2920 section 3.1: a server may ask for the content although it refused every recipient; it
  // gets an empty one.
  if (all_settled()) {
    append_stuffed(output_, {}, false);
  } else {
    append_stuffed(output_, message_.pieces, message_.may_have_leading_dot);
  }
}

void ClientTransaction::written() {
  check(!output_.empty(), "a flight was written");
  content_written_ = content_in_flight_;
  content_in_flight_ = false;
  output_.clear();
}

void ClientTransaction::not_written() {
  content_in_flight_ = false;
  output_.clear();
}

std::optional<std::string> ClientTransaction::on_reply(const Reply& reply) {
  check(!done_ && outstanding_ > 0, "a reply is awaited");
  if (reply.code == kClosing && !goodbye_) goodbye_ = Goodbye{awaited_stage(), reply};
  std::optional<std::string> broken;
  switch (awaited_) {
    case Command::reset:
      if (!reply.positive()) broken = nonsense("RSET", reply);
      break;
    case Command::mail:
      broken = on_mail_reply(reply);
      break;
    case Command::recipient:
      broken = on_recipient_reply(reply);
      break;
    case Command::data:
      broken = on_data_reply(reply);
      break;
    case Command::chunk:
    case Command::content:
      broken = on_content_reply(reply);
      break;
    case Command::none:
      check(false, "an awaited reply belongs to a command");
  }
  if (broken) return broken;
  // After a 421 nothing more is worth waiting for once everybody has an answer.
  if (goodbye_ && all_settled()) {
    finish();
  } else if (--outstanding_ == 0) {
    proceed();
  } else {
    advance_awaited();
  }
  return std::nullopt;
}

void ClientTransaction::advance_awaited() {
  switch (awaited_) {
    case Command::reset:
      awaited_ = Command::mail;
      return;
    case Command::mail:
      awaited_ = Command::recipient;
      return;
    case Command::recipient:
      if (++awaited_recipient_ == envelope_->recipients().size()) awaited_ = content_command();
      return;
    default:
      check(false, "nothing follows the content in a flight");
  }
}

void ClientTransaction::proceed() {
  const bool must_send_content = awaited_ == Command::data && next_ == Command::content;
  if (goodbye_ || next_ == Command::none || (all_settled() && !must_send_content)) {
    finish();
    return;
  }
  compose_flight();
}

void ClientTransaction::finish() {
  // Only after a 421 is anybody left.
  if (goodbye_) settle_unsettled(goodbye_->stage, goodbye_->reply);
  check(all_settled(), "every recipient has a result");
  output_.clear();
  done_ = true;
}

std::optional<std::string> ClientTransaction::on_mail_reply(const Reply& reply) {
  if (reply.positive()) {
    mail_accepted_ = true;
  } else if (refuses(reply)) {
    settle_unsettled(Stage::mail_from, reply);
  } else {
    return nonsense("MAIL FROM", reply);
  }
  return std::nullopt;
}

std::optional<std::string> ClientTransaction::on_recipient_reply(const Reply& reply) {
  Progress& progress = progress_[awaited_recipient_];
  if (progress == Progress::settled) return std::nullopt;  // MAIL was refused
  if (reply.positive()) {
    progress = Progress::accepted;
  } else if (refuses(reply)) {
    settle(awaited_recipient_, Stage::rcpt_to, reply);
  } else {
    return nonsense("RCPT TO", reply);
  }
  return std::nullopt;
}

std::optional<std::string> ClientTransaction::on_data_reply(const Reply& reply) {
  if (reply.intermediate()) return std::nullopt;
  if (!refuses(reply)) return nonsense("DATA", reply);
  settle_unsettled(Stage::data, reply);
  next_ = Command::none;
  return std::nullopt;
}

std::optional<std::string> ClientTransaction::on_content_reply(const Reply& reply) {
  if (reply.intermediate()) return nonsense("the content", reply);
  // After an interrupted write an answer can only be a refusal.
  if (reply.positive() && !content_written_) return nonsense("half of the content", reply);
  // RFC 5321 section 4.1.1.4: the end of the content closes the transaction, whatever the answer.
  // RFC 3030 section 2: a refused BDAT leaves it in a state that only RSET makes certain.
  closed_by_content_ = awaited_ == Command::content || reply.positive();
  settle_unsettled(reply.positive() ? Stage::accepted : Stage::data, reply);
  return std::nullopt;
}

void ClientTransaction::settle(std::size_t index, Stage stage, const Reply& reply) {
  progress_[index] = Progress::settled;
  results_[index].stage = stage;
  results_[index].reply = reply;
  --unsettled_;
}

void ClientTransaction::settle_unsettled(Stage stage, const Reply& reply) {
  for (std::size_t i = 0; i < results_.size(); ++i) {
    if (progress_[i] != Progress::settled) settle(i, stage, reply);
  }
}

void ClientTransaction::lost(std::string_view sentence, const Reply* goodbye) {
  if (done_) return;
  const Stage stage = awaited_stage();
  if (goodbye != nullptr && !goodbye_) goodbye_ = Goodbye{stage, *goodbye};
  for (std::size_t i = 0; i < results_.size(); ++i) {
    if (progress_[i] == Progress::settled) continue;
    results_[i].in_doubt = content_written_;
    if (goodbye_) {
      settle(i, goodbye_->stage, goodbye_->reply);
    } else {
      settle(i, stage, Reply{0, std::string(sentence)});
    }
  }
  finish();
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
