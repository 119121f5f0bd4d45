// SPDX-License-Identifier: Apache-2.0
#include "smtp/client/connection.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"

namespace todoku::smtp {
namespace {

constexpr std::uint16_t kSmtpPort = 25;
// Of an output: large enough that most mails are one, small enough to notice that nothing moves.
constexpr std::size_t kBlockOctets = 256UL * 1024;

Path path_to(const ConnectionOptions& options) {
  const net::Endpoint& remote = options.remote;
  return {.mx_host = options.mx_host,
          .remote_ip = remote.port == kSmtpPort ? remote.address.to_string() : remote.to_string(),
          .egress_source = options.egress_source,
          .tls_detail = options.no_tls_reason};
}

Cause cause_of_no_connection(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::unavailable:
    case ErrorKind::invalid_input:
      return Cause::own_shortage;
    case ErrorKind::cancelled:
      return Cause::stopping;
    default:
      return Cause::unreachable;
  }
}

// "30", "0.2".
std::string seconds_of(Microseconds time) {
  const auto tenths = std::chrono::round<std::chrono::duration<int, std::deci>>(time).count();
  return tenths % 10 == 0 ? std::to_string(tenths / 10)
                          : fmt::format("{}.{}", tenths / 10, tenths % 10);
}

// "TLSv1.3 TLS_AES_256_GCM_SHA384 (self-signed certificate)": how good the TLS is, and in brackets
// what speaks against it or, where all is well, who had asked for it.
std::string describe(const net::TlsInfo& info, const TlsPlan& plan) {
  const bool by_dane = plan.asked_by == TlsAsker::dane;
  if (info.verified && plan.proof == TlsProof::dane) return info.summary() + " (DANE)";
  if (info.verified && plan.proof == TlsProof::mx_name) {
    const bool by_domain = plan.asked_by == TlsAsker::mta_sts;
    return info.summary() +
           (by_domain ? " (required by MTA-STS)" : " (required by the site's rule)");
  }
  if (info.verified) return info.summary();
  if (by_dane && plan.proof == TlsProof::none) {
    return fmt::format("{} ({}; its TLSA records cannot be used)", info.summary(),
                       info.verify_error);
  }
  return fmt::format("{} ({})", info.summary(), info.verify_error);
}

// `time`: what the dial had.
ConnectionFailure dial_failure(const ConnectionOptions& options, const Error& error,
                               Microseconds time) {
  std::string sentence = error.detail;
  if (error.kind == ErrorKind::timeout) {
    sentence = fmt::format("connect: no answer within {} s", seconds_of(time));
  }
  if (error.kind == ErrorKind::cancelled) {
    sentence = "this engine was stopped before there was a connection";
  }
  return {.stage = Stage::connect,
          .reply = {0, std::move(sentence)},
          .path = path_to(options),
          .cause = cause_of_no_connection(error.kind),
          .cut_short = error.kind == ErrorKind::timeout && time < options.connect_timeout};
}

}  // namespace

