// SPDX-License-Identifier: Apache-2.0
#include "delivery/stop_list.h"

#include <vector>

#include <gtest/gtest.h>

#include "delivery/work.h"
#include "store/personal_data.h"

namespace todoku::delivery {
namespace {

using namespace std::chrono_literals;

constexpr store::AccountKey kAcme{7};
constexpr Instant kNow{std::chrono::hours(500'000)};

class NobodyListens final : public OutcomeSink {
 public:
  void settled(const Mail&, std::string_view, Outcome, Path, Milliseconds) override {}
  void parked(const Mail&, SteadyInstant) override {}
  void given_back(const store::LeasedBatch&, std::size_t, GivenBack) noexcept override {}
  [[nodiscard]] bool may_send() const override { return true; }
  Task<bool> may_send_soon() override { co_return true; }
  Task<bool> begin(const Mail&, std::uint32_t) override { co_return true; }
  void begin_soon(const Mail&, std::uint32_t) override {}
  Task<bool> begin_suspect(const Mail&) override { co_return true; }
  Task<bool> begin_once(const Mail&) override { co_return true; }
  Task<void> take_back(const Mail&) override { co_return; }
  Task<void> let_suspect_wait(const Mail&) override { co_return; }
};

// Is never asked here.
class NoStore final : public store::Store {
 public:
  void submit(store::Accept, store::Answered<store::Accept>) override {}
  void submit(store::Settle, store::Answered<store::Settle>) override {}
  void submit(store::Claim, store::Answered<store::Claim>) override {}
  void submit(store::StageRows, store::Answered<store::StageRows>) override {}
  void submit(store::Due, store::Answered<store::Due>) override {}
  void submit(store::BellWork, store::Answered<store::BellWork>) override {}
  void submit_write(store::WritePriority, store::WriteWork, store::Done) override {}
  void submit_read(store::ReadWork, store::Done) override {}
  [[nodiscard]] store::StoreFigures figures() const override { return {}; }
  [[nodiscard]] const Clock& clock() const override { return clock_; }
  void close() override {}

 private:
  FakeClock clock_;
};

class StopListTest : public ::testing::Test {
 protected:
  Mail mail_to(std::string address, store::AccountKey account = kAcme) {
    store::LeasedBatch leased;
    leased.account = account;
    leased.recipients.push_back({.seq = 0, .address = std::move(address)});
    return {
        std::make_shared<BatchInFlight>(std::move(leased), nullptr, SteadyInstant::max(), sink_),
        0};
  }
  static store::RecentStop entry(std::string subject, Instant at = kNow,
                                 store::AccountKey account = kAcme) {
    return {account, std::move(subject), at};
  }
  void learn(StopList& list, std::vector<store::RecentStop> entries, Instant now = kNow) {
    list.learn(entries, hash_, now);
  }

  const store::AddressHash hash_{1, 2};

  NobodyListens sink_;
  NoStore nobody_;
};

TEST_F(StopListTest, MentionsAddressesAndDomainsOfTheAccountAndTheInstallation) {
  StopList list(nobody_);
  EXPECT_FALSE(list.mentions(mail_to("ada@example.jp")));
  learn(list, {entry("ada@example.jp"), entry("@example.org"),
               entry("zoe@example.jp", kNow, store::kInstallation)});
  EXPECT_TRUE(list.mentions(mail_to("Ada@example.jp")));
  EXPECT_TRUE(list.mentions(mail_to("anybody@example.org")));
  EXPECT_TRUE(list.mentions(mail_to("zoe@example.jp", store::AccountKey{8})));
  EXPECT_FALSE(list.mentions(mail_to("ada@example.jp", store::AccountKey{8})));
  EXPECT_FALSE(list.mentions(mail_to("bob@example.jp")));
  EXPECT_FALSE(list.mentions(mail_to("anybody@sub.example.org")));
}

TEST_F(StopListTest, MentionsAnAddressWhoseEntryWasErasedBeforeItWasSeen) {
  StopList list(nobody_);
  learn(list, {entry(store::erased_subject(hash_("ada@example.jp")))});
  EXPECT_TRUE(list.mentions(mail_to("Ada@example.jp")));
  EXPECT_FALSE(list.mentions(mail_to("bob@example.jp")));
}

TEST_F(StopListTest, ForgetsWhatIsOlderThanAMailWaitsInMemory) {
  StopList list(nobody_);
  learn(list, {entry("ada@example.jp"), entry("bob@example.jp", kNow + 60s)}, kNow + 60s);
  learn(list, {}, kNow + StopList::kKept + 1s);
  EXPECT_FALSE(list.mentions(mail_to("ada@example.jp")));
  EXPECT_TRUE(list.mentions(mail_to("bob@example.jp")));
}

TEST_F(StopListTest, KeepsTheNewestOfTooMany) {
  StopList list(nobody_, 2);
  learn(list,
        {entry("a@example.jp", kNow), entry("b@example.jp", kNow + 1s),
         entry("c@example.jp", kNow + 2s)},
        kNow + 3s);
  EXPECT_EQ(list.size(), 2U);
  EXPECT_FALSE(list.mentions(mail_to("a@example.jp")));
  EXPECT_TRUE(list.mentions(mail_to("c@example.jp")));
}

TEST_F(StopListTest, AnImportPushesOutItsOwnAccountsOnly) {
  StopList list(nobody_, 10);
  learn(list, {entry("zoe@example.jp", kNow, store::AccountKey{8})});
  std::vector<store::RecentStop> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(entry(std::to_string(i) + "@example.jp", kNow + Milliseconds(i + 1)));
  }
  learn(list, many, kNow + 1s);
  EXPECT_LE(list.size(), 10U);
  EXPECT_TRUE(list.mentions(mail_to("zoe@example.jp", store::AccountKey{8})));
  EXPECT_TRUE(list.mentions(mail_to("99@example.jp")));
  EXPECT_FALSE(list.mentions(mail_to("0@example.jp")));
}

}  // namespace
}  // namespace todoku::delivery
