// SPDX-License-Identifier: Apache-2.0
// For tests of couriers: a store that nobody but the tested is to ask. What a test is about, it
// answers itself.
#pragma once

#include "base/clock.h"
#include "delivery/node_lease.h"
#include "store/store.h"

namespace todoku::delivery::courier {

class RefusingStore : public store::Store {
 public:
  void submit(store::Settle, store::Answered<store::Settle> done) override { done(no()); }
  void submit(store::Accept, store::Answered<store::Accept> done) override { done(no()); }
  void submit(store::Claim, store::Answered<store::Claim> done) override { done(no()); }
  void submit(store::StageRows, store::Answered<store::StageRows> done) override { done(no()); }
  void submit(store::Due, store::Answered<store::Due> done) override { done(no()); }
  void submit(store::BellWork, store::Answered<store::BellWork> done) override { done(no()); }
  void submit_write(store::WritePriority, store::WriteWork, store::Done done) override {
    done(no());
  }
  void submit_read(store::ReadWork, store::Done done) override { done(no()); }
  [[nodiscard]] store::StoreFigures figures() const override { return {}; }
  [[nodiscard]] const Clock& clock() const override { return clock_; }
  void close() override {}

 private:
  static std::unexpected<Error> no() { return fail(ErrorKind::unavailable, "nobody asks here"); }
  FakeClock clock_;
};

// Of node 1.
class FixedLease final : public NodeLease {
 public:
  [[nodiscard]] store::NodeKey key() const override { return store::NodeKey{1}; }
  [[nodiscard]] bool holds() const override { return held; }
  void renew_soon() override {}
  bool held = true;
};

}  // namespace todoku::delivery::courier
