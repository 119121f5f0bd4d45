// SPDX-License-Identifier: Apache-2.0
// One mail on its way through an open session, client side: which commands go out in which flight
// and what each recipient's answer is. Pure; ClientSession feeds it.
//
//   server offers           flights ("/" waits for the answers so far)
//   PIPELINING, CHUNKING    MAIL RCPT.. BDAT content              one round trip
//     same, large content   MAIL RCPT.. / BDAT content            refused recipients cost no
//     content
//   PIPELINING              MAIL RCPT.. DATA / content .
//   CHUNKING                MAIL / RCPT / .. / BDAT content
//   neither                 MAIL / RCPT / .. / DATA / content .
//
// A RSET goes in front where the transaction before may still be open (RFC 3030 section 2, RFC 2920
// section 3.1 allows it in a flight).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mail/attempt.h"
#include "mail/reply.h"
#include "smtp/protocol/capabilities.h"
#include "smtp/protocol/client_envelope.h"

namespace todoku::smtp {

// What became of one recipient.
struct RecipientResult {
  Stage stage = Stage::none;  // accepted: the server answered 2xx to the content
  // The server's answer at that stage; code 0 if there was none, then text is our own sentence.
  Reply reply;
  // Code 0 only: trying again does not help, because the server lacks what the mail needs; the
  // text begins with an enhanced status code (RFC 3463).
  bool permanent = false;
  // The connection was lost after the whole content was written and before its answer: the server
  // may have taken the mail.
  bool in_doubt = false;

  [[nodiscard]] bool accepted() const { return stage == Stage::accepted; }
};

class ClientTransaction {
 public:
  struct Rules {
    Capabilities server;  // what to make use of: what it offers and we want
    // Content up to this many octets goes along before the recipients' answers are known.
    std::uint64_t single_flight_max = 0;
  };

  // Starts a mail. Envelope and message stay the caller's until done(). A mail that the server
  // cannot take (SIZE, SMTPUTF8, 8BITMIME) is done at once with permanent results, nothing is sent.
  void begin(const Rules& rules, const ClientEnvelope& envelope, const MessageView& message,
             bool reset_first);

  // The octets of the current flight; empty: none, answers are awaited, or done().
  [[nodiscard]] std::span<const std::string_view> output() const { return output_; }
  // True if the flight carries the content.
  [[nodiscard]] bool writes_content() const { return content_in_flight_; }
  // True if the server may have all of it and we do not know its answer.
  [[nodiscard]] bool content_is_out() const { return content_written_ && !done_; }
  // All of output() was handed to the operating system.
  void written();
  // Writing it broke off; answers to the part that went out may still come.
  void not_written();

  // The next answer. nullopt: fine; else why the dialogue cannot go on, and lost() must follow.
  [[nodiscard]] std::optional<std::string> on_reply(const Reply& reply);

  // The session is over: whoever has no result gets one. Without `goodbye` (or an earlier 421) they
  // get `sentence`.
  void lost(std::string_view sentence, const Reply* goodbye = nullptr);

  [[nodiscard]] bool done() const { return done_; }
  // One per recipient of the envelope, in its order; final once done(). May be moved from.
  [[nodiscard]] std::span<RecipientResult> results() { return results_; }

  // After done(): the server may still hold this transaction open.
  [[nodiscard]] bool needs_reset() const { return mail_accepted_ && !closed_by_content_; }
  // A 421 was among the answers: the server is closing.
  [[nodiscard]] bool saw_goodbye() const { return goodbye_.has_value(); }
  // What the next answer is about, as stage and as the command's name.
  [[nodiscard]] Stage awaited_stage() const;
  [[nodiscard]] std::string_view awaited_name() const;
  [[nodiscard]] bool awaits_content_answer() const {
    return awaited_ == Command::chunk || awaited_ == Command::content;
  }
  [[nodiscard]] bool awaits_data_answer() const { return awaited_ == Command::data; }

 private:
  enum class Command : std::uint8_t { reset, mail, recipient, data, chunk, content, none };
  enum class Progress : std::uint8_t { open, accepted, settled };
  struct Goodbye {
    Stage stage;
    Reply reply;
  };

  [[nodiscard]] std::optional<std::string> unfit_because() const;
  void compose_flight();
  // Appends next_ and moves on. False: the flight ends here.
  [[nodiscard]] bool append_next();
  void append_mail();
  void append_content();
  void advance_awaited();
  void proceed();
  void finish();

  void settle(std::size_t index, Stage stage, const Reply& reply);
  void settle_unsettled(Stage stage, const Reply& reply);
  [[nodiscard]] bool all_settled() const { return unsettled_ == 0; }

  [[nodiscard]] std::optional<std::string> on_mail_reply(const Reply& reply);
  [[nodiscard]] std::optional<std::string> on_recipient_reply(const Reply& reply);
  [[nodiscard]] std::optional<std::string> on_data_reply(const Reply& reply);
  [[nodiscard]] std::optional<std::string> on_content_reply(const Reply& reply);
  [[nodiscard]] Command content_command() const {
    return rules_->server.chunking ? Command::chunk : Command::data;
  }

  const Rules* rules_ = nullptr;
  const ClientEnvelope* envelope_ = nullptr;
  MessageView message_;
  std::vector<RecipientResult> results_;
  std::vector<Progress> progress_;
  std::size_t unsettled_ = 0;

  std::string commands_;
  std::vector<std::string_view> output_;
  Command next_ = Command::none;  // the first command that is not in a flight yet
  std::size_t next_recipient_ = 0;
  Command awaited_ = Command::none;
  std::size_t awaited_recipient_ = 0;
  std::size_t outstanding_ = 0;  // answers to the current flight that have not come

  std::optional<Goodbye> goodbye_;
  bool mail_accepted_ = false;
  bool content_in_flight_ = false;
  bool content_written_ = false;
  bool closed_by_content_ = false;
  bool done_ = true;
};

}  // namespace todoku::smtp
