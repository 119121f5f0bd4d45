// SPDX-License-Identifier: Apache-2.0
// Where a source can be sent from, and what one process alone owns, leads and knows. How several
// share them is simulated (tests/sim/rivals_test.cc).
#include "delivery/sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/leadership.h"
#include "delivery/live_sources.h"

namespace todoku::delivery {
namespace {

using ::testing::ElementsAre;

EgressSource from(std::optional<std::string_view> v4, std::optional<std::string_view> v6 = {}) {
  EgressSource source;
  source.name = "a";
  if (v4) source.bind_v4 = *net::IpAddress::parse(*v4);
  if (v6) source.bind_v6 = *net::IpAddress::parse(*v6);
  return source;
}

TEST(Sources, AreWhereAllTheirAddressesAre) {
  EXPECT_TRUE(is_on_host(from({}))) << "the system chooses";
  EXPECT_TRUE(is_on_host(from("127.0.0.1")));
  EXPECT_FALSE(is_on_host(from("192.0.2.1")));
  EXPECT_FALSE(is_on_host(from("192.0.2.1", "::1")));
}

TEST(Sources, AreAllOfOneProcessAlone) {
  AllSources owned({"b", "a"});
  owned.listen([] { FAIL() << "nothing ever changes"; });
  EXPECT_THAT(owned.owned(), ElementsAre("b", "a"));
  EXPECT_THAT(AllLiveSources({"b", "a"}).live(), ElementsAre("b", "a"));
  EXPECT_TRUE(AlwaysLeads().leads());
}

}  // namespace
}  // namespace todoku::delivery
