// SPDX-License-Identifier: Apache-2.0
// What is appended outside of a store, and what becomes of a copy of it that is older.
#include <algorithm>
#include <array>
#include <csignal>
#include <deque>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "events/journal/folding.h"
#include "events/journal/gathering.h"
#include "events/journal/journaler.h"
#include "support/installation.h"

namespace todoku::events::journal {
namespace {

using namespace std::chrono_literals;
using store::EventKind;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Instant kNow = from_epoch_ms(1'790'000'000'000);

Record example() {
  return {.number = 7,
          .place = store::sheet_place({2, 900, 0}),
          .written = kNow,
          .entries = {Stopped{.at = kNow - 3s,
                              .account = store::AccountKey{4},
                              .subject = "ada@example.jp",
                              .reason = StopReason::unsubscribe,
                              .scope = StopScope::list,
                              .list_id = "weekly",
                              .note = "by link",
                              .code = 0,
                              .expires = {}},
                      Unstopped{.at = kNow - 2s, .account = {}, .subject = "@example.com"},
                      Steered{.kind = EventKind::delivery_started,
                              .at = kNow - 2s,
                              .delivery = store::DeliveryKey{1'000},
                              .signing = "s1",
                              .expires = kNow + 24h},
                      Ended{.kind = EventKind::sent,
                            .at = kNow - 1s,
                            .key = {store::DeliveryKey{1'000}, 3, 499},
                            .code = 250,
                            .address_hash = hash_of("bob@example.jp")},
                      Ended{.kind = EventKind::hard_error,
                            .at = kNow,
                            .key = {store::DeliveryKey{999}, 0, 0},
                            .code = 550,
                            .address_hash = kAnyAddress},
                      Steered{.kind = EventKind::delivery_stopped,
                              .at = kNow,
                              .delivery = store::DeliveryKey{1'000}}}};
}

TEST(JournalFormat, ReadsWhatWasWritten) {
  const std::string octets = pack(Header{.store = "one", .ordinal = 3}) + pack(example());
  auto reader = SegmentReader::of(octets);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->header(), (Header{.store = "one", .ordinal = 3}));
  EXPECT_EQ(reader->next(), example());
  EXPECT_EQ(reader->next(), std::nullopt);
  EXPECT_EQ(reader->torn(), 0U);
}

TEST(JournalFormat, WhereverItIsCutOffWhatWasWholeIsRead) {
  const std::string head = pack(Header{.store = "one", .ordinal = 1});
  const std::string first = pack(example());
  const std::string octets = head + first + pack(example());
  for (std::size_t cut = 0; cut < octets.size(); ++cut) {
    const std::string some = octets.substr(0, cut);
    auto reader = SegmentReader::of(some);
    ASSERT_EQ(reader.has_value(), cut >= head.size()) << cut;
    if (!reader) continue;
    ASSERT_EQ(reader->next().has_value(), cut >= head.size() + first.size()) << cut;
    ASSERT_EQ(reader->next(), std::nullopt) << cut;
  }
}

TEST(JournalFormat, OneOctetThatDiffersIsSeen) {
  const std::string head = pack(Header{.store = "one", .ordinal = 1});
  const std::string octets = head + pack(example());
  for (std::size_t i = head.size(); i < octets.size(); ++i) {
    std::string damaged = octets;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    auto reader = SegmentReader::of(damaged);
    ASSERT_TRUE(reader);
    ASSERT_EQ(reader->next(), std::nullopt) << i;
    ASSERT_GT(reader->torn(), 0U);
  }
}

TEST(JournalFormat, AnOutcomeIsSmall) {
  Record record{.number = 1, .place = 1, .written = kNow, .entries = {}};
  for (std::uint32_t seq = 0; seq < 500; ++seq) {
    record.entries.emplace_back(Ended{.kind = EventKind::sent,
                                      .at = kNow - Milliseconds(seq),
                                      .key = {store::DeliveryKey{1'000'000}, 20, seq},
                                      .code = 250,
                                      .address_hash = hash_of("a@example.jp")});
  }
  EXPECT_LE(pack(record).size() / record.entries.size(), 17U);
}

TEST(JournalFormat, ALongRecordIsSeveralOfOneNumber) {
  Record record{.number = 9, .place = 4, .written = kNow, .entries = {}};
  for (int i = 0; i < 3'000; ++i) {
    record.entries.emplace_back(Stopped{.at = kNow,
                                        .account = store::AccountKey{1},
                                        .subject = fmt::format("r{}@example.jp", i),
                                        .note = std::string(2'000, 'n')});
    record.entries.emplace_back(
        Steered{.kind = EventKind::delivery_paused, .at = kNow, .delivery = store::DeliveryKey{i}});
  }
  const std::string octets = pack(Header{.store = "one", .ordinal = 1}) + pack(record);
  ASSERT_GT(octets.size(), kPayloadOctetsMax);
  auto reader = SegmentReader::of(octets);
  ASSERT_TRUE(reader);
  Record read{.number = 9, .place = 4, .written = kNow, .entries = {}};
  while (auto part = reader->next()) {
    EXPECT_EQ(part->number, record.number);
    EXPECT_EQ(part->place, record.place);
    std::ranges::move(part->entries, std::back_inserter(read.entries));
  }
  EXPECT_EQ(reader->torn(), 0U);
  EXPECT_TRUE(read == record);
}

class Folder {
 public:
  [[nodiscard]] std::filesystem::path path() const { return folder_ / "journal"; }
  void write(std::uint64_t last_ordinal, const std::vector<std::uint64_t>& numbers,
             std::string_view rest = {}, const std::string& store = "one") const {
    auto segment = Segment::begin(path(), store, last_ordinal);
    ASSERT_TRUE(segment);
    for (const std::uint64_t number : numbers) {
      ASSERT_TRUE(segment->append(pack(Record{.number = number,
                                              .place = static_cast<std::int64_t>(number * 10),
                                              .written = kNow,
                                              .entries = {}})));
    }
    ASSERT_TRUE(segment->append(rest));
  }
  [[nodiscard]] std::vector<std::uint64_t> numbers(std::uint64_t after, Reading& reading) const {
    std::vector<std::uint64_t> numbers;
    reading = journal::read(path(), "one", after, [&](const Record& record) -> Result<bool> {
                numbers.push_back(record.number);
                return true;
              }).value();
    return numbers;
  }

 private:
  TestFolder folder_;
};

TEST(JournalSegments, GoOnBehindWhatWasTorn) {
  const Folder folder;
  EXPECT_EQ(end_of(folder.path())->number, 0U);
  folder.write(0, {1, 2}, "torn");
  folder.write(1, {3, 4});
  folder.write(2, {}, "as torn");
  const auto end = end_of(folder.path());
  ASSERT_TRUE(end);
  EXPECT_EQ(end->number, 4U);
  EXPECT_EQ(end->place, 40);
  EXPECT_EQ(end->ordinal, 3U);
  EXPECT_EQ(end->store, "one");
  Reading reading;
  EXPECT_THAT(folder.numbers(1, reading), ElementsAre(2, 3, 4));
  EXPECT_EQ(reading.missing, 0U);
  EXPECT_EQ(reading.torn, 11U);
}

TEST(JournalSegments, TellWhatIsMissingAndLeaveWhatIsNotTheirs) {
  const Folder folder;
  folder.write(0, {1, 2});
  folder.write(0, {5}) /* the next place that is free */;
  std::ofstream(folder.path() / "journal-00000009.tdj") << "something else";
  std::ofstream(folder.path() / "notes.txt") << "somebody else's";
  Reading reading;
  EXPECT_THAT(folder.numbers(0, reading), ElementsAre(1, 2, 5));
  EXPECT_EQ(reading.missing, 2U);
  EXPECT_EQ(end_of(folder.path())->number, 5U);
  EXPECT_EQ(drop_older(folder.path(), from_epoch_ms(0)).value(), 0U);
  EXPECT_EQ(drop_older(folder.path(), from_epoch_ms(32'000'000'000'000)).value(), 2U);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "notes.txt"));
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "journal-00000009.tdj")) << "the last one";
}

TEST(JournalSegments, CountWhatIsMissingBeforeTheFirst) {
  const Folder folder;
  folder.write(0, {1, 2, 5});
  Reading reading;
  EXPECT_THAT(folder.numbers(2, reading), ElementsAre(5));
  EXPECT_EQ(reading.missing, 2U) << "also where a piece begins";
  const Folder pruned;
  pruned.write(0, {5'000, 5'001});
  EXPECT_THAT(pruned.numbers(100, reading), ElementsAre(5'000, 5'001));
  EXPECT_EQ(reading.missing, 4'899U);
}

// Also where whoever had lost its lease began a file late.
TEST(JournalSegments, GoOnInTheMiddle) {
  const Folder folder;
  folder.write(0, {1, 2}, "torn");
  folder.write(1, {3, 4}, "torn");
  folder.write(2, {5, 6, 7, 8});
  folder.write(3, {6});
  folder.write(4, {9, 10}, "as torn");
  Reading reading;
  EXPECT_THAT(folder.numbers(7, reading), ElementsAre(8, 9, 10));
  EXPECT_EQ(reading.missing, 0U);
  EXPECT_EQ(reading.torn, 7U) << "what is torn before was told before";
  EXPECT_THAT(folder.numbers(10, reading), IsEmpty());
  EXPECT_THAT(folder.numbers(4, reading), ElementsAre(5, 6, 7, 8, 6, 9, 10));
}

// A try that failed and the next one have one number, and the next one says more.
TEST(JournalSegments, APieceEndsBetweenTwoNumbers) {
  const Folder folder;
  folder.write(0, {1, 2});
  folder.write(1, {2, 3});
  std::vector<std::uint64_t> numbers;
  const auto one = [&](std::uint64_t after) {
    numbers.clear();
    return journal::read(folder.path(), "one", after,
                         [&](const Record& record) -> Result<bool> {
                           numbers.push_back(record.number);
                           return false;
                         })
        .value();
  };
  EXPECT_FALSE(one(0).ended);
  EXPECT_THAT(numbers, ElementsAre(1));
  EXPECT_FALSE(one(1).ended);
  EXPECT_THAT(numbers, ElementsAre(2, 2));
  EXPECT_TRUE(one(2).ended) << "there is nothing behind";
  EXPECT_THAT(numbers, ElementsAre(3));
}

// A disk on which nothing fits any more: the next try finds the folder as it was.
TEST(JournalSegments, LeaveNoFileWithoutAHead) {
  Folder folder;
  folder.write(0, {1});
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &usual), 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 4, .rlim_max = usual.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const bool begun = Segment::begin(folder.path(), "one", 1).has_value();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &usual), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(begun);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "journal-00000002.tdj"));
  EXPECT_EQ(end_of(folder.path())->ordinal, 1U);
}

TEST(JournalSegments, WhatCannotBeRemovedKeepsNothingElse) {
  Folder folder;
  for (const std::uint64_t number : {1U, 2U, 3U}) folder.write(number, {number});
  const auto first = folder.path() / "journal-00000002.tdj";
  std::filesystem::remove(first);
  std::filesystem::create_directory(first);  // no unlink(2) removes it
  EXPECT_FALSE(drop_older(folder.path(), from_epoch_ms(32'000'000'000'000)));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "journal-00000003.tdj"));
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "journal-00000004.tdj")) << "the last one";
}

