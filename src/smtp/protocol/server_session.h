// SPDX-License-Identifier: Apache-2.0
// ServerSession: the receiving side of one SMTP connection as a pure state machine (RFC 5321,
// 1870, 2034, 2920, 3030, 3207, 3461, 4954, 6152, 6531). Octets go in; events, content and octets
// to send come out. It owns the protocol; what is accepted from whom is the owner's decision.
//
//   for (;;) {
//     const ServerStep step = session.next(input);      // takes from the front of `input`
//     switch (step.event) {
//       case ServerEvent::need_input: write(session.output()); session.clear_output(); read more;
//       case ServerEvent::content:    body.append(step.text);
//       case ServerEvent::recipient:  session.answer({550, "5.1.1 Unknown user"});
//       case ServerEvent::mail: ...:  session.accept();
//     }
//   }
//
// Commands of one read are answered in one write. The same octets give the same events and the same
// output however they are cut into reads, except for where content is cut into pieces.
//
// Phases:   greeting -> command <-> { auth exchange, data, chunk, tls } -> closing
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "mail/address.h"
#include "mail/reply.h"
#include "smtp/protocol/server_command.h"
#include "smtp/protocol/server_content_check.h"
#include "smtp/protocol/server_dot_decoder.h"

namespace todoku::smtp {

// What becomes of commands that come together with one before them (RFC 2920). All but the first
// of these words are for scripted receivers (sink), which play servers that are not in order.
enum class Pipelined : std::uint8_t {
  answered,
  lost,     // never seen
  refused,  // 503
  closed,   // the connection is closed without a word
};

// Shared by many sessions.
struct ServerOptions {
  std::string hostname = "localhost.localdomain";
  std::string banner = "ESMTP";  // what follows the host name in the greeting
  bool ehlo = true;              // false: a receiver from before RFC 1869, which knows only HELO
  bool pipelining = true;        // announced only: see `pipelined`
  Pipelined pipelined = Pipelined::answered;
  bool chunking = true;
  bool eight_bit_mime = true;
  bool smtputf8 = true;
  bool enhanced_status_codes = true;  // also puts them into the session's own replies
  bool starttls = false;
  bool size = true;  // announces SIZE
  // Octets of content; 0: no limit. DATA that goes on for as long again, and for a MiB, is answered
  // and ends the session.
  std::uint64_t size_max = 0;
  std::string auth_mechanisms;  // "PLAIN LOGIN"; empty: no AUTH
  bool auth_in_clear = true;    // false: AUTH is there only under TLS
  bool auth_required = false;   // MAIL is refused before AUTH has succeeded
  bool tls_required = false;    // MAIL and AUTH are refused before TLS
  bool dsn = false;             // announces DSN
  // Addresses may lack their domain (server_command.h): the owner gives them one.
  bool unqualified = false;
  // What a sender that minds the rules never does is refused in clear words and never repaired:
  // bare CR, bare LF and NUL in content, commands ended by a bare LF (the session ends), commands
  // behind STARTTLS or before the greeting, chunks outside of a transaction or above size_max (it
  // ends as well). Scripted receivers (sink) take it.
  bool strict = false;
  // Longest line of content without its CRLF, which is more than RFC 5321 section 4.5.3.1.6 wants;
  // 0: no limit.
  std::size_t text_line_octets_max = 0;
  std::size_t recipients_max = 1000;
  // RFC 5321 section 4.5.3.1.4 asks for 512; long source routes and parameters need more.
  std::size_t command_octets_max = 2048;
  // Mistakes of protocol and failed AUTH (not other refusals by the owner) after which 421 ends the
  // session; 0: never.
  std::size_t errors_max = 20;
};

enum class ServerEvent : std::uint8_t {
  need_input,  // all input is taken: send the output, then read
  content,     // `text` is the next piece of the message
  discard,     // the transaction is over, and the content given so far, if any, will not become a
               // message (too large, at fault); hello, reset and close mean the same for what they
               // find unfinished
  tls,         // send the output, drop unread input, shake hands, call tls_started()
  close,       // send the output, then close

