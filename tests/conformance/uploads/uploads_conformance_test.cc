// SPDX-License-Identifier: Apache-2.0
// The conformance suite of intake/uploads.h: in a folder, and in a store.
#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "intake/stored_uploads.h"
#include "intake/uploads.h"
#include "store/postgres/postgres_store.h"
#include "support/postgres/server.h"

namespace todoku::intake {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = store::kUploadPieceOctets;

class Place {
 public:
  virtual ~Place() = default;
  virtual Uploads& uploads() = 0;
  // As another process finds it.
  virtual Uploads& elsewhere() = 0;
};

class Folder final : public Place {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "todoku-uploads-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
    one_ = std::make_unique<FolderUploads>(path_);
    two_ = std::make_unique<FolderUploads>(path_);
  }
  ~Folder() override {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  Uploads& uploads() override { return *one_; }
  Uploads& elsewhere() override { return *two_; }

 private:
  fs::path path_;
  std::unique_ptr<FolderUploads> one_;
  std::unique_ptr<FolderUploads> two_;
};

class InStore final : public Place {
 public:
  InStore() : one_(database_), two_(database_) {}
  Uploads& uploads() override { return one_.uploads; }
  Uploads& elsewhere() override { return two_.uploads; }

 private:
  struct Process {
    explicit Process(const PostgresDatabase& database) : store(open(database)) {}
    static std::unique_ptr<store::PostgresStore> open(const PostgresDatabase& database) {
      auto opened =
          store::PostgresStore::open({.dial = {.address = database.address(), .password = {}}});
      if (!opened) throw std::runtime_error(opened.error().detail);
      return std::move(*opened);
    }
    const std::unique_ptr<store::PostgresStore> store;
    StoredUploads uploads{*store, [] { return store::NodeKey{1}; }};
  };
  PostgresDatabase database_;
  Process one_;
  Process two_;
};

using Make = std::function<std::unique_ptr<Place>()>;

class UploadsSuite : public testing::TestWithParam<Make> {
 protected:
  void SetUp() override { place_ = GetParam()(); }

  // Octets that are another sequence wherever one begins.
  static std::string octets(std::size_t size) {
    std::string made;
    for (int i = 0; made.size() < size; ++i) made += sha256_hex(std::to_string(i));
    made.resize(size);
    return made;
  }
  // In steps of `step`.
  void put(std::string_view name, std::string_view all, std::size_t step = 100'000) {
    auto writer = uploads().create(name);
    ASSERT_TRUE(writer) << writer.error().detail;
    for (; !all.empty(); all.remove_prefix(std::min(step, all.size()))) {
      const auto written = (*writer)->write(all.substr(0, step));
      ASSERT_TRUE(written) << written.error().detail;
    }
    const auto kept = (*writer)->keep();
    ASSERT_TRUE(kept) << kept.error().detail;
  }
  static std::string all_of(Uploads& uploads, std::string_view name, std::size_t step = 70'001) {
    const auto reader = uploads.open(name);
    if (!reader) return "cannot be opened: " + reader.error().detail;
    std::string all;
    std::string into(step, '\0');
    while (true) {
      const auto got = (*reader)->read(into);
      if (!got) return "cannot be read: " + got.error().detail;
      if (*got == 0) break;
      all.append(into, 0, *got);
    }
    EXPECT_EQ((*reader)->size(), all.size());
    return all;
  }
  ErrorKind refusal(std::string_view name) {
    const auto opened = place_->elsewhere().open(name);
    if (opened) throw std::runtime_error("it was opened");
    EXPECT_NE(opened.error().detail.find(name), std::string::npos) << opened.error().detail;
    return opened.error().kind;
  }
  Uploads& uploads() { return place_->uploads(); }

  const std::string name_ = upload_name("abc");
  std::unique_ptr<Place> place_;
};

TEST_P(UploadsSuite, WhatIsKeptIsFoundWholeByEverybody) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kPiece - 1, kPiece, kPiece + 1,
                                 3 * kPiece, 3 * kPiece + 17}) {
    const std::string all = octets(size);
    put(name_, all);
    EXPECT_TRUE(all_of(place_->elsewhere(), name_) == all) << size;
  }
  const std::string all = octets(2 * kPiece + 5);
  put(name_, all, 1'000'000);
  EXPECT_TRUE(all_of(uploads(), name_, 1'000'000) == all) << "all at once";
}

TEST_P(UploadsSuite, NobodySeesWhatIsNotKept) {
  {
    auto writer = uploads().create(name_);
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->write(octets(2 * kPiece)));
    EXPECT_EQ(refusal(name_), ErrorKind::not_found);
  }
  EXPECT_EQ(refusal(name_), ErrorKind::not_found);
}

TEST_P(UploadsSuite, OfSeveralTheOneKeptLastHasTheName) {
  auto first = uploads().create(name_);
  auto second = place_->elsewhere().create(name_);
  ASSERT_TRUE(first && second);
  ASSERT_TRUE((*first)->write("first"));
  ASSERT_TRUE((*second)->write("second"));
  ASSERT_TRUE((*second)->keep());
  EXPECT_EQ(all_of(uploads(), name_), "second");
  ASSERT_TRUE((*first)->keep());
  EXPECT_EQ(all_of(place_->elsewhere(), name_), "first");
}

TEST_P(UploadsSuite, WhatIsRemovedIsGone) {
  place_->elsewhere().remove(name_);
  put(name_, "a");
  place_->elsewhere().remove(name_);
  EXPECT_EQ(refusal(name_), ErrorKind::not_found);
}

INSTANTIATE_TEST_SUITE_P(Folder, UploadsSuite,
                         testing::Values(Make([] { return std::make_unique<Folder>(); })),
                         [](const auto&) { return "uploads"; });
INSTANTIATE_TEST_SUITE_P(InStore, UploadsSuite,
                         testing::Values(Make([] { return std::make_unique<InStore>(); })),
                         [](const auto&) { return "uploads"; });

}  // namespace
}  // namespace todoku::intake