class JournalTest : public ::testing::Test {
 protected:
  template <class Work>
  auto write(Work work) {
    auto done = store_.store->write_and_wait(store::WritePriority::accept, std::move(work));
    if (!done) throw std::runtime_error(done.error().detail);
    if constexpr (!std::is_void_v<typename decltype(done)::value_type>) return std::move(*done);
  }
  template <class Work>
  auto read(Work work) {
    return store_.store->read_and_wait(std::move(work)).value();
  }

  JournalTest() {
    account_ = write([](store::WriteTransaction& t) { return t.create_account("shop"); }).key;
    begin();
  }

  void begin() { begin(files_); }
  void begin(async::FilePool& files) {
    node_ = write([](store::WriteTransaction& t) { return t.enter_node({.name = "a"}); });
    journaler_ = std::make_unique<Journaler>(
        Journaler::World{.store = *store_.store,
                         .files = files,
                         .clock = store_.clock,
                         .metrics = metrics_.emplace_back(),
                         .node = [this] { return node_; },
                         .holds = [this] { return holds_; }},
        JournalOptions{.folder = folder_.path().string(), .keep = 24h}, context_.get_executor());
    turn();
  }
  void turn() {
    while (run(journaler_->turn())) continue;
  }

  // A copy of the store as it is now, and the store as it was then.
  void keep_copy() { copy_store(store_.folder / "todoku.db", copy_ / "copy.db"); }
  void restore_copy() {
    journaler_.reset();
    store_.store->close();
    store_.store.reset();
    for (const char* part : {"todoku.db", "todoku.db-wal", "todoku.db-shm"}) {
      std::filesystem::remove(store_.folder / part);
    }
    std::filesystem::copy_file(copy_ / "copy.db", store_.folder / "todoku.db");
    store_.open();
  }
  void copy_store(const std::string& from, const std::string& to) {
    journaler_.reset();
    store_.store->close();
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
    store_.reopen();
    begin();
  }

