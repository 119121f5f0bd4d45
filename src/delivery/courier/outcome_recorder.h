// SPDX-License-Identifier: Apache-2.0
// Brings outcomes from the connections to the store, in groups: while one group commits, the next
// collects, and under load a commit waits until it is worth its price. What is collected or
// committing is `unrecorded`: known here, unknown after a crash, which would send it again
// (promise 3).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "async/callback.h"
#include "async/task.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "delivery/feedback.h"
#include "delivery/node_lease.h"
#include "delivery/options.h"
#include "delivery/policy/site_rules.h"
#include "delivery/work.h"
#include "mail/sandbox.h"
#include "store/store.h"

namespace todoku::delivery::courier {

// Hears how mail ends that came by SMTP, for its credential.
class RelayedOutcomes {
 public:
  virtual ~RelayedOutcomes() = default;
  // Once for each recipient that was delivered or has bounced, as soon as it is known, before it is
  // committed. Any thread; must not block.
  virtual void ended(std::string_view credential, Cause cause) = 0;
};

// Hears how each attempt at a domain ended, for what it says of TLS.
class TlsOutcomes {
 public:
  virtual ~TlsOutcomes() = default;
  // As RelayedOutcomes, of every recipient of whom something was recorded. `domain` is the
  // recipient's.
  virtual void tried(std::string_view domain, const Outcome& outcome, const Path& path) = 0;
};

// All members are thread-safe. Lives until the store is closed.
class OutcomeRecorder final : public OutcomeSink {
 public:
  // `timer_executor` runs the waits before a commit.
  OutcomeRecorder(store::Store& store, const NodeLease& node, Feedback& feedback,
                  const Clock& clock, const Options& options, const policy::SiteRules& rules,
                  Metrics& metrics, async::Executor timer_executor);
  ~OutcomeRecorder() override;

  // Before anything is recorded; outlives it.
  void tell_of_relayed(RelayedOutcomes& listener) { relayed_ = &listener; }
  // Likewise.
  void tell_of_tls(TlsOutcomes& listener) { tls_ = &listener; }
  void settled(const Mail& mail, std::string_view site, Outcome outcome, Path path,
               Milliseconds duration) override;
  // The same; `counts` is true once it is committed and was not too late, as somebody else had told
  // of the mail.
  void settled(const Mail& mail, std::string_view site, Outcome outcome, Path path,
               Milliseconds duration, std::shared_ptr<std::atomic<bool>> counts);
  void parked(const Mail& mail, SteadyInstant until) override;
  void given_back(const store::LeasedBatch& batch, std::size_t open,
                  GivenBack why) noexcept override;
  [[nodiscard]] bool may_send() const override {
    return unrecorded_.load(std::memory_order_relaxed) < options_.unrecorded_max && node_.holds();
  }
  Task<bool> may_send_soon() override;
  Task<bool> begin(const Mail& mail, std::uint32_t ahead) override;
  void begin_soon(const Mail& mail, std::uint32_t ahead) override;
  Task<bool> begin_suspect(const Mail& mail) override;
  Task<void> let_suspect_wait(const Mail& mail) override;
  Task<bool> begin_once(const Mail& mail) override;
  Task<void> take_back(const Mail& mail) override;
  // The lease of the node holds again: whoever waits for it asks anew.
  void may_begin_again();
  // These are due again without having been here: the answer that leased them was lost.
  void given_back(const std::vector<store::HeldBatch>& batches);
  // What is dropped from now on is due at once, for whoever starts next. Without a lease nothing
  // more is sent: nobody waits for one any longer.
  void drain();

  // Outcomes not yet committed of mails that a connection had in hand; others (no route, no
  // connection, life time over) were never sent and cannot go twice. Connections that passed
  // may_send() together may bring it beyond Options::unrecorded_max, by less than their number.
  [[nodiscard]] std::size_t unrecorded() const { return unrecorded_.load(); }
  // The most there were at once, since the start.
  [[nodiscard]] std::size_t unrecorded_peak() const { return unrecorded_peak_.load(); }
  // Commits everything known at once and waits for it, or until stop(). While it drains without a
  // lease, only for outcomes: what is given back, the next run offers again by itself.
  Task<void> flushed();
  // Lets every waiter go; what cannot be committed any more stays uncommitted.
  void stop();

 private:
  struct Entry {
    std::shared_ptr<BatchInFlight> batch;
    std::optional<store::OutcomeRecord> record;  // nullopt: parked
    std::string site;
    SteadyInstant known{};
    std::optional<std::uint32_t> withdrawn{};  // its mark has to go: the recipient's place
    std::shared_ptr<std::atomic<bool>> counts{};
  };
  // Mails that wait for the store to know of them.
  struct Beginning {
    std::weak_ptr<BatchInFlight> batch;
    store::BegunMark mark;
  };
  // A batch that nobody has a reference to any more.
  struct Returned {
    store::HeldBatch held;
    std::int64_t open = 0;
    GivenBack why = GivenBack::failed;
  };
  [[nodiscard]] static bool was_in_hand(const store::OutcomeRecord& record) {
    return record.outcome.stage >= Stage::mail_from && record.path.mx_host != kSandboxHost;
  }
  struct Group;

