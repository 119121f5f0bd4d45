// SPDX-License-Identifier: Apache-2.0
// Who may work on a batch, for how long, and what becomes of it afterwards.
#include <iterator>

#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::uint32_t> seqs(const LeasedBatch& lease) {
  std::vector<std::uint32_t> all;
  for (const LeasedRecipient& to : lease.recipients) all.push_back(to.seq);
  return all;
}

TEST_P(StoreSuite, WhatADeadNodeHeldIsOfferedAgainAndItsTokenIsFenced) {
  const Delivery sending = started(account().key, recipients(3, "example.jp"));
  const auto first = claim_all(sending.key, me_);
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].node, me_);
  clock_.advance(1h);
  EXPECT_THAT(due_keys(sending.key), IsEmpty()) << "only a death gives it to others";
  const OfferedAgain offered = bury(me_);
  EXPECT_EQ(offered.batches, 1);
  EXPECT_FALSE(offered.more);
  EXPECT_THAT(due_keys(sending.key), ElementsAre(first[0].key));

  const auto second = claim_all(sending.key, other_);
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_GT(second[0].token, first[0].token);
  EXPECT_THAT(second[0].recipients, SizeIs(3));
  EXPECT_EQ(error_of(release(first[0])), "conflict");
  EXPECT_THAT(
      must(read([&](ReadTransaction& t) { return t.lost_by(me_, std::vector{first[0].held()}); })),
      ElementsAre(first[0].held()));
  EXPECT_THAT(must(read([&](ReadTransaction& t) {
                return t.lost_by(other_, std::vector{second[0].held()});
              })),
              IsEmpty());
  // What the first holder found out is a fact all the same.
  EXPECT_EQ(record({outcome(first[0].key, 0, RecipientState::delivered)}).recorded, 1);
  EXPECT_EQ(get(sending.key).counts.delivered, 1);
}

TEST_P(StoreSuite, WhoRingsForATransactionHimselfLeavesItToTheSchedulerLater) {
  const AccountKey acme = account().key;
  Accept accept = acceptance(acme, recipients(2, "example.jp"));
  accept.holder = kNobody;
  accept.due_in = 5s;
  const Accepted accepted = must(store_->perform_and_wait(std::move(accept)));
  EXPECT_THAT(accepted.batches, IsEmpty());
  const BatchKey batch{accepted.delivery.key, 0};
  EXPECT_THAT(accepted.waiting, ElementsAre(batch));
  EXPECT_THAT(due_transactional(), IsEmpty());
  EXPECT_EQ(upcoming(), now() + 5s);
  // Whoever heard the bell has it at once.
  const auto leased = claim(me_, {batch});
  ASSERT_THAT(leased, SizeIs(1));
  EXPECT_THAT(seqs(leased[0]), ElementsAre(0, 1));
  clock_.advance(6s);
  EXPECT_THAT(due_transactional(), IsEmpty());
  // What somebody has had is claimed when it is due.
  must(release(leased[0], 5s));
  EXPECT_THAT(claim(me_, {batch}), IsEmpty());

  Accept unheard = acceptance(acme, recipients(1, "example.jp"));
  unheard.holder = NodeKey{987'654'321};
  unheard.due_in = 5s;
  const Accepted left = must(store_->perform_and_wait(std::move(unheard)));
  EXPECT_THAT(left.waiting, SizeIs(1)) << "a node that does not live holds nothing";
  clock_.advance(5s);
  EXPECT_THAT(due_transactional(), SizeIs(2));
}

TEST_P(StoreSuite, AClaimSaysWhetherTheNodeHasTheBatchAlready) {
  const Delivery sending = started(account().key, recipients(3, "example.jp"));
  const auto leased = claim_all(sending.key, me_);
  ASSERT_THAT(leased, SizeIs(1));
  const BatchKey held = leased[0].key;
  const BatchKey none{sending.key, held.batch + 1};
  const auto claim_both = [&](NodeKey node) {
    std::vector<std::string> errors;
    auto claimed =
        must(store_->perform_and_wait(Claim{.node = node, .batches = {held, none}})).batches;
    for (const auto& each : claimed) errors.emplace_back(error_of(each));
    return errors;
  };
  EXPECT_THAT(claim_both(me_), ElementsAre("conflict", "not_found"));
  EXPECT_THAT(claim_both(other_), ElementsAre("not_found", "not_found"));
  must(release(leased[0], 1h));
  EXPECT_THAT(claim_both(me_), ElementsAre("not_found", "not_found")) << "it is not due";
}