  // These wait for accept() or answer(). In parentheses what `text` holds.
  connect,        // first of all. 220; 421 and 554 refuse the connection
  hello,          // EHLO or HELO (name). 250; the reply's text is the first line
  start_tls,      // STARTTLS. 220 or 454
  auth,           // AUTH ("MECHANISM [initial response]"). 235, 334 with a challenge, 535
  auth_response,  // the client's answer to a challenge (base64). As auth
  mail,           // MAIL, see mail(). 250
  recipient,      // RCPT, see recipient(). 250
  data,           // DATA. 354
  chunk,          // BDAT, before its octets. 250 (sent after the last of them)
  message,        // the whole content was given. 250: the message is the owner's responsibility
  reset,          // RSET. 250
  quit,           // QUIT. 221; whatever is answered, the session ends
};

struct ServerStep {
  ServerEvent event = ServerEvent::need_input;
  std::string_view text;  // lives until the next call of next(), in `input` or in the session
};

class ServerSession {
 public:
  // Hears each negative reply when it is put into the output, whoever decided it.
  using Refused = std::function<void(int code, std::string_view text)>;

  // `options` must outlive the session. `refused` must not call it.
  explicit ServerSession(const ServerOptions& options, Refused refused = {})
      : options_(options),
        refusal_heard_(std::move(refused)),
        content_check_(
            {.line_ends = options.strict, .line_octets_max = options.text_line_octets_max}) {}

  // What happens next. The octets of `input` must stay in place until the step is answered.
  [[nodiscard]] ServerStep next(std::string_view& input);

  // Answers the step that waits, in the session's words.
  void accept();
  // Answers it with these words. A positive (for data and challenges: intermediate) code accepts;
  // 421 ends the session (RFC 5321 section 3.8). The text may have several lines; octets that would
  // break the protocol are replaced.
  void answer(const Reply& reply);

  // The handshake after `tls` succeeded: the session begins anew at EHLO (RFC 3207 section 4.2).
  void tls_started();

  // TLS is there from the first octet on (port 465). Before the first step.
  void begin_in_tls() { tls_ = true; }

  // The client has said something before it was greeted (RFC 5321 section 3.1), which strict
  // sessions end with 554. True: this is one, and a step that waits is not answered any more;
  // false: nothing has changed.
  [[nodiscard]] bool spoke_early();

  // Ends the session from outside with a 421 in these words (RFC 5321 section 3.8): the service
  // stops or the client took too long. A step that waits is not answered any more. Nothing, if the
  // session is closing already.
  void end(std::string_view text);

  // Octets for the client. Anything may be sent at any time; it must be before reading.
  [[nodiscard]] std::string_view output() const { return output_; }
  void clear_output();

  // The transaction so far. mail() and recipient() belong to the latest such step.
  [[nodiscard]] const MailCommand& mail() const { return mail_; }
  [[nodiscard]] const Address& recipient() const { return recipient_; }
  [[nodiscard]] const RecipientOptions& recipient_options() const { return recipient_options_; }
  [[nodiscard]] std::size_t recipients() const { return recipients_; }  // accepted ones
  [[nodiscard]] std::uint64_t content_octets() const { return content_octets_; }

  // What comes next is content, perhaps of a message that is refused, and no command.
  [[nodiscard]] bool is_in_content() const {
    return phase_ == Phase::data || phase_ == Phase::chunk || phase_ == Phase::skip_chunk;
  }

  [[nodiscard]] const std::string& hello() const { return hello_; }
  [[nodiscard]] bool is_esmtp() const { return esmtp_; }
  [[nodiscard]] bool is_tls() const { return tls_; }
  [[nodiscard]] bool is_authenticated() const { return authenticated_; }

 private:
  enum class Phase : std::uint8_t {
    greeting,
    command,
    auth,        // the next line answers a challenge
    data,        // dot-stuffed content
    chunk,       // chunk_left_ octets of content
    skip_chunk,  // chunk_left_ octets of content that was refused
    tls,         // waits for tls_started()
    closing,
  };

  static constexpr std::string_view kTooManyErrors = "4.7.0 Too many errors";

