// SPDX-License-Identifier: Apache-2.0
// SqliteStore takes the conformance suite.
#include "conformance/store/store_suite.h"
#include "store/sqlite/sqlite_store.h"

namespace todoku::store {
namespace {

Result<std::unique_ptr<Store>> open(const std::filesystem::path& directory, const Clock& clock) {
  SqliteStore::Options options;
  options.path = directory / "store.db";
  options.clock = &clock;
  return SqliteStore::open(options);
}

// What is in the files is what a killed process leaves: the log first would miss nothing that the
// database has, but a checkpoint between two copies could, so the database is copied before it.
void crash_copy(const std::filesystem::path& from, const std::filesystem::path& to) {
  for (const char* name : {"store.db", "store.db-wal"}) {
    if (std::filesystem::exists(from / name)) std::filesystem::copy_file(from / name, to / name);
  }
}

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreSuite,
                         ::testing::Values(StoreFactory{.open = open, .crash_copy = crash_copy}),
                         [](const auto&) { return "store"; });

}  // namespace
}  // namespace todoku::store
