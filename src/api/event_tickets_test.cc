// SPDX-License-Identifier: Apache-2.0
#include "api/event_tickets.h"

#include <set>

#include <gtest/gtest.h>

namespace todoku::api {
namespace {

constexpr store::AccountKey kOne{1};
constexpr store::AccountKey kOther{2};
constexpr SteadyInstant kNow{std::chrono::hours(1)};

TEST(EventTickets, StandForTheirHeaderOnce) {
  EventTickets tickets;
  const auto ticket = tickets.issue(kOne, "Bearer one", kNow);
  ASSERT_TRUE(ticket);
  EXPECT_FALSE(tickets.redeem("", kNow));
  EXPECT_FALSE(tickets.redeem(ticket->substr(1), kNow));
  EXPECT_EQ(tickets.redeem(*ticket, kNow), "Bearer one");
  EXPECT_FALSE(tickets.redeem(*ticket, kNow));
}

TEST(EventTickets, LiveForAMinute) {
  EventTickets tickets;
  const auto early = tickets.issue(kOne, "Bearer one", kNow);
  const auto late = tickets.issue(kOne, "Bearer one", kNow);
  EXPECT_TRUE(tickets.redeem(*early, kNow + kTicketLife - Milliseconds(1)));
  EXPECT_FALSE(tickets.redeem(*late, kNow + kTicketLife));
}

TEST(EventTickets, AreNeverTheSame) {
  EventTickets tickets;
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(seen.insert(*tickets.issue(kOne, "", kNow)).second);
}

TEST(EventTickets, OfOneAccountLeaveOthersSome) {
  EventTickets tickets;
  std::optional<std::string> last;
  int issued = 0;
  while (auto ticket = tickets.issue(kOne, "Bearer one", kNow)) {
    last = std::move(ticket);
    ASSERT_LE(++issued, 100);
  }
  EXPECT_EQ(issued, 100);
  EXPECT_TRUE(tickets.issue(kOther, "Bearer other", kNow));
  EXPECT_TRUE(tickets.redeem(*last, kNow));
  EXPECT_TRUE(tickets.issue(kOne, "Bearer one", kNow)) << "one was used";
  EXPECT_FALSE(tickets.issue(kOne, "Bearer one", kNow));
  EXPECT_TRUE(tickets.issue(kOne, "Bearer one", kNow + kTicketLife)) << "all are old";
}

}  // namespace
}  // namespace todoku::api
