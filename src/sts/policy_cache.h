// SPDX-License-Identifier: Apache-2.0
// What is known of the MTA-STS of domains, for all who send in this process.
//
//   policy() ──known──────────────────────────────> the policy in force, or none
//        │                                              ^
//        └─not known─> the shelf ─> DNS ─> fetch ───────┘   at most `wait_max`, then none
//
// What is due for another look is looked at beside, while what is known holds.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "dns/resolver.h"
#include "mailauth/mta_sts/knowledge.h"
#include "sts/policy_fetch.h"

namespace todoku::sts {

// A policy in force and the domain that it is of; shared and immutable.
struct DomainPolicy {
  std::string domain;
  mailauth::mta_sts::Policy policy;
};
using PolicyInForce = std::shared_ptr<const DomainPolicy>;

// Where policies outlive the process.
class PolicyShelf {
 public:
  using Held = mailauth::mta_sts::HeldPolicy;
  virtual ~PolicyShelf() = default;
  // nullopt: nothing is kept of the domain.
  [[nodiscard]] virtual Task<Result<std::optional<Held>>> find(std::string domain) = 0;
  [[nodiscard]] virtual Task<Result<void>> keep(std::string domain, Held held) = 0;
};

// Thread-safe, but for stop().
class PolicyCache {
 public:
  struct Options {
    std::size_t domains_max = 50'000;                 // those not used for longest leave
    std::size_t octets_max = std::size_t{16} << 20U;  // of what is kept of them
    std::size_t looks_max = 256;                      // under way; more wait
    std::size_t fetches_max = 16;                     // of these
    Milliseconds wait_max{10'000};                    // of who asks
  };
  // All of it outlives the cache. `shelf`: nullptr for none.
  struct World {
    dns::Resolver& resolver;
    PolicyFetch& fetch;
    PolicyShelf* shelf = nullptr;
    const Clock& clock;
    Metrics& metrics;
    async::Executor executor;  // on which it looks
  };

  PolicyCache(World world, Options options);

  // policy() will not wait.
  [[nodiscard]] bool is_known(std::string_view domain);
  // Looks if need be, and does not wait for it.
  void ask(const std::string& domain);
  // The policy to go by now; nullptr: none, or nothing was known in time. nullopt: the task was
  // cancelled. `domain`: A-labels in lower case.
  [[nodiscard]] Task<std::optional<PolicyInForce>> policy(std::string domain);
  // The same of what is known already.
  [[nodiscard]] PolicyInForce peek(std::string_view domain);
  // Why the last fetch of the domain gave no policy; nullopt: it did, or there was none.
  [[nodiscard]] std::optional<mailauth::mta_sts::FetchFailure> failure(std::string_view domain);
  // Mail of the domain failed for its policy: it may have changed.
  void doubt(std::string_view domain);

  // After all who ask; on the executor.
  [[nodiscard]] Task<void> stop() { return looking_.stop(); }
  [[nodiscard]] std::size_t size() const;

 private:
  // Who waits, on an executor of its own.
  struct Waiter {
    explicit Waiter(const async::Executor& at) : executor(at), signal(at) {}
    async::Executor executor;
    async::Signal signal;
  };
  struct Entry {
    mailauth::mta_sts::Knowledge known;
    PolicyInForce in_force;   // of `known`
    bool from_shelf = false;  // the shelf was asked
    bool looking = false;
    std::vector<std::shared_ptr<Waiter>> waiters;
    std::size_t octets = 0;
    std::list<std::string>::iterator age;
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Entries = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;

  Entry& entry_locked(const std::string& domain);
  void make_room_locked();
  // What is known has changed: who waits and can go on is woken.
  void learnt_locked(const std::string& domain, Entry& entry, Instant now);
  // Begins a look where one is due and there is room for it.
  void look_if_due_locked(const std::string& domain, Entry& entry, Instant now);
  [[nodiscard]] Task<void> look(std::string domain);
  [[nodiscard]] Task<void> look_and_fetch(std::string domain);
  [[nodiscard]] Task<void> ask_shelf(std::string domain);
  [[nodiscard]] Task<bool> fetch_place();
  void looked_locked(const std::string& domain);

  const World world_;
  const Options options_;
  Counter& fetched_total_;
  Counter& failed_total_;
  Counter& gone_without_total_;
  Trouble shelf_trouble_{log::Level::warning, "MTA-STS policies cannot be kept",
                         "MTA-STS policies are kept again"};

  mutable std::mutex mutex_;
  Entries entries_;
  std::list<std::string> by_use_;  // most recently used first
  std::size_t octets_ = 0;
  std::size_t looks_ = 0;    // under way
  std::size_t fetches_ = 0;  // on the executor alone
  async::TaskGroup looking_;
};

}  // namespace todoku::sts
