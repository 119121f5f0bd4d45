// SPDX-License-Identifier: Apache-2.0
// One mail on its way through an open session, client side: which commands go out in which flight
// and what each recipient's answer is. Pure; ClientSession feeds it.
//
//   server offers           flights ("/" waits for the answers so far)
//   PIPELINING, CHUNKING    MAIL RCPT.. BDAT content              one round trip
//     same, large content,  MAIL RCPT.. / BDAT content            (1)
//     or such that waits
//   PIPELINING              MAIL RCPT.. DATA / content .
//   CHUNKING                MAIL / RCPT / .. / BDAT content
//   neither                 MAIL / RCPT / .. / DATA / content .
//
// (1) No content is sent for recipients that are refused.
//
// A RSET goes in front where the transaction before may still be open (RFC 3030 section 2, RFC 2920
// section 3.1 allows it in a flight).
//
// A server may offer an extension and stumble over it: refuse BDAT, answer in the wrong sequence,
// hang up at a group of commands. That says nothing about the recipients. Where the dialogue still
// holds, RSET and the mail once more without the extension, in this session; where it does not,
// RecipientResult::again asks for another connection. broken() tells what to do without. None of it
// once a mail has gone through in the same way: then the server bears it.
//
//   refused      BDAT with 500-504, or in words about the command        again without CHUNKING
//                any command of a group with 503, or in words about it   again without PIPELINING
//   hangs up     before the answer to BDAT                               without CHUNKING
//                before the answers to a group                           without PIPELINING, and
//                                                                        CHUNKING if it was used
//   falls silent before the answer to BDAT                               in doubt; without CHUNKING
//                after some answers to a group                           without PIPELINING
//   nonsense     as answer in a group                                    without PIPELINING
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mail/attempt.h"
#include "mail/cause.h"
#include "mail/reply.h"
#include "smtp/protocol/capabilities.h"
#include "smtp/protocol/client_envelope.h"
#include "smtp/protocol/dot_stuffing.h"

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
  // The server stumbled over an extension that it offers: another connection is worth while at once
  // that does without (broken()), and nothing is to be said of the recipient. May be in doubt, too.
  bool again = false;
  // The answer is not about the content, but that was out as a whole when it came. By SMTP it says
  // that the mail was not taken.
  bool after_content = false;
  // The server offers DSN and was told what the sender wants to know of this recipient (NOTIFY):
  // if the mail was accepted, it is the server that tells (RFC 3461 section 5.2.2).
  bool receiver_reports = false;
  // What we found ourselves; none: the answer says it.
  Cause cause = Cause::none;

  [[nodiscard]] bool accepted() const { return stage == Stage::accepted; }
};

class ClientTransaction {
 public:
  struct Rules {
    Capabilities server;  // what to make use of: what it offers and we want
    // Content up to this many octets goes along before the recipients' answers are known.
    std::uint64_t single_flight_max = 0;
    // A mail was taken in this way before: what goes wrong now has another reason.
    bool borne = false;
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
  // Octets of a content in slices that are to be given next; 0: none now.
  [[nodiscard]] std::uint64_t content_wanted() const {
    return output_.empty() && !done_ ? content_left_ : 0;
  }
  // The next of them, at least one octet and at most so many; they stay the caller's until they are
  // written.
  void content(std::span<const std::string_view> pieces);
  // All of output() was handed to the operating system.
  void written();
  // Writing it broke off; answers to the part that went out may still come.
  void not_written();

  // The next answer. nullopt: fine; else why the dialogue cannot go on, and lost() must follow.
  [[nodiscard]] std::optional<std::string> on_reply(const Reply& reply);

  // The session is over because of `cause`: whoever has no result gets one. Without `goodbye` (or
  // an earlier 421) they get `sentence`.
  void lost(Cause cause, std::string_view sentence, const Reply* goodbye = nullptr);

