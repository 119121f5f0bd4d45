// SPDX-License-Identifier: Apache-2.0
// What tests on a real store begin with: an empty folder with the store in it, and a clock that
// stands still.
#pragma once

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "async/runtime.h"
#include "base/clock.h"
#include "store/sqlite/sqlite_store.h"
#include "support/shared_clock.h"

namespace todoku {

class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "todoku-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  [[nodiscard]] std::string operator/(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Member order: the store goes before its clock and its folder. The store's threads look at the
// clock while the test moves it.
struct TestStore {
  TestFolder folder;
  SharedClock clock;
  std::unique_ptr<store::SqliteStore> store;

  // `its_clock` outlives it; nullptr: `clock`.
  explicit TestStore(const Clock* its_clock = nullptr) : its_clock_(its_clock) { open(); }
  ~TestStore() {
    if (store) store->close();
  }
  TestStore(const TestStore&) = delete;
  TestStore& operator=(const TestStore&) = delete;

  void open() {
    store::SqliteStore::Options options;
    options.path = folder / "todoku.db";
    options.clock = its_clock_ == nullptr ? &clock : its_clock_;
    options.synchronous = store::SqliteStore::Synchronous::off;
    auto opened = store::SqliteStore::open(options);
    if (!opened) throw std::runtime_error(opened.error().detail);
    store = std::move(*opened);
  }
  void reopen() {
    store->close();
    store.reset();
    open();
  }

 private:
  const Clock* its_clock_;
};

// Runs a task on an io_context of its own and gives its value.
template <class T>
T run(Task<T> task) {
  std::optional<T> value;
  struct Waiter {
    static Task<void> wait(Task<T> inner, std::optional<T>& into) {
      into.emplace(co_await std::move(inner));
    }
  };
  async::run_to_completion(Waiter::wait(std::move(task), value));
  return std::move(*value);
}

}  // namespace todoku
