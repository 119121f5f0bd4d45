// SPDX-License-Identifier: Apache-2.0
// PostgresStore takes the conformance suite: a directory holds the name of a database.
#include <fstream>

#include "conformance/store/store_suite.h"
#include "store/postgres/postgres_store.h"
#include "support/postgres/server.h"

namespace todoku::store {
namespace {

constexpr const char* kNameFile = "database";

std::string database_of(const std::filesystem::path& directory) {
  std::string name;
  std::ifstream(directory / kNameFile) >> name;
  return name;
}

Result<std::unique_ptr<Store>> open_postgres(const std::filesystem::path& directory,
                                             const Clock& clock) {
  PostgresServer& server = PostgresServer::running();
  std::string name = database_of(directory);
  if (name.empty()) {
    name = server.make_database();
    std::ofstream(directory / kNameFile) << name;
  }
  // One writer, so that the suite can hold it.
  return PostgresStore::open({.dial = {.address = server.pooled_address(name), .password = {}},
                              .clock = &clock,
                              .writers = 1,
                              .readers = 2});
}

// What a process that dies leaves behind is what it has committed: there is nothing to be copied.
void leave_postgres(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::copy_file(from / kNameFile, to / kNameFile);
}

void drop_postgres(const std::filesystem::path& directory) {
  PostgresServer::running().drop_database(database_of(directory));
}

INSTANTIATE_TEST_SUITE_P(Postgres, StoreSuite,
                         ::testing::Values(StoreFactory{.open = open_postgres,
                                                        .crash_copy = leave_postgres,
                                                        .drop = drop_postgres,
                                                        .shares_commits = false,
                                                        .keeps_uploads = true}),
                         [](const auto&) { return "store"; });

}  // namespace
}  // namespace todoku::store
