// SPDX-License-Identifier: Apache-2.0
// The store: every promise of the engine rests on it. One interface in the words of the domain,
// with a back end per folder and one conformance suite (tests/conformance/store).
//
// Work is given as a function of a transaction. Writes are grouped: one commit with sync serves
// everything that arrived while the one before was syncing (DESIGN: group commit). A function may
// be run again when its group has to be repeated, so it must have no effect but through the
// transaction. No function may wait for anything outside the store.
//
// Every question and every change is short: what grows with recipients stored or with an account's
// deliveries is answered in stretches or done in slices (walks.h goes through stretches).
//
// Errors of every operation: not_found (no such thing in this account), conflict (its state forbids
// it), invalid_input; and from the engine below: unavailable (disk full, too much queued, shutting
// down: nothing was stored, try later), io (the operating system refused; after a failed commit a
// crash may show that it was stored after all), corrupt.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "async/callback.h"
#include "base/result.h"
#include "store/types.h"

namespace todoku::store {

// What is committed first when the store is busy, from urgent to patient.
enum class WritePriority : std::uint8_t { accept, outcomes, claims, import, retention };
inline constexpr std::size_t kWritePriorities = 5;

// Questions. Everything a ReadTransaction answers is of one moment.
class ReadTransaction {
 public:
  virtual ~ReadTransaction() = default;

  // -- settings: small named values of the installation (instance secret, key check)
  [[nodiscard]] virtual Result<std::optional<std::string>> setting(std::string_view name) = 0;

  // -- accounts
  [[nodiscard]] virtual Result<std::vector<Account>> accounts() = 0;
  [[nodiscard]] virtual Result<Account> account(AccountKey key) = 0;
  [[nodiscard]] virtual Result<Account> account_by_name(std::string_view name) = 0;
  // The account whose unrevoked API key has this SHA-256 (hex) of its bearer token.
  [[nodiscard]] virtual Result<Account> account_by_token(std::string_view token_sha256) = 0;
  [[nodiscard]] virtual Result<std::vector<ApiKey>> api_keys(AccountKey account) = 0;
  [[nodiscard]] virtual Result<std::vector<DkimKey>> dkim_keys() = 0;

  // -- deliveries
  [[nodiscard]] virtual Result<Delivery> delivery(AccountKey account, PublicId id) = 0;
  [[nodiscard]] virtual Result<Delivery> delivery(DeliveryKey key) = 0;
  // The same without texts, header addresses and attachments: its content says who sends and the
  // subject. Cheap, however large the content is.
  [[nodiscard]] virtual Result<Delivery> delivery_head(AccountKey account, PublicId id) = 0;
  [[nodiscard]] virtual Result<Delivery> delivery_head(DeliveryKey key) = 0;
  // Goes through an account's deliveries in `order`, on from `from`, for as long as a question may
  // take or until `wanted` match. Sorting, limit and offset of `filter` are for DeliveryList.
  [[nodiscard]] virtual Result<DeliveryStretch> match_deliveries(const DeliveryFilter& filter,
                                                                 DeliveryOrder order,
                                                                 std::optional<DeliveryPlace> from,
                                                                 std::int64_t wanted) = 0;
  // The content with the data of its attachments, for composing.
  [[nodiscard]] virtual Result<Content> content(DeliveryKey key) = 0;
  // Drafts of an account (status edit or importing); stops counting at `most`.
  [[nodiscard]] virtual Result<std::int64_t> count_drafts(AccountKey account, DeliveryType type,
                                                          std::int64_t most) = 0;

  // -- recipients
  [[nodiscard]] virtual Result<Recipient> recipient(AccountKey account, PublicId email_id) = 0;
  // Stories of recipients with this canonical address, newest first, at most `limit`; of one
  // account if given; on from `from`. Look-up is by a hash of the address; a page may hold fewer
  // than `limit`, or none, and not be the last (StorySearch in walks.h).
  [[nodiscard]] virtual Result<StoryPage> stories(std::string_view address,
                                                  std::optional<AccountKey> account,
                                                  std::int64_t limit,
                                                  std::optional<std::int64_t> from) = 0;
  [[nodiscard]] virtual Result<Story> story(const RecipientKey& key) = 0;

