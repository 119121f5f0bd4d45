// SPDX-License-Identifier: Apache-2.0
// `todoku reports import`, as far as the engine is not asked; with one see tests/system/api.
#include <filesystem>
#include <fstream>

#include <boost/json/parse.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/fake_host.h"
#include "cli/session.h"
#include "feedback/reports/report_mail.h"

namespace todoku::cli {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class ReportsImportTest : public CommandLineTest {
 protected:
  ~ReportsImportTest() override { std::filesystem::remove_all(folder_); }
  std::string file_of(const std::string& name, std::size_t octets) {
    const auto path = folder_ / name;
    std::ofstream(path) << "<feedback>";
    std::filesystem::resize_file(path, octets);
    return path.string();
  }

 private:
  static std::filesystem::path made_folder() {
    const auto path =
        std::filesystem::temp_directory_path() / fmt::format("todoku-reports-{}", ::getpid());
    std::filesystem::create_directories(path);
    return path;
  }
  const std::filesystem::path folder_ = made_folder();
};

TEST_F(ReportsImportTest, WhichFileIsTooLargeIsSaidAndTheOthersAreTaken) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{200, R"({"added":1,"repeated":0,"refused":0,"reports":[]})"};
  };
  const std::string large = file_of("large.xml", feedback::reports::kHandedOverMax + 1);
  const std::string small = file_of("small.xml", 100);
  EXPECT_EQ(run({"reports", "import", large, small}), 1);
  EXPECT_THAT(out.str(), HasSubstr(large + ": not taken: has 24.0 MiB, more than 24"));
  EXPECT_THAT(out.str(), HasSubstr("1 added, 0 there already, 1 not taken"));
  EXPECT_THAT(host.asked, SizeIs(1));
  EXPECT_EQ(run({"reports", "import", large, "--lang", "ja"}), 1);
  EXPECT_THAT(out.str(), HasSubstr(large + ": 取り込めません: "));
  EXPECT_THAT(out.str(), HasSubstr("超えています"));
  EXPECT_EQ(run({"reports", "import", large, "--json"}), 1);
  const auto answer = boost::json::parse(out.str());
  EXPECT_EQ(text_of(list_of(answer, "reports").at(0), "name"), large);
}

TEST_F(ReportsImportTest, WhichFileTheEngineFailedAtIsSaid) {
  host.answer = [](const AdminRequest&) {
    return AdminAnswer{503, R"({"error":"no memory for it now"})"};
  };
  const std::string file = file_of("report.xml", 100);
  EXPECT_EQ(run({"reports", "import", file}), 1);
  EXPECT_THAT(err.str(), HasSubstr(file + ": not imported"));
}

}  // namespace
}  // namespace todoku::cli
