// SPDX-License-Identifier: Apache-2.0
// What is kept of an endpoint: how far it has read, its state, its latest calls.
#include <string>

#include <gtest/gtest.h>

#include "events/webhooks/endpoint_state.h"
#include "events/webhooks/reading_place.h"
#include "events/webhooks/recent_calls.h"

namespace todoku::events::webhooks {
namespace {

constexpr Instant kKeptAt = from_epoch_ms(1'767'225'600'000);

// Whatever is cut off it, it is found out.
template <class Unpack>
void expect_corrupt_where_cut(const std::string& packed, Unpack unpack) {
  for (std::size_t size = 1; size < packed.size(); ++size) {
    EXPECT_FALSE(unpack(packed.substr(0, size))) << size;
  }
  EXPECT_FALSE(unpack(packed + "x"));
}

TEST(ReadingPlace, IsReadAsItWasPacked) {
  const ReadingPlace place{
      .replays = {{.delivery = store::DeliveryKey{7}, .after = {1, 2, 3}, .until = {1, 9, 0}},
                  {.delivery = std::nullopt, .after = {}, .until = {1, 9, 4}}},
      .orders = 300,
      .after = {1, 1'000'000'007, 4'294'967'295}};
  EXPECT_EQ(unpack_reading_place(pack(place)).value(), place);
  EXPECT_EQ(unpack_reading_place("").value(), ReadingPlace{});
  expect_corrupt_where_cut(pack(place),
                           [](const std::string& part) { return unpack_reading_place(part); });
}

EndpointState some_state() {
  return {.status = EndpointState::Status::failing,
          .failing_since = kKeptAt,
          .owner_told = true,
          .cursor = std::string("a\0b", 3),
          .parked = {
              {.id = "one", .order_key = ~0ULL, .tries = 3, .first_tried = kKeptAt, .due = kKeptAt},
              {.id = "two", .order_key = 0, .tries = 0, .first_tried = {}, .due = {}}}};
}

TEST(EndpointState, IsReadAsItWasPacked) {
  const EndpointState state = some_state();
  const std::string packed = pack_state(state);
  EXPECT_EQ(unpack_state(packed, store::WebhookStatus::failing).value(), state);
  expect_corrupt_where_cut(packed, [](const std::string& part) {
    return unpack_state(part, store::WebhookStatus::failing);
  });
  EXPECT_FALSE(unpack_state("\x02" + packed.substr(1), store::WebhookStatus::failing));
}

TEST(EndpointState, ItsOwnersWordCounts) {
  const std::string packed = pack_state(some_state());
  const auto enabled = unpack_state(packed, store::WebhookStatus::active).value();
  EXPECT_EQ(enabled.status, EndpointState::Status::active);
  EXPECT_FALSE(enabled.owner_told);  // of the next failing he is told again
  EXPECT_EQ(enabled.parked, some_state().parked);
  EXPECT_EQ(unpack_state(packed, store::WebhookStatus::disabled)->status,
            EndpointState::Status::disabled);
}

TEST(RecentCalls, KeepsTheLatest) {
  RecentCalls calls;
  for (int number = 0; number < 25; ++number) {
    calls.add({.at = kKeptAt + Milliseconds(number),
               .id = std::to_string(number),
               .type = "recipient.sent",
               .request = "{}",
               .status = 200,
               .answer = "ok",
               .took = Milliseconds(number)});
  }
  EXPECT_EQ(calls.all().size(), RecentCalls::kMax);
  EXPECT_EQ(calls.all().front().id, "5");
  const auto read = RecentCalls::unpack(calls.pack()).value();
  EXPECT_EQ(read.all(), calls.all());
  EXPECT_TRUE(RecentCalls::unpack("").value().all().empty());
  EXPECT_FALSE(RecentCalls::unpack(calls.pack().substr(0, 100)));
}

TEST(RecentCalls, FitWhatTheStoreKeeps) {
  RecentCalls calls;
  for (std::size_t number = 0; number < RecentCalls::kMax; ++number) {
    calls.add({.at = kKeptAt,
               .id = "batch_0123456789abcdef0123456789abcdef",
               .type = "recipient.hard_error",
               .events = 100,
               .request = std::string(RecentCall::kShownMax, 'x'),
               .status = 500,
               .answer = std::string(RecentCall::kShownMax, 'y'),
               .failure = std::string(RecentCall::kFailureShown, 'z')});
  }
  EXPECT_LE(calls.pack().size(), store::kWebhookCallsMax);
}

TEST(RecentCalls, WhatIsNoTextIsShownAsSome) {
  EXPECT_EQ(shown_text("ok"), "ok");
  EXPECT_LE(shown_text(std::string(5'000, 'x')).size(), RecentCall::kShownMax);
  const std::string shown = shown_text("a\xff\xfe b");
  EXPECT_EQ(shown.front(), 'a');
  EXPECT_EQ(shown.find('\xff'), std::string::npos);
}

}  // namespace
}  // namespace todoku::events::webhooks