  // -- scheduling
  // Heads of deliveries in status reserve with reservation <= now, or in status wait; oldest first.
  [[nodiscard]] virtual Result<std::vector<Delivery>> deliveries_to_start(Instant now,
                                                                          std::int64_t limit) = 0;
  // The next reservation after `now`, so that nobody has to poll.
  [[nodiscard]] virtual Result<std::optional<Instant>> next_reservation(Instant now) = 0;
  // Bulk deliveries in status sending that still have recipients, without content or attachments.
  [[nodiscard]] virtual Result<std::vector<Delivery>> sending_bulk() = 0;
  // Domains with batches due and not leased at `now`. Where only a few batches are due it finds
  // them all, whatever else is stored; else it goes by domain, on from after the domain `after`,
  // through at most `limit` domains, so that many batches of one domain do not hide the others.
  [[nodiscard]] virtual Result<DueDomains> due_domains(Workload workload, Instant now,
                                                       std::optional<std::string_view> after,
                                                       std::int64_t limit) = 0;
  // Batches of one domain of a workload, due and not leased at `now`, earliest first.
  [[nodiscard]] virtual Result<std::vector<DueBatch>> due_batches(Workload workload,
                                                                  std::string_view domain,
                                                                  Instant now,
                                                                  std::int64_t limit) = 0;

  // -- imports
  [[nodiscard]] virtual Result<ImportJob> import_job(AccountKey account, PublicId id) = 0;
  [[nodiscard]] virtual Result<std::vector<ImportJob>> running_imports() = 0;

  // -- figures
  [[nodiscard]] virtual Result<std::vector<QueueFigures>> queue_figures(Instant now) = 0;
};

// Changes. `now` is the caller's clock; leases use it too, so one clock serves one store (with
// PostgreSQL it is the server's).
class WriteTransaction : public ReadTransaction {
 public:
  [[nodiscard]] virtual Result<void> put_setting(std::string_view name, std::string_view value) = 0;

  // -- accounts
  // conflict if the name is taken.
  [[nodiscard]] virtual Result<Account> create_account(std::string_view name, Instant now) = 0;
  [[nodiscard]] virtual Result<void> change_account(
      const Account& account) = 0;  // weight, suspended
  [[nodiscard]] virtual Result<ApiKey> add_api_key(AccountKey account, std::string_view label,
                                                   std::string_view token_sha256, Instant now) = 0;
  [[nodiscard]] virtual Result<void> revoke_api_key(AccountKey account, std::int64_t id,
                                                    Instant now) = 0;
  // Replaces a key of the same account, domain and selector.
  [[nodiscard]] virtual Result<void> put_dkim_key(const DkimKey& key) = 0;
  [[nodiscard]] virtual Result<void> remove_dkim_key(AccountKey account, std::string_view domain,
                                                     std::string_view selector) = 0;

  // -- drafts
  // A delivery in status edit, without recipients. What is returned has no content: it is the
  // caller's.
  [[nodiscard]] virtual Result<Delivery> create_draft(const NewDelivery& delivery, Instant now) = 0;
  [[nodiscard]] virtual Result<void> change_draft(DeliveryKey key, const DraftChange& change,
                                                  Instant now) = 0;
  // Adds recipients to a draft, sorted into batches by domain; returns their email ids in the order
  // given. Batches have 500 recipients at most; a domain with 50 or more recipients in one call
  // gets batches of its own, others share (and later small calls fill open batches).
  [[nodiscard]] virtual Result<std::vector<PublicId>> append_recipients(
      DeliveryKey key, std::span<const NewRecipient> recipients, Instant now) = 0;
  [[nodiscard]] virtual Result<void> clear_recipients(DeliveryKey key, Instant now) = 0;
  [[nodiscard]] virtual Result<void> change_recipient(const RecipientKey& key,
                                                      const NewRecipient& recipient,
                                                      Instant now) = 0;
  [[nodiscard]] virtual Result<void> remove_recipient(const RecipientKey& key, Instant now) = 0;

