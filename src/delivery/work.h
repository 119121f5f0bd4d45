// SPDX-License-Identifier: Apache-2.0
// Work on its way: what a courier holds in memory between the claim of a batch and its release.
//
//   Claim -> BatchInFlight (one per lease) -> Mail (one per recipient) -> lane -> connection
//                                                        -> OutcomeSink (recorded or parked)
//
// Nothing is forgotten: whoever drops a mail without a word, because something was thrown or a task
// was ended, drops its reference to the batch, and the last one gives back what is open.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.h"
#include "base/check.h"
#include "base/clock.h"
#include "delivery/letter.h"
#include "store/work.h"

namespace todoku::delivery {

class OutcomeSink;

// Why a batch goes back to the store while recipients of it are open.
enum class GivenBack : std::uint8_t {
  failed,     // something broke here: not at once again, and it is counted
  untouched,  // nobody has begun anything of it: it is due at once, for anybody
};

// One leased batch. Its recipients are read by many threads and changed by none; the tally of what
// became of them is locked.
class BatchInFlight {
 public:
  // `letter` may come later. `expires`: nothing of it is begun after. `sink` outlives the batch.
  BatchInFlight(store::LeasedBatch leased, std::shared_ptr<const Letter> letter,
                SteadyInstant expires, OutcomeSink& sink)
      : leased_(std::move(leased)),
        letter_(std::move(letter)),
        expires_(expires),
        sink_(sink),
        open_(leased_.recipients.size()),
        in_turn_(leased_.recipients.size()),
        begun_(store::begun_when_leased(leased_.traffic)),
        asked_(begun_.load()) {}
  ~BatchInFlight();
  BatchInFlight(const BatchInFlight&) = delete;
  BatchInFlight& operator=(const BatchInFlight&) = delete;

  [[nodiscard]] const store::LeasedBatch& leased() const { return leased_; }
  // Before any of its mails is given to a lane.
  void set_letter(std::shared_ptr<const Letter> letter) { letter_ = std::move(letter); }
  [[nodiscard]] const Letter& letter() const { return *letter_; }
  [[nodiscard]] const std::shared_ptr<const Letter>& shared_letter() const { return letter_; }
  [[nodiscard]] const store::LeasedRecipient& recipient(std::uint32_t index) const {
    return leased_.recipients[index];
  }
  [[nodiscard]] bool expired(SteadyInstant now) const { return now >= expires_; }
  [[nodiscard]] SteadyInstant expires() const { return expires_; }

  // Counts recipients as settled (outcome recorded or given back). True if these were the last.
  [[nodiscard]] bool settle(std::size_t recipients) {
    const std::size_t open = open_.fetch_sub(recipients);
    check(open >= recipients, "a recipient is settled once");
    return open == recipients;
  }
  [[nodiscard]] std::size_t open() const { return open_.load(); }

  // Until touch() it goes back as it came, should it be dropped.
  void leave_untouched() { given_back_ = GivenBack::untouched; }
  // Work on it begins.
  void touch() { given_back_ = GivenBack::failed; }

  // The lease has passed to somebody else: nothing more of it is begun.
  void lose() { lost_ = true; }
  [[nodiscard]] bool lost() const { return lost_.load(std::memory_order_relaxed); }

  // Its delivery is paused or stopped, or (false) goes on: meanwhile nothing of it is begun.
  void hold_back(bool held) { held_back_ = held; }
  // Quiet hours of its delivery begin then. Before anybody else knows of it.
  void close_at(const Clock& clock, SteadyInstant when) {
    closes_at_ = when;
    clock_ = &clock;
  }
  [[nodiscard]] bool held_back() const {
    if (held_back_.load(std::memory_order_relaxed)) return true;
    return clock_ != nullptr && clock_->steady_now() >= closes_at_;
  }

  // Only the first so many are worked on: it is not the others' turn by the delivery's pace. Before
  // any of its mails is given to a lane.
  void take_turns(std::size_t first) { in_turn_ = first; }
  [[nodiscard]] std::span<const store::LeasedRecipient> in_turn() const {
    return std::span(leased_.recipients).first(in_turn_);
  }

