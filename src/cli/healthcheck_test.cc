// SPDX-License-Identifier: Apache-2.0
// todoku healthcheck
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_host.h"

namespace todoku::cli {
namespace {

TEST_F(CommandLineTest, AsksForLifeApartFromReadiness) {
  host.answer = [](const AdminRequest& request) {
    if (request.target == "/healthz") return AdminAnswer{200, R"({"alive":true})"};
    return AdminAnswer{503, R"({"ready":false,"error":"store: the disk is full"})"};
  };
  EXPECT_EQ(run({"healthcheck"}), 1);
  EXPECT_EQ(err.str(), "todoku: store: the disk is full\n");
  EXPECT_EQ(run({"healthcheck", "--live"}), 0) << "what is not ready may yet become so";
  EXPECT_EQ(out.str(), "alive\n");
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{500, R"({"alive":false,"error":"thread 2 of 4 stands still"})"};
  };
  EXPECT_EQ(run({"healthcheck", "--live"}), 1);
  EXPECT_EQ(err.str(), "todoku: thread 2 of 4 stands still\n");
  host.running = false;
  EXPECT_EQ(run({"healthcheck", "--live"}), 1) << "none that runs lives";
}

}  // namespace
}  // namespace todoku::cli
