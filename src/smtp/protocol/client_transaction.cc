// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/client_transaction.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"

namespace todoku::smtp {
namespace {

bool refuses(const Reply& reply) {
  return reply.temporary() || reply.permanent();
}

std::string nonsense(std::string_view command, const Reply& reply) {
  return fmt::format("the receiver answered {} with {} {}, which is no answer to it in SMTP",
                     command, reply.code, reply.text);
}

bool has_any(std::string_view text, std::span<const std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.contains(word); });
}

// In words, which servers choose as they like: "Improper use of SMTP command pipelining" (Postfix),
// "SMTP synchronization error" (Exim), "command sent before reply", "talks out of turn".
bool speaks_of_pipelining(const Reply& refusal) {
  constexpr std::array<std::string_view, 5> kWords = {"pipelin", "synchroni", "before reply",
                                                      "before response", "out of turn"};
  return has_any(to_ascii_lower(refusal.text), kWords);
}

// Not what smtpd_data_restrictions of Postfix say, which would refuse DATA as well.
bool speaks_of_the_chunk_command(const Reply& refusal) {
  constexpr std::array<std::string_view, 2> kCommand = {"bdat", "chunking"};
  constexpr std::array<std::string_view, 10> kUnknown = {
      "not implemented", "not supported", "unsupported", "unimplemented", "unrecogni",
      "not recogni",     "unknown",       "not allowed", "disabled",      "not enabled"};
  const std::string text = to_ascii_lower(refusal.text);
  return has_any(text, kCommand) && has_any(text, kUnknown);
}

