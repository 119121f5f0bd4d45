// SPDX-License-Identifier: Apache-2.0
// What is known of the MTA-STS of domains, for all who send in this process.
//
//   policy() ──known──────────────────────────────> the policy in force, or none
//        │                                              ^
//        └─not known─> the shelf ─> DNS ─> fetch ───────┘   at most `wait_max`, then none; but
//                                                           nothing is said before the shelf
//
// Each of the three has places of its own, so that what hangs in one holds up no other. A fetch to
// an address that has as many as it may gives its place to others and comes again, ever later. What
// is due for another look is looked at beside, while what is known holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "dns/resolver.h"
#include "mailauth/mta_sts/knowledge.h"
#include "sts/fetch_queue.h"
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
    // Those not used for longest leave, but for those that are asked about or waited for now.
    std::size_t domains_max = 50'000;
    std::size_t octets_max = std::size_t{16} << 20U;  // of what is kept of them
    // Under way at a time; more wait.
    std::size_t shelf_max = 64;
    std::size_t looks_max = 256;  // at the DNS
    std::size_t fetches_max = 16;
    std::size_t fetches_of_one_max = 2;  // of domains below one registered domain
    // Until a fetch whose address was busy comes again, twice as long each time; so many times.
    Milliseconds busy_wait{250};
    std::uint8_t busy_times = 6;
    Milliseconds wait_max{10'000};  // of who asks
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
  // The policy to go by now; nullptr: none, or DNS and policy host did not tell in time. `domain`:
  // A-labels in lower case.
  enum class NoWord : std::uint8_t {
    cancelled,      // the task was
    shelf_unasked,  // in time: there may be a policy in force
  };
  using Word = std::expected<PolicyInForce, NoWord>;
  [[nodiscard]] Task<Word> policy(std::string domain);
  // The same of what is known already.
  [[nodiscard]] PolicyInForce peek(std::string_view domain);
  // Why the last fetch of the domain gave no policy; nullopt: it did, or there was none.
  [[nodiscard]] std::optional<mailauth::mta_sts::FetchFailure> failure(std::string_view domain);
  // Mail of the domain failed for its policy: it may have changed.
  void doubt(std::string_view domain);

  // After all who ask; on the executor.
  [[nodiscard]] Task<void> stop();
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
    PolicyInForce in_force;                     // of `known`
    bool from_shelf = false;                    // the shelf has answered
    SteadyInstant shelf_at{};                   // it is not asked before
    bool looking = false;                       // a task is at it, at any of the three
    std::optional<std::string> id_to_fetch;     // of the policy that waits in to_fetch_
    std::uint8_t was_busy = 0;                  // times that its address was, one after the other
    std::set<std::shared_ptr<Waiter>> waiters;  // each leaves by itself
    std::size_t octets = 0;
    std::list<std::string>::iterator age;
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Entries = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;

  Entry& entry_locked(const std::string& domain);
  // For so many more; what waits for a fetch and for nobody goes as well.
  void make_room_locked(std::size_t more);
  // What is known has changed: who waits and can go on is woken.
  void learnt_locked(const std::string& domain, Entry& entry, Instant now);
  // Begins to ask the shelf, or the DNS, where that is due and there is room for it.
  void look_if_due_locked(const std::string& domain, Entry& entry, Instant now);
  void fetch_next_locked();
  static void wake(const Entry& entry);
  // A task has ended: who still waits looks for himself.
  Entry& landed_locked(const std::string& domain);
  void leave(const std::string& domain, const std::shared_ptr<Waiter>& waiter);
  // Of a fetch whose address was busy: how long it waits; nullopt: it has come often enough.
  [[nodiscard]] std::optional<Milliseconds> wait_for_address_locked(Entry& entry) const;
  [[nodiscard]] Counter& failed_total(mailauth::mta_sts::Fault fault);
  [[nodiscard]] Task<void> ask_shelf(std::string domain);
  [[nodiscard]] Task<void> look(std::string domain);
  [[nodiscard]] Task<void> fetch(std::string domain, std::string id);

  const World world_;
  const Options options_;
  Counter& fetched_total_;
  Counter& fetch_errors_total_;
  Counter& invalid_total_;
  Counter& unproven_total_;
  Counter& gone_without_total_;
  Trouble shelf_trouble_{log::Level::warning, "MTA-STS policies cannot be kept",
                         "MTA-STS policies are kept again"};

  mutable std::mutex mutex_;
  Entries entries_;
  std::list<std::string> by_use_;  // most recently used first
  std::size_t octets_ = 0;
  std::size_t at_shelf_ = 0;  // tasks under way
  std::size_t looks_ = 0;     // likewise
  FetchQueue to_fetch_;       // those with an `id_to_fetch`
  bool stopping_ = false;
  async::TaskGroup looking_;
};

}  // namespace todoku::sts
