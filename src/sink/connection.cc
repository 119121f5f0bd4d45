// SPDX-License-Identifier: Apache-2.0
#include "sink/connection.h"

#include <algorithm>
#include <chrono>

#include "async/timer.h"
#include "base/digest.h"
#include "base/log.h"
#include "sink/provider.h"

namespace todoku::sink {
namespace {

using smtp::ServerEvent;
using smtp::ServerStep;

// A connection begins with a small buffer, so that thousands of idle ones cost little, and gets a
// larger one when content fills it.
constexpr std::size_t kFirstBufferOctets = 4 << 10;
constexpr std::size_t kBufferOctetsMax = 64 << 10;

constexpr auto kGoodbye = std::chrono::seconds(2);
constexpr auto kTlsHandshake = std::chrono::seconds(30);

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
      stream_(std::move(stream)),
      session_(state.receiver.protocol),
      random_(begin_of_randomness(shared.options, shared.connections.fetch_add(1))),
      login_(state.receiver.auth_user, state.receiver.auth_password),
      scanner_(shared.options.latency_header),
      client_(stream_.remote().address.to_string()),
      buffer_(std::make_unique_for_overwrite<char[]>(kFirstBufferOctets)),
      buffer_size_(kFirstBufferOctets) {
  tally_.connections.add();
  const std::uint64_t open = state_.open.fetch_add(1) + 1;
  for (std::uint64_t peak = state_.peak.load(); peak < open;) {
    if (state_.peak.compare_exchange_weak(peak, open)) break;
  }
}

Connection::~Connection() {
  state_.open.fetch_sub(1);
}

SteadyInstant Connection::deadline() const {
  return shared_.clock.steady_now() + std::chrono::seconds(shared_.options.idle_seconds);
}

Task<void> Connection::run() {
  for (Next next = Next::go_on; next == Next::go_on;) {
    const ServerStep step = session_.next(input_);
    switch (step.event) {
      case ServerEvent::need_input:
        next = co_await exchange();
        continue;
      case ServerEvent::content:
        take_content(step.text);
        continue;
      case ServerEvent::discard:
        end_transaction();
        continue;
      case ServerEvent::tls:
        next = co_await start_tls();
        continue;
      case ServerEvent::close:
        next = co_await say_goodbye();
        continue;
      default:
        break;
    }
    Decision decision = decide(step);
    const bool verifies = step.event == ServerEvent::message && verify_;
    if (decision.close || verifies || decision.delay > Microseconds::zero()) {
      next = co_await follow(step, std::move(decision));
    } else {
      answer(step, decision);
    }
  }
  stream_.close();
}

Task<Connection::Next> Connection::exchange() {
  const bool written = co_await flush();
  if (!written) co_return Next::end;
  if (input_full_ && buffer_size_ < kBufferOctetsMax) {
    buffer_size_ = std::min(buffer_size_ * 4, kBufferOctetsMax);
    buffer_ = std::make_unique_for_overwrite<char[]>(buffer_size_);
  }
  const auto got = co_await stream_.read_some({buffer_.get(), buffer_size_}, deadline());
  if (!got || *got == 0) {
    if (in_transaction_) tally_.broken_off.add();
    co_return Next::end;
  }
  input_full_ = *got == buffer_size_;
  input_ = {buffer_.get(), *got};
  co_return Next::go_on;
}

// What takes time: a delay, a key to look up, or a connection to drop.
Task<Connection::Next> Connection::follow(ServerStep step, Decision decision) {
  if (decision.delay > Microseconds::zero()) {
    const bool written = co_await flush();
    if (!written) co_return Next::end;
    const bool waited = co_await async::sleep_for(decision.delay);
    if (!waited) co_return Next::end;
  }
  const bool taken = step.event == ServerEvent::message && decision.accepts();
  if (taken && verify_) dkim_ = co_await shared_.dkim->verify(message_, shared_.clock.now());
  if (!decision.close) {
    answer(step, decision);
    co_return Next::go_on;
  }
  if (taken) take_message(true);
  tally_.closed_by_script.add();
  co_return Next::end;
}

Task<bool> Connection::flush() {
  const std::string_view output = session_.output();
  if (output.empty()) co_return true;
  count_replies(output);
  bool written = false;
  if (state_.receiver.tarpit > Microseconds::zero()) {
    written = co_await write_slowly(output);
  } else {
    const auto result = co_await stream_.write(output, deadline());
    written = result.has_value();
  }
  session_.clear_output();
  co_return written;
}

Task<bool> Connection::write_slowly(std::string_view octets) {
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const bool waited = co_await async::sleep_for(state_.receiver.tarpit);
    if (!waited) co_return false;
    const auto result = co_await stream_.write(octets.substr(i, 1), deadline());
    if (!result) co_return false;
  }
  co_return true;
}

// A 421 in the middle of a pipeline finds input on its way. Closing at once would reset the
// connection, and the client might never read why; after QUIT nothing more comes.
Task<Connection::Next> Connection::say_goodbye() {
  const bool written = co_await flush();
  if (!written || quitting_) co_return Next::end;
  stream_.finish_writing();
  co_return co_await wait_for_end(shared_.clock.steady_now() + kGoodbye);
}

Task<Connection::Next> Connection::wait_for_end(SteadyInstant until) {
  for (std::size_t got = 1; got != 0;) {
    const auto read = co_await stream_.read_some({buffer_.get(), buffer_size_}, until);
    got = read.value_or(0);
  }
  co_return Next::end;
}

Task<Connection::Next> Connection::start_tls() {
  const bool written = co_await flush();
  if (!written) co_return Next::end;
  if (state_.receiver.tls == TlsMode::broken) {
    tally_.tls_failures.add();
    // The client speaks first; an answer before that could pass for part of the reply.
    co_await stream_.read_some({buffer_.get(), buffer_size_}, deadline());
    co_await stream_.write("This is not TLS.\r\n", deadline());
    co_return co_await wait_for_end(deadline());
  }
  if (state_.receiver.tls == TlsMode::stalled) {
    tally_.tls_failures.add();
    co_return co_await wait_for_end(deadline());
  }
  const auto secured =
      co_await stream_.start_tls_server(state_.tls, shared_.clock.steady_now() + kTlsHandshake);
  if (!secured) {
    tally_.tls_failures.add();
    co_return Next::end;
  }
  tally_.tls_sessions.add();
  tls_ = secured->summary();
  session_.tls_started();
  end_transaction();
  co_return Next::go_on;
}

}  // namespace todoku::sink
