// SPDX-License-Identifier: Apache-2.0
// What receiving sites offered and stumbled over, remembered for a while, so that only the first
// mail meets it: BDAT that is refused, commands that are lost when they come together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace todoku::delivery::policy {

// What a site is not to be sent.
struct Avoided {
  bool pipelining = false;
  bool chunking = false;

  [[nodiscard]] bool any() const { return pipelining || chunking; }
  friend bool operator==(const Avoided&, const Avoided&) = default;
};

// How we know.
enum class Evidence : std::uint8_t {
  said,      // the receiver refused it in an answer
  inferred,  // the connection ended, or answers did not come: it may have had another reason
};

// One for all lanes. Not thread-safe.
class SiteHabits {
 public:
  struct Options {
    std::size_t sites_max = 10'000;  // what was learnt first is forgotten first
    std::chrono::seconds said_for = std::chrono::hours(24);
    std::chrono::seconds inferred_for = std::chrono::hours(2);
  };

  SiteHabits() : SiteHabits(Options{}) {}
  explicit SiteHabits(Options options) : options_(options) {}

  // True if that is news.
  bool learn(std::string_view site, const Avoided& avoided, Evidence evidence, SteadyInstant now);
  [[nodiscard]] Avoided avoided(std::string_view site, SteadyInstant now) const;
  [[nodiscard]] std::size_t size() const { return sites_.size(); }

 private:
  struct Habit {
    SteadyInstant learnt{};
    SteadyInstant no_pipelining_until{};
    SteadyInstant no_chunking_until{};
  };

  void make_room(SteadyInstant now);

  const Options options_;
  std::map<std::string, Habit, std::less<>> sites_;
};

}  // namespace todoku::delivery::policy
