// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"

namespace todoku::config {
namespace {

std::string sandbox_problem(std::string_view toml, std::string_view sandbox = "true") {
  const auto result =
      read_config("[smtp_out]\nsandbox = " + std::string(sandbox) + "\n" + std::string(toml),
                  "todoku.toml", "/etc/todoku", {});
  return result ? "" : result.error().problems[0].to_string();
}

TEST(SandboxChecks, WhatWouldLeaveIsRefusedByItsName) {
  using testing::HasSubstr;
  const std::string shipping = "[shipping]\nto = \"/mnt/copy\"\n";
  EXPECT_THAT(sandbox_problem(shipping), HasSubstr("shipping.to: "));
  EXPECT_EQ(sandbox_problem(shipping, "false"), "");
  const std::string mail =
      "[alarms]\nmail_to = [\"a@example.jp\"]\nmail_from = \"b@example.jp\"\nvia = \"smtp://";
  EXPECT_THAT(sandbox_problem(mail + "192.0.2.1:25\"\n"), HasSubstr("alarms.via: "));
  EXPECT_EQ(sandbox_problem(mail + "127.0.0.1:2526\"\n"), "");
}

}  // namespace
}  // namespace todoku::config
