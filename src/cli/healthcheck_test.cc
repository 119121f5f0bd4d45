// SPDX-License-Identifier: Apache-2.0
// todoku healthcheck
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_host.h"

namespace todoku::cli {
namespace {

TEST_F(CommandLineTest, AsksForLifeApartFromReadiness) {
  bool was_ready = true;
  host.answer = [&was_ready](const AdminRequest& request) {
    if (request.target == "/healthz") {
      return AdminAnswer{200, was_ready ? R"({"alive":true,"was_ready":true})"
                                        : R"({"alive":true,"was_ready":false})"};
    }
    return AdminAnswer{503, R"({"ready":false,"error":"store: the disk is full"})"};
  };
  EXPECT_EQ(run({"healthcheck"}), 1);
  EXPECT_EQ(err.str(), "todoku: store: the disk is full\n");
  EXPECT_EQ(run({"healthcheck", "--live"}), 0) << "what is not ready any more may become so again";
  EXPECT_EQ(out.str(), "alive\n");
  was_ready = false;
  EXPECT_EQ(run({"healthcheck", "--live"}), 1) << "what never was holds nothing, and may be wrong";
  EXPECT_EQ(err.str(), "todoku: store: the disk is full\n");
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
