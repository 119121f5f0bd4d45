// SPDX-License-Identifier: Apache-2.0
// DKIM keys that rotate by themselves (store/key_slots.h).
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> domains_of(const std::vector<KeySlotsRow>& rows) {
  std::vector<std::string> domains;
  for (const KeySlotsRow& row : rows) domains.push_back(row.domain);
  return domains;
}

TEST_P(StoreSuite, OfTwoWhoMoveKeySlotsOnFromOneRevisionOneDoes) {
  const Account acme = account("acme");
  const auto put = [&](const KeySlotsRow& row) {
    return must(write([&](WriteTransaction& t) { return t.put_key_slots(row); }));
  };
  const auto of = [&](std::string_view domain) {
    return must(read([&](ReadTransaction& t) { return t.key_slots_of(acme.key, domain); }));
  };
  EXPECT_FALSE(of("example.jp").has_value());
  KeySlotsRow row{.account = acme.key,
                  .domain = "example.jp",
                  .revision = 0,
                  .look = after(5),
                  .state = std::string("a\0b", 3)};
  EXPECT_TRUE(put(row));
  EXPECT_FALSE(put(row)) << "it is there already";
  reopen();
  auto found = of("example.jp");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->revision, 1);
  EXPECT_EQ(found->state, row.state);
  EXPECT_EQ(found->look, after(5));

  KeySlotsRow first = *found;
  KeySlotsRow second = *found;
  first.state = "first";
  first.look = std::nullopt;
  second.state = "second";
  EXPECT_TRUE(put(first));
  EXPECT_FALSE(put(second)) << "somebody was first";
  found = of("example.jp");
  EXPECT_EQ(found->state, "first");
  EXPECT_EQ(found->look, std::nullopt);

  const auto remove = [&](const KeySlotsRow& which) {
    return must(write([&](WriteTransaction& t) { return t.remove_key_slots(which); }));
  };
  EXPECT_FALSE(remove(second));
  EXPECT_TRUE(remove(*found));
  EXPECT_FALSE(of("example.jp").has_value());
  EXPECT_FALSE(put(*found)) << "what is gone is not changed";

  const KeySlotsRow long_one{.account = acme.key,
                             .domain = "long.example",
                             .revision = 0,
                             .look = {},
                             .state = std::string(kKeySlotsMax + 1, 'x')};
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.put_key_slots(long_one); })),
            "invalid_input");
}

TEST_P(StoreSuite, KeySlotsAreListedInPagesAndThoseThatAreDueFirst) {
  const Account acme = account("acme");
  const Account shop = account("shop");
  const auto add = [&](AccountKey owner, std::string domain, std::optional<Instant> look) {
    EXPECT_TRUE(must(write([&](WriteTransaction& t) {
      return t.put_key_slots(
          {.account = owner, .domain = domain, .revision = 0, .look = look, .state = "s"});
    })));
  };
  add(shop.key, "b.example", now() - std::chrono::seconds(1));
  add(acme.key, "c.example", now() - std::chrono::seconds(2));
  add(acme.key, "a.example", after(3'600));
  add(acme.key, "d.example", std::nullopt);
  add(kPlatform, "dkim.example.com", std::nullopt);
  const auto page = [&](const DomainPlace& place, std::int64_t limit) {
    return domains_of(must(read([&](ReadTransaction& t) { return t.key_slots(place, limit); })));
  };
  EXPECT_THAT(page({kPlatform, ""}, 2), ElementsAre("dkim.example.com", "a.example"));
  EXPECT_THAT(page({acme.key, "a.example"}, 10),
              ElementsAre("c.example", "d.example", "b.example"));
  EXPECT_THAT(page({shop.key, "b.example"}, 10), IsEmpty());
  const auto due = [&](std::int64_t limit) {
    return domains_of(must(read([&](ReadTransaction& t) { return t.key_slots_due(limit); })));
  };
  EXPECT_THAT(due(10), ElementsAre("c.example", "b.example"));
  EXPECT_THAT(due(1), ElementsAre("c.example"));
}

}  // namespace
}  // namespace todoku::store
