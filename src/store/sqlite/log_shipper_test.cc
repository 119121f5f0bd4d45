// SPDX-License-Identifier: Apache-2.0
// A store that is shipped while it is written to, and what is made of it elsewhere.
#include "store/sqlite/log_shipper.h"

#include <array>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "store/sqlite/connection.h"
#include "store/sqlite/gather_shipped.h"
#include "support/installation.h"

namespace todoku::store::sqlite {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().detail);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// A folder that has no room for what is named so.
class FullPlace final : public ShippedPlace {
 public:
  explicit FullPlace(fs::path folder) : folder_(std::move(folder)) {}
  // While nothing is copied.
  void has_no_room_for(std::string ending) { ending_ = std::move(ending); }

  [[nodiscard]] Result<void> begin(const fs::path& store) override { return folder_.begin(store); }
  [[nodiscard]] Result<std::vector<Entry>> list() override { return folder_.list(); }
  [[nodiscard]] Result<void> put(const std::string& name, std::string_view octets) override {
    if (ending_.empty() || !name.ends_with(ending_)) return folder_.put(name, octets);
    return fail(ErrorKind::unavailable, "there is no room");
  }
  [[nodiscard]] Result<std::string> get(const std::string& name, std::size_t most) override {
    return folder_.get(name, most);
  }
  [[nodiscard]] Result<void> remove(const std::string& name) override {
    return folder_.remove(name);
  }
  [[nodiscard]] std::string describe() const override { return folder_.describe(); }

 private:
  FolderPlace folder_;
  std::string ending_;
};

