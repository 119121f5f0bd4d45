// SPDX-License-Identifier: Apache-2.0
#include "sim/receiver.h"

#include <algorithm>

#include "base/digest.h"
#include "sim/receiver_session.h"

namespace todoku::sim {

std::string code_of(std::string_view address) {
  return fmt::format("code-{:016x}-end", fnv1a64(address));
}

Receiver::Receiver(async::Executor executor, const SimClock& clock, Trace& trace,
                   const SiteScript& script, std::uint64_t seed)
    : clock_(clock), trace_(trace), script_(script), random_(seed), tasks_(std::move(executor)) {}

bool Receiver::troubled_by(Trouble trouble) const {
  const Microseconds now = clock_.elapsed();
  return std::ranges::any_of(script_.outages, [&](const Outage& outage) {
    return outage.trouble == trouble && outage.from <= now && now < outage.until;
  });
}

Receiver::Welcome Receiver::welcome() {
  if (troubled_by(Trouble::never_connects)) return {Answer::silent, {}};
  const Answer answer =
      troubled_by(Trouble::refuses_connections) ? Answer::refused : Answer::connected;
  return {answer, script_.latency};
}

Receiver::Token Receiver::count_connection(const Caller& caller) {
  const std::uint32_t now = ++connections_[caller];
  std::uint32_t& most = connections_most_[caller];
  most = std::max(most, now);
  return {&connections_, [this, caller](const void*) { --connections_[caller]; }};
}

std::uint32_t Receiver::connections(unsigned run) const {
  std::uint32_t sum = 0;
  for (const auto& [caller, count] : connections_) {
    if (caller.run == run) sum += count;
  }
  return sum;
}

void Receiver::serve(int socket, Caller caller, SteadyInstant dialled) {
  tasks_.spawn("receiver",
               Session::run(*this, socket, std::move(caller), dialled, next_session_++));
}

void Receiver::cut(unsigned run) {
  for (Session* session : sessions_) session->cut(run);
}

}  // namespace todoku::sim
