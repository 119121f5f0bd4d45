// SPDX-License-Identifier: Apache-2.0
#include "operate/cluster_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::operate {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const ClusterNames kProduction{"production", "db.example.jp:5432/todoku", "sqs ap-northeast-1 - p"};

TEST(ClusterNames, AreReadAsTheyWereWritten) {
  for (const ClusterNames& names : {kProduction, ClusterNames{}, ClusterNames{"a b", "", "q"}}) {
    EXPECT_EQ(parse_cluster_names(to_text(names)), names);
  }
  for (const char* text :
       {"", "cluster x", "cluster \ndatabase \n", "database \ncluster \nqueue \n",
        "cluster \ndatabase \nqueue \nmore\n", "cluster \ndatabase \nqueue \nfile x\nmore\n"}) {
    EXPECT_EQ(parse_cluster_names(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_cluster_names(to_text({"two\nlines", "", ""}))->cluster, "two lines");
}

TEST(ClusterNames, EachOtherNameIsTold) {
  EXPECT_THAT(other_names({}, kProduction, {}), IsEmpty()) << "it was never served";
  EXPECT_THAT(other_names(kProduction, kProduction, {}), IsEmpty());
  ClusterNames here = kProduction;
  here.cluster = "";
  EXPECT_THAT(other_names(kProduction, here, {}), SizeIs(1)) << "no name is another one";
  here.database = "copy.example.jp:5432/todoku";
  here.queue = "sqs ap-northeast-1 - staging";
  const auto others = other_names(kProduction, here, {});
  ASSERT_THAT(others, SizeIs(3));
  EXPECT_THAT(to_sentence(others, Language::english),
              HasSubstr("named \"production\" in the store and \"\" here (cluster.name); the store "
                        "was served as db.example.jp:5432/todoku and is reached here as copy."));
  EXPECT_THAT(to_sentence(others, Language::japanese), HasSubstr("キューは"));
}

TEST(ClusterNames, ADatabaseOrAQueueThatIsNewIsNoOtherOne) {
  ClusterNames file = kProduction;
  file.database.clear();
  file.queue.clear();
  EXPECT_THAT(other_names(file, kProduction, {}), IsEmpty());
  EXPECT_THAT(other_names(kProduction, file, {}), IsEmpty());
  EXPECT_EQ(merged_names(kProduction, file), kProduction) << "what it was stays known";
  EXPECT_EQ(merged_names(file, kProduction), kProduction);
  EXPECT_EQ(merged_names({}, file), file);
}

// Whoever copies a backup over the file has the same file.
TEST(ClusterNames, AnOlderStoreIsTold) {
  ClusterNames stored{"production", "", "", "made 1", 873};
  ClusterNames here{"production", "", "", "made 1", 873};
  EXPECT_THAT(other_names(stored, here, {}), IsEmpty());
  stored.age = 900;
  EXPECT_THAT(other_names(stored, here, {}), IsEmpty()) << "a crash before the folder said so";
  here.age = 0;
  EXPECT_THAT(other_names(stored, here, {}), IsEmpty()) << "a folder that says nothing";
  stored.age = 872;
  here.age = 873;
  const auto others = other_names(stored, here, {});
  ASSERT_THAT(others, SizeIs(1));
  EXPECT_EQ(others[0].what, OtherName::What::age);
  EXPECT_THAT(to_sentence(others, Language::english), HasSubstr("age 872, and 873 beside it"));
  EXPECT_THAT(to_sentence(others, Language::japanese), HasSubstr("バックアップ"));
  for (const char* text : {"", "-1", "1 ", "x", "18446744073709551616"}) {
    EXPECT_EQ(parse_age(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_age("18446744073709551615"), ~std::uint64_t{0});
}

// Whoever copies a folder, or restores a backup, has another file.
TEST(ClusterNames, AnotherFileIsTold) {
  const ClusterNames served{"production", "", "", "made 1"};
  EXPECT_EQ(parse_cluster_names(to_text(served)), served);
  const ClusterNames copy{"production", "", "", "made 2"};
  const auto others = other_names(served, copy, {});
  ASSERT_THAT(others, SizeIs(1));
  EXPECT_THAT(to_sentence(others, Language::english), HasSubstr("made 1"));
  EXPECT_THAT(to_sentence(others, Language::japanese), HasSubstr("made 2"));
  EXPECT_EQ(merged_names(served, copy), copy) << "as after an adoption";
  const ClusterNames unknown{"production", "", ""};
  EXPECT_THAT(other_names(served, unknown, {}), IsEmpty()) << "a file system that does not say";
  EXPECT_THAT(other_names(unknown, copy, {}), IsEmpty()) << "served by a version that did not ask";
  EXPECT_EQ(merged_names(served, unknown), served);
  const ClusterNames carried{"production", "db.example.jp:5432/todoku", ""};
  EXPECT_THAT(other_names(served, carried, {}), IsEmpty());
  EXPECT_EQ(merged_names(served, carried), carried) << "no file any more";
}

// The journal is written before the store says so, and outlives it.
TEST(ClusterNames, ACopyThatIsBehindTheJournalIsTold) {
  ClusterNames stored{"production", "", ""};
  stored.journal = 40;
  stored.journal_place = 1'000;
  stored.journal_store = "one";
  ClusterNames here{"production", "", ""};
  EXPECT_THAT(other_names(stored, here, {}), IsEmpty()) << "there is none any more";
  here.journal = 40;
  here.journal_place = 1'000;
  here.journal_store = "one";
  EXPECT_THAT(other_names(stored, here, {}), IsEmpty());
  here.journal = 41;
  EXPECT_THAT(other_names(stored, here, {}), IsEmpty()) << "a crash before the store said so";
  here.journal_place = 1'001;
  EXPECT_TRUE(is_behind_journal(other_names(stored, here, {})))
      << "it tells of what this store never committed";
  here.journal = 42;
  here.journal_place = 1'000;
  const auto others = other_names(stored, here, {});
  ASSERT_THAT(others, SizeIs(1));
  EXPECT_THAT(held_sentence(others, Language::english), HasSubstr("record 40, and 42 outside"));
  EXPECT_THAT(held_sentence(others, Language::english), HasSubstr("`todoku restore fold`"));
  EXPECT_THAT(held_sentence(others, Language::japanese), HasSubstr("ジャーナル"));
  EXPECT_THAT(way_out(other_names({}, here, "x")), "todoku cluster adopt");
  here.journal = 40;
  stored.folding = true;
  EXPECT_TRUE(is_behind_journal(other_names(stored, here, {}))) << "until it is released";
  here.journal_store = "two";
  const auto foreign = other_names(stored, here, {});
  ASSERT_THAT(foreign, SizeIs(1));
  EXPECT_EQ(foreign[0].what, OtherName::What::other_journal);
  EXPECT_THAT(to_sentence(foreign, Language::english), HasSubstr("folder of its own"));
}

TEST(ClusterNames, WhatWasCarriedAwayIsServedByNobody) {
  const auto others = other_names(kProduction, kProduction, "the database todoku");
  ASSERT_THAT(others, SizeIs(1));
  EXPECT_THAT(to_sentence(others, Language::english),
              HasSubstr("carried from this store to the database todoku"));
  EXPECT_THAT(other_names({}, kProduction, "x"), SizeIs(1));
}

}  // namespace
}  // namespace todoku::operate
