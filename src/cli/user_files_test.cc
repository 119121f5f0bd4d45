// SPDX-License-Identifier: Apache-2.0
// Files that the user names, as commands take them.
#include "cli/user_files.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cli/fake_api.h"

namespace todoku::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class UserFilesTest : public SenderTest {
 protected:
  static std::string text_in(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  int follow_from(const std::string& cursor) {
    host.patience = 0;
    return run({"events", "--follow", "--cursor-file", cursor});
  }
};

TEST_F(UserFilesTest, ACursorThatCannotBeReadIsNotTheLatest) {
  answer({answered(200, R"({"data":[],"next_cursor":"9","has_more":false})")});
  for (const std::string& broken :
       {write("empty", ""), write("blank", " \n"), write("two", "1 2\n"), write("nul", "\x01"),
        write("long", std::string(300, '1')), folder.string(), write("file", "1") + "/below"}) {
    EXPECT_EQ(follow_from(broken), 2) << broken;
    EXPECT_THAT(err.str(), HasSubstr(broken));
    EXPECT_TRUE(host.requests.empty()) << broken;
  }
  EXPECT_EQ(text_in((folder / "empty").string()), "") << "it is left as it is";
  const std::string none = (folder / "none").string();
  host.stream_answer = [this](const ApiStream& stream) -> Result<ApiAnswer> {
    EXPECT_EQ(stream.last_event_id, "") << "from now on";
    EXPECT_TRUE(stream.take("id: 9\n\n"));
    host.patience = 0;
    (void)host.wait(std::chrono::milliseconds(1));
    return fail(ErrorKind::cancelled, "the user wants an end");
  };
  EXPECT_EQ(follow_from(none), 0) << err.str();
  EXPECT_EQ(text_in(none), "9\n") << "the place of what comes next";
  host.patience = 1'000;
  EXPECT_EQ(run({"events", "--cursor", "3", "--cursor-file", (folder / "empty").string()}), 0)
      << "what is named needs no file" << err.str();
}

TEST_F(UserFilesTest, AFileIsReplacedWhole) {
  const std::string path = write("f", "old");
  ASSERT_TRUE(replace_file(path, "new", FileFor::its_user));
  EXPECT_EQ(text_in(path), "new");
  struct stat facts{};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_FALSE(replace_file((folder / "no" / "f").string(), "new", FileFor::its_user));
  std::filesystem::create_directory(folder / "d");
  EXPECT_FALSE(replace_file((folder / "d").string(), "new", FileFor::its_user));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 2)
      << "nothing is left behind";
}

TEST_F(UserFilesTest, OnlyAKeyThatIsGivenIsKept) {
  host.variables = {{"TODOKU_API_KEY", "of-another-api"}};
  ASSERT_EQ(run({"profile", "set", "--url", "https://a.example", "--account", "shop"}), 0);
  EXPECT_THAT(text_in(host.profiles), Not(HasSubstr("of-another-api")));
  EXPECT_THAT(out.str(), HasSubstr("It has no key yet"));
  ASSERT_EQ(run({"profile", "set", "--key-file", write("key", "k1\n")}), 0);
  ASSERT_EQ(run({"profile", "set", "--ca", "/ca.pem"}), 0);
  EXPECT_THAT(text_in(host.profiles), HasSubstr("key = \"k1\""));
  ASSERT_EQ(run({"profile", "set", "--url", "https://b.example"}), 0);
  EXPECT_THAT(text_in(host.profiles), Not(HasSubstr("key")));
}

TEST_F(UserFilesTest, SecretsAreReadWholeOrNotAtAll) {
  answer({answered(200, R"({"data":[]})")});
  host.its_input.str("from-input\n");
  EXPECT_EQ(run({"deliveries", "--key-file", "-"}), 0) << err.str();
  EXPECT_EQ(host.its_address.key, "from-input");
  const std::string longer(5'000, 'k');
  EXPECT_EQ(run({"deliveries", "--key-file", write("longer", longer + "\r\n")}), 0);
  EXPECT_EQ(host.its_address.key, longer);
  for (const std::string& bad :
       {write("empty", ""), write("blank", " \n"), write("large", std::string(17'000, 'k')),
        (folder / "none").string(), folder.string()}) {
    EXPECT_EQ(run({"deliveries", "--key-file", bad}), 2) << bad;
    EXPECT_THAT(err.str(), HasSubstr(bad));
    EXPECT_EQ(run({"profile", "set", "--key-file", bad}), 2) << bad;
    EXPECT_EQ(run({"smtp-credential", "add", "shop", "relay", "--password-file", bad}), 1) << bad;
    EXPECT_THAT(err.str(), HasSubstr(bad));
    EXPECT_EQ(run({"dkim", "import", "--account", "shop", "--domain", "a.jp", "--selector", "s",
                   "--pem", bad}),
              1)
        << bad;
    EXPECT_THAT(err.str(), HasSubstr(bad));
  }
  EXPECT_TRUE(host.asked.empty());
  host.its_input = std::istringstream(" a password \n");
  EXPECT_EQ(run({"smtp-credential", "add", "shop", "relay", "--password-stdin"}), 0);
  EXPECT_THAT(host.asked.at(0).body, HasSubstr("\" a password \"")) << "blanks are part of one";
}

}  // namespace
}  // namespace todoku::cli