  // -- life of a delivery
  // edit -> reserve (with a time) or wait (without).
  [[nodiscard]] virtual Result<void> commit_draft(DeliveryKey key,
                                                  std::optional<Instant> reservation,
                                                  Instant now) = 0;
  [[nodiscard]] virtual Result<void> cancel_reservation(DeliveryKey key, Instant now) = 0;
  // reserve | wait -> sending: makes its batches due at `now` and pins `signing`. A delivery
  // without recipients goes to sent at once.
  [[nodiscard]] virtual Result<void> start_delivery(DeliveryKey key, std::string_view signing,
                                                    Instant now) = 0;
  // reserve | wait -> failed; its recipients become cancelled.
  [[nodiscard]] virtual Result<void> fail_delivery(DeliveryKey key, std::string_view reason,
                                                   Instant now) = 0;
  // Takes the delivery out of every look-up at once; its rows go away by purge_deleted().
  [[nodiscard]] virtual Result<void> delete_delivery(DeliveryKey key, Instant now) = 0;
  // Removes at most `rows` rows of deleted deliveries and discarded imports. False when none is
  // left.
  [[nodiscard]] virtual Result<bool> purge_deleted(std::int64_t rows) = 0;

  // A transaction: created, started and leased to `holder` in one step; the leased batches hold all
  // recipients and are handed over in memory.
  struct AcceptedTransaction {
    Delivery delivery;  // without content: it is the caller's
    std::vector<LeasedBatch> batches;
  };
  [[nodiscard]] virtual Result<AcceptedTransaction> accept_transaction(
      const NewDelivery& delivery, std::span<const NewRecipient> recipients,
      std::string_view signing, Holder holder, Instant lease_until, Instant now) = 0;

  // -- leases
  // Voids leases of other holders, at most `limit` in one call, and returns how many. For when a
  // store with a single user is opened, until none is left.
  [[nodiscard]] virtual Result<std::int64_t> release_leases_of_others(Holder holder, Instant now,
                                                                      std::int64_t limit) = 0;
  // Leases those of `batches` that are due and free, and returns them with their due recipients.
  [[nodiscard]] virtual Result<std::vector<LeasedBatch>> claim_batches(
      std::span<const BatchKey> batches, Holder holder, Instant lease_until, Instant now) = 0;
  // conflict if the token is no longer the newest: the lease ran out and somebody else has it.
  [[nodiscard]] virtual Result<void> extend_lease(const BatchKey& key, std::uint64_t token,
                                                  Instant lease_until) = 0;
  // Ends the lease: the batch is due again at the earliest due time of its open recipients, but not
  // before `not_before` (parking). conflict as above; the outcomes recorded before stay.
  [[nodiscard]] virtual Result<BatchReleased> release_batch(const BatchKey& key,
                                                            std::uint64_t token, Instant not_before,
                                                            Instant now) = 0;
  // -- outcomes
  // Records attempts and states, counts them on their deliveries, and moves a delivery to sent when
  // its last recipient is settled. Sorted by key inside. An outcome is a fact: it is recorded
  // whoever holds the lease now, as far as the state may still change.
  [[nodiscard]] virtual Result<OutcomesRecorded> record_outcomes(
      std::span<const OutcomeRecord> outcomes) = 0;

  // -- imports
  // edit -> importing.
  [[nodiscard]] virtual Result<ImportJob> create_import(DeliveryKey key, bool ignore_errors,
                                                        bool immediate,
                                                        std::string_view upload_file,
                                                        Instant now) = 0;
  // Adds recipients that stay invisible until end_import() makes them visible by one row.
  [[nodiscard]] virtual Result<void> append_staged(PublicId job, AccountKey account,
                                                   std::span<const NewRecipient> recipients,
                                                   std::int32_t percentage, Instant now) = 0;
  // importing -> edit. finished: what was staged becomes part of the draft; else it is discarded.
  [[nodiscard]] virtual Result<void> end_import(PublicId job, AccountKey account,
                                                const ImportEnd& end, Instant now) = 0;
  // After a restart: forgets what a running import has staged, so that it can begin again.
  [[nodiscard]] virtual Result<void> restart_import(PublicId job, AccountKey account) = 0;
};

using ReadWork = std::move_only_function<Result<void>(ReadTransaction&)>;
using WriteWork = std::move_only_function<Result<void>(WriteTransaction&)>;
using Done = std::move_only_function<void(Result<void>)>;

// Figures of the group-commit writer, for metrics. Totals since start.
struct StoreFigures {
  std::uint64_t commits = 0;
  std::uint64_t writes = 0;  // functions committed
  std::uint64_t failed_commits = 0;
  std::uint64_t queued = 0;    // functions waiting now
  Microseconds commit_time{};  // total time spent in commits
};

class Store {
 public:
  virtual ~Store() = default;

