// SPDX-License-Identifier: Apache-2.0
#include "delivery/courier/outcome_recorder.h"

#include <algorithm>
#include <exception>
#include <map>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "async/task_group.h"
#include "async/timer.h"
#include "base/log.h"
#include "feedback/classify/meaning.h"
#include "mail/sandbox.h"

namespace todoku::delivery::courier {
namespace {

// A suspect's mark stays where the store is away just then: it is asked again for a minute.
constexpr int kLetWaitTries = 30;
constexpr std::chrono::seconds kLetWaitPause{2};

constexpr auto kRepeatAfter = std::chrono::milliseconds(500);
// Before what a failure of ours dropped is due again, so that it is not repeated at once.
constexpr Milliseconds kAbandonedWait = std::chrono::minutes(1);
// From the start of one commit to the next, while outcomes come in quickly: a commit costs a sync
// and the wake-ups around it whether it brings one outcome or a hundred. The first outcome after
// such a time of quiet does not wait at all.
constexpr auto kCommitEvery = std::chrono::milliseconds(10);

// Recipients of one batch come back together: their batch chooses the jitter.
std::uint64_t spread_of(const store::BatchKey& key) {
  return static_cast<std::uint64_t>(key.delivery) * 0x9E3779B97F4A7C15ULL + key.batch;
}

}  // namespace

// Lets a wait that is over find out whether the recorder still lives.
struct OutcomeRecorder::Gate {
  std::mutex mutex;
  OutcomeRecorder* recorder = nullptr;
};

// What one commit brings to the store. Only the store's thread and the one who repeats touch it.
struct OutcomeRecorder::Group {
  struct BatchPart {
    std::shared_ptr<BatchInFlight> batch;  // nullptr: given back
    std::int64_t settled = 0;
    std::int64_t parked = 0;             // of these
    std::optional<std::size_t> release;  // its place in `releases`
  };
  std::vector<store::OutcomeRecord> records;
  std::vector<SteadyInstant> known;                        // since when, by record
  std::vector<std::string> sites;                          // by record
  std::vector<std::shared_ptr<std::atomic<bool>>> counts;  // by record; null: nobody asks
  std::vector<store::BegunMark> marks;
  std::vector<std::weak_ptr<BatchInFlight>> begun;  // by mark
  std::vector<store::BatchRelease> releases;
  std::vector<std::optional<SteadyInstant>> not_before;  // by release
  // Marks that go before the releases, which would make them unknown.
  std::vector<std::pair<store::HeldBatch, std::uint32_t>> withdrawn;
  std::size_t unrecorded = 0;  // of the records, those that count as unrecorded()
  // By lease: somebody may come back with an older one of a batch that is leased anew.
  std::map<store::HeldBatch, BatchPart> batches;

