// SPDX-License-Identifier: Apache-2.0
// Answers to requests that may be repeated: one is kept for each key, with what was made, and for
// its time.
#include <future>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::SizeIs;

IdempotencyRecord record_of(AccountKey account, std::string_view name,
                            KeyedRoute route = KeyedRoute::transaction,
                            std::string_view fields = "fields") {
  return {.key = {account, route, sha256(name)}, .fingerprint = sha256(fields)};
}

Accept keyed(Accept accept, const IdempotencyRecord& record) {
  accept.idempotency = record;
  return accept;
}

TEST_P(StoreSuite, AKeyedTransactionIsAcceptedOnceAndItsAnswerIsKept) {
  const Account acme = account();
  const IdempotencyRecord record = record_of(acme.key, "a");
  const auto answer = [&](const IdempotencyKey& key) {
    return must(read([&](ReadTransaction& t) { return t.kept_answer(key); }));
  };
  EXPECT_FALSE(answer(record.key));
  const auto first =
      store_->perform_and_wait(keyed(acceptance(acme.key, recipients(2, "example.jp")), record));
  ASSERT_TRUE(first) << first.error().detail;
  const auto kept = answer(record.key);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->answer, first->delivery.id);
  EXPECT_EQ(kept->fingerprint, record.fingerprint);
  const auto second =
      store_->perform_and_wait(keyed(acceptance(acme.key, recipients(2, "example.jp")), record));
  EXPECT_EQ(error_of(second), "conflict");
  EXPECT_THAT(deliveries_of(*store_, {.account = acme.key}), SizeIs(1));
  EXPECT_EQ(answer(record.key)->answer, first->delivery.id);
}

TEST_P(StoreSuite, AKeyIsOfOneAccountAndOneKindOfRequest) {
  const Account acme = account();
  const Account other = account("other");
  const auto keep = [&](const IdempotencyRecord& record) {
    return write([&](WriteTransaction& t) { return t.keep_answer(record); });
  };
  const auto record = record_of(acme.key, "a");
  must(keep(record));
  must(keep(record_of(other.key, "a")));
  must(keep(record_of(acme.key, "a", KeyedRoute::bulk_commit)));
  must(keep(record_of(acme.key, "A")));
  EXPECT_EQ(error_of(keep(record)), "conflict");
  EXPECT_EQ(error_of(keep(record_of(acme.key, "a", KeyedRoute::transaction, "other fields"))),
            "conflict");
  Accept strange =
      keyed(acceptance(acme.key, recipients(1, "example.jp")), record_of(other.key, "strange"));
  EXPECT_EQ(error_of(store_->perform_and_wait(std::move(strange))), "invalid_input");
}

TEST_P(StoreSuite, WhatAFunctionMadeUnderAKeyInUseIsUndone) {
  const Account acme = account();
  const auto record = record_of(acme.key, "a", KeyedRoute::bulk_begin);
  const auto begin = [&](std::int64_t wrong) {
    return write([&](WriteTransaction& t) -> Result<PublicId> {
      const auto made = t.create_draft(bulk(acme.key), kDraftsMax);
      if (!made) return fail(made.error());
      IdempotencyRecord its = record;
      its.answer = made->id + wrong;
      auto done = t.keep_answer(its);
      if (!done) return fail(std::move(done.error()));
      return made->id;
    });
  };
  const PublicId first = must(begin(0));
  EXPECT_EQ(error_of(begin(1)), "conflict");
  EXPECT_THAT(deliveries_of(*store_, {.account = acme.key}), SizeIs(1));
  EXPECT_EQ(must(read([&](ReadTransaction& t) { return t.kept_answer(record.key); }))->answer,
            first);
}

