// SPDX-License-Identifier: Apache-2.0
#include "cli/import_errors.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_api.h"

namespace todoku::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A zip of import_errors_3.csv, which is stored in it: a header, and the rows 2, 3 and 5.
constexpr char kArchive[] =
    "\x50\x4B\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00\x21\x5C\x13\xC0\x60\x2F\x6D\x00"
    "\x00\x00\x6D\x00\x00\x00\x13\x00\x00\x00\x69\x6D\x70\x6F\x72\x74\x5F\x65\x72\x72"
    "\x6F\x72\x73\x5F\x33\x2E\x63\x73\x76\x22\x65\x22\x2C\x22\x65\x6D\x61\x69\x6C\x22"
    "\x0D\x0A\x22\x5B\x65\x6D\x61\x69\x6C\x3A\x20\x69\x73\x20\x72\x65\x71\x75\x69\x72"
    "\x65\x64\x2C\x20\x72\x6F\x77\x3A\x20\x32\x5D\x22\x2C\x22\x22\x0D\x0A\x22\x5B\x65"
    "\x6D\x61\x69\x6C\x3A\x20\x61\x20\x22\x22\x62\x22\x22\x2C\x20\x72\x6F\x77\x3A\x20"
    "\x33\x5D\x22\x2C\x22\x78\x0D\x0A\x79\x22\x0D\x0A\x22\x5B\x65\x6D\x61\x69\x6C\x3A"
    "\x20\x63\x2C\x20\x72\x6F\x77\x3A\x20\x35\x5D\x22\x2C\x22\x7A\x22\x0D\x0A\x50\x4B"
    "\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00\x00\x00\x21\x5C\x13\xC0\x60\x2F\x6D\x00"
    "\x00\x00\x6D\x00\x00\x00\x13\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01"
    "\x00\x00\x00\x00\x69\x6D\x70\x6F\x72\x74\x5F\x65\x72\x72\x6F\x72\x73\x5F\x33\x2E"
    "\x63\x73\x76\x50\x4B\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00\x41\x00\x00\x00\x9E"
    "\x00\x00\x00\x00\x00";
const std::string_view kErrors(kArchive, sizeof(kArchive) - 1);

TEST(ImportErrors, AreTheFirstCellsBehindTheHeader) {
  EXPECT_THAT(first_cells("\"e\",\"email\"\r\n\"a \"\"b\"\", c\",\"x\r\ny\"\r\nd\r\n\"e\"", 10),
              ElementsAre("a \"b\", c", "d", "e"));
  EXPECT_THAT(first_cells("e\na\nb\nc\n", 2), ElementsAre("a", "b"));
  EXPECT_THAT(first_cells("", 2), IsEmpty());
  EXPECT_THAT(first_cells("e\n\"never closed", 2), ElementsAre("never closed"));
}

TEST_F(SenderTest, WhyRowsWereRefusedIsSaid) {
  const std::string csv = write("list.csv", "email\n\n");
  ApiAnswer archive = answered(200, std::string(kErrors));
  archive.headers.add("Content-Type", "application/zip");
  answer({answered(201, R"({"delivery_id":7})"), answered(201, R"({"job_id":3})"),
          answered(200, R"({"status":"FAILED","percentage":100,"failed_count":3,)"
                        R"("error_file_url":"http://x/errors"})"),
          archive, answered(200, R"({"delivery_id":7})")});
  EXPECT_EQ(run(bulk_words(csv, "now")), 1);
  ASSERT_EQ(host.requests.size(), 5U);
  EXPECT_EQ(host.requests[3].target, "/deliveries/-/emails/import/3/errorinfo/download");
  EXPECT_EQ(host.requests[4].method + host.requests[4].target, "DELETE/deliveries/7");
  EXPECT_THAT(err.str(), HasSubstr("refused rows: 3.\n"
                                   "  [email: is required, row: 2]\n"
                                   "  [email: a \"b\", row: 3]\n"
                                   "  [email: c, row: 5]\n"));
}

}  // namespace
}  // namespace todoku::cli
