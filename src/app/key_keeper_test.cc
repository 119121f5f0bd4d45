// SPDX-License-Identifier: Apache-2.0
#include "app/key_keeper.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/child_process.h"
#include "async/yield.h"
#include "support/failing_store.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;
using operate::SlotFault;
using operate::SlotStage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kZone = "dkim.example.com";

class KeyKeeperTest : public testing::Test {
 protected:
  template <class Work>
  auto write(Work work) {
    return installation_.store->write_and_wait(store::WritePriority::accept, std::move(work))
        .value();
  }
  template <class Work>
  auto read(Work work) {
    return installation_.store->read_and_wait(std::move(work)).value();
  }
  void SetUp() override {
    account_ = write([](store::WriteTransaction& t) { return t.create_account("acme"); }).key;
    add_new_domain("example.jp");
  }
  operate::KeySlots slots() {
    const auto row =
        read([&](store::ReadTransaction& t) { return t.key_slots_of(account_, "example.jp"); });
    return operate::unpack_slots(row->state).value();
  }
  std::vector<std::string> signing() {
    std::vector<std::string> selectors;
    for (const store::DkimKey& key :
         read([](store::ReadTransaction& t) { return t.dkim_keys({}, 100); })) {
      selectors.push_back(key.selector);
    }
    return selectors;
  }
  std::string selector(std::string_view end) {
    return "td" + std::to_string(static_cast<std::int64_t>(account_)) + std::string(end);
  }
  // While one look is under way others may begin.
  Task<KeysSeen> seen() {
    most_looks_ = std::max(most_looks_, ++looks_);
    for (int i = 0; i < 200; ++i) co_await async::give_way();
    --looks_;
    co_return seen_;
  }
  void add_new_domain(const std::string& domain) {
    operate::KeySlots slots;
    slots.zone = kZone;
    store::KeySlotsRow row{.account = account_, .domain = domain};
    row.look = installation_.clock.now();
    row.state = operate::pack_slots(slots);
    ASSERT_TRUE(write([&](store::WriteTransaction& t) { return t.put_key_slots(row); }));
  }
  // One round of a process that has just begun.
  Task<Result<std::size_t>> look_of_new_process() {
    const auto executor = co_await boost::asio::this_coro::executor;
    KeyKeeper keeper({.store = store_,
                      .clock = installation_.clock,
                      .metrics = metrics_,
                      .box = box_,
                      .files = files_,
                      .forget_answers = [] {},
                      .look =
                          [this](KeyLook look) {
                            looked_for_ = std::move(look);
                            return seen();
                          },
                      .write_file = [this](std::string_view text) -> Result<void> {
                        file_ = text;
                        return {};
                      },
                      .run_hook = [this](std::string_view update) -> Result<void> {
                        updates_.emplace_back(update);
                        if (hook_fails_)
                          return fail(ErrorKind::unavailable, "its exit status is 2");
                        return {};
                      },
                      .changed = []() -> Task<Result<void>> { co_return Result<void>{}; }},
                     {.terms = {.zone = kZone, .name_servers = {"ns1.example.com"}, .ttl = 60},
                      .pace = {.settle = 1min, .every = 0h},
                      .writes_file = true,
                      .hook_most = 5s,
                      .alone = false},
                     executor);
    co_return co_await keeper.look();
  }
  void look() { ASSERT_TRUE(run(look_of_new_process())); }
  void pass(auto time) {
    installation_.clock.advance(time);
    look();
    look();
  }

  TestStore installation_;
  FailingStore store_{*installation_.store};
  Metrics metrics_;
  const SecretBox box_{MasterKey::generate()};
  async::FilePool files_{{.threads = 1}};
  store::AccountKey account_{};
  KeysSeen seen_;
  int looks_ = 0;       // under way
  int most_looks_ = 0;  // at once
  KeyLook looked_for_;
  bool hook_fails_ = false;
  std::string file_;
  std::vector<std::string> updates_;
};

