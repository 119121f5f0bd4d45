// SPDX-License-Identifier: Apache-2.0
// Who leads, and whose a source is, as the store has it.
#include <algorithm>
#include <future>
#include <set>

#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What nodes ask and say.
class Asking {
  template <class Work>
  auto write(Work work) {
    return store_.write_and_wait(WritePriority::accept, std::move(work));
  }

 public:
  explicit Asking(Store& store) : store_(store) {}

  Result<Leader> lead(NodeKey node) {
    return write([node](WriteTransaction& t) { return t.lead(node); });
  }
  std::optional<Leader> leader() {
    return must(store_.read_and_wait([](ReadTransaction& t) { return t.leader(); }));
  }
  [[nodiscard]] bool anybody_leads() { return leader().has_value(); }
  void stop_leading(NodeKey node) {
    must(write([node](WriteTransaction& t) { return t.stop_leading(node); }));
  }
  Result<SourceOwner> take(NodeKey node, std::string_view source) {
    return write([=](WriteTransaction& t) { return t.take_source(node, source); });
  }
  void give(NodeKey node, std::string_view source) {
    must(write([=](WriteTransaction& t) { return t.give_source(node, source); }));
  }
  // source:place, * if its owner counts as dead.
  std::vector<std::string> owners() {
    const auto all =
        must(store_.read_and_wait([](ReadTransaction& t) { return t.source_owners(); }));
    std::vector<std::string> told;
    for (const SourceOwner& owner : all) {
      told.push_back(owner.source + ":" + owner.name + (owner.is_void ? "*" : ""));
    }
    return told;
  }
  void renew(NodeKey node) {
    must(write([node](WriteTransaction& t) { return t.renew_node(node); }));
  }
  void leave(NodeKey node) {
    must(write([node](WriteTransaction& t) { return t.leave_node(node); }));
  }
  // Its lease has lapsed.
  void declare_dead(NodeKey node) {
    ASSERT_TRUE(must(write([node](WriteTransaction& t) { return t.void_node(node); })));
  }
  void offer_again(NodeKey node) {
    must(write([node](WriteTransaction& t) { return t.offer_again(node, 100); }));
  }

 private:
  Store& store_;
};

TEST_P(StoreSuite, ANodeSaysWhatItGoesByAndFromWhatItCouldSend) {
  const auto node_of = [&](NodeKey key) {
    const auto nodes = must(store_->read_and_wait([](ReadTransaction& t) { return t.nodes(); }));
    return *std::ranges::find(nodes, key, &Node::key);
  };
  const auto offer = [&](NodeKey key, std::vector<std::string> sources) {
    return store_->write_and_wait(
        WritePriority::accept, [=](WriteTransaction& t) { return t.offer_sources(key, sources); });
  };
  const NodeKey third = must(store_->write_and_wait(WritePriority::accept, [](WriteTransaction& t) {
    return t.enter_node({.name = "third", .settings = "a\tb\nc\td\n"});
  }));
  EXPECT_EQ(node_of(third).settings, "a\tb\nc\td\n");
  EXPECT_EQ(node_of(me_).settings, "");
  EXPECT_THAT(node_of(third).sources, IsEmpty());
  must(offer(third, {"mx1", "mx2"}));
  EXPECT_THAT(node_of(third).sources, ElementsAre("mx1", "mx2"));
  EXPECT_THAT(node_of(me_).sources, IsEmpty());
  must(offer(third, {"mx2"}));
  EXPECT_THAT(node_of(third).sources, ElementsAre("mx2"));
  EXPECT_EQ(error_of(offer(third, {"mx\n1"})), "invalid_input");
  Asking(*store_).leave(third);
  EXPECT_EQ(error_of(offer(third, {"mx1"})), "conflict");
}

