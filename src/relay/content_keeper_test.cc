// SPDX-License-Identifier: Apache-2.0
// What of a message is where on its way into the store.
#include "relay/content_keeper.h"

#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "relay/words.h"
#include "support/failing_store.h"
#include "support/installation.h"

namespace todoku::relay {
namespace {

constexpr std::size_t kRoom = std::size_t{1} << 20U;
constexpr std::size_t kPiece = store::kRelayedPieceOctets;

std::string message_of(std::size_t octets) {
  std::string message;
  while (message.size() < octets) message += std::to_string(message.size()) + "\r\n";
  message.resize(octets);
  return message;
}

class ContentKeeperTest : public ::testing::Test {
 protected:
  ContentKeeperTest() {
    runtime_.start();
    (void)installation_.store->write_and_wait(store::WritePriority::accept,
                                              [this](store::WriteTransaction& t) -> Result<void> {
                                                const auto account = t.create_account("acme");
                                                if (!account) return fail(account.error());
                                                account_ = account->key;
                                                const auto entered = t.enter_node({.name = "n"});
                                                if (entered) me_ = *entered;
                                                return {};
                                              });
  }
  ~ContentKeeperTest() override { runtime_.join(); }

  template <class T>
  T run(Task<T> task) {
    return boost::asio::co_spawn(runtime_.executor(0), std::move(task), boost::asio::use_future)
        .get();
  }
  [[nodiscard]] ContentKeeper::World world() {
    return {.store = *installation_.store, .room = room_, .node = node_};
  }
  // In cuts that fit nothing.
  Result<void> give(ContentKeeper& keeper, std::string_view message) {
    constexpr std::size_t kCut = 60'001;
    for (std::size_t at = 0; at < message.size(); at += kCut) {
      std::string cut(message.substr(at, kCut));
      if (auto taken = run(keeper.take(cut)); !taken) return taken;
      EXPECT_TRUE(cut.empty());
      most_ = std::max(most_, room_.used());
    }
    return {};
  }
  Result<store::Accepted> accept(const KeptContent& kept) {
    store::Accept accept;
    accept.delivery.account = account_;
    accept.delivery.type = DeliveryType::smtp;
    accept.delivery.content.attachments = {{"", "message/rfc822", kept.octets}};
    accept.delivery.relayed_data = kept.pieces;
    accept.recipients = {{.address = "a@example.com", .domain = "example.com"}};
    accept.life_time = std::chrono::hours(1);
    return installation_.store->perform_and_wait(std::move(accept));
  }
  std::string stored(store::DeliveryKey key) {
    const auto content = installation_.store->read_and_wait(
        [key](store::ReadTransaction& t) { return t.content(key); });
    return content ? content->attachments.at(0).data : content.error().detail;
  }

