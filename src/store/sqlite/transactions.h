// SPDX-License-Identifier: Apache-2.0
// The two transactions of store/store.h on SQLite. The questions of both are Queries.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "store/sqlite/counters.h"
#include "store/sqlite/queries.h"
#include "store/store.h"

namespace todoku::store::sqlite {

// Answers the questions of `Base` (ReadTransaction or WriteTransaction) by Queries.
template <class Base>
class Answering : public Base {
 public:
  Answering(Connection& db, const LiveFigures& figures, AddressHash hash)
      : queries_(db, figures, hash) {}

  Result<std::optional<std::string>> setting(std::string_view name) override {
    return queries_.setting(name);
  }
  Result<std::vector<Account>> accounts() override { return queries_.accounts(); }
  Result<Account> account(AccountKey key) override { return queries_.account(key); }
  Result<Account> account_by_name(std::string_view name) override {
    return queries_.account_by_name(name);
  }
  Result<Account> account_by_token(std::string_view token_sha256) override {
    return queries_.account_by_token(token_sha256);
  }
  Result<std::vector<ApiKey>> api_keys(AccountKey account) override {
    return queries_.api_keys(account);
  }
  Result<std::vector<DkimKey>> dkim_keys() override { return queries_.dkim_keys(); }
  Result<Delivery> delivery(AccountKey account, PublicId id) override {
    return queries_.delivery(account, id);
  }
  Result<Delivery> delivery(DeliveryKey key) override { return queries_.delivery(key); }
  Result<Delivery> delivery_head(AccountKey account, PublicId id) override {
    return queries_.delivery_head(account, id);
  }
  Result<Delivery> delivery_head(DeliveryKey key) override { return queries_.delivery_head(key); }
  Result<DeliveryStretch> match_deliveries(const DeliveryFilter& filter, DeliveryOrder order,
                                           std::optional<DeliveryPlace> from,
                                           std::int64_t wanted) override {
    return queries_.match_deliveries(filter, order, from, wanted);
  }
  Result<Content> content(DeliveryKey key) override { return queries_.content(key); }
  Result<std::int64_t> count_drafts(AccountKey account, DeliveryType type,
                                    std::int64_t most) override {
    return queries_.count_drafts(account, type, most);
  }
  Result<Recipient> recipient(AccountKey account, PublicId email_id) override {
    return queries_.recipient(account, email_id);
  }
  Result<StoryPage> stories(std::string_view address, std::optional<AccountKey> account,
                            std::int64_t limit, std::optional<std::int64_t> from) override {
    return queries_.stories(address, account, limit, from);
  }
  Result<Story> story(const RecipientKey& key) override { return queries_.story(key); }
  Result<std::vector<Delivery>> deliveries_to_start(Instant now, std::int64_t limit) override {
    return queries_.deliveries_to_start(now, limit);
  }
  Result<std::optional<Instant>> next_reservation(Instant now) override {
    return queries_.next_reservation(now);
  }
  Result<std::vector<Delivery>> sending_bulk() override { return queries_.sending_bulk(); }
  Result<DueDomains> due_domains(Workload workload, Instant now,
                                 std::optional<std::string_view> after,
                                 std::int64_t limit) override {
    return queries_.due_domains(workload, now, after, limit);
  }
  Result<std::vector<DueBatch>> due_batches(Workload workload, std::string_view domain, Instant now,
                                            std::int64_t limit) override {
    return queries_.due_batches(workload, domain, now, limit);
  }
  Result<ImportJob> import_job(AccountKey account, PublicId id) override {
    return queries_.import_job(account, id);
  }
  Result<std::vector<ImportJob>> running_imports() override { return queries_.running_imports(); }
  Result<std::vector<QueueFigures>> queue_figures(Instant now) override {
    return queries_.queue_figures(now);
  }

 protected:
  Queries queries_;
};

class SqliteReadTransaction final : public Answering<ReadTransaction> {
 public:
  using Answering::Answering;
};

// The one writer. It lives as long as the store; begin, commit and roll back are its owner's
// business (group_writer.h), which tells it what became of its changes.
class SqliteWriteTransaction final : public Answering<WriteTransaction> {
 public:
  // `figures` must outlive the transaction.
  SqliteWriteTransaction(Connection& db, LiveFigures& figures, AddressHash hash)
      : Answering(db, figures, hash), db_(db), counters_(db), figures_(figures) {}

  // -- settings, accounts (writes_accounts.cc)
  Result<void> put_setting(std::string_view name, std::string_view value) override;
  Result<Account> create_account(std::string_view name, Instant now) override;
  Result<void> change_account(const Account& account) override;
  Result<ApiKey> add_api_key(AccountKey account, std::string_view label,
                             std::string_view token_sha256, Instant now) override;
  Result<void> revoke_api_key(AccountKey account, std::int64_t id, Instant now) override;
  Result<void> put_dkim_key(const DkimKey& key) override;
  Result<void> remove_dkim_key(AccountKey account, std::string_view domain,
                               std::string_view selector) override;

  // -- drafts (writes_drafts.cc)
  Result<Delivery> create_draft(const NewDelivery& delivery, Instant now) override;
  Result<void> change_draft(DeliveryKey key, const DraftChange& change, Instant now) override;
  Result<std::vector<PublicId>> append_recipients(DeliveryKey key,
                                                  std::span<const NewRecipient> recipients,
                                                  Instant now) override;
  Result<void> clear_recipients(DeliveryKey key, Instant now) override;
  Result<void> change_recipient(const RecipientKey& key, const NewRecipient& recipient,
                                Instant now) override;
  Result<void> remove_recipient(const RecipientKey& key, Instant now) override;

