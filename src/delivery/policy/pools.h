// SPDX-License-Identifier: Apache-2.0
// Which source of a pool sends a batch.
//
// Intuition (rendezvous hashing, Thaler and Ravishankar 1996): every source draws a number for the
// batch, and the highest wins. A batch keeps its source from try to try, which greylisting
// remembers; when a source goes, only its own batches move, to all others evenly; when it comes
// back they return.
//
// With weights (weighted rendezvous hashing, Schindelhauer and Schomaker 2005): of u, drawn evenly
// from 0 to 1, a source's bid is -ln(u) / weight, and the lowest wins. It gets its share of the
// batches, and when a weight changes, only those move that it must gain or lose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mail/labels.h"
#include "mail/states.h"

namespace todoku::delivery::policy {

// The place of the source in `live` that sends batch `batch` of `delivery`; nullopt if there is
// none. Names decide, not places: any order and any node answers the same.
[[nodiscard]] std::optional<std::size_t> choose_source(std::span<const std::string> live,
                                                       std::int64_t delivery, std::uint32_t batch);

// What is configured of a source as one of a pool.
struct PoolMember {
  std::string name;
  std::uint32_t weight = 1;            // 0: only where there is no other
  std::optional<TrafficClass> only{};  // mail of this class alone; nullopt: of any
};

// A pool that rules choose by name.
struct NamedPool {
  std::string name;
  std::vector<std::string> sources;
};

// What is known of a mail before it has a way.
struct Sender {
  std::string_view account;  // its name
  TrafficClass traffic = TrafficClass::transactional;
  Purpose purpose = Purpose::transactional;  // never by_type
  std::string_view from_domain;              // sender_domain() of From
};

// Which mail goes by a pool: what every condition fits. The first rule that fits decides.
struct PoolRule {
  std::string pool;
  std::string account{};                  // its name; empty: any
  std::optional<TrafficClass> traffic{};  // nullopt: any
  std::optional<Purpose> purpose{};       // likewise
  std::string from_domain{};              // likewise, "*.x": everything below x; empty: any
};

[[nodiscard]] bool fits(const PoolRule& rule, const Sender& sender);
// Of an address, as rules name it: A-labels, lower case.
[[nodiscard]] std::string sender_domain(std::string_view address);

// Mail that the same sources send: it goes on as long as one of them does.
struct SharedMail {
  std::vector<std::string> sources;
  bool is_open = false;  // a source that is not configured sends it as well
  friend bool operator==(const SharedMail&, const SharedMail&) = default;
};

// The pools of the two classes of traffic. A class for which sources are reserved is sent from
// these alone, and waits while none of them lives: its fate is not shared. Other classes share what
// is reserved for nobody. Within a named pool the same holds of its sources. What no rule fits goes
// by the sources that are in no named pool, and by all where there are none. Not apart: named pools
// are one queue to the scheduler, so thousands of transactional batches at a domain whose pool has
// no source hide those behind them (kBatchesLookedAt in scheduler/dispatcher.h). Immutable, so safe
// to share.
class Pools {
 public:
  // The place of a pool; kRest: of what no rule fits.
  using Place = std::size_t;
  static constexpr Place kRest = 0;

  Pools() = default;
  // A name that is not among them counts as an ordinary member. Without any source for a class all
  // of them are.
  explicit Pools(std::vector<PoolMember> members);
  // A rule whose pool is not among `named`, and a pool's source that is not among `members`, count
  // as not written.
  Pools(std::vector<PoolMember> members, std::vector<NamedPool> named, std::vector<PoolRule> rules);

  // Whether it matters who sends, and whether the account's name does.
  [[nodiscard]] bool asks_for_sender() const { return !rules_.empty(); }
  [[nodiscard]] bool asks_for_account() const;
  [[nodiscard]] Place pool_of(const Sender& sender) const;
  [[nodiscard]] std::size_t size() const { return pools_.size(); }
  // Empty for kRest.
  [[nodiscard]] const std::string& name_of(Place pool) const { return pools_[pool].name; }

  // As choose_source(), of those live sources of the pool that send the class.
  [[nodiscard]] std::optional<std::size_t> choose(std::span<const std::string> live, Place pool,
                                                  TrafficClass traffic, std::int64_t delivery,
                                                  std::uint32_t batch) const;
  [[nodiscard]] std::optional<std::size_t> choose(std::span<const std::string> live,
                                                  TrafficClass traffic, std::int64_t delivery,
                                                  std::uint32_t batch) const {
    return choose(live, kRest, traffic, delivery, batch);
  }

  // Of each pool and class who sends it; the same sources stand there once.
  [[nodiscard]] std::vector<SharedMail> shared_mail() const;

 private:
  struct Pool {
    std::string name;
    std::vector<PoolMember> members;
    bool open = false;   // a source that is not among them is an ordinary one
    bool plain = false;  // all weigh the same and send everything, whoever they are
  };
  struct PlacedRule {
    PoolRule rule;
    Place pool = kRest;
  };
  [[nodiscard]] static const PoolMember* find(const Pool& pool, std::string_view name);
  [[nodiscard]] static bool sends(const Pool& pool, const PoolMember* member, TrafficClass traffic);

  std::vector<Pool> pools_{{.name = {}, .members = {}, .open = true, .plain = true}};
  std::vector<PlacedRule> rules_;
};

// Names a lane (site and source) in ledgers that go by one name.
[[nodiscard]] std::string lane_name(std::string_view site, std::string_view source);

}  // namespace todoku::delivery::policy
