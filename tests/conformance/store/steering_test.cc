// SPDX-License-Identifier: Apache-2.0
// How bulk deliveries are to go by their senders' word (store/steering.h).
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What is said to a store, and asked of it.
class Words {
 public:
  explicit Words(Store& store) : store_(store) {}

  Result<bool> say(DeliveryKey key, const SteeringChange& change) {
    return store_.write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
      return change_steering(t, key, change, {});
    });
  }
  Steering of(DeliveryKey key) {
    return must(store_.read_and_wait([&](ReadTransaction& t) { return t.steering(key); }));
  }
  PaceTaken take(DeliveryKey key, std::int64_t want) {
    return must(store_.write_and_wait(WritePriority::claims,
                                      [&](WriteTransaction& t) { return t.take_pace(key, want); }));
  }
  void move(DeliveryKey key) {
    must(store_.write_and_wait(WritePriority::claims,
                               [&](WriteTransaction& t) { return t.move_window(key); }));
  }
  SendingDelivery sending(DeliveryKey key) {
    for (const auto& each :
         must(store_.read_and_wait([](ReadTransaction& t) { return t.sending_bulk(); }))) {
      if (each.key == key) return each;
    }
    return {};
  }
  std::int64_t revision(DeliveryKey key) {
    for (const auto& each :
         must(store_.read_and_wait([](ReadTransaction& t) { return t.steering_revisions(10); }))) {
      if (each.delivery == key) return each.revision;
    }
    return 0;
  }

 private:
  Store& store_;
};

// Quiet for an hour that begins `in` minutes from the store's now.
QuietHours quiet_in(Instant now, std::chrono::minutes in) {
  const auto of_day = std::chrono::floor<std::chrono::minutes>((now + in).time_since_epoch() %
                                                               std::chrono::hours(24));
  return {.from = of_day, .until = (of_day + 1h) % std::chrono::hours(24), .zone = "UTC"};
}

TEST_P(StoreSuite, NothingIsLeasedInQuietHoursAndALeaseEndsWithThem) {
  const Account acme = account();
  Words words(*store_);
  const Delivery bulky = started(acme.key, recipients(3, "example.jp"));
  const std::vector<BatchKey> keys = due_keys(bulky.key);
  const QuietHours soon = quiet_in(now(), 10min);
  EXPECT_TRUE(must(words.say(bulky.key, {.quiet = soon})));
  EXPECT_FALSE(must(words.say(bulky.key, {.quiet = soon}))) << "it was said before";
  EXPECT_EQ(words.of(bulky.key).rules.quiet, soon);
  EXPECT_EQ(steered_pause(words.of(bulky.key), now()), std::nullopt);
  const auto leased = claim(me_, keys);
  ASSERT_THAT(leased, SizeIs(1));
  ASSERT_TRUE(leased[0].open_for);
  EXPECT_GT(*leased[0].open_for, 8min);
  EXPECT_LE(*leased[0].open_for, 10min);
  EXPECT_EQ(leased[0].steering, words.revision(bulky.key));
  must(release(leased[0]));

  // They have begun: nobody has told yet when the next ones are, and nothing is leased.
  clock_.advance(11min);
  EXPECT_THAT(claim(me_, keys), IsEmpty());
  EXPECT_LT(words.sending(bulky.key).open_for.value(), 0ms);
  words.move(bulky.key);
  EXPECT_THAT(claim(me_, keys), IsEmpty());
  const auto oldest = [&] {
    return must(read([](ReadTransaction& t) { return t.queue_figures(); })).at(1).oldest;
  };
  EXPECT_EQ(oldest(), std::nullopt) << "nobody has to mend that";
  const SendingDelivery waiting = words.sending(bulky.key);
  EXPECT_GT(waiting.waits, 45min);
  EXPECT_LE(waiting.waits, 1h);
  const auto pause = steered_pause(words.of(bulky.key), now());
  ASSERT_TRUE(pause);
  EXPECT_EQ(pause->why, SteeredWait::quiet_hours);
  EXPECT_EQ(pause->until, words.of(bulky.key).open.value().from);

  clock_.advance(1h);
  EXPECT_LE(words.sending(bulky.key).waits, 0ms);
  EXPECT_LE(oldest().value(), 10min) << "it waits since they are over";
  EXPECT_THAT(claim(me_, keys), SizeIs(1));
}

TEST_P(StoreSuite, QuietHoursThatAreTakenAwayHoldNothingBack) {
  const Account acme = account();
  Words words(*store_);
  const Delivery bulky = started(acme.key, recipients(3, "example.jp"));
  must(words.say(bulky.key, {.quiet = quiet_in(now(), -10min)}));
  EXPECT_THAT(claim_all(bulky.key), IsEmpty());
  const std::int64_t before = words.revision(bulky.key);
  EXPECT_TRUE(must(words.say(bulky.key, {.quiet = std::optional<QuietHours>()})));
  EXPECT_GT(words.revision(bulky.key), before);
  const auto leased = claim_all(bulky.key);
  ASSERT_THAT(leased, SizeIs(1));
  EXPECT_EQ(leased[0].open_for, std::nullopt);
}

