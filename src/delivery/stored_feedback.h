// SPDX-License-Identifier: Apache-2.0
// Feedback where scheduler and couriers are several processes: through the store's news, unless the
// scheduler of this process leads, who is told in memory as where there is one process only.
//
//   couriers ──> leads here ──────────────────────────────> MemoryFeedback ──> scheduler
//            └─> gathered, 200 ms ──> store.tell_news            ^
//                                     store.news ──while it leads┘
//
// What cannot be written is dropped: the scheduler asks the store about what it hears nothing of.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "delivery/feedback.h"
#include "delivery/known_sites.h"
#include "delivery/leadership.h"
#include "delivery/news_text.h"
#include "delivery/node_lease.h"
#include "store/store.h"

namespace todoku::delivery {

// Thread-safe but for start() and stop().
class StoredFeedback final : public Feedback {
 public:
  struct Options {
    bool listens = true;  // there is a scheduler in this process
    Milliseconds gather = std::chrono::milliseconds(200);
    // From one look for news to the next, while this process leads.
    Milliseconds look_soon = std::chrono::milliseconds(50);
    Milliseconds look_late = std::chrono::seconds(1);
  };

  // Lives on `executor`. `site_of`: what the couriers of this process know. Everything given
  // outlives it.
  StoredFeedback(store::Store& store, const NodeLease& node, const Leads& leads,
                 MemoryFeedback::SiteOf site_of, const Clock& clock, Metrics& metrics,
                 async::Executor executor, Options options);
  ~StoredFeedback() override;

  void start();
  // Writes what is gathered, as far as the store takes it now. On its executor.
  Task<void> stop();

  void progressed(std::vector<BatchProgress> progress) override;
  void rests(LaneRest rest) override;
  void routed(std::string_view domain, std::string_view site) override;
  void listen(std::function<void()> news_arrived) override {
    here_.listen(std::move(news_arrived));
  }
  [[nodiscard]] News take() override { return here_.take(); }
  [[nodiscard]] std::string site_of(std::string_view domain) const override;

 private:
  Task<void> tell();
  Task<void> write();
  Task<void> hear();
  // Whether there was anything.
  Task<Result<bool>> look();
  void take_in(const std::string& text);
  void gathered_locked();
  [[nodiscard]] ToldNews take_gathered();

  store::Store& store_;
  const NodeLease& node_;
  const Leads& leads_;
  const MemoryFeedback::SiteOf known_here_;
  const Clock& clock_;
  const Options options_;
  MemoryFeedback here_;

  mutable std::mutex mutex_;  // guards what follows, up to the blank line
  std::map<store::BatchKey, BatchProgress> progress_;
  // By site, source and whether it is the source that is not wanted.
  std::map<std::tuple<std::string, std::string, bool>, LaneRest> rests_;
  std::vector<std::pair<std::string, std::string>> routed_;
  bool posted_ = false;
  KnownSites told_;  // to others, since a while
  SteadyInstant told_since_{};
  KnownSites heard_;  // from others

  std::set<std::int64_t> read_;  // and not dropped yet
  Trouble telling_{log::Level::warning, "news for the scheduler not written",
                   "news for the scheduler is written again"};
  Trouble hearing_{log::Level::warning, "news of couriers not read",
                   "news of couriers is read again"};
  Counter& dropped_total_;
  async::Executor executor_;
  async::Signal something_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::delivery
