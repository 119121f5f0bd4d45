// SPDX-License-Identifier: Apache-2.0
// To how many recipients of which domains a list goes, whatever becomes of the list; and some of it
// in the place of all.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

DomainHistogram histogram_of(Store& store, DeliveryKey key) {
  DomainHistogram histogram(key);
  must(walk_and_wait(store, histogram));
  return histogram;
}

std::vector<DomainCount> domains_counted(Store& store, DeliveryKey key) {
  const DomainHistogram histogram = histogram_of(store, key);
  EXPECT_TRUE(histogram.known());
  return histogram.largest(100);
}

// An import of these recipients, in calls of so many; not ended.
ImportJob stage_in(Store& store, NodeKey node, const Delivery& delivery,
                   const std::vector<NewRecipient>& recipients, std::size_t per_call) {
  const ImportJob job = must(store.write_and_wait(WritePriority::import, [&](WriteTransaction& t) {
    return t.create_import(delivery.key, {.upload = "upload/1.csv"}, node);
  }));
  for (std::size_t i = 0; i < recipients.size(); i += per_call) {
    const auto end = std::min(i + per_call, recipients.size());
    StageRows rows{.job = job.id,
                   .account = delivery.account,
                   .node = node,
                   .recipients = {recipients.begin() + static_cast<std::ptrdiff_t>(i),
                                  recipients.begin() + static_cast<std::ptrdiff_t>(end)}};
    must(store.perform_and_wait(std::move(rows)));
  }
  return job;
}

void end_in(Store& store, NodeKey node, const ImportJob& job, ImportStatus how) {
  must(store.write_and_wait(WritePriority::import, [&](WriteTransaction& t) {
    return t.end_import(job.id, job.account, {how, 0, 0, 0, ""}, node);
  }));
}

RecipientKey key_of(Store& store, AccountKey account, PublicId id) {
  return must(store.read_and_wait([&](ReadTransaction& t) { return t.recipient(account, id); }))
      .key;
}

TEST_P(StoreSuite, TheDomainsOfAListAreCountedWhileItIsAppendedTo) {
  const Delivery made = draft(account().key);
  EXPECT_THAT(domains_counted(*store_, made.key), IsEmpty());
  append(made.key, recipients(120, "large.example"));
  append(made.key, {recipient("a", "b.example"), recipient("b", "b.example"),
                    recipient("c", "a.example"), recipient("d", "large.example")});
  append(made.key, {recipient("e", "a.example")});
  EXPECT_THAT(domains_counted(*store_, made.key),
              ElementsAre(DomainCount{"large.example", 121}, DomainCount{"a.example", 2},
                          DomainCount{"b.example", 2}));
  const DomainHistogram histogram = histogram_of(*store_, made.key);
  EXPECT_EQ(histogram.recipients(), 125);
  EXPECT_EQ(histogram.domains(), 3);
  EXPECT_EQ(histogram.others(), 0);
  EXPECT_THAT(histogram.largest(1), ElementsAre(DomainCount{"large.example", 121}));
  EXPECT_THAT(histogram.largest_and_some(1, 1),
              ElementsAre(DomainCount{"large.example", 121}, DomainCount{"a.example", 2}));
  EXPECT_THAT(histogram.largest_and_some(0, 2),
              ElementsAre(DomainCount{"large.example", 121}, DomainCount{"b.example", 2}))
      << "the first and the last of a sample";
  EXPECT_EQ(histogram.largest_and_some(1, 5).size(), 3) << "no more than there are";
  reopen();
  EXPECT_EQ(histogram_of(*store_, made.key).recipients(), 125);
  commit_and_start(made.key);
  EXPECT_EQ(histogram_of(*store_, made.key).domains(), 3) << "also of what goes out";
}

TEST_P(StoreSuite, TheDomainsFollowWhoIsChangedAndRemoved) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  const auto ids = append(made.key, {recipient("a", "a.example"), recipient("b", "a.example"),
                                     recipient("c", "c.example")});
  const auto change = [&](PublicId id, const NewRecipient& to) {
    const RecipientKey key = key_of(*store_, acme.key, id);
    must(write([&](WriteTransaction& t) { return t.change_recipient(key, to); }));
  };
  change(ids[0], recipient("other", "a.example"));
  EXPECT_THAT(domains_counted(*store_, made.key),
              ElementsAre(DomainCount{"a.example", 2}, DomainCount{"c.example", 1}));
  change(ids[2], recipient("c", "new.example"));
  EXPECT_THAT(domains_counted(*store_, made.key),
              ElementsAre(DomainCount{"a.example", 2}, DomainCount{"new.example", 1}));
  const RecipientKey gone = key_of(*store_, acme.key, ids[1]);
  must(write([&](WriteTransaction& t) { return t.remove_recipient(gone); }));
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.remove_recipient(gone); })),
            "not_found");
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.change_recipient(gone, recipient("x", "y.example"));
            })),
            "not_found");
  EXPECT_THAT(domains_counted(*store_, made.key),
              ElementsAre(DomainCount{"a.example", 1}, DomainCount{"new.example", 1}));
  must(write([&](WriteTransaction& t) { return t.clear_recipients(made.key); }));
  EXPECT_THAT(domains_counted(*store_, made.key), IsEmpty());
  append(made.key, {recipient("z", "z.example")});
  EXPECT_THAT(domains_counted(*store_, made.key), ElementsAre(DomainCount{"z.example", 1}));
}