  // Runs `work` in a transaction and calls `done` on a store thread after the commit with sync (or
  // with the error of `work`, or of the commit). Never blocks; `done` is called exactly once, with
  // unavailable if the queue of this priority is full or the store is closing. Thread-safe.
  virtual void submit_write(WritePriority priority, WriteWork work, Done done) = 0;
  // Runs `work` on a reader. A reader may hold a snapshot for 100 ms at most: longer ones are given
  // up with unavailable.
  virtual void submit_read(ReadWork work, Done done) = 0;
  [[nodiscard]] virtual StoreFigures figures() const = 0;
  // Commits what is queued, refuses what comes, closes. Blocks; idempotent.
  virtual void close() = 0;

  // The same for coroutines: `work` is Result<T>(WriteTransaction&).
  template <class Work>
  Task<std::invoke_result_t<Work&, WriteTransaction&>> write(WritePriority priority, Work work);
  template <class Work>
  Task<std::invoke_result_t<Work&, ReadTransaction&>> read(Work work);

  // The same for threads that may wait: tools, tests, start-up.
  template <class Work>
  std::invoke_result_t<Work&, WriteTransaction&> write_and_wait(WritePriority priority, Work work);
  template <class Work>
  std::invoke_result_t<Work&, ReadTransaction&> read_and_wait(Work work);
};

namespace internal {

// Submits `work` and calls `done` with its own result type.
template <class R, class Transaction, class Work, class Finish>
void submit_typed(Store& store, std::optional<WritePriority> priority, Work work, Finish finish) {
  auto slot = std::make_shared<std::optional<R>>();
  auto run = [work = std::move(work), slot](Transaction& transaction) mutable -> Result<void> {
    slot->emplace(work(transaction));
    if (!slot->value()) return fail(slot->value().error());
    return {};
  };
  auto done = [slot, finish = std::move(finish)](Result<void> result) mutable {
    if (!result) {
      finish(R(std::unexpect, std::move(result.error())));
    } else {
      finish(std::move(slot->value()));
    }
  };
  if constexpr (std::is_same_v<Transaction, WriteTransaction>) {
    store.submit_write(*priority, std::move(run), std::move(done));
  } else {
    store.submit_read(std::move(run), std::move(done));
  }
}

}  // namespace internal

template <class Work>
Task<std::invoke_result_t<Work&, WriteTransaction&>> Store::write(WritePriority priority,
                                                                  Work work) {
  using R = std::invoke_result_t<Work&, WriteTransaction&>;
  co_return co_await async::from_callback<R>([this, priority, work = std::move(work)](
                                                 async::Callback<R> done) mutable {
    internal::submit_typed<R, WriteTransaction>(*this, priority, std::move(work), std::move(done));
  });
}

template <class Work>
Task<std::invoke_result_t<Work&, ReadTransaction&>> Store::read(Work work) {
  using R = std::invoke_result_t<Work&, ReadTransaction&>;
  co_return co_await async::from_callback<R>(
      [this, work = std::move(work)](async::Callback<R> done) mutable {
        internal::submit_typed<R, ReadTransaction>(*this, std::nullopt, std::move(work),
                                                   std::move(done));
      });
}

template <class Work>
std::invoke_result_t<Work&, WriteTransaction&> Store::write_and_wait(WritePriority priority,
                                                                     Work work) {
  using R = std::invoke_result_t<Work&, WriteTransaction&>;
  std::promise<R> promise;
  auto future = promise.get_future();
  internal::submit_typed<R, WriteTransaction>(
      *this, priority, std::move(work),
      [promise = std::move(promise)](R result) mutable { promise.set_value(std::move(result)); });
  return future.get();
}

template <class Work>
std::invoke_result_t<Work&, ReadTransaction&> Store::read_and_wait(Work work) {
  using R = std::invoke_result_t<Work&, ReadTransaction&>;
  std::promise<R> promise;
  auto future = promise.get_future();
  internal::submit_typed<R, ReadTransaction>(
      *this, std::nullopt, std::move(work),
      [promise = std::move(promise)](R result) mutable { promise.set_value(std::move(result)); });
  return future.get();
}

}  // namespace todoku::store