  // A mail that may have arrived, and of which nothing is told yet because it goes again at once.
  struct Doubt {
    std::string words;  // what happened
    Path path;
  };
  void doubt(std::uint32_t index, Doubt why) {
    const std::lock_guard lock(mutex_);
    doubts_.insert_or_assign(index, std::move(why));
    any_doubts_ = true;
  }
  [[nodiscard]] std::optional<Doubt> doubt_of(std::uint32_t index) const {
    if (!any_doubts_.load(std::memory_order_relaxed)) return std::nullopt;
    const std::lock_guard lock(mutex_);
    const auto found = doubts_.find(index);
    if (found == doubts_.end()) return std::nullopt;
    return found->second;
  }
  // It was told (egress/way_out.h).
  void forget_doubt(std::uint32_t index) {
    if (!any_doubts_.load(std::memory_order_relaxed)) return;
    const std::lock_guard lock(mutex_);
    doubts_.erase(index);
  }

  // The store may have been told that the content of this mail is about to go out (at most once).
  // What is parked so must lose that mark first, or it ends as unknown although nothing was sent.
  void mark(std::uint32_t index) {
    const std::lock_guard lock(mutex_);
    marked_.insert(index);
    any_marked_ = true;
  }
  void unmark(std::uint32_t index) {
    if (!any_marked_.load(std::memory_order_relaxed)) return;
    const std::lock_guard lock(mutex_);
    marked_.erase(index);
  }
  [[nodiscard]] bool is_marked(std::uint32_t index) const {
    if (!any_marked_.load(std::memory_order_relaxed)) return false;
    const std::lock_guard lock(mutex_);
    return marked_.contains(index);
  }

  // The store knows that this mail may be out (store/work.h, BegunMark): only then it is begun.
  [[nodiscard]] bool is_begun(std::uint32_t seq) const {
    return (begun_.load() & store::begun_bit(seq)) != 0;
  }
  void told_begun(store::Begun begun) { begun_.fetch_or(begun); }
  // What the store is to be told for this mail and for `ahead` bits after its own; 0: it was told,
  // or is being told, of half of these.
  [[nodiscard]] store::Begun wants_begun(std::uint32_t seq, std::uint32_t ahead) const {
    const std::uint32_t place = store::begun_place(seq);
    const auto bits_to = [&](std::uint32_t last) {
      return ~store::Begun{0} >> (store::kBegunBits - 1 - std::min(last, store::kBegunBits - 1));
    };
    const store::Begun from_its = ~store::Begun{0} << place;
    const store::Begun near = from_its & bits_to(place + (ahead + 1) / 2);
    const store::Begun asked = asked_.load();
    if ((near & ~asked) == 0) return 0;
    return from_its & bits_to(place + ahead) & ~asked;
  }
  void asked_begun(store::Begun begun) { asked_.fetch_or(begun); }
  [[nodiscard]] bool has_asked_begun() const { return asked_.load() != 0; }
  [[nodiscard]] bool has_begun() const { return begun_.load() != 0; }

  // The batch is not due again before the earliest of these, once all is settled.
  void due_again(SteadyInstant when) {
    const std::lock_guard lock(mutex_);
    if (!earliest_due_ || when < *earliest_due_) earliest_due_ = when;
  }
  [[nodiscard]] std::optional<SteadyInstant> earliest_due() const {
    const std::lock_guard lock(mutex_);
    return earliest_due_;
  }

  // A mail that was out as a whole when its receiver had enough of the connection, and goes again
  // at once. By SMTP it was not taken: no doubt, but to be told with what comes of it.
  void passed_on(std::uint32_t index, std::string words) {
    const std::lock_guard lock(mutex_);
    passed_on_.insert_or_assign(index, std::move(words));
    any_passed_on_ = true;
  }
  [[nodiscard]] std::optional<std::string> take_passed_on(std::uint32_t index) {
    if (!any_passed_on_.load(std::memory_order_relaxed)) return std::nullopt;
    const std::lock_guard lock(mutex_);
    const auto found = passed_on_.extract(index);
    if (found.empty()) return std::nullopt;
    return std::move(found.mapped());
  }