  store::DeliveryKey bulk(int recipients, std::optional<Milliseconds> in = {}) {
    store::NewDelivery delivery;
    delivery.account = account_;
    delivery.type = DeliveryType::bulk;
    delivery.traffic = TrafficClass::bulk;
    delivery.content.from = {"news@example.com", "News"};
    delivery.content.subject = "s";
    delivery.content.text_part = "t";
    const auto made =
        write([&](store::WriteTransaction& t) { return t.create_draft(delivery, 9); });
    std::vector<store::NewRecipient> to;
    for (int i = 0; i < recipients; ++i)
      to.push_back({fmt::format("r{}@example.jp", i), "example.jp", {}});
    const auto ids =
        write([&](store::WriteTransaction& t) { return t.append_recipients(made.key, to); });
    for (const store::PublicId id : ids) {
      const auto recipient =
          read([&](store::ReadTransaction& t) { return t.recipient(account_, id); });
      keys_[made.key].push_back(recipient.key);
    }
    if (in) {
      write([&](store::WriteTransaction& t) {
        return t.commit_draft(made.key, store_.clock.now() + *in, {});
      });
    } else {
      write([&](store::WriteTransaction& t) { return t.commit_draft(made.key, std::nullopt, {}); });
      start(made.key);
    }
    return made.key;
  }
  void start(store::DeliveryKey key) {
    write([&](store::WriteTransaction& t) { return t.start_delivery(key, "s1", 24h); });
  }
  void settle(store::DeliveryKey key, std::uint32_t seq, RecipientState state) {
    Outcome outcome{.state = state, .stage = Stage::accepted, .reply = {250, "2.0.0 Ok"}};
    if (state == RecipientState::bounced) {
      outcome.stage = Stage::rcpt_to;
      outcome.reply = {550, "5.1.1 no"};
    }
    const std::vector<store::OutcomeRecord> records{
        {.key = keys_.at(key).at(seq), .outcome = std::move(outcome), .path = {}}};
    const auto settled = store_.store->perform_and_wait(store::Settle{.outcomes = records});
    ASSERT_TRUE(settled && settled->outcomes.front());
  }
  store::Story story(store::DeliveryKey key, std::uint32_t seq) {
    return read([&](store::ReadTransaction& t) { return t.story(keys_.at(key).at(seq)); });
  }
  void put(std::string subject, StopReason reason) {
    const store::NewSuppression entry{.account = account_,
                                      .subject = std::move(subject),
                                      .reason = reason,
                                      .scope = StopScope::advertisements};
    write([&](store::WriteTransaction& t) { return t.put_suppressions(std::span(&entry, 1)); });
  }
  void remove(const std::string& subject) {
    write([&](store::WriteTransaction& t) {
      return t.remove_suppressions(account_, subject, {}, {}, "asked for it", "operator");
    });
  }
  std::size_t stops_of(const std::string& subject) {
    return read([&](store::ReadTransaction& t) {
             return t.stops_of(account_, std::span(&subject, 1));
           })
        .size();
  }
  Folded fold_in() {
    const auto name = read([](store::ReadTransaction& t) { return t.setting(kStoreSetting); });
    return fold(*store_.store,
                {.folder = folder_.path(), .store = name.value_or(""), .number = 0, .enough = 1min})
        .value();
  }

