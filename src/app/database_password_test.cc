// SPDX-License-Identifier: Apache-2.0
// Where the password of the database comes from, and what is said when it does not come.
#include "app/database_password.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "support/installation.h"

namespace todoku::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DatabasePasswordTest : public ::testing::Test {
 protected:
  std::string file(const std::string& text, std::filesystem::perms mode = kPrivate) {
    const std::string path = folder_ / "password";
    std::ofstream(path, std::ios::binary) << text;
    std::filesystem::permissions(path, mode);
    return path;
  }
  static config::Config::Postgres file_at(const std::string& path) {
    config::Config::Postgres from;
    from.password_file = path;
    return from;
  }
  static Result<std::string> by_file(const std::string& path) {
    return database_password(file_at(path))();
  }
  static Result<std::string> by_command(const std::string& line) {
    config::Config::Postgres from;
    from.password_command = line;
    return database_password(from)();
  }

  static constexpr auto kPrivate =
      std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
  TestFolder folder_;
};

TEST_F(DatabasePasswordTest, IsReadAnewFromItsFile) {
  const auto password = database_password(file_at(file("first\n")));
  EXPECT_EQ(password().value(), "first");
  file("second pass word \r\n");
  EXPECT_EQ(password().value(), "second pass word ");
  EXPECT_TRUE(check_password_source(file_at(folder_ / "password")));
}

TEST_F(DatabasePasswordTest, AFileThatCannotBeRightIsNamed) {
  const auto missing = by_file(folder_ / "none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::unavailable) << "there may be one later";
  EXPECT_THAT(missing.error().detail, HasSubstr(folder_ / "none"));
  EXPECT_THAT(
      by_file(file("x", std::filesystem::perms::owner_read | std::filesystem::perms::others_read))
          .error()
          .detail,
      HasSubstr("chmod 600"));
  EXPECT_THAT(by_file(folder_ / "").error().detail, HasSubstr("is no file"));
  EXPECT_THAT(by_file(file("\n")).error().detail, HasSubstr("is empty"));
  EXPECT_THAT(by_file(file(std::string(20'000, 'x'))).error().detail, HasSubstr("is too long"));
  EXPECT_THAT(by_file(file(std::string("hush\0hush", 9))).error().detail, Not(HasSubstr("hush")));
}

TEST_F(DatabasePasswordTest, ACommandPrintsIt) {
  EXPECT_EQ(by_command("printf 'token one\\n'").value(), "token one");
  EXPECT_EQ(by_command("echo token; exec >&-; true").value(), "token");
  EXPECT_THAT(by_command("echo hush; exit 3").error().detail, HasSubstr("its exit status is 3"));
  EXPECT_THAT(by_command("echo hush; exit 3").error().detail, Not(HasSubstr("hush")));
  EXPECT_THAT(by_command("kill -9 $$").error().detail, HasSubstr("a signal ended it"));
  EXPECT_THAT(by_command("yes").error().detail, HasSubstr("prints too much"));
  EXPECT_THAT(by_command("true").error().detail, HasSubstr("is empty"));
  EXPECT_EQ(by_command("/nowhere/at/all").error().kind, ErrorKind::unavailable);
}

TEST_F(DatabasePasswordTest, MayBeGivenOrBeNone) {
  config::Config::Postgres from;
  EXPECT_FALSE(database_password(from));
  from.password = "given";
  EXPECT_EQ(database_password(from)().value(), "given");
}

}  // namespace
}  // namespace todoku::app
