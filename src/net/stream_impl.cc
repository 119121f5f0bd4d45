// SPDX-License-Identifier: Apache-2.0
#include "net/stream_impl.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "async/timer_clock.h"
#include "base/check.h"
#include "net/net_error.h"
#include "net/socket_address.h"

namespace todoku::net {
namespace {

// Further away than any deadline that is meant, and still a nanosecond count.
constexpr SteadyInstant kNever{std::chrono::hours(24 * 365 * 200)};

// A receiver may think about a mail for ten minutes (RFC 5321 section 4.5.3.2.6), and many a NAT
// gateway forgets a silent flow after five or six: the connection would be lost without either side
// knowing, and a mail that was taken be sent again. Asking now and then keeps the flow, and finds a
// dead peer in two minutes. RFC 1122 section 4.2.3.6 leaves it to the application.
//
// TCP_USER_TIMEOUT (RFC 5482) is left alone: Linux also lets it end connections to living peers
// that keep their window shut, for which every write here has a deadline of its own, and in place
// of the count of probes.
void keep_alive(int fd) {
  constexpr int on = 1;
  constexpr int idle_seconds = 60;
  constexpr int interval_seconds = 20;
  constexpr int probes = 3;
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_seconds, sizeof interval_seconds);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

}  // namespace

void GatherPosition::advance(std::span<const std::string_view> pieces, std::size_t count) {
  while (piece < pieces.size()) {
    const std::size_t left = pieces[piece].size() - offset;
    if (count < left) {
      offset += count;
      return;
    }
    count -= left;
    ++piece;
    offset = 0;
  }
}

StreamImpl::StreamImpl(StreamSocket socket, StreamToken token)
    : socket_(std::move(socket)), timer_(socket_.get_executor()), token_(std::move(token)) {}

void StreamImpl::adopt_connected() {
  const int fd = socket_.native_handle();
  remote_ = remote_endpoint_of(fd);
  local_ = local_endpoint_of(fd);
  // Whole commands and whole messages are written at once; Nagle would only delay them. Fails on
  // Unix sockets, where there is nothing to delay and nothing between the ends.
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  keep_alive(fd);
}

bool StreamImpl::is_over(SteadyInstant deadline) {
  return deadline < kNever && std::chrono::steady_clock::time_point(deadline.time_since_epoch()) <=
                                  async::TimerClock::now();
}

void StreamImpl::begin(Waiting& waiting, SteadyInstant deadline) {
  check(!waiting.active, "a stream does one operation of a kind at a time");
  waiting = {.active = true, .deadline = deadline};
  if (deadline < armed_for_ && deadline < kNever) arm(deadline);
}

void StreamImpl::arm(SteadyInstant at) {
  armed_for_ = at;
  timer_.expires_at(std::chrono::steady_clock::time_point(at.time_since_epoch()));
  // A handler that is already on its way when the timer moves is told by its generation.
  timer_.async_wait([weak = weak_from_this(), generation = ++timer_generation_](const auto& error) {
    if (error) return;
    if (const auto self = weak.lock()) self->on_timer(generation);
  });
}

void StreamImpl::on_timer(std::uint64_t generation) {
  if (generation != timer_generation_) return;
  const SteadyInstant passed = std::exchange(armed_for_, SteadyInstant::max());
  SteadyInstant next = SteadyInstant::max();
  bool any = false;
  for (Waiting* waiting : {&reading_, &writing_}) {
    if (!waiting->active) continue;
    waiting->timed_out = waiting->deadline <= passed;
    any = any || waiting->timed_out;
    if (!waiting->timed_out) next = std::min(next, waiting->deadline);
  }
  if (any) {
    for (Waiting* waiting : {&reading_, &writing_}) {
      if (waiting->active && !waiting->timed_out) waiting->disturbed = true;
    }
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }
  if (next < kNever) arm(next);
}

Result<StreamImpl::Woken> StreamImpl::finish(Waiting& waiting, std::string_view doing,
                                             const boost::system::error_code& error) {
  const Waiting ended = waiting;
  waiting = {};
  if (closed_) return fail(ErrorKind::closed, fmt::format("{}: connection closed", doing));
  if (!error) return Woken::ready;
  if (error != boost::asio::error::operation_aborted) return fail(to_error(doing, error));
  if (ended.timed_out) return fail(ErrorKind::timeout, fmt::format("{}: timed out", doing));
  if (ended.disturbed) return Woken::again;
  return fail(ErrorKind::cancelled, fmt::format("{}: cancelled", doing));
}

Task<Result<void>> StreamImpl::connect(StreamProtocol::endpoint to, SteadyInstant deadline) {
  begin(reading_, deadline);
  const auto [error] = co_await socket_.async_connect(to, async::as_result);
  const auto woken = finish(reading_, "connect", error);
  if (!woken && error.value() == EADDRNOTAVAIL) {
    // The kernel picks the port at this moment (see bind_local): it has none left.
    co_return fail(ErrorKind::unavailable, woken.error().detail);
  }
  if (!woken) co_return fail(woken.error());
  adopt_connected();
  co_return Result<void>();
}

Task<Result<void>> StreamImpl::wait_ready(bool for_writing, SteadyInstant deadline) {
  Waiting& waiting = for_writing ? writing_ : reading_;
  for (;;) {
    if (closed_) co_return fail(ErrorKind::closed, "connection closed");
    // A peer that renews its TLS keys can make a read wait for writing while a write does.
    if (waiting.active) co_return fail(ErrorKind::io, "TLS wants to write during a write");
    begin(waiting, deadline);
    const auto what = for_writing ? StreamSocket::wait_write : StreamSocket::wait_read;
    const auto [error] = co_await socket_.async_wait(what, async::as_result);
    const auto woken = finish(waiting, for_writing ? "write" : "read", error);
    if (!woken) co_return fail(woken.error());
    if (*woken == Woken::ready) co_return Result<void>();
  }
}

Task<Result<std::size_t>> StreamImpl::read_some(std::span<char> into, SteadyInstant deadline) {
  check(!into.empty(), "a read has room for at least one octet");
  if (is_over(deadline)) co_return fail(ErrorKind::timeout, "read: timed out");
  if (tls_) co_return co_await read_tls(into, deadline);
  for (;;) {
    if (closed_) co_return fail(ErrorKind::closed, "connection closed");
    begin(reading_, deadline);
    // Asio tries at once and then waits for the edge: without epoll_ctl, two calls of recv for an
    // answer that had to be waited for.
    const auto [error, count] = co_await socket_.async_read_some(
        boost::asio::mutable_buffer(into.data(), into.size()), async::as_result);
    if (error == boost::asio::error::eof) {
      reading_ = {};
      co_return std::size_t{0};
    }
    const auto woken = finish(reading_, "read", error);
    if (!woken) co_return fail(woken.error());
    if (*woken == Woken::ready) co_return count;
  }
}

Result<bool> StreamImpl::send_now(std::span<const std::string_view> pieces,
                                  GatherPosition& position) {
  constexpr std::size_t batch = 64;
  while (position.piece < pieces.size()) {
    std::array<iovec, batch> list;
    std::size_t used = 0;
    std::size_t offset = position.offset;
    for (std::size_t i = position.piece; i < pieces.size() && used < batch; ++i) {
      const std::string_view piece = pieces[i].substr(offset);
      offset = 0;
      if (!piece.empty()) list[used++] = {const_cast<char*>(piece.data()), piece.size()};
    }
    if (used == 0) break;
    msghdr message{};
    message.msg_iov = list.data();
    message.msg_iovlen = used;
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
      return fail(errno_to_error("write", errno));
    }
    position.advance(pieces, static_cast<std::size_t>(sent));
  }
  return true;
}