  TestStore installation_;
  async::Runtime runtime_{1};
  ContentRoom room_{kRoom};
  store::AccountKey account_{};
  store::NodeKey me_{};
  const std::function<store::NodeKey()> node_{[this] { return me_; }};
  std::size_t most_ = 0;
};

TEST_F(ContentKeeperTest, WhatFitsIntoAPieceIsNotWritten) {
  ContentKeeper keeper(world());
  const std::string message = message_of(kPiece);
  ASSERT_TRUE(give(keeper, message));
  const auto kept = run(keeper.finish());
  ASSERT_TRUE(kept);
  EXPECT_FALSE(kept->pieces);
  EXPECT_EQ(kept->octets, message);
  EXPECT_EQ(room_.used(), kPiece) << "until it is committed";
  keeper.abandon();
  EXPECT_EQ(room_.used(), 0U);
}

TEST_F(ContentKeeperTest, ALargeMessageIsInTheStoreAndNotInMemory) {
  ContentKeeper keeper(world());
  for (const std::size_t octets : {kPiece + 1, 2 * kPiece, 5 * kPiece + 77}) {
    const std::string message = message_of(octets);
    ASSERT_TRUE(give(keeper, message));
    EXPECT_EQ(keeper.octets(), octets);
    const auto kept = run(keeper.finish());
    ASSERT_TRUE(kept);
    EXPECT_TRUE(kept->octets.empty());
    const auto accepted = accept(*kept);
    ASSERT_TRUE(accepted) << accepted.error().detail;
    keeper.handed_over();
    keeper.abandon();
    EXPECT_TRUE(stored(accepted->delivery.key) == message) << octets;
  }
  EXPECT_LT(most_, 2 * kPiece) << "however large they are";
}

TEST_F(ContentKeeperTest, WhatIsAbandonedIsNobodys) {
  ContentKeeper keeper(world());
  ASSERT_TRUE(give(keeper, message_of(3 * kPiece)));
  const auto kept = run(keeper.finish());
  ASSERT_TRUE(kept);
  keeper.abandon();
  EXPECT_EQ(room_.used(), 0U);
  // Behind the dropping of the pieces.
  ASSERT_TRUE(installation_.store->write_and_wait(
      store::WritePriority::retention,
      [](store::WriteTransaction& t) { return t.put_setting("after", "it"); }));
  const auto accepted = accept(*kept);
  ASSERT_FALSE(accepted);
  EXPECT_EQ(accepted.error().kind, ErrorKind::not_found);
}

TEST_F(ContentKeeperTest, WithoutRoomAMessageIsForLater) {
  ContentKeeper keeper(world());
  keeper.begin(account_);
  ASSERT_TRUE(keeper.hold(kRoom / 2 - 100));
  const auto refused = give(keeper, message_of(101));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  keeper.abandon();
  EXPECT_EQ(room_.used(), 0U);
}

TEST_F(ContentKeeperTest, APieceWaitsForItsTurnAndIsNotRefused) {
  for (std::size_t i = 0; i < ContentRoom::kWritingMax; ++i) ASSERT_TRUE(room_.begin_writing());
  ASSERT_FALSE(room_.begin_writing());
  ContentKeeper keeper(world());
  std::string message = message_of(kPiece + 1);
  auto taken =
      boost::asio::co_spawn(runtime_.executor(0), keeper.take(message), boost::asio::use_future);
  EXPECT_EQ(taken.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  room_.end_writing();
  ASSERT_TRUE(taken.get());
  const auto kept = run(keeper.finish());
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->pieces);
  // Its turns are over.
  EXPECT_TRUE(room_.begin_writing());
  keeper.abandon();
}

TEST_F(ContentKeeperTest, WhatIsHeldElsewhereTakesRoomToo) {
  ContentKeeper keeper(world());
  keeper.begin(account_);
  ASSERT_TRUE(keeper.hold(1000));
  ASSERT_TRUE(give(keeper, message_of(500)));
  EXPECT_EQ(room_.used(), 1500U);
  ASSERT_TRUE(keeper.hold(10));
  EXPECT_EQ(room_.used(), 510U);
  EXPECT_FALSE(keeper.hold(kRoom));
  EXPECT_EQ(room_.used(), 510U);
  keeper.abandon();
  EXPECT_EQ(room_.used(), 0U);
}

TEST(ContentRoom, WhoeverComesFindsSome) {
  ContentRoom room(1024);
  constexpr store::AccountKey kGreedy{1};
  std::size_t taken = 0;
  while (room.take(kGreedy, 8)) taken += 8;
  EXPECT_EQ(taken, 512U);
  EXPECT_TRUE(room.take(store::AccountKey{2}, 256));
  EXPECT_FALSE(room.take(store::AccountKey{2}, 8));
  EXPECT_TRUE(room.take(store::AccountKey{3}, 128));
  EXPECT_FALSE(room.take(kGreedy, 1)) << "it has more than half of what they leave";
  room.give_back(kGreedy, taken);
  EXPECT_TRUE(room.take(store::AccountKey{2}, 100));
  room.give_back(store::AccountKey{2}, 356);
  room.give_back(store::AccountKey{3}, 128);
  EXPECT_EQ(room.used(), 0U);
  EXPECT_TRUE(room.take(kGreedy, 512));
}

TEST_F(ContentKeeperTest, WhatTheStoreDoesNotTakeIsForLater) {
  ContentKeeper keeper(world());
  ASSERT_TRUE(give(keeper, message_of(2 * kPiece)));
  installation_.store->close();
  const auto refused = give(keeper, message_of(kPiece));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  keeper.abandon();
  EXPECT_EQ(room_.used(), 0U);
}

// A full disk, a full queue of the writer: whatever refuses first, the client comes again.
TEST_F(ContentKeeperTest, AStoreThatRefusesAtAnyPointIsAnswered452) {
  constexpr std::int64_t kCalls = 5;  // begin, and four pieces
  for (std::int64_t refused = 1; refused <= kCalls; ++refused) {
    FailingStore failing(*installation_.store);
    ContentKeeper keeper({.store = failing, .room = room_, .node = node_});
    failing.fail_calls(refused, 1);
    auto taken = give(keeper, message_of(3 * kPiece + 1));
    Error error;
    if (!taken) {
      error = taken.error();
    } else {
      auto kept = run(keeper.finish());
      ASSERT_FALSE(kept) << refused;
      error = kept.error();
    }
    EXPECT_EQ(words::trouble(error).code, 452) << refused;
    EXPECT_TRUE(words::trouble(error).text.starts_with("4.3.1 ")) << refused;
    keeper.abandon();
    EXPECT_EQ(room_.used(), 0U) << refused;
  }
  EXPECT_EQ(words::refused(intake::Refusal{.kind = ErrorKind::unavailable}).code, 452)
      << "the commit";
}

}  // namespace
}  // namespace todoku::relay
