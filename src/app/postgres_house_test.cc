// SPDX-License-Identifier: Apache-2.0
#include "app/postgres_house.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/data_folder.h"
#include "app/module_options.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

// Its lock says that the one before is gone, on whatever machine or in whatever container that ran.
TEST(PostgresHouse, ANodeHasTheNameOfItsFolderAndNotOfItsMachine) {
  TestFolder folder;
  config::Config config;
  config.data.directory = folder / "";
  const auto node = PostgresHouse(config).node();
  ASSERT_TRUE(node) << node.error().detail;
  EXPECT_EQ(node->name, data_folder_id(config.data.directory, false).value());
  EXPECT_THAT(node->name, testing::Not(testing::HasSubstr(host_name())));
  EXPECT_TRUE(node->succeeds);
  EXPECT_EQ(PostgresHouse(config).node()->name, node->name) << "and keeps it";
}

}  // namespace
}  // namespace todoku::app
