// SPDX-License-Identifier: Apache-2.0
#include "app/vault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "config/files.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

using testing::HasSubstr;

struct VaultTest : testing::Test {
  TestStore installation;
  const std::string key_file = installation.folder / "master.key";

  Result<SecretBox> open(const std::string& from_environment = "") {
    return open_vault({.master_key_file = key_file, .master_key = from_environment},
                      *installation.store);
  }
};

TEST_F(VaultTest, MakesAPrivateKeyFileOnTheFirstStart) {
  const auto box = open();
  ASSERT_TRUE(box) << box.error().detail;
  struct stat facts{};
  ASSERT_EQ(::stat(key_file.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_TRUE(MasterKey::parse(*config::read_file(key_file)));
}

TEST_F(VaultTest, OpensWhatItSealedAfterARestart) {
  const std::string sealed = open()->seal("secret", "context");
  installation.reopen();
  const auto box = open();
  ASSERT_TRUE(box);
  EXPECT_EQ(*box->open(sealed, "context"), "secret");
}

TEST_F(VaultTest, RefusesAnotherKey) {
  ASSERT_TRUE(open());
  std::filesystem::remove(key_file);
  ASSERT_TRUE(config::create_private_file(key_file, MasterKey::generate().to_base64()));
  const auto box = open();
  ASSERT_FALSE(box);
  EXPECT_EQ(box.error().kind, ErrorKind::unauthorized);
  EXPECT_THAT(box.error().detail, HasSubstr("is not the one that this data was written with"));
}

TEST_F(VaultTest, RefusesToMakeANewKeyForOldData) {
  ASSERT_TRUE(open());
  std::filesystem::remove(key_file);
  const auto box = open();
  ASSERT_FALSE(box);
  EXPECT_THAT(box.error().detail, HasSubstr("put your copy of it at " + key_file));
  EXPECT_FALSE(std::filesystem::exists(key_file));
}

TEST_F(VaultTest, RefusesAFileThatOthersCanRead) {
  ASSERT_TRUE(open());
  ASSERT_EQ(::chmod(key_file.c_str(), 0640), 0);
  const auto box = open();
  ASSERT_FALSE(box);
  EXPECT_THAT(box.error().detail, HasSubstr("chmod 600 " + key_file));
}

TEST_F(VaultTest, RefusesWhatIsNoFile) {
  ASSERT_EQ(::mkfifo(key_file.c_str(), 0600), 0);
  const auto box = open();
  ASSERT_FALSE(box);
  EXPECT_THAT(box.error().detail, HasSubstr(key_file + " is no file"));
}

TEST_F(VaultTest, TakesTheKeyOfTheEnvironmentFirst) {
  const std::string key(MasterKey::generate().to_base64().view());
  ASSERT_TRUE(open(key));
  EXPECT_FALSE(std::filesystem::exists(key_file)) << "no file is made beside it";
  EXPECT_TRUE(open(key));
  const auto wrong = open(std::string(MasterKey::generate().to_base64().view()));
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().detail, HasSubstr("TODOKU_MASTER_KEY"));
  const auto nonsense = open("nonsense");
  ASSERT_FALSE(nonsense);
  EXPECT_THAT(nonsense.error().detail, testing::Not(HasSubstr("nonsense")));
}

TEST_F(VaultTest, KeepsTheInstanceSecretForLife) {
  const auto box = open();
  ASSERT_TRUE(box);
  const auto first = instance_secret(*box, *installation.store);
  ASSERT_TRUE(first);
  EXPECT_NE(*first, InstanceSecret{});
  installation.reopen();
  EXPECT_EQ(*instance_secret(*open(), *installation.store), *first);
}

}  // namespace
}  // namespace todoku::app
