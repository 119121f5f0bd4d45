// SPDX-License-Identifier: Apache-2.0
#include "delivery/courier/holdings.h"

#include <algorithm>
#include <utility>

namespace todoku::delivery::courier {

std::shared_ptr<BatchInFlight> Holdings::take(store::LeasedBatch leased,
                                              std::shared_ptr<const Letter> letter,
                                              SteadyInstant asked) {
  const SteadyInstant expires = asked + leased.expires_in;
  std::shared_ptr<BatchInFlight> batch;
  try {
    batch =
        std::make_shared<BatchInFlight>(std::move(leased), std::move(letter), expires, recorder_);
  } catch (...) {
    // Without memory for it nothing was moved.
    recorder_.given_back(leased, leased.recipients.size(), GivenBack::failed);
    throw;
  }
  if (const auto open_for = batch->leased().open_for) {
    batch->close_at(clock_, asked + *open_for);
  }
  // Between the lease and now this process may have counted as dead.
  if (batch->leased().node != node_.key()) batch->lose();
  const std::lock_guard lock(mutex_);
  // Leased before its delivery was paused or stopped, or its credential held.
  if (is_held_back_locked(batch->leased())) batch->hold_back(true);
  const auto forgotten = forgotten_.find(batch->leased().key);
  if (forgotten != forgotten_.end() && batch->leased().token <= forgotten->second) {
    batch->lose();  // its answer came when nobody believed in it any more
    return batch;
  }
  std::weak_ptr<BatchInFlight>& known = batches_[batch->leased().key];
  if (const auto before = known.lock()) {
    // A batch is leased to nobody twice: one of these leases is over, the one with the lower token.
    if (before->leased().token > batch->leased().token) {
      batch->lose();
      return batch;
    }
    before->lose();
  }
  known = batch;
  // A weak reference keeps the memory of what it refers to: thousands of transactions a second must
  // not pile up until somebody asks for them.
  if (batches_.size() >= sweep_at_) sweep_locked();
  return batch;
}

void Holdings::sweep_locked() {
  constexpr std::size_t kSweepAtLeast = 1'024;
  std::erase_if(batches_, [](const auto& entry) { return entry.second.expired(); });
  sweep_at_ = std::max(kSweepAtLeast, 2 * batches_.size());
}

bool Holdings::is_held_back_locked(const store::LeasedBatch& batch) const {
  if (held_back_.deliveries.contains(batch.key.delivery)) return true;
  const auto steering = held_back_.steering.find(batch.key.delivery);
  if (steering != held_back_.steering.end() && batch.steering < steering->second) return true;
  if (!batch.credential.empty() && held_back_.credentials.contains(batch.credential)) return true;
  // Of a batch that domains share nothing is known.
  if (held_back_.receivers.empty() || batch.domain.empty() || !held_back_.site_of) return false;
  return held_back_.receivers.contains({batch.key.delivery, held_back_.site_of(batch.domain)});
}

void Holdings::hold_back(HeldBack held) {
  const std::lock_guard lock(mutex_);
  held_back_ = std::move(held);
  for (const auto& [key, weak] : batches_) {
    if (const auto batch = weak.lock()) batch->hold_back(is_held_back_locked(batch->leased()));
  }
}

std::vector<store::HeldBatch> Holdings::held() {
  std::vector<store::HeldBatch> held;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, weak] : batches_) {
    if (const auto batch = weak.lock()) held.push_back(batch->leased().held());
  }
  return held;
}

std::size_t Holdings::lost(const std::vector<store::HeldBatch>& batches) {
  std::size_t held = 0;
  const std::lock_guard lock(mutex_);
  for (const store::HeldBatch& gone : batches) {
    const auto found = batches_.find(gone.key);
    if (found == batches_.end()) continue;
    const auto batch = found->second.lock();
    // It may be over, or have been claimed anew meanwhile.
    if (!batch || batch->open() == 0 || batch->leased().held() != gone) continue;
    batch->lose();
    ++held;
  }
  return held;
}

bool Holdings::in_hand_locked(const store::HeldBatch& batch) const {
  const auto found = batches_.find(batch.key);
  if (found == batches_.end()) return false;
  const auto held = found->second.lock();
  return held && held->leased().token == batch.token;
}

std::vector<store::HeldBatch> Holdings::not_in_hand(const std::vector<store::HeldBatch>& batches) {
  std::vector<store::HeldBatch> missing;
  const std::lock_guard lock(mutex_);
  for (const store::HeldBatch& batch : batches) {
    if (!in_hand_locked(batch)) missing.push_back(batch);
  }
  return missing;
}

std::vector<store::HeldBatch> Holdings::forget(const std::vector<store::HeldBatch>& batches) {
  std::vector<store::HeldBatch> missing;
  missing.reserve(batches.size());
  const std::lock_guard lock(mutex_);
  for (const store::HeldBatch& batch : batches) {
    if (in_hand_locked(batch)) continue;
    forget_locked(batch);
    missing.push_back(batch);
  }
  return missing;
}

void Holdings::forget_locked(const store::HeldBatch& batch) {
  constexpr std::size_t kForgottenMax = 10'000;
  const auto [place, is_new] = forgotten_.insert_or_assign(batch.key, batch.token);
  if (!is_new) return;
  forgotten_in_order_.push_back(batch.key);
  if (forgotten_in_order_.size() <= kForgottenMax) return;
  forgotten_.erase(forgotten_in_order_.front());
  forgotten_in_order_.pop_front();
}

}  // namespace todoku::delivery::courier