TEST_P(StoreSuite, OneLeadsAndStaysForAsLongAsItRenews) {
  Asking ask(*store_);
  EXPECT_FALSE(ask.anybody_leads());
  const Leader first = must(ask.lead(me_));
  EXPECT_EQ(first.node, me_);
  EXPECT_EQ(first.name, "me");
  EXPECT_EQ(first.left, kLeadership);
  EXPECT_FALSE(first.is_void);
  clock_.advance(2s);
  const Leader seen = must(ask.lead(other_));
  EXPECT_EQ(seen.node, me_) << "the other is told who leads";
  EXPECT_EQ(seen.left, kLeadership - 2s);
  EXPECT_EQ(seen.until, first.until) << "and has renewed nothing";
  const Leader again = must(ask.lead(me_));
  EXPECT_EQ(again.left, kLeadership);
  EXPECT_EQ(again.token, first.token) << "the same reign";
  EXPECT_EQ(again.until, first.until + 2s);
  clock_.advance(kLeadership - 1ms);
  EXPECT_EQ(must(ask.lead(other_)).node, me_);
  clock_.advance(1ms);
  EXPECT_EQ(ask.leader()->left, 0ms);
  const Leader second = must(ask.lead(other_));
  EXPECT_EQ(second.node, other_);
  EXPECT_GT(second.token, first.token);
  EXPECT_EQ(must(ask.lead(me_)).node, other_) << "who was late has lost it";
}

TEST_P(StoreSuite, WhoLapsedAndWasNotFollowedGoesOn) {
  Asking ask(*store_);
  const Leader first = must(ask.lead(me_));
  clock_.advance(1h);
  EXPECT_EQ(must(ask.lead(me_)).token, first.token);
}

TEST_P(StoreSuite, WhatWasGivenUpIsFreeAtOnce) {
  Asking ask(*store_);
  const Leader first = must(ask.lead(me_));
  ask.stop_leading(other_);
  EXPECT_EQ(ask.leader()->node, me_) << "only by who leads";
  ask.stop_leading(me_);
  EXPECT_FALSE(ask.anybody_leads());
  const Leader second = must(ask.lead(other_));
  EXPECT_EQ(second.node, other_);
  EXPECT_GT(second.token, first.token);
  ask.stop_leading(other_);
  EXPECT_GT(must(ask.lead(other_)).token, second.token) << "another reign of the same";
}

