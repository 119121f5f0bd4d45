// SPDX-License-Identifier: Apache-2.0
// Commands about a whole store: adopting, copies, the journal, nodes.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_host.h"

namespace todoku::cli {
namespace {

using testing::HasSubstr;

TEST_F(CommandLineTest, WhatWaitsInAnAdoptedStoreWantsAWord) {
  std::int64_t deliveries = 2;
  bool differs = true;
  host.answer = [&](const AdminRequest& request) {
    if (request.target == "/cluster") {
      return AdminAnswer{200, differs ? R"({"hold":[{"text":"named otherwise","text_ja":"別名"}]})"
                                      : R"({"hold":[]})"};
    }
    if (request.target == "/cluster/waiting") {
      return AdminAnswer{200, fmt::format(R"({{"deliveries":{},"recipients":7}})", deliveries)};
    }
    if (request.target == "/cluster/cancel") {
      const bool first = request.body.find(R"("from":0)") != std::string::npos;
      return AdminAnswer{200, first ? R"({"deliveries":1,"recipients":3,"next":42})"
                                    : R"({"deliveries":0,"recipients":4,"next":0})"};
    }
    return AdminAnswer{200, R"({"done":true})"};
  };
  EXPECT_EQ(run({"cluster", "adopt"}), 1);
  EXPECT_THAT(out.str(), HasSubstr("named otherwise\nIn it wait 2 deliveries with 7 recipients"));
  EXPECT_THAT(err.str(), HasSubstr("--cancel-waiting cancels it"));
  EXPECT_EQ(host.asked.back().target, "/cluster/waiting") << "nothing was changed";
  EXPECT_EQ(run({"cluster", "adopt", "--send-waiting"}), 0);
  EXPECT_EQ(host.asked.back().target, "/cluster/adopt");
  EXPECT_THAT(host.asked.back().body, HasSubstr(R"("send_waiting":true)"));
  host.asked.clear();
  EXPECT_EQ(run({"cluster", "adopt", "--cancel-waiting", "--lang", "ja"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("別名"));
  EXPECT_THAT(out.str(), HasSubstr("7 件の宛先を取り消しました"));
  ASSERT_EQ(host.asked.size(), 5U);
  EXPECT_THAT(host.asked[3].body, HasSubstr("42"));
  EXPECT_THAT(host.asked[4].body, HasSubstr(R"("send_waiting":false)"));
  EXPECT_EQ(run({"cluster", "adopt", "--cancel-waiting", "--send-waiting"}), 2);
  deliveries = 0;
  EXPECT_EQ(run({"cluster", "adopt"}), 0) << "where nothing waits there is nothing to say";
  differs = false;
  host.asked.clear();
  EXPECT_EQ(run({"cluster", "adopt"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("Nothing to do"));
  EXPECT_EQ(host.asked.size(), 1U);
}

TEST_F(CommandLineTest, AStoreIsBackedUpAndRestored) {
  EXPECT_EQ(run({"backup", "--to", "copy.db"}), 0);
  EXPECT_EQ(host.seen, std::vector<std::string>{"copy.db"});
  EXPECT_THAT(out.str(), HasSubstr("2 deliveries, 3 recipients"));
  EXPECT_THAT(out.str(), HasSubstr("The master key is not in it"));
  EXPECT_EQ(run({"backup", "--to", "copy.db", "--json"}), 0);
  EXPECT_THAT(out.str(), HasSubstr(R"("recipients":3)"));
  EXPECT_EQ(run({"backup", "--to", "taken"}), 1);
  EXPECT_EQ(run({"backup"}), 2);
  EXPECT_EQ(run({"restore", "--from", "copy.db"}), 1);
  EXPECT_EQ(run({"restore", "--from", "copy.db", "--replace"}), 0);
  EXPECT_EQ(host.seen, (std::vector<std::string>{"copy.db", "replace"}));
  EXPECT_THAT(out.str(), HasSubstr("aside"));
  EXPECT_EQ(run({"restore", "--from", "shipped", "--replace", "--at", "2026-01-01T09:00:00+09:00"}),
            0);
  EXPECT_EQ(host.seen, (std::vector<std::string>{"shipped", "replace", "1767225600000"}));
  EXPECT_THAT(out.str(), HasSubstr("Its last change is of 2026-01-01T09:00:00+09:00"));
  EXPECT_EQ(run({"restore", "--from", "shipped", "--at", "soon"}), 2);
  EXPECT_EQ(run({"restore"}), 2);
  EXPECT_EQ(run({"restore", "--replace"}), 2);
  EXPECT_EQ(run({"restore", "--from", "copy.db", "fold"}), 2);
}

TEST_F(CommandLineTest, TheJournalIsFoldedInPieces) {
  host.answer = [](const AdminRequest& request) {
    if (request.target == "/cluster/waiting") {
      return AdminAnswer{200, R"({"deliveries":1,"recipients":9})"};
    }
    const bool first = request.body.find(R"("from":0)") != std::string::npos;
    return AdminAnswer{
        200, fmt::format(R"({{"records":2,"outcomes":5,"elsewhere":1,"recipients":3,"next":{},)"
                         R"("written_text":"2026-01-05 10:00:00 JST"}})",
                         first ? 17 : 0)};
  };
  EXPECT_EQ(run({"restore", "fold"}), 0);
  ASSERT_EQ(host.asked.size(), 3U);
  EXPECT_THAT(host.asked[1].body, HasSubstr("17"));
  EXPECT_THAT(out.str(), HasSubstr("10 outcomes"));
  EXPECT_THAT(out.str(), HasSubstr("2 outcomes are of mails that were accepted after"));
  EXPECT_THAT(out.str(), HasSubstr("1 deliveries with 9 recipients still wait"));
  host.asked.clear();
  EXPECT_EQ(run({"restore", "end", "--as", "unknown"}), 0);
  ASSERT_EQ(host.asked.size(), 4U);
  EXPECT_EQ(host.asked[0].target, "/cluster/cancel");
  EXPECT_THAT(host.asked[0].body, HasSubstr(R"("unknown":true)"));
  EXPECT_EQ(host.asked[3].target, "/cluster/adopt");
  EXPECT_EQ(run({"restore", "end"}), 2);
  EXPECT_EQ(run({"restore", "release"}), 0);
  EXPECT_THAT(host.asked.back().body, HasSubstr(R"("send_waiting":true)"));
  host.answer = [](const AdminRequest&) { return AdminAnswer{409, R"({"error":"fold first"})"}; };
  EXPECT_EQ(run({"restore", "release"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("fold first"));
}

TEST_F(CommandLineTest, NodesAreListed) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{
        200, R"({"nodes":[{"key":7,"node":"3f9c","roles":"api,courier","host":"mail1.example.jp",)"
             R"("version":"1.2","entered_text":"2026-01-05 10:00:00 JST","state":"alive",)"
             R"("lease_left_ms":12345,"batches":3,"recipients":1200,"leads":true,)"
             R"("sources":["main","second"]}]})"};
  };
  EXPECT_EQ(run({"nodes"}), 0);
  EXPECT_EQ(host.asked.back().target, "/nodes");
  EXPECT_THAT(out.str(), HasSubstr("3f9c  api,courier  mail1.example.jp  1.2      2026-01-05 "
                                   "10:00:00 JST  leads  12.3 s      3        1200        "
                                   "main,second"));
  EXPECT_EQ(run({"nodes", "--utc"}), 0);
  EXPECT_EQ(host.asked.back().target, "/nodes?utc_offset_minutes=0");
  host.answer = [](const AdminRequest&) { return AdminAnswer{200, R"({"nodes":[]})"}; };
  EXPECT_EQ(run({"nodes"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("No process works on the store"));
}

}  // namespace
}  // namespace todoku::cli
