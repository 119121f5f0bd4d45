// SPDX-License-Identifier: Apache-2.0
// What the tests of this folder share: a store on a database of the test's own.
#pragma once

#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "store/postgres/postgres_store.h"
#include "support/postgres/proxy.h"
#include "support/postgres/server.h"

namespace todoku::store {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().detail);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

class PostgresStoreTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<PostgresStore> open_through(const PostgresProxy& proxy) const {
    return must(PostgresStore::open(
        {.dial = {.address = proxy.address(database_.name()), .password = {}}}));
  }
  [[nodiscard]] std::unique_ptr<PostgresStore> open() const {
    return must(PostgresStore::open({.dial = {.address = database_.address(), .password = {}}}));
  }
  static Account account(Store& store, std::string_view name = "acme") {
    return must(store.write_and_wait(WritePriority::accept,
                                     [&](WriteTransaction& t) { return t.create_account(name); }));
  }
  static NodeKey enter(Store& store, std::string_view name = "me") {
    return must(store.write_and_wait(WritePriority::claims, [&](WriteTransaction& t) {
      return t.enter_node({.name = std::string(name), .roles = "test", .version = "0"});
    }));
  }
  static Accept acceptance(AccountKey account, NodeKey holder, std::string_view local = "one") {
    Accept accept;
    accept.delivery.account = account;
    accept.delivery.content.from = {"news@example.com", "Example News"};
    accept.delivery.content.subject = "News";
    accept.delivery.content.text_part = "Good morning";
    accept.recipients = {{fmt::format("{}@example.jp", local), "example.jp", {{"__name__", "N"}}}};
    accept.signing = "sel1";
    accept.life_time = std::chrono::hours(24);
    accept.holder = holder;
    return accept;
  }
  PostgresDatabase database_;
};

}  // namespace todoku::store