Task<Result<void>> StreamImpl::write(std::span<const std::string_view> pieces,
                                     SteadyInstant deadline) {
  if (closed_) co_return fail(ErrorKind::closed, "connection closed");
  if (tls_) co_return co_await write_tls(pieces, deadline);
  GatherPosition position;
  for (;;) {
    const Result<bool> sent = send_now(pieces, position);
    if (!sent) co_return fail(sent.error());
    if (*sent) co_return Result<void>();
    const Result<void> ready = co_await wait_ready(true, deadline);
    if (!ready) co_return fail(ready.error());
  }
}

Task<Result<void>> StreamImpl::write_one(std::string_view octets, SteadyInstant deadline) {
  co_return co_await write(std::span(&octets, 1), deadline);
}

void StreamImpl::finish_writing() {
  if (closed_) return;
  if (tls_ && !tls_poisoned_) SSL_shutdown(tls_.get());
  boost::system::error_code ignored;
  socket_.shutdown(StreamSocket::shutdown_send, ignored);
}

void StreamImpl::close() {
  if (closed_) return;
  // close_notify is a courtesy: sent if it fits, never waited for. Not after an interrupted
  // handshake, where OpenSSL would only report an error.
  if (tls_ && !tls_poisoned_ && SSL_is_init_finished(tls_.get()) != 0) SSL_shutdown(tls_.get());
  closed_ = true;
  ++timer_generation_;
  timer_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
  token_.reset();
}

bool StreamImpl::has_input() {
  if (closed_) return true;
  char octet = 0;
  if (tls_) {
    // Session tickets and the like are no input: let OpenSSL look past them.
    ERR_clear_error();
    const int peeked = SSL_peek(tls_.get(), &octet, 1);
    return peeked > 0 || SSL_get_error(tls_.get(), peeked) != SSL_ERROR_WANT_READ;
  }
  const ssize_t got = ::recv(socket_.native_handle(), &octet, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace todoku::net
