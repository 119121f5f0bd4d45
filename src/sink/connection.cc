// SPDX-License-Identifier: Apache-2.0
#include "sink/connection.h"

#include <array>
#include <chrono>
#include <utility>

#include "async/timer.h"
#include "base/digest.h"

namespace todoku::sink {
namespace {

using smtp::ServerEvent;
using smtp::ServerStep;

std::uint64_t begin_of_randomness(const Options& options, std::uint64_t connection) {
  return siphash64(options.seed, connection, "connection");
}

}  // namespace

bool ReceiverState::take_from_second(Instant now) {
  const std::lock_guard lock(mutex_);
  const std::int64_t second = to_epoch_ms(now) / 1000;
  if (second != second_) in_second_ = 0;
  second_ = second;
  if (in_second_ >= receiver.messages_per_second_max) return false;
  ++in_second_;
  return true;
}

Connection::Connection(Shared& shared, ReceiverState& state, ThreadTally& thread,
                       ReceiverTally& tally, net::Stream stream)
    : shared_(shared),
      state_(state),
      thread_(thread),
      tally_(tally),
      random_(begin_of_randomness(shared.options, shared.connections.fetch_add(1))),
      login_(state.receiver.auth_user, state.receiver.auth_password),
      scanner_(shared.options.latency_header),
      client_(stream.remote().address.to_string()),
      connection_(settings(), std::move(stream), *this) {
  tally_.connections.add();
  const std::uint64_t open = state_.open.fetch_add(1) + 1;
  for (std::uint64_t peak = state_.peak.load(); peak < open;) {
    if (state_.peak.compare_exchange_weak(peak, open)) break;
  }
}

Connection::~Connection() {
  state_.open.fetch_sub(1);
}

smtp::ServerSettings Connection::settings() const {
  const std::chrono::seconds idle(shared_.options.idle_seconds);
  return {.protocol = state_.receiver.protocol,
          .clock = shared_.clock,
          .patience = {.command = idle, .content = idle, .write = idle}};
}

Task<void> Connection::run() {
  const smtp::ServerEnd how = co_await connection_.run();
  switch (how) {
    case smtp::ServerEnd::lost:
    case smtp::ServerEnd::timed_out:
    case smtp::ServerEnd::stopped:
      if (in_transaction_) tally_.broken_off.add();
      break;
    case smtp::ServerEnd::tls_failed:
    case smtp::ServerEnd::quit:
    case smtp::ServerEnd::ended:
    case smtp::ServerEnd::hung_up:
      break;
  }
}

Task<smtp::ServerAnswer> Connection::answer(ServerStep step) {
  Decision decision = decide(step);
  if (decision.delay > Microseconds::zero()) {
    const bool waited = co_await delay(decision.delay);
    if (!waited) co_return smtp::ServerAnswer{.hang_up = true};
  }
  const bool taken = step.event == ServerEvent::message && decision.accepts();
  if (taken && verify_) dkim_ = co_await shared_.dkim->verify(message_, shared_.clock.now());
  if (decision.close) {
    if (taken) take_message(true);
    tally_.closed_by_script.add();
    co_return smtp::ServerAnswer{.hang_up = true};
  }
  remember(step, decision);
  co_return smtp::ServerAnswer{.reply = std::move(decision.reply)};
}

Task<bool> Connection::delay(Microseconds time) {
  const bool written = co_await connection_.flush();
  if (!written) co_return false;
  co_return co_await async::sleep_for(time);
}

Task<void> Connection::take(std::string_view piece) {
  take_content(piece);
  co_return;
}

Task<Result<void>> Connection::write(net::Stream& stream, std::string_view replies,
                                     SteadyInstant deadline) {
  count_replies(replies);
  if (state_.receiver.tarpit > Microseconds::zero()) return write_slowly(stream, replies);
  return stream.write(replies, deadline);
}

Task<Result<void>> Connection::write_slowly(net::Stream& stream, std::string_view octets) {
  const Milliseconds patience = settings().patience.write;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const bool waited = co_await async::sleep_for(state_.receiver.tarpit);
    if (!waited) co_return fail(ErrorKind::cancelled, "tarpit: cancelled");
    const SteadyInstant deadline = shared_.clock.steady_now() + patience;
    const auto written = co_await stream.write(octets.substr(i, 1), deadline);
    if (!written) co_return written;
  }
  co_return Result<void>();
}

Task<Result<net::TlsInfo>> Connection::shake_hands(net::Stream& stream, SteadyInstant deadline) {
  const TlsMode mode = state_.receiver.tls;
  if (mode == TlsMode::broken || mode == TlsMode::stalled) {
    tally_.tls_failures.add();
    co_await fail_in_tls(stream);
    co_return fail(ErrorKind::unsupported, "TLS fails by the script");
  }
  auto secured = co_await stream.start_tls_server(state_.tls, deadline);
  if (!secured) {
    tally_.tls_failures.add();
    co_return secured;
  }
  tally_.tls_sessions.add();
  tls_ = secured->summary();
  end_transaction();
  co_return secured;
}

Task<void> Connection::fail_in_tls(net::Stream& stream) {
  const SteadyInstant until = shared_.clock.steady_now() + settings().patience.command;
  std::array<char, 1024> buffer;
  if (state_.receiver.tls == TlsMode::broken) {
    // The client speaks first; an answer before that could pass for part of the reply.
    const auto hello = co_await stream.read_some(buffer, until);
    if (!hello) co_return;
    const auto written = co_await stream.write("This is not TLS.\r\n", until);
    if (!written) co_return;
  }
  for (std::size_t got = 1; got != 0;) {
    const auto read = co_await stream.read_some(buffer, until);
    got = read.value_or(0);
  }
}

}  // namespace todoku::sink
