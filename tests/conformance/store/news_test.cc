// SPDX-License-Identifier: Apache-2.0
// What processes tell the one that leads.
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> bodies(const std::vector<NewsItem>& items) {
  std::vector<std::string> all;
  for (const NewsItem& item : items) all.push_back(item.body);
  return all;
}

TEST_P(StoreSuite, NewsIsReadInOrderUntilItIsDropped) {
  const auto tell = [&](NodeKey node, std::string_view body) {
    return write([&, body](WriteTransaction& t) { return t.tell_news(node, body); });
  };
  const auto news = [&](std::int64_t limit) {
    return must(read([&](ReadTransaction& t) { return t.news(limit); }));
  };
  EXPECT_THAT(news(10), IsEmpty());
  must(tell(me_, std::string("one\0", 4)));
  clock_.advance(1ms);
  must(tell(other_, "two"));
  clock_.advance(1ms);
  must(tell(me_, "three"));
  EXPECT_THAT(bodies(news(2)), ElementsAre(std::string("one\0", 4), "two"));
  const auto all = news(10);
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[1].teller, other_);
  const std::vector keys{all[0].key, all[2].key, all[2].key + 1'000'000};
  must(write([&](WriteTransaction& t) { return t.drop_news(keys); }));
  EXPECT_THAT(bodies(news(10)), ElementsAre("two"));
}

TEST_P(StoreSuite, NewsThatNobodyReadsGoesAfterAMinute) {
  const auto tell = [&](std::string_view body) {
    return write([&, body](WriteTransaction& t) { return t.tell_news(me_, body); });
  };
  for (int i = 0; i < 150; ++i) must(tell("old"));
  clock_.advance(kNewsKept);
  must(tell("new"));
  EXPECT_THAT(must(read([](ReadTransaction& t) { return t.news(1'000); })), SizeIs(151));
  clock_.advance(1ms);
  must(tell("new"));
  must(tell("new"));
  EXPECT_THAT(bodies(must(read([](ReadTransaction& t) { return t.news(1'000); }))),
              ElementsAre("new", "new", "new"));
}

TEST_P(StoreSuite, APieceOfNewsHasABound) {
  const auto tell = [&](std::size_t octets) {
    return write([&](WriteTransaction& t) { return t.tell_news(me_, std::string(octets, 'x')); });
  };
  must(tell(kNewsMax));
  EXPECT_EQ(error_of(tell(kNewsMax + 1)), "invalid_input");
}

}  // namespace
}  // namespace todoku::store
