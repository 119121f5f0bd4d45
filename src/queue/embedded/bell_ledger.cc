// SPDX-License-Identifier: Apache-2.0
#include "queue/embedded/bell_ledger.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include <fmt/format.h>

namespace todoku::queue {
namespace {

// A receipt names the bell and which reception of it this is: "17.3".
struct ReceiptParts {
  std::uint64_t id = 0;
  std::uint32_t times = 0;
};

Receipt make_receipt(ReceiptParts parts) {
  return Receipt{fmt::format("{}.{}", parts.id, parts.times)};
}

std::optional<ReceiptParts> parse(const Receipt& receipt) {
  ReceiptParts parts;
  const char* const end = receipt.handle.data() + receipt.handle.size();
  const auto [dot, bad_id] = std::from_chars(receipt.handle.data(), end, parts.id);
  if (bad_id != std::errc() || dot == end || *dot != '.') return std::nullopt;
  const auto [rest, bad_times] = std::from_chars(dot + 1, end, parts.times);
  if (bad_times != std::errc() || rest != end) return std::nullopt;
  return parts;
}

}  // namespace

bool BellLedger::send(std::span<const Bell> bells, SteadyInstant now) {
  if (bells.size() > capacity_ - entries_.size()) return false;
  for (const Bell& bell : bells) {
    const std::uint64_t id = next_id_++;
    entries_.emplace(id, Entry{.bell = bell, .at = now});
    ready_.emplace(now, id);
  }
  return true;
}

std::vector<ReceivedBell> BellLedger::receive(std::size_t max, SteadyInstant now) {
  pass_time(now);
  std::vector<ReceivedBell> received;
  while (received.size() < max && !ready_.empty()) {
    const auto entry = entries_.find(ready_.begin()->second);
    move(entry, State::held, now + visibility_);
    const std::uint32_t times = ++entry->second.times;
    received.push_back({.bell = entry->second.bell,
                        .receipt = make_receipt({.id = entry->first, .times = times}),
                        .times = times});
  }
  return received;
}

void BellLedger::acknowledge(const Receipt& receipt) {
  const auto entry = find(receipt);
  if (entry == entries_.end()) return;
  order_of(entry->second.state).erase({entry->second.at, entry->first});
  if (entry->second.state == State::delayed) --delayed_;
  entries_.erase(entry);
}

void BellLedger::release(const Receipt& receipt, Milliseconds delay, SteadyInstant now) {
  pass_time(now);
  const auto entry = find(receipt);
  if (entry == entries_.end() || entry->second.state != State::held) return;
  delay = std::min(delay, kDelayMax);
  if (delay <= Milliseconds(0)) {
    move(entry, State::ready, now);
  } else {
    move(entry, State::delayed, now + delay);
  }
}

Depth BellLedger::depth(SteadyInstant now) {
  pass_time(now);
  Depth depth{.ready = ready_.size(), .held = waiting_.size() - delayed_, .delayed = delayed_};
  if (!ready_.empty()) {
    depth.oldest_ready_age = std::chrono::floor<Milliseconds>(now - ready_.begin()->first);
  }
  return depth;
}

std::optional<SteadyInstant> BellLedger::next_ready_at() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->first;
}

BellLedger::Entries::iterator BellLedger::find(const Receipt& receipt) {
  const auto parts = parse(receipt);
  if (!parts) return entries_.end();
  const auto entry = entries_.find(parts->id);
  if (entry == entries_.end() || entry->second.times != parts->times) return entries_.end();
  return entry;
}

void BellLedger::move(Entries::iterator entry, State state, SteadyInstant at) {
  Entry& moved = entry->second;
  order_of(moved.state).erase({moved.at, entry->first});
  if (moved.state == State::delayed) --delayed_;
  moved.state = state;
  moved.at = at;
  order_of(state).emplace(at, entry->first);
  if (state == State::delayed) ++delayed_;
}

void BellLedger::pass_time(SteadyInstant now) {
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    const auto [due, id] = *waiting_.begin();
    move(entries_.find(id), State::ready, due);
  }
}

}  // namespace todoku::queue
