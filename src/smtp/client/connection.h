// SPDX-License-Identifier: Apache-2.0
// Connection: an SMTP session over a network connection, from the dial to QUIT. It moves octets and
// watches deadlines; what is said is the matter of smtp/protocol.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "mail/attempt.h"
#include "net/dialer.h"
#include "net/endpoint.h"
#include "net/stream.h"
#include "net/tls.h"
#include "smtp/client/awaited.h"
#include "smtp/protocol/client_envelope.h"
#include "smtp/protocol/client_session.h"

namespace todoku::smtp {

struct ConnectionOptions {
  net::Endpoint remote;
  std::string mx_host;  // the name that the certificate has to prove
  // With TlsProof::dane: what has to be proven instead.
  net::TlsPeer dane{};
  std::optional<net::IpAddress> local_address;
  std::shared_ptr<const net::EgressProxy> proxy = nullptr;  // who connects for us; or nobody
  net::Dialer* dialer = nullptr;                            // nullptr: the system's
  std::string egress_source;                                // name, for the record
  ClientSessionOptions session;
  // Needed unless session.tls.mode is never.
  std::shared_ptr<const net::TlsClientContext> tls;
  // With TlsMode::never: why, for the record, e.g. how a handshake failed a moment ago.
  std::string no_tls_reason;
  Milliseconds connect_timeout = std::chrono::seconds(30);
  // Opening ends then, however patient each of its steps is.
  SteadyInstant not_after = SteadyInstant::max();
  // Is kept up to date, and outlives the connection; null: nobody looks.
  Awaited* awaited = nullptr;
};

// How opening a connection ended without one.
struct ConnectionFailure {
  Stage stage = Stage::none;  // connect, greeting, hello, starttls
  Reply reply;                // the server's, or code 0 with our own sentence
  Path path;
  // TLS was agreed on and did not work: where the plan is opportunistic another try without it is
  // worth while.
  bool failed_in_tls = false;
  // What we found ourselves; none: the server's reply says it. own_shortage: nothing was asked of
  // the server, because we had no file, port or memory for the connection, or not the address to
  // send from. stopping: the task was cancelled.
  Cause cause = Cause::none;
  // It ended for not_after's sake, before the server's time for its step was over: that says
  // nothing about the server.
  bool cut_short = false;
};

// Content that is not in memory as a whole, given as the connection takes it.
class ContentSlices {
 public:
  virtual ~ContentSlices() = default;
  // The content is wanted from its beginning: before the first slice, and whenever it is sent anew.
  virtual void begin() = 0;
  // The next octets, at least one, valid until the next call.
  [[nodiscard]] virtual Task<Result<std::span<const std::string_view>>> next() = 0;
};

// Lives on the executor of the task that opened it; every member is called there. One send() or
// quit() at a time.
class Connection {
 public:
  // Dials, greets and, as the options say, goes over to TLS. `clock` outlives the connection.
  [[nodiscard]] static Task<std::expected<std::unique_ptr<Connection>, ConnectionFailure>> open(
      ConnectionOptions options, const Clock& clock);

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  // Closes, without QUIT.
  ~Connection() = default;

  // Sends one mail. One result per recipient, in the envelope's order; they live (and may be moved
  // from) until the next send(). Envelope and message must live until the end. If the task is
  // cancelled the results say so (Cause::stopping) and the connection is no longer reusable; a mail
  // whose content was out is in doubt. Only while is_at_rest(); a connection that has just been
  // lost is answered with results, too. At `not_after` the mail is given up; not once its content
  // is out, because that cannot be called back, and then only the answer is missing. `slices` give
  // the content of a message in slices, and live as long.
  [[nodiscard]] Task<std::span<RecipientResult>> send(
      const ClientEnvelope& envelope, const MessageView& message,
      SteadyInstant not_after = SteadyInstant::max(), ContentSlices* slices = nullptr);
  // Why the slices of the last mail were not all there: the connection is over, and the receiver
  // has taken nothing.
  [[nodiscard]] const std::optional<Error>& content_error() const { return content_error_; }

  // True if another mail may be sent: the session is in order and the server neither closed it nor
  // said anything while it was idle. One system call.
  [[nodiscard]] bool is_reusable() const;
  // True if another mail may be sent as far as is known without asking the system.
  [[nodiscard]] bool is_at_rest() const { return session_.step() == ClientSession::Step::rest; }
  // The mail under way may arrive, whatever happens now: for who catches an exception of send().
  [[nodiscard]] bool content_is_out() const { return session_.content_is_out(); }
  // What the server stumbled over in the last mail.
  [[nodiscard]] const BrokenOffers& broken_offers() const { return session_.broken_offers(); }
  // While is_at_rest(): does without them from now on.
  void avoid(const BrokenOffers& offers) { session_.avoid(offers); }
  // The server had closed the connection before it heard of the last mail.
  [[nodiscard]] bool hung_up_unheard() const { return session_.hung_up_unheard(); }

  // Says QUIT if that is still possible, waits a few seconds for the answer, and closes.
  [[nodiscard]] Task<void> quit();
  void close() { stream_.close(); }

  // Host, addresses, TLS: the same for all mails of the connection.
  [[nodiscard]] const Path& path() const { return path_; }
  [[nodiscard]] const Capabilities& capabilities() const { return session_.capabilities(); }
  // Mails handed to send() so far.
  [[nodiscard]] std::uint64_t mails() const { return mails_; }

 private:
  Connection(ConnectionOptions options, net::Stream stream, const Clock& clock);

  // Does what the session wants until it is at rest or over.
  [[nodiscard]] Task<void> drive();
  [[nodiscard]] Task<void> start_tls();
  // Whom TLS is to prove.
  [[nodiscard]] net::TlsPeer peer() const;
  // Gives the session the next slice.
  [[nodiscard]] Task<void> take_slice();
  // Writes the session's output in blocks, each of which has its time.
  [[nodiscard]] Task<Result<void>> write_output();
  // Of the session's turn.
  [[nodiscard]] SteadyInstant deadline();
  void say_what_is_awaited(SteadyInstant until) const noexcept;
  // Notes whether it was for not_after's sake.
  [[nodiscard]] Error why(const Error& error);
  [[nodiscard]] ConnectionFailure failure() const;

  const ConnectionOptions options_;
  const Clock& clock_;
  ClientSession session_;
  Path path_;
  std::uint64_t mails_ = 0;
  ContentSlices* slices_ = nullptr;   // of the mail under way
  std::uint64_t content_octets_ = 0;  // of it
  std::optional<Error> content_error_;
  SteadyInstant not_after_ = SteadyInstant::max();
  bool cut_short_ = false;             // for not_after_'s sake
  std::optional<std::uint64_t> turn_;  // of the session, whose time ends at turn_ends_
  SteadyInstant turn_ends_{};
  std::vector<std::string_view> block_;  // memory used again
  std::array<char, 4096> buffer_;
  net::Stream stream_;
};

}  // namespace todoku::smtp
