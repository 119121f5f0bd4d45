// SPDX-License-Identifier: Apache-2.0
// Octets of relayed messages in pieces: whose they become, and how long they live
// (store/relayed.h).
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// No two slices of it are the same.
std::string message_of(std::size_t octets) {
  std::string message = "Subject: s\r\n\r\n";
  while (message.size() < octets) message += std::to_string(message.size()) + "\r\n";
  message.resize(octets);
  return message;
}

// Messages of one store.
class Pieces {
 public:
  explicit Pieces(std::unique_ptr<Store>& store) : store_(store) {}

  RelayedKey begin(NodeKey node) {
    return must(write([&](WriteTransaction& t) { return t.begin_relayed(node); }));
  }
  Result<void> add(RelayedKey key, std::int64_t which, std::string_view octets) {
    return write([&](WriteTransaction& t) { return t.add_relayed_piece(key, which, octets); });
  }
  void drop(RelayedKey key) {
    must(write([&](WriteTransaction& t) { return t.drop_relayed(key); }));
  }
  RelayedData kept(NodeKey node, std::string_view message) {
    const RelayedKey key = begin(node);
    std::int64_t which = 0;
    for (std::size_t at = 0; at < message.size(); at += kRelayedPieceOctets) {
      must(add(key, which++, message.substr(at, kRelayedPieceOctets)));
    }
    return {.key = key, .octets = message.size()};
  }
  bool purge_some() {
    return must(write([](WriteTransaction& t) { return t.purge_deleted(300); }));
  }
  void purge() {
    while (purge_some()) {
    }
  }
  Result<std::string> part(DeliveryKey key, std::uint64_t offset, std::size_t octets) {
    return store_->read_and_wait(
        [&](ReadTransaction& t) { return t.attachment_part(key, 0, offset, octets); });
  }

 private:
  template <class Work>
  std::invoke_result_t<Work&, WriteTransaction&> write(Work work) {
    return store_->write_and_wait(WritePriority::accept, std::move(work));
  }
  std::unique_ptr<Store>& store_;  // which may be another one after it was opened again
};

void say_relayed(NewDelivery& delivery, const RelayedData& data) {
  delivery.type = DeliveryType::smtp;
  delivery.content.relayed = RelayedEnvelope{.mail_from = "a@example.jp", .head_octets = 14};
  delivery.content.attachments = {{"", "message/rfc822", ""}};
  delivery.relayed_data = data;
}