  struct Gate;

  Task<Result<void>> mark_suspect(const Mail& mail, bool begun);
  Task<Result<void>> mark_on_its_way(const Mail& mail, bool on_its_way);
  // Whether the mail may be begun; the log tells once of a store that cannot be told.
  bool tell_marked(const Result<void>& marked);
  // The name under which a site's outcomes are counted (store/outcome_counts.h): of those that
  // rules name, of the first that come, and then of those with much mail; else empty.
  [[nodiscard]] std::string_view counted_as(std::string_view site, std::uint64_t mails);
  // Looks each site of a group up once, however many mails it has: the names are shared by threads.
  void name_sites(Group& group);
  void tell_of_relayed(const Mail& mail, const Outcome& outcome) const;
  void count_unrecorded();
  void add(Entry entry);
  void submit(std::shared_ptr<Group> group) noexcept;
  void hand_to_store(const std::shared_ptr<Group>& group);
  void withdraw_marks(const std::shared_ptr<Group>& group);
  void not_committed(const std::shared_ptr<Group>& group, const Error& why);
  // Submits it again after a while.
  void repeat(std::shared_ptr<Group> group) noexcept;
  void tell_progress(const Group& group, const store::Settled& settled);
  static void tell_begun(const Group& group, const store::Settled& settled);
  static void tell_what_counts(const Group& group, const store::Settled& settled);
  // Its mail ends by its address (policy/sandbox.h), whatever a receiver's site is called.
  [[nodiscard]] bool is_of_sandbox(const BatchInFlight& batch) const;
  // Whether anything is to be committed.
  [[nodiscard]] bool has_something_locked() const {
    return !collecting_.empty() || !returned_.empty() || !beginning_.empty();
  }
  [[nodiscard]] Counter& outcomes_of(std::string_view site, RecipientState state);
  [[nodiscard]] Counter& failures_of(Cause cause);
  void committed(const std::shared_ptr<Group>& group, const Result<store::Settled>& result);
  void start_next_locked(std::unique_lock<std::mutex>& lock);
  // True if what is collected should wait for more; then start_next_locked() will be called.
  bool waits_for_more();
  // Commits `group`, or with nullptr what was collected, after `wait`, unless it was stopped.
  static Task<void> later(std::shared_ptr<Gate> gate, Microseconds wait,
                          std::shared_ptr<Group> group);
  [[nodiscard]] Milliseconds wait_of(const Mail& mail, std::string_view site,
                                     const Outcome& outcome) const;
  void count(const Group& group, const store::Settled& settled);
  // Returns after the next commit, if there will be one, or (unless `committing_only`) when the
  // lease holds again; false after stop().
  Task<bool> wait_while(bool committing_only);

  store::Store& store_;
  const NodeLease& node_;
  Feedback& feedback_;
  const Clock& clock_;
  const Options& options_;
  const policy::SiteRules& rules_;
  Metrics& metrics_;
  async::Executor timer_executor_;
  RelayedOutcomes* relayed_ = nullptr;
  TlsOutcomes* tls_ = nullptr;
  const std::shared_ptr<Gate> gate_;

  std::atomic<std::size_t> unrecorded_{0};
  std::atomic<std::size_t> unrecorded_peak_{0};
  std::mutex mutex_;
  std::vector<Entry> collecting_;
  std::vector<Returned> returned_;
  std::vector<Beginning> beginning_;
  bool is_waited_for_ = false;          // somebody cannot go on without what is in beginning_
  bool committing_ = false;             // a group is on its way, or to be repeated
  std::shared_ptr<Group> unsubmitted_;  // that group, where there was no memory to repeat it
  bool waiting_for_more_ = false;
  SteadyInstant commit_not_before_;
  // Names of sites under which outcomes are counted.
  TopLabels first_counted_{200, 1};
  TopLabels much_counted_{800};

  bool stopped_ = false;
  std::atomic<bool> draining_{false};
  Trouble commit_trouble_{log::Level::error, "outcomes not committed, repeated until they are",
                          "outcomes are committed again"};
  Trouble mark_trouble_{log::Level::warning,
                        "mails that the store must know of before are not begun",
                        "mails that the store must know of before are begun again"};
  Trouble unmark_trouble_{log::Level::warning,
                          "mail that is sent at most once stays marked for now; should this "
                          "process end without a word, it ends as unknown",
                          "what does not go out loses its mark again"};
  std::vector<async::Callback<bool>> waiting_;

  // For the thread that answers for commits, one at a time. Sites are as many as labels.
  TopLabels sites_{50};
  std::map<std::string, std::map<RecipientState, Counter*>, std::less<>> outcome_counters_;
  std::map<Cause, Counter*> failure_counters_;
  Counter& parked_total_;
  Counter& abandoned_total_;
  Counter& failed_commits_total_;
  Histogram& attempt_seconds_;
  std::array<Histogram*, 2> delivery_seconds_{};  // by TrafficClass
};

}  // namespace todoku::delivery::courier
