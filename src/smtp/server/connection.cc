// SPDX-License-Identifier: Apache-2.0
#include "smtp/server/connection.h"

#include <algorithm>
#include <utility>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

namespace todoku::smtp {
namespace {

// A connection begins with a small buffer, so that thousands of idle ones cost little, and gets a
// larger one when content fills it, until that is over.
constexpr std::size_t kFirstBufferOctets = 4 << 10;
constexpr std::size_t kBufferOctetsMax = 64 << 10;
// Replies beyond this are written before more of the input is looked at.
constexpr std::size_t kOutputOctetsMax = 64 << 10;

constexpr std::string_view kStopping = "4.3.2 The service is stopping";  // RFC 3463 section 3.4
constexpr std::string_view kTooSlow = "4.4.2 Nothing complete came for too long";
constexpr std::string_view kTooLong = "4.4.2 What was begun has taken too long";
constexpr std::string_view kNoLogin = "4.7.0 Nobody has logged in for too long";

// A cancellation ends what is waited for when it comes, not what is waited for afterwards: it has
// to be asked for after every wait. `state` is that of boost::asio::this_coro.
bool is_cancelled(const boost::asio::cancellation_state& state) {
  return state.cancelled() != boost::asio::cancellation_type::none;
}

ServerEnd end_of(ErrorKind kind) {
  if (kind == ErrorKind::timeout) return ServerEnd::timed_out;
  return kind == ErrorKind::cancelled ? ServerEnd::stopped : ServerEnd::lost;
}

}  // namespace

Task<Result<net::TlsInfo>> ServerOwner::shake_hands(net::Stream& /*stream*/,
                                                    SteadyInstant /*deadline*/) {
  co_return fail(ErrorKind::unsupported, "this server has no certificate");
}

Task<Result<void>> ServerOwner::write(net::Stream& stream, std::string_view replies,
                                      SteadyInstant deadline) {
  return stream.write(replies, deadline);
}

void ServerOwner::refused(int /*code*/, std::string_view /*text*/) {}

ServerConnection::ServerConnection(const ServerSettings& settings, net::Stream stream,
                                   ServerOwner& owner)
    : settings_(settings),
      owner_(owner),
      stream_(std::move(stream)),
      session_(settings.protocol,
               [this](int code, std::string_view text) { owner_.refused(code, text); }),
      buffer_(std::make_unique_for_overwrite<char[]>(kFirstBufferOctets)),
      buffer_octets_(kFirstBufferOctets),
      login_deadline_(after(settings.patience.login)) {
  if (stream_.is_tls()) session_.begin_in_tls();
}

Task<ServerEnd> ServerConnection::run() {
  End end;
  while (!end) {
    const ServerStep step = session_.next(input_);
    end = co_await follow(step);
  }
  stream_.close();
  co_return *end;
}

Task<ServerConnection::End> ServerConnection::follow(ServerStep step) {
  switch (step.event) {
    case ServerEvent::need_input:
      return exchange();
    case ServerEvent::content:
      return take(step.text);
    case ServerEvent::discard:
      return discard();
    case ServerEvent::tls:
      return start_tls();
    case ServerEvent::close:
      return close_in_order();
    default:
      return ask(step);
  }
}

Task<ServerConnection::End> ServerConnection::ask(ServerStep step) {
  if (step.event == ServerEvent::quit) quitting_ = true;
  const ServerAnswer answer = co_await owner_.answer(step);
  progressed_ = true;
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  if (answer.hang_up && !is_cancelled(state)) co_return ServerEnd::hung_up;
  if (!answer.hang_up && !refuse_early_talk(step.event)) give(answer);
  if (is_cancelled(state)) co_return co_await say_goodbye(ServerEnd::stopped, kStopping);
  if (session_.output().size() < kOutputOctetsMax) co_return std::nullopt;
  const bool written = co_await flush();
  if (written) co_return std::nullopt;
  co_return is_cancelled(state) ? ServerEnd::stopped : ServerEnd::lost;
}

// True: the client has not waited for the greeting and gets another.
bool ServerConnection::refuse_early_talk(ServerEvent event) {
  if (event != ServerEvent::connect || !settings_.protocol.strict) return false;
  return stream_.has_input() && session_.spoke_early();
}

void ServerConnection::give(const ServerAnswer& answer) {
  if (answer.reply) {
    session_.answer(*answer.reply);
  } else {
    session_.accept();
  }
}

Task<ServerConnection::End> ServerConnection::take(std::string_view piece) {
  const SteadyInstant began = settings_.clock.steady_now();
  co_await owner_.take(piece);
  // The client is not to blame for what its content waited for.
  deadline_ += settings_.clock.steady_now() - began;
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  if (is_cancelled(state)) co_return co_await say_goodbye(ServerEnd::stopped, kStopping);
  co_return std::nullopt;
}

Task<ServerConnection::End> ServerConnection::discard() {
  owner_.discard();
  co_return std::nullopt;
}

// Writes the output, then reads.
Task<ServerConnection::End> ServerConnection::exchange() {
  // Every command line has a reply, so where there is none no line has come.
  if (!session_.output().empty()) {
    progressed_ = true;
    const auto written = co_await write_output(after(settings_.patience.write));
    if (!written) co_return end_of(written.error().kind);
  }
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  if (is_cancelled(state)) co_return co_await say_goodbye(ServerEnd::stopped, kStopping);
  renew_deadline();
  fit_buffer();
  const Due due = next_due();
  const auto got = co_await stream_.read_some({buffer_.get(), buffer_octets_}, due.at);
  if (!got) {
    const ServerEnd end = end_of(got.error().kind);
    if (end == ServerEnd::lost) co_return end;
    co_return co_await say_goodbye(end, end == ServerEnd::timed_out ? due.missed : kStopping);
  }
  if (*got == 0) co_return ServerEnd::lost;
  buffer_filled_ = *got == buffer_octets_;
  input_ = {buffer_.get(), *got};
  if (session_.is_in_content()) block_octets_ += *got;
  co_return std::nullopt;
}

ServerConnection::Due ServerConnection::next_due() const {
  Due due{.at = deadline_, .missed = kTooSlow};
  const SteadyInstant until = owner_.deadline();
  if (until < due.at) due = {.at = until, .missed = kTooLong};
  if (awaits_login() && login_deadline_ < due.at) due = {.at = login_deadline_, .missed = kNoLogin};
  return due;
}

void ServerConnection::renew_deadline() {
  if (!progressed_ && block_octets_ < kContentBlockOctets) return;
  deadline_ =
      after(session_.is_in_content() ? settings_.patience.content : settings_.patience.command);
  progressed_ = false;
  block_octets_ = 0;
}

void ServerConnection::fit_buffer() {
  std::size_t wanted = buffer_octets_;
  if (!session_.is_in_content()) {
    // A command may be waited for long.
    wanted = kFirstBufferOctets;
  } else if (buffer_filled_) {
    wanted = std::min(buffer_octets_ * 4, kBufferOctetsMax);
  }
  if (wanted == buffer_octets_) return;
  buffer_octets_ = wanted;
  buffer_ = std::make_unique_for_overwrite<char[]>(buffer_octets_);
}

Task<ServerConnection::End> ServerConnection::start_tls() {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  const bool written = co_await flush();
  if (!written) co_return is_cancelled(state) ? ServerEnd::stopped : ServerEnd::lost;
  const auto secured = co_await owner_.shake_hands(stream_, after(settings_.patience.handshake));
  // In the middle of a handshake there is no way to say 421.
  if (!secured) co_return is_cancelled(state) ? ServerEnd::stopped : ServerEnd::tls_failed;
  session_.tls_started();
  progressed_ = true;
  co_return std::nullopt;
}

// A reply that ends the session in the middle of a pipeline finds input on its way. Closing at once
// would reset the connection, and the client might never read why; after QUIT nothing more comes.
Task<ServerConnection::End> ServerConnection::close_in_order() {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  const bool written = co_await flush();
  if (quitting_) co_return ServerEnd::quit;
  if (!written) co_return is_cancelled(state) ? ServerEnd::stopped : ServerEnd::lost;
  stream_.finish_writing();
  co_await wait_for_end(after(settings_.patience.goodbye));
  co_return ServerEnd::ended;
}

Task<ServerEnd> ServerConnection::say_goodbye(ServerEnd why, std::string_view text) {
  const SteadyInstant until = after(settings_.patience.goodbye);
  session_.end(text);
  const auto written = co_await write_output(until);
  if (!written) co_return why;
  stream_.finish_writing();
  // Whoever stops us waits, and a client that has said nothing loses nothing.
  if (why != ServerEnd::stopped || stream_.has_input()) co_await wait_for_end(until);
  co_return why;
}

Task<void> ServerConnection::wait_for_end(SteadyInstant until) {
  for (std::size_t got = 1; got != 0;) {
    const auto read = co_await stream_.read_some({buffer_.get(), buffer_octets_}, until);
    got = read.value_or(0);
  }
}

Task<bool> ServerConnection::flush() {
  const auto written = co_await write_output(after(settings_.patience.write));
  co_return written.has_value();
}

Task<Result<void>> ServerConnection::write_output(SteadyInstant deadline) {
  if (session_.output().empty()) co_return Result<void>();
  const auto written = co_await owner_.write(stream_, session_.output(), deadline);
  session_.clear_output();
  co_return written;
}

}  // namespace todoku::smtp
