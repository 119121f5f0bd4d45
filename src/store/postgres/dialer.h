// SPDX-License-Identifier: Apache-2.0
// Makes connections, one at a time a process, so that a database that comes back is not run over by
// those who waited for it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/postgres/link.h"

namespace todoku::store::postgres {

// The password for a new connection, asked anew each time: it may have been changed, or be a token
// that lives for minutes.
using Credentials = std::function<Result<std::string>()>;

struct DialOptions {
  // As libpq takes it: a URI, or name=value pairs. Several hosts may be named: of those that take
  // writes the one that was reached last is tried first.
  std::string address;
  Credentials password;             // empty: what the address says, or none
  Milliseconds connect_max{3'000};  // for each host
};

class Dialer {
 public:
  explicit Dialer(DialOptions options) : options_(std::move(options)) {}

  // A connection to a server that takes writes. If the password is refused it is asked for once
  // more. Nothing is waited for beyond `until`. unavailable: the sentence says why.
  [[nodiscard]] Result<std::unique_ptr<Link>> dial(SteadyInstant until = SteadyInstant::max());
  // The host that `link` leads to is to be tried after the others: it has fallen silent, or another
  // has taken over from it. True if another is tried first now.
  bool turn_away(const Link& link);
  // Whoever dials is told unavailable at once, from now on.
  void stop() { stopped_ = true; }

 private:
  struct Address;
  struct Attempt;
  [[nodiscard]] Result<std::unique_ptr<Link>> dial_host(const Address& address, std::size_t host,
                                                        SteadyInstant until);
  [[nodiscard]] Result<Attempt> attempt(const Address& address, std::size_t host,
                                        SteadyInstant until);

  const DialOptions options_;
  std::mutex one_at_a_time_;
  std::atomic<std::size_t> first_{0};  // of the hosts: which is tried first
  std::atomic<std::size_t> hosts_{1};  // how many there are
  std::atomic<bool> stopped_{false};
};

// Of an error of dial(): the server has no room for one more connection, or for one of ours
// (53300).
[[nodiscard]] bool is_full(const Error& error);
// It does not take the password (28P01, 28000), which may be on its way of being changed.
[[nodiscard]] bool is_refused(const Error& error);

// Before the next try, after `failures` in a row: anything up to twice as long as the last time
// ("full jitter"), so that many processes do not come at once. `random`: of [0, 1).
[[nodiscard]] Milliseconds wait_before_dialing(int failures, double random);

}  // namespace todoku::store::postgres
