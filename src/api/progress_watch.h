// SPDX-License-Identifier: Apache-2.0
// How far a delivery is, for those who watch it in a stream (event_stream.h): looked at once a
// second at most however many they are, and not at all while nobody is there. What was seen lately
// is kept as long as somebody watches: speed and time to go are made of it (operate/time_to_go.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/progress.h"
#include "async/task.h"
#include "base/clock.h"
#include "operate/time_to_go.h"
#include "store/domain_counts.h"

namespace todoku::api {

class Api;

// What there is to tell of a delivery; of another number than before where it has changed.
struct ToldProgress {
  std::uint64_t number = 0;                 // 0: nothing is known yet
  std::shared_ptr<const std::string> json;  // an object
  bool ended = false;                       // and nothing more will come
};

// Of one delivery. Thread-safe.
class ProgressWatch {
 public:
  ProgressWatch(Api& api, store::Delivery delivery);

  // The latest. The first who asks after a second has gone by looks for all; the others are told
  // what there is. A store that does not answer changes nothing.
  [[nodiscard]] Task<ToldProgress> look();

 private:
  struct Seen;
  [[nodiscard]] Task<Result<Seen>> see();
  // Into which domains' mail goes, once it does not change any more.
  [[nodiscard]] Task<void> count_domains(const store::Delivery& delivery);
  [[nodiscard]] operate::SiteTotals totals_at(const operate::DoneSoFar& done) const;
  void tell(const Seen& seen);
  void tell_deleted();
  void put(std::string members, Instant now, bool ended);
  [[nodiscard]] bool may_look(SteadyInstant now);

  Api& api_;
  const store::Delivery delivery_;  // as it was when somebody came first

  // Of who looks, one at a time.
  operate::TimeToGo time_;
  std::vector<store::DomainCount> domains_;
  std::int64_t domains_of_ = -1;  // recipients, when they were counted
  std::string members_;           // that were told last

  std::mutex mutex_;  // guards what follows
  bool looking_ = false;
  SteadyInstant look_at_{};
  ToldProgress told_;
};

// Thread-safe. At most as many as there are streams.
class ProgressWatches {
 public:
  explicit ProgressWatches(Api& api) : api_(api) {}
  // Shared with whoever watches the same one.
  [[nodiscard]] std::shared_ptr<ProgressWatch> watch(const store::Delivery& delivery);

 private:
  Api& api_;
  std::mutex mutex_;
  std::map<store::DeliveryKey, std::weak_ptr<ProgressWatch>> watches_;
};

}  // namespace todoku::api
