// SPDX-License-Identifier: Apache-2.0
// An installation's operations as tests call them.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "operate/operations.h"
#include "store/walks.h"
#include "support/installation.h"

namespace todoku::operate {

struct OperationsTest : testing::Test {
  TestStore installation;
  SecretBox box{MasterKey::generate()};
  std::vector<store::DkimKey> told;  // the DKIM keys after the last change
  int changes = 0;
  int drains = 0;
  Operations operations{
      *installation.store, installation.clock,
      Operations::Options{.version = "1.2.3",
                          .data_directory = "/var/lib/todoku",
                          .transactional_expiry = std::chrono::hours(24),
                          .bulk_expiry = std::chrono::hours(24),
                          .describe_engine = [](EngineStatus& status) { status.pid = 42; },
                          .drain = [this] { ++drains; },
                          .secret_box = [this]() -> Result<const SecretBox*> { return &box; },
                          .changed = [this] { return take_over(); }}};

  // What the engine does with a change.
  Task<Result<void>> take_over() {
    ++changes;
    store::DkimList list;
    auto walked = co_await store::walk(*installation.store, list);
    told = list.take();
    co_return walked;
  }

  Result<store::Account> account_of(const std::string& token) {
    const auto holder = holder_of(token);
    if (!holder) return fail(holder.error());
    return holder->account;
  }
  Result<store::KeyHolder> holder_of(const std::string& token) {
    return installation.store->read_and_wait([&](store::ReadTransaction& transaction) {
      return transaction.key_by_token(sha256_hex(token));
    });
  }
};

}  // namespace todoku::operate