TEST_P(StoreSuite, ANodeLivesForAsLongAsItRenews) {
  const auto left = [&](NodeKey key) -> std::optional<Milliseconds> {
    for (const Node& node : must(read([](ReadTransaction& t) { return t.nodes(); }))) {
      if (node.key == key) return node.left;
    }
    return std::nullopt;
  };
  const auto renew = [&](NodeKey key) {
    return write([&](WriteTransaction& t) { return t.renew_node(key); });
  };
  const auto declare_dead = [&](NodeKey key) {
    return must(write([&](WriteTransaction& t) { return t.void_node(key); }));
  };
  EXPECT_EQ(left(me_), kNodeLease);
  clock_.advance(10s);
  EXPECT_FALSE(declare_dead(me_)) << "its lease has not lapsed";
  must(renew(me_));
  EXPECT_EQ(left(me_), kNodeLease);
  clock_.advance(kNodeLease + 1ms);
  EXPECT_EQ(left(me_), -1ms);
  must(renew(me_));
  EXPECT_FALSE(declare_dead(me_)) << "it was late, and nobody had taken anything";

  clock_.advance(kNodeLease);
  EXPECT_TRUE(declare_dead(me_));
  EXPECT_TRUE(declare_dead(me_)) << "twice is once";
  EXPECT_EQ(error_of(renew(me_)), "conflict");
  EXPECT_EQ(error_of(renew(NodeKey{987'654})), "conflict");
  bury(me_);
  EXPECT_EQ(left(me_), std::nullopt) << "it is gone when nothing is left of it";
}

TEST_P(StoreSuite, WhoEntersUnderANameSucceedsWhoHadIt) {
  const Delivery sending = started(account().key, recipients(2, "example.jp"));
  const auto old = claim_all(sending.key, me_);
  ASSERT_THAT(old, SizeIs(1));
  const NodeKey successor = enter("me");
  EXPECT_NE(successor, me_);
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.renew_node(me_); })), "conflict");
  const auto offered = must(write([&](WriteTransaction& t) { return t.offer_again(me_, 1'000); }));
  EXPECT_EQ(offered.batches, 1);
  EXPECT_THAT(claim_all(sending.key, successor), SizeIs(1));
  EXPECT_EQ(must(write([&](WriteTransaction& t) { return t.offer_again(other_, 10); })).batches, 0)
      << "who lives keeps what it has";
}

TEST_P(StoreSuite, KeysThatPointIntoAnotherDeliveryFindNothing) {
  const Account acme = account();
  const Delivery first = started(acme.key, {recipient("one")});
  const Delivery second = started(acme.key, {recipient("two")});
  const BatchKey theirs = due_keys(second.key).at(0);
  // What would be the same batch if a back end numbered batches across deliveries.
  const auto apart = static_cast<std::int64_t>(second.key) - static_cast<std::int64_t>(first.key);
  const BatchKey stray{first.key, static_cast<std::uint32_t>(apart + theirs.batch)};
  EXPECT_THAT(claim(me_, {stray}), IsEmpty());
  const auto leases = claim(me_, {theirs});
  ASSERT_THAT(leases, SizeIs(1));
  const auto settled = settle({outcome(stray, 0, RecipientState::delivered)},
                              {{.held = {stray, leases[0].token}, .not_before = {}}});
  EXPECT_FALSE(settled.outcomes.at(0));
  EXPECT_FALSE(settled.releases.at(0));
  EXPECT_EQ(get(second.key).counts.delivered, 0);
  EXPECT_TRUE(release(leases[0]));
}

TEST_P(StoreSuite, WhatANodeHoldsIsToldInPages) {
  const Account acme = account();
  std::vector<HeldBatch> mine;
  for (int i = 0; i < 5; ++i) {
    mine.push_back(accept(acme.key, {recipient("one")}).batches.at(0).held());
  }
  const Delivery sending = started(acme.key, {recipient("two")});
  const auto theirs = claim_all(sending.key, other_);
  ASSERT_THAT(theirs, SizeIs(1));
  const auto page = [&](NodeKey node, std::optional<BatchKey> after, std::int64_t limit) {
    return must(read([&](ReadTransaction& t) { return t.held_by(node, after, limit); }));
  };
  EXPECT_EQ(page(me_, {}, 10), mine);
  EXPECT_THAT(page(me_, {}, 2), ElementsAre(mine[0], mine[1]));
  EXPECT_THAT(page(me_, mine[1].key, 2), ElementsAre(mine[2], mine[3]));
  EXPECT_THAT(page(me_, mine[3].key, 2), ElementsAre(mine[4]));
  EXPECT_THAT(page(other_, {}, 10), ElementsAre(theirs[0].held()));
  must(release(theirs[0], 1h));
  EXPECT_THAT(page(other_, {}, 10), IsEmpty());
  EXPECT_THAT(page(kNobody, {}, 10), IsEmpty()) << "what nobody holds";
}

TEST_P(StoreSuite, WhatANodeHasForgottenIsDueAgainAndItsTokenIsFenced) {
  const auto give_back = [&](NodeKey node, const std::vector<HeldBatch>& held) {
    return must(write([&](WriteTransaction& t) { return t.give_back(node, held); }));
  };
  const Account acme = account();
  const LeasedBatch first = accept(acme.key, {recipient("one")}).batches.at(0);
  const LeasedBatch second = accept(acme.key, {recipient("two")}).batches.at(0);
  EXPECT_EQ(give_back(other_, {first.held()}).batches, 0) << "it is not theirs";
  EXPECT_EQ(give_back(me_, {{first.key, first.token + 1}}).batches, 0) << "nor that lease";
  EXPECT_THAT(due_transactional(), IsEmpty());
  EXPECT_EQ(give_back(me_, {first.held()}).batches, 1);
  EXPECT_EQ(give_back(me_, {first.held()}).batches, 0) << "twice is once";
  ASSERT_THAT(due_transactional(), SizeIs(1));
  EXPECT_EQ(error_of(release(first)), "conflict");
  const auto again = claim(me_, {first.key});
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_GT(again[0].token, first.token);
  EXPECT_THAT(again[0].recipients, SizeIs(1));
  EXPECT_FALSE(again[0].suspect);
  EXPECT_TRUE(release(second)) << "what was in hand stays";
}

TEST_P(StoreSuite, WhatWasForgottenIsDueWhenItsFirstRecipientIs) {
  const Delivery sending = started(account().key, recipients(2, "example.jp"));
  const LeasedBatch lease = claim_all(sending.key).at(0);
  record({outcome(lease.key, 0, RecipientState::delivered), deferral(lease.key, 1, after(60))});
  must(write([&](WriteTransaction& t) { return t.give_back(me_, std::vector{lease.held()}); }));
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
  clock_.advance(60s);
  EXPECT_THAT(due_keys(sending.key), ElementsAre(lease.key));
}

TEST_P(StoreSuite, WhatADeadNodeHeldIsOfferedInSlices) {
  const Account acme = account();
  for (int i = 0; i < 5; ++i) accept(acme.key, {recipient("one")});
  must(write([&](WriteTransaction& t) { return t.leave_node(me_); }));
  std::vector<std::int64_t> slices;
  bool more = true;
  while (more) {
    const auto offered = must(write([&](WriteTransaction& t) { return t.offer_again(me_, 2); }));
    slices.push_back(offered.batches);
    more = offered.more;
  }
  EXPECT_THAT(slices, ElementsAre(2, 2, 1));
  EXPECT_THAT(due_transactional(), SizeIs(5));
}

TEST_P(StoreSuite, ANodeWhoseLeaseHasLapsedIsGivenNothing) {
  const Account acme = account();
  const Delivery sending = started(acme.key, recipients(1, "example.jp"));
  const auto keys = due_keys(sending.key);
  const auto claim_now = [&](NodeKey node) {
    return error_of(store_->perform_and_wait(Claim{.node = node, .batches = keys}));
  };
  clock_.advance(kNodeLease);
  EXPECT_EQ(claim_now(me_), "conflict");
  EXPECT_EQ(claim_now(NodeKey{987'654}), "conflict");
  EXPECT_EQ(claim_now(kNobody), "conflict");
  EXPECT_THAT(due_keys(sending.key), SizeIs(1));

  // What is accepted for it is due for everybody at once.
  const auto accepted = must(store_->perform_and_wait(acceptance(acme.key, {recipient("one")})));
  EXPECT_THAT(accepted.batches, IsEmpty());
  EXPECT_EQ(accepted.content.subject, "News for __name__") << "the caller's content comes back";
  EXPECT_THAT(due_transactional(), SizeIs(1));
  EXPECT_THAT(claim(other_, {due_transactional()[0].key}), SizeIs(1));
}

TEST_P(StoreSuite, AReleasedBatchIsDueWhenItsFirstRecipientIs) {
  const Delivery sending = started(account().key, recipients(4, "example.jp"));
  const auto lease = claim_all(sending.key)[0];
  record({outcome(lease.key, 0, RecipientState::delivered), deferral(lease.key, 1, after(900)),
          deferral(lease.key, 2, after(300)), outcome(lease.key, 3, RecipientState::bounced)});
  const auto released = must(release(lease));
  EXPECT_FALSE(released.done);
  EXPECT_EQ(released.next, 300s);
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
  EXPECT_EQ(upcoming(sending.key), after(300));

  clock_.advance(300s);
  const auto again = claim_all(sending.key);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_THAT(seqs(again[0]), ElementsAre(2)) << "only who is due is handed out";
  EXPECT_EQ(again[0].recipients[0].attempts, 1);
  EXPECT_TRUE(again[0].recipients[0].deferred);
  EXPECT_EQ(again[0].expires_in, kLifeTime - 300s);
  record({outcome(lease.key, 2, RecipientState::delivered)});
  EXPECT_EQ(must(release(again[0])).next, 600s);
}

TEST_P(StoreSuite, OutcomesAndReleaseOfOneCallBelongTogether) {
  const Delivery sending = started(account().key, recipients(2, "example.jp"));
  const auto lease = claim_all(sending.key)[0];
  const auto settled =
      settle({deferral(lease.key, 0, after(60)), deferral(lease.key, 1, after(90))},
             {{.held = lease.held()}});
  ASSERT_TRUE(settled.releases[0]);
  EXPECT_EQ(settled.releases[0]->next, 60s);
  clock_.advance(60s);
  const auto again = claim_all(sending.key)[0];
  const auto done = settle({outcome(lease.key, 0, RecipientState::delivered),
                            outcome(lease.key, 1, RecipientState::bounced)},
                           {{.held = again.held()}});
  EXPECT_TRUE(done.releases[0]->done);
  EXPECT_THAT(done.finished, ElementsAre(sending.key));
}

TEST_P(StoreSuite, AReleasedBatchWithUntriedRecipientsIsDueAtOnceOrWhenParkingEnds) {
  const Delivery sending = started(account().key, recipients(2, "example.jp"));
  auto lease = claim_all(sending.key)[0];
  record({deferral(lease.key, 0, after(900))});
  EXPECT_EQ(must(release(lease)).next, 0s);
  lease = claim_all(sending.key)[0];
  EXPECT_THAT(seqs(lease), ElementsAre(1));
  EXPECT_EQ(must(release(lease, 30s)).next, 30s);
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
  clock_.advance(30s);
  EXPECT_THAT(due_keys(sending.key), SizeIs(1));
}

TEST_P(StoreSuite, ParkingEndsWithTheLifeOfTheDelivery) {
  const Delivery sending = started(account().key, recipients(1, "example.jp"));
  const auto lease = claim_all(sending.key)[0];
  EXPECT_EQ(must(release(lease, kLifeTime * 3)).next, kLifeTime) << "it is given up then";
}

TEST_P(StoreSuite, AReleasedLeaseIsOver) {
  const Delivery sending = started(account().key, recipients(1, "example.jp"));
  const auto lease = claim_all(sending.key)[0];
  must(release(lease));
  EXPECT_EQ(error_of(release(lease)), "conflict");
  LeasedBatch unknown = lease;
  unknown.key.batch += 77;
  EXPECT_EQ(error_of(release(unknown)), "not_found");
}

TEST_P(StoreSuite, WhatOneHasAnotherCannotClaim) {
  const Delivery sending = started(account().key, recipients(1, "example.jp"));
  const auto keys = due_keys(sending.key);
  EXPECT_THAT(claim(me_, keys), SizeIs(1));
  EXPECT_THAT(claim(other_, keys), IsEmpty());
  EXPECT_THAT(claim(me_, keys), IsEmpty()) << "nor its holder twice";
}

TEST_P(StoreSuite, UnknownOrUnstartedBatchesAreNotClaimedAndDoNotHarmOthers) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  append(made.key, recipients(2, "example.jp"));
  std::vector<BatchKey> keys;
  for (std::uint32_t batch = 0; batch < 5; ++batch) keys.push_back({made.key, batch});
  keys.push_back({DeliveryKey{98'765}, 0});
  EXPECT_THAT(claim(me_, keys), IsEmpty());
  const Delivery sending = started(acme.key, recipients(1, "example.com"));
  keys.push_back(due_keys(sending.key).at(0));
  EXPECT_THAT(claim(me_, keys), SizeIs(1));
}

TEST_P(StoreSuite, AClaimOfABatchWithoutDueRecipientsMovesItsDueTime) {
  const Delivery sending = started(account().key, recipients(2, "example.jp"));
  const auto lease = claim_all(sending.key)[0];
  const auto settled =
      settle({deferral(lease.key, 0, after(900)), deferral(lease.key, 1, after(900))},
             {{.held = lease.held()}});
  ASSERT_TRUE(settled.releases[0]);
  // Somebody rings too early, or late for what was settled meanwhile.
  EXPECT_THAT(claim(me_, {lease.key}), IsEmpty());
  EXPECT_EQ(upcoming(sending.key), after(900));
}

TEST_P(StoreSuite, ATransactionThatIsDeferredComesBackWhenDue) {
  const auto accepted = accept(account().key, {recipient("one"), recipient("two")});
  const LeasedBatch& lease = accepted.batches[0];
  EXPECT_EQ(lease.expires_in, kLifeTime);
  settle({outcome(lease.key, 0, RecipientState::delivered), deferral(lease.key, 1, after(120))},
         {{.held = lease.held()}});
  const auto due = [&] { return due_transactional(); };
  EXPECT_THAT(due(), IsEmpty());
  clock_.advance(120s);
  ASSERT_THAT(due(), SizeIs(1));
  EXPECT_EQ(due()[0].recipients, 1U);
  EXPECT_EQ(due()[0].traffic, TrafficClass::transactional);
  const auto claimed = claim(me_, {lease.key});
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_THAT(seqs(claimed[0]), ElementsAre(1));
}

TEST_P(StoreSuite, AClockThatLeapsTakesNothingFromWhoRenews) {
  const Delivery sending = started(account().key, recipients(1, "example.jp"));
  const auto lease = claim_all(sending.key)[0];
  clock_.jump(-24h);
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
  clock_.jump(48h);
  must(write([&](WriteTransaction& t) { return t.renew_node(me_); }));
  EXPECT_THAT(due_keys(sending.key), IsEmpty());
  EXPECT_FALSE(must(write([&](WriteTransaction& t) { return t.void_node(me_); })));
  EXPECT_EQ(record({outcome(lease.key, 0, RecipientState::delivered)}).recorded, 1);
  EXPECT_TRUE(must(release(lease)).done);
}

TEST_P(StoreSuite, ARetryWaitsNoLongerBecauseTheClockWasPutBack) {
  const auto accepted = accept(account().key, {recipient("one")});
  const LeasedBatch& lease = accepted.batches[0];
  settle({deferral(lease.key, 0, after(900))}, {{.held = lease.held()}});
  clock_.jump(-3h);
  clock_.advance(899s);
  EXPECT_THAT(due_transactional(), IsEmpty());
  clock_.advance(1s);
  EXPECT_THAT(due_transactional(), SizeIs(1));
  const auto claimed = claim(me_, {lease.key});
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_EQ(claimed[0].expires_in, kLifeTime - 900s) << "nor does a mail live longer";
}

TEST_P(StoreSuite, AReservationIsForTheCalendarWhateverTheClockDid) {
  const Delivery made = draft(account().key);
  append(made.key, {recipient("one")});
  must(write([&](WriteTransaction& t) { return t.commit_draft(made.key, after(3'600), {}); }));
  const auto to_start = [&] {
    return must(read([&](ReadTransaction& t) { return t.deliveries_to_start(10); }));
  };
  clock_.jump(-3h);
  clock_.advance(3'600s);
  EXPECT_THAT(to_start(), IsEmpty()) << "it is three hours to go by the clock on the wall";
  clock_.advance(3h);
  EXPECT_THAT(to_start(), SizeIs(1));
}

TEST_P(StoreSuite, ASuspendedAccountStartsNothing) {
  Account owner = account();
  const Account other = account("other");
  const auto suspend = [&](bool suspended) {
    owner.suspended = suspended;
    must(write([&](WriteTransaction& t) { return t.change_account(owner); }));
  };
  const auto to_start = [&] {
    return must(read([](ReadTransaction& t) { return t.deliveries_to_start(1); }));
  };
  const auto start = [&](DeliveryKey key) {
    return write([&](WriteTransaction& t) { return t.start_delivery(key, "", kLifeTime); });
  };
  const Delivery reserved = draft(owner.key);
  append(reserved.key, {recipient("one")});
  must(write([&](WriteTransaction& t) { return t.commit_draft(reserved.key, after(60), {}); }));
  const Delivery committed = draft(other.key);
  append(committed.key, {recipient("two")});
  must(write([&](WriteTransaction& t) { return t.commit_draft(committed.key, after(120), {}); }));
  suspend(true);
  clock_.advance(200s);
  ASSERT_THAT(to_start(), SizeIs(1));
  EXPECT_EQ(to_start().front().delivery.key, committed.key) << "others do not wait behind it";
  EXPECT_EQ(error_of(start(reserved.key)), "conflict");
  EXPECT_EQ(get(reserved.key).status, DeliveryStatus::reserve);
  must(start(committed.key));
  suspend(false);
  ASSERT_THAT(to_start(), SizeIs(1));
  must(start(reserved.key));
}

TEST_P(StoreSuite, OfASuspendedAccountNothingMoreIsTakenInHand) {
  Account owner = account();
  const Account other = account("other");
  const auto suspend = [&](bool suspended) {
    owner.suspended = suspended;
    must(write([&](WriteTransaction& t) { return t.change_account(owner); }));
  };
  const auto sending = [&] {
    std::vector<DeliveryKey> keys;
    for (const auto& each : must(read([](ReadTransaction& t) { return t.sending_bulk(); }))) {
      keys.push_back(each.key);
    }
    return keys;
  };
  const auto work = [&] {
    return must(read([&](ReadTransaction& t) { return t.work_of(owner.key); }));
  };
  const Delivery bulky = started(owner.key, recipients(1'200, "example.jp"));
  const Delivery others = started(other.key, recipients(3, "example.jp"));
  const LeasedBatch in_hand = claim(me_, {due_keys(bulky.key).at(0)}).at(0);
  const auto accepted = accept(owner.key, {recipient("one"), recipient("two")});
  const LeasedBatch& urgent = accepted.batches.at(0);
  settle({outcome(urgent.key, 0, RecipientState::delivered), deferral(urgent.key, 1, after(10))},
         {{.held = urgent.held()}});
  EXPECT_EQ(work().recipients, 1'201);
  EXPECT_EQ(work().deliveries, 2);
  EXPECT_EQ(work().in_hand, std::ssize(in_hand.recipients));
  EXPECT_FALSE(work().more);
  clock_.advance(10s);
  suspend(true);
  const auto suspended = must(read([](ReadTransaction& t) { return t.suspended_accounts(5); }));
  ASSERT_THAT(suspended, SizeIs(1));
  EXPECT_EQ(suspended[0].name, owner.name);
  EXPECT_TRUE(stories("user0@example.jp").at(1).account_suspended);
  EXPECT_THAT(sending(), ElementsAre(others.key));
  EXPECT_THAT(claim_all(bulky.key), IsEmpty()) << "a bell that was rung before";
  ASSERT_THAT(due_transactional(), SizeIs(1));
  EXPECT_THAT(claim(me_, {urgent.key}), IsEmpty());
  EXPECT_THAT(due_transactional(), IsEmpty()) << "it does not stand in the way of others";
  EXPECT_EQ(upcoming(), now() + kSuspendedWait);
  EXPECT_THAT(claim_all(others.key), SizeIs(1));
  settle({outcome(in_hand.key, 0, RecipientState::delivered)});
  EXPECT_EQ(work().recipients, 1'200) << "what is in hand goes on";

  suspend(false);
  EXPECT_THAT(must(read([](ReadTransaction& t) { return t.suspended_accounts(5); })), IsEmpty());
  EXPECT_THAT(sending(), ElementsAre(bulky.key, others.key));
  EXPECT_THAT(claim_all(bulky.key), SizeIs(2));
  clock_.advance(kSuspendedWait);
  ASSERT_THAT(due_transactional(), SizeIs(1));
  EXPECT_THAT(claim(me_, {urgent.key}), SizeIs(1));
}

TEST_P(StoreSuite, KnowsWhetherSomethingThatBeganBeforeIsNotOver) {
  const Account owner = account();
  const Account other = account("other");
  const auto begun_before = [&](Instant at) {
    return must(read([&](ReadTransaction& t) { return t.begun_before(owner.key, at); }));
  };
  clock_.advance(1h);
  const Instant first = now();
  const Accepted mail = accept(owner.key, {recipient("one")});
  const LeasedBatch in_hand = mail.batches.at(0);
  accept(other.key, {recipient("others")});
  clock_.advance(1h);
  const Instant second = now();
  const Delivery bulky = started(owner.key, recipients(2, "example.jp"));
  EXPECT_FALSE(begun_before(first)) << "nothing began before the first";
  EXPECT_TRUE(begun_before(first + 1s)) << "in hand";
  settle({deferral(in_hand.key, 0, after(10))}, {{.held = in_hand.held()}});
  EXPECT_TRUE(begun_before(second)) << "it waits for another attempt";
  clock_.advance(1h);
  const auto again = claim(me_, {in_hand.key});
  ASSERT_THAT(again, SizeIs(1));
  settle({outcome(in_hand.key, 0, RecipientState::delivered)}, {{.held = again[0].held()}});
  EXPECT_FALSE(begun_before(second)) << "what is another account's is not counted";
  EXPECT_TRUE(begun_before(second + 1s)) << "bulk that nobody has in hand";
  const LeasedBatch bulk = claim_all(bulky.key).at(0);
  settle({outcome(bulk.key, 0, RecipientState::delivered),
          outcome(bulk.key, 1, RecipientState::delivered)},
         {{.held = bulk.held()}});
  EXPECT_FALSE(begun_before(now() + 1h));
}

TEST_P(StoreSuite, ASuspendedAccountsMailIsGivenUpWhenItsLifeIsOver) {
  Account owner = account();
  const auto accepted = accept(owner.key, {recipient("one")});
  const LeasedBatch& urgent = accepted.batches.at(0);
  settle({deferral(urgent.key, 0, now() + kLifeTime - 30s)}, {{.held = urgent.held()}});
  const Delivery bulky = started(owner.key, recipients(3, "example.jp"));
  owner.suspended = true;
  must(write([&](WriteTransaction& t) { return t.change_account(owner); }));
  clock_.advance(kLifeTime - 30s);
  EXPECT_THAT(claim(me_, {urgent.key}), IsEmpty());
  EXPECT_EQ(upcoming(), now() + 30s) << "no later than the end of its life";
  clock_.advance(30s);
  const auto over = claim(me_, {urgent.key});
  ASSERT_THAT(over, SizeIs(1));
  EXPECT_LE(over[0].expires_in, 0ms);
  EXPECT_THAT(must(read([](ReadTransaction& t) { return t.sending_bulk(); })), SizeIs(1));
  EXPECT_THAT(claim_all(bulky.key), SizeIs(1));
}

TEST_P(StoreSuite, TwoNodesThatClaimTheSameAtOnceShareIt) {
  const Delivery sending = started(account().key, recipients(5'000, "example.jp"));
  const auto keys = due_keys(sending.key);
  ASSERT_THAT(keys, SizeIs(10));
  std::vector<Result<Claimed>> claimed(2);
  std::thread other(
      [&] { claimed[1] = store_->perform_and_wait(Claim{.node = other_, .batches = keys}); });
  claimed[0] = store_->perform_and_wait(Claim{.node = me_, .batches = keys});
  other.join();
  std::size_t leased = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const bool one = must(claimed[0]).batches[i].has_value();
    const bool two = must(claimed[1]).batches[i].has_value();
    EXPECT_NE(one, two) << "exactly one of them has it";
    leased += (one ? 1U : 0U) + (two ? 1U : 0U);
  }
  EXPECT_EQ(leased, 10U);
}

TEST_P(StoreSuite, QueueFiguresFollowTheWork) {
  const Account acme = account();
  const auto figures = [&](TrafficClass traffic) {
    const auto all = must(read([&](ReadTransaction& t) { return t.queue_figures(); }));
    for (const QueueFigures& entry : all) {
      if (entry.traffic == traffic) return entry;
    }
    return QueueFigures{};
  };
  const auto accepted = accept(acme.key, {recipient("one"), recipient("two")});
  const Delivery sending = started(acme.key, recipients(5, "example.jp"));
  draft(acme.key);
  EXPECT_EQ(figures(TrafficClass::transactional).waiting, 2);
  EXPECT_EQ(figures(TrafficClass::transactional).oldest, std::nullopt) << "somebody works on it";
  EXPECT_EQ(figures(TrafficClass::transactional).ready, 0);
  EXPECT_EQ(figures(TrafficClass::bulk).ready, 5);
  EXPECT_EQ(figures(TrafficClass::bulk).waiting, 5);
  clock_.advance(7s);
  EXPECT_EQ(figures(TrafficClass::bulk).oldest, 7s);
  const auto suspend = [&](bool suspended) {
    Account changed = acme;
    changed.suspended = suspended;
    must(write([&](WriteTransaction& t) { return t.change_account(changed); }));
  };
  suspend(true);
  EXPECT_EQ(figures(TrafficClass::bulk).oldest, std::nullopt) << "nobody is to work on it";
  suspend(false);
  const auto lease = claim_all(sending.key)[0];
  EXPECT_EQ(figures(TrafficClass::bulk).oldest, std::nullopt);
  record({outcome(lease.key, 0, RecipientState::delivered), deferral(lease.key, 1, after(10)),
          outcome(accepted.batches[0].key, 0, RecipientState::bounced)});
  EXPECT_EQ(figures(TrafficClass::transactional).waiting, 1);
  EXPECT_EQ(figures(TrafficClass::bulk).waiting, 4);
  EXPECT_EQ(figures(TrafficClass::bulk).ready, 3) << "one waits for its time, not for a courier";
  reopen();
  EXPECT_EQ(figures(TrafficClass::transactional).waiting, 1);
  EXPECT_EQ(figures(TrafficClass::bulk).waiting, 4);
  Accept left = acceptance(acme.key, {recipient("three"), recipient("four")});
  left.holder = kNobody;
  must(store_->perform_and_wait(std::move(left)));
  clock_.advance(10s);
  EXPECT_EQ(figures(TrafficClass::transactional).ready, 2) << "nobody has them";
  must(write([&](WriteTransaction& t) { return t.delete_delivery(sending.key); }));
  EXPECT_EQ(figures(TrafficClass::bulk).waiting, 0);
  record({outcome(lease.key, 2, RecipientState::delivered)});
  EXPECT_EQ(figures(TrafficClass::bulk).waiting, 0);
}

}  // namespace
}  // namespace todoku::store
