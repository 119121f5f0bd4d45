// SPDX-License-Identifier: Apache-2.0
// From which sources this process may send: in a cluster a source is one courier's at a time, or
// what a receiver sees of it would go beyond its limits (store/cluster.h). policy/source_watch.h
// decides; here the store is asked and told.
//
// What is owned hangs on this process's lease like batches do: whether something may be begun now,
// NodeLease::holds() says; when the process counted as dead, nothing is owned.
//
// Every courier says on its node's row from what it could send, and who has the most hands over to
// who has the fewest (policy/source_balance.h).
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "delivery/node_lease.h"
#include "delivery/options.h"
#include "delivery/policy/source_watch.h"
#include "store/store.h"

namespace todoku::delivery {

// Thread-safe.
class OwnedSources {
 public:
  virtual ~OwnedSources() = default;
  // Names, in the order in which they are configured.
  [[nodiscard]] virtual std::vector<std::string> owned() const = 0;
  // `changed` is called after owned() has changed, on any thread, and must not block. Set before
  // anything runs; an empty one ends it, and is not called any more after that.
  virtual void listen(std::function<void()> changed) = 0;
};

// The only courier there is: everything configured, always.
class AllSources final : public OwnedSources {
 public:
  explicit AllSources(std::vector<std::string> names) : names_(std::move(names)) {}
  [[nodiscard]] std::vector<std::string> owned() const override { return names_; }
  void listen(std::function<void()> /*changed*/) override {}

 private:
  const std::vector<std::string> names_;
};

// Takes the configured sources as they become free, one at a time, so that couriers that begin
// together share them; a courier that finds none waits as hot standby.
class SourceKeeper final : public OwnedSources {
 public:
  struct Options {
    std::vector<EgressSource> sources;  // everything configured
    // Whether a source can be sent from here: its addresses are this host's. Asked every few
    // seconds on the keeper's thread. Where a host's own addresses are not what the world sees, as
    // on EC2, whoever gives the question asks the metadata service besides. Empty: is_on_host().
    std::function<bool(const EgressSource&)> is_here;
    // Whether something of a source that is owned no more is still on its way: it is given up only
    // then, or after a node's lease. Empty: nothing ever is.
    std::function<bool(std::string_view source)> in_use;
  };
  // Lives on `executor`. Everything given outlives it.
  SourceKeeper(store::Store& store, const NodeLease& node, Options options, const Clock& clock,
               Metrics& metrics, async::Executor executor);

  // Takes sources from now on.
  void start();
  // Owns nothing any more and gives all up, so that others may begin at once. What is sent from
  // them must have ended before. On the executor, once; before the node leaves.
  Task<void> stop();

  [[nodiscard]] std::vector<std::string> owned() const override;
  void listen(std::function<void()> changed) override;

 private:
  Task<void> run();
  Task<Result<Milliseconds>> turn();
  Task<Result<void>> offer(store::NodeKey itself,
                           const std::vector<policy::SourceWatch::Configured>& here);
  Task<Result<std::vector<policy::SourceSeen>>> ask();
  Task<Result<void>> give(store::NodeKey itself, std::string name);
  Task<Result<Milliseconds>> take(store::NodeKey itself, std::string name);
  [[nodiscard]] std::vector<policy::SourceWatch::Configured> configured() const;
  void publish(std::vector<std::string> owned, store::NodeKey as);

  store::Store& store_;
  const NodeLease& node_;
  const Options options_;
  const Clock& clock_;
  policy::SourceWatch watch_{store::kNodeLease};
  std::vector<std::string> offered_;  // what the store knows of us
  store::NodeKey offered_as_ = store::kNobody;
  std::optional<SteadyInstant> couriers_asked_;
  bool stopping_ = false;
  Trouble asking_{log::Level::warning, "whose the sending addresses are cannot be asked",
                  "whose the sending addresses are can be asked again"};
  Counter& taken_total_;
  Gauge& owned_gauge_;
  mutable std::mutex mutex_;  // guards what follows
  std::vector<std::string> owned_;
  store::NodeKey as_ = store::kNobody;  // which node owns them
  std::mutex listening_;                // guards what follows; held while it is called
  std::function<void()> changed_;
  async::Executor executor_;
  async::Signal wake_;
  async::TaskGroup tasks_;
};

// An owner as the rules of policy/source_watch.h take it.
[[nodiscard]] inline policy::SourceSeen seen_of(const store::SourceOwner& owner) {
  return {.source = owner.source,
          .node = static_cast<std::int64_t>(owner.node),
          .left = owner.left,
          .until = owner.until,
          .is_void = owner.is_void};
}

// Every address of the source's own is an address of this host; a source without one needs none.
[[nodiscard]] bool is_on_host(const EgressSource& source);

}  // namespace todoku::delivery
