// SPDX-License-Identifier: Apache-2.0
// Requests that have a name, on a store: what another process or a store that is away makes of
// their repeats.
#include "intake/repeats.h"

#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "base/digest.h"
#include "support/failing_store.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

using intake::Answer;
using intake::Made;
using intake::Refusal;
using intake::Repeatable;
using intake::Repeats;

class RepeatsTest : public ::testing::Test {
 protected:
  [[nodiscard]] static store::IdempotencyRecord record(std::string_view name = "name",
                                                       std::string_view fields = "fields") {
    return {.key = {store::AccountKey{1}, store::KeyedRoute::bulk_commit, sha256(name)},
            .fingerprint = sha256(fields)};
  }
  // As a process that carries out the request commits it.
  void keep(store::IdempotencyRecord its, std::int64_t answer) {
    its.answer = answer;
    const auto kept = installation_.store->write_and_wait(
        store::WritePriority::accept,
        [&](store::WriteTransaction& transaction) { return transaction.keep_answer(its); });
    ASSERT_TRUE(kept) << kept.error().detail;
  }
  // `work` is what the request does when its turn comes.
  Answer<Made> ask(Repeatable its, std::function<Answer<std::int64_t>()> work) {
    work_ = std::move(work);
    const auto make = [this](Repeatable given) { return carry_out(std::move(given)); };
    context_.restart();
    auto asked = boost::asio::co_spawn(context_, repeats_.once(std::move(its), make),
                                       boost::asio::use_future);
    while (asked.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      context_.restart();
      context_.poll();
    }
    return asked.get();
  }
  Task<Answer<std::int64_t>> carry_out(Repeatable given) {
    ++made_;
    given_ = std::move(given);
    co_return work_();
  }
  [[nodiscard]] static Answer<std::int64_t> refused(ErrorKind kind) {
    return std::unexpected(Refusal::of(kind, {"no.", "no."}));
  }

  TestStore installation_;
  FailingStore failing_{*installation_.store};
  Repeats repeats_{failing_};
  boost::asio::io_context context_;
  std::function<Answer<std::int64_t>()> work_;
  Repeatable given_;
  int made_ = 0;
};

TEST_F(RepeatsTest, WhatHasNoNameAsksNobody) {
  const auto made = ask(std::nullopt, [] { return 7; });
  ASSERT_TRUE(made);
  EXPECT_EQ(made->answer, 7);
  EXPECT_FALSE(made->replayed);
  EXPECT_EQ(failing_.calls(), 0);
}

TEST_F(RepeatsTest, WhatIsNewIsMadeWithItsRecord) {
  const auto made = ask(record(), [] { return 7; });
  ASSERT_TRUE(made);
  EXPECT_FALSE(made->replayed);
  ASSERT_TRUE(given_);
  EXPECT_EQ(given_->key, record().key);
  EXPECT_EQ(given_->fingerprint, record().fingerprint);
}

TEST_F(RepeatsTest, WhatWasMadeIsAnsweredAndNotMadeAgain) {
  keep(record(), 5);
  const auto made = ask(record(), [] { return 7; });
  ASSERT_TRUE(made);
  EXPECT_EQ(made->answer, 5);
  EXPECT_TRUE(made->replayed);
  EXPECT_EQ(made_, 0);
}

TEST_F(RepeatsTest, ANameOfAnotherRequestIsRefused) {
  keep(record(), 5);
  const auto made = ask(record("name", "other fields"), [] { return 7; });
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().key, Refusal::Key::other_request);
  EXPECT_EQ(made_, 0);
}

// Its having done so is why it is refused here.
TEST_F(RepeatsTest, WhatAnotherProcessMakesMeanwhileIsAnsweredHereToo) {
  for (const ErrorKind why : {ErrorKind::conflict, ErrorKind::not_found, ErrorKind::limit_exceeded,
                              ErrorKind::invalid_input}) {
    const auto its = record(to_string(why));
    const auto made = ask(its, [&] {
      keep(its, 5);
      return refused(why);
    });
    ASSERT_TRUE(made) << to_string(why);
    EXPECT_EQ(made->answer, 5);
    EXPECT_TRUE(made->replayed);
  }
  const auto other = record("another's");
  const auto made = ask(other, [&] {
    keep(record("another's", "other fields"), 5);
    return refused(ErrorKind::conflict);
  });
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().key, Refusal::Key::other_request);
}

TEST_F(RepeatsTest, ARefusalStandsWhereNobodyHasMadeIt) {
  const auto made = ask(record(), [] { return refused(ErrorKind::conflict); });
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::conflict);
  EXPECT_EQ(made.error().key, Refusal::Key::no_trouble);
  EXPECT_TRUE(ask(record(), [] { return 7; })) << "put right, it may be tried again";
}

// It may be stored: only the next request finds out.
TEST_F(RepeatsTest, WhatMayPassIsNotAskedAbout) {
  for (const ErrorKind why : {ErrorKind::io, ErrorKind::unavailable}) {
    const auto before = failing_.calls();
    const auto made = ask(record(), [&] { return refused(why); });
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind, why);
    EXPECT_EQ(failing_.calls(), before + 1);
  }
}

TEST_F(RepeatsTest, WithoutTheStoreNothingIsMade) {
  failing_.set_outage(true);
  const auto made = ask(record(), [] { return 7; });
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(made_, 0);
}

TEST_F(RepeatsTest, OneAtATimeIsInProgress) {
  std::optional<Answer<Repeats::Place>> first(repeats_.begin(record().key));
  ASSERT_TRUE(*first);
  const auto second = ask(record(), [] { return 7; });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().key, Refusal::Key::in_progress);
  EXPECT_EQ(made_, 0);
  EXPECT_TRUE(repeats_.begin(record("another").key));
  {
    const Repeats::Place moved = std::move(**first);
    first.reset();
    EXPECT_FALSE(repeats_.begin(record().key)) << "it went on elsewhere";
  }
  EXPECT_TRUE(ask(record(), [] { return 7; }));
  EXPECT_TRUE(repeats_.begin(record().key)) << "and is over with its answer";
}

}  // namespace
}  // namespace todoku::app
