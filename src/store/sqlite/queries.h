// SPDX-License-Identifier: Apache-2.0
// The questions of ReadTransaction on one connection; shared by readers and the writer, which sees
// its own uncommitted changes. Each function is documented in store/store.h.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite/address_index.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/dictionary.h"
#include "store/store.h"

namespace todoku::store::sqlite {

// Figures that the writer keeps up with every commit, so that nobody has to count.
struct LiveFigures {
  std::array<std::atomic<std::int64_t>, 2> waiting{};  // by TrafficClass
};

// A batch as stored.
struct BatchRow {
  std::int64_t number = 0;
  std::int64_t delivery = 0;
  AccountKey account{};
  std::int64_t section = 0;  // 0: a transaction's
  TrafficClass traffic = TrafficClass::transactional;
  std::string domain;
  PublicId first_email_id = 0;
  std::int64_t capacity = 0;
  std::int64_t size = 0;
  std::int64_t removed = 0;
  std::int64_t open = 0;
  Instant created{};
  std::optional<Instant> ready_at;
  std::uint64_t token = 0;
  Holder holder = 0;
};

inline constexpr std::int64_t kSectionLive = 1;
inline constexpr std::int64_t kSectionStaged = 2;
inline constexpr std::int64_t kSectionDiscarded = 3;

class Queries {
 public:
  Queries(Connection& db, const LiveFigures& figures, AddressHash hash)
      : db_(db), dictionary_(db), figures_(figures), hash_(hash) {}

  [[nodiscard]] Result<std::optional<std::string>> setting(std::string_view name);

  [[nodiscard]] Result<std::vector<Account>> accounts();
  [[nodiscard]] Result<Account> account(AccountKey key);
  [[nodiscard]] Result<Account> account_by_name(std::string_view name);
  [[nodiscard]] Result<Account> account_by_token(std::string_view token_sha256);
  [[nodiscard]] Result<std::vector<ApiKey>> api_keys(AccountKey account);
  [[nodiscard]] Result<std::vector<DkimKey>> dkim_keys();

  [[nodiscard]] Result<Delivery> delivery(AccountKey account, PublicId id);
  [[nodiscard]] Result<Delivery> delivery(DeliveryKey key);
  [[nodiscard]] Result<Delivery> delivery_head(AccountKey account, PublicId id);
  [[nodiscard]] Result<Delivery> delivery_head(DeliveryKey key);
  [[nodiscard]] Result<DeliveryStretch> match_deliveries(const DeliveryFilter& filter,
                                                         DeliveryOrder order,
                                                         std::optional<DeliveryPlace> from,
                                                         std::int64_t wanted);
  [[nodiscard]] Result<Content> content(DeliveryKey key);
  [[nodiscard]] Result<std::int64_t> count_drafts(AccountKey account, DeliveryType type,
                                                  std::int64_t most);

  [[nodiscard]] Result<Recipient> recipient(AccountKey account, PublicId email_id);
  [[nodiscard]] Result<StoryPage> stories(std::string_view address,
                                          std::optional<AccountKey> account, std::int64_t limit,
                                          std::optional<std::int64_t> from);
  [[nodiscard]] Result<Story> story(const RecipientKey& key);

  [[nodiscard]] Result<std::vector<Delivery>> deliveries_to_start(Instant now, std::int64_t limit);
  [[nodiscard]] Result<std::optional<Instant>> next_reservation(Instant now);
  [[nodiscard]] Result<std::vector<Delivery>> sending_bulk();
  [[nodiscard]] Result<DueDomains> due_domains(Workload workload, Instant now,
                                               std::optional<std::string_view> after,
                                               std::int64_t limit);
  [[nodiscard]] Result<std::vector<DueBatch>> due_batches(Workload workload,
                                                          std::string_view domain, Instant now,
                                                          std::int64_t limit);

  [[nodiscard]] Result<ImportJob> import_job(AccountKey account, PublicId id);
  [[nodiscard]] Result<std::vector<ImportJob>> running_imports();

  [[nodiscard]] Result<std::vector<QueueFigures>> queue_figures(Instant now);

  // -- parts that the writer uses too

  // The row of a delivery without its content; not_found if it is deleted.
  [[nodiscard]] Result<Delivery> delivery_row(DeliveryKey key);
  [[nodiscard]] Result<std::optional<BatchRow>> batch(std::int64_t number);
  // The ids of the live sections of a delivery.
  [[nodiscard]] Result<std::vector<std::int64_t>> live_sections(DeliveryKey delivery);
  // Whether a batch's recipients are to be seen: not staged, not discarded.
  [[nodiscard]] Result<bool> visible(const BatchRow& batch);

  [[nodiscard]] Connection& db() { return db_; }
  [[nodiscard]] Dictionary& dictionary() { return dictionary_; }
  [[nodiscard]] std::uint64_t address_hash(std::string_view address) const {
    return hash_(address);
  }

 private:
  struct RecipientRow;
  [[nodiscard]] Result<Delivery> with_content(Delivery delivery);
  [[nodiscard]] Result<DeliveryKey> key_of(AccountKey account, PublicId id);
  [[nodiscard]] Query deliveries_in_order(const DeliveryFilter& filter, DeliveryOrder order,
                                          std::optional<DeliveryPlace> from);
  [[nodiscard]] Result<bool> matches_texts(DeliveryKey key, const DeliveryFilter& filter,
                                           std::int64_t& effort);
  [[nodiscard]] Result<std::optional<RecipientRow>> recipient_row_of(std::int64_t row,
                                                                     const BatchRow& batch);
  [[nodiscard]] Result<std::optional<Story>> story_of(std::int64_t row);
  // A workload's part that the indexes know by one number.
  struct Part {
    std::int64_t section = 0;        // 0: all transactional batches
    std::optional<Instant> started;  // nothing is due before; nullopt: as stored
  };
  [[nodiscard]] Result<std::vector<Part>> parts_of(Workload workload);
  [[nodiscard]] Query earliest_in(const Part& part, Instant now, std::int64_t limit);
  [[nodiscard]] Query due_of_domain(const Part& part, std::string_view domain, Instant now,
                                    std::int64_t limit);
  [[nodiscard]] Result<std::optional<std::string>> domain_after(
      const Part& part, const std::optional<std::string>& after);
  [[nodiscard]] Result<void> add_batches(Query& numbers, const Part& part,
                                         std::vector<DueBatch>& batches);
  [[nodiscard]] Result<std::optional<DueDomains>> all_due(const std::vector<Part>& parts,
                                                          Instant now, std::int64_t limit);
  [[nodiscard]] Result<DueDomains> due_by_domain(const std::vector<Part>& parts, Instant now,
                                                 std::optional<std::string_view> after,
                                                 std::int64_t limit);
  [[nodiscard]] Result<std::optional<Instant>> oldest_due(Workload workload, Instant now);
  [[nodiscard]] Result<std::optional<Instant>> upcoming(const std::vector<Part>& parts,
                                                        Instant now);

  Connection& db_;
  Dictionary dictionary_;
  const LiveFigures& figures_;
  AddressHash hash_;
};

}  // namespace todoku::store::sqlite