  // What came of looking at the input: a step for the owner, or nothing yet (go on).
  using Progress = std::optional<ServerStep>;

  [[nodiscard]] Progress advance(std::string_view& input);
  [[nodiscard]] std::optional<std::string_view> take_line(std::string_view& input);
  // A handshake record of TLS (RFC 8446 section 5.1) in place of a command.
  [[nodiscard]] bool begins_tls(std::string_view input) const {
    return !tls_ && line_.empty() && input.starts_with("\x16\x03");
  }
  [[nodiscard]] std::size_t line_octets_max() const;
  void refuse_line(bool ended_by_crlf);
  void begin_next_line();
  [[nodiscard]] Progress run_line(std::string_view line);
  // A command that came together with others, at a server that is not in order.
  [[nodiscard]] Progress mishandle(std::string_view line, std::string_view& input);
  [[nodiscard]] Progress run_command(const CommandLine& command);
  [[nodiscard]] Progress run_hello(const CommandLine& command);
  [[nodiscard]] Progress run_mail(std::string_view argument);
  [[nodiscard]] Progress run_rcpt(std::string_view argument);
  [[nodiscard]] Progress run_data(std::string_view argument);
  [[nodiscard]] Progress run_bdat(std::string_view argument);
  [[nodiscard]] Progress run_starttls(std::string_view argument);
  [[nodiscard]] Progress run_auth(std::string_view argument);
  [[nodiscard]] Progress take_data(std::string_view& input);
  [[nodiscard]] Progress take_chunk(std::string_view& input);
  [[nodiscard]] Progress skip_chunk(std::string_view& input);
  [[nodiscard]] Progress content_ended();
  [[nodiscard]] bool is_acceptable(std::string_view piece);
  [[nodiscard]] bool is_read_in_vain() const;
  Progress refuse_content(const Reply& reply);

  [[nodiscard]] Progress ask(ServerEvent event, std::string_view text = {});
  void answer_hello(const Reply& reply);
  Progress refuse_chunk(Reply reply);
  void end_transaction();
  // Counts a mistake of the client. True: that is one too many.
  [[nodiscard]] bool is_one_too_many();
  // Answers a mistake of the client.
  Progress complain(int code, std::string_view text);
  // Answers in our own words.
  Progress say(int code, std::string_view text);
  // The same, and closes the connection.
  Progress end_with(int code, std::string_view text);
  void append_reply(int code, std::string_view text, char last_separator = ' ');
  void append_line(int code, char separator, std::string_view text);

  const ServerOptions& options_;
  const Refused refusal_heard_;
  Phase phase_ = Phase::greeting;
  ServerEvent asked_ = ServerEvent::need_input;  // the step that waits; need_input: none does
  std::string_view asked_text_;
  DotDecoder decoder_;
  ContentCheck content_check_;
  Reply content_refusal_;  // why the content will not be a message; code 0: it may be one
  bool refused_ = false;   // greeted with 554: only QUIT is left
  bool asked_esmtp_ = false;
  bool esmtp_ = false;
  bool tls_ = false;
  bool authenticated_ = false;
  bool in_mail_ = false;
  bool recipient_refused_ = false;  // tells 554 from 503 at DATA
  bool in_chunks_ = false;          // after the first BDAT of a message
  bool last_chunk_ = false;
  bool discarded_ = false;   // the owner knows that the transaction is over
  bool line_taken_ = false;  // line_ was used up by the step before
  bool line_too_long_ = false;
  bool line_after_cr_ = false;  // the last octet of what has come of a line is a CR
  bool more_came_ = false;      // together with the line and behind it
  std::size_t recipients_ = 0;
  std::size_t errors_ = 0;
  std::size_t commands_in_read_ = 0;
  std::uint64_t content_octets_ = 0;
  std::uint64_t chunk_octets_ = 0;
  std::uint64_t chunk_left_ = 0;
  Reply chunk_refusal_;
  MailCommand mail_;
  Address recipient_;
  RecipientOptions recipient_options_;
  std::string hello_;
  std::string line_;  // the beginning of a line whose end has not come yet
  std::string output_;
};

}  // namespace todoku::smtp