TEST_P(StoreSuite, WhatFailsKeepsNoAnswer) {
  const Account acme = account();
  const auto record = record_of(acme.key, "a", KeyedRoute::bulk_begin);
  const auto failed = write([&](WriteTransaction& t) -> Result<void> {
    must(t.keep_answer(record));
    return fail(ErrorKind::conflict, "something else is wrong");
  });
  EXPECT_EQ(error_of(failed), "conflict");
  EXPECT_FALSE(must(read([&](ReadTransaction& t) { return t.kept_answer(record.key); })));
  const AccountKey nobody{999'999};
  const auto strange = record_of(nobody, "b");
  EXPECT_EQ(error_of(store_->perform_and_wait(
                keyed(acceptance(nobody, recipients(1, "example.jp")), strange))),
            "not_found");
  EXPECT_FALSE(must(read([&](ReadTransaction& t) { return t.kept_answer(strange.key); })));
}

TEST_P(StoreSuite, AnAnswerIsKeptForADayAndThenItsKeyIsFree) {
  const Account acme = account();
  const auto record = record_of(acme.key, "a");
  const auto kept = [&] {
    return must(read([&](ReadTransaction& t) { return t.kept_answer(record.key); }));
  };
  const auto accept_it = [&] {
    return store_->perform_and_wait(
        keyed(acceptance(acme.key, recipients(1, "example.jp")), record));
  };
  const PublicId first = must(accept_it()).delivery.id;
  clock_.advance(kAnswersKept - 1ms);
  EXPECT_EQ(kept()->answer, first);
  EXPECT_EQ(error_of(accept_it()), "conflict");
  clock_.advance(1ms);
  EXPECT_FALSE(kept());
  const PublicId second = must(accept_it()).delivery.id;
  EXPECT_NE(second, first);
  EXPECT_EQ(kept()->answer, second);
  clock_.advance(kAnswersKept);
  must(write([&](WriteTransaction& t) { return t.keep_answer(record); }));
  EXPECT_EQ(kept()->answer, record.answer);
}

TEST_P(StoreSuite, OfWhatBeginsLaterTheAnswerIsKeptADayLonger) {
  const Account acme = account();
  auto record = record_of(acme.key, "a", KeyedRoute::bulk_commit);
  record.begins = now() + 48h;
  must(write([&](WriteTransaction& t) { return t.keep_answer(record); }));
  Accept later = acceptance(acme.key, recipients(1, "example.jp"));
  later.idempotency = record_of(acme.key, "b");
  later.idempotency->begins = now() + 48h;
  const IdempotencyKey its = later.idempotency->key;
  must(store_->perform_and_wait(std::move(later)));
  const auto kept = [&](const IdempotencyKey& key) {
    return must(read([&](ReadTransaction& t) { return t.kept_answer(key); })).has_value();
  };
  clock_.advance(72h - 1ms);
  EXPECT_TRUE(kept(record.key));
  EXPECT_TRUE(kept(its));
  clock_.advance(1ms);
  EXPECT_FALSE(kept(record.key));
  EXPECT_FALSE(kept(its));
}

TEST_P(StoreSuite, AnswersGoInSlicesWhenTheirTimeIsOver) {
  const Account acme = account();
  const auto keep = [&](std::string_view name) {
    must(write([&](WriteTransaction& t) { return t.keep_answer(record_of(acme.key, name)); }));
  };
  const auto purge = [&] {
    return must(write([](WriteTransaction& t) { return t.purge_deleted(2); }));
  };
  for (const char* name : {"a", "b", "c", "d", "e"}) keep(name);
  clock_.advance(kAnswersKept - 1ms);
  keep("young");
  while (purge()) {
  }
  EXPECT_TRUE(must(read([&](ReadTransaction& t) {
    return t.kept_answer(record_of(acme.key, "a").key);
  }))) << "not yet";
  clock_.advance(1ms);
  int slices = 1;
  while (purge()) ++slices;
  EXPECT_EQ(slices, 3);
  EXPECT_TRUE(must(
      read([&](ReadTransaction& t) { return t.kept_answer(record_of(acme.key, "young").key); })));
}

TEST_P(StoreSuite, AnswersSurviveARestartAndACrash) {
  const Account acme = account();
  const auto record = record_of(acme.key, "a");
  const PublicId id = must(store_->perform_and_wait(
                               keyed(acceptance(acme.key, recipients(1, "example.jp")), record)))
                          .delivery.id;
  const auto check = [&] {
    const auto kept = must(read([&](ReadTransaction& t) { return t.kept_answer(record.key); }));
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->answer, id);
    EXPECT_EQ(kept->fingerprint, record.fingerprint);
    EXPECT_EQ(error_of(store_->perform_and_wait(
                  keyed(acceptance(acme.key, recipients(1, "example.jp")), record))),
              "conflict");
  };
  crash();
  check();
  reopen();
  check();
}

// They fly together, and one that is refused does not take the others with it.
TEST_P(StoreSuite, OfManyThatWaitTogetherEachKeyIsAcceptedOnce) {
  const Account acme = account();
  const auto taken = record_of(acme.key, "taken");
  must(store_->perform_and_wait(keyed(acceptance(acme.key, recipients(1, "example.jp")), taken)));
  std::promise<void> release;
  std::promise<void> holds;
  store_->submit_write(
      WritePriority::accept,
      [&, waits = release.get_future().share()](WriteTransaction&) -> Result<void> {
        holds.set_value();
        waits.wait();
        return {};
      },
      [](const Result<void>&) {});
  holds.get_future().wait();
  std::vector<std::future<Result<Accepted>>> free;
  std::vector<std::future<Result<Accepted>>> same;
  std::vector<std::future<Result<Accepted>>> refused;
  for (int i = 0; i < 20; ++i) {
    free.push_back(store_->perform_soon(acceptance(acme.key, recipients(1, "example.jp"))));
    free.push_back(store_->perform_soon(keyed(acceptance(acme.key, recipients(1, "example.jp")),
                                              record_of(acme.key, fmt::format("own {}", i)))));
    same.push_back(store_->perform_soon(
        keyed(acceptance(acme.key, recipients(1, "example.jp")), record_of(acme.key, "same"))));
    refused.push_back(
        store_->perform_soon(keyed(acceptance(acme.key, recipients(1, "example.jp")), taken)));
  }
  release.set_value();
  for (auto& answer : free) EXPECT_EQ(error_of(answer.get()), "none");
  for (auto& answer : refused) EXPECT_EQ(error_of(answer.get()), "conflict");
  int accepted = 0;
  for (auto& answer : same) {
    const auto told = answer.get();
    if (told) {
      ++accepted;
    } else {
      EXPECT_EQ(error_of(told), "conflict");
    }
  }
  EXPECT_EQ(accepted, 1);
  EXPECT_THAT(deliveries_of(*store_, {.account = acme.key, .limit = 1'000}), SizeIs(1 + 40 + 1));
}

}  // namespace
}  // namespace todoku::store
