// SPDX-License-Identifier: Apache-2.0
// That email ids of several processes are in the order of time but for kEmailBlockLife: the log is
// ordered by them alone (store/logs.h).
#include "store/postgres/ids.h"

#include <cstdlib>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "store/postgres/store_fixture.h"
#include "support/shared_clock.h"

namespace todoku::store {
namespace {

using ::testing::Gt;
using ::testing::Lt;

class IdsTest : public PostgresStoreTest {
 protected:
  void SetUp() override {
    first_ = open_on_clock();
    second_ = open_on_clock();
    acme_ = account(*first_).key;
  }
  [[nodiscard]] std::unique_ptr<PostgresStore> open_on_clock() {
    return must(PostgresStore::open(
        {.dial = {.address = database_.address(), .password = {}}, .clock = &clock_}));
  }
  // The email id of a mail that is accepted now.
  PublicId next_of(PostgresStore& store) {
    const auto accepted = must(store.perform_and_wait(acceptance(acme_, kNobody)));
    const auto key = static_cast<std::int64_t>(accepted.delivery.key);
    return std::atoll(
        database_.ask(fmt::format("SELECT first_email_id FROM batches WHERE number = {}", key))
            .c_str());
  }

  SharedClock clock_;
  std::unique_ptr<PostgresStore> first_;
  std::unique_ptr<PostgresStore> second_;
  AccountKey acme_{};
};

TEST_F(IdsTest, ABlockIsGivenUpSoThatIdsAreInTheOrderOfTime) {
  const PublicId early = next_of(*first_);
  const PublicId others = next_of(*second_);
  EXPECT_THAT(others, Gt(early));
  EXPECT_THAT(next_of(*first_), Lt(others)) << "its block is not old yet";
  clock_.advance(postgres::kEmailBlockLife);
  const PublicId late = next_of(*first_);
  EXPECT_THAT(late, Gt(others));
  clock_.advance(postgres::kEmailBlockLife);
  EXPECT_THAT(next_of(*second_), Gt(late));
}

// Who is alone goes on where it was, and takes no more than it needs.
TEST_F(IdsTest, WhoIsAloneLeavesNoGap) {
  PublicId last = next_of(*first_);
  for (int i = 0; i < 20; ++i) {
    clock_.advance(postgres::kEmailBlockLife);
    const PublicId next = next_of(*first_);
    EXPECT_EQ(next, last + 1);
    last = next;
  }
  const auto reserved = std::atoll(database_.ask("SELECT next_email_id FROM accounts").c_str());
  EXPECT_THAT(reserved - last, Lt(100));
}

}  // namespace
}  // namespace todoku::store
