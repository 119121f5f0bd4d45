// SPDX-License-Identifier: Apache-2.0
// What lanes have learnt of their receivers, beyond their own lives: a lane is forgotten when it
// has nothing to do, and its successor goes on from here. Through the store (store/lane_paces.h) it
// outlives the process and follows a source to who sends from it next.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "delivery/policy/adaptive_pace.h"
#include "store/lane_paces.h"

namespace todoku::delivery {

// Thread-safe.
class PaceMemory {
 public:
  struct Options {
    std::size_t lanes_max = 20'000;  // those noted longest ago are forgotten first
    std::size_t told_max = 500;      // lanes that the store is told of at once
  };

  PaceMemory() : PaceMemory(Options{}) {}
  explicit PaceMemory(Options options) : options_(options) {}

  struct Known {
    policy::RememberedPace pace;
    Microseconds age{};
  };
  [[nodiscard]] std::optional<Known> of(std::string_view source, std::string_view site,
                                        Instant now) const;
  // A lane as it is. Of one that has learnt nothing and is not at work nothing is kept.
  void note(store::LanePace pace);
  // What has changed since it was told, and of lanes that are there still what was told half a
  // minute ago: the store's readers go by when it was noted. Those told longest ago come first, so
  // that each has its turn however many there are; of lanes that were told alike the most telling.
  [[nodiscard]] std::vector<store::LanePace> take_untold();
  // The store did not take them: they come first.
  void not_told(const std::vector<store::LanePace>& paces);
  // From the store. What is known here of later stays.
  void learn(std::vector<store::LanePace> paces);

  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    store::LanePace pace;
    bool untold = false;
    Instant told{};  // when what was told of it was noted
  };
  using Name = std::pair<std::string, std::string>;  // source, site

  void put(Entry entry);
  void make_room();

  const Options options_;
  mutable std::mutex mutex_;
  std::map<Name, Entry> lanes_;
};

// Whether it is worth remembering for long.
[[nodiscard]] bool has_learnt(const store::LanePace& pace);
// What a lane of before hands on to one of now.
[[nodiscard]] policy::RememberedPace remembered_of(const store::LanePace& pace);
// The store's figures for messages a second, and back.
[[nodiscard]] std::int64_t stored_pace(double messages_per_second);
[[nodiscard]] double pace_of_stored(std::int64_t stored);

}  // namespace todoku::delivery
