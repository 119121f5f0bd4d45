// SPDX-License-Identifier: Apache-2.0
// Files by name in a folder where something else may stand in their places; the archives of what
// was wrong with lists, and the CSV that earlier versions have kept.
#include "intake/uploads.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zip.h>

#include "intake/error_files.h"

namespace todoku::intake {
namespace {

namespace fs = std::filesystem;

constexpr store::AccountKey kAccount{3};
constexpr store::PublicId kJob = 7;
constexpr std::string_view kEarlierName = "import-3-7.errors.csv";

class FolderUploadsTest : public ::testing::Test {
 protected:
  FolderUploadsTest() {
    std::string pattern = (fs::temp_directory_path() / "todoku-uploads-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
    uploads_ = std::make_unique<FolderUploads>(folder_);
  }
  ~FolderUploadsTest() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  void put(std::string_view name, std::string_view content) const {
    std::ofstream(folder_ / name) << content;
  }
  [[nodiscard]] ErrorKind refusal_to_open(std::string_view name) const {
    const auto opened = uploads_->open(name);
    if (opened) throw std::runtime_error("it was opened");
    EXPECT_NE(opened.error().detail.find(name), std::string::npos) << opened.error().detail;
    return opened.error().kind;
  }
  static std::string all_of(Uploads::Reader& reader) {
    std::string all;
    std::array<char, 5> piece;
    while (const auto got = reader.read(piece).value()) all.append(piece.data(), got);
    EXPECT_EQ(all.size(), reader.size());
    return all;
  }
  // The one file in an archive: its name, a line break, its octets.
  static std::string unzipped(const std::string& archive) {
    zip_source_t* source = zip_source_buffer_create(archive.data(), archive.size(), 0, nullptr);
    zip_t* opened = zip_open_from_source(source, ZIP_CHECKCONS, nullptr);
    if (opened == nullptr) return "no archive";
    EXPECT_EQ(zip_get_num_entries(opened, 0), 1);
    zip_stat_t facts;
    zip_stat_index(opened, 0, 0, &facts);
    std::string octets(facts.size, '\0');
    zip_file_t* file = zip_fopen_index(opened, 0, 0);
    EXPECT_EQ(zip_fread(file, octets.data(), octets.size()),
              static_cast<zip_int64_t>(octets.size()));
    zip_fclose(file);
    std::string name = facts.name;
    zip_discard(opened);
    return name + "\n" + octets;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  fs::path folder_;
  std::unique_ptr<FolderUploads> uploads_;
};

TEST_F(FolderUploadsTest, WhatIsNoFileIsNotOpened) {
  put("outside", "secret");
  fs::create_symlink(folder_ / "outside", folder_ / "link");
  EXPECT_EQ(refusal_to_open("link"), ErrorKind::corrupt) << "a link is not followed";
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(refusal_to_open("pipe"), ErrorKind::corrupt) << "and a pipe not waited at";
  fs::create_directory(folder_ / "folder");
  EXPECT_EQ(refusal_to_open("folder"), ErrorKind::corrupt);
  EXPECT_EQ(refusal_to_open("nothing"), ErrorKind::not_found);
  EXPECT_EQ(all_of(*uploads_->open("outside").value()), "secret");
}

TEST_F(FolderUploadsTest, WhatIsKeptTakesThePlaceOfALinkAndIsTheOwnersOnly) {
  put("outside", "whole");
  for (const char* name : {"new", "new.part"}) {
    fs::create_symlink(folder_ / "outside", folder_ / name);
  }
  const auto writer = uploads_->create("new");
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->write("content"));
  ASSERT_TRUE((*writer)->keep());
  EXPECT_EQ(all_of(*uploads_->open("new").value()), "content");
  EXPECT_EQ(all_of(*uploads_->open("outside").value()), "whole");
  EXPECT_EQ(fs::symlink_status(folder_ / "new").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(FolderUploadsTest, OfSeveralWritersNoneSeesTheOthers) {
  const auto first = uploads_->create("import-1.upload");
  const auto second = uploads_->create("import-1.upload");
  ASSERT_TRUE(first && second);
  ASSERT_TRUE((*first)->write("first"));
  ASSERT_TRUE((*second)->write("second"));
  ASSERT_TRUE((*first)->keep());
  EXPECT_EQ(all_of(*uploads_->open("import-1.upload").value()), "first");
  ASSERT_TRUE((*second)->keep());
  EXPECT_EQ(all_of(*uploads_->open("import-1.upload").value()), "second");
}

TEST_F(FolderUploadsTest, WhatWasBegunAndNeverKeptIsSwept) {
  auto writer = uploads_->create("import-1.upload");
  ASSERT_TRUE(writer);
  put("import-2.upload.part", "of an earlier version");
  put("import-notes.part", "of somebody else");
  EXPECT_EQ(uploads_->sweep([](std::string_view) { return true; }), Result<std::size_t>(2U));
  EXPECT_EQ(names(), std::vector<std::string>{"import-notes.part"});
}

TEST_F(FolderUploadsTest, WhatCouldNotBeKeptIsGone) {
  static int calls = 0;
  for (const int failing : {1, 2}) {  // of the file, of its folder
    calls = 0;
    FolderUploads uploads(folder_, [](int) { return ++calls == 2 ? -1 : 0; });
    if (failing == 1) ++calls;
    auto writer = uploads.create(upload_name("x"));
    ASSERT_TRUE(writer && (*writer)->write("email\n"));
    EXPECT_FALSE((*writer)->keep());
    writer->reset();
    EXPECT_TRUE(fs::is_empty(folder_)) << failing;
  }
}

TEST_F(FolderUploadsTest, WhatWasWrongIsKeptAsAnArchive) {
  const std::vector<std::string> csv{"first,", "second\r\n"};
  ASSERT_TRUE(keep_errors(*uploads_, kAccount, kJob, csv));
  const std::string name = errors_name(kAccount, kJob);
  const auto opened = open_errors(*uploads_, name);
  ASSERT_TRUE(opened);
  EXPECT_EQ(unzipped(all_of(**opened)), "import_errors_7.csv\nfirst,second\r\n");
  remove_errors(*uploads_, name);
  EXPECT_EQ(open_errors(*uploads_, name).error().kind, ErrorKind::not_found);
  EXPECT_EQ(names(), std::vector<std::string>{});
}

TEST_F(FolderUploadsTest, TheCsvOfAnEarlierVersionBecomesAnArchiveOnce) {
  put(kEarlierName, "first,second\r\n");
  for (int i = 0; i < 2; ++i) {
    const auto opened = open_errors(*uploads_, kEarlierName);
    ASSERT_TRUE(opened);
    EXPECT_EQ(unzipped(all_of(**opened)), "import_errors_7.csv\nfirst,second\r\n");
    EXPECT_EQ(names(), std::vector{errors_name(kAccount, kJob)});
  }
  remove_errors(*uploads_, kEarlierName);
  EXPECT_EQ(names(), std::vector<std::string>{});
  EXPECT_EQ(open_errors(*uploads_, kEarlierName).error().kind, ErrorKind::not_found);
}

TEST_F(FolderUploadsTest, NamesSayWhoseErrorsTheyAre) {
  for (const std::string& name : {errors_name(kAccount, kJob), std::string(kEarlierName)}) {
    const auto of = errors_named(name);
    ASSERT_TRUE(of) << name;
    EXPECT_EQ(of->account, kAccount);
    EXPECT_EQ(of->job, kJob);
  }
  for (const std::string_view other :
       {"import-3-7.errors.", "import-3-7errors.csv", "import-3-7.errors.csv.part",
        "import-3-.errors.csv", "import-3.errors.zip", "import-3-7.upload"}) {
    EXPECT_FALSE(errors_named(other)) << other;
  }
}

}  // namespace
}  // namespace todoku::intake
