// SPDX-License-Identifier: Apache-2.0
// Imports that have to wait: for those before them, and for a store that does not answer.
#include "intake/importer.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/test_handover.h"
#include "support/failing_store.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr store::NodeKey kNode{1};

class ImporterTest : public ::testing::Test {
 protected:
  // An import of `rows` recipients that the API has accepted.
  store::ImportJob accept(int number, int rows, bool immediate = false,
                          store::NodeKey node = kNode) {
    std::string list = "email\n";
    for (int i = 0; i < rows; ++i) list += fmt::format("r{}@example.jp\n", i);
    return accept(list, {.immediate = immediate, .upload = upload_of(number)}, "acme", node);
  }
  [[nodiscard]] static std::string upload_of(int number) {
    return intake::upload_name(std::to_string(number));
  }
  [[nodiscard]] std::filesystem::path file(std::string_view name) const {
    return installation_.folder / std::string(name).c_str();
  }
  void put(std::string_view name, std::string_view content = "x") const {
    std::ofstream(file(name)) << content;
  }
  store::ImportJob accept(std::string_view list, const store::NewImport& import,
                          std::string_view name = "acme", store::NodeKey node = kNode) {
    put(import.upload, list);
    auto job = installation_.store->write_and_wait(
        store::WritePriority::accept, [&](store::WriteTransaction& t) -> Result<store::ImportJob> {
          auto account = t.read().account_by_name(name);
          if (!account) account = t.create_account(std::string(name));
          if (!account) return fail(account.error());
          store::NewDelivery delivery;
          delivery.account = account->key;
          delivery.type = DeliveryType::bulk;
          delivery.traffic = TrafficClass::bulk;
          const auto draft = t.create_draft(delivery, 1'000'000);
          if (!draft) return fail(draft.error());
          return t.create_import(draft->key, import, node);
        });
    if (!job) throw std::runtime_error(job.error().detail);
    return *job;
  }
  store::ImportJob await_end(const store::ImportJob& job) {
    for (;;) {
      const auto found = installation_.store->read_and_wait(
          [&](store::ReadTransaction& t) { return t.import_job(job.account, job.id); });
      if (!found) throw std::runtime_error(found.error().detail);
      if (found->status != store::ImportStatus::running) return *found;
      std::this_thread::sleep_for(1ms);
    }
  }
  static store::DraftChange a_text() {
    return {.from = Mailbox{"news@example.jp", ""},
            .reply_to = {},
            .subject = "s",
            .text_part = "t",
            .html_part = {},
            .list_unsubscribe_mailto = {},
            .list_unsubscribe_url = {}};
  }
  [[nodiscard]] Instant now() const { return installation_.clock.now(); }
  intake::Importer make(intake::Importer::Waiting waiting) {
    return {failing_, uploads_, [] { return kNode; }, {}, handover_, installation_.clock, waiting};
  }

  TestStore installation_;
  FailingStore failing_{*installation_.store};
  // Says what is removed, which is the last that is done of a job.
  class TellingUploads final : public intake::Uploads {
   public:
    explicit TellingUploads(const std::filesystem::path& folder) : files_(folder) {}
    Result<std::unique_ptr<Reader>> open(std::string_view name) override {
      if (on_open) on_open(name);
      return files_.open(name);
    }
    Result<std::unique_ptr<Writer>> create(std::string_view name) override {
      if (on_create) {
        if (auto may = on_create(name); !may) return fail(std::move(may.error()));
      }
      return files_.create(name);
    }
    void remove(std::string_view name) override {
      if (on_remove) on_remove(name);
      files_.remove(name);
    }
    Result<std::size_t> sweep(const IsNamed& is_named) override { return files_.sweep(is_named); }

    std::function<void(std::string_view name)> on_open;
    std::function<Result<void>(std::string_view name)> on_create;
    std::function<void(std::string_view name)> on_remove;

   private:
    intake::FolderUploads files_;
  };
  TellingUploads uploads_{installation_.folder / ""};
  NobodyDelivers handover_;
};

