// SPDX-License-Identifier: Apache-2.0
// A node that may only be alone, and the clock by which the store's time runs.
#include <future>

#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::SizeIs;

NewNode sole(std::string name, bool succeeds = true) {
  return {.name = std::move(name),
          .roles = "test",
          .version = "0",
          .succeeds = succeeds,
          .alone = true};
}

// How many live.
std::size_t living(const std::vector<Node>& nodes) {
  return static_cast<std::size_t>(std::ranges::count(nodes, false, &Node::is_void));
}

TEST_P(StoreSuite, WhoMustBeAloneIsRefusedWhileAnotherLives) {
  const auto refused = write([](WriteTransaction& t) { return t.enter_node(sole("new")); });
  ASSERT_EQ(error_of(refused), "conflict");
  EXPECT_THAT(refused.error().detail, HasSubstr("the process of node ")) << "it is named";
  must(write([&](WriteTransaction& t) { return t.renew_node(me_); }));
  must(write([&](WriteTransaction& t) { return t.renew_node(other_); }));

  clock_.advance(kNodeLease + 1s);
  const NodeKey entered =
      must(write([](WriteTransaction& t) { return t.enter_node(sole("new")); }));
  for (const NodeKey lapsed : {me_, other_}) {
    EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.renew_node(lapsed); })),
              "conflict")
        << "who had lapsed can no more renew";
  }
  EXPECT_EQ(living(must(read([](ReadTransaction& t) { return t.nodes(); }))), 1U);
  must(write([&](WriteTransaction& t) { return t.renew_node(entered); }));
}

TEST_P(StoreSuite, WhoMustBeAloneTakesThePlaceOfItsPredecessorOnlyIfItSaysSo) {
  clock_.advance(kNodeLease + 1s);
  const NodeKey first = must(write([](WriteTransaction& t) { return t.enter_node(sole("one")); }));
  EXPECT_EQ(error_of(write([](WriteTransaction& t) { return t.enter_node(sole("one", false)); })),
            "conflict");
  must(write([&](WriteTransaction& t) { return t.renew_node(first); }));
  must(write([](WriteTransaction& t) { return t.enter_node(sole("one")); }));
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.renew_node(first); })), "conflict");
}

TEST_P(StoreSuite, OfSeveralThatMustBeAloneAndEnterAtOnceOneDoes) {
  clock_.advance(kNodeLease + 1s);
  std::vector<std::future<bool>> entering;
  for (int i = 0; i < 8; ++i) {
    entering.push_back(std::async(std::launch::async, [this, i] {
      const auto entered = write(
          [i](WriteTransaction& t) { return t.enter_node(sole("node" + std::to_string(i))); });
      if (!entered) EXPECT_EQ(error_of(entered), "conflict");
      return entered.has_value();
    }));
  }
  int count = 0;
  for (auto& each : entering) count += each.get() ? 1 : 0;
  EXPECT_EQ(count, 1);
}

TEST_P(StoreSuite, ItsClockTellsTheTimeThatIsStored) {
  EXPECT_EQ(account("one").created, store_->clock().now());
  clock_.advance(1h);
  EXPECT_EQ(account("two").created, store_->clock().now());
}

}  // namespace
}  // namespace todoku::store
