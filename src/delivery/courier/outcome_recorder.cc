// SPDX-License-Identifier: Apache-2.0
#include "delivery/courier/outcome_recorder.h"

#include <algorithm>
#include <map>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "async/timer.h"
#include "base/log.h"

namespace todoku::delivery::courier {
namespace {

constexpr auto kRepeatAfter = std::chrono::milliseconds(500);
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
    std::shared_ptr<BatchInFlight> batch;
    std::int64_t settled = 0;
    std::int64_t parked = 0;  // of these
    bool last = false;
    std::optional<store::BatchReleased> released;
  };
  std::vector<store::OutcomeRecord> records;
  std::size_t unrecorded = 0;  // of the records, those that count as unrecorded()
  std::map<store::BatchKey, BatchPart> batches;
};

OutcomeRecorder::OutcomeRecorder(store::Store& store, const Clock& clock, const Options& options,
                                 const policy::SiteRules& rules, Metrics& metrics,
                                 async::Executor timer_executor)
    : store_(store),
      clock_(clock),
      options_(options),
      rules_(rules),
      metrics_(metrics),
      timer_executor_(std::move(timer_executor)),
      gate_(std::make_shared<Gate>()),
      parked_total_(metrics.counter("todoku_parked_recipients_total",
                                    "Recipients given back to the store because their lane could "
                                    "not take them; not an attempt.")),
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
  const std::lock_guard lock(gate_->mutex);
  gate_->recorder = nullptr;
}

std::optional<Instant> OutcomeRecorder::next_attempt(const Mail& mail, std::string_view site,
                                                     Instant now) const {
  const Letter& letter = mail.batch->letter();
  const std::uint32_t attempts = mail.recipient().attempts + 1U;
  const std::uint64_t spread = spread_of(mail.batch->leased().key);
  const policy::RetryOptions& usual = options_.retry_of(letter.traffic);
  const auto& waits = rules_.limits(site).retry_waits;
  if (waits.empty()) return policy::next_attempt_at(usual, attempts, letter.started, now, spread);
  policy::RetryOptions of_site = usual;
  of_site.waits = waits;
  return policy::next_attempt_at(of_site, attempts, letter.started, now, spread);
}

store::OutcomeRecord OutcomeRecorder::make_record(const Mail& mail, std::string_view site,
                                                  Outcome outcome, Path path,
                                                  Milliseconds duration) const {
  const Instant now = clock_.now();
  store::OutcomeRecord record{.key = mail.key(),
                              .at = now - duration,
                              .duration = duration,
                              .outcome = std::move(outcome),
                              .path = std::move(path)};
  if (record.outcome.state == RecipientState::deferred) {
    record.due = next_attempt(mail, site, now);
    if (!record.due) record.outcome.state = RecipientState::expired;
  }
  return record;
}

void OutcomeRecorder::count(const Mail& mail, std::string_view site,
                            const store::OutcomeRecord& record) {
  metrics_
      .counter("todoku_outcomes_total", "Outcomes of attempts by site and state.",
               {{"site", sites_.label(site)}, {"state", to_string(record.outcome.state)}})
      .add();
  attempt_seconds_.observe(record.duration);
  if (record.outcome.state != RecipientState::delivered) return;
  const Letter& letter = mail.batch->letter();
  delivery_seconds_[static_cast<std::size_t>(letter.traffic)]->observe(record.at + record.duration -
                                                                       letter.started);
}

void OutcomeRecorder::settled(const Mail& mail, std::string_view site, Outcome outcome, Path path,
                              Milliseconds duration) {
  auto record = make_record(mail, site, std::move(outcome), std::move(path), duration);
  count(mail, site, record);
  if (record.due) mail.batch->due_again(*record.due);
  add({mail.batch, std::move(record)});
}

void OutcomeRecorder::parked(const Mail& mail, Instant until) {
  parked_total_.add();
  mail.batch->due_again(until);
  add({mail.batch, std::nullopt});
}

