// SPDX-License-Identifier: Apache-2.0
// Openings that were seen and not told to the store yet: in memory, bounded, so that requests for
// images, which anybody can send, cost neither a commit each nor memory without end. What finds no
// room is dropped and counted.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "store/opens.h"

namespace todoku::events::opens {

// Of a recipient, readers and prefetchers apart.
struct Sighting {
  store::AccountKey account{};
  store::RecipientKey recipient;
  store::OpenedBy by = store::OpenedBy::reader;
};

// Thread-safe.
class SeenOpens {
 public:
  struct Bounds {
    std::size_t waiting_max = 10'000;  // of one account as many as there is room left for others
    std::size_t quiet_max = 50'000;
  };
  enum class Taken : std::uint8_t {
    waits,     // for the store
    repeated,  // the same waits, or counted within the hour
    dropped,   // no room
  };

  SeenOpens() : SeenOpens(Bounds{}) {}
  explicit SeenOpens(Bounds bounds) : bounds_(bounds) {}

  Taken add(const Sighting& sighting, SteadyInstant now);

  // What waits, the oldest first, at most so much; it waits on until it is settled.
  [[nodiscard]] std::vector<store::OpenSeen> waiting(std::size_t most, SteadyInstant now) const;
  // What the store answered to the first of them. What it recorded, or does not know, is not asked
  // about for an hour, as far as there is memory for that; the rest for a minute.
  void settle(std::span<const store::OpenSeen> seen, std::span<const store::OpenRecorded> answers,
              SteadyInstant now);

  [[nodiscard]] std::size_t size() const;

 private:
  struct Key {
    store::RecipientKey recipient;
    bool is_prefetch = false;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Waiting {
    Sighting sighting;
    SteadyInstant at{};
    std::uint64_t order = 0;
  };
  [[nodiscard]] static Key key_of(const store::RecipientKey& recipient, store::OpenedBy by) {
    return {recipient, by == store::OpenedBy::prefetch};
  }
  void be_quiet(const Key& key, SteadyInstant until, SteadyInstant now);

  const Bounds bounds_;
  mutable std::mutex mutex_;
  std::map<Key, Waiting> waiting_;
  std::map<std::uint64_t, Key> by_age_;
  std::unordered_map<store::AccountKey, std::size_t> of_account_;
  std::map<Key, SteadyInstant> quiet_;  // until when
  std::uint64_t next_ = 0;
};

}  // namespace todoku::events::opens