  TestStore store_;
  TestFolder copy_;
  Folder folder_;
  async::FilePool files_{{.threads = 1}};
  boost::asio::io_context context_;
  std::map<store::DeliveryKey, std::vector<store::RecipientKey>> keys_;
  std::deque<Metrics> metrics_;
  store::AccountKey account_{};
  store::NodeKey node_{};
  bool holds_ = true;
  std::unique_ptr<Journaler> journaler_;
};

TEST_F(JournalTest, AnOlderCopyLearnsWhatBecameOfItsMail) {
  const auto key = bulk(4);
  settle(key, 0, RecipientState::delivered);
  turn();
  keep_copy();
  settle(key, 1, RecipientState::delivered);
  settle(key, 2, RecipientState::bounced);
  turn();
  restore_copy();
  ASSERT_EQ(story(key, 1).state, RecipientState::pending);
  const Folded folded = fold_in();
  EXPECT_EQ(folded.outcomes, 2);
  EXPECT_EQ(folded.known, 1);
  EXPECT_TRUE(folded.ended);
  EXPECT_EQ(story(key, 1).state, RecipientState::delivered);
  EXPECT_EQ(story(key, 2).state, RecipientState::bounced);
  EXPECT_EQ(story(key, 3).state, RecipientState::pending) << "nothing proves anything of it";
  const Folded again = fold_in();
  EXPECT_EQ(again.outcomes, 0);
  EXPECT_EQ(again.known, 3);
  EXPECT_THAT(story(key, 1).attempts, SizeIs(1)) << "told once";
}