TEST_P(StoreSuite, OctetsInPiecesAreTheDataOfTheDeliveryThatNamesThem) {
  Pieces pieces(store_);
  const std::string message = message_of(2 * kRelayedPieceOctets + 1'000);
  Accept wanted = acceptance(account().key, {recipient("a")});
  say_relayed(wanted.delivery, pieces.kept(me_, message));
  const DeliveryKey key = must(store_->perform_and_wait(wanted)).delivery.key;
  reopen();
  const Delivery found = get(key);
  ASSERT_THAT(found.attachments, SizeIs(1));
  EXPECT_EQ(found.attachments[0].size, static_cast<std::int64_t>(message.size()));
  EXPECT_EQ(found.content.relayed, wanted.delivery.content.relayed);
  const Content content = must(read([&](ReadTransaction& t) { return t.content(key); }));
  EXPECT_EQ(content.attachments.at(0).data, message);
  // Within a piece, over its edge, a whole one and its neighbours, the end.
  constexpr std::size_t kPiece = kRelayedPieceOctets;
  const std::array<std::pair<std::size_t, std::size_t>, 6> slices{{{0, 14},
                                                                   {kPiece - 1, 2},
                                                                   {kPiece, kPiece},
                                                                   {kPiece - 3, kPiece + 6},
                                                                   {2 * kPiece + 900, 100},
                                                                   {message.size(), 0}}};
  for (const auto& [offset, octets] : slices) {
    EXPECT_EQ(must(pieces.part(key, offset, octets)), message.substr(offset, octets)) << offset;
  }
  EXPECT_EQ(error_of(pieces.part(key, message.size() - 1, 2)), "invalid_input");
}

TEST_P(StoreSuite, AMessageTakesEachPieceOnceInItsOrder) {
  Pieces pieces(store_);
  const RelayedKey key = pieces.begin(me_);
  const std::string full(kRelayedPieceOctets, 'x');
  EXPECT_EQ(error_of(pieces.add(key, 1, full)), "conflict");
  must(pieces.add(key, 0, full));
  EXPECT_EQ(error_of(pieces.add(key, 0, full)), "conflict");
  EXPECT_EQ(error_of(pieces.add(key, 1, "")), "invalid_input");
  EXPECT_EQ(error_of(pieces.add(key, 1, full + "x")), "invalid_input");
  must(pieces.add(key, 1, "the last one"));
  EXPECT_EQ(error_of(pieces.add(key, 2, "after it")), "conflict") << "places would not be found";
  EXPECT_EQ(error_of(pieces.add(RelayedKey{999'999'999}, 0, "a")), "not_found");
}

TEST_P(StoreSuite, OctetsAreNamedOnceAndHarmNobodyWhoComesTogether) {
  Pieces pieces(store_);
  const Account acme = account();
  const std::string message = message_of(300'000);
  const RelayedData data = pieces.kept(me_, message);
  RelayedData shorter = data;
  --shorter.octets;
  const std::array<std::optional<RelayedData>, 5> wanted{std::nullopt, shorter, data, data,
                                                         RelayedData{RelayedKey{999'999'999}, 5}};
  std::vector<std::future<Result<Accepted>>> answers;
  for (const auto& its : wanted) {
    Accept accept = acceptance(acme.key, {recipient("a")});
    if (its) say_relayed(accept.delivery, *its);
    answers.push_back(store_->perform_soon(std::move(accept)));
  }
  must(answers[0].get());
  EXPECT_EQ(error_of(answers[1].get()), "not_found");
  const DeliveryKey key = must(answers[2].get()).delivery.key;
  EXPECT_EQ(error_of(answers[3].get()), "not_found");
  EXPECT_EQ(error_of(answers[4].get()), "not_found");
  EXPECT_EQ(error_of(pieces.add(data.key, 2, "more")), "not_found");
  pieces.drop(data.key);
  pieces.purge();
  EXPECT_EQ(must(pieces.part(key, 299'990, 10)), message.substr(299'990));
  const auto all = deliveries_of(*store_, {.account = acme.key});
  EXPECT_THAT(all, SizeIs(2)) << "nothing was made of what was refused";
}

TEST_P(StoreSuite, AMessageInPiecesHasNothingElse) {
  Pieces pieces(store_);
  Accept wanted = acceptance(account().key, {recipient("a")});
  say_relayed(wanted.delivery, pieces.kept(me_, "message"));
  Accept with_data = wanted;
  with_data.delivery.content.attachments[0].data = "data";
  EXPECT_EQ(error_of(store_->perform_and_wait(with_data)), "invalid_input");
  Accept without = wanted;
  without.delivery.content.attachments.clear();
  EXPECT_EQ(error_of(store_->perform_and_wait(without)), "invalid_input");
  must(store_->perform_and_wait(wanted));
}

TEST_P(StoreSuite, ADraftNamesOctetsAsAnAcceptedOneDoes) {
  Pieces pieces(store_);
  const Account acme = account();
  const std::string message = message_of(300'000);
  NewDelivery wanted = bulk(acme.key);
  say_relayed(wanted, pieces.kept(me_, message));
  const Delivery made =
      must(write([&](WriteTransaction& t) { return t.create_draft(wanted, std::nullopt); }));
  EXPECT_EQ(must(pieces.part(made.key, 0, message.size())), message);
  EXPECT_EQ(
      error_of(write([&](WriteTransaction& t) { return t.create_draft(wanted, std::nullopt); })),
      "not_found");
  EXPECT_THAT(deliveries_of(*store_, {.account = acme.key}), SizeIs(1));
}

TEST_P(StoreSuite, ADroppedMessageIsGoneAndItsPiecesLittleByLittle) {
  Pieces pieces(store_);
  Accept wanted = acceptance(account().key, {recipient("a")});
  say_relayed(wanted.delivery, pieces.kept(me_, message_of(8 * kRelayedPieceOctets)));
  pieces.drop(wanted.delivery.relayed_data->key);
  EXPECT_EQ(error_of(store_->perform_and_wait(wanted)), "not_found");
  EXPECT_TRUE(pieces.purge_some()) << "more than one step may remove";
  pieces.purge();
}

TEST_P(StoreSuite, ADeletedDeliveryTakesItsPiecesWithIt) {
  Pieces pieces(store_);
  Accept wanted = acceptance(account().key, {recipient("a")});
  say_relayed(wanted.delivery, pieces.kept(me_, message_of(8 * kRelayedPieceOctets)));
  const Accepted made = must(store_->perform_and_wait(wanted));
  const LeasedBatch& lease = made.batches.at(0);
  settle({outcome(lease.key, 0, RecipientState::delivered)},
         {{.held = lease.held(), .not_before = {}}});
  must(write([&](WriteTransaction& t) { return t.delete_delivery(made.delivery.key); }));
  EXPECT_TRUE(pieces.purge_some()) << "more than one step may remove";
  pieces.purge();
  EXPECT_EQ(error_of(pieces.part(made.delivery.key, 0, 1)), "not_found");
  pieces.drop(wanted.delivery.relayed_data->key);
  EXPECT_FALSE(pieces.purge_some()) << "nothing of it is left";
}

TEST_P(StoreSuite, WhatNoDeliveryNamesLivesAnHourAfterItsLastPiece) {
  Pieces pieces(store_);
  const Account acme = account();
  Accept wanted = acceptance(acme.key, {recipient("a")});
  say_relayed(wanted.delivery, pieces.kept(me_, message_of(kRelayedPieceOctets)));
  clock_.advance(59min);
  must(write([&](WriteTransaction& t) { return t.renew_node(me_); }));
  pieces.purge();
  must(pieces.add(wanted.delivery.relayed_data->key, 1, "more"));
  wanted.delivery.relayed_data->octets += 4;
  clock_.advance(59min);
  must(write([&](WriteTransaction& t) { return t.renew_node(me_); }));
  pieces.purge();
  must(store_->perform_and_wait(wanted));

  Accept late = acceptance(acme.key, {recipient("a")});
  say_relayed(late.delivery, pieces.kept(me_, message_of(kRelayedPieceOctets)));
  clock_.advance(61min);
  must(write([&](WriteTransaction& t) { return t.renew_node(me_); }));
  pieces.purge();
  EXPECT_EQ(error_of(store_->perform_and_wait(late)), "not_found");
}

TEST_P(StoreSuite, WhatADeadNodeWasReceivingGoesAfterAMinute) {
  Pieces pieces(store_);
  Accept wanted = acceptance(account().key, {recipient("a")});
  say_relayed(wanted.delivery, pieces.kept(other_, message_of(kRelayedPieceOctets)));
  bury(other_);
  pieces.purge();
  clock_.advance(2min);
  must(write([&](WriteTransaction& t) { return t.renew_node(me_); }));
  pieces.purge();
  EXPECT_EQ(error_of(store_->perform_and_wait(wanted)), "not_found");
}

}  // namespace
}  // namespace todoku::store