void OutcomeRecorder::count_unrecorded() {
  const std::size_t now = unrecorded_.fetch_add(1, std::memory_order_relaxed) + 1;
  std::size_t peak = unrecorded_peak_.load(std::memory_order_relaxed);
  while (now > peak &&
         !unrecorded_peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
}

void OutcomeRecorder::add(Entry entry) {
  if (entry.record && was_in_hand(*entry.record)) count_unrecorded();
  std::unique_lock lock(mutex_);
  collecting_.push_back(std::move(entry));
  start_next_locked(lock);
}

bool OutcomeRecorder::waits_for_more() {
  const SteadyInstant now = clock_.steady_now();
  // Half of the bound: the other half fills while this one commits, and nobody stops to wait.
  const bool enough = collecting_.size() >= options_.unrecorded_max / 2;
  if (now >= commit_not_before_ || enough) {
    commit_not_before_ = now + kCommitEvery;
    return false;
  }
  if (!waiting_for_more_) {
    waiting_for_more_ = true;
    boost::asio::co_spawn(timer_executor_, later(gate_, commit_not_before_ - now, nullptr),
                          boost::asio::detached);
  }
  return true;
}

void OutcomeRecorder::start_next_locked(std::unique_lock<std::mutex>& lock) {
  if (committing_ || collecting_.empty() || stopped_ || waits_for_more()) return;
  committing_ = true;
  auto group = std::make_shared<Group>();
  for (Entry& entry : collecting_) {
    auto& part = group->batches[entry.batch->leased().key];
    part.batch = std::move(entry.batch);
    ++part.settled;
    if (!entry.record) {
      ++part.parked;
      continue;
    }
    if (was_in_hand(*entry.record)) ++group->unrecorded;
    group->records.push_back(std::move(*entry.record));
  }
  collecting_.clear();
  lock.unlock();
  // One group commits at a time, so nothing else settles recipients meanwhile.
  for (auto& [key, part] : group->batches) {
    part.last = part.batch->settle(static_cast<std::size_t>(part.settled));
  }
  submit(std::move(group));
  lock.lock();
}

void OutcomeRecorder::submit(std::shared_ptr<Group> group) {
  auto work = [this, group](store::WriteTransaction& transaction) -> Result<void> {
    if (!group->records.empty()) {
      const auto recorded = transaction.record_outcomes(group->records);
      if (!recorded) return fail(recorded.error());
    }
    for (auto& [key, part] : group->batches) {
      if (!part.last) continue;
      const Instant now = clock_.now();
      auto released = transaction.release_batch(key, part.batch->leased().token,
                                                part.batch->earliest_due().value_or(now), now);
      // Somebody else has the lease: the outcomes are facts all the same, the batch is theirs.
      if (!released && released.error().kind != ErrorKind::conflict &&
          released.error().kind != ErrorKind::not_found) {
        return fail(released.error());
      }
      part.released = released ? *released : store::BatchReleased{};
    }
    return {};
  };
  store_.submit_write(store::WritePriority::outcomes, std::move(work),
                      [this, group](Result<void> result) { committed(group, result); });
}

void OutcomeRecorder::committed(const std::shared_ptr<Group>& group, const Result<void>& result) {
  if (!result) {
    failed_commits_total_.add();
    // Told once: a full disk may last for hours.
    if (!std::exchange(failing_, true)) {
      log::error("outcomes not committed, repeated until they are",
                 {{"outcomes", group->records.size()}, {"reason", result.error().detail}});
    }
    boost::asio::co_spawn(timer_executor_, later(gate_, kRepeatAfter, group),
                          boost::asio::detached);
    return;
  }
  if (std::exchange(failing_, false)) log::info("outcomes are committed again");
  unrecorded_.fetch_sub(group->unrecorded, std::memory_order_relaxed);
  if (listener_ != nullptr) {
    std::vector<BatchProgress> progress;
    progress.reserve(group->batches.size());
    for (const auto& [key, part] : group->batches) {
      progress.push_back({key, part.settled, part.parked, part.released});
    }
    listener_->progressed(std::move(progress));
  }
  std::vector<async::Callback<bool>> waiting;
  {
    std::unique_lock lock(mutex_);
    committing_ = false;
    waiting.swap(waiting_);
    start_next_locked(lock);
  }
  for (auto& wake : waiting) wake(true);
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

Task<bool> OutcomeRecorder::may_send_soon() {
  co_return co_await async::from_callback<bool>([this](async::Callback<bool> wake) {
    std::unique_lock lock(mutex_);
    if (stopped_ || (!committing_ && collecting_.empty())) {
      const bool goes_on = !stopped_;
      lock.unlock();
      wake(goes_on);
      return;
    }
    waiting_.push_back(std::move(wake));
  });
}

Task<void> OutcomeRecorder::flushed() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      commit_not_before_ = {};
      start_next_locked(lock);
      if (stopped_ || (!committing_ && collecting_.empty())) co_return;
    }
    co_await may_send_soon();
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
