// SPDX-License-Identifier: Apache-2.0
#include "store/steering.h"

#include <gtest/gtest.h>

#include "store/store.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;

constexpr Instant kNow{std::chrono::milliseconds(1'800'000'000'000)};
constexpr SteeringRules kOneAnHour{.pace = Pace{.mails = 1, .per = 60min}, .quiet = {}};

Delivery bulk_of(std::int64_t recipients) {
  Delivery delivery;
  delivery.type = DeliveryType::bulk;
  delivery.counts.total = recipients;
  return delivery;
}

TEST(PaceTooSlow, IsToldBeforeTheStartByTheLifeThatItWillHave) {
  const Delivery draft = bulk_of(400);
  const auto slow = pace_too_slow(draft, kOneAnHour, 24h, kNow);
  ASSERT_TRUE(slow);
  EXPECT_EQ(slow->late, 376);
  EXPECT_EQ(slow->ends, kNow + 24h);
  EXPECT_FALSE(pace_too_slow(bulk_of(24), kOneAnHour, 24h, kNow));
  EXPECT_FALSE(pace_too_slow(draft, {}, 24h, kNow)) << "without a pace nothing is left over";
}

TEST(PaceTooSlow, OfAReservedOneTheLifeBeginsWithItsTime) {
  Delivery reserved = bulk_of(400);
  reserved.status = DeliveryStatus::reserve;
  reserved.reservation = kNow + 48h;
  EXPECT_EQ(pace_too_slow(reserved, kOneAnHour, 24h, kNow), (PaceTooSlow{376, kNow + 72h}));
  reserved.reservation = kNow - 1h;
  EXPECT_EQ(pace_too_slow(reserved, kOneAnHour, 24h, kNow), (PaceTooSlow{376, kNow + 24h}));
}

TEST(PaceTooSlow, OfOneThatGoesWhatIsLeftAndTheEndOfItsLifeCount) {
  Delivery going = bulk_of(400);
  going.status = DeliveryStatus::sending;
  going.counts.delivered = 390;
  going.expires = kNow + 4h;
  EXPECT_EQ(pace_too_slow(going, kOneAnHour, 24h, kNow), (PaceTooSlow{6, kNow + 4h}));
  going.status = DeliveryStatus::sent;
  EXPECT_FALSE(pace_too_slow(going, kOneAnHour, 24h, kNow)) << "it is over";
}

TEST(PaceTooSlow, ATransactionHasNoPace) {
  Delivery transaction = bulk_of(400);
  transaction.type = DeliveryType::transaction;
  EXPECT_FALSE(pace_too_slow(transaction, kOneAnHour, 24h, kNow));
}

}  // namespace
}  // namespace todoku::store
