// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_api.h"

namespace todoku::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kFound =
    R"({"job_id":3,"status":"FINISHED","dry_run":true,"list":{"form":"csv",)"
    R"("encoding":"shift_jis","encoding_by":"octets","separator":"tab","check":{"rows":5,)"
    R"("recipients":3,"malformed":1,"duplicates":1,"suppressed":2,)"
    R"("domains":[{"domain":"example.jp","recipients":3}],)"
    R"("codes":[{"key":"__a__","missing":0},{"key":"__b__","missing":3}]}}})";

TEST_F(SenderTest, AListIsPutIntoADraft) {
  answer({answered(201, R"({"job_id":3})"),
          answered(200, R"({"status":"FINISHED","percentage":100})"),
          answered(200, R"({"job_id":3,"status":"FINISHED","dry_run":false,"list":null})")});
  const std::string list = write("list.csv", "email\na@b.example\n");
  ASSERT_EQ(run({"bulk", "import", "7", "--list", list, "--ignore-errors"}), 0) << err.str();
  EXPECT_EQ(host.requests[0].target, "/deliveries/7/emails/stream?ignore_errors=true");
  EXPECT_EQ(host.requests[0].content_type, "text/csv");
  EXPECT_EQ(host.requests[0].content_encoding, "");
  EXPECT_EQ(host.requests[0].body, "email\na@b.example\n");
  EXPECT_FALSE(host.requests[0].idempotency_key.empty());
  EXPECT_THAT(out.str(), HasSubstr("todoku bulk commit 7 --at now sends it"));
}

TEST_F(SenderTest, AListIsCalledWhatItIs) {
  answer({answered(201, R"({"job_id":3})"),
          answered(200, R"({"status":"FINISHED","percentage":100})"),
          answered(200, R"({"job_id":3,"list":null})")});
  ASSERT_EQ(run({"bulk", "import", "7", "--list", write("a.jsonl.gz", "\x1F\x8B\x08")}), 0);
  EXPECT_EQ(host.requests[0].content_type, "application/x-ndjson");
  EXPECT_EQ(host.requests[0].content_encoding, "gzip");
}

TEST_F(SenderTest, AnImportIsCancelledByItsNumber) {
  answer({answered(200, R"({"job_id":3})")});
  ASSERT_EQ(run({"bulk", "import", "--cancel", "3"}), 0) << err.str();
  EXPECT_EQ(host.requests[0].method, "DELETE");
  EXPECT_EQ(host.requests[0].target, "/deliveries/-/emails/import/3");
  EXPECT_THAT(out.str(), HasSubstr("Import 3 was cancelled"));
  EXPECT_EQ(run({"bulk", "import", "--cancel", "3", "--list", write("list.csv", "x")}), 2);
  EXPECT_EQ(run({"bulk", "import", "7"}), 2);
  EXPECT_EQ(run({"bulk", "import", "--list", write("list.csv", "x")}), 2);
}

TEST_F(SenderTest, WhoWantsAnEndCancelsTheImport) {
  answer({answered(201, R"({"job_id":3})"),
          answered(200, R"({"status":"IMPORTING","percentage":10})"),
          answered(200, R"({"job_id":3})")});
  host.patience = 0;
  EXPECT_EQ(run({"bulk", "import", "7", "--list", write("list.csv", "x")}), 130) << err.str();
  ASSERT_EQ(host.requests.size(), 3U);
  EXPECT_EQ(host.requests.back().method, "DELETE");
  EXPECT_EQ(host.requests.back().target, "/deliveries/-/emails/import/3");
}

TEST_F(SenderTest, ADryRunTellsWhatWasFound) {
  answer({answered(201, R"({"job_id":3})"),
          answered(200, R"({"status":"FINISHED","percentage":100})"), answered(200, kFound)});
  const std::string list = write("list.csv", "x");
  ASSERT_EQ(run({"bulk", "import", "7", "--list", list, "--dry-run"}), 0);
  EXPECT_EQ(host.requests[0].target, "/deliveries/7/emails/stream?dry_run=true");
  for (const char* line : {"encoding     shift_jis\n", "separator    tab\n", "suppressed   2\n",
                           "  example.jp               3\n", "  __b__                    3\n"}) {
    EXPECT_THAT(out.str(), HasSubstr(line));
  }
  EXPECT_THAT(out.str(), Not(HasSubstr("__a__")));
  EXPECT_THAT(out.str(), Not(HasSubstr("commit")));
}

TEST_F(SenderTest, AListThatWasRefusedSaysSoAndHowItWasRead) {
  answer({answered(201, R"({"job_id":3})"),
          answered(200, R"({"status":"FAILED","percentage":100,"failed_count":0})"),
          answered(200, kFound)});
  EXPECT_EQ(run({"bulk", "import", "7", "--list", write("list.csv", "x")}), 1);
  EXPECT_THAT(out.str(), HasSubstr("encoding     shift_jis\n"));
}

}  // namespace
}  // namespace todoku::cli
