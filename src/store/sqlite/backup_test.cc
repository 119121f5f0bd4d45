// SPDX-License-Identifier: Apache-2.0
// A store as a file of its own while it is written to, and what is made of such a file.
#include "store/sqlite/backup.h"

#include <atomic>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "store/sqlite/connection.h"
#include "support/installation.h"

namespace todoku::store::sqlite {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() { add_account("first"); }

  void add_account(const std::string& name) {
    const auto made = store_.store->write_and_wait(
        WritePriority::accept, [&](WriteTransaction& t) { return t.create_account(name); });
    ASSERT_TRUE(made) << made.error().detail;
  }
  bool has_account(const std::string& name) {
    return store_.store->read_and_wait([&](ReadTransaction& t) { return t.account_by_name(name); })
        .has_value();
  }
  [[nodiscard]] BackupOrder order() const {
    return {.database = store_.folder / "todoku.db",
            .backup = elsewhere_ / "copy.db",
            .is_kept = [](const std::string& name) { return name.ends_with(".upload"); },
            .told = {}};
  }
  void close() {
    store_.store->close();
    store_.store.reset();
  }
  static std::string content(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TestStore store_;
  TestFolder elsewhere_;
};

TEST_F(BackupTest, IsOfOneMomentWhileTheStoreIsWrittenTo) {
  BackupOrder order = this->order();
  int written = 0;
  order.told = [&](std::int64_t, std::int64_t) {
    add_account(fmt::format("later{}", written++));
    return true;
  };
  const auto backup = back_up(order);
  ASSERT_TRUE(backup) << backup.error().detail;
  EXPECT_GT(written, 0) << "nobody waits for the copy";
  EXPECT_GT(backup->octets, 0U);
  struct stat facts{};
  ASSERT_EQ(::stat(order.backup.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  EXPECT_FALSE(fs::exists(order.backup.string() + "-wal"));
  EXPECT_FALSE(fs::exists(order.backup.string() + ".part"));
  close();
  order.told = {};
  const auto restored = restore(order, true);
  ASSERT_TRUE(restored) << restored.error().detail;
  EXPECT_TRUE(fs::exists(restored->replaced));
  store_.open();
  EXPECT_TRUE(has_account("first"));
  EXPECT_FALSE(has_account("later0"));
}

TEST_F(BackupTest, TakesTheFilesAlongThatBelongToIt) {
  const std::string large(3'000'000, 'x');
  std::ofstream(store_.folder / "a.upload") << large;
  std::ofstream(store_.folder / "b.upload");
  std::ofstream(store_.folder / "master.key") << "secret";
  const auto backup = back_up(order());
  ASSERT_TRUE(backup) << backup.error().detail;
  EXPECT_EQ(backup->files, 2);
  close();
  for (const char* name : {"a.upload", "b.upload", "master.key", "todoku.db"}) {
    fs::remove(store_.folder / name);
  }
  ASSERT_TRUE(restore(order(), false));
  EXPECT_EQ(content(store_.folder / "a.upload"), large);
  EXPECT_TRUE(fs::exists(store_.folder / "b.upload"));
  EXPECT_FALSE(fs::exists(store_.folder / "master.key"));
  store_.open();
  EXPECT_TRUE(has_account("first"));
}

// As an import that ends while the copy is made: in the copy it still runs.
TEST_F(BackupTest, AFileThatIsRemovedMeanwhileIsInItAllTheSame) {
  std::ofstream(store_.folder / "a.upload") << "email";
  BackupOrder order = this->order();
  order.told = [&](std::int64_t, std::int64_t) {
    fs::remove(store_.folder / "a.upload");
    return true;
  };
  const auto backup = back_up(order);
  ASSERT_TRUE(backup) << backup.error().detail;
  EXPECT_EQ(backup->files, 1);
  EXPECT_FALSE(fs::exists(order.backup.string() + ".part-files"));
  close();
  ASSERT_TRUE(restore(this->order(), true));
  EXPECT_EQ(content(store_.folder / "a.upload"), "email");
}

TEST_F(BackupTest, WithoutAFileThatAJobNamesThereIsNone) {
  const auto ended =
      store_.store->write_and_wait(WritePriority::accept, [](WriteTransaction& t) -> Result<void> {
        const auto node = t.enter_node({.name = "a"});
        const auto account = t.read().account_by_name("first");
        if (!node || !account) return fail(ErrorKind::not_found, "no node or no account");
        const auto job = t.create_export({.account = account->key, .kind = ExportKind::error_list});
        if (!job) return fail(job.error());
        if (auto taken = t.take_export(account->key, job->id, *node); !taken) return taken;
        return t.end_export(account->key, job->id, *node, {.total = 1, .file = "e.upload"});
      });
  ASSERT_TRUE(ended) << ended.error().detail;
  const auto refused = back_up(order());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("e.upload"));
  EXPECT_FALSE(fs::exists(order().backup));
  std::ofstream(store_.folder / "e.upload") << "rows";
  const auto backup = back_up(order());
  ASSERT_TRUE(backup) << backup.error().detail;
  EXPECT_EQ(backup->files, 1);
}

// As after a kill: what was answered last is in the log.
TEST_F(BackupTest, TheStoreThatIsReplacedTakesItsLogAlong) {
  ASSERT_TRUE(back_up(order()));
  add_account("late");
  const fs::path database(store_.folder / "todoku.db");
  const fs::path log(database.string() + "-wal");
  fs::copy_file(database, elsewhere_ / "killed");
  fs::copy_file(log, elsewhere_ / "killed-wal");
  close();
  fs::copy_file(elsewhere_ / "killed", database, fs::copy_options::overwrite_existing);
  fs::copy_file(elsewhere_ / "killed-wal", log, fs::copy_options::overwrite_existing);
  const auto restored = restore(order(), true);
  ASSERT_TRUE(restored) << restored.error().detail;
  const fs::path replaced = restored->replaced / "todoku.db";
  EXPECT_FALSE(fs::exists(replaced.string() + "-wal"));
  EXPECT_FALSE(fs::exists(log));
  const auto old = Connection::open({.path = replaced.string()});
  ASSERT_TRUE(old);
  EXPECT_EQ((*old)->integer("SELECT count(*) FROM accounts WHERE name = 'late'"), 1);
  store_.open();
  EXPECT_FALSE(has_account("late"));
}

// Both histories have files of the same names.
TEST_F(BackupTest, TheStoreThatIsReplacedTakesItsFilesAlong) {
  std::ofstream(store_.folder / "a.upload") << "then";
  ASSERT_TRUE(back_up(order()));
  close();
  std::ofstream(store_.folder / "a.upload") << "now";
  std::ofstream(store_.folder / "later.upload") << "later";
  BackupOrder others = order();
  others.is_kept = [](const std::string&) { return false; };
  ASSERT_FALSE(restore(others, true)) << "none of its own has that name";
  EXPECT_EQ(content(store_.folder / "a.upload"), "now") << "what fails before changes nothing";
  EXPECT_FALSE(fs::exists(store_.folder / "todoku.db.restoring"));
  const auto restored = restore(order(), true);
  ASSERT_TRUE(restored) << restored.error().detail;
  EXPECT_EQ(content(store_.folder / "a.upload"), "then");
  EXPECT_FALSE(fs::exists(store_.folder / "later.upload"));
  EXPECT_EQ(content(restored->replaced / "a.upload"), "now");
  EXPECT_EQ(content(restored->replaced / "later.upload"), "later");
  EXPECT_TRUE(fs::exists(restored->replaced / "todoku.db"));
  EXPECT_FALSE(fs::exists(store_.folder / "todoku.db.replacing"));
  EXPECT_FALSE(fs::exists(store_.folder / "todoku.db.restoring-files"));
}

// Killed when the database was set aside, and nothing else.
TEST_F(BackupTest, ARestoreThatWasBrokenOffIsGoneOnWith) {
  std::ofstream(store_.folder / "a.upload") << "then";
  ASSERT_TRUE(back_up(order()));
  close();
  std::ofstream(store_.folder / "a.upload") << "now";
  const fs::path filled(store_.folder / "todoku.db.replacing");
  fs::create_directory(filled);
  fs::rename(store_.folder / "todoku.db", filled / "todoku.db");
  const std::string old = content(filled / "todoku.db");
  const auto restored = restore(order(), false);
  ASSERT_TRUE(restored) << restored.error().detail;
  EXPECT_FALSE(fs::exists(filled));
  EXPECT_EQ(content(restored->replaced / "todoku.db"), old);
  EXPECT_EQ(content(restored->replaced / "a.upload"), "now");
  EXPECT_EQ(content(store_.folder / "a.upload"), "then");
  store_.open();
  EXPECT_TRUE(has_account("first"));
}

TEST_F(BackupTest, WritesOverNothing) {
  std::ofstream(order().backup) << "somebody's";
  const auto backup = back_up(order());
  ASSERT_FALSE(backup);
  EXPECT_EQ(backup.error().kind, ErrorKind::conflict);
  EXPECT_EQ(content(order().backup), "somebody's");
  fs::remove(order().backup);
  ASSERT_TRUE(back_up(order()));
  const auto in_use = restore(order(), true);
  ASSERT_FALSE(in_use);
  EXPECT_EQ(in_use.error().kind, ErrorKind::conflict) << "the store is open";
  close();
  const auto there = restore(order(), false);
  ASSERT_FALSE(there);
  EXPECT_EQ(there.error().kind, ErrorKind::conflict);
  store_.open();
  EXPECT_TRUE(has_account("first"));
}

TEST_F(BackupTest, GivenUpItLeavesNothing) {
  BackupOrder order = this->order();
  order.told = [](std::int64_t, std::int64_t) { return false; };
  const auto backup = back_up(order);
  ASSERT_FALSE(backup);
  EXPECT_EQ(backup.error().kind, ErrorKind::cancelled);
  EXPECT_FALSE(fs::exists(order.backup));
  EXPECT_FALSE(fs::exists(order.backup.string() + ".part"));
}

// A log that was left beside it would be taken into the next one.
TEST_F(BackupTest, WhatOneThatWasKilledHasLeftGoes) {
  const std::string part = order().backup.string() + ".part";
  for (const char* rest : {"", "-wal", "-shm", "-journal"}) std::ofstream(part + rest) << "left";
  fs::create_directory(part + "-files");
  std::ofstream(part + "-files/a.upload") << "left";
  BackupOrder given_up = order();
  given_up.told = [](std::int64_t, std::int64_t) { return false; };
  ASSERT_FALSE(back_up(given_up));
  EXPECT_TRUE(fs::is_empty(order().backup.parent_path()));
  std::ofstream(part + "-wal") << "left";
  const auto backup = back_up(order());
  ASSERT_TRUE(backup) << backup.error().detail;
  EXPECT_EQ(backup->files, 0);
  EXPECT_FALSE(fs::exists(part + "-wal"));
}

TEST_F(BackupTest, DamagedOrOfSomethingElseItIsRefused) {
  for (int i = 0; i < 300; ++i) add_account(fmt::format("account{}", i));
  ASSERT_TRUE(back_up(order()));
  close();
  const std::string whole = content(order().backup);
  const auto refused = [&](const std::string& octets) {
    std::ofstream(order().backup, std::ios::binary | std::ios::trunc) << octets;
    const auto restored = restore(order(), true);
    return restored ? std::string("restored") : restored.error().detail;
  };
  EXPECT_NE(refused(""), "restored");
  EXPECT_NE(
      refused("no database at all, but somewhat longer than a hundred octets of text would be"),
      "restored");
  EXPECT_NE(refused(whole.substr(0, whole.size() / 2)), "restored");
  EXPECT_TRUE(fs::exists(store_.folder / "todoku.db"));
  // A database file that was copied by hand is none of ours to take apart.
  fs::copy_file(store_.folder / "todoku.db", order().backup, fs::copy_options::overwrite_existing);
  const auto by_hand = restore(order(), true);
  ASSERT_FALSE(by_hand);
  EXPECT_THAT(by_hand.error().detail, HasSubstr("todoku backup"));
}

}  // namespace
}  // namespace todoku::store::sqlite
