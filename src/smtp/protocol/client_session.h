// SPDX-License-Identifier: Apache-2.0
// The client's side of an SMTP session (RFC 5321) without any input or output of its own: it is
// told what came and what happened, and says what to do next.
//
//   greeting -> EHLO (-> HELO) -> [STARTTLS -> handshake -> EHLO] -> [AUTH] -> at rest <-> mail ->
//   QUIT -> over
//                     any of them -> over, when the connection breaks, the server says 421 or
//                     something that makes no sense
//
// The driver's loop:
//   while session.step() is write, content, read or start_tls: do it, and tell: written() /
//   content() / received() / tls_established(), or failed() if it did not work. The time limit is
//   patience() from when turn() last changed: what trickles in does not move it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/attempt.h"
#include "mail/cause.h"
#include "mail/reply.h"
#include "mail/tls_plan.h"
#include "smtp/protocol/capabilities.h"
#include "smtp/protocol/client_envelope.h"
#include "smtp/protocol/client_transaction.h"
#include "smtp/protocol/reply_parser.h"
#include "smtp/protocol/sasl_client.h"

namespace todoku::smtp {

// How long to wait for what (RFC 5321 section 4.5.3.2 where it says).
struct ClientTimeouts {
  Milliseconds greeting = std::chrono::minutes(5);
  Milliseconds hello = std::chrono::minutes(5);
  Milliseconds starttls = std::chrono::minutes(2);  // the answer, and the handshake
  Milliseconds mail = std::chrono::minutes(5);      // also RSET
  Milliseconds rcpt = std::chrono::minutes(5);
  Milliseconds data = std::chrono::minutes(2);
  // To write a block of the content; all of it: this, and a second per 16 KiB on top.
  Milliseconds data_block = std::chrono::minutes(3);
  Milliseconds content = std::chrono::minutes(10);  // the answer to the content
  Milliseconds quit = std::chrono::seconds(5);
  Milliseconds farewell = std::chrono::seconds(2);  // for last words when writing failed
};

struct ClientSessionOptions {
  std::string hello_name;  // what EHLO says: the source's host name or an address literal
  TlsPlan tls;
  // Who logs in before the first mail; nullptr: nobody. The password may be told to whoever answers
  // under the TLS plan. Who is not let in fails with Cause::smarthost.
  std::shared_ptr<const ClientLogin> login;
  bool pipelining = true;  // make use of it when offered; likewise:
  bool chunking = true;
  // Larger content waits until a recipient was accepted: what is refused late is sent in vain.
  std::uint64_t single_flight_max = 256UL * 1024;
  ClientTimeouts timeouts;
};

class ClientSession {
 public:
  // What the driver has to do.
  enum class Step : std::uint8_t {
    write,      // output(), then written()
    content,    // the next content_wanted() octets of a content in slices, or some of them
    read,       // whatever comes, to received()
    start_tls,  // a handshake, then tls_established()
    rest,       // nothing: send() or quit() when wanted; after a mail: results() are there
    over,       // close the connection
  };

  // How opening ended without success.
  struct Failure {
    Stage stage = Stage::none;
    Reply reply;  // the server's, or code 0 with our own sentence
    // What we found ourselves; none: the reply says it.
    Cause cause = Cause::none;
  };

  explicit ClientSession(ClientSessionOptions options);

  [[nodiscard]] Step step() const;
  // Counts what is waited for: a flight to be written, one reply (whole, however many lines and
  // octets it comes in), a handshake.
  [[nodiscard]] std::uint64_t turn() const { return turn_; }
  // The longest that the current turn may take (RFC 5321 section 4.5.3.2: the times are of
  // commands, not of packets).
  [[nodiscard]] Milliseconds patience() const;
  // The longest that a write may go without getting a block of some hundred KiB done.
  [[nodiscard]] Milliseconds block_patience() const;

  [[nodiscard]] std::span<const std::string_view> output() const;
  void written();
  [[nodiscard]] std::uint64_t content_wanted() const { return transaction_.content_wanted(); }
  // At least one octet; they stay the caller's until they are written.
  void content(std::span<const std::string_view> pieces);
  void received(std::string_view octets);
  // `proven`: the certificate proves what the plan asks for.
  void tls_established(bool proven);
  // A write, read or handshake did not work: timeout, closed, and so on; cancelled: we are stopped;
  // limit_exceeded: there is no more time for the mail, or for opening. After a failed write the
  // session wants to read once more, but for these two: a server that hangs up in the middle often
  // says why. Content that cannot be given ends the session: a half one cannot be taken back.
  void failed(const Error& error);

