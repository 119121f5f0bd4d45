// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/composing_memory.h"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "async/timer.h"
#include "base/check.h"

namespace todoku::delivery::egress {

// One who waits. Lives as long as it, the line or a wake-up on its way knows of it.
struct ComposingMemory::Ticket {
  Ticket(const async::Executor& executor_given, std::size_t octets_given)
      : executor(executor_given), came(executor_given), octets(octets_given) {}

  async::Executor executor;
  async::Signal came;  // only touched on `executor`
  const std::size_t octets;
  std::optional<Share> share;  // with the memory's lock
};

ComposingMemory::ComposingMemory(std::size_t octets) : octets_(octets) {
  check(octets >= 1, "there is memory for mails");
}

Task<std::optional<ComposingMemory::Share>> ComposingMemory::share(std::size_t octets,
                                                                   TrafficClass traffic,
                                                                   SteadyInstant deadline) {
  const std::size_t room = std::min(octets, octets_);
  {
    const std::lock_guard lock(mutex_);
    const bool first = line_of(traffic).empty() && urgent_line_.empty();
    if (first && fits(room)) {
      used_ += room;
      co_return Share(*this, room);
    }
  }
  const auto ticket = std::make_shared<Ticket>(co_await boost::asio::this_coro::executor, room);
  {
    const std::lock_guard lock(mutex_);
    line_of(traffic).push_back(ticket);
  }
  // There may have been room since.
  wake_next();
  co_await ticket->came.wait_until(deadline);
  std::optional<Share> share;
  {
    const std::lock_guard lock(mutex_);
    std::erase(line_of(traffic), ticket);
    share = std::exchange(ticket->share, std::nullopt);
  }
  // Who stood behind may need less.
  if (!share) wake_next();
  co_return share;
}

void ComposingMemory::give_back(std::size_t octets) noexcept {
  {
    const std::lock_guard lock(mutex_);
    used_ -= octets;
  }
  wake_next();
}

void ComposingMemory::wake_next() noexcept {
  while (auto ticket = next()) {
    try {
      boost::asio::post(ticket->executor, [ticket] { ticket->came.notify(); });
    } catch (...) {
      // Out of memory: it finds its share at its deadline.
      continue;
    }
  }
}

std::shared_ptr<ComposingMemory::Ticket> ComposingMemory::next() noexcept {
  const std::lock_guard lock(mutex_);
  Line& line = urgent_line_.empty() ? bulk_line_ : urgent_line_;
  if (line.empty() || !fits(line.front()->octets)) return nullptr;
  auto ticket = std::move(line.front());
  line.pop_front();
  used_ += ticket->octets;
  ticket->share.emplace(*this, ticket->octets);
  return ticket;
}

std::size_t ComposingMemory::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace todoku::delivery::egress
