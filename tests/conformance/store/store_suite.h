// SPDX-License-Identifier: Apache-2.0
// The conformance suite of store/store.h: every back end passes it, or it does not exist.
//
// A back end joins by one line in its own file: INSTANTIATE_TEST_SUITE_P(Sqlite, ..., factory).
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "store/store.h"
#include "store/walks.h"
#include "support/shared_clock.h"

namespace todoku::store {

// How the suite makes and breaks stores of one kind.
struct StoreFactory {
  // Opens the store kept in a directory, made if it is not there.
  std::function<Result<std::unique_ptr<Store>>(const std::filesystem::path&, const Clock&)> open;
  // Makes a second directory hold what would be found after a crash at this moment, while the
  // store is open.
  std::function<void(const std::filesystem::path& from, const std::filesystem::path& to)>
      crash_copy;
  // Removes what is kept elsewhere; may be empty.
  std::function<void(const std::filesystem::path&)> drop;
  // Functions that wait together share a commit.
  bool shares_commits = true;
  // What is uploaded is in it (store/uploads.h).
  bool keeps_uploads = false;
};

// A new empty directory that goes away with its owner.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline constexpr std::int64_t kDraftsMax = 1'000;
inline constexpr Milliseconds kLifeTime = std::chrono::hours(24);

// What a Settle made of its outcomes, counted.
struct Recorded {
  std::int64_t recorded = 0;
  std::int64_t superseded = 0;
  std::vector<DeliveryKey> finished;
};

class StoreSuite : public ::testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Closes in order.
  void shut();
  // Closes in order, if it is open, and opens again.
  void reopen();
  // Goes on with what a crash at this moment would leave.
  void crash();

  template <class Work>
  auto write(Work work, WritePriority priority = WritePriority::accept) {
    return store_->write_and_wait(priority, std::move(work));
  }
  template <class Work>
  auto read(Work work) {
    return store_->read_and_wait(std::move(work));
  }

  [[nodiscard]] Instant now() const { return clock_.now(); }
  [[nodiscard]] Instant after(std::int64_t seconds) const {
    return clock_.now() + std::chrono::seconds(seconds);
  }

  // -- builders: each stops the test if the store refuses
  Account account(std::string_view name = "acme");
  [[nodiscard]] static NewDelivery bulk(AccountKey account);
  [[nodiscard]] static NewDelivery transaction(AccountKey account);
  [[nodiscard]] static NewRecipient recipient(std::string_view local,
                                              std::string_view domain = "example.jp");
  // `count` recipients user<from>@domain, user<from+1>@domain, ...
  [[nodiscard]] static std::vector<NewRecipient> recipients(std::size_t count,
                                                            std::string_view domain,
                                                            std::size_t from = 0);
  Delivery draft(AccountKey account);
  std::vector<PublicId> append(DeliveryKey key, const std::vector<NewRecipient>& recipients);
  // A transaction leased to `me_`, whose lease is renewed.
  Accepted accept(AccountKey account, const std::vector<NewRecipient>& recipients);
  [[nodiscard]] Accept acceptance(AccountKey account, std::vector<NewRecipient> recipients) const;
  // A bulk delivery of these recipients, started now.
  Delivery started(AccountKey account, const std::vector<NewRecipient>& recipients);
  Delivery started(const NewDelivery& delivery, const std::vector<NewRecipient>& recipients);
  void commit_and_start(DeliveryKey key);
  // A node that lives.
  NodeKey enter(std::string_view name);
  // Claims for a node whose lease is renewed; what was leased.
  std::vector<LeasedBatch> claim(NodeKey node, const std::vector<BatchKey>& batches);
  // Claims everything of a bulk delivery that is due.
  std::vector<LeasedBatch> claim_all(DeliveryKey key, NodeKey node);
  std::vector<LeasedBatch> claim_all(DeliveryKey key) { return claim_all(key, me_); }
  Result<BatchReleased> release(const LeasedBatch& lease, Milliseconds not_before = {});
  // Declares a node dead and offers again what it held.
  OfferedAgain bury(NodeKey node);
  std::vector<BatchKey> due_keys(DeliveryKey key);
  std::vector<DueBatch> due_transactional();
  // When something else becomes due.
  std::optional<Instant> upcoming(Workload workload = std::nullopt);
  [[nodiscard]] OutcomeRecord outcome(const BatchKey& batch, std::uint32_t seq,
                                      RecipientState state, int code = 250,
                                      std::string_view text = "2.0.0 Ok: queued") const;
  [[nodiscard]] OutcomeRecord deferral(const BatchKey& batch, std::uint32_t seq, Instant due) const;
  Recorded record(const std::vector<OutcomeRecord>& outcomes);
  Settled settle(const std::vector<OutcomeRecord>& outcomes,
                 const std::vector<BatchRelease>& releases = {});
  // A transaction to this local part, which is answered with a hard error.
  void fail_for_good(AccountKey account, std::string_view local, bool against_address = true,
                     ErrorStop rule = {});
  Delivery get(DeliveryKey key);
  std::vector<Story> stories(std::string_view address);

  SharedClock clock_;
  std::unique_ptr<Store> store_;
  NodeKey me_{};
  NodeKey other_{};

 private:
  std::unique_ptr<TemporaryDirectory> directory_;
};

// The value of a result that the test cannot go on without.
template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << to_string(result.error().kind) << ": " << result.error().detail;
    throw std::runtime_error("the store refused");
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// What walks through a store find, however many steps they take.
[[nodiscard]] std::vector<Delivery> deliveries_of(Store& store, DeliveryFilter filter);
[[nodiscard]] std::vector<Story> stories_of(Store& store, std::string_view address,
                                            std::optional<AccountKey> account = {},
                                            std::int64_t limit = 100);

template <class T>
std::string_view error_of(const Result<T>& result) {
  return result ? "none" : to_string(result.error().kind);
}

}  // namespace todoku::store
