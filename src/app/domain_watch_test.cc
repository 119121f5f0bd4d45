// SPDX-License-Identifier: Apache-2.0
#include "app/domain_watch.h"

#include <map>

#include <gtest/gtest.h>

#include "access/domain_proof.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

using store::DomainState;

class DomainWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    account_ =
        installation_.store
            ->write_and_wait(store::WritePriority::accept,
                             [](store::WriteTransaction& t) { return t.create_account("acme"); })
            ->key;
  }
  void claim(const std::string& domain) {
    store::Domain made;
    made.account = account_;
    made.domain = domain;
    made.token = "of " + domain;
    made.look_at = installation_.clock.now();
    ASSERT_TRUE(installation_.store->write_and_wait(
        store::WritePriority::accept,
        [&](store::WriteTransaction& t) { return t.add_domain(made); }));
  }
  store::Domain stored(const std::string& domain) {
    return *installation_.store->read_and_wait(
        [&](store::ReadTransaction& t) { return t.domain(account_, domain); });
  }
  Task<Result<std::vector<std::string>>> texts(std::string name) {
    ++asked_[name];
    const auto found = texts_.find(name);
    if (found == texts_.end()) co_return fail(ErrorKind::not_found, "no such name");
    if (found->second == "broken") co_return fail(ErrorKind::unavailable, "SERVFAIL");
    co_return std::vector<std::string>{found->second};
  }
  Task<Result<std::size_t>> look_once() {
    const auto executor = co_await boost::asio::this_coro::executor;
    DomainWatch watch(
        *installation_.store, [this](std::string name) { return texts(std::move(name)); }, executor,
        installation_.clock);
    co_return co_await watch.look();
  }

  TestStore installation_;
  store::AccountKey account_{};
  std::map<std::string, std::string> texts_;
  std::map<std::string, int> asked_;
};

TEST_F(DomainWatchTest, LooksAtWhatIsDueAndProvesWhatIsThere) {
  for (int i = 0; i < 20; ++i) claim("d" + std::to_string(i) + ".example");
  texts_["_todoku-challenge.d3.example"] = "todoku-domain-verification=of d3.example";
  texts_["_todoku-challenge.d4.example"] = "todoku-domain-verification=of d3.example";
  texts_["_todoku-challenge.d5.example"] = "broken";
  EXPECT_EQ(*run(look_once()), 20U);
  EXPECT_EQ(stored("d3.example").state, DomainState::proven);
  EXPECT_EQ(stored("d4.example").state, DomainState::unproven) << "another claim's record";
  EXPECT_EQ(stored("d5.example").answered, std::nullopt);
  EXPECT_EQ(stored("d6.example").answered, installation_.clock.now());
  EXPECT_EQ(*run(look_once()), 0U) << "nothing is due any more";
  installation_.clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(*run(look_once()), 19U) << "what is proven is looked at later";
  EXPECT_EQ(asked_["_todoku-challenge.d3.example"], 1);
}

TEST_F(DomainWatchTest, EndsAProofWhoseRecordIsGoneForSevenDays) {
  claim("gone.example");
  texts_["_todoku-challenge.gone.example"] = "todoku-domain-verification=of gone.example";
  ASSERT_TRUE(run(look_once()));
  texts_.clear();
  int hours = 0;
  while (stored("gone.example").state == DomainState::proven && hours < 24 * 30) {
    installation_.clock.advance(std::chrono::hours(1));
    ASSERT_TRUE(run(look_once()));
    ++hours;
  }
  EXPECT_EQ(hours, 6 + 24 * 7);
  EXPECT_EQ(stored("gone.example").state, DomainState::lapsed);
}

}  // namespace
}  // namespace todoku::app
