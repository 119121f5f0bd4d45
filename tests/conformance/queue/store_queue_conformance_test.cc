// SPDX-License-Identifier: Apache-2.0
// The suite on both stores, whose time the tests move.
#include "queue_conformance.h"
#include "store_side.h"
#include "support/shared_clock.h"

namespace todoku::queue {
namespace {

template <class Home>
class StoreHarness {
 public:
  static constexpr bool kBounded = false;
  static constexpr bool kRepeats = false;
  static constexpr bool kReceiptsExpire = true;

  std::shared_ptr<Queue> make(std::size_t /*capacity*/) { return side_.queue(); }
  [[nodiscard]] Milliseconds patience() const { return kAtOnce; }
  [[nodiscard]] Milliseconds visibility() const { return kVisible; }
  Task<void> pass(Milliseconds time) {
    co_await side_.catch_up();
    clock_.advance(time);
    side_.wake();
  }

 private:
  static constexpr Milliseconds kVisible = std::chrono::seconds(1);
  SharedClock clock_;
  Home home_{clock_};
  StoreSide side_{home_.store(), clock_, kVisible};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, QueueConformance, StoreHarness<SqliteHome>);
INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, QueueConformance, StoreHarness<PostgresHome>);

}  // namespace
}  // namespace todoku::queue