TEST_F(ImporterTest, JobsBeyondWhatMayWaitAreTakenFromTheStoreWithoutARestart) {
  std::vector<store::ImportJob> jobs;
  for (int i = 0; i < 9; ++i) jobs.push_back(accept(i, 3));
  auto importer = make({.jobs_max = 2, .retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  for (int i = 9; i < 20; ++i) {
    jobs.push_back(accept(i, 3));
    importer.start(jobs.back());
  }
  for (const store::ImportJob& job : jobs) {
    const store::ImportJob ended = await_end(job);
    EXPECT_EQ(ended.status, store::ImportStatus::finished);
    EXPECT_EQ(ended.success_count, 3);
  }
  importer.stop();
}

TEST_F(ImporterTest, AccountsTakeTurns) {
  std::vector<store::ImportJob> many;
  for (int i = 0; i < 20; ++i) many.push_back(accept(i, 3));
  const auto other = accept("email\nr@example.jp\n", {.upload = upload_of(20)}, "other");
  const auto is_running = [&](const store::ImportJob& job) {
    const auto found = installation_.store->read_and_wait(
        [&](store::ReadTransaction& t) { return t.import_job(job.account, job.id); });
    return found.value().status == store::ImportStatus::running;
  };
  // Nobody else is asked while a job is at work: it ends as the second, before nineteen.
  std::size_t left = 0;
  auto importer = make({.jobs_max = 100, .retry_after = 1ms, .threads = 1});
  uploads_.on_remove = [&](std::string_view name) {
    if (name != other.upload) return;
    left = static_cast<std::size_t>(std::ranges::count_if(many, is_running));
  };
  ASSERT_TRUE(importer.start_thread());
  EXPECT_EQ(await_end(other).success_count, 1);
  for (const store::ImportJob& job : many) await_end(job);
  importer.stop();
  EXPECT_GE(left, 18U);
}

TEST_F(ImporterTest, AListThatTakesLongLetsThoseOfOthersPass) {
  const auto slow = accept(1, 3);
  const auto next = accept(2, 3);
  const auto other = accept("email\nr@example.jp\n", {.upload = upload_of(3)}, "other");
  std::promise<void> other_ended;
  uploads_.on_open = [&, passed = other_ended.get_future().share()](std::string_view name) {
    if (name == slow.upload) passed.wait();
  };
  auto importer = make({.jobs_max = 100, .retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  EXPECT_EQ(await_end(other).success_count, 1);
  const auto waiting = installation_.store->read_and_wait(
      [&](store::ReadTransaction& t) { return t.import_job(next.account, next.id); });
  EXPECT_EQ(waiting.value().status, store::ImportStatus::running) << "no account has all threads";
  other_ended.set_value();
  EXPECT_EQ(await_end(slow).success_count, 3);
  EXPECT_EQ(await_end(next).success_count, 3);
  importer.stop();
}

TEST_F(ImporterTest, TheSameListOnceMoreIsToldAndImported) {
  const auto first = accept(1, 3);
  auto importer = make({.jobs_max = 100, .retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  EXPECT_EQ(await_end(first).findings.find("already_there"), std::string::npos);
  put(upload_of(2), "email\nnew@example.jp\nR1@example.jp\nr2@example.jp\n");
  const auto again = installation_.store->write_and_wait(
      store::WritePriority::accept, [&](store::WriteTransaction& t) {
        return t.create_import(first.delivery, {.upload = upload_of(2)}, kNode);
      });
  ASSERT_TRUE(again) << again.error().detail;
  importer.start(*again);
  const auto ended = await_end(*again);
  EXPECT_EQ(ended.success_count, 3) << "as the contract has it";
  EXPECT_THAT(
      ended.findings,
      testing::HasSubstr(R"("already_there":{"compared":true,"recipients":2,"rows":[3,4]})"));
  importer.stop();
}

TEST_F(ImporterTest, ACancelledListIsReadNoFurtherAndItsFilesGo) {
  const auto job = accept(1, 3);
  std::promise<void> opened;
  std::promise<void> cancelled;
  std::promise<std::string> removed;
  uploads_.on_open = [&, once = std::make_shared<std::atomic<bool>>(false),
                      passed = cancelled.get_future().share()](std::string_view name) {
    if (name != job.upload || once->exchange(true)) return;
    opened.set_value();
    passed.wait();
  };
  uploads_.on_remove = [&,
                        once = std::make_shared<std::atomic<bool>>(false)](std::string_view name) {
    if (name == job.upload && !once->exchange(true)) removed.set_value(std::string(name));
  };
  auto importer = make({.jobs_max = 100, .retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  opened.get_future().wait();
  ASSERT_TRUE(installation_.store->write_and_wait(
      store::WritePriority::accept,
      [&](store::WriteTransaction& t) { return t.cancel_import(job.id, job.account); }));
  importer.cancelled(job);
  cancelled.set_value();
  EXPECT_EQ(removed.get_future().get(), job.upload);
  const auto ended = await_end(job);
  EXPECT_EQ(ended.status, store::ImportStatus::failed);
  EXPECT_EQ(ended.findings, store::kCancelledFindings);
  EXPECT_EQ(ended.errors, "");
  EXPECT_EQ(await_end(accept(2, 3)).success_count, 3) << "the next one is found and runs";
  importer.stop();
}

// Its error file takes 100,000 rows. Who ignores errors is told the number of all.
TEST_F(ImporterTest, AJobThatHasFailedIsReadNoFurtherThanItsErrorFileReaches) {
  constexpr int kRows = 100'050;
  std::string rows;
  for (int i = 0; i < kRows; ++i) rows += "x\n";
  const std::string csv = "email\n" + rows + "r@example.jp\n";
  const std::string ndjson = rows + "{\"email\":\"r@example.jp\"}\n";
  auto importer = make({.retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  int number = 0;
  for (const auto form : {store::ImportForm::csv, store::ImportForm::ndjson}) {
    const std::string& list = form == store::ImportForm::csv ? csv : ndjson;
    const auto doomed = accept(list, {.upload = upload_of(++number), .form = form});
    const auto tolerant =
        accept(list, {.ignore_errors = true, .upload = upload_of(++number), .form = form});
    importer.start(doomed);
    importer.start(tolerant);
    const store::ImportJob failed = await_end(doomed);
    EXPECT_EQ(failed.status, store::ImportStatus::failed);
    EXPECT_EQ(failed.failed_count, 100'000);
    EXPECT_EQ(failed.total_count, 100'000);
    EXPECT_NE(failed.errors, "");
    const store::ImportJob finished = await_end(tolerant);
    EXPECT_EQ(finished.status, store::ImportStatus::finished);
    EXPECT_EQ(finished.failed_count, kRows);
    EXPECT_EQ(finished.success_count, 1);
  }
  importer.stop();
}

TEST_F(ImporterTest, ADraftThatNoMailCanBeMadeOfIsNotCommittedAtItsEnd) {
  // As an earlier version may have let it in: it has no sender.
  const store::ImportJob job = accept(1, 3, true);
  auto importer = make({.jobs_max = 2, .retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  EXPECT_EQ(await_end(job).status, store::ImportStatus::failed);
  importer.stop();
  const auto draft = installation_.store->read_and_wait(
      [&](store::ReadTransaction& t) { return t.delivery_head(job.delivery); });
  ASSERT_TRUE(draft);
  EXPECT_EQ(draft->status, DeliveryStatus::edit);
  EXPECT_EQ(draft->counts.total, 0);
}

TEST_F(ImporterTest, ImmediateWithNobodyToSendToHasFailedAndSaysWhy) {
  auto importer = make({.jobs_max = 2, .retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  int number = 0;
  for (const std::string_view list : {"email\n", "email\nbad\n"}) {
    const store::ImportJob job =
        accept(list, {.ignore_errors = true, .immediate = false, .upload = upload_of(++number)});
    importer.start(job);
    EXPECT_EQ(await_end(job).status, store::ImportStatus::finished) << "an empty draft may be";
    put(upload_of(++number), list);
    const auto again = installation_.store->write_and_wait(
        store::WritePriority::accept, [&](store::WriteTransaction& t) -> Result<store::ImportJob> {
          if (auto done = t.change_draft(job.delivery, a_text()); !done) return fail(done.error());
          return t.create_import(
              job.delivery, {.ignore_errors = true, .immediate = true, .upload = upload_of(number)},
              kNode);
        });
    ASSERT_TRUE(again) << again.error().detail;
    importer.start(*again);
    const store::ImportJob ended = await_end(*again);
    EXPECT_EQ(ended.status, store::ImportStatus::failed) << list;
    EXPECT_EQ(ended.failed_count, list.contains("bad") ? 1 : 0);
    EXPECT_EQ(ended.total_count, ended.failed_count);
    EXPECT_NE(ended.errors, "") << list;
    const auto draft = installation_.store->read_and_wait(
        [&](store::ReadTransaction& t) { return t.delivery_head(job.delivery); });
    ASSERT_TRUE(draft);
    EXPECT_EQ(draft->status, DeliveryStatus::edit);
  }
  importer.stop();
}

TEST_F(ImporterTest, ImmediateSendsToRecipientsOfBeforeAlsoIfNoRowIsGood) {
  const store::ImportJob first = accept("email\nr1@example.jp\n", {.upload = upload_of(1)});
  auto importer = make({.jobs_max = 2, .retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  await_end(first);
  put(upload_of(2), "email\nbad\n");
  const auto second = installation_.store->write_and_wait(
      store::WritePriority::accept, [&](store::WriteTransaction& t) -> Result<store::ImportJob> {
        if (auto done = t.change_draft(first.delivery, a_text()); !done) return fail(done.error());
        return t.create_import(first.delivery,
                               {.ignore_errors = true, .immediate = true, .upload = upload_of(2)},
                               kNode);
      });
  ASSERT_TRUE(second) << second.error().detail;
  importer.start(*second);
  EXPECT_EQ(await_end(*second).status, store::ImportStatus::finished);
  importer.stop();
  const auto delivery = installation_.store->read_and_wait(
      [&](store::ReadTransaction& t) { return t.delivery_head(first.delivery); });
  ASSERT_TRUE(delivery);
  EXPECT_NE(delivery->status, DeliveryStatus::edit);
  EXPECT_EQ(delivery->counts.total, 1);
  const auto counted = installation_.store->read_and_wait(
      [&](store::ReadTransaction& t) { return t.mail_counts(std::span(&first.account, 1), 0); });
  ASSERT_EQ(counted->size(), 1U) << "with the commit, as no request passes a limit for it";
  EXPECT_EQ(counted->front().mails, 1);
}

TEST_F(ImporterTest, AnyCallToTheStoreMayFailAndTheImportBeginsAgain) {
  for (int n = 1; n < 12; ++n) {
    const store::ImportJob job = accept(n, 2'500);
    auto importer = make({.jobs_max = 10, .retry_after = 1ms});
    failing_.fail_calls(0, 0);
    ASSERT_TRUE(importer.start_thread()) << "which takes the job";
    failing_.fail_calls(failing_.calls() + n, 3);
    const store::ImportJob ended = await_end(job);
    EXPECT_EQ(ended.status, store::ImportStatus::finished) << "call " << n;
    EXPECT_EQ(ended.success_count, 2'500) << "call " << n;
    importer.stop();
  }
}

TEST_F(ImporterTest, MemoryThatIsRefusedEndsNoThreadAndTheImportBeginsAgain) {
  const store::ImportJob job = accept(1, 300);
  std::atomic<int> opened = 0;
  uploads_.on_open = [&](std::string_view) {
    if (++opened < 3) throw std::bad_alloc();
  };
  auto importer = make({.jobs_max = 2, .retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  EXPECT_EQ(await_end(job).success_count, 300);
  importer.stop();
  EXPECT_EQ(opened, 4) << "twice in vain, then to be looked through and to be read";
}

TEST_F(ImporterTest, AFullDiskLosesNoListOfErrors) {
  const store::ImportJob job =
      accept("email\nbad\ngood@example.jp\n", {.ignore_errors = true, .upload = upload_of(1)});
  std::atomic<int> refused = 0;
  uploads_.on_create = [&](std::string_view) -> Result<void> {
    if (++refused > 2) return {};
    return fail(ErrorKind::unavailable, "the disk is full");
  };
  auto importer = make({.jobs_max = 2, .retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  const store::ImportJob ended = await_end(job);
  importer.stop();
  EXPECT_EQ(ended.success_count, 1);
  EXPECT_EQ(ended.failed_count, 1);
  EXPECT_THAT(ended.errors, testing::EndsWith(".zip"));
  EXPECT_TRUE(std::filesystem::exists(file(ended.errors)));
}

// Its shifts are control characters of UTF-8 too, and would have gone into the mails; also where a
// shift begins in one slice of the file and ends in the next.
TEST_F(ImporterTest, NoRowInIso2022JpIsTaken) {
  std::string list = "email,__name__\nb@example.jp,b\n";
  const std::string shifted = "a@example.jp,\x1B$B;3ED\x1B(B\n";
  constexpr int kRows = 20'000;
  for (int i = 0; i < kRows; ++i) list += shifted;
  const store::ImportJob job = accept(list, {.ignore_errors = true, .upload = upload_of(1)});
  auto importer = make({.jobs_max = 2, .retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  const store::ImportJob ended = await_end(job);
  importer.stop();
  EXPECT_EQ(ended.success_count, 1);
  EXPECT_EQ(ended.failed_count, kRows);
}

// Such a mark is in lists of errors, too: whoever mends one and sends it again has it.
TEST_F(ImporterTest, NdjsonIsStagedAsItsLinesSay) {
  constexpr std::string_view kList =
      "{\"email\":\"a@example.jp\"}\n{\"email\":\"A@example.jp\"}\n{\"email\":\"bad\"}\n";
  auto importer = make({.retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  const store::ImportJob job = accept(
      kList, {.ignore_errors = true, .upload = upload_of(1), .form = store::ImportForm::ndjson});
  importer.start(job);
  const store::ImportJob ended = await_end(job);
  EXPECT_EQ(ended.status, store::ImportStatus::finished);
  EXPECT_EQ(ended.success_count, 1);
  EXPECT_EQ(ended.folded, 1);
  EXPECT_EQ(ended.failed_count, 1);
  EXPECT_EQ(ended.findings, R"({"form":"ndjson","encoding":"utf_8"})");
  importer.stop();
}

TEST_F(ImporterTest, ADryRunCountsAndStagesNothing) {
  std::string list = "email,__a__\n";
  for (int i = 0; i < 2'500; ++i) list += fmt::format("r{}@example.jp,x\n", i);
  auto importer = make({.retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  const store::ImportJob job = accept(list, {.upload = upload_of(1), .dry_run = true});
  ASSERT_TRUE(installation_.store->write_and_wait(
      store::WritePriority::accept, [&](store::WriteTransaction& t) -> Result<void> {
        store::NewSuppression stop;
        stop.account = job.account;
        stop.subject = "r7@example.jp";
        auto put = t.put_suppressions(std::span(&stop, 1));
        return put ? Result<void>{} : fail(put.error());
      }));
  importer.start(job);
  const store::ImportJob ended = await_end(job);
  importer.stop();
  const auto draft = installation_.store->read_and_wait(
      [&](store::ReadTransaction& t) { return t.delivery_head(job.delivery); });
  ASSERT_TRUE(draft);
  EXPECT_EQ(draft->status, DeliveryStatus::edit);
  EXPECT_EQ(draft->counts.total, 0);
  EXPECT_THAT(ended.findings, ::testing::HasSubstr(R"("recipients":2500)"));
  EXPECT_THAT(ended.findings, ::testing::HasSubstr(R"("suppressed":1)"));
}

TEST_F(ImporterTest, TheMarkOfASpreadsheetIsNoPartOfAnAddress) {
  const store::ImportJob job =
      accept("email\n'-taro@example.jp\n-taro@example.jp\no'hara@example.jp\n",
             {.ignore_errors = true, .upload = upload_of(1)});
  auto importer = make({.jobs_max = 2, .retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  const store::ImportJob ended = await_end(job);
  importer.stop();
  EXPECT_EQ(ended.success_count, 2);
  EXPECT_EQ(ended.failed_count, 1);
}

TEST_F(ImporterTest, WhatNoJobNamesIsRemovedAtTheStart) {
  const store::ImportJob waiting = accept(1, 3);
  for (const std::string& name :
       {upload_of(2), upload_of(3) + ".part", intake::errors_name(waiting.account, 999),
        intake::errors_name(store::AccountKey{77}, 1), std::string("import-77-1.errors.csv"),
        intake::errors_name(waiting.account, waiting.id) + ".part"}) {
    put(name);
  }
  for (const std::string_view other : {"import-notes.txt", "another.part"}) put(other);
  auto importer = make({.jobs_max = 2, .retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  EXPECT_EQ(await_end(waiting).success_count, 3) << "its upload was named";
  importer.stop();

  const store::ImportJob failed = accept("email\nbad\n", {.upload = upload_of(4)});
  auto second = make({.jobs_max = 2, .retry_after = 1ms});
  ASSERT_TRUE(second.start_thread());
  const std::string errors = await_end(failed).errors;
  EXPECT_THAT(errors, testing::EndsWith(".zip"));
  second.stop();
  // As an earlier version has left it.
  const std::string csv = errors.substr(0, errors.size() - 3) + "csv";
  put(csv);
  auto third = make({.jobs_max = 2, .retry_after = 1ms});
  ASSERT_TRUE(third.start_thread());
  third.stop();

  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(file(""))) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("import-") || name.ends_with(".part")) left.push_back(name);
  }
  EXPECT_THAT(left, testing::UnorderedElementsAre(errors, csv, "import-notes.txt", "another.part"));
}

TEST_F(ImporterTest, AJobThatADeadNodeLeavesIsTakenWhileNothingElseIsToBeDone) {
  auto importer = make({.look_every = 1ms});
  ASSERT_TRUE(importer.start_thread());
  EXPECT_EQ(await_end(accept(1, 3, false, store::NodeKey{77})).success_count, 3) << "never entered";
  const auto living = installation_.store->write_and_wait(
      store::WritePriority::claims, [](store::WriteTransaction& t) {
        return t.enter_node({.name = "other", .roles = "api", .version = "0"});
      });
  ASSERT_TRUE(living);
  const auto job = accept(2, 4, false, *living);
  EXPECT_EQ(await_end(accept(3, 5, false, store::NodeKey{77})).success_count, 5);
  const auto untouched = installation_.store->read_and_wait(
      [&](store::ReadTransaction& t) { return t.import_job(job.account, job.id); });
  EXPECT_EQ(untouched->status, store::ImportStatus::running) << "of one that lives";
  ASSERT_TRUE(installation_.store->write_and_wait(
      store::WritePriority::claims,
      [&](store::WriteTransaction& t) { return t.leave_node(*living); }));
  EXPECT_EQ(await_end(job).success_count, 4);
  importer.stop();
}

TEST_F(ImporterTest, AnAddressTwiceIsOneRecipientUnlessBothAreWanted) {
  constexpr std::string_view kList =
      "email,__a__\nr@example.jp,1\nbad,2\nR@EXAMPLE.jp,3\nother@example.jp,4\nr@example.jp,5\n";
  const auto folded = accept(kList, {.ignore_errors = true, .upload = upload_of(1)});
  const auto kept =
      accept(kList, {.ignore_errors = true, .keep_duplicates = true, .upload = upload_of(2)});
  auto importer = make({.jobs_max = 2, .retry_after = 1ms});
  ASSERT_TRUE(importer.start_thread());
  const store::ImportJob one = await_end(folded);
  EXPECT_EQ(one.success_count, 2);
  EXPECT_EQ(one.failed_count, 1);
  EXPECT_EQ(one.total_count, 5);
  EXPECT_EQ(await_end(kept).success_count, 4);
  importer.stop();
}

}  // namespace
}  // namespace todoku::app