TEST_F(JournalTest, WhoOptedOutAndWhoCameBackIsKnownToTheCopy) {
  put("back@example.jp", StopReason::manual);
  turn();
  keep_copy();
  store_.clock.advance(1min);
  put("gone@example.jp", StopReason::unsubscribe);
  put("brief@example.jp", StopReason::manual);
  remove("back@example.jp");
  store_.clock.advance(1min);
  turn();
  remove("brief@example.jp");
  turn();
  restore_copy();
  const Folded folded = fold_in();
  EXPECT_EQ(folded.removals, 2);
  EXPECT_EQ(folded.refused, 0);
  EXPECT_EQ(stops_of("gone@example.jp"), 1U);
  EXPECT_EQ(stops_of("brief@example.jp"), 0U);
  EXPECT_EQ(stops_of("back@example.jp"), 0U);
}

TEST_F(JournalTest, WhoOptsOutAfterAClockWasAheadIsTold) {
  store_.clock.jump(1h);
  put("ahead@example.jp", StopReason::unsubscribe);
  turn();
  keep_copy();
  store_.clock.jump(-1h);
  begin();
  put("later@example.jp", StopReason::unsubscribe);
  turn();
  put("latest@example.jp", StopReason::unsubscribe);
  turn();
  const auto end = end_of(folder_.path())->number;
  turn();
  EXPECT_EQ(end_of(folder_.path())->number, end) << "told once";
  restore_copy();
  fold_in();
  EXPECT_EQ(stops_of("ahead@example.jp"), 1U);
  EXPECT_EQ(stops_of("later@example.jp"), 1U);
  EXPECT_EQ(stops_of("latest@example.jp"), 1U);
}

// Of several processes one that is seen later may have a smaller number.
TEST_F(JournalTest, RemovalsAreLookedAtAgainForAWhileAndToldOnce) {
  put("back@example.jp", StopReason::manual);
  remove("back@example.jp");
  const auto look = [&](const Progress& progress, const Told& told) {
    return read([&](store::ReadTransaction& t) {
      return gather(t, progress, told, kStopsAtOnce, store_.clock.now());
    });
  };
  const Gathered first = look({.stops_from = store_.clock.now()}, {});
  EXPECT_EQ(first.progress.removals_after, 0) << "a smaller number may come";
  EXPECT_THAT(first.told.removals, SizeIs(1));
  const auto removals = [](const Gathered& gathered) {
    return std::ranges::count_if(gathered.entries, [](const Entry& entry) {
      return std::holds_alternative<Unstopped>(entry);
    });
  };
  EXPECT_EQ(removals(first), 1);
  EXPECT_EQ(removals(look(first.progress, first.told)), 0);
  store_.clock.advance(kStopsAgain);
  const Gathered later = look(first.progress, first.told);
  EXPECT_EQ(removals(later), 0);
  EXPECT_GT(later.progress.removals_after, 0);
  EXPECT_THAT(later.told.removals, IsEmpty());
}

