// SPDX-License-Identifier: Apache-2.0
// Imports that have to wait: for those before them, and for a store that does not answer.
#include "intake/importer.h"

#include <fstream>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/failing_store.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr store::NodeKey kNode{1};

class NobodyDelivers final : public intake::Handover {
 public:
  std::string signing_for(store::AccountKey, std::string_view) override { return {}; }
  Milliseconds life_time() const override { return std::chrono::hours(24); }
  store::NodeKey holder(store::AccountKey) override { return store::kNobody; }
  void hand_over(store::Accepted) override {}
  void work_arrived() override {}
};

class ImporterTest : public ::testing::Test {
 protected:
  // An import of `rows` recipients that the API has accepted.
  store::ImportJob accept(int number, int rows, bool immediate = false) {
    const std::string file = fmt::format("upload-{}.csv", number);
    std::ofstream out(installation_.folder / file.c_str());
    out << "email\n";
    for (int i = 0; i < rows; ++i) out << "r" << i << "@example.jp\n";
    out.close();
    auto job = installation_.store->write_and_wait(
        store::WritePriority::accept, [&](store::WriteTransaction& t) -> Result<store::ImportJob> {
          auto account = t.read().account_by_name("acme");
          if (!account) account = t.create_account("acme");
          if (!account) return fail(account.error());
          store::NewDelivery delivery;
          delivery.account = account->key;
          delivery.type = DeliveryType::bulk;
          delivery.traffic = TrafficClass::bulk;
          const auto draft = t.create_draft(delivery, 1'000'000);
          if (!draft) return fail(draft.error());
          return t.create_import(draft->key, false, immediate, file, kNode);
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
  [[nodiscard]] Instant now() const { return installation_.clock.now(); }
  intake::Importer make(intake::Importer::Waiting waiting) {
    return {failing_, uploads_, [] { return kNode; }, {}, handover_, waiting};
  }

  TestStore installation_;
  FailingStore failing_{*installation_.store};
  intake::FolderUploads uploads_{installation_.folder / ""};
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

}  // namespace
}  // namespace todoku::app