// A batch of one domain has addresses without it.
TEST_P(StoreSuite, TheDomainOfALargeBatchIsCountedOffWithWhoLeavesIt) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  const auto ids = append(made.key, recipients(60, "large.example"));
  const RecipientKey first = key_of(*store_, acme.key, ids[0]);
  must(write([&](WriteTransaction& t) {
    return t.change_recipient(first, recipient("x", "small.example"));
  }));
  const RecipientKey second = key_of(*store_, acme.key, ids[1]);
  must(write([&](WriteTransaction& t) { return t.remove_recipient(second); }));
  EXPECT_THAT(domains_counted(*store_, made.key),
              ElementsAre(DomainCount{"large.example", 58}, DomainCount{"small.example", 1}));
}

TEST_P(StoreSuite, TheDomainsOfAnImportAreCountedWhenItEndsWell) {
  const Delivery made = draft(account().key);
  append(made.key, {recipient("a", "b.example")});
  std::vector<NewRecipient> rows = recipients(300, "a.example");
  rows.push_back(recipient("b", "b.example"));
  ImportJob job = stage_in(*store_, me_, made, rows, 100);
  EXPECT_THAT(domains_counted(*store_, made.key), ElementsAre(DomainCount{"b.example", 1}));
  end_in(*store_, me_, job, ImportStatus::failed);
  EXPECT_THAT(domains_counted(*store_, made.key), ElementsAre(DomainCount{"b.example", 1}));
  job = stage_in(*store_, me_, made, rows, 100);
  end_in(*store_, me_, job, ImportStatus::finished);
  EXPECT_THAT(domains_counted(*store_, made.key),
              ElementsAre(DomainCount{"a.example", 300}, DomainCount{"b.example", 2}));
}

