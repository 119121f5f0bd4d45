// SPDX-License-Identifier: Apache-2.0
#include "app/domain_doctor.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doctor/domain_texts.h"
#include "operate/dkim_parts.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class DomainDoctorTest : public testing::Test {
 protected:
  template <class Work>
  auto write(Work work) {
    return installation_.store->write_and_wait(store::WritePriority::accept, std::move(work));
  }
  void SetUp() override {
    account_ =
        write([](store::WriteTransaction& t) { return t.create_account("acme"); }).value().key;
  }
  void prove(const std::string& domain) {
    store::Domain made;
    made.account = account_;
    made.domain = domain;
    made.token = "t";
    made.state = store::DomainState::proven;
    ASSERT_TRUE(write([&](store::WriteTransaction& t) { return t.add_domain(made); }));
  }
  void put_key(const std::string& domain, const std::string& selector) {
    const store::DkimKey key{.account = account_,
                             .domain = domain,
                             .selector = selector,
                             .algorithm = "rsa-sha256",
                             .sealed_private_key = "sealed",
                             .dns_record = "v=DKIM1; p=x",
                             .created = installation_.clock.now()};
    ASSERT_TRUE(write([&](store::WriteTransaction& t) { return t.put_dkim_key(key); }));
  }
  operate::DomainHistory history(const std::string& domain) {
    const auto check = installation_.store->read_and_wait(
        [&](store::ReadTransaction& t) { return t.domain_check(account_, domain); });
    return operate::unpack_history(check.value().found).value();
  }
  Task<Result<DomainDoctor::Examined>> examine(doctor::DomainWish wish) {
    ++examined_;
    std::vector<std::string> selectors;
    for (const doctor::DomainKey& key : wish.keys) selectors.push_back(key.selector);
    keys_[wish.domain] = selectors;
    if (code_.empty()) co_return fail(ErrorKind::unavailable, "the resolver lies");
    co_return DomainDoctor::Examined{
        .findings = {doctor::domain_finding(code_, {.subject = "r1._domainkey." + wish.domain})},
        .records = doctor::wanted_records(wish, zone_).value()};
  }
  Task<Result<std::size_t>> look_once() {
    const auto executor = co_await boost::asio::this_coro::executor;
    SeededRandom random(7);
    DomainDoctor doctor(
        {.store = *installation_.store,
         .examine = [this](doctor::DomainWish wish) { return examine(std::move(wish)); },
         .clock = installation_.clock,
         .metrics = metrics_,
         .random = random},
        {}, executor);
    co_return co_await doctor.look();
  }

  TestStore installation_;
  Metrics metrics_;
  store::AccountKey account_{};
  std::string code_ = "dkim_ok";
  doctor::ZoneNow zone_;
  int examined_ = 0;
  std::map<std::string, std::vector<std::string>> keys_;
};

TEST_F(DomainDoctorTest, NotesWhichKeysAreOverThoughTheResolverLies) {
  prove("example.jp");
  put_key("example.jp", "old");
  installation_.clock.advance(1h);
  put_key("example.jp", "new");
  installation_.clock.advance(2h);
  const auto over = [this] {
    return installation_.store
        ->read_and_wait([this](store::ReadTransaction& t) {
          return operate::dkim_keys_over(t, account_, "example.jp", installation_.clock.now());
        })
        .value();
  };
  ASSERT_THAT(over(), SizeIs(1));
  EXPECT_EQ(over()[0].selector, "old");
  code_.clear();
  EXPECT_EQ(*run(look_once()), 1U);
  EXPECT_THAT(over(), IsEmpty()) << "its time runs";
}

TEST_F(DomainDoctorTest, KeepsWhatItSawOfTheRecords) {
  prove("example.jp");
  put_key("example.jp", "r1");
  zone_.dmarc_texts = {"v=DMARC1; p=reject"};
  zone_.other_texts["r1._domainkey.example.jp"] = {"v=DKIM1; p=another"};
  EXPECT_EQ(*run(look_once()), 1U);
  const auto state_of = [&](const std::string& name) -> std::string {
    for (const operate::DomainRecord& record : history("example.jp").records) {
      if (record.name == name) return std::string(to_string(record.state));
    }
    return "not told";
  };
  EXPECT_EQ(state_of("_dmarc.example.jp"), "published");
  EXPECT_EQ(state_of("r1._domainkey.example.jp"), "different");
  // What could not be found out is not said to be missing.
  installation_.clock.advance(7h);
  zone_ = {};
  code_ = "dkim_undetermined";
  EXPECT_EQ(*run(look_once()), 1U);
  EXPECT_EQ(state_of("_dmarc.example.jp"), "not_checked");
  EXPECT_EQ(state_of("r1._domainkey.example.jp"), "not_checked");
}