// A removal may be told after the opt-out that came after it: they are paged apart.
TEST_F(JournalTest, WhoOptedOutAgainAfterARemovalStaysOut) {
  constexpr int kMoreThanAPage = 510;
  const auto subject = [](int i) { return fmt::format("r{}@example.jp", i); };
  for (int i = 0; i < kMoreThanAPage; ++i) put(subject(i), StopReason::manual);
  turn();
  keep_copy();
  for (int i = 0; i < kMoreThanAPage; ++i) {
    store_.clock.advance(10ms);
    remove(subject(i));
  }
  store_.clock.advance(1min);
  put(subject(kMoreThanAPage - 1), StopReason::manual);
  turn();
  restore_copy();
  EXPECT_EQ(fold_in().removals, kMoreThanAPage);
  EXPECT_EQ(stops_of(subject(0)), 0U);
  EXPECT_EQ(stops_of(subject(kMoreThanAPage - 1)), 1U);
}

TEST_F(JournalTest, CoursesAndStartsAreFoldedIn) {
  const auto stopped = bulk(3);
  const auto paused = bulk(3);
  const auto reserved = bulk(3, 1h);
  turn();
  keep_copy();
  write([&](store::WriteTransaction& t) {
    return t.steer_delivery(stopped, store::Course::stopped);
  });
  write(
      [&](store::WriteTransaction& t) { return t.steer_delivery(paused, store::Course::paused); });
  write([&](store::WriteTransaction& t) {
    return t.move_reservation(reserved, store_.clock.now() - 1min, {});
  });
  start(reserved);
  settle(reserved, 1, RecipientState::delivered);
  turn();
  restore_copy();
  const Folded folded = fold_in();
  EXPECT_EQ(folded.steered, 3);
  EXPECT_EQ(folded.outcomes, 1);
  const auto head = [&](store::DeliveryKey key) {
    return read([&](store::ReadTransaction& t) { return t.delivery_head(key); });
  };
  EXPECT_EQ(head(stopped).course, store::Course::stopped);
  EXPECT_EQ(head(paused).course, store::Course::paused);
  EXPECT_EQ(head(reserved).status, DeliveryStatus::sending);
  EXPECT_EQ(head(reserved).signing, "s1") << "the rest is signed as the first were";
  EXPECT_EQ(story(reserved, 1).state, RecipientState::delivered);
}

TEST_F(JournalTest, ANumberThatNamesSomebodyElseHereChangesNobody) {
  keep_copy();
  const auto forgotten = bulk(2);
  settle(forgotten, 0, RecipientState::delivered);
  turn();
  restore_copy();
  EXPECT_EQ(fold_in().elsewhere, 1) << "it is not in the copy";
}

TEST_F(JournalTest, AFolderThatIsAwayIsTriedAgainAndNothingIsLost) {
  const auto key = bulk(3);
  turn();
  const auto aside = copy_ / "aside";
  std::filesystem::rename(folder_.path(), aside);
  std::ofstream(folder_.path()) << "in the way";
  settle(key, 0, RecipientState::delivered);
  // What it has open it writes to; the next file cannot be made.
  journaler_.reset();
  node_ = write([](store::WriteTransaction& t) { return t.enter_node({.name = "a"}); });
  std::filesystem::remove(folder_.path());
  std::filesystem::create_symlink("nowhere/else", folder_.path());
  begin();
  EXPECT_NE(journaler_->trouble(), "");
  holds_ = false;
  turn();
  EXPECT_EQ(journaler_->trouble(), "") << "another process tells of it";
  holds_ = true;
  turn();
  EXPECT_NE(journaler_->trouble(), "");
  settle(key, 1, RecipientState::delivered);
  turn();
  std::filesystem::remove(folder_.path());
  std::filesystem::rename(aside, folder_.path());
  turn();
  EXPECT_EQ(journaler_->trouble(), "");
  EXPECT_EQ(fold_in().known, 2);
}

TEST_F(JournalTest, AFileThatCannotBeRemovedStopsNothing) {
  const auto key = bulk(3);
  settle(key, 0, RecipientState::delivered);
  turn();
  const auto before = end_of(folder_.path()).value();
  const auto stays = folder_.path() / "journal-00000000.tdj";
  std::filesystem::create_directory(stays);  // no unlink(2) removes it
  ASSERT_EQ(::utimensat(AT_FDCWD, stays.c_str(), std::array<timespec, 2>{}.data(), 0), 0);
  store_.clock.advance(2h);  // they are looked at every hour
  for (const std::uint32_t seq : {1U, 2U}) {
    settle(key, seq, RecipientState::delivered);
    turn();
    EXPECT_EQ(journaler_->trouble(), "");
  }
  EXPECT_EQ(metrics_.back().counter("todoku_journal_drop_failures_total", "").value(), 1U);
  const auto after = end_of(folder_.path()).value();
  EXPECT_EQ(after.number, before.number + 2) << "each record once";
  EXPECT_EQ(after.ordinal, before.ordinal) << "in the same file";
}

