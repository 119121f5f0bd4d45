// SPDX-License-Identifier: Apache-2.0
// The other side of intake in a process that does not deliver: what is accepted waits in the store.
#pragma once

#include <string>
#include <string_view>

#include "base/check.h"
#include "delivery/key_ring.h"
#include "intake/intake.h"

namespace todoku::app::roles {

class LeftInStore final : public intake::Handover {
 public:
  // `keys` must outlive this object. `life_time`: of transactions.
  LeftInStore(delivery::KeyRing& keys, Milliseconds life_time)
      : keys_(keys), life_time_(life_time) {}

  // Whoever delivers it signs with the keys of its acceptance.
  [[nodiscard]] std::string signing_for(store::AccountKey account,
                                        std::string_view from_domain) override {
    return keys_.current(account, from_domain).pinned;
  }
  [[nodiscard]] Milliseconds life_time() const override { return life_time_; }
  [[nodiscard]] store::NodeKey holder(store::AccountKey) override { return store::kNobody; }
  void hand_over(store::Accepted) override {
    check(false, "nothing is handed over without a holder");
  }
  // Who delivers looks at the store by itself.
  void work_arrived() override {}

 private:
  delivery::KeyRing& keys_;
  const Milliseconds life_time_;
};

}  // namespace todoku::app::roles