TEST_P(StoreSuite, DeathAndLeavingEndAReign) {
  Asking ask(*store_);
  must(ask.lead(me_));
  clock_.advance(kNodeLease - kLeadership);
  must(ask.lead(me_));
  clock_.advance(kLeadership - 1ms);
  must(ask.lead(me_));
  ask.renew(other_);
  clock_.advance(1ms);
  ask.declare_dead(me_);
  EXPECT_TRUE(ask.leader()->is_void);
  EXPECT_EQ(error_of(ask.lead(me_)), "conflict") << "the dead do not lead";
  EXPECT_EQ(must(ask.lead(other_)).node, other_) << "though it was not over";
  ask.leave(other_);
  EXPECT_FALSE(ask.anybody_leads());
  EXPECT_EQ(error_of(ask.lead(other_)), "conflict");
  EXPECT_EQ(error_of(ask.lead(NodeKey{987'654})), "conflict");
  EXPECT_EQ(error_of(ask.lead(kNobody)), "conflict");
}

TEST_P(StoreSuite, ASourceIsOnes) {
  Asking ask(*store_);
  EXPECT_THAT(ask.owners(), IsEmpty());
  const SourceOwner mine = must(ask.take(me_, "a"));
  EXPECT_EQ(mine.node, me_);
  EXPECT_EQ(mine.source, "a");
  EXPECT_EQ(mine.name, "me");
  EXPECT_EQ(mine.left, kNodeLease);
  const SourceOwner told = must(ask.take(other_, "a"));
  EXPECT_EQ(told.node, me_);
  EXPECT_EQ(told.token, mine.token);
  EXPECT_EQ(must(ask.take(me_, "a")).token, mine.token) << "twice is once";
  must(ask.take(other_, "b"));
  EXPECT_THAT(ask.owners(), ElementsAre("a:me", "b:other"));
  ask.give(other_, "a");
  EXPECT_THAT(ask.owners(), ElementsAre("a:me", "b:other")) << "only by its owner";
  ask.give(me_, "a");
  EXPECT_THAT(ask.owners(), ElementsAre("b:other"));
  const SourceOwner theirs = must(ask.take(other_, "a"));
  EXPECT_EQ(theirs.node, other_);
  EXPECT_GT(theirs.token, mine.token);
}

TEST_P(StoreSuite, ASourceHangsOnItsNodesLease) {
  Asking ask(*store_);
  const SourceOwner before = must(ask.take(me_, "a"));
  clock_.advance(3s);
  ask.renew(me_);
  const SourceOwner after = must(ask.take(me_, "a"));
  EXPECT_EQ(after.until, before.until + 3s);
  EXPECT_EQ(after.left, kNodeLease);
  clock_.advance(1h);
  EXPECT_EQ(must(ask.take(other_, "a")).node, me_) << "a lapse alone frees nothing";
  EXPECT_LT(must(ask.take(other_, "a")).left, 0s);
}

TEST_P(StoreSuite, ADeadOwnersSourceIsSaidToBeVoidUntilItIsTaken) {
  Asking ask(*store_);
  const SourceOwner mine = must(ask.take(me_, "a"));
  must(ask.take(me_, "b"));
  clock_.advance(kNodeLease);
  ask.declare_dead(me_);
  EXPECT_THAT(ask.owners(), ElementsAre("a:me*", "b:me*"));
  EXPECT_EQ(error_of(ask.take(me_, "a")), "conflict");
  const SourceOwner theirs = must(ask.take(other_, "a"));
  EXPECT_EQ(theirs.node, other_);
  EXPECT_GT(theirs.token, mine.token);
  ask.offer_again(me_);
  EXPECT_THAT(ask.owners(), ElementsAre("a:other", "b:*"))
      << "also when nothing else is left of it";
  EXPECT_EQ(must(ask.take(other_, "b")).node, other_);
}

TEST_P(StoreSuite, WhoLeavesOrIsSucceededGivesAllUp) {
  Asking ask(*store_);
  must(ask.take(me_, "a"));
  must(ask.take(me_, "b"));
  must(ask.take(other_, "c"));
  must(ask.lead(me_));
  ask.leave(me_);
  EXPECT_THAT(ask.owners(), ElementsAre("c:other"));
  EXPECT_FALSE(ask.anybody_leads());
  must(ask.lead(other_));
  enter("other");
  EXPECT_THAT(ask.owners(), IsEmpty()) << "the other is known to be gone";
  EXPECT_FALSE(ask.anybody_leads());
}

TEST_P(StoreSuite, OfManyAtOnceOneTakes) {
  Asking ask(*store_);
  std::vector<NodeKey> nodes;
  for (int i = 0; i < 8; ++i) nodes.push_back(enter("node" + std::to_string(i)));
  std::vector<std::future<std::pair<NodeKey, NodeKey>>> asked;
  for (const NodeKey node : nodes) {
    asked.push_back(std::async(std::launch::async, [ask, node]() mutable {
      const auto leads = ask.lead(node);
      const auto owns = ask.take(node, "a");
      return std::pair(leads ? leads->node : kNobody, owns ? owns->node : kNobody);
    }));
  }
  std::set<std::pair<NodeKey, NodeKey>> answers;
  for (auto& each : asked) answers.insert(each.get());
  ASSERT_THAT(answers, SizeIs(1)) << "and all are told the same";
  EXPECT_NE(answers.begin()->first, kNobody);
  EXPECT_NE(answers.begin()->second, kNobody);
}

TEST_P(StoreSuite, ItIsKnownAfterACrash) {
  Asking ask(*store_);
  must(ask.lead(me_));
  must(ask.take(me_, "a"));
  crash();
  Asking again(*store_);
  EXPECT_EQ(again.leader()->node, me_);
  EXPECT_THAT(again.owners(), ElementsAre("a:me"));
}

}  // namespace
}  // namespace todoku::store
