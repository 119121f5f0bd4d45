// SPDX-License-Identifier: Apache-2.0
#include "delivery/feedback_id.h"

#include <gmock/gmock.h>

namespace todoku::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

store::Delivery bulk() {
  store::Delivery delivery{.account = store::AccountKey{3}, .id = 12, .type = DeliveryType::bulk};
  delivery.labels.purpose = Purpose::advertisement;
  return delivery;
}

TEST(FeedbackId, TellsDeliveryPurposeAccountAndInstallationApart) {
  const auto parts = feedback_id(bulk(), "example.jp");
  ASSERT_THAT(parts, SizeIs(4));
  EXPECT_THAT(parts, ElementsAre("a3d12", "advertisement", "a3", parts[3]));
  EXPECT_THAT(parts[3], SizeIs(12)) << "Gmail takes 5 to 15 characters";
  EXPECT_EQ(feedback_id(bulk(), "example.jp")[3], parts[3]);
  EXPECT_NE(feedback_id(bulk(), "example.com")[3], parts[3]);
}

TEST(FeedbackId, HasTheListWhereItFits) {
  store::Delivery delivery = bulk();
  delivery.labels.list_id = "news.example.jp";
  EXPECT_EQ(feedback_id(delivery, "example.jp")[1], "news.example.jp");
  for (const char* unfit : {"a:b", "a b", "\xE3\x81\x82"}) {
    delivery.labels.list_id = unfit;
    EXPECT_EQ(feedback_id(delivery, "example.jp")[1], "advertisement") << unfit;
  }
  delivery.labels.list_id = std::string(101, 'x');
  EXPECT_EQ(feedback_id(delivery, "example.jp")[1], "advertisement");
}

TEST(FeedbackId, IsBulksAlone) {
  store::Delivery delivery = bulk();
  delivery.type = DeliveryType::transaction;
  EXPECT_THAT(feedback_id(delivery, "example.jp"), IsEmpty());
  delivery.type = DeliveryType::smtp;
  EXPECT_THAT(feedback_id(delivery, "example.jp"), IsEmpty());
}

}  // namespace
}  // namespace todoku::delivery