  [[nodiscard]] bool done() const { return done_; }
  // One per recipient of the envelope, in its order; final once done(). May be moved from.
  [[nodiscard]] std::span<RecipientResult> results() { return results_; }

  // What the server has stumbled over.
  [[nodiscard]] const BrokenOffers& broken() const { return broken_; }

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
  enum class Progress : std::uint8_t {
    open,
    accepted,
    stumbled,  // has a result that is none if the mail can be sent once more
    settled,
  };
  struct Goodbye {
    Stage stage;
    Reply reply;
  };

  struct Unfit {
    Cause cause;
    std::string sentence;
  };

  [[nodiscard]] std::optional<Unfit> unfit_because() const;
  // The mail to all that are open, from the beginning.
  void begin_round(bool reset_first);
  void compose_flight();
  // Appends next_ and moves on. False: the flight ends here.
  [[nodiscard]] bool append_next();
  void append_mail();
  [[nodiscard]] std::optional<std::string> original_of(const RecipientReports& reports) const;
  void append_recipient(std::size_t index);
  void append_content();
  void advance_awaited();
  void proceed();
  void finish();

  void settle(std::size_t index, Stage stage, const Reply& reply);
  void settle_unsettled(Stage stage, const Reply& reply);
  // Nobody waits for an answer of this round.
  [[nodiscard]] bool all_settled() const { return unsettled_ == 0; }

  // Whether the refusal of the awaited command is about PIPELINING or CHUNKING; noted if so.
  [[nodiscard]] bool stumbles(const Reply& refusal);
  void stumble(std::size_t index, Stage stage, const Reply& reply);
  void stumble_unsettled(Stage stage, const Reply& reply);
  // Sends the mail once more to those with whom the server stumbled.
  void repeat();
  // Those keep the words that they have, and are to be tried elsewhere.
  void settle_stumbled();
  // Whether the end of the connection speaks of an extension; noted if so.
  [[nodiscard]] bool died_of_an_offer(Cause cause);

  [[nodiscard]] std::optional<std::string> on_mail_reply(const Reply& reply);
  [[nodiscard]] std::optional<std::string> on_recipient_reply(const Reply& reply);
  [[nodiscard]] std::optional<std::string> on_data_reply(const Reply& reply);
  [[nodiscard]] std::optional<std::string> on_content_reply(const Reply& reply);
  [[nodiscard]] Command content_command() const {
    return uses_.chunking ? Command::chunk : Command::data;
  }
  [[nodiscard]] bool is_group() const { return flight_commands_ > 1; }

  struct Uses {
    bool pipelining = false;
    bool chunking = false;
  };

  const Rules* rules_ = nullptr;
  const ClientEnvelope* envelope_ = nullptr;
  MessageView message_;
  std::vector<RecipientResult> results_;
  std::vector<Progress> progress_;
  std::vector<std::size_t> round_;  // recipients of this round, by their place in the envelope
  std::size_t unsettled_ = 0;       // of them, open or accepted
  std::size_t stumbled_ = 0;
  Uses uses_;
  BrokenOffers broken_;

  std::string commands_;
  std::vector<std::string_view> output_;
  Command next_ = Command::none;    // the first command that is not in a flight yet
  std::size_t next_recipient_ = 0;  // its place in the round, like awaited_recipient_
  Command awaited_ = Command::none;
  std::size_t awaited_recipient_ = 0;
  std::uint64_t content_left_ = 0;  // of a content in slices, what is not in output() yet
  DotStuffer stuffer_;              // of a content in slices
  std::size_t flight_commands_ = 0;
  std::size_t outstanding_ = 0;  // answers to the current flight that have not come

  std::optional<Goodbye> goodbye_;
  bool mail_accepted_ = false;
  bool content_in_flight_ = false;
  bool content_written_ = false;
  bool closed_by_content_ = false;
  bool resetting_ = false;  // the RSET before a repetition is not answered yet
  bool done_ = true;
};

}  // namespace todoku::smtp