TEST_P(StoreSuite, WhatWaitsForTheEndOfQuietHoursIsGivenUpWhenItsLifeIsOver) {
  const Account acme = account();
  Words words(*store_);
  const Delivery bulky = started(acme.key, recipients(3, "example.jp"));
  clock_.advance(kLifeTime + 1s);
  must(words.say(bulky.key, {.quiet = quiet_in(now(), -10min)}));
  const auto leased = claim_all(bulky.key);
  ASSERT_THAT(leased, SizeIs(1));
  EXPECT_LT(leased[0].expires_in, 0ms);
}

TEST_P(StoreSuite, APaceIsTakenFromWhateverNodeAsksAndSurvivesACrash) {
  const Account acme = account();
  Words words(*store_);
  const Delivery bulky = started(acme.key, recipients(300, "example.jp"));
  EXPECT_EQ(words.take(bulky.key, 300).granted, 300) << "nobody has said how fast";
  const Pace pace{600, 1min};
  EXPECT_TRUE(must(words.say(bulky.key, {.pace = pace})));
  const auto leased = claim_all(bulky.key);
  ASSERT_THAT(leased, SizeIs(1));
  EXPECT_TRUE(leased[0].has_pace);
  EXPECT_EQ(words.sending(bulky.key).pace, pace);
  EXPECT_LE(words.sending(bulky.key).waits, 0ms);

  const PaceTaken first = words.take(bulky.key, 300);
  EXPECT_EQ(first.granted, block_of(pace));
  crash();
  Words after(*store_);
  EXPECT_LE(after.take(bulky.key, 300).granted, 1);
  EXPECT_GT(after.sending(bulky.key).waits, 0ms);
  const auto pause = steered_pause(after.of(bulky.key), now());
  ASSERT_TRUE(pause);
  EXPECT_EQ(pause->why, SteeredWait::pace);
  EXPECT_GT(pause->until - now(), 500ms) << "until there is a block, not a single mail";
  clock_.advance(1min);
  EXPECT_EQ(after.take(bulky.key, 300).granted, block_of(pace));

  // Another word while it goes out: what was taken counts on.
  EXPECT_TRUE(must(after.say(bulky.key, {.pace = Pace{60'000, 1min}})));
  clock_.advance(1min);
  EXPECT_GT(after.take(bulky.key, 10'000).granted, block_of(pace));
  EXPECT_TRUE(must(after.say(bulky.key, {.pace = std::optional<Pace>()})));
  EXPECT_EQ(after.take(bulky.key, 10'000).granted, 10'000);
}

TEST_P(StoreSuite, OnlyBulkThatIsNotOverIsTold) {
  const Account acme = account();
  Words words(*store_);
  const SteeringChange slow{.pace = Pace{1, 60min}};
  const Delivery early = draft(acme.key);
  EXPECT_TRUE(must(words.say(early.key, slow)));
  EXPECT_EQ(words.of(early.key).rules.pace, (Pace{1, 60min}));
  EXPECT_EQ(words.revision(early.key), 0) << "it does not go out";
  const Accepted urgent = accept(acme.key, recipients(1, "example.jp"));
  EXPECT_EQ(words.say(urgent.delivery.key, slow).error().kind, ErrorKind::conflict);
  const Delivery bulky = started(acme.key, recipients(1, "example.jp"));
  must(write([&](WriteTransaction& t) { return t.steer_delivery(bulky.key, Course::stopped); }));
  EXPECT_EQ(words.say(bulky.key, slow).error().kind, ErrorKind::conflict);
  EXPECT_EQ(words.say(DeliveryKey{987'654}, slow).error().kind, ErrorKind::not_found);
}

TEST_P(StoreSuite, AMailThatIsSentOnceMoreAndTheFirstNameEachOther) {
  const Account acme = account();
  const Delivery first = draft(acme.key);
  const std::vector<PublicId> emails = append(first.key, {recipient("one"), recipient("two")});
  const Delivery again = draft(acme.key);
  const Delivery third = draft(acme.key);
  must(write([&](WriteTransaction& t) -> Result<void> {
    must(t.note_resend(again.key, acme.key, emails[0]));
    return t.note_resend(third.key, acme.key, emails[0]);
  }));
  const auto of = [&](DeliveryKey key) {
    return must(read([&](ReadTransaction& t) { return t.resend_of(key); }));
  };
  const auto later = [&](PublicId email) {
    return must(read([&](ReadTransaction& t) { return t.resends_of(acme.key, email, 10); }));
  };
  EXPECT_EQ(of(again.key), emails[0]);
  EXPECT_EQ(of(first.key), std::nullopt);
  EXPECT_THAT(later(emails[0]), ElementsAre(third.id, again.id));
  EXPECT_THAT(later(emails[1]), IsEmpty());
  must(write([&](WriteTransaction& t) { return t.delete_delivery(third.key); }));
  EXPECT_THAT(later(emails[0]), ElementsAre(again.id));
}

}  // namespace
}  // namespace todoku::store
