// SPDX-License-Identifier: Apache-2.0
// The other side of intake in a process that does not deliver: what is accepted waits in the store.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "delivery/key_ring.h"
#include "intake/intake.h"

namespace todoku::app::roles {

class LeftInStore final : public intake::Handover {
 public:
  // `keys` must outlive this object.
  explicit LeftInStore(delivery::KeyRing& keys) : keys_(keys) {}

  // Whoever delivers it signs with the keys of its acceptance.
  [[nodiscard]] std::string signing_for(store::AccountKey account,
                                        std::string_view from_domain) override {
    return keys_.current(account, from_domain).pinned;
  }
  [[nodiscard]] std::optional<Lease> lease(store::AccountKey) override { return std::nullopt; }
  void hand_over(store::WriteTransaction::AcceptedTransaction, Content) override {
    check(false, "nothing is handed over without a lease");
  }
  // Who delivers looks at the store by itself.
  void work_arrived() override {}

 private:
  delivery::KeyRing& keys_;
};

}  // namespace todoku::app::roles