Connection::Connection(ConnectionOptions options, net::Stream stream, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      session_(options_.session),
      path_(path_to(options_)),
      stream_(std::move(stream)) {}

Task<std::expected<std::unique_ptr<Connection>, ConnectionFailure>> Connection::open(
    ConnectionOptions options, const Clock& clock) {
  check(options.tls != nullptr || options.session.tls.mode == TlsMode::never,
        "a session that may use TLS has a context for it");
  const SteadyInstant not_after = options.not_after;
  const SteadyInstant began = clock.steady_now();
  const SteadyInstant dial_until = std::min(began + options.connect_timeout, not_after);
  if (options.awaited != nullptr) {
    options.awaited->set({.stage = Stage::connect, .until = dial_until});
  }
  net::Dialer& dialer = options.dialer != nullptr ? *options.dialer : net::system_dialer();
  net::DialOptions by{.local_address = options.local_address, .proxy = options.proxy};
  auto stream = co_await dialer.dial(options.remote, std::move(by), dial_until);
  if (!stream)
    co_return std::unexpected(
        dial_failure(options, stream.error(), std::max(dial_until - began, Microseconds(0))));
  std::unique_ptr<Connection> connection(
      new Connection(std::move(options), std::move(*stream), clock));
  connection->not_after_ = not_after;
  co_await connection->drive();
  connection->not_after_ = SteadyInstant::max();
  if (!connection->session_.opened()) co_return std::unexpected(connection->failure());
  if (connection->path_.tls == TlsUse::none && connection->path_.tls_detail.empty()) {
    connection->path_.tls_detail = connection->session_.no_tls_reason();
  }
  co_return connection;
}

ConnectionFailure Connection::failure() const {
  ConnectionFailure failure{.stage = session_.failure().stage,
                            .reply = session_.failure().reply,
                            .path = path_,
                            .failed_in_tls = session_.failed_in_tls(),
                            .cause = session_.failure().cause,
                            .cut_short = cut_short_};
  if (failure.path.tls == TlsUse::none && failure.path.tls_detail.empty()) {
    failure.path.tls_detail = session_.no_tls_reason();
  }
  return failure;
}

Task<std::span<RecipientResult>> Connection::send(const ClientEnvelope& envelope,
                                                  const MessageView& message,
                                                  SteadyInstant not_after, ContentSlices* slices) {
  check(message.in_slices == (slices != nullptr), "slices come from somewhere");
  ++mails_;
  not_after_ = not_after;
  slices_ = slices;
  content_octets_ = message.size;
  content_error_.reset();
  session_.send(envelope, message);
  co_await drive();
  not_after_ = SteadyInstant::max();
  slices_ = nullptr;
  co_return session_.results();
}

bool Connection::is_reusable() const {
  return session_.step() == ClientSession::Step::rest && !stream_.has_input();
}

Task<void> Connection::quit() {
  if (session_.step() == ClientSession::Step::rest && stream_.is_open()) {
    session_.quit();
    co_await drive();
  }
  stream_.close();
}

Task<void> Connection::drive() {
  for (;;) {
    switch (session_.step()) {
      case ClientSession::Step::write: {
        say_what_is_awaited(SteadyInstant{});
        const Result<void> written = co_await write_output();
        if (written) {
          session_.written();
        } else {
          session_.failed(why(written.error()));
        }
        break;
      }
      case ClientSession::Step::content:
        co_await take_slice();
        break;
      case ClientSession::Step::read: {
        const SteadyInstant until = deadline();
        say_what_is_awaited(until);
        const Result<std::size_t> got = co_await stream_.read_some(buffer_, until);
        if (!got) {
          session_.failed(why(got.error()));
        } else if (*got == 0) {
          session_.failed({ErrorKind::closed, "read: the peer closed the connection"});
        } else {
          session_.received(std::string_view(buffer_.data(), *got));
        }
        break;
      }
      case ClientSession::Step::start_tls:
        co_await start_tls();
        break;
      case ClientSession::Step::rest:
        co_return;
      case ClientSession::Step::over:
        stream_.close();
        co_return;
    }
  }
}

Task<void> Connection::take_slice() {
  if (session_.content_wanted() == content_octets_) slices_->begin();
  const auto pieces = co_await slices_->next();
  std::uint64_t octets = 0;
  if (pieces) {
    for (const std::string_view piece : *pieces) octets += piece.size();
  }
  if (octets > 0 && octets <= session_.content_wanted()) {
    session_.content(*pieces);
    co_return;
  }
  // More or less than was announced would be read as commands.
  content_error_ = pieces ? Error{ErrorKind::corrupt,
                                  fmt::format("the content has {} octets where {} are missing",
                                              octets, session_.content_wanted())}
                          : pieces.error();
  session_.failed(*content_error_);
}

net::TlsPeer Connection::peer() const {
  if (options_.session.tls.proof == TlsProof::dane) return options_.dane;
  return {.name = options_.mx_host};
}

Task<void> Connection::start_tls() {
  const SteadyInstant until = deadline();
  say_what_is_awaited(until);
  const Result<net::TlsInfo> info = co_await stream_.start_tls_client(options_.tls, peer(), until);
  if (!info) {
    const Error error = why(info.error());
    path_.tls_detail = error.detail;
    session_.failed(error);
    co_return;
  }
  path_.tls = info->verified ? TlsUse::verified : TlsUse::unverified;
  path_.tls_detail = describe(*info, options_.session.tls);
  session_.tls_established(info->verified);
}

Task<Result<void>> Connection::write_output() {
  const std::span<const std::string_view> pieces = session_.output();
  std::size_t piece = 0;
  std::size_t offset = 0;
  while (piece < pieces.size()) {
    block_.clear();
    for (std::size_t room = kBlockOctets; piece < pieces.size() && room > 0;) {
      const std::string_view part = pieces[piece].substr(offset, room);
      block_.push_back(part);
      room -= part.size();
      offset += part.size();
      if (offset < pieces[piece].size()) break;
      ++piece;
      offset = 0;
    }
    const SteadyInstant until =
        std::min(deadline(), clock_.steady_now() + session_.block_patience());
    const Result<void> written = co_await stream_.write(block_, until);
    if (!written) co_return fail(written.error());
  }
  co_return Result<void>();
}

SteadyInstant Connection::deadline() {
  if (turn_ != session_.turn()) {
    turn_ = session_.turn();
    turn_ends_ = clock_.steady_now() + session_.patience();
  }
  return session_.content_is_out() ? turn_ends_ : std::min(turn_ends_, not_after_);
}

void Connection::say_what_is_awaited(SteadyInstant until) const noexcept {
  if (options_.awaited == nullptr) return;
  options_.awaited->set(
      {.stage = session_.stage(), .content_is_out = session_.content_is_out(), .until = until});
}

Error Connection::why(const Error& error) {
  const bool over = error.kind == ErrorKind::timeout && !session_.content_is_out() &&
                    clock_.steady_now() >= not_after_;
  if (!over) return error;
  cut_short_ = true;
  return {ErrorKind::limit_exceeded,
          session_.opened() ? "the mail's time is over" : "the time for a connection is over"};
}

}  // namespace todoku::smtp
