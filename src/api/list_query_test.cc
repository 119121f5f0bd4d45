// SPDX-License-Identifier: Apache-2.0
#include "api/list_query.h"

#include <string_view>

#include <gtest/gtest.h>

namespace todoku::api {
namespace {

struct ReadTruth {
  bool truth = false;
  bool refused = false;
};

ReadTruth truth_of(std::string_view text) {
  intake::Problems problems;
  const http::Query query = http::Query::parse(text);
  const ListQuery reader(query, problems);
  const bool truth = reader.truth("dry_run");
  EXPECT_EQ(reader.unread(), "") << text;
  for (const auto& problem : problems.list()) EXPECT_EQ(problem.path.front(), "dry_run") << text;
  return {.truth = truth, .refused = !problems.empty()};
}

TEST(ListQuery, ATruthIsSaidInWords) {
  for (const std::string_view text : {"dry_run=true", "dry_run=1", "dry_run[]=true"}) {
    EXPECT_TRUE(truth_of(text).truth) << text;
    EXPECT_FALSE(truth_of(text).refused) << text;
  }
  for (const std::string_view text : {"", "dry_run=false", "dry_run=0"}) {
    EXPECT_FALSE(truth_of(text).truth) << text;
    EXPECT_FALSE(truth_of(text).refused) << text;
  }
}

// Read as false they would import and send what was only to be looked at.
TEST(ListQuery, ATruthThatIsNoneIsRefused) {
  for (const std::string_view text :
       {"dry_run", "dry_run=", "dry_run[]", "dry_run[]=", "dry_run=TRUE", "dry_run=yes",
        "dry_run=%FF", "dry_run=true&dry_run=false", "dry_run=true&dry_run=true",
        "dry_run&dry_run=true"}) {
    EXPECT_TRUE(truth_of(text).refused) << text;
    EXPECT_FALSE(truth_of(text).truth) << text;
  }
  EXPECT_TRUE([] {
    intake::Problems problems;
    const http::Query query = http::Query::parse("dry_run[x]=true");
    const ListQuery reader(query, problems);
    return !reader.truth("dry_run") && !problems.empty();
  }());
}

}  // namespace
}  // namespace todoku::api