TEST_F(KeyKeeperTest, ANewKeySignsOnceItIsSeenAndSettled) {
  look();
  EXPECT_EQ(slots().slots[0].stage, SlotStage::published);
  EXPECT_TRUE(slots().slots[0].in_zone);
  ASSERT_THAT(updates_, SizeIs(1));
  EXPECT_THAT(updates_[0], HasSubstr("update add " + selector("ra.example.jp.dkim.example.com.")));
  EXPECT_THAT(file_, HasSubstr(selector("ea.example.jp.dkim.example.com. 60 IN TXT")));
  seen_ = {SlotFault::alias_missing, "ns1.example.jp"};
  look();
  EXPECT_EQ(looked_for_.domain, "example.jp");
  EXPECT_THAT(looked_for_.keys, SizeIs(2));
  EXPECT_EQ(slots().fault, SlotFault::alias_missing);
  EXPECT_THAT(signing(), IsEmpty());
  installation_.clock.advance(1min);
  seen_ = {};
  look();
  EXPECT_EQ(slots().slots[0].stage, SlotStage::settling);
  EXPECT_THAT(signing(), IsEmpty()) << "resolvers may remember that it was not there";
  installation_.clock.advance(1min);
  look();
  EXPECT_EQ(slots().slots[0].stage, SlotStage::signing);
  EXPECT_THAT(signing(), ElementsAre(selector("ea"), selector("ra")));
  EXPECT_THAT(updates_, SizeIs(1)) << "the zone is as it was";
}

TEST_F(KeyKeeperTest, WhatCouldNotBeToldIsToldAgainAndNothingGoesOnBefore) {
  hook_fails_ = true;
  look();
  EXPECT_EQ(slots().fault, SlotFault::not_written);
  EXPECT_FALSE(slots().slots[0].in_zone);
  look();
  EXPECT_THAT(updates_, SizeIs(1)) << "not at once";
  hook_fails_ = false;
  installation_.clock.advance(1min);
  look();
  ASSERT_THAT(updates_, SizeIs(2));
  EXPECT_EQ(updates_[0], updates_[1]);
  EXPECT_EQ(slots().fault, SlotFault::none);
}

TEST_F(KeyKeeperTest, ARowThatCannotBeReadIsPutOffAndTheOthersGoOn) {
  const auto is_due = [this](std::string_view domain) {
    const auto due = read([](store::ReadTransaction& t) { return t.key_slots_due(100); });
    return std::ranges::any_of(due,
                               [&](const store::KeySlotsRow& row) { return row.domain == domain; });
  };
  store::KeySlotsRow broken{.account = account_, .domain = "broken.example"};
  broken.look = installation_.clock.now() - 1s;
  broken.state = "of a later version";
  ASSERT_TRUE(write([&](store::WriteTransaction& t) { return t.put_key_slots(broken); }));
  look();
  EXPECT_THAT(slots().slots[0].keys, SizeIs(2));
  EXPECT_FALSE(is_due("broken.example"));
  const auto kept =
      read([&](store::ReadTransaction& t) { return t.key_slots_of(account_, "broken.example"); });
  EXPECT_EQ(kept->state, broken.state);
  installation_.clock.advance(6min);
  EXPECT_TRUE(is_due("broken.example")) << "it is looked at again";
}

TEST_F(KeyKeeperTest, ADomainThatIsLookedAtForLongHoldsUpNoOtherOfAFew) {
  for (int i = 0; i < 20; ++i) add_new_domain("d" + std::to_string(i) + ".example");
  look();
  ASSERT_THAT(slots().slots[0].keys, SizeIs(2));
  look();
  EXPECT_EQ(most_looks_, 8);
  for (const auto& row : read([](store::ReadTransaction& t) { return t.key_slots({}, 100); })) {
    if (row.account == store::kPlatform) continue;
    EXPECT_EQ(operate::unpack_slots(row.state)->slots[0].stage, SlotStage::settling) << row.domain;
  }
}

TEST_F(KeyKeeperTest, OneProcessAtATimeWritesTheZone) {
  operate::ZoneState other;
  other.holder = "another";
  other.until = installation_.clock.now() + 30s;
  ASSERT_TRUE(write([&](store::WriteTransaction& t) {
    return t.put_key_slots({.account = store::kPlatform,
                            .domain = kZone,
                            .revision = 0,
                            .look = {},
                            .state = operate::pack_zone(other)});
  }));
  look();
  EXPECT_THAT(updates_, IsEmpty());
  EXPECT_EQ(slots().slots[0].stage, SlotStage::free);
  installation_.clock.advance(31s);
  look();
  EXPECT_THAT(updates_, SizeIs(1)) << "it died";
}

