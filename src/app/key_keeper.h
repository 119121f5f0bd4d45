// SPDX-License-Identifier: Apache-2.0
// Moves DKIM keys on that rotate by themselves (operate/key_slots.h), and keeps the platform's zone
// as they say. Any number of processes may do so: one at a time holds the zone's row in the store,
// and each move is made only if nobody else has made one.
//
// A process may die anywhere: what was not stored is done again, and is the same then. The zone is
// told before it is stored that it was.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/key_probe.h"
#include "async/file_pool.h"
#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/secret_box.h"
#include "base/trouble.h"
#include "operate/key_rotation.h"
#include "store/store.h"

namespace todoku::app {

// Lives on one thread.
class KeyKeeper {
 public:
  struct Options {
    operate::ZoneTerms terms;
    operate::SlotPace pace;
    bool writes_file = false;
    Milliseconds hook_most{};
    // No other process can be at work on this store: what one that died held is free at once.
    bool alone = false;
  };
  // Everything outlives it.
  struct World {
    store::Store& store;
    const Clock& clock;
    Metrics& metrics;
    const SecretBox& box;
    async::FilePool& files;
    // Before a round, whose looks are answered anew: several are under way at once.
    std::function<void()> forget_answers;
    std::function<Task<KeysSeen>(KeyLook look)> look;
    // These block.
    std::function<Result<void>(std::string_view text)> write_file;
    std::function<Result<void>(std::string_view update)> run_hook;
    // After a change of what signs: returns when this process knows it.
    std::function<Task<Result<void>>()> changed;
  };
  KeyKeeper(World world, Options options, const async::Executor& executor);

  void start();
  // Returns when nothing of it runs. From any executor.
  Task<void> stop();

  // What is due now, a few dozen domains at most; how many that were.
  Task<Result<std::size_t>> look();

 private:
  struct Round;

  Task<void> run();
  Task<Result<void>> serve(std::vector<store::KeySlotsRow> due);
  // Takes rows of the round until none is left: several do, so that a domain whose servers are
  // silent holds up no other.
  Task<void> serve_some(std::shared_ptr<Round> round);
  // False: the zone's row is another process's now.
  Task<Result<bool>> serve_one(std::shared_ptr<Round> round, store::KeySlotsRow row);
  // A page of what domains have, and where the next one begins; nullopt: it was the last.
  Task<Result<std::vector<store::KeySlotsRow>>> rows_after(
      std::optional<store::DomainPlace>& place);
  // Rows that are looked at later than they have to be: a version that did not watch keys that sign
  // has put them. Once, at the start; of one that cannot be put it is told, and it is tried again
  // later: the others go on. Errors: cancelled; the store has failed for many in a row.
  Task<Result<void>> bring_forward();
  Task<Result<bool>> bring_forward(store::KeySlotsRow row);
  [[nodiscard]] bool is_time_to_bring_forward() const;
  // Of one domain that the others do not wait for.
  void tell_put_off(std::string_view domain, const Error& why);
  // What is the matter with one domain is told, and it is looked at again later: the others go on.
  // Errors: cancelled; what the store has against that.
  Task<Result<void>> put_off(store::AccountKey account, std::string domain, Error why);
  // Until nothing more is due now. False: somebody else has moved it.
  Task<Result<bool>> move_on(operate::SlotsAtHand& at_hand);
  Task<Result<bool>> do_one(operate::SlotsAtHand& at_hand, operate::SlotDue due);
  Task<Result<KeysSeen>> see(const operate::SlotsAtHand& at_hand, std::size_t slot);
  Task<Result<bool>> look_for(operate::SlotsAtHand& at_hand, std::size_t slot);
  // Keys that sign, once more.
  Task<Result<bool>> watch(operate::SlotsAtHand& at_hand, std::size_t slot);
  // What changes with a move: keys that begin to sign, and those that are gone.
  struct Keys {
    std::vector<store::DkimKey> begin{};
    std::vector<store::DkimKey> gone{};
  };
  Task<Result<bool>> put(operate::SlotsAtHand& at_hand, Keys keys);

  Task<Result<void>> tell_zone(std::vector<operate::SlotsAtHand> rows);
  Task<Result<void>> tell_file();
  Task<Result<void>> tell_hook(std::vector<operate::ZoneChange> changes);
  Task<Result<std::string>> whole_body();

  // The zone's row, and with it the zone, is ours for a while; again: renewed where half of that is
  // over, by one while the others go on. False: another process has it, or it may.
  Task<Result<bool>> hold();
  Task<Result<bool>> take_zone(SteadyInstant asked);
  Task<Result<bool>> put_zone(std::optional<Instant> until);
  Task<void> give_up();
  [[nodiscard]] Milliseconds lease() const;

  const World world_;
  const Options options_;
  const std::string name_;                           // of this keeper, of nobody else
  bool is_first_ = true;                             // nothing was told since the start
  bool are_forward_ = false;                         // bring_forward() was, of all
  std::optional<SteadyInstant> brought_forward_at_;  // of some, last
  store::KeySlotsRow zone_row_;
  operate::ZoneState zone_;
  std::optional<SteadyInstant> held_until_;
  bool is_taking_ = false;                   // the zone, at this moment
  std::optional<SteadyInstant> put_off_at_;  // a domain, last
  async::Executor executor_;
  Trouble looking_{log::Level::error, "DKIM keys are not moved on", "DKIM keys are moved on again"};
  Trouble telling_{log::Level::error, "the zone of DKIM keys cannot be written",
                   "the zone of DKIM keys is written again"};
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
