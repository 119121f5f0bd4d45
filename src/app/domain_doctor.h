// SPDX-License-Identifier: Apache-2.0
// Checks what proven domains say in the DNS on a schedule, keeps what was found
// (operate/domain_history.h), and tells by the log and by figures what breaks later and what is
// whole again. Any number of processes may do so: the store gives each check to one of them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "base/trouble.h"
#include "doctor/domain_records.h"
#include "doctor/finding.h"
#include "operate/domain_history.h"
#include "store/store.h"

namespace todoku::app {

// Lives on one thread.
class DomainDoctor {
 public:
  // No domain is checked in full more often, whatever is configured.
  static constexpr Milliseconds kSeldomest = std::chrono::hours(1);

  struct Options {
    Milliseconds every = std::chrono::hours(6);  // between a tenth less and a tenth more
    doctor::Platform platform;
  };
  // What a receiver would find wrong now, and the records as they are; none where no server of the
  // domain has answered.
  struct Examined {
    std::vector<doctor::Finding> findings;
    std::vector<doctor::WantedRecord> records;
  };
  // Errors: nothing can be concluded, because the resolver is
  // dead or lies; the next try is an hour later.
  using Examine = std::function<Task<Result<Examined>>(doctor::DomainWish wish)>;

  // `store`, `clock`, `metrics` and `random` must outlive it.
  struct World {
    store::Store& store;
    Examine examine;
    const Clock& clock;
    Metrics& metrics;
    Random& random;
  };
  DomainDoctor(World world, Options options, const async::Executor& executor);

  void start();
  // Returns when nothing of it runs. From any executor.
  Task<void> stop();

  // Those that are due, two at once, a few dozen at most; how many that were.
  Task<Result<std::size_t>> look();

 private:
  struct Round;
  Task<void> run();
  Task<void> check_some(std::shared_ptr<Round> round);
  Task<Result<void>> check(store::DomainPlace place);
  // Keys that are over (operate/dkim_parts.h), so that their time begins to run whoever comes by.
  Task<Result<void>> note_keys_over(store::DomainPlace place);
  Task<Result<std::vector<operate::DomainChange>>> keep(store::DomainPlace place,
                                                        Examined examined);
  // `signing`: the names of keys that sign.
  Task<void> tell(store::DomainPlace place, std::vector<operate::DomainChange> changes,
                  std::vector<std::string> signing);
  void count(doctor::Outcome outcome);
  [[nodiscard]] Instant next_check(Instant now);

  const World world_;
  const Options options_;
  async::Executor executor_;
  Trouble looking_{log::Level::error, "domains are not checked", "domains are checked again"};
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