// A call that has too many new domains has none of them counted apart, and so it is from then on.
TEST_P(StoreSuite, TheDomainsThatAreCountedApartAreBounded) {
  const Delivery made = draft(account().key);
  std::vector<NewRecipient> rows;
  for (std::int64_t i = 0; i < kDomainsCountedMax - 10; ++i) {
    rows.push_back(recipient("a", fmt::format("d{}.example", i)));
  }
  const ImportJob job = stage_in(*store_, me_, made, rows, 5'000);
  const auto stage = [&](std::vector<NewRecipient> more) {
    must(store_->perform_and_wait(StageRows{
        .job = job.id, .account = made.account, .node = me_, .recipients = std::move(more)}));
  };
  std::vector<NewRecipient> too_many = {recipient("a", "d0.example")};
  for (int i = 0; i < 11; ++i) too_many.push_back(recipient("a", fmt::format("n{}.example", i)));
  stage(too_many);
  stage({recipient("b", "d0.example"), recipient("b", "n0.example"), recipient("b", "x.example")});
  end_in(*store_, me_, job, ImportStatus::finished);
  const DomainHistogram histogram = histogram_of(*store_, made.key);
  EXPECT_TRUE(histogram.known());
  EXPECT_EQ(histogram.domains(), kDomainsCountedMax - 10);
  EXPECT_EQ(histogram.others(), 13);
  EXPECT_THAT(histogram.largest(1), ElementsAre(DomainCount{"d0.example", 3}));
}

TEST_P(StoreSuite, WhatWasCountedGoesWithItsDelivery) {
  const Delivery made = draft(account().key);
  append(made.key,
         {recipient("a", "a.example"), recipient("b", "b.example"), recipient("c", "c.example")});
  must(write([&](WriteTransaction& t) { return t.delete_delivery(made.key); }));
  // In slices that are smaller than what there is.
  int slices = 0;
  while (must(
      write([&](WriteTransaction& t) { return t.purge_deleted(2); }, WritePriority::retention))) {
    ASSERT_LT(++slices, 100);
  }
  EXPECT_GT(slices, 1);
  EXPECT_EQ(error_of(read([&](ReadTransaction& t) { return t.delivery_head(made.key); })),
            "not_found");
}

TEST_P(StoreSuite, WhoIsErasedIsOneOfTheOthers) {
  const Account acme = account();
  const Delivery sent =
      started(acme.key, {recipient("a", "taro.example"), recipient("b", "b.example")});
  const auto leases = claim_all(sent.key);
  ASSERT_THAT(leases, SizeIs(1));
  record({outcome(leases[0].key, 0, RecipientState::delivered),
          outcome(leases[0].key, 1, RecipientState::delivered)});
  const auto sample =
      must(read([&](ReadTransaction& t) { return t.sample_recipients(sent.key, 10); }));
  ASSERT_THAT(sample, SizeIs(2));
  for (const SampledRecipient& one : sample) {
    if (!one.address.ends_with("@taro.example")) continue;
    must(write([&](WriteTransaction& t) { return t.erase_recipient(one.key, one.address); }));
  }
  EXPECT_THAT(domains_counted(*store_, sent.key), ElementsAre(DomainCount{"b.example", 1}));
  EXPECT_EQ(histogram_of(*store_, sent.key).others(), 1);
}

// ---- samples -----------------------------------------------------------------------------------

std::vector<std::string> addresses_of(const std::vector<SampledRecipient>& sample) {
  std::vector<std::string> addresses;
  addresses.reserve(sample.size());
  for (const SampledRecipient& one : sample) addresses.push_back(one.address);
  return addresses;
}

TEST_P(StoreSuite, ASampleOfAShortListIsAllOfIt) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  const auto sample = [&](std::size_t wanted) {
    return must(read([&](ReadTransaction& t) { return t.sample_recipients(made.key, wanted); }));
  };
  EXPECT_THAT(sample(10), IsEmpty());
  NewRecipient named = recipient("b");
  named.insert_codes = {{"__name__", "太郎"}};
  append(made.key, {recipient("a"), named, recipient("c", "other.example")});
  const auto all = sample(10);
  EXPECT_THAT(addresses_of(all), ElementsAre("a@example.jp", "b@example.jp", "c@other.example"));
  EXPECT_EQ(all[1].insert_codes, named.insert_codes);
  EXPECT_EQ(sample(3), all);
  EXPECT_THAT(addresses_of(sample(2)), ElementsAre("a@example.jp", "c@other.example"));
  EXPECT_THAT(sample(0), IsEmpty());

  const Accepted mail = accept(acme.key, {recipient("x"), recipient("y")});
  EXPECT_THAT(addresses_of(must(read(
                  [&](ReadTransaction& t) { return t.sample_recipients(mail.delivery.key, 10); }))),
              ElementsAre("x@example.jp", "y@example.jp"))
      << "of a transaction, too";
  EXPECT_EQ(error_of(read(
                [&](ReadTransaction& t) { return t.sample_recipients(DeliveryKey{999'999}, 10); })),
            "not_found");
}

TEST_P(StoreSuite, ASampleIsSpreadOverTheList) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  const auto ids = append(made.key, recipients(2'000, "a.example"));
  append(draft(acme.key).key, recipients(500, "not.example"));  // ids between, of another
  append(made.key, recipients(2'000, "b.example"));
  append(made.key, {recipient("last", "c.example")});
  const auto sample = [&](std::size_t wanted) {
    return must(read([&](ReadTransaction& t) { return t.sample_recipients(made.key, wanted); }));
  };
  const auto some = sample(100);
  EXPECT_GE(some.size(), 95U);
  EXPECT_LE(some.size(), 100U);
  EXPECT_EQ(some.front().address, "user0@a.example");
  EXPECT_EQ(some.back().address, "last@c.example");
  const auto of = [&](std::string_view domain) {
    return std::ranges::count_if(
        some, [&](const SampledRecipient& one) { return one.address.ends_with(domain); });
  };
  EXPECT_NEAR(static_cast<double>(of("@a.example")), 50, 3);
  EXPECT_NEAR(static_cast<double>(of("@b.example")), 50, 3);
  EXPECT_EQ(of("@not.example"), 0);
  EXPECT_EQ(sample(100), some) << "the same as long as the list is";
  EXPECT_THAT(sample(5'000), SizeIs(::testing::Le(kSampleMax)));

  // Whoever is not there any more is stood in for by a neighbour.
  const RecipientKey first = key_of(*store_, acme.key, ids[0]);
  must(write([&](WriteTransaction& t) { return t.remove_recipient(first); }));
  EXPECT_EQ(sample(100).front().address, "user1@a.example");
}

TEST_P(StoreSuite, WhoOfASampleIsStoppedIsTold) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  append(made.key, {recipient("a"), recipient("b"), recipient("c", "closed.example")});
  const NewSuppression entries[] = {{.account = acme.key,
                                     .subject = "b@example.jp",
                                     .reason = StopReason::unsubscribe,
                                     .scope = StopScope::advertisements},
                                    {.account = kInstallation, .subject = "@closed.example"}};
  must(write([&](WriteTransaction& t) { return t.put_suppressions(entries); }));
  const auto stopped = [&](Purpose purpose) {
    return must(read([&](ReadTransaction& t) -> Result<std::vector<std::optional<StopReason>>> {
      const auto sample = t.sample_recipients(made.key, 10);
      if (!sample) return fail(sample.error());
      return stopped_in_sample(t, acme.key, *sample, purpose, "");
    }));
  };
  EXPECT_THAT(stopped(Purpose::advertisement),
              ElementsAre(std::nullopt, StopReason::unsubscribe, StopReason::manual));
  EXPECT_THAT(stopped(Purpose::transactional),
              ElementsAre(std::nullopt, std::nullopt, StopReason::manual));
}

}  // namespace
}  // namespace todoku::store
