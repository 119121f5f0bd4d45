// SPDX-License-Identifier: Apache-2.0
// Work on its way: what a courier holds in memory between the claim of a batch and its release.
//
//   claim_batches -> BatchInFlight (one per lease) -> Mail (one per recipient) -> lane ->
//   connection
//                                                        -> OutcomeSink (recorded or parked)
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "delivery/letter.h"
#include "store/types.h"

namespace todoku::delivery {

// One leased batch. Its recipients are read by many threads and changed by none; the tally of what
// became of them is locked.
class BatchInFlight {
 public:
  BatchInFlight(store::LeasedBatch leased, std::shared_ptr<const Letter> letter)
      : leased_(std::move(leased)), letter_(std::move(letter)), open_(leased_.recipients.size()) {}

  [[nodiscard]] const store::LeasedBatch& leased() const { return leased_; }
  [[nodiscard]] const Letter& letter() const { return *letter_; }
  [[nodiscard]] const std::shared_ptr<const Letter>& shared_letter() const { return letter_; }
  [[nodiscard]] const store::LeasedRecipient& recipient(std::uint32_t index) const {
    return leased_.recipients[index];
  }

  // Counts recipients as settled (outcome recorded or given back). True if these were the last.
  [[nodiscard]] bool settle(std::size_t recipients) {
    return open_.fetch_sub(recipients) == recipients;
  }
  [[nodiscard]] std::size_t open() const { return open_.load(); }

  // The batch is due again at the earliest of these, once all is settled.
  void due_again(Instant when) {
    const std::lock_guard lock(mutex_);
    if (!earliest_due_ || when < *earliest_due_) earliest_due_ = when;
  }
  [[nodiscard]] std::optional<Instant> earliest_due() const {
    const std::lock_guard lock(mutex_);
    return earliest_due_;
  }

 private:
  const store::LeasedBatch leased_;
  const std::shared_ptr<const Letter> letter_;
  std::atomic<std::size_t> open_;
  mutable std::mutex mutex_;
  std::optional<Instant> earliest_due_;
};

// One recipient's mail: a batch and a place in it.
struct Mail {
  std::shared_ptr<BatchInFlight> batch;
  std::uint32_t index = 0;

  [[nodiscard]] const store::LeasedRecipient& recipient() const { return batch->recipient(index); }
  [[nodiscard]] store::RecipientKey key() const {
    return {batch->leased().key.delivery, batch->leased().key.batch, recipient().seq};
  }
};

// Where lanes say what became of a mail. Thread-safe.
class OutcomeSink {
 public:
  virtual ~OutcomeSink() = default;

  // The mail was tried at `site` and this is what happened; the sink decides when a deferred one is
  // due again, or that its life time is over.
  virtual void settled(const Mail& mail, std::string_view site, Outcome outcome, Path path,
                       Milliseconds duration) = 0;
  // The mail was not tried: its site cannot take it now. Not an attempt; it waits in the store.
  virtual void parked(const Mail& mail, Instant until) = 0;

  // Outcomes that are known but not yet committed are what a crash would repeat: while too many
  // are, nothing may be sent (promise 3). False: wait for may_send_soon() and ask again.
  [[nodiscard]] virtual bool may_send() const = 0;
  // Returns after the next commit of outcomes; false if nothing will be sent any more.
  virtual Task<bool> may_send_soon() = 0;
};

}  // namespace todoku::delivery