TEST_F(JournalTest, AFolderThatHangsIsToldOfThoughNoTurnEnds) {
  std::promise<void> answers;
  async::FilePool files({.threads = 1});
  begin(files);
  const auto key = bulk(1);
  settle(key, 0, RecipientState::delivered);
  files.post(async::FilePool::Owner{}, [wait = answers.get_future()] { wait.wait(); });
  context_.restart();
  auto turned =
      boost::asio::co_spawn(context_.get_executor(), journaler_->turn(), boost::asio::use_future);
  context_.poll();
  Gauge& lag = metrics_.back().gauge("todoku_journal_lag_seconds", "");
  journaler_->show_lag();
  EXPECT_EQ(lag.value(), 0) << "a turn may take its time";
  store_.clock.advance(60s);
  journaler_->show_lag();
  EXPECT_EQ(lag.value(), 60);
  EXPECT_EQ(journaler_->trouble(), "its folder or the store has not answered for 60 s");
  answers.set_value();
  context_.run();
  (void)turned.get();
  turn();
  journaler_->show_lag();
  EXPECT_EQ(lag.value(), 0);
  EXPECT_EQ(journaler_->trouble(), "");
  journaler_.reset();
}

// Whoever waits at a folder that hangs is nobody else, and the other way round.
TEST_F(JournalTest, StandsInALineOfItsOwn) {
  std::promise<void> done;
  async::FilePool busy({.threads = 2, .threads_of_owner = 1});
  busy.post(async::FilePool::Owner{}, [wait = done.get_future()] { wait.wait(); });
  begin(busy);
  const auto key = bulk(1);
  settle(key, 0, RecipientState::delivered);
  turn();
  EXPECT_EQ(journaler_->trouble(), "");
  EXPECT_GT(end_of(folder_.path())->number, 0U);
  journaler_.reset();
  done.set_value();
}

// Of two crashes in a row each may have come between the folder and the store.
TEST_F(JournalTest, WhatWasAppendedAndNotNotedIsNotedFirst) {
  const auto key = bulk(2);
  settle(key, 0, RecipientState::delivered);
  turn();
  const auto number = [&] {
    return read([](store::ReadTransaction& t) { return t.setting(kNumberSetting); }).value_or("");
  };
  const auto end = end_of(folder_.path()).value();
  EXPECT_EQ(number(), std::to_string(end.number));
  folder_.write(end.ordinal, {end.number + 1}, {}, end.store);
  begin();
  EXPECT_EQ(number(), std::to_string(end.number + 1));
  settle(key, 1, RecipientState::delivered);
  turn();
  EXPECT_EQ(end_of(folder_.path())->number, end.number + 2);
  EXPECT_EQ(number(), std::to_string(end.number + 2));
}

TEST_F(JournalTest, AnotherStoresFolderIsLeftAlone) {
  turn();
  write([](store::WriteTransaction& t) { return t.put_setting(kStoreSetting, "another"); });
  const auto key = bulk(1);
  settle(key, 0, RecipientState::delivered);
  turn();
  const auto before = end_of(folder_.path());
  write([](store::WriteTransaction& t) { return t.put_setting(kStoreSetting, "third"); });
  begin();
  EXPECT_NE(journaler_->trouble(), "");
  EXPECT_EQ(end_of(folder_.path())->number, before->number);
}

TEST(JournalProgress, ReadsWhatWasWritten) {
  const Progress progress{.number = 9,
                          .after = {2, 77, 3},
                          .after_account = store::AccountKey{5},
                          .stops_from = kNow,
                          .removals_after = 12};
  EXPECT_EQ(unpack_progress(pack(progress)).value(), progress);
  EXPECT_FALSE(unpack_progress(""));
  EXPECT_FALSE(unpack_progress(pack(progress) + "x"));
}

}  // namespace
}  // namespace todoku::events::journal
