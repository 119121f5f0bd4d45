// SPDX-License-Identifier: Apache-2.0
#include "async/rounds.h"

#include <algorithm>
#include <deque>
#include <vector>

#include <boost/asio/post.hpp>

#include "async/timer.h"
#include "base/check.h"

namespace todoku::async {
namespace {

constexpr auto kAtOnce = TimerClock::time_point::min();
constexpr auto kNotSet = TimerClock::time_point::max();

}  // namespace

struct RoundsState : std::enable_shared_from_this<RoundsState> {
  using Entry = Rounds::Entry;

  RoundsState(Executor executor_given, Rounds::Size size_given)
      : executor(std::move(executor_given)), size(size_given), timer(executor) {}

  // Sees to it that a round comes when it should.
  void consider();
  void run();
  void serve(std::vector<Entry>& round);
  [[nodiscard]] bool company_can_come() const {
    return entries.size() < size.max && entries.size() < members && members >= size.worthwhile;
  }

  const Executor executor;
  const Rounds::Size size;
  SteadyTimer timer;
  TimerClock::time_point timer_set_for = kNotSet;
  bool posted = false;  // run() is
  std::size_t members = 0;
  std::deque<Entry> entries;        // may be as many as members
  std::vector<Entry> round_memory;  // used again
};

Rounds::Rounds(Executor executor, Size size)
    : state_(std::make_shared<RoundsState>(std::move(executor), size)) {
  check(size.max >= 1, "a round has room for one");
}

Rounds::Member::Member(Rounds& rounds) : state_(rounds.state_) {
  ++state_->members;
}

Rounds::Member::~Member() {
  --state_->members;
}

void Rounds::add(Entry entry, Microseconds patience) {
  entry.latest = patience > Microseconds(0) ? TimerClock::now() + patience : kAtOnce;
  state_->entries.push_back(std::move(entry));
  state_->consider();
}

void RoundsState::consider() {
  if (entries.empty() || posted) return;
  const auto latest =
      company_can_come() ? std::ranges::min_element(entries, {}, &Entry::latest)->latest : kAtOnce;
  if (latest == kAtOnce) {
    posted = true;
    boost::asio::post(executor, [state = shared_from_this()] {
      state->posted = false;
      state->run();
    });
    return;
  }
  if (latest >= timer_set_for) return;
  timer_set_for = latest;
  timer.expires_at(latest);
  timer.async_wait([state = shared_from_this()](boost::system::error_code stopped) {
    if (!stopped && !state->posted) state->run();
  });
}

void RoundsState::run() {
  if (timer_set_for != kNotSet) {
    timer_set_for = kNotSet;
    timer.cancel();
  }
  const auto count = static_cast<std::ptrdiff_t>(std::min(entries.size(), size.max));
  std::vector<Entry> round = std::move(round_memory);
  round.assign(std::make_move_iterator(entries.begin()),
               std::make_move_iterator(entries.begin() + count));
  entries.erase(entries.begin(), entries.begin() + count);
  consider();
  serve(round);
  round.clear();
  round_memory = std::move(round);
}

void RoundsState::serve(std::vector<Entry>& round) {
  std::vector<std::exception_ptr> thrown(round.size());
  const auto each = [&](std::move_only_function<void()> Entry::* step) {
    for (std::size_t i = 0; i < round.size(); ++i) {
      if (thrown[i]) continue;
      try {
        (round[i].*step)();
      } catch (...) {
        thrown[i] = std::current_exception();
      }
    }
  };
  each(&Entry::begin);
  each(&Entry::finish);
  for (std::size_t i = 0; i < round.size(); ++i) round[i].go_on(std::move(thrown[i]));
}

}  // namespace todoku::async
