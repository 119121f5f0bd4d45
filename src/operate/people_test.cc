// SPDX-License-Identifier: Apache-2.0
#include "store/people.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operate/operations_fixture.h"

namespace todoku::operate {
namespace {

using testing::ElementsAre;

TEST_F(OperationsTest, WhoIsSuspendedOrRemovedOnTheMachineIsNamedAsByOwners) {
  const auto added = installation.store->write_and_wait(
      store::WritePriority::accept, [](store::WriteTransaction& change) -> Result<store::Person> {
        const auto account = change.create_account("shop");
        if (!account) return fail(account.error());
        return change.add_person({.account = account->key,
                                  .email = "sato@example.com",
                                  .name = "Sato",
                                  .role = store::Role::sender,
                                  .language = "ja"});
      });
  ASSERT_TRUE(added) << added.error().detail;
  const Asker asker{.actor = "operator, uid 0", .origin = "admin socket"};
  const auto suspend = [&](bool suspended) {
    return run(operations.suspend_person("sato@example.com", suspended, asker));
  };
  ASSERT_TRUE(suspend(true));
  EXPECT_TRUE(suspend(true)) << "again";
  ASSERT_TRUE(suspend(false));
  ASSERT_TRUE(run(operations.remove_person("sato@example.com", asker)));
  EXPECT_EQ(run(operations.remove_person("sato@example.com", asker)).error().kind,
            ErrorKind::not_found);

  const auto page = run(operations.audit({.address = "sato@example.com"}));
  ASSERT_TRUE(page);
  std::vector<std::string> actions;
  for (const AuditLine& line : page->lines) {
    EXPECT_EQ(line.account, "shop");
    EXPECT_EQ(line.entry.actor, asker.actor);
    EXPECT_EQ(line.entry.origin, asker.origin);
    actions.push_back(line.entry.action);
  }
  const auto about = [&](const char* action) {
    return fmt::format("{} {}", action, static_cast<std::int64_t>(added->key));
  };
  EXPECT_THAT(actions,
              ElementsAre(about("person.suspend"), about("person.release"), about("person.remove")))
      << "what changes nothing is no line";
}

}  // namespace
}  // namespace todoku::operate
