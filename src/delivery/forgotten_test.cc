// SPDX-License-Identifier: Apache-2.0
#include "delivery/forgotten.h"

#include <gmock/gmock.h>

namespace todoku::delivery {
namespace {

using namespace std::chrono_literals;
using store::HeldBatch;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr store::NodeKey kMe{1};

HeldBatch batch(int number, std::uint64_t token = 1) {
  return {{store::DeliveryKey{number}, 0}, token};
}

class ForgottenTest : public ::testing::Test {
 protected:
  std::vector<HeldBatch> look(const std::vector<HeldBatch>& missing,
                              std::optional<SteadyInstant> performing_since = {}) {
    forgotten_.begin(kMe, now_, performing_since);
    forgotten_.missing(missing);
    return forgotten_.end();
  }
  SteadyInstant now_{1h};
  Forgotten forgotten_;
};

TEST_F(ForgottenTest, IsWhatIsMissingForAWhile) {
  EXPECT_THAT(look({batch(1)}), IsEmpty()) << "its answer may be on its way";
  EXPECT_TRUE(forgotten_.any());
  now_ += kTakenInHandWithin - 1ms;
  EXPECT_THAT(look({batch(1), batch(2)}), IsEmpty());
  now_ += 1ms;
  EXPECT_THAT(look({batch(1), batch(2)}), ElementsAre(batch(1)));
  now_ += kTakenInHandWithin;
  EXPECT_THAT(look({batch(1), batch(2)}), ElementsAre(batch(1), batch(2)))
      << "and stays so until it is not held any more";
}

TEST_F(ForgottenTest, IsNotWhatCameIntoHandBetween) {
  look({batch(1)});
  now_ += 1min;
  EXPECT_THAT(look({}), IsEmpty());
  EXPECT_FALSE(forgotten_.any());
  now_ += 1min;
  EXPECT_THAT(look({batch(1)}), IsEmpty()) << "it counts from now on";
}

TEST_F(ForgottenTest, IsNotAnotherLeaseOfTheSameBatch) {
  look({batch(1, 1)});
  now_ += 1min;
  EXPECT_THAT(look({batch(1, 2)}), IsEmpty());
}

TEST_F(ForgottenTest, IsNothingWhileTheStorePerformsWhatMayHaveLeasedIt) {
  const SteadyInstant began = now_ - 1s;
  look({batch(1)}, began);
  now_ += 100s;
  EXPECT_THAT(look({batch(1)}, began), IsEmpty()) << "a commit in doubt is pursued for long";
  now_ += 1s;
  EXPECT_THAT(look({batch(1)}, now_ - 1ms), ElementsAre(batch(1))) << "that is another one";
}

TEST_F(ForgottenTest, IsNothingThatAnotherNodeHeld) {
  look({batch(1)});
  now_ += 1min;
  forgotten_.begin(store::NodeKey{2}, now_, {});
  forgotten_.missing({batch(1)});
  EXPECT_THAT(forgotten_.end(), IsEmpty());
}

TEST_F(ForgottenTest, ALookThatWasNotFinishedTellsNothing) {
  look({batch(1), batch(2)});
  now_ += 1min;
  forgotten_.begin(kMe, now_, {});  // the store did not answer
  forgotten_.missing({batch(2)});
  now_ += 1s;
  EXPECT_THAT(look({batch(1), batch(2)}), ElementsAre(batch(1), batch(2)));
}

}  // namespace
}  // namespace todoku::delivery