  // -- life of a delivery (writes_life.cc)
  Result<void> commit_draft(DeliveryKey key, std::optional<Instant> reservation,
                            Instant now) override;
  Result<void> cancel_reservation(DeliveryKey key, Instant now) override;
  Result<void> start_delivery(DeliveryKey key, std::string_view signing, Instant now) override;
  Result<void> fail_delivery(DeliveryKey key, std::string_view reason, Instant now) override;
  Result<void> delete_delivery(DeliveryKey key, Instant now) override;
  Result<bool> purge_deleted(std::int64_t rows) override;
  Result<AcceptedTransaction> accept_transaction(const NewDelivery& delivery,
                                                 std::span<const NewRecipient> recipients,
                                                 std::string_view signing, Holder holder,
                                                 Instant lease_until, Instant now) override;

  // -- leases (writes_leases.cc)
  Result<std::int64_t> release_leases_of_others(Holder holder, Instant now,
                                                std::int64_t limit) override;
  Result<std::vector<LeasedBatch>> claim_batches(std::span<const BatchKey> batches, Holder holder,
                                                 Instant lease_until, Instant now) override;
  Result<void> extend_lease(const BatchKey& key, std::uint64_t token, Instant lease_until) override;
  Result<BatchReleased> release_batch(const BatchKey& key, std::uint64_t token, Instant not_before,
                                      Instant now) override;

  // -- outcomes (writes_outcomes.cc)
  Result<OutcomesRecorded> record_outcomes(std::span<const OutcomeRecord> outcomes) override;

  // -- imports (writes_imports.cc)
  Result<ImportJob> create_import(DeliveryKey key, bool ignore_errors, bool immediate,
                                  std::string_view upload_file, Instant now) override;
  Result<void> append_staged(PublicId job, AccountKey account,
                             std::span<const NewRecipient> recipients, std::int32_t percentage,
                             Instant now) override;
  Result<void> end_import(PublicId job, AccountKey account, const ImportEnd& end,
                          Instant now) override;
  Result<void> restart_import(PublicId job, AccountKey account) override;

  // -- for the owner

  // Reads how many recipients wait, when the store is opened.
  [[nodiscard]] Result<void> load_figures();
  // Adds what this transaction changed to what is stored; the last thing before its commit.
  [[nodiscard]] Result<void> store_figures();
  // What changes figures is kept apart until it is committed; a work that is undone is undone here
  // too.
  using Pending = std::array<std::int64_t, 2>;
  [[nodiscard]] Pending pending() const { return waiting_; }
  void committed();
  // Everything since `before` was rolled back.
  void rolled_back(const Pending& before);
  [[nodiscard]] Connection& connection() { return db_; }
  [[nodiscard]] Counters& counters() { return counters_; }
  // Addresses written so far, committed or not; read by other threads.
  [[nodiscard]] const std::atomic<std::uint64_t>& addresses_written() const {
    return addresses_written_;
  }

 private:
  friend class RecipientAppender;

  [[nodiscard]] Result<Delivery> draft(DeliveryKey key);
  [[nodiscard]] Result<void> set_status(DeliveryKey key, DeliveryStatus status, Instant now);
  [[nodiscard]] Result<void> insert_delivery(const Delivery& delivery);
  [[nodiscard]] Result<void> insert_content(Delivery& delivery, const Content& content,
                                            Instant now);
  [[nodiscard]] Result<Delivery> new_delivery(const NewDelivery& delivery, std::int64_t number,
                                              Instant now);
  [[nodiscard]] Result<BatchRow> draft_batch(const RecipientKey& key);
  [[nodiscard]] Result<void> make_shared_batch(const BatchRow& batch);
  [[nodiscard]] Result<std::int64_t> live_section(const Delivery& delivery);
  [[nodiscard]] Result<void> remember_address(std::int64_t row, std::string_view address);

  struct Claimable;
  [[nodiscard]] Result<std::optional<LeasedBatch>> claim(const BatchRow& batch, Holder holder,
                                                         Instant lease_until, Instant now);
  [[nodiscard]] Result<std::optional<Instant>> earliest_due(const BatchRow& batch, Instant now);

  struct BatchOutcomes;
  [[nodiscard]] Result<bool> record_outcome(const OutcomeRecord& outcome, BatchOutcomes& sum);
  [[nodiscard]] Result<void> record_batch(std::span<const OutcomeRecord* const> outcomes,
                                          DeliveryCounts& counts, OutcomesRecorded& result);
  [[nodiscard]] Result<void> record_delivery(std::span<const OutcomeRecord* const> outcomes,
                                             OutcomesRecorded& result);

  [[nodiscard]] Result<bool> purge_sections(std::int64_t& rows);
  [[nodiscard]] Result<bool> purge_deliveries(std::int64_t& rows);
  [[nodiscard]] Result<void> purge_batch(std::int64_t number, std::int64_t& rows);

  struct StagedImport;
  [[nodiscard]] Result<StagedImport> running_import(PublicId job, AccountKey account);

  Connection& db_;
  Counters counters_;
  LiveFigures& figures_;
  std::atomic<std::uint64_t> addresses_written_{0};
  Pending waiting_{};
  std::string history_;  // reused between outcomes
  std::string address_;
};

}  // namespace todoku::store::sqlite
