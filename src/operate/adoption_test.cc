// SPDX-License-Identifier: Apache-2.0
// A store that was served under other names is taken over, and what waits in it cancelled or kept.
#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "events/journal/journaler.h"
#include "operate/operations.h"
#include "store/walks.h"
#include "support/installation.h"

namespace todoku::operate {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::chrono::hours kLife(24);

struct AdoptionTest : testing::Test {
  template <class Work>
  auto write(Work work) {
    auto done = installation.store->write_and_wait(store::WritePriority::accept, std::move(work));
    if (!done) throw std::runtime_error(done.error().detail);
    if constexpr (!std::is_void_v<typename decltype(done)::value_type>) return std::move(*done);
  }
  [[nodiscard]] Operations operations(const std::string& cluster) {
    return {*installation.store, installation.clock,
            Operations::Options{.names = {.cluster = cluster, .database = {}, .queue = {}}}};
  }
  void serve_as(const std::string& cluster) {
    write([&](store::WriteTransaction& t) {
      return remember_names(t, {.cluster = cluster, .database = {}, .queue = {}});
    });
  }
  // Recipients of several batches; reserved, or sending.
  store::DeliveryKey bulk(bool started, int count) {
    store::NewDelivery delivery;
    delivery.account = account;
    delivery.type = DeliveryType::bulk;
    delivery.traffic = TrafficClass::bulk;
    delivery.content.from = {"news@example.com", "News"};
    delivery.content.subject = "s";
    delivery.content.text_part = "t";
    const auto made =
        write([&](store::WriteTransaction& t) { return t.create_draft(delivery, 9); });
    std::vector<store::NewRecipient> to;
    for (int i = 0; i < count; ++i) {
      to.push_back(
          {fmt::format("r{}@d{}.example", i, i % 20), fmt::format("d{}.example", i % 20), {}});
    }
    ids[made.key] =
        write([&](store::WriteTransaction& t) { return t.append_recipients(made.key, to); });
    const auto at =
        started ? std::nullopt : std::optional(installation.clock.now() + std::chrono::hours(1));
    write([&](store::WriteTransaction& t) { return t.commit_draft(made.key, at, {}); });
    if (started) {
      write([&](store::WriteTransaction& t) { return t.start_delivery(made.key, "", kLife); });
    }
    return made.key;
  }
  DeliveryStatus status_of(store::DeliveryKey key) {
    return installation.store
        ->read_and_wait([&](store::ReadTransaction& t) { return t.delivery_head(key); })
        ->status;
  }

  AdoptionTest()
      : account(write([](store::WriteTransaction& t) { return t.create_account("shop"); }).key) {}