TEST_F(DomainDoctorTest, ChecksEachProvenDomainOnceInTheIntervalAndKeepsWhatChanges) {
  for (int i = 0; i < 5; ++i) prove("d" + std::to_string(i) + ".example");
  EXPECT_EQ(*run(look_once()), 5U);
  EXPECT_EQ(*run(look_once()), 0U);
  installation_.clock.advance(5h);
  EXPECT_EQ(*run(look_once()), 0U) << "at the earliest a tenth before its time";
  installation_.clock.advance(2h);
  code_ = "dkim_missing";
  EXPECT_EQ(*run(look_once()), 5U);
  EXPECT_EQ(examined_, 10);
  const auto broken = history("d3.example");
  ASSERT_THAT(broken.changes, SizeIs(1));
  EXPECT_EQ(broken.changes[0].finding.code, "dkim_missing");
  EXPECT_TRUE(broken.fails());
  installation_.clock.advance(7h);
  code_ = "dkim_ok";
  EXPECT_EQ(*run(look_once()), 5U);
  EXPECT_THAT(history("d3.example").faults, IsEmpty());
  EXPECT_THAT(history("d3.example").changes, SizeIs(2));
  const auto told = installation_.store->read_and_wait([&](store::ReadTransaction& t) {
    return t.events({.account = account_,
                     .limit = 100,
                     .kinds = {store::EventKind::domain_broken, store::EventKind::domain_whole}});
  });
  ASSERT_THAT(told.value().events, SizeIs(10)) << "each domain's owner, of both";
  const store::SheetEntry& first = told.value().events.front().entry;
  const store::SheetEntry& last = told.value().events.back().entry;
  EXPECT_EQ(first.kind, store::EventKind::domain_broken);
  EXPECT_TRUE(first.credential->because.starts_with("dkim_missing: "));
  EXPECT_EQ(last.kind, store::EventKind::domain_whole);
}

TEST_F(DomainDoctorTest, OnlyKeysThatSignAreCountedAsGone) {
  prove("signs.example");
  put_key("signs.example", "r1");
  prove("not-yet.example");
  ASSERT_EQ(*run(look_once()), 2U);
  installation_.clock.advance(7h);
  code_ = "dkim_missing";
  ASSERT_EQ(*run(look_once()), 2U);
  EXPECT_THAT(history("not-yet.example").changes, SizeIs(1));
  EXPECT_EQ(metrics_.counter("todoku_domain_keys_gone_total", "").value(), 1U);
}

TEST_F(DomainDoctorTest, AResolverThatLiesConcludesNothingAndIsTriedAnHourLater) {
  prove("a.example");
  ASSERT_EQ(*run(look_once()), 1U);
  installation_.clock.advance(7h);
  code_.clear();
  EXPECT_EQ(*run(look_once()), 1U);
  EXPECT_THAT(history("a.example").changes, IsEmpty());
  installation_.clock.advance(59min);
  EXPECT_EQ(*run(look_once()), 0U) << "nobody is asked more than once an hour";
  installation_.clock.advance(2min);
  EXPECT_EQ(*run(look_once()), 1U);
}

TEST_F(DomainDoctorTest, KeysOfTheNearestDomainThatHasSomeAreLookedFor) {
  put_key("example", "far");
  put_key("shop.example", "near");
  put_key("shop.example", "other");
  prove("news.shop.example");
  prove("b.example");
  ASSERT_TRUE(run(look_once()));
  EXPECT_THAT(keys_["news.shop.example"], ElementsAre("near", "other"));
  EXPECT_THAT(keys_["b.example"], ElementsAre("far"));
}

}  // namespace
}  // namespace todoku::app