void set_written(const fs::path& path, Instant at) {
  const timespec time{.tv_sec = to_epoch_ms(at) / 1'000, .tv_nsec = 0};
  const std::array<timespec, 2> times{time, time};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
}

class LogShipperTest : public ::testing::Test {
 protected:
  LogShipperTest() { open_with(std::size_t{64} << 20U); }
  ~LogShipperTest() override { close(); }

  void open_with(std::size_t octets_max) {
    capture_ = std::make_unique<LogCapture>(database(), octets_max);
    SqliteStore::Options options;
    options.path = database();
    options.clock = &clock_;
    options.synchronous = SqliteStore::Synchronous::off;
    options.capture = capture_.get();
    options.checkpoint_pages = 8;  // the log begins anew all the time
    options.log_pages_max = 32;
    store_ = must(SqliteStore::open(options));
    ShipOptions ship;
    ship.database = database();
    ship.store = "one";
    ship.is_kept = is_kept;
    ship.keep = std::chrono::hours(48);
    ship.part_octets = 40'000;  // several parts of a snapshot
    shipper_ = std::make_unique<LogShipper>(
        LogShipper::World{
            .capture = *capture_, .place = place_, .clock = clock_, .metrics = metrics_},
        ship);
    shipper_->begin();
  }
  void close() {
    if (shipper_) shipper_->rest();
    if (store_) store_->close();
    if (shipper_) shipper_->stop();
    shipper_.reset();
    store_.reset();
  }
  void reopen(std::size_t octets_max = std::size_t{64} << 20U) {
    close();
    open_with(octets_max);
  }

  [[nodiscard]] std::string database() const { return folder_ / "todoku.db"; }
  static bool is_kept(const std::string& name) { return name.ends_with(".upload"); }

  void put(const std::string& name, const std::string& value) {
    must(store_->write_and_wait(WritePriority::accept,
                                [&](WriteTransaction& t) { return t.put_setting(name, value); }));
  }
  // Until the chain has a snapshot.
  void turn_until_whole() {
    while (!shipper_->is_whole()) shipper_->turn();
  }

  struct Found {
    Gathered gathered;
    std::string path;
  };
  Result<Found> gather(std::optional<Instant> at = std::nullopt) {
    const std::string path = elsewhere_ / fmt::format("found-{}.db", ++found_).c_str();
    auto gathered = gather_shipped(
        place_, at, {.database = "", .backup = path, .is_kept = is_kept, .told = {}});
    if (!gathered) return fail(std::move(gathered.error()));
    return Found{*gathered, path};
  }
  static std::string setting_in(const std::string& path, std::string_view name) {
    auto db = must(Connection::open({.path = path, .access = Connection::Access::as_it_lies}));
    auto query = db->query("SELECT value FROM settings WHERE name = ?");
    query.bind(name);
    return query.next() ? std::string(query.blob(0)) : std::string("-");
  }
  std::string found(std::string_view name, std::optional<Instant> at = std::nullopt) {
    const auto state = gather(at);
    return state ? setting_in(state->path, name) : state.error().detail;
  }
  // Paths of what was shipped whose name has `part` in it.
  [[nodiscard]] std::vector<fs::path> shipped(std::string_view part) {
    std::vector<fs::path> paths;
    for (const auto& entry : must(place_.list())) {
      if (entry.name.find(part) != std::string::npos)
        paths.push_back(shipped_to_ + "/" + entry.name);
    }
    return paths;
  }

  TestFolder folder_;
  TestFolder elsewhere_;
  SharedClock clock_;
  Metrics metrics_;
  const std::string shipped_to_ = elsewhere_ / "shipped";
  FullPlace place_{shipped_to_};
  std::unique_ptr<LogCapture> capture_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<LogShipper> shipper_;
  int found_ = 0;
};

TEST_F(LogShipperTest, WhatWasCommittedIsThereElsewhere) {
  put("before", "1");
  EXPECT_THAT(found("before"), HasSubstr("no whole snapshot"));
  turn_until_whole();
  EXPECT_EQ(found("before"), "1");
  put("after", "2");
  EXPECT_EQ(found("after"), "-") << "not shipped yet";
  shipper_->turn();
  EXPECT_EQ(found("after"), "2");
  put("last", "3");
  close();
  EXPECT_EQ(found("last"), "3") << "an engine that stops ships what is left";
}

// The log begins anew under it, the database grows and shrinks, a snapshot is made meanwhile.
TEST_F(LogShipperTest, EveryPageIsRightWhateverWasDone) {
  std::mt19937 random(7);
  std::map<std::string, std::string> expected;
  for (int step = 0; step < 400; ++step) {
    const std::string name = fmt::format("n{}", random() % 40);
    const std::string value(1 + random() % 20'000, static_cast<char>('a' + random() % 26));
    put(name, random() % 4 == 0 ? "gone" : value);
    expected[name] = must(store_->read_and_wait([&](ReadTransaction& t) {
                       return t.setting(name);
                     })).value_or("?");
    if (random() % 5 == 0) shipper_->turn();
  }
  turn_until_whole();
  shipper_->turn();
  const auto state = must(gather());
  for (const auto& [name, value] : expected) EXPECT_EQ(setting_in(state.path, name), value) << name;
  EXPECT_GT(state.gathered.figures.version, 0);
  EXPECT_GT(shipped("/b-").size(), 1U) << "a snapshot of several parts";
}

TEST_F(LogShipperTest, AStateOfATimeIsFound) {
  turn_until_whole();
  const Instant begun = clock_.now();
  std::vector<Instant> times;
  for (int n = 0; n < 4; ++n) {
    clock_.advance(std::chrono::minutes(10));
    put("number", fmt::format("{}", n));
    times.push_back(clock_.now());
    shipper_->turn();
  }
  EXPECT_EQ(found("number"), "3");
  for (int n = 0; n < 4; ++n) {
    EXPECT_EQ(found("number", times[static_cast<std::size_t>(n)]), fmt::format("{}", n));
  }
  EXPECT_EQ(found("number", times[1] + std::chrono::minutes(5)), "1");
  EXPECT_THAT(found("number", begun - std::chrono::hours(1)), HasSubstr("the oldest state in"));
  EXPECT_EQ(must(gather(times[2])).gathered.at, times[2]);
}

TEST_F(LogShipperTest, WhatWasTamperedWithIsRefusedAndTheStateBeforeItOffered) {
  turn_until_whole();
  for (int n = 0; n < 4; ++n) {
    clock_.advance(std::chrono::minutes(1));
    put("number", fmt::format("{}", n));
    shipper_->turn();
  }
  const auto segments = shipped("/s-");
  ASSERT_GE(segments.size(), 4U);
  const fs::path third = segments[segments.size() - 2];
  std::string octets;
  {
    std::ifstream in(third, std::ios::binary);
    octets.assign(std::istreambuf_iterator<char>(in), {});
  }
  const auto write = [&](const fs::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  };
  for (const std::size_t place : {std::size_t{9}, octets.size() / 2, octets.size() - 1}) {
    std::string changed = octets;
    changed[place] = static_cast<char>(changed[place] ^ 1);
    write(third, changed);
    const auto refused = gather();
    ASSERT_FALSE(refused) << "octet " << place;
    EXPECT_EQ(refused.error().kind, ErrorKind::corrupt);
    EXPECT_THAT(refused.error().detail, HasSubstr(third.filename().string()));
    EXPECT_THAT(refused.error().detail, HasSubstr("all is well until 2026-01-01T00:02:00.000Z"));
  }
  // The state that was named.
  EXPECT_EQ(found("number", clock_.now() - std::chrono::minutes(2)), "1");
  // A whole segment in another's place.
  fs::copy_file(segments.back(), third, fs::copy_options::overwrite_existing);
  EXPECT_THAT(found("number"), HasSubstr("is another segment"));
  fs::remove(third);
  EXPECT_THAT(found("number"), HasSubstr("is missing"));
  write(third, octets);
  EXPECT_EQ(found("number"), "3");
  fs::remove(shipped("/b-").front());
  EXPECT_THAT(found("number"), HasSubstr("is missing"));
}

TEST_F(LogShipperTest, AFolderThatIsAwayHoldsNobodyUpAndIsCaughtUpWith) {
  turn_until_whole();
  fs::rename(shipped_to_, shipped_to_ + "-away");
  std::ofstream(fs::path(shipped_to_)) << "in the way";
  put("meanwhile", "1");
  shipper_->turn();
  EXPECT_NE(shipper_->trouble(), "");
  put("meanwhile", "2");
  shipper_->turn();
  fs::remove(shipped_to_);
  fs::rename(shipped_to_ + "-away", shipped_to_);
  shipper_->turn();
  EXPECT_EQ(shipper_->trouble(), "");
  EXPECT_EQ(found("meanwhile"), "2");
  EXPECT_THAT(shipped(".part"), IsEmpty());
}

TEST_F(LogShipperTest, WhatFallsBehindBeginsAnewWithASnapshot) {
  reopen(100'000);
  turn_until_whole();
  put("small", "1");
  shipper_->turn();
  put("large", std::string(300'000, 'x'));
  EXPECT_NE(capture_->lost(), "");
  put("small", "2");
  EXPECT_EQ(found("small"), "1");
  clock_.advance(std::chrono::minutes(1));
  shipper_->turn();
  turn_until_whole();
  EXPECT_EQ(found("small"), "2");
  EXPECT_EQ(found("large").size(), 300'000U);
}

TEST_F(LogShipperTest, EachStartBeginsAChainAndTheOldOneServesUntilItIsWhole) {
  turn_until_whole();
  put("life", "1");
  shipper_->turn();
  clock_.advance(std::chrono::minutes(1));
  reopen();
  clock_.advance(std::chrono::minutes(1));
  put("life", "2");
  EXPECT_EQ(found("life"), "1");
  turn_until_whole();
  EXPECT_EQ(found("life"), "2");
  EXPECT_EQ(found("life", clock_.now() - std::chrono::seconds(90)), "1");
}

TEST_F(LogShipperTest, FilesBesideTheStoreGoAlong) {
  const std::string large(100'000, 'u');
  std::ofstream(folder_ / "early.upload") << large;
  put("name", "early.upload");
  turn_until_whole();
  std::ofstream(folder_ / "late.upload");
  put("name", "late.upload");
  shipper_->turn();
  std::ofstream(folder_ / "master.key") << "secret";
  put("name", "none");
  shipper_->turn();
  EXPECT_THAT(shipped("master"), IsEmpty());
  const auto state = must(gather());
  EXPECT_EQ(state.gathered.figures.files, 2);
  auto db = must(Connection::open({.path = state.path, .access = Connection::Access::as_it_lies}));
  EXPECT_EQ(must(db->integer("SELECT sum(length(octets)) FROM backup_files")), 100'000);
}

TEST_F(LogShipperTest, WhatNobodyNeedsAnyMoreIsRemoved) {
  std::ofstream(folder_ / "passing.upload") << "x";
  put("day", "0");
  turn_until_whole();
  fs::remove(folder_ / "passing.upload");
  for (int day = 1; day <= 6; ++day) {
    clock_.advance(std::chrono::hours(25));
    put("day", fmt::format("{}", day));
    const Counter& snapshots = metrics_.counter("todoku_ship_snapshots_total", "");
    const std::uint64_t before = snapshots.value();
    while (snapshots.value() == before) shipper_->turn();
  }
  EXPECT_EQ(shipped("/e-").size(), 3U) << "of 48 hours, and the one before";
  EXPECT_THAT(shipped("files/"), IsEmpty());
  EXPECT_EQ(found("day"), "6");
  EXPECT_EQ(found("day", clock_.now() - std::chrono::hours(47)), "4");
  EXPECT_THAT(found("day", clock_.now() - std::chrono::hours(140)), HasSubstr("the oldest state"));
}

TEST_F(LogShipperTest, AFileThatWentBetweenLivesIsRemovedWithTheStatesThatMayNameIt) {
  const Instant begun = clock_.now();
  std::ofstream(folder_ / "passing.upload") << "x";
  put("life", "1");
  turn_until_whole();
  fs::remove(folder_ / "passing.upload");
  for (const fs::path& path : shipped("files/")) set_written(path, begun + std::chrono::hours(12));
  clock_.advance(std::chrono::hours(60));
  reopen();
  put("life", "2");
  turn_until_whole();
  EXPECT_EQ(shipped("files/").size(), 1U) << "a state of the first life is kept";
  clock_.advance(std::chrono::hours(49));
  reopen();
  put("life", "3");
  turn_until_whole();
  EXPECT_THAT(shipped("files/"), IsEmpty());
  EXPECT_EQ(found("life", begun + std::chrono::hours(61)), "2");
}

TEST_F(LogShipperTest, ASnapshotThatHasNoRoomLeavesNothingAndIsTriedAgainLater) {
  place_.has_no_room_for("-0002");
  put("name", std::string(100'000, 'x'));
  while (shipper_->trouble().empty()) shipper_->turn();
  EXPECT_THAT(shipper_->trouble(), HasSubstr("no room"));
  EXPECT_THAT(shipped("/b-"), IsEmpty());
  place_.has_no_room_for("");
  const std::size_t segments = shipped("/s-").size();
  put("name", "small");
  shipper_->turn();
  EXPECT_EQ(shipped("/s-").size(), segments + 1);
  EXPECT_THAT(shipper_->trouble(), HasSubstr("no room")) << "until there is a snapshot";
  clock_.advance(std::chrono::seconds(1));
  for (int turn = 0; turn < 3; ++turn) shipper_->turn();
  EXPECT_THAT(shipped("/b-"), IsEmpty()) << "not so soon";
  clock_.advance(std::chrono::seconds(1));
  turn_until_whole();
  EXPECT_EQ(shipper_->trouble(), "");
  EXPECT_EQ(found("name"), "small");
}

TEST_F(LogShipperTest, WhatKillsAndChainsWithoutASnapshotLeaveIsRemoved) {
  turn_until_whole();
  const std::string dead = "20251231T000000Z-00000000/";
  for (const std::string& name :
       {segment_name("20251231T000000Z-00000000", 1, clock_.now()),
        snapshot_part_name("20251231T000000Z-00000000", 1, 1), dead + "s-0000000002-9.part"}) {
    must(place_.put(name, "x"));
  }
  put("name", "1");
  shipper_->turn();
  const fs::path fresh = shipped("/s-").back().string() + ".part";
  std::ofstream(fresh) << "x";
  set_written(shipped(".part").front(), clock_.now() - std::chrono::hours(25));
  clock_.advance(std::chrono::hours(25));
  set_written(fresh, clock_.now());
  const Counter& snapshots = metrics_.counter("todoku_ship_snapshots_total", "");
  while (snapshots.value() < 2) shipper_->turn();
  EXPECT_THAT(shipped(dead), IsEmpty());
  EXPECT_THAT(shipped(".part"), ElementsAre(fresh)) << "it may be on its way";
  EXPECT_EQ(found("name"), "1");
}

TEST_F(LogShipperTest, APlaceOfAnotherStoreIsNotTouched) {
  turn_until_whole();
  close();
  const fs::path whose = fs::path(shipped_to_) / "store";
  std::ofstream(whose, std::ios::trunc) << "two\n";
  const auto before = shipped("");
  clock_.advance(std::chrono::seconds(1));  // states are told apart by their times
  reopen();
  put("name", "1");
  clock_.advance(std::chrono::hours(100));
  for (int turn = 0; turn < 3; ++turn) shipper_->turn();
  EXPECT_THAT(shipper_->trouble(), HasSubstr("another store is shipped to"));
  EXPECT_EQ(shipped(""), before);
  std::ofstream(whose, std::ios::trunc) << "one\n";
  turn_until_whole();
  EXPECT_EQ(shipper_->trouble(), "");
  EXPECT_EQ(found("name"), "1");
  // A mount that goes leaves an empty folder.
  fs::rename(shipped_to_, shipped_to_ + "-away");
  fs::create_directory(shipped_to_);
  put("name", "2");
  shipper_->turn();
  EXPECT_THAT(shipper_->trouble(), HasSubstr("has no file store any more"));
  EXPECT_TRUE(fs::is_empty(shipped_to_));
  fs::remove(shipped_to_);
  fs::rename(shipped_to_ + "-away", shipped_to_);
  shipper_->turn();
  EXPECT_EQ(found("name"), "2");
}

TEST_F(LogShipperTest, WhatOthersHaveInTheFolderIsPassedOver) {
  turn_until_whole();
  const auto before = shipped("");
  for (const char* const name : {"lost+found", "20260101-notes"}) {
    fs::create_directory(fs::path(shipped_to_) / name);
    std::ofstream(fs::path(shipped_to_) / name / "s-0000000001-1") << "x";
  }
  std::ofstream(fs::path(shipped_to_) / "20260101T000000Z-0") << "no folder";
  EXPECT_EQ(shipped(""), before);
}

TEST(ShippedNames, AChainTellsTheLifeThatItIsOf) {
  const Instant begun = from_epoch_ms(1'767'225'600'000);
  const std::string first = new_chain(begun);
  const std::string later = new_chain(begun + std::chrono::hours(1), chain_time(begun));
  EXPECT_LT(first, later);
  for (const std::string& chain : {first, later}) {
    EXPECT_EQ(life_of(chain), "20260101T000000Z");
    EXPECT_TRUE(is_shipped_folder(chain)) << chain;
  }
}

TEST(ShippedNames, OldOnesAreSpareAndTheNewestSnapshotNeverIs) {
  const auto at = [](std::int64_t hour) { return from_epoch_ms(hour * 3'600'000); };
  std::vector<ShippedPlace::Entry> entries;
  const auto add = [&](const std::string& name) { entries.push_back({name, {}}); };
  for (std::uint64_t n = 1; n <= 9; ++n) {
    add(segment_name("20260101T000000Z-a", n, at(static_cast<std::int64_t>(n))));
  }
  for (const std::uint64_t first : {1U, 4U, 7U}) {
    add(snapshot_part_name("20260101T000000Z-a", first, 1));
    add(snapshot_end_name(
        {"20260101T000000Z-a", first, first + 1, at(static_cast<std::int64_t>(first) + 1)}));
  }
  add("20251231T000000Z-b/s-0000000001-1000");
  add("20260102T000000Z-c/s-0000000001-90000000");
  add("somebody's/notes.txt");
  add("notes.txt");
  const Shipped shipped = read_names(entries);
  EXPECT_EQ(shipped.snapshots.size(), 3U);
  EXPECT_THAT(spare(shipped, at(3)), ElementsAre("20251231T000000Z-b/s-0000000001-1000"));
  EXPECT_THAT(spare(shipped, at(6)), ElementsAre(snapshot_end_name(shipped.snapshots[0]),
                                                 "20251231T000000Z-b/s-0000000001-1000",
                                                 segment_name("20260101T000000Z-a", 1, at(1)),
                                                 segment_name("20260101T000000Z-a", 2, at(2)),
                                                 segment_name("20260101T000000Z-a", 3, at(3)),
                                                 snapshot_part_name("20260101T000000Z-a", 1, 1)));
  EXPECT_EQ(spare(shipped, at(1'000)).size(), 2U + 1U + 6U + 2U);
  EXPECT_THAT(spare(read_names({}), at(1)), IsEmpty());
}

TEST(Shipments, ReadAsTheyWereWritten) {
  Shipment shipment{.kind = ShipmentKind::segment,
                    .chain = "a",
                    .number = 7,
                    .other = 1,
                    .time = from_epoch_ms(1'767'225'600'123),
                    .page_octets = 512,
                    .file_pages = 9,
                    .previous = sha256("before")};
  put_page(shipment.body, 3, std::string(512, 'x'));
  const std::string packed = pack(shipment);
  EXPECT_EQ(must(unpack_shipment(packed)), shipment);
  EXPECT_EQ(check_of(packed), sha256(std::string_view(packed).substr(0, packed.size() - 32)));
  for (std::size_t i = 0; i < packed.size(); i += 7) {
    std::string changed = packed;
    changed[i] = static_cast<char>(changed[i] + 1);
    EXPECT_FALSE(unpack_shipment(changed)) << i;
    EXPECT_FALSE(unpack_shipment(packed.substr(0, i))) << i;
  }
  shipment.body.push_back('\1');
  EXPECT_FALSE(each_page(shipment, [](auto, auto) { return Result<void>(); }));
}

}  // namespace
}  // namespace todoku::store::sqlite