 private:
  const store::LeasedBatch leased_;
  std::shared_ptr<const Letter> letter_;
  const SteadyInstant expires_;
  OutcomeSink& sink_;
  std::atomic<std::size_t> open_;
  std::size_t in_turn_;
  const Clock* clock_ = nullptr;  // nullptr: there are no quiet hours
  SteadyInstant closes_at_{};
  std::atomic<bool> lost_{false};
  std::atomic<bool> held_back_{false};
  std::atomic<GivenBack> given_back_{GivenBack::failed};
  std::atomic<store::Begun> begun_;
  std::atomic<store::Begun> asked_;
  mutable std::mutex mutex_;
  std::optional<SteadyInstant> earliest_due_;
  std::map<std::uint32_t, std::string> passed_on_;  // by place of the recipient
  std::atomic<bool> any_passed_on_{false};
  std::map<std::uint32_t, Doubt> doubts_;  // by place of the recipient
  std::atomic<bool> any_doubts_{false};
  std::set<std::uint32_t> marked_;  // likewise
  std::atomic<bool> any_marked_{false};
};

// One recipient's mail: a batch and a place in it.
struct Mail {
  std::shared_ptr<BatchInFlight> batch;
  std::uint32_t index = 0;

  [[nodiscard]] const store::LeasedRecipient& recipient() const { return batch->recipient(index); }
  [[nodiscard]] store::RecipientKey key() const {
    return {batch->leased().key.delivery, batch->leased().key.batch, recipient().seq};
  }
  // It is given back to the store instead of being begun.
  [[nodiscard]] bool withheld() const { return batch->lost() || batch->held_back(); }
};

// Where lanes say what became of a mail. Thread-safe.
class OutcomeSink {
 public:
  virtual ~OutcomeSink() = default;

  // The mail was tried at `site` and this is what happened; the sink decides when a deferred one is
  // due again, or that its life time is over.
  virtual void settled(const Mail& mail, std::string_view site, Outcome outcome, Path path,
                       Milliseconds duration) = 0;
  // The mail was not tried: its site cannot take it now. Not an attempt; it waits in the store. Of
  // one that is marked, the mark goes before the store has it back.
  virtual void parked(const Mail& mail, SteadyInstant until) = 0;
  // The batch is dropped with `open` recipients of whom nobody has said anything. Must not throw.
  virtual void given_back(const store::LeasedBatch& batch, std::size_t open,
                          GivenBack why) noexcept = 0;

  // Outcomes that are known but not yet committed are what a crash would repeat: while too many
  // are, nothing may be sent (promise 3); nor while the lease of this node does not hold. False:
  // wait for may_send_soon() and ask again.
  [[nodiscard]] virtual bool may_send() const = 0;
  // Returns when something of that has changed; false if nothing will be sent any more.
  virtual Task<bool> may_send_soon() = 0;
  // This mail is about to be begun, and `ahead` times store::kBegunTogether others after it soon;
  // until the store knows of it a stop that comes after our end would tell it as not sent. False:
  // the store cannot be told, or not any more; or the mail is withheld now.
  virtual Task<bool> begin(const Mail& mail, std::uint32_t ahead) = 0;
  // The same, where it is not waited for.
  virtual void begin_soon(const Mail& mail, std::uint32_t ahead) = 0;
  // The mail of a suspect is about to be made and sent, which the store must know first. False: it
  // cannot be said, the mail is not to be sent.
  virtual Task<bool> begin_suspect(const Mail& mail) = 0;
  // The content of a mail that is sent at most once is about to go out, which the store must know
  // first: it is marked, until it is settled. False: as above.
  virtual Task<bool> begin_once(const Mail& mail) = 0;
  // Nothing of it went out: the mark goes, and it may be tried again. One that the store does not
  // take away now stays marked here.
  virtual Task<void> take_back(const Mail& mail) = 0;
  // A suspect that was begun has come through so far, and is not worked on for now.
  virtual Task<void> let_suspect_wait(const Mail& mail) = 0;
};

inline BatchInFlight::~BatchInFlight() {
  const std::size_t open = open_.load();
  if (open > 0) sink_.given_back(leased_, open, given_back_.load());
}

}  // namespace todoku::delivery
