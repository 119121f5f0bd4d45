// SPDX-License-Identifier: Apache-2.0
#include "sim/network.h"

#include <array>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <sys/socket.h>

#include "async/timer.h"
#include "base/check.h"

namespace todoku::sim {

Task<Result<net::Stream>> Line::dial(net::Endpoint remote, net::DialOptions options,
                                     SteadyInstant deadline) {
  if (cut_) co_return fail(ErrorKind::unavailable, "connect: no network");
  const SteadyInstant dialled = network_.clock().steady_now();
  Receiver* receiver = network_.find(remote.address);
  const Caller caller{run_, options.local_address ? options.local_address->to_string() : ""};
  Receiver::Token token;
  Receiver::Welcome welcome{Receiver::Answer::silent, {}};
  if (receiver != nullptr) {
    token = receiver->count_connection(caller);
    welcome = receiver->welcome();
  }
  const Microseconds patience = deadline - dialled;
  const bool in_time = welcome.answer != Receiver::Answer::silent && welcome.after < patience;
  const bool awake = co_await async::sleep_for(in_time ? welcome.after : patience);
  if (!awake) co_return fail(ErrorKind::cancelled, "connect: cancelled");
  if (cut_) co_return fail(ErrorKind::unavailable, "connect: no network");
  if (!in_time) co_return fail(ErrorKind::timeout, "connect: timed out");
  if (welcome.answer == Receiver::Answer::refused) {
    co_return fail(ErrorKind::closed, "connect: connection refused");
  }
  std::array<int, 2> ends{};
  const int made =
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data());
  check(made == 0, "the machine has file descriptors left for a simulation");
  const async::Executor executor = co_await boost::asio::this_coro::executor;
  receiver->serve(ends[1], caller, dialled);
  co_return net::Stream::adopt(executor, ends[0], std::move(token));
}

}  // namespace todoku::sim