TEST_F(KeyKeeperTest, KeysThatSignAreWatchedAndWrittenAgainWhenTheZoneHasLostThem) {
  look();
  pass(1min);
  pass(2min);
  ASSERT_EQ(slots().slots[0].stage, SlotStage::signing);
  looked_for_ = {};
  pass(5h);
  EXPECT_THAT(looked_for_.keys, IsEmpty()) << "not yet";
  seen_ = {SlotFault::zone_lacks, "ns1.example.com"};
  pass(2h);
  EXPECT_THAT(looked_for_.keys, SizeIs(2));
  EXPECT_EQ(slots().fault, SlotFault::zone_lacks);
  const std::size_t before = updates_.size();
  pass(2min);
  ASSERT_EQ(updates_.size(), before + 1);
  EXPECT_THAT(updates_.back(), HasSubstr("update add " + selector("ra.example.jp")));
  EXPECT_FALSE(operate::is_gone(slots(), installation_.clock.now()));
  pass(10min);
  EXPECT_TRUE(operate::is_gone(slots(), installation_.clock.now()));
  EXPECT_THAT(signing(), SizeIs(2)) << "they go on";
  seen_ = {};
  pass(15min);
  EXPECT_EQ(slots().fault, SlotFault::none);
}

TEST_F(KeyKeeperTest, KeysThatSignAreLookedAtAtOnceWhenSomebodyAsks) {
  look();
  pass(1min);
  pass(2min);
  ASSERT_EQ(slots().slots[0].stage, SlotStage::signing);
  seen_ = {SlotFault::zone_lacks, "ns1.example.com"};
  const auto ask = [&] {
    operate::KeySlots asked = slots();
    operate::ask_for_look(asked);
    auto row =
        *read([&](store::ReadTransaction& t) { return t.key_slots_of(account_, "example.jp"); });
    row.state = operate::pack_slots(asked);
    row.look = installation_.clock.now();
    ASSERT_TRUE(write([&](store::WriteTransaction& t) { return t.put_key_slots(row); }));
  };
  pass(5min);
  ASSERT_EQ(slots().fault, SlotFault::none) << "not for six hours";
  ask();
  look();
  EXPECT_EQ(slots().fault, SlotFault::zone_lacks);
  seen_ = {};
  ask();
  look();
  EXPECT_EQ(slots().fault, SlotFault::none) << "also while it is known to be gone";
}

TEST_F(KeyKeeperTest, KeysThatSignSinceAVersionThatDidNotWatchThemAreWatched) {
  look();
  for (const auto time : {1min, 2min}) {
    installation_.clock.advance(time);
    look();
  }
  ASSERT_EQ(slots().slots[0].stage, SlotStage::signing);
  auto row =
      *read([&](store::ReadTransaction& t) { return t.key_slots_of(account_, "example.jp"); });
  row.look.reset();
  ASSERT_TRUE(write([&](store::WriteTransaction& t) { return t.put_key_slots(row); }));
  seen_ = {SlotFault::alias_missing, "ns1.example.jp"};
  installation_.clock.advance(7h);
  look();
  EXPECT_EQ(slots().fault, SlotFault::alias_missing);
}

TEST_F(KeyKeeperTest, ADomainThatCannotBePutForwardKeepsNoOtherFromIt) {
  look();
  for (const auto time : {1min, 2min}) {
    installation_.clock.advance(time);
    look();
  }
  auto row =
      *read([&](store::ReadTransaction& t) { return t.key_slots_of(account_, "example.jp"); });
  row.look.reset();
  ASSERT_TRUE(write([&](store::WriteTransaction& t) { return t.put_key_slots(row); }));
  row.revision = 0;
  row.domain = "another.example";  // before it
  ASSERT_TRUE(write([&](store::WriteTransaction& t) { return t.put_key_slots(row); }));
  seen_ = {SlotFault::alias_missing, "ns1.example.jp"};
  installation_.clock.advance(7h);
  store_.fail_calls(store_.calls() + 2, 1);  // the first row is put after all were read
  look();
  EXPECT_EQ(slots().fault, SlotFault::alias_missing) << "it is watched";
  EXPECT_EQ(metrics_.counter("todoku_dkim_put_off_total", "").value(), 1U);
  const auto other =
      read([&](store::ReadTransaction& t) { return t.key_slots_of(account_, "another.example"); });
  EXPECT_EQ(operate::unpack_slots(other->state)->fault, SlotFault::none);
}