  TestStore installation;
  const store::AccountKey account;
  std::map<store::DeliveryKey, std::vector<store::PublicId>> ids;
};

TEST_F(AdoptionTest, TheFirstWhoServesNamesTheStore) {
  Operations production = operations("production");
  EXPECT_THAT(run(production.cluster())->others, IsEmpty());
  serve_as("production");
  EXPECT_THAT(run(production.cluster())->others, IsEmpty());
  Operations staging = operations("staging");
  const auto others = run(staging.cluster())->others;
  ASSERT_THAT(others, SizeIs(1));
  EXPECT_EQ(others[0].stored, "production");
  EXPECT_THAT(run(staging.status())->others, SizeIs(1));
  const auto generation = [&] {
    return installation.store
        ->read_and_wait([](store::ReadTransaction& t) { return t.last_event_place(); })
        ->generation;
  };
  const auto before = generation();
  ASSERT_TRUE(run(staging.adopt(false)));
  EXPECT_EQ(generation(), before + 1) << "both go on with the same numbers";
  EXPECT_THAT(run(staging.cluster())->others, IsEmpty());
  EXPECT_THAT(run(production.cluster())->others, SizeIs(1));
}

TEST_F(AdoptionTest, WhatWaitsWantsAWordAndIsCancelledInPieces) {
  serve_as("production");
  const auto sending = bulk(true, 12'000);
  const auto reserved = bulk(false, 3);
  Operations staging = operations("staging");
  EXPECT_EQ(run(staging.waiting())->recipients, 12'003);
  const auto refused = run(staging.adopt(false));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("2 deliveries with 12003 recipients wait"));
  std::int64_t from = 0;
  std::int64_t cancelled = 0;
  do {
    const auto piece = run(staging.cancel_waiting(from));
    ASSERT_TRUE(piece) << piece.error().detail;
    cancelled += piece->recipients;
    from = piece->next.value_or(0);
  } while (from != 0);
  EXPECT_EQ(cancelled, 12'003);
  EXPECT_EQ(run(staging.waiting())->deliveries, 0);
  EXPECT_EQ(status_of(sending), DeliveryStatus::sent);
  EXPECT_EQ(status_of(reserved), DeliveryStatus::sent) << "no delivery that came too late";
  store::StorySearch search("r2@d2.example", {}, 10);
  ASSERT_TRUE(store::walk_and_wait(*installation.store, search));
  const auto stories = search.take();
  ASSERT_THAT(stories, SizeIs(2));
  for (const store::Story& story : stories) {
    EXPECT_EQ(story.state, RecipientState::cancelled);
    ASSERT_THAT(story.attempts, SizeIs(1));
    EXPECT_THAT(story.attempts[0].outcome.reply.text, HasSubstr("withdrawn by an operator"));
  }
  ASSERT_TRUE(run(staging.adopt(false)));
}

TEST_F(AdoptionTest, WhatIsToBeSentStays) {
  serve_as("production");
  bulk(true, 5);
  Operations staging = operations("staging");
  ASSERT_TRUE(run(staging.adopt(true)));
  EXPECT_EQ(run(staging.waiting())->recipients, 5);
}

// As when the host of the database gets another name while the engines work.
TEST_F(AdoptionTest, AnotherAddressOfAStoreThatIsServedIsTakenOn) {
  const auto at = [&](std::string address) {
    return Operations(
        *installation.store, installation.clock,
        Operations::Options{
            .names = {.cluster = "production", .database = std::move(address), .queue = {}}});
  };
  write([&](store::WriteTransaction& t) {
    return remember_names(
        t, {.cluster = "production", .database = "db1.example.jp:5432/todoku", .queue = {}});
  });
  bulk(true, 5);
  const auto node = write([](store::WriteTransaction& t) {
    return t.enter_node({.name = "3f9c", .roles = "api on mail1.example.jp", .version = "1"});
  });
  Operations other = at("db2.example.jp:5432/todoku");
  std::atomic<bool> over = false;
  std::thread engine([&] {
    for (int step = 1; !over; ++step) {
      installation.clock.advance(std::chrono::milliseconds(100));
      if (step % 30 == 0) {
        write([&](store::WriteTransaction& t) { return t.renew_node(node); });
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  const auto cancelled = run(other.cancel_waiting(0));
  const auto unsaid = run(other.adopt(false));
  const auto adopted = run(other.adopt(true));
  over = true;
  engine.join();
  EXPECT_FALSE(cancelled) << "they are being sent";
  EXPECT_FALSE(unsaid);
  ASSERT_TRUE(adopted) << adopted.error().detail;
  EXPECT_THAT(run(other.cluster())->others, IsEmpty());
  EXPECT_EQ(run(other.waiting())->recipients, 5);
}

TEST_F(AdoptionTest, AStoreThatIsServedIsNobodysToTakeOver) {
  serve_as("production");
  bulk(true, 5);
  write([](store::WriteTransaction& t) {
    return t.enter_node({.name = "3f9c", .roles = "api on mail1.example.jp", .version = "1"});
  });
  Operations staging = operations("staging");
  for (const auto& refused : {run(staging.adopt(true)), run(staging.adopt(false))}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_THAT(refused.error().detail, HasSubstr("node 3f9c (api on mail1.example.jp)"));
  }
  EXPECT_FALSE(run(staging.cancel_waiting(0)));
  EXPECT_EQ(run(staging.waiting())->recipients, 5);
  ASSERT_THAT(*run(staging.nodes()), SizeIs(1));
  installation.clock.advance(std::chrono::seconds(20));  // its lease has lapsed: a copy
  EXPECT_TRUE(run(staging.adopt(true)));
}

TEST_F(AdoptionTest, WhatWasCarriedAwayCanBeTakenBack) {
  serve_as("production");
  write([](store::WriteTransaction& t) { return t.put_setting(kCarriedToSetting, "elsewhere"); });
  Operations production = operations("production");
  ASSERT_THAT(run(production.cluster())->others, SizeIs(1));
  ASSERT_TRUE(run(production.adopt(true)));
  EXPECT_THAT(run(production.cluster())->others, IsEmpty());
}

// A store that was restored from an older copy, beside a journal that knows more.
struct BehindTheJournalTest : AdoptionTest {
  BehindTheJournalTest() {
    serve_as("production");
    write([](store::WriteTransaction& t) {
      return t.put_setting(events::journal::kStoreSetting, "one");
    });
    write([](store::WriteTransaction& t) {
      return t.put_setting(events::journal::kNumberSetting, "2");
    });
  }
  // The last of three records, and what it tells.
  void journal(std::vector<events::journal::Entry> entries) {
    auto segment = events::journal::Segment::begin(folder / "journal", "one", 0).value();
    for (const std::uint64_t number : {3U, 4U}) {
      ASSERT_TRUE(segment.append(pack(events::journal::Record{
          .number = number, .place = kPlace, .written = {}, .entries = {}})));
    }
    ASSERT_TRUE(segment.append(pack(events::journal::Record{
        .number = 5, .place = kPlace, .written = {}, .entries = std::move(entries)})));
  }
  events::journal::Entry sent(store::DeliveryKey key, std::size_t which, std::string_view address) {
    return events::journal::Ended{.kind = store::EventKind::sent,
                                  .at = installation.clock.now(),
                                  .key = story(key, which).key,
                                  .code = 250,
                                  .address_hash = events::journal::hash_of(address)};
  }
  [[nodiscard]] Operations behind() {
    return {*installation.store, installation.clock,
            Operations::Options{.names = {.cluster = "production",
                                          .database = {},
                                          .queue = {},
                                          .journal = 5,
                                          .journal_place = kPlace,
                                          .journal_store = "one"},
                                .journal_folder = folder / "journal"}};
  }
  store::Story story(store::DeliveryKey key, std::size_t which) {
    return installation.store
        ->read_and_wait([&](store::ReadTransaction& t) -> Result<store::Story> {
          const auto recipient = t.recipient(account, ids.at(key).at(which));
          if (!recipient) return fail(recipient.error());
          return t.story(recipient->key);
        })
        .value();
  }

  static constexpr std::int64_t kPlace = store::sheet_place({3, 1'000'000, 0});
  TestFolder folder;
};

TEST_F(BehindTheJournalTest, NothingGoesOnBeforeItIsFoldedIn) {
  const auto key = bulk(true, 3);
  const std::string first = story(key, 0).address;
  journal({sent(key, 0, first), sent(key, 1, "somebody@else.example")});
  Operations operations = behind();
  EXPECT_TRUE(is_behind_journal(run(operations.cluster())->others));
  for (const auto& refused : {run(operations.adopt(true)), run(operations.adopt(false))}) {
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail, HasSubstr("restore fold"));
  }
  EXPECT_FALSE(run(operations.cancel_waiting(0, RecipientState::unknown)));
  EXPECT_EQ(story(key, 0).state, RecipientState::pending);

  const auto folded = run(operations.fold_journal(0));
  ASSERT_TRUE(folded) << folded.error().detail;
  EXPECT_TRUE(folded->ended);
  EXPECT_EQ(folded->outcomes, 1);
  EXPECT_EQ(folded->elsewhere, 1) << "a number that names somebody else here";
  EXPECT_EQ(story(key, 0).state, RecipientState::delivered);
  EXPECT_EQ(story(key, 1).state, RecipientState::pending);
  EXPECT_TRUE(is_behind_journal(run(operations.cluster())->others)) << "it is not released yet";

  ASSERT_TRUE(run(operations.adopt(true)));
  EXPECT_THAT(run(operations.cluster())->others, IsEmpty());
  EXPECT_EQ(story(key, 1).state, RecipientState::pending) << "it goes out";
  const auto place = installation.store->read_and_wait(
      [](store::ReadTransaction& t) { return t.last_event_place(); });
  EXPECT_GT(store::sheet_place(*place), kPlace) << "places of the journal are not used again";
  EXPECT_FALSE(run(operations.fold_journal(0))) << "there is nothing to do";
}

TEST_F(BehindTheJournalTest, WhatIsNotProvenEndsAsUnknownAndWhatIsForLaterStays) {
  const auto key = bulk(true, 3);
  const auto later = bulk(false, 2);
  journal({sent(key, 0, story(key, 0).address)});
  Operations operations = behind();
  ASSERT_TRUE(run(operations.fold_journal(0)));
  const auto ended = run(operations.cancel_waiting(0, RecipientState::unknown));
  ASSERT_TRUE(ended) << ended.error().detail;
  EXPECT_EQ(ended->recipients, 2);
  EXPECT_EQ(story(key, 0).state, RecipientState::delivered);
  EXPECT_EQ(status_of(key), DeliveryStatus::sent);
  EXPECT_EQ(status_of(later), DeliveryStatus::reserve);
  ASSERT_TRUE(run(operations.adopt(true)));
  EXPECT_THAT(run(operations.cluster())->others, IsEmpty());
}

// What the copy knows itself is not gone through once more; what is missing is told, and a folder
// that is not what it was is not taken for the end.
TEST_F(BehindTheJournalTest, AFoldBeginsAtTheNumberOfTheCopy) {
  journal({});
  write([](store::WriteTransaction& t) {
    return t.put_setting(events::journal::kNumberSetting, "3");
  });
  Operations operations = behind();
  const auto folded = run(operations.fold_journal(0));
  ASSERT_TRUE(folded) << folded.error().detail;
  EXPECT_EQ(folded->records, 2U);
  EXPECT_EQ(folded->missing, 0U);
  write([](store::WriteTransaction& t) {
    return t.put_setting(events::journal::kNumberSetting, "1");
  });
  EXPECT_EQ(run(operations.fold_journal(0))->missing, 1U) << "the second, before the first file";
  std::filesystem::remove_all(folder / "journal");
  EXPECT_FALSE(run(operations.fold_journal(0)));
}

TEST_F(BehindTheJournalTest, AFoldThatWasBrokenOffHoldsOn) {
  journal({});
  Operations operations = behind();
  write([](store::WriteTransaction& t) { return t.put_setting(kFoldingSetting, "1"); });
  write([](store::WriteTransaction& t) {
    return t.put_setting(events::journal::kNumberSetting, "5");
  });
  EXPECT_TRUE(is_behind_journal(run(operations.cluster())->others));
  ASSERT_TRUE(run(operations.fold_journal(0)));
  ASSERT_TRUE(run(operations.adopt(false)));
  EXPECT_THAT(run(operations.cluster())->others, IsEmpty());
}

TEST_F(BehindTheJournalTest, AJournalThatWasLostInTheMiddleOfAFoldIsAdoptedWithout) {
  write([](store::WriteTransaction& t) { return t.put_setting(kFoldingSetting, "1"); });
  const auto without = [&](std::string directory) {
    return Operations{
        *installation.store, installation.clock,
        Operations::Options{.names = {.cluster = "production", .database = {}, .queue = {}},
                            .journal_folder = std::move(directory)}};
  };
  Operations unmounted = without(folder / "journal");
  EXPECT_TRUE(is_behind_journal(run(unmounted.cluster())->others));
  for (const auto& refused : {run(unmounted.adopt(true)), run(unmounted.adopt(false))}) {
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail, HasSubstr("mounted"));
  }
  EXPECT_FALSE(run(unmounted.fold_journal(0)));
  Operations lost = without({});
  const auto nothing = run(lost.fold_journal(0));
  ASSERT_FALSE(nothing);
  EXPECT_THAT(nothing.error().detail, HasSubstr("cluster adopt"));
  ASSERT_TRUE(run(lost.adopt(false)));
  EXPECT_THAT(run(lost.cluster())->others, IsEmpty()) << "it holds no more";
}

TEST_F(BehindTheJournalTest, AnotherClusterLeavesTheJournalToItsOwner) {
  journal({});
  ASSERT_TRUE(run(behind().fold_journal(0)));
  Operations staging{*installation.store, installation.clock,
                     Operations::Options{.names = {.cluster = "staging",
                                                   .database = {},
                                                   .queue = {},
                                                   .journal = 5,
                                                   .journal_place = kPlace,
                                                   .journal_store = "one"},
                                         .journal_folder = folder / "journal"}};
  ASSERT_TRUE(run(staging.adopt(false)));
  const auto others = run(staging.cluster())->others;
  ASSERT_THAT(others, SizeIs(1));
  EXPECT_EQ(others[0].what, OtherName::What::other_journal);
}

}  // namespace
}  // namespace todoku::operate
