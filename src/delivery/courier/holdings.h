// SPDX-License-Identifier: Apache-2.0
// What this process holds of the store's work: each batch that was leased to it, from when it
// learns of the lease until nobody here works on it any more. There is one way back: the last
// reference to a batch is dropped, and what is open goes to the recorder, which releases it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "delivery/courier/outcome_recorder.h"
#include "delivery/letter.h"
#include "delivery/node.h"
#include "delivery/node_lease.h"
#include "delivery/work.h"
#include "store/rates.h"

namespace todoku::delivery::courier {

// Thread-safe.
class Holdings final : public BatchHolder {
 public:
  // Everything given outlives it and the batches.
  Holdings(OutcomeRecorder& recorder, const NodeLease& node, const Clock& clock)
      : recorder_(recorder), node_(node), clock_(clock) {}

  // A batch that has just been leased to this process; it is held from here on, and goes back even
  // if this throws. A null letter may come later. `asked`: not later than the store counted for how
  // long it may be begun.
  [[nodiscard]] std::shared_ptr<BatchInFlight> take(store::LeasedBatch leased,
                                                    std::shared_ptr<const Letter> letter,
                                                    SteadyInstant asked);
  [[nodiscard]] std::shared_ptr<BatchInFlight> take(store::LeasedBatch leased,
                                                    std::shared_ptr<const Letter> letter) {
    return take(std::move(leased), std::move(letter), clock_.steady_now());
  }

  // What nothing may be begun of now: all there is, each time.
  struct HeldBack {
    std::set<store::DeliveryKey> deliveries;
    std::set<std::string> credentials;  // what came by SMTP with one of these
    // Bulk at a receiver (store/rates.h), and whose site a batch's domain is; empty: not known.
    std::set<store::HeldReceiver> receivers = {};
    std::function<std::string(std::string_view domain)> site_of = {};
    // What was leased by an older word of its sender's (store/steering.h).
    std::map<store::DeliveryKey, std::int64_t> steering = {};
  };
  void hold_back(HeldBack held);

  // BatchHolder
  [[nodiscard]] std::vector<store::HeldBatch> held() override;
  std::size_t lost(const std::vector<store::HeldBatch>& batches) override;
  [[nodiscard]] std::vector<store::HeldBatch> not_in_hand(
      const std::vector<store::HeldBatch>& batches) override;
  [[nodiscard]] std::vector<store::HeldBatch> forget(
      const std::vector<store::HeldBatch>& batches) override;
  void given_back(const std::vector<store::HeldBatch>& batches) override {
    recorder_.given_back(batches);
  }
  void may_begin_again() override { recorder_.may_begin_again(); }

 private:
  void sweep_locked();
  [[nodiscard]] bool is_held_back_locked(const store::LeasedBatch& batch) const;
  [[nodiscard]] bool in_hand_locked(const store::HeldBatch& batch) const;
  void forget_locked(const store::HeldBatch& batch);

  OutcomeRecorder& recorder_;
  const NodeLease& node_;
  const Clock& clock_;
  std::mutex mutex_;  // guards what follows
  // The newest lease of each batch: whoever holds an older one has lost it.
  std::map<store::BatchKey, std::weak_ptr<BatchInFlight>> batches_;
  std::size_t sweep_at_ = 1'024;
  HeldBack held_back_;
  // The newest lease of each that was given back unseen. They are few, and only the newest are
  // kept: an answer is not on its way for so long.
  std::map<store::BatchKey, std::uint64_t> forgotten_;
  std::deque<store::BatchKey> forgotten_in_order_;
};

}  // namespace todoku::delivery::courier