TEST_F(KeyKeeperTest, OldKeysGoLongAfterTheyHaveSignedLast) {
  look();
  pass(1min);
  pass(2min);
  ASSERT_EQ(slots().slots[0].stage, SlotStage::signing);
  auto row =
      *read([&](store::ReadTransaction& t) { return t.key_slots_of(account_, "example.jp"); });
  auto asked = slots();
  asked.asked = true;
  row.state = operate::pack_slots(asked);
  row.look = installation_.clock.now();
  ASSERT_TRUE(write([&](store::WriteTransaction& t) { return t.put_key_slots(row); }));
  pass(1min);
  pass(2min);
  ASSERT_EQ(slots().slots[1].stage, SlotStage::signing);
  EXPECT_EQ(slots().slots[0].stage, SlotStage::leaving);
  EXPECT_THAT(signing(), SizeIs(4)) << "what began with them goes on with them";
  pass(2h);
  EXPECT_EQ(slots().slots[0].stage, SlotStage::drained);
  pass(std::chrono::days(6));
  EXPECT_THAT(signing(), SizeIs(4));
  EXPECT_THAT(file_, HasSubstr(selector("ra.example.jp")));
  pass(std::chrono::days(2));
  EXPECT_EQ(slots().slots[0].stage, SlotStage::free);
  EXPECT_THAT(signing(), ElementsAre(selector("eb"), selector("rb")));
  EXPECT_THAT(file_, Not(HasSubstr(selector("ra.example.jp"))));
  EXPECT_THAT(updates_.back(), Not(HasSubstr("update add")));
}

TEST_F(KeyKeeperTest, KeysOfADomainThatWasRemovedEndByThemselves) {
  look();
  pass(1min);
  pass(2min);
  ASSERT_EQ(slots().slots[0].stage, SlotStage::signing);
  write([&](store::WriteTransaction& t) -> Result<std::int64_t> {
    const auto done = operate::give_up_slots(t, account_, "example.jp", installation_.clock.now());
    if (!done) return fail(done.error());
    return 0;
  });
  EXPECT_EQ(slots().slots[0].stage, SlotStage::leaving);
  EXPECT_THAT(signing(), SizeIs(2)) << "what began with them goes on with them";
  pass(2h);
  EXPECT_EQ(slots().slots[0].stage, SlotStage::drained);
  pass(std::chrono::days(8));
  pass(1min);
  EXPECT_FALSE(
      read([&](store::ReadTransaction& t) { return t.key_slots_of(account_, "example.jp"); }));
  EXPECT_THAT(signing(), IsEmpty());
  EXPECT_THAT(updates_.back(), Not(HasSubstr("update add")));
}

TEST(ChildProcess, GetsItsInputAndIsBounded) {
  const auto order = [](std::string script) {
    return ChildOrder{.words = {"/bin/sh", "-c", std::move(script)},
                      .input = "zone z.\nsend\n",
                      .most = 10s,
                      .output_max = 100,
                      .takes_errors = true,
                      .has_environment = false};
  };
  EXPECT_EQ(run_child(order("cat")).value(), "zone z.\nsend\n");
  EXPECT_EQ(run_child(order("true")).value(), "") << "who reads nothing is in nobody's way";
  EXPECT_EQ(run_child(order("echo \"$HOME$TODOKU_MASTER_KEY\"")).value(), "\n");
  EXPECT_THAT(run_child(order("echo no such key >&2; exit 2")).error().detail,
              HasSubstr("its exit status is 2: no such key"));
  EXPECT_THAT(run_child(order("yes | head -c 100000")).value(), SizeIs(100));
  EXPECT_THAT(run_child(order("kill -9 $$")).error().detail, HasSubstr("a signal ended it"));
  ChildOrder slow = order("sleep 60");
  slow.most = 50ms;
  EXPECT_THAT(run_child(slow).error().detail, HasSubstr("did not end"));
  ChildOrder none = order("");
  none.words = {"/nowhere/at/all"};
  EXPECT_EQ(run_child(none).error().kind, ErrorKind::unavailable);
}

}  // namespace
}  // namespace todoku::app
