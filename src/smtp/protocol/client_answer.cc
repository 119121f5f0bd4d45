// SPDX-License-Identifier: Apache-2.0
// What comes back: what an answer, or the end of the connection, means for each recipient, and
// whether it speaks of an extension rather than of the mail.
#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "smtp/protocol/client_transaction.h"

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
  results_[index].after_content =
      content_written_ && (stage == Stage::mail_from || stage == Stage::rcpt_to);
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

}  // namespace todoku::smtp