  void release(BatchPart& part, store::HeldBatch held, std::optional<SteadyInstant> when) {
    part.release = releases.size();
    releases.push_back({.held = held});
    not_before.push_back(when);
  }
};

OutcomeRecorder::OutcomeRecorder(store::Store& store, const NodeLease& node, Feedback& feedback,
                                 const Clock& clock, const Options& options,
                                 const policy::SiteRules& rules, Metrics& metrics,
                                 async::Executor timer_executor)
    : store_(store),
      node_(node),
      feedback_(feedback),
      clock_(clock),
      options_(options),
      rules_(rules),
      metrics_(metrics),
      timer_executor_(std::move(timer_executor)),
      gate_(std::make_shared<Gate>()),
      parked_total_(metrics.counter("todoku_parked_recipients_total",
                                    "Recipients given back to the store because their lane could "
                                    "not take them; not an attempt.")),
      abandoned_total_(metrics.counter("todoku_abandoned_recipients_total",
                                       "Recipients whose mail was dropped by a failure of ours and "
                                       "given back to the store.")),
      failed_commits_total_(metrics.counter("todoku_outcome_commits_failed_total",
                                            "Commits of outcomes that failed and are repeated.")),
      attempt_seconds_(metrics.histogram("todoku_attempt_seconds", "Duration of one attempt.",
                                         short_durations())) {
  gate_->recorder = this;
  for (const TrafficClass traffic : {TrafficClass::transactional, TrafficClass::bulk}) {
    delivery_seconds_[static_cast<std::size_t>(traffic)] = &metrics.histogram(
        "todoku_delivery_seconds",
        "From the start of a delivery (a transaction: its acceptance) to a receiver's 250.",
        long_durations(), {{"class", to_string(traffic)}});
  }
}

OutcomeRecorder::~OutcomeRecorder() {
  stop();  // batches that go with it have nowhere to go back to
  const std::lock_guard lock(gate_->mutex);
  gate_->recorder = nullptr;
}

Milliseconds OutcomeRecorder::wait_of(const Mail& mail, std::string_view site,
                                      const Outcome& outcome) const {
  const auto next =
      feedback::classify::next_after(outcome.cause, outcome.stage, outcome.reply.code);
  const std::uint32_t attempts = mail.recipient().attempts + 1U;
  const std::uint64_t spread = spread_of(mail.batch->leased().key);
  const policy::RetryOptions& usual = options_.retry_of(mail.batch->leased().traffic);
  const auto& waits = rules_.limits(site).retry_waits;
  if (waits.empty()) return policy::wait_after(usual, next, attempts, spread);
  policy::RetryOptions of_site = usual;
  of_site.waits = waits;
  return policy::wait_after(of_site, next, attempts, spread);
}

// What the store has made of it: an outcome that came too late is none.
void OutcomeRecorder::count(const Group& group, const store::Settled& settled) {
  for (std::size_t i = 0; i < group.records.size(); ++i) {
    const auto& recorded = settled.outcomes[i];
    if (!recorded || recorded->superseded) continue;
    outcomes_of(sites_.label(group.sites[i]), recorded->state).add();
    attempt_seconds_.observe(group.records[i].duration);
    const Cause cause = group.records[i].outcome.cause;
    if (cause != Cause::none) failures_of(cause).add();
  }
}

// Looked up once each: whoever renders all metrics holds their register meanwhile.
Counter& OutcomeRecorder::outcomes_of(std::string_view site, RecipientState state) {
  auto of_site = outcome_counters_.find(site);
  if (of_site == outcome_counters_.end()) {
    of_site = outcome_counters_.try_emplace(std::string(site)).first;
  }
  Counter*& counter = of_site->second[state];
  if (counter == nullptr) {
    counter = &metrics_.counter("todoku_outcomes_total", "Outcomes of attempts by site and state.",
                                {{"site", site}, {"state", to_string(state)}});
  }
  return *counter;
}

Counter& OutcomeRecorder::failures_of(Cause cause) {
  Counter*& counter = failure_counters_[cause];
  if (counter == nullptr) {
    counter = &metrics_.counter("todoku_failures_total", "Outcomes other than a 250, by cause.",
                                {{"cause", to_string(cause)}});
  }
  return *counter;
}

std::string_view OutcomeRecorder::counted_as(std::string_view site, std::uint64_t mails) {
  const auto& named = rules_.sites();
  if (site.empty() || named.find(site) != named.end()) return site;
  const bool is_counted =
      first_counted_.label(site, mails) == site || much_counted_.label(site, mails) == site;
  return is_counted ? site : std::string_view();
}

void OutcomeRecorder::name_sites(Group& group) {
  struct Named {
    std::uint64_t mails = 0;
    std::string_view as;
  };
  std::map<std::string_view, Named> sites;
  for (const std::string& site : group.sites) ++sites[site].mails;
  for (auto& [site, named] : sites) named.as = counted_as(site, named.mails);
  for (std::size_t i = 0; i < group.records.size(); ++i) {
    group.records[i].site = sites[group.sites[i]].as;
  }
}

void OutcomeRecorder::tell_of_relayed(const Mail& mail, const Outcome& outcome) const {
  const std::string& credential = mail.batch->leased().credential;
  const bool is_over =
      outcome.state == RecipientState::delivered || outcome.state == RecipientState::bounced;
  if (relayed_ != nullptr && is_over && !credential.empty()) {
    relayed_->ended(credential, outcome.cause);
  }
}

bool OutcomeRecorder::is_of_sandbox(const BatchInFlight& batch) const {
  const auto& letter = batch.shared_letter();
  return options_.sandbox || (letter && letter->sandbox);
}

void OutcomeRecorder::settled(const Mail& mail, std::string_view site, Outcome outcome, Path path,
                              Milliseconds duration) {
  settled(mail, site, std::move(outcome), std::move(path), duration, nullptr);
}

void OutcomeRecorder::settled(const Mail& mail, std::string_view site, Outcome outcome, Path path,
                              Milliseconds duration, std::shared_ptr<std::atomic<bool>> counts) {
  const SteadyInstant now = clock_.steady_now();
  // It says nothing of an address, a credential or a receiver.
  const bool is_sandbox = is_of_sandbox(*mail.batch);
  store::OutcomeRecord record{.key = mail.key(),
                              .duration = duration,
                              .outcome = std::move(outcome),
                              .path = std::move(path)};
  if (record.outcome.state != RecipientState::delivered) {
    record.outcome.cause = feedback::classify::cause_of(record.outcome);
    record.against_address =
        !is_sandbox && feedback::classify::speaks_against_address(record.outcome.cause);
  }
  if (record.outcome.state == RecipientState::deferred) {
    record.wait = wait_of(mail, site, record.outcome);
    mail.batch->due_again(now + *record.wait);
  }
  if (record.outcome.state == RecipientState::delivered && !is_sandbox) {
    const Letter& letter = mail.batch->letter();
    delivery_seconds_[static_cast<std::size_t>(letter.traffic)]->observe(clock_.now() -
                                                                         letter.started);
  }
  if (!is_sandbox) tell_of_relayed(mail, record.outcome);
  if (tls_ != nullptr && !is_sandbox) {
    const std::string_view address = mail.recipient().address;
    tls_->tried(address.substr(address.rfind('@') + 1), record.outcome, record.path);
  }
  add({mail.batch, std::move(record), std::string(site), now, std::nullopt, std::move(counts)});
  // Only now: whatever is thrown before, the mail comes back with its mark.
  mail.batch->unmark(mail.index);
}

void OutcomeRecorder::parked(const Mail& mail, SteadyInstant until) {
  parked_total_.add();
  mail.batch->due_again(until);
  Entry entry{mail.batch, std::nullopt, {}, {}};
  if (mail.batch->is_marked(mail.index)) entry.withdrawn = mail.index;
  add(std::move(entry));
}

void OutcomeRecorder::given_back(const store::LeasedBatch& batch, std::size_t open,
                                 GivenBack why) noexcept {
  try {
    std::unique_lock lock(mutex_);
    if (stopped_) return;
    returned_.push_back({batch.held(), static_cast<std::int64_t>(open), why});
    if (!draining_ && why == GivenBack::failed) {
      abandoned_total_.add(open);
      const bool is_known = !batch.recipients.empty();
      log::error("mail dropped by a failure and given back",
                 {{"first", is_known ? std::string_view(batch.recipients.front().address) : ""},
                  {"recipients", open}});
    }
    start_next_locked(lock);
  } catch (...) {
    // No memory even for this: the lease goes with the process.
    abandoned_total_.add(open);
  }
}

void OutcomeRecorder::begin_soon(const Mail& mail, std::uint32_t ahead) {
  BatchInFlight& batch = *mail.batch;
  const std::uint32_t seq = mail.recipient().seq;
  const bool waits = !batch.is_begun(seq);
  if (!waits && batch.wants_begun(seq, ahead) == 0) return;
  std::unique_lock lock(mutex_);
  if (const store::Begun wanted = batch.wants_begun(seq, ahead); wanted != 0) {
    beginning_.push_back({mail.batch, {batch.leased().held(), wanted}});
    batch.asked_begun(wanted);
  }
  if (waits && !beginning_.empty()) is_waited_for_ = true;
  try {
    start_next_locked(lock);
  } catch (const std::exception&) {
    // It is kept, and goes with whatever comes next.
    async::report_exception("telling what is begun", std::current_exception());
  }
}

Task<bool> OutcomeRecorder::begin(const Mail& mail, std::uint32_t ahead) {
  begin_soon(mail, ahead);
  while (!mail.batch->is_begun(mail.recipient().seq)) {
    const bool goes_on = co_await wait_while(false);
    if (!goes_on || mail.withheld()) co_return false;
  }
  co_return !mail.withheld();
}

Task<Result<void>> OutcomeRecorder::mark_suspect(const Mail& mail, bool begun) {
  auto marked = co_await store_.write(
      store::WritePriority::accept,
      [held = mail.batch->leased().held(), begun](store::WriteTransaction& transaction) {
        return transaction.mark_begun(held, begun);
      });
  co_return marked;
}

bool OutcomeRecorder::tell_marked(const Result<void>& marked) {
  if (marked) {
    mark_trouble_.worked(clock_.steady_now());
  } else if (marked.error().kind != ErrorKind::conflict) {  // else it is somebody else's mail now
    mark_trouble_.failed(clock_.steady_now(), {{"reason", marked.error().detail}});
  }
  return marked.has_value();
}

Task<bool> OutcomeRecorder::begin_suspect(const Mail& mail) {
  const auto marked = co_await mark_suspect(mail, true);
  co_return tell_marked(marked);
}

// Whatever ends this process before the mark is gone counts against the suspect. They are few, so
// that their connections may wait.
Task<void> OutcomeRecorder::let_suspect_wait(const Mail& mail) {
  for (int tries = 1;; ++tries) {
    const auto marked = co_await mark_suspect(mail, false);
    if (marked) co_return;
    if (marked.error().kind != ErrorKind::unavailable || tries == kLetWaitTries) {
      log::warning("suspect stays marked as begun", {{"reason", marked.error().detail}});
      co_return;
    }
    const bool awake = co_await async::sleep_for(kLetWaitPause);
    if (!awake) co_return;
  }
}

Task<Result<void>> OutcomeRecorder::mark_on_its_way(const Mail& mail, bool on_its_way) {
  auto marked = co_await store_.write(store::WritePriority::accept,
                                      [held = mail.batch->leased().held(), seq = mail.key().seq,
                                       on_its_way](store::WriteTransaction& transaction) {
                                        return transaction.mark_on_its_way(held, seq, on_its_way);
                                      });
  co_return marked;
}

Task<bool> OutcomeRecorder::begin_once(const Mail& mail) {
  // Before it is known: a commit whose answer is lost may have come through.
  mail.batch->mark(mail.index);
  const auto marked = co_await mark_on_its_way(mail, true);
  co_return tell_marked(marked);
}

// Asked once: who waits here has a connection in hand that others wait for. What stays marked loses
// its mark when it is parked, or with its outcome; should this process end before that without a
// word, it ends as unknown.
Task<void> OutcomeRecorder::take_back(const Mail& mail) {
  const auto taken = co_await mark_on_its_way(mail, false);
  if (taken) mail.batch->unmark(mail.index);
  if (taken) {
    unmark_trouble_.worked(clock_.steady_now());
  } else if (taken.error().kind != ErrorKind::conflict) {
    unmark_trouble_.failed(clock_.steady_now(), {{"reason", taken.error().detail}});
  }
}

void OutcomeRecorder::drain() {
  draining_ = true;
  may_begin_again();
}

void OutcomeRecorder::may_begin_again() {
  std::vector<async::Callback<bool>> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (auto& wake : waiting) wake(true);
}

void OutcomeRecorder::count_unrecorded() {
  const std::size_t now = unrecorded_.fetch_add(1, std::memory_order_relaxed) + 1;
  std::size_t peak = unrecorded_peak_.load(std::memory_order_relaxed);
  while (now > peak &&
         !unrecorded_peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
}

void OutcomeRecorder::add(Entry entry) {
  const bool was_tried = entry.record && was_in_hand(*entry.record);
  std::unique_lock lock(mutex_);
  collecting_.push_back(std::move(entry));
  if (was_tried) count_unrecorded();
  try {
    start_next_locked(lock);
  } catch (const std::exception&) {
    // It is kept, and goes with whatever comes next.
    async::report_exception("gathering outcomes", std::current_exception());
  }
}

bool OutcomeRecorder::waits_for_more() {
  const SteadyInstant now = clock_.steady_now();
  // Half of the bound: the other half fills while this one commits, and nobody stops to wait.
  const bool enough = collecting_.size() >= options_.unrecorded_max / 2;
  if (now >= commit_not_before_ || enough || is_waited_for_) {
    commit_not_before_ = now + kCommitEvery;
    return false;
  }
  if (!waiting_for_more_) {
    boost::asio::co_spawn(timer_executor_, later(gate_, commit_not_before_ - now, nullptr),
                          boost::asio::detached);
    waiting_for_more_ = true;
  }
  return true;
}

void OutcomeRecorder::start_next_locked(std::unique_lock<std::mutex>& lock) {
  if (auto group = std::exchange(unsubmitted_, nullptr); group && !stopped_) {
    lock.unlock();
    submit(std::move(group));
    lock.lock();
  }
  if (committing_ || !has_something_locked() || stopped_) return;
  if (waits_for_more()) return;
  // What may throw comes first, so that nothing is half taken if it does.
  auto group = std::make_shared<Group>();
  for (const Entry& entry : collecting_) (void)group->batches[entry.batch->leased().held()];
  for (const Returned& batch : returned_) (void)group->batches[batch.held];
  group->releases.reserve(group->batches.size() + returned_.size());
  group->not_before.reserve(group->batches.size() + returned_.size());
  group->records.reserve(collecting_.size());
  group->known.reserve(collecting_.size());
  group->sites.reserve(collecting_.size());
  group->counts.reserve(collecting_.size());
  group->marks.reserve(beginning_.size());
  group->begun.reserve(beginning_.size());
  group->withdrawn.reserve(static_cast<std::size_t>(std::ranges::count_if(
      collecting_, [](const Entry& entry) { return entry.withdrawn.has_value(); })));
  committing_ = true;
  for (Entry& entry : collecting_) {
    auto& part = group->batches[entry.batch->leased().held()];
    part.batch = std::move(entry.batch);
    ++part.settled;
    if (entry.withdrawn) {
      group->withdrawn.emplace_back(part.batch->leased().held(),
                                    part.batch->recipient(*entry.withdrawn).seq);
    }
    if (!entry.record) {
      ++part.parked;
      continue;
    }
    if (was_in_hand(*entry.record)) ++group->unrecorded;
    group->records.push_back(std::move(*entry.record));
    group->known.push_back(entry.known);
    group->sites.push_back(std::move(entry.site));
    group->counts.push_back(std::move(entry.counts));
  }
  collecting_.clear();
  for (Beginning& each : beginning_) {
    group->marks.push_back(each.mark);
    group->begun.push_back(std::move(each.batch));
  }
  beginning_.clear();
  is_waited_for_ = false;
  const std::vector<Returned> returned = std::exchange(returned_, {});
  lock.unlock();
  try {
    name_sites(*group);
  } catch (const std::exception&) {
    // Those without a name are counted among the others.
  }
  // One group commits at a time, so nothing else settles recipients meanwhile.
  for (auto& [held, part] : group->batches) {
    if (!part.batch) continue;
    const bool last = part.batch->settle(static_cast<std::size_t>(part.settled));
    if (last) group->release(part, held, part.batch->earliest_due());
  }
  for (const Returned& batch : returned) {
    Group::BatchPart& part = group->batches[batch.held];
    part.settled += batch.open;
    part.parked += batch.open;
    const SteadyInstant again = clock_.steady_now() + kAbandonedWait;
    const bool at_once = draining_ || batch.why == GivenBack::untouched;
    group->release(part, batch.held, at_once ? std::nullopt : std::optional(again));
  }
  submit(std::move(group));
  lock.lock();
}

// What is in the group has left collecting_: it is repeated until the store has taken it, whatever
// is thrown on the way.
void OutcomeRecorder::submit(std::shared_ptr<Group> group) noexcept {
  try {
    hand_to_store(group);
  } catch (const std::exception&) {
    async::report_exception("handing outcomes to the store", std::current_exception());
    repeat(std::move(group));
  }
}

void OutcomeRecorder::repeat(std::shared_ptr<Group> group) noexcept {
  try {
    boost::asio::co_spawn(timer_executor_, later(gate_, kRepeatAfter, group),
                          boost::asio::detached);
  } catch (const std::exception&) {
    // Not even a timer: it goes with the next outcome.
    const std::lock_guard lock(mutex_);
    unsubmitted_ = std::move(group);
  }
}

// Each of them, as long as its batch is still ours; then the group itself.
void OutcomeRecorder::withdraw_marks(const std::shared_ptr<Group>& group) {
  store_.submit_write(
      store::WritePriority::accept,
      [group](store::WriteTransaction& transaction) -> Result<void> {
        for (const auto& [held, seq] : group->withdrawn) {
          auto done = transaction.mark_on_its_way(held, seq, false);
          if (!done && done.error().kind != ErrorKind::conflict) return done;
        }
        return {};
      },
      [this, group](const Result<void>& done) {
        if (!done) return not_committed(group, done.error());
        group->withdrawn.clear();
        submit(group);
      });
}

void OutcomeRecorder::hand_to_store(const std::shared_ptr<Group>& group) {
  if (!group->withdrawn.empty()) return withdraw_marks(group);
  // As of now: a group that is repeated has become older.
  const SteadyInstant now = clock_.steady_now();
  const auto from = [now](SteadyInstant then) {
    return std::chrono::duration_cast<Milliseconds>(now - then);
  };
  for (std::size_t i = 0; i < group->records.size(); ++i) {
    group->records[i].age = std::max(from(group->known[i]), Milliseconds(0));
  }
  for (std::size_t i = 0; i < group->releases.size(); ++i) {
    const auto& when = group->not_before[i];
    const Milliseconds left = when ? std::chrono::ceil<Milliseconds>(*when - now) : Milliseconds(0);
    group->releases[i].not_before = std::max(left, Milliseconds(0));
  }
  store::Settle settle{.outcomes = group->records,
                       .releases = group->releases,
                       .error_stop = options_.error_stop,
                       .marks = group->marks};
  store_.submit(settle,
                [this, group](const Result<store::Settled>& result) { committed(group, result); });
}

void OutcomeRecorder::not_committed(const std::shared_ptr<Group>& group, const Error& why) {
  failed_commits_total_.add();
  commit_trouble_.failed(clock_.steady_now(),
                         {{"outcomes", group->records.size()}, {"reason", why.detail}});
  repeat(group);
  // Who drains may have no reason left to wait for it.
  if (draining_) may_begin_again();
}

void OutcomeRecorder::committed(const std::shared_ptr<Group>& group,
                                const Result<store::Settled>& result) {
  if (!result) return not_committed(group, result.error());
  unrecorded_.fetch_sub(group->unrecorded, std::memory_order_relaxed);
  std::vector<async::Callback<bool>> waiting;
  // Whatever is thrown here, the next group must be able to go.
  try {
    commit_trouble_.worked(clock_.steady_now());
    tell_begun(*group, *result);
    tell_what_counts(*group, *result);
    tell_progress(*group, *result);
    count(*group, *result);
  } catch (const std::exception&) {
    async::report_exception("telling of committed outcomes", std::current_exception());
  }
  try {
    std::unique_lock lock(mutex_);
    committing_ = false;
    waiting.swap(waiting_);
    start_next_locked(lock);
  } catch (const std::exception&) {
    // They are kept, and go with whatever comes next.
    async::report_exception("gathering outcomes", std::current_exception());
  }
  for (auto& wake : waiting) wake(true);
}

void OutcomeRecorder::tell_begun(const Group& group, const store::Settled& settled) {
  for (std::size_t i = 0; i < group.marks.size(); ++i) {
    const auto batch = group.begun[i].lock();
    if (!batch) continue;
    if (settled.marks[i]) {
      batch->told_begun(group.marks[i].begun);
    } else {
      batch->lose();
    }
  }
}

void OutcomeRecorder::tell_what_counts(const Group& group, const store::Settled& settled) {
  for (std::size_t i = 0; i < group.counts.size(); ++i) {
    const auto& recorded = settled.outcomes[i];
    if (group.counts[i] && recorded && !recorded->superseded) group.counts[i]->store(true);
  }
}

void OutcomeRecorder::tell_progress(const Group& group, const store::Settled& settled) {
  std::vector<BatchProgress> progress;
  progress.reserve(group.batches.size());
  for (const auto& [held, part] : group.batches) {
    BatchProgress& step =
        progress.emplace_back(BatchProgress{held.key, part.settled, part.parked, {}});
    if (!part.release) continue;
    // Somebody else has the lease: the outcomes are facts all the same, the batch is theirs.
    const auto& released = settled.releases[*part.release];
    step.released = released ? *released : store::BatchReleased{};
  }
  feedback_.progressed(std::move(progress));
}

// Nothing of it was settled; with its release the scheduler has all its credit back.
void OutcomeRecorder::given_back(const std::vector<store::HeldBatch>& batches) {
  std::vector<BatchProgress> progress;
  progress.reserve(batches.size());
  for (const store::HeldBatch& batch : batches) {
    progress.push_back({.key = batch.key,
                        .released = store::BatchReleased{.done = false, .next = Milliseconds(0)}});
  }
  feedback_.progressed(std::move(progress));
}

Task<void> OutcomeRecorder::later(std::shared_ptr<Gate> gate, Microseconds wait,
                                  std::shared_ptr<Group> group) {
  co_await async::sleep_for(wait);
  const std::lock_guard alive(gate->mutex);
  OutcomeRecorder* const recorder = gate->recorder;
  if (recorder == nullptr) co_return;
  std::unique_lock lock(recorder->mutex_);
  if (recorder->stopped_) co_return;
  if (group == nullptr) {
    recorder->waiting_for_more_ = false;
    recorder->start_next_locked(lock);
  } else {
    lock.unlock();
    recorder->submit(std::move(group));
  }
}

Task<bool> OutcomeRecorder::wait_while(bool committing_only) {
  co_return co_await async::from_callback<bool>(
      [this, committing_only](async::Callback<bool> wake) {
        std::unique_lock lock(mutex_);
        const bool commits = committing_ || has_something_locked();
        const bool lapsed = !committing_only && !node_.holds();
        const bool over = stopped_ || (lapsed && draining_);
        if (over || (!commits && !lapsed)) {
          const bool goes_on = !over;
          lock.unlock();
          wake(goes_on);
          return;
        }
        waiting_.push_back(std::move(wake));
      });
}

Task<bool> OutcomeRecorder::may_send_soon() {
  return wait_while(false);
}

Task<void> OutcomeRecorder::flushed() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      commit_not_before_ = {};
      start_next_locked(lock);
      if (stopped_ || (!committing_ && !has_something_locked())) co_return;
      if (draining_ && unrecorded() == 0 && !node_.holds()) co_return;
    }
    co_await wait_while(true);
  }
}

void OutcomeRecorder::stop() {
  std::vector<async::Callback<bool>> waiting;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    waiting.swap(waiting_);
  }
  for (auto& wake : waiting) wake(false);
}

}  // namespace todoku::delivery::courier
