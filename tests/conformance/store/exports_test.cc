// SPDX-License-Identifier: Apache-2.0
// Jobs that write files of an account's: one node makes each, and it ends once.
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::SizeIs;

TEST_P(StoreSuite, AnExportIsTakenByOneNodeAndEndsOnce) {
  const Account acme = account();
  const NewExport wanted{.account = acme.key,
                         .kind = ExportKind::error_list,
                         .parameters = R"({"email":"a@example.jp"})",
                         .language = Language::japanese};
  const ExportJob job = must(write([&](WriteTransaction& t) { return t.create_export(wanted); }));
  EXPECT_EQ(job.status, ExportStatus::running);
  EXPECT_EQ(job.parameters, wanted.parameters);
  EXPECT_EQ(job.language, Language::japanese);
  const auto running = [&](NodeKey node) {
    return must(read([&](ReadTransaction& t) { return t.running_exports(node, 10); })).size();
  };
  EXPECT_EQ(running(me_), 1U);
  must(write([&](WriteTransaction& t) { return t.take_export(acme.key, job.id, me_); }));
  EXPECT_EQ(running(me_), 1U);
  EXPECT_EQ(running(other_), 0U) << "its node lives";
  EXPECT_EQ(
      error_of(write([&](WriteTransaction& t) { return t.take_export(acme.key, job.id, other_); })),
      "conflict");
  bury(me_);
  EXPECT_EQ(running(other_), 1U);
  must(write([&](WriteTransaction& t) { return t.take_export(acme.key, job.id, other_); }));
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.end_export(acme.key, job.id, me_, {.file = "f"});
            })),
            "conflict");
  must(write([&](WriteTransaction& t) { return t.tell_export(acme.key, job.id, other_, 40); }));
  const auto told = [&] {
    return must(read([&](ReadTransaction& t) {
      return t.export_job(acme.key, ExportKind::error_list, job.id);
    }));
  };
  EXPECT_EQ(told().percentage, 40);
  must(write([&](WriteTransaction& t) {
    return t.end_export(acme.key, job.id, other_, {.total = 7, .file = "export-1.zip"});
  }));
  EXPECT_EQ(told().status, ExportStatus::finished);
  EXPECT_EQ(told().percentage, 100);
  EXPECT_EQ(told().total, 7);
  EXPECT_EQ(told().file, "export-1.zip");
  EXPECT_EQ(told().ended, now());
  EXPECT_EQ(running(other_), 0U);
}

TEST_P(StoreSuite, AJobIsItsAccountsAndOfItsKind) {
  const Account acme = account();
  const Account other = account("other");
  const ExportJob job = must(write([&](WriteTransaction& t) {
    return t.create_export({.account = acme.key, .kind = ExportKind::error_list, .parameters = ""});
  }));
  const auto seen = [&](AccountKey owner, ExportKind kind) {
    return error_of(read([&](ReadTransaction& t) { return t.export_job(owner, kind, job.id); }));
  };
  EXPECT_EQ(seen(acme.key, ExportKind::error_list), "none");
  EXPECT_EQ(seen(acme.key, ExportKind::open_report), "not_found");
  EXPECT_EQ(seen(other.key, ExportKind::error_list), "not_found");
}

TEST_P(StoreSuite, WhatEndedLongAgoIsToldAndDropped) {
  const Account acme = account();
  const auto begun = [&] {
    const ExportJob job = must(write([&](WriteTransaction& t) {
      return t.create_export(
          {.account = acme.key, .kind = ExportKind::error_list, .parameters = ""});
    }));
    must(write([&](WriteTransaction& t) { return t.take_export(acme.key, job.id, me_); }));
    return job.id;
  };
  const PublicId old = begun();
  must(write([&](WriteTransaction& t) {
    return t.end_export(acme.key, old, me_, {.status = ExportStatus::failed});
  }));
  clock_.advance(std::chrono::hours(24));
  const PublicId running = begun();
  const auto ended =
      must(read([&](ReadTransaction& t) { return t.ended_exports(after(-3600), 10); }));
  ASSERT_THAT(ended, SizeIs(1));
  EXPECT_EQ(ended[0].id, old);
  must(write([&](WriteTransaction& t) -> Result<void> {
    auto done = t.drop_export(acme.key, old);
    return done ? t.drop_export(acme.key, running) : done;
  }));
  const auto error = [&](PublicId id) {
    return error_of(read(
        [&](ReadTransaction& t) { return t.export_job(acme.key, ExportKind::error_list, id); }));
  };
  EXPECT_EQ(error(old), "not_found");
  EXPECT_EQ(error(running), "none") << "it has not ended";
}

TEST_P(StoreSuite, AnAccountHasABoundedNumberOfExportsAtOnce) {
  const Account acme = account();
  const auto begin = [&] {
    return error_of(write([&](WriteTransaction& t) {
      return t.create_export(
          {.account = acme.key, .kind = ExportKind::error_list, .parameters = ""});
    }));
  };
  for (std::int64_t i = 0; i < kExportsOfAccountMax; ++i) EXPECT_EQ(begin(), "none");
  EXPECT_EQ(begin(), "limit_exceeded");
}

}  // namespace
}  // namespace todoku::store