  // At rest only. Envelope and message stay the caller's until the session is at rest again or
  // over; then results() has one entry per recipient, to be read (or moved) before the next send().
  void send(const ClientEnvelope& envelope, const MessageView& message);
  [[nodiscard]] std::span<RecipientResult> results() { return transaction_.results(); }
  // What the server stumbled over in the last mail (client_transaction.h): this session does
  // without from now on.
  [[nodiscard]] const BrokenOffers& broken_offers() const { return transaction_.broken(); }
  // At rest only: does without them from now on.
  void avoid(const BrokenOffers& offers);
  // At rest only.
  void quit();

  // All content of the mail under way was written: it may arrive, whatever happens now.
  [[nodiscard]] bool content_is_out() const {
    return phase_ == Phase::mail && transaction_.content_is_out();
  }
  // What the next answer is about; none: no answer is awaited.
  [[nodiscard]] Stage stage() const;

  // True once the session has been ready for mail.
  [[nodiscard]] bool opened() const { return opened_; }
  // Why it never was; set when step() is over and not opened().
  [[nodiscard]] const Failure& failure() const { return failure_; }
  // Why TLS is not used although it may be, e.g. "STARTTLS not offered"; empty if it is used.
  [[nodiscard]] const std::string& no_tls_reason() const { return no_tls_reason_; }
  // What the server offered last.
  [[nodiscard]] const Capabilities& capabilities() const { return capabilities_; }
  // True if the server closed the connection before it answered anything of the last mail: it had
  // hung up while the session was at rest, and what was sent met a closed door.
  [[nodiscard]] bool hung_up_unheard() const { return hung_up_unheard_; }
  // True if the connection was lost in the handshake or with the first words inside of TLS: another
  // try without it may work.
  [[nodiscard]] bool failed_in_tls() const { return failed_in_tls_; }

 private:
  enum class Phase : std::uint8_t {
    greeting,
    ehlo,
    helo,
    starttls,
    handshake,
    auth,
    rest,
    mail,
    quit,
    over,
  };

  void command(Phase phase, std::string text);
  void on_reply(const Reply& reply, bool more_input);
  void on_greeting(const Reply& reply);
  void on_ehlo(const Reply& reply);
  void on_helo(const Reply& reply);
  void on_starttls(const Reply& reply, bool more_input);
  void on_auth(const Reply& reply);
  void on_mail(const Reply& reply);
  void after_hello();
  void log_in();
  // Ends an exchange that the server leads astray.
  void cancel_login(const Error& why);
  void ready();
  void end_of_mail();

  // Ends the session; the mail under way, or the opening, gets the sentence or the reply.
  void break_off(Cause cause, std::string sentence, const Reply* goodbye = nullptr);
  void fail_opening(const Reply& reply, Cause cause = Cause::none);
  // What came together with the last answer of the opening, although nothing had been asked:
  // answers and questions are out of step, so no mail is begun.
  void said_too_much(std::string_view octets);
  [[nodiscard]] Cause cause_of(const Error& error) const;
  // Of an opening that ended for want of the TLS that the plan asks for: `otherwise`, unless it is
  // the receiver's own TLSA records that ask.
  [[nodiscard]] Cause cause_of_bad_tls(Cause otherwise) const;
  [[nodiscard]] std::string_view awaited_name() const;
  [[nodiscard]] bool writes_content() const;
  [[nodiscard]] Milliseconds patience_for_reply() const;
  [[nodiscard]] std::string describe(const Error& error) const;

  const ClientSessionOptions options_;
  Phase phase_ = Phase::greeting;
  std::uint64_t turn_ = 0;
  ReplyParser parser_;
  ClientTransaction transaction_;
  ClientTransaction::Rules rules_;
  Capabilities capabilities_;

  std::optional<SaslClient> sasl_;
  std::string cancelled_login_;  // why "*" was said

  std::string command_;
  std::string_view command_view_;  // of command_ while it is to be written
  std::string broken_write_;       // why a write failed; last words may still come
  Cause broken_write_cause_ = Cause::none;
  std::uint64_t content_octets_ = 0;
  bool tls_ = false;
  bool opened_ = false;
  bool failed_in_tls_ = false;
  bool reset_first_ = false;
  bool heard_ = false;  // the server has answered something of the mail under way
  bool hung_up_unheard_ = false;
  std::string no_tls_reason_;
  Failure failure_;
};

}  // namespace todoku::smtp