bool refuses_the_chunk_command(const Reply& refusal) {
  constexpr int kUnknownCommand = 500;
  constexpr int kUnknownParameter = 504;  // RFC 5321 section 4.2.3: so far about the command only
  if (!refusal.permanent()) return false;
  if (refusal.code >= kUnknownCommand && refusal.code <= kUnknownParameter) return true;
  return speaks_of_the_chunk_command(refusal);
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
  // RFC 6152 section 3: without the extension the content must be converted or the mail refused;
  // converting would break signatures.
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
      fmt::format_to(std::back_inserter(commands_), "RCPT TO:<{}>\r\n",
                     envelope_->recipients()[round_[next_recipient_]]);
      if (++next_recipient_ < round_.size()) return true;
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

std::optional<std::string> ClientTransaction::on_reply(const Reply& reply) {
  check(!done_ && outstanding_ > 0, "a reply is awaited");
  if (reply.code == kServiceClosing && !goodbye_) goodbye_ = Goodbye{awaited_stage(), reply};
  std::optional<std::string> broken;
  switch (awaited_) {
    case Command::reset:
      if (!reply.positive()) {
        broken = nonsense("RSET", reply);
      } else {
        resetting_ = false;
      }
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
      if (++awaited_recipient_ == round_.size()) awaited_ = content_command();
      return;
    default:
      check(false, "nothing follows the content in a flight");
  }
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

std::optional<std::string> ClientTransaction::on_mail_reply(const Reply& reply) {
  if (reply.positive()) {
    mail_accepted_ = true;
  } else if (refuses(reply)) {
    if (stumbles(reply)) {
      stumble_unsettled(Stage::mail_from, reply);
    } else {
      settle_unsettled(Stage::mail_from, reply);
    }
  } else {
    return nonsense("MAIL FROM", reply);
  }
  return std::nullopt;
}

std::optional<std::string> ClientTransaction::on_recipient_reply(const Reply& reply) {
  const std::size_t index = round_[awaited_recipient_];
  if (progress_[index] != Progress::open) return std::nullopt;  // MAIL was refused
  if (reply.positive()) {
    progress_[index] = Progress::accepted;
  } else if (refuses(reply)) {
    if (stumbles(reply)) {
      stumble(index, Stage::rcpt_to, reply);
    } else {
      settle(index, Stage::rcpt_to, reply);
    }
  } else {
    return nonsense("RCPT TO", reply);
  }
  return std::nullopt;
}

std::optional<std::string> ClientTransaction::on_data_reply(const Reply& reply) {
  if (reply.intermediate()) return std::nullopt;
  if (!refuses(reply)) return nonsense("DATA", reply);
  if (!all_settled() && stumbles(reply)) {
    stumble_unsettled(Stage::data, reply);
  } else {
    settle_unsettled(Stage::data, reply);
  }
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
  if (awaited_ == Command::chunk && refuses(reply) && !all_settled() && stumbles(reply)) {
    stumble_unsettled(Stage::data, reply);
  } else {
    settle_unsettled(reply.positive() ? Stage::accepted : Stage::data, reply);
  }
  return std::nullopt;
}

void ClientTransaction::settle(std::size_t index, Stage stage, const Reply& reply) {
  progress_[index] = Progress::settled;
  results_[index].stage = stage;
  results_[index].reply = reply;
  --unsettled_;
}

void ClientTransaction::settle_unsettled(Stage stage, const Reply& reply) {
  for (const std::size_t i : round_) {
    if (progress_[i] == Progress::open || progress_[i] == Progress::accepted) {
      settle(i, stage, reply);
    }
  }
}

bool ClientTransaction::stumbles(const Reply& refusal) {
  if (rules_->borne) return false;
  constexpr int kBadSequence = 503;
  const bool of_the_group = is_group() && speaks_of_pipelining(refusal);
  if (awaited_ == Command::chunk && !of_the_group) {
    if (!refuses_the_chunk_command(refusal)) return false;
    broken_.chunking = true;
    return true;
  }
  // What went before was accepted, so in a dialogue of single commands the sequence would be right.
  const bool lost_the_sequence =
      is_group() && refusal.code == kBadSequence && awaited_ != Command::mail;
  if (!of_the_group && !lost_the_sequence) return false;
  broken_.pipelining = true;
  return true;
}

void ClientTransaction::stumble(std::size_t index, Stage stage, const Reply& reply) {
  settle(index, stage, reply);
  progress_[index] = Progress::stumbled;
  ++stumbled_;
}

void ClientTransaction::stumble_unsettled(Stage stage, const Reply& reply) {
  for (const std::size_t i : round_) {
    if (progress_[i] == Progress::open || progress_[i] == Progress::accepted) {
      stumble(i, stage, reply);
    }
  }
}

void ClientTransaction::settle_stumbled() {
  for (std::size_t i = 0; i < progress_.size(); ++i) {
    if (progress_[i] != Progress::stumbled) continue;
    progress_[i] = Progress::settled;
    results_[i].again = true;
  }
  stumbled_ = 0;
}

bool ClientTransaction::died_of_an_offer(Cause cause) {
  if (rules_->borne || outstanding_ == 0) return false;
  const bool closed = cause == Cause::connection_lost;
  const bool silent = cause == Cause::silence;
  const bool made_no_sense = cause == Cause::garbled;
  if (awaited_ == Command::chunk && (closed || silent)) {
    broken_.chunking = true;
    return closed;
  }
  // Who has answered nothing may be silent for any reason, but who hangs up has read something.
  const bool heard = outstanding_ < flight_commands_;
  if (!is_group() || !(closed || made_no_sense || (silent && heard))) return false;
  broken_.pipelining = true;
  broken_.chunking = broken_.chunking || (content_written_ && uses_.chunking);
  return closed || !content_written_;
}

void ClientTransaction::lost(Cause cause, std::string_view sentence, const Reply* goodbye) {
  if (done_) return;
  const Stage stage = awaited_stage();
  if (resetting_) {
    // Of the repetition nothing was said yet: the words before it count.
    for (const std::size_t i : round_) {
      if (progress_[i] != Progress::open) continue;
      progress_[i] = Progress::stumbled;
      --unsettled_;
    }
    stumbled_ = round_.size();
    finish();
    return;
  }
  if (goodbye != nullptr && !goodbye_) {
    goodbye_ = Goodbye{stage, *goodbye};
    if (awaited_ == Command::chunk && refuses(*goodbye) && !all_settled() && stumbles(*goodbye)) {
      stumble_unsettled(stage, *goodbye);
    }
  }
  const bool again = !goodbye_ && died_of_an_offer(cause);
  for (const std::size_t i : round_) {
    if (progress_[i] != Progress::open && progress_[i] != Progress::accepted) continue;
    results_[i].in_doubt = content_written_;
    results_[i].again = again;
    if (goodbye_) {
      settle(i, goodbye_->stage, goodbye_->reply);
    } else {
      results_[i].cause = !content_written_         ? cause
                          : cause == Cause::garbled ? Cause::garbled_in_doubt
                                                    : Cause::in_doubt;
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
