// SPDX-License-Identifier: Apache-2.0
#include "api/trace_context.h"

#include <string>

#include <gtest/gtest.h>

namespace todoku::api {
namespace {

constexpr std::string_view kWhole = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContext, IsRead) {
  const auto trace = parse_traceparent(kWhole);
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->trace_id, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(trace->parent_id, "b7ad6b7169203331");
}

TEST(TraceContext, OfALaterVersionMayGoOn) {
  std::string later(kWhole);
  later[1] = '1';
  EXPECT_TRUE(parse_traceparent(later));
  EXPECT_TRUE(parse_traceparent(later + "-more"));
  EXPECT_FALSE(parse_traceparent(later + "more"));
  EXPECT_FALSE(parse_traceparent(std::string(kWhole) + "-more")) << "version 00 has no more";
}

TEST(TraceContext, IsIgnoredWhereItIsNone) {
  EXPECT_FALSE(parse_traceparent(""));
  EXPECT_FALSE(parse_traceparent("x"));
  EXPECT_FALSE(parse_traceparent("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
  EXPECT_FALSE(parse_traceparent("00-00000000000000000000000000000000-b7ad6b7169203331-01"));
  EXPECT_FALSE(parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"));
  for (std::size_t i = 0; i < kWhole.size(); ++i) {
    for (const char other : {'G', '\n', 'F'}) {
      std::string broken(kWhole);
      broken[i] = other;
      EXPECT_FALSE(parse_traceparent(broken)) << i;
    }
  }
}

}  // namespace
}  // namespace todoku::api
